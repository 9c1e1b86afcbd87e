//! The checker of histories accepts every history that a store can have, and rejects all others.

mod by_hand;
mod wrong;
