//! Text read as what a type asks for: numbers, truth, options. Form fields are text, and types are not.

use std::fmt;

use crate::rejection::{Rejection, RequestError};
use crate::validation::ValidationErrors;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde_json::{Map, Value};
use serde_path_to_error::Segment;

/// A form does not fit the type that is asked for. It names the field and the rule, and never what was typed.
///
/// It is a [`ValidationErrors`](crate::ValidationErrors): [`Redirects::or_back`](crate::Redirects::or_back) shows it
/// beside its field. As a response it is 422.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// #[derive(Debug, serde::Deserialize)]
/// struct Order { count: u32 }
///
/// let body = "count=three";
/// let form = session_web::Form::read("application/x-www-form-urlencoded", body.into()).await.unwrap();
/// let error = form.to::<Order>().unwrap_err();
/// // What was typed is not in it: it may be a secret.
/// assert_eq!((error.field(), error.message()), ("count", "is not a number"));
/// # });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the form does not fit: {}{reason}", if field.is_empty() { String::new() } else { format!("`{field}` ") })]
pub struct NotThatForm {
    field: String,
    reason: String,
}

impl NotThatForm {
    /// The path of the field, such as `rows.0.count`. Empty for the form as a whole.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What is wrong with it, such as "is missing".
    #[must_use]
    pub fn message(&self) -> &str {
        &self.reason
    }

    fn because(reason: String) -> Self {
        Self { field: String::new(), reason }
    }

    /// The same error at a path; of a missing field, the path is its parent's.
    fn within(mut self, mut path: Vec<String>) -> Self {
        if !self.field.is_empty() {
            path.push(self.field);
        }
        self.field = path.join(".");
        self
    }

    /// Of text where a number is asked for.
    fn not_a_number(text: Option<&str>) -> Self {
        let text = text.map(str::trim);
        Self::because(match text.map(str::parse::<f64>) {
            _ if text == Some("") => "is missing".to_owned(),
            Some(Ok(number)) if number.fract() != 0.0 => "is not a whole number".to_owned(),
            Some(Ok(_)) => "is out of range".to_owned(),
            Some(Err(_)) | None => "is not a number".to_owned(),
        })
    }
}

impl ValidationErrors for NotThatForm {
    fn messages(&self) -> Vec<(String, String)> {
        vec![(self.field.clone(), self.reason.clone())]
    }
}

/// 422: the form can be read, and does not fit.
impl From<NotThatForm> for Rejection {
    fn from(error: NotThatForm) -> Self {
        RequestError::new(422, error).into()
    }
}

impl de::Error for NotThatForm {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::because(reason.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self { field: field.to_owned(), reason: "is missing".to_owned() }
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::because(format!("is not {expected}"))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::because(format!("is not {expected}"))
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::because(format!("is none of {}", expected.join(", ")))
    }
}

pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, NotThatForm> {
    serde_path_to_error::deserialize(Lenient(value)).map_err(|error| {
        let segment = |segment: &Segment| match segment {
            Segment::Seq { index } => index.to_string(),
            named => named.to_string(),
        };
        let path = error.path().iter().map(segment).collect();
        error.into_inner().within(path)
    })
}

struct Lenient(Value);

impl<'de> IntoDeserializer<'de, NotThatForm> for Lenient {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThatForm> {
            match self.0.as_str().and_then(|text| text.trim().parse::<$type>().ok()) {
                Some(number) => visitor.$visit(number),
                None => Err(NotThatForm::not_a_number(self.0.as_str())),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Lenient {
    type Error = NotThatForm;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThatForm> {
        match self.0 {
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Lenient))),
            Value::Object(fields) => visitor.visit_map(MapDeserializer::new(
                fields.into_iter().map(|(name, value)| (Lenient(Value::String(name)), Lenient(value))),
            )),
            Value::Null | Value::Bool(_) | Value::Number(_) => visitor.visit_unit(),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThatForm> {
        match self.0.as_str() {
            Some("on" | "1" | "true" | "yes") => visitor.visit_bool(true),
            Some("off" | "0" | "false" | "no" | "") => visitor.visit_bool(false),
            Some(_) | None => Err(de::Error::invalid_type(de::Unexpected::Other(""), &visitor)),
        }
    }

    numbers! {
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_i128 visit_i128 i128;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_u128 visit_u128 u128;
        deserialize_f32 visit_f32 f32;
        deserialize_f64 visit_f64 f64;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThatForm> {
        match self.0.as_str() {
            Some("") => visitor.visit_none(),
            Some(_) | None => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThatForm> {
        // A list of one was said once; rows of which some were taken out have numbers with gaps.
        let numbered = |fields: &Map<String, Value>| {
            fields.keys().all(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let items = match self.0 {
            Value::Array(items) => items,
            Value::Object(fields) if numbered(&fields) => {
                fields.into_iter().map(|(_, value)| value).collect()
            }
            one => vec![one],
        };
        visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Lenient)))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThatForm> {
        // Names that happen to be 0, 1, 2 and so on are names as well.
        let Self(Value::Array(items)) = self else { return self.deserialize_any(visitor) };
        let numbered = items.into_iter().zip(0_usize..).map(|(item, number)| (number.to_string(), item));
        Self(Value::Object(numbered.collect())).deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotThatForm> {
        let text = self.0.as_str().unwrap_or_default().to_owned();
        IntoDeserializer::<NotThatForm>::into_deserializer(text).deserialize_enum(name, variants, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, NotThatForm> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple tuple_struct struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

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
        let form = json!({"7": "a", "12": "b"});
        assert_eq!(read::<Vec<String>>(form).unwrap(), ["a", "b"]);
    }

    #[test]
    fn numbers_that_are_names_become_the_keys_of_a_map() {
        use std::collections::BTreeMap;
        let form = json!({"98765": "2", "7": "1"});
        assert_eq!(read::<BTreeMap<u32, u8>>(form).unwrap(), BTreeMap::from([(7, 1), (98_765, 2)]));
        let listed = read::<BTreeMap<u32, u8>>(json!(["3", "4"])).unwrap();
        assert_eq!(listed, BTreeMap::from([(0, 3), (1, 4)]));
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
            read::<Order>(json!({})).unwrap_err().to_string(),
            "the form does not fit: `count` is missing"
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
}
