//! Visitors who signed in with the real libraries are carried over.

mod actix;
mod deployment;
mod support;
mod tower;
