//! The shop in a browser.

mod browser_pictures;
mod browser_shop;
mod support;
