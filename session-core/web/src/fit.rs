//! A form read as a type, with everything that does not fit: one error for each wrong field, as validators give them.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

use crate::lenient::{Fault, Lenient};
use crate::rejection::{Rejection, RequestError};
use crate::validation::ValidationErrors;

/// A form does not fit the type that is asked for. It names every wrong field and its rule, and never what was typed.
///
/// It is a [`ValidationErrors`](crate::ValidationErrors): [`Redirects::or_back`](crate::Redirects::or_back) shows each
/// beside its field. As a response it is 422.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use session_web::ValidationErrors as _;
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Order { sku: String, count: u32 }
///
/// let body = "count=three";
/// let form = session_web::Form::read("application/x-www-form-urlencoded", body.into()).await.unwrap();
/// let error = form.to::<Order>().unwrap_err();
/// // What was typed is not in it: it may be a secret.
/// assert_eq!((error.field(), error.message()), ("count", "is not a number"));
/// assert_eq!(error.messages()[1], ("sku".to_owned(), "is missing".to_owned()));
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotThatForm {
    /// At least one: field and reason, in the order in which they were found.
    faults: Vec<(String, String)>,
}

impl NotThatForm {
    /// The path of the first wrong field, such as `rows.0.count`. Empty for the form as a whole.
    #[must_use]
    pub fn field(&self) -> &str {
        self.faults.first().map_or("", |(field, _)| field)
    }

    /// What is wrong with it, such as "is missing".
    #[must_use]
    pub fn message(&self) -> &str {
        self.faults.first().map_or("", |(_, reason)| reason)
    }
}

