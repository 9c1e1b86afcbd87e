//! The shop in a browser.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod browser_device;
mod browser_pictures;
mod browser_shop;
mod support;
