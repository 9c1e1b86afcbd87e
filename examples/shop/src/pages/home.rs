//! The shelf.

use minijinja::context;
use minijinja::value::Serde;

use crate::ask::Ask;
use crate::catalog::SHELF;
use crate::go::{Go, Problem};
use crate::words::Language;

pub(crate) fn show(ask: &Ask) -> Result<Go, Problem> {
    let language = Language::of(ask.session());
    let products: Vec<_> = SHELF.iter().map(|product| product.shown(language)).collect();
    Go::page("home.html", context! { products => Serde(products) })
}