impl fmt::Display for NotThatForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (field, reason)) in self.faults.iter().enumerate() {
            f.write_str(if nth == 0 { "the form does not fit: " } else { "; " })?;
            match &**field {
                "" => f.write_str(reason)?,
                field => write!(f, "`{field}` {reason}")?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for NotThatForm {}

impl ValidationErrors for NotThatForm {
    fn messages(&self) -> Vec<(String, String)> {
        self.faults.clone()
    }
}

/// 422: the form can be read, and does not fit.
impl From<NotThatForm> for Rejection {
    fn from(error: NotThatForm) -> Self {
        RequestError::new(422, error).into()
    }
}

/// Reads the fields as a `T`. A field that is wrong is replaced by a null, which fits whatever is asked for, and the rest is
/// read again, until nothing more is wrong or nothing more can be said.
pub(crate) fn read<T: DeserializeOwned>(fields: &Map<String, Value>) -> Result<T, NotThatForm> {
    let mut value = Value::Object(fields.clone());
    let (mut faults, mut wrong) = (Vec::new(), Vec::<Vec<Step>>::new());
    for _ in 0..MOST_FAULTS {
        let (place, fault) = match serde_path_to_error::deserialize(Lenient(value.clone())) {
            Ok(read) if faults.is_empty() => return Ok(read),
            Ok(_) => break,
            Err(error) => place_of(error),
        };
        // A rule about a whole that has a wrong part says nothing: the part may be all that is wrong with it.
        let is_whole = wrong.iter().any(|before| before.starts_with(&place));
        if is_whole {
            break;
        }
        // The parts of a field that was found wrong before are not wrong themselves.
        if !wrong.iter().any(|before| place.starts_with(before)) {
            faults.push((path(&place), fault.reason));
            wrong.push(place.clone());
        }
        if place.is_empty() || !forgive(&mut value, &place) {
            break;
        }
    }
    Err(NotThatForm { faults })
}

/// A step on the way to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    /// Where it leads cannot be told.
    Unknown(String),
}

/// Where the error is. Of a missing field, the path that comes with the error is its parent's.
fn place_of(error: serde_path_to_error::Error<Fault>) -> (Vec<Step>, Fault) {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Step::Index(*index),
        Segment::Map { key } => Step::Name(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => Step::Unknown(segment.to_string()),
    };
    let mut place: Vec<_> = error.path().iter().map(step).collect();
    let fault = error.into_inner();
    place.extend(fault.missing.map(|name| Step::Name(name.to_owned())));
    (place, fault)
}

fn path(place: &[Step]) -> String {
    let text = |step: &Step| match step {
        Step::Name(name) | Step::Unknown(name) => name.clone(),
        Step::Index(index) => index.to_string(),
    };
    place.iter().map(text).collect::<Vec<_>>().join(".")
}

/// Puts a null in this place, which is found as [`Lenient`] finds it. `false` if it cannot be, or was done before.
fn forgive(value: &mut Value, place: &[Step]) -> bool {
    let Some((step, rest)) = place.split_first() else {
        return !std::mem::replace(value, Value::Null).is_null();
    };
    let next = match (step, value) {
        (Step::Name(name), Value::Object(fields)) => {
            if rest.is_empty() && !fields.contains_key(name) {
                fields.insert(name.clone(), Value::Null);
                return true;
            }
            fields.get_mut(name)
        }
        (Step::Name(name), value @ Value::Null) => {
            *value = Value::Object([(name.clone(), Value::Null)].into_iter().collect());
            return rest.is_empty();
        }
        (Step::Name(name), Value::Array(items)) => name.parse().ok().and_then(|at: usize| items.get_mut(at)),
        (Step::Index(at), Value::Array(items)) => items.get_mut(*at),
        (Step::Index(at), Value::Object(fields)) => fields.values_mut().nth(*at),
        (Step::Index(0), one) => Some(one),
        _ => None,
    };
    next.is_some_and(|next| forgive(next, rest))
}

/// How many wrong fields are named at most.
const MOST_FAULTS: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    fn read<T: DeserializeOwned>(form: Value) -> Result<T, NotThatForm> {
        super::read(form.as_object().expect("a form is an object"))
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "lowercase")]
    enum Size {
        Small,
        Large,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Order {
        count: u8,
        price: f64,
        gift: Option<bool>,
        note: Option<String>,
        tags: Vec<String>,
        size: Size,
        #[serde(default)]
        extra: bool,
    }

    #[test]
    fn text_becomes_what_the_type_asks_for() {
        let form =
            json!({"count": "3", "price": "1.5", "gift": "on", "note": "", "tags": "one", "size": "large"});
        let order = Order {
            count: 3,
            price: 1.5,
            gift: Some(true),
            note: None,
            tags: vec!["one".to_owned()],
            size: Size::Large,
            extra: false,
        };
        assert_eq!(read::<Order>(form).unwrap(), order);
    }

    #[test]
    fn rows_with_gaps_in_their_numbers_are_a_list() {
        let form = json!({"rows": {"7": "a", "12": "b"}});
        let read = read::<std::collections::BTreeMap<String, Vec<String>>>(form).unwrap();
        assert_eq!(read["rows"], ["a", "b"]);
    }

    #[test]
    fn numbers_that_are_names_become_the_keys_of_a_map() {
        use std::collections::BTreeMap;
        let form = json!({"98765": "2", "7": "1"});
        assert_eq!(read::<BTreeMap<u32, u8>>(form).unwrap(), BTreeMap::from([(7, 1), (98_765, 2)]));
        let listed = read::<BTreeMap<String, BTreeMap<u32, u8>>>(json!({"l": ["3", "4"]})).unwrap();
        assert_eq!(listed["l"], BTreeMap::from([(0, 3), (1, 4)]));
        let named = read::<BTreeMap<String, String>>(json!({"a": "b"})).unwrap();
        assert_eq!(named["a"], "b");
    }

    #[test]
    fn an_error_never_says_what_was_typed() {
        for (field, typed) in [("count", "hunter2"), ("size", "hunter2"), ("gift", "hunter2")] {
            let mut form = json!({"count": "3", "price": "1.5", "tags": "one", "size": "large"});
            form[field] = json!(typed);
            let error = read::<Order>(form).unwrap_err().to_string();
            assert!(!error.contains(typed), "{error}");
        }
        assert_eq!(
            read::<Order>(json!({"tags": "a", "size": "small"})).unwrap_err().to_string(),
            "the form does not fit: `count` is missing; `price` is missing"
        );
    }

    #[test]
    fn an_error_names_its_field_and_what_is_wrong_with_it() {
        #[derive(Debug, Deserialize)]
        struct Row {
            #[expect(dead_code, reason = "only read")]
            count: u8,
        }
        #[derive(Debug, Deserialize)]
        struct Sheet {
            #[expect(dead_code, reason = "only read")]
            rows: Vec<Row>,
        }
        for (typed, message) in [
            (json!({}), "is missing"),
            (json!({"count": " "}), "is missing"),
            (json!({"count": "1.5"}), "is not a whole number"),
            (json!({"count": "300"}), "is out of range"),
            (json!({"count": "three"}), "is not a number"),
        ] {
            let error = read::<Sheet>(json!({"rows": [{"count": "1"}, typed]})).unwrap_err();
            assert_eq!((error.field(), error.message()), ("rows.1.count", message));
        }
    }

    fn faults<T: DeserializeOwned + std::fmt::Debug>(form: Value) -> Vec<(String, String)> {
        read::<T>(form).unwrap_err().messages()
    }

    fn pairs(faults: &[(&str, &str)]) -> Vec<(String, String)> {
        faults.iter().map(|(field, reason)| ((*field).to_owned(), (*reason).to_owned())).collect()
    }

    #[test]
    fn every_wrong_field_is_named_once() {
        let form = json!({"count": "many", "price": "", "gift": "perhaps", "note": "x", "tags": "a", "size": "huge"});
        let mut found = faults::<Order>(form);
        found.sort();
        let expected = [
            ("count", "is not a number"),
            ("gift", "is not a boolean"),
            ("price", "is missing"),
            ("size", "is none of small, large"),
        ];
        assert_eq!(found, pairs(&expected));
        let missing = ["count", "price", "tags", "size"].map(|field| (field, "is missing"));
        assert_eq!(faults::<Order>(json!({})), pairs(&missing));
    }

    #[test]
    fn wrong_fields_are_found_in_rows_maps_options_and_objects() {
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only read")]
        struct Line {
            sku: String,
            count: u8,
        }
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only read")]
        struct Basket {
            lines: Vec<Line>,
            gaps: Vec<Line>,
            stock: std::collections::BTreeMap<u32, u8>,
            owner: Line,
            gift: Option<Line>,
            only: Vec<u8>,
        }
        let form = json!({
            "lines": [{"sku": "a", "count": "x"}, {"count": "1"}, {"sku": "c", "count": "300"}],
            "gaps": {"7": {"sku": "a", "count": "1"}, "9": {"sku": "b"}},
            "stock": {"5": "x", "98765": "1.5"},
            "gift": {"sku": "a"},
            "only": "z",
        });
        let mut found = faults::<Basket>(form);
        found.sort();
        let expected = [
            ("gaps.1.count", "is missing"),
            ("gift.count", "is missing"),
            ("lines.0.count", "is not a number"),
            ("lines.1.sku", "is missing"),
            ("lines.2.count", "is out of range"),
            ("only.0", "is not a number"),
            ("owner", "is missing"),
            ("stock.5", "is not a number"),
            ("stock.98765", "is not a whole number"),
        ];
        assert_eq!(found, pairs(&expected));
    }

    #[test]
    fn rules_of_the_application_are_named_where_they_can_be_told() {
        fn even(text: String) -> Result<u32, &'static str> {
            match text.parse() {
                Ok(number) if number % 2 == 0 => Ok(number),
                _ => Err("is not even"),
            }
        }
        #[derive(Debug, Deserialize)]
        #[serde(try_from = "String")]
        struct Even(#[expect(dead_code, reason = "only read")] u32);
        impl TryFrom<String> for Even {
            type Error = &'static str;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                even(text).map(Self)
            }
        }
        #[derive(Debug, Deserialize)]
        #[serde(try_from = "RawRange")]
        struct Range;
        #[derive(Debug, Deserialize)]
        struct RawRange {
            from: u8,
            to: u8,
        }
        impl TryFrom<RawRange> for Range {
            type Error = &'static str;
            fn try_from(raw: RawRange) -> Result<Self, Self::Error> {
                if raw.from < raw.to { Ok(Self) } else { Err("is empty") }
            }
        }
        #[derive(Debug, Deserialize)]
        #[expect(dead_code, reason = "only read")]
        struct Query {
            page: u8,
            range: Range,
            even: Even,
            one: char,
        }
        let form = |from: &str, even: &str| json!({"page": "x", "range": {"from": from, "to": "1"}, "even": even, "one": "a"});
        let found = faults::<Query>(form("9", "2"));
        assert!(found.contains(&("page".into(), "is not a number".into())), "{found:?}");
        assert!(found.contains(&("range".into(), "is empty".into())), "{found:?}");
        // With a wrong part, the rule of the whole says nothing.
        let found = faults::<Query>(form("x", "2"));
        assert!(found.contains(&("range.from".into(), "is not a number".into())), "{found:?}");
        assert!(!found.iter().any(|(field, _)| field == "range"), "{found:?}");
        let found = faults::<Query>(form("0", "3"));
        assert!(found.iter().any(|(field, reason)| field == "even" && reason == "is not even"), "{found:?}");
    }

    proptest::proptest! {
        #[test]
        fn any_form_ends(names: Vec<(String, String)>) {
            let form: Map<String, Value> = names.into_iter().map(|(name, text)| (name, json!(text))).collect();
            let _ = super::read::<Order>(&form);
            let _ = super::read::<Vec<Order>>(&form);
        }
    }
}
