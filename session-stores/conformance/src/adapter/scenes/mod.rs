//! The scenarios of the adapter suite, each named after its claim.

pub mod cookies;
pub mod cost;
pub mod csrf;
pub mod device;
pub mod failures;
pub mod flash;
pub mod forms;
pub mod headers;
pub mod life;
pub mod races;
pub mod values;
