//! The checker of histories: accepts what a store can answer, and rejects what none can.

mod by_hand;
mod wrong;
