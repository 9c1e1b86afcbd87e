//! The rows of the feature list about values.

// Helpers of a test file are tests as well, which clippy cannot see.
#![allow(clippy::unwrap_used)]

mod changes;
mod changing;
mod paths;
mod reading;
mod types;

use session_core::machine::{Bag, Values};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

fn from(text: &str) -> Values {
    Values::new(Bag::decode(text.as_bytes().into()).unwrap())
}

fn at(moment: &str) -> OffsetDateTime {
    OffsetDateTime::parse(moment, &Rfc3339).unwrap()
}

fn text(values: &Values) -> String {
    values.all().to_json()
}
