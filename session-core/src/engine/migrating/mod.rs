//! From one store to another while sessions are in use: a store of two, which moves each session when it is next used.
//!
//! [`settle`] has the protocol, [`copy`] what the two stores hold meanwhile, [`verbs`] the store, [`index`] and [`census`] the
//! capabilities over both.

mod census;
mod copy;
mod index;
mod pair;
mod settle;
mod verbs;

pub use pair::MigratingStore;
