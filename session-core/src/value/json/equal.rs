//! Equality of JSON values.
//!
//! The order of names, white space, and the escapes of a string are ignored. Numbers are equal if their text is equal:
//! `1` and `1.0` differ, because only one of them can be read as an integer.

use super::view::{Kind, View};

/// Returns whether every read of the two values has the same result.
pub(crate) fn same(one: View<'_>, two: View<'_>) -> bool {
    if let (View::Text(one), View::Text(two)) = (one, two)
        && one == two
    {
        return true;
    }
    match (one.kind(), two.kind()) {
        (Kind::String, Kind::String) => {
            matches!((one.read::<String>(), two.read::<String>()), (Ok(one), Ok(two)) if one == two)
        }
        (Kind::Array, Kind::Array) => {
            let (one, two) = (one.items(), two.items());
            one.len() == two.len() && one.into_iter().zip(two).all(|(one, two)| same(one, two))
        }
        (Kind::Object, Kind::Object) => {
            let (one, two) = (one.fields(), two.fields());
            one.len() == two.len()
                && one.iter().all(|(name, one)| two.get(name).is_some_and(|two| same(*one, *two)))
        }
        // Null, booleans and numbers have one spelling each, and that was compared above.
        (
            Kind::Null | Kind::Boolean | Kind::Number | Kind::String | Kind::Array | Kind::Object,
            Kind::Null | Kind::Boolean | Kind::Number | Kind::String | Kind::Array | Kind::Object,
        ) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &str, two: &str) -> bool {
        same(View::Text(one.as_bytes()), View::Text(two.as_bytes()))
    }

    #[test]
    fn spelling_does_not_matter_but_for_numbers() {
        assert!(check("{\"a\":1,\"b\":[1, 2]}", "{ \"b\" : [1,2], \"\\u0061\" : 1 }"));
        assert!(check("\"\\u0041\"", "\"A\""));
        assert!(!check("1", "1.0"));
        assert!(!check("{\"a\":1}", "{\"a\":1,\"b\":1}"));
        assert!(!check("[1,2]", "[2,1]"));
    }

    #[test]
    fn the_last_of_equal_names_counts() {
        assert!(check("{\"a\":1,\"a\":2}", "{\"a\":2}"));
    }
}
