//! Text read as what a type asks for: numbers, truth, options. Form fields are text, and types are not.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Deserializer, IntoDeserializer, Visitor};
use serde_json::{Map, Value};

/// What is wrong with one field, or with the form as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Fault {
    /// The name of a field that is missing at the place of the error.
    pub(crate) missing: Option<&'static str>,
    pub(crate) reason: String,
}

impl Fault {
    fn because(reason: String) -> Self {
        Self { missing: None, reason }
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

impl de::Error for Fault {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::because(reason.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self { missing: Some(field), reason: "is missing".to_owned() }
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

/// A form's value as a deserializer. A null, which no form has, stands for a field that was found wrong before: it is
/// whatever is asked for.
pub(crate) struct Lenient(pub(crate) Value);

impl<'de> IntoDeserializer<'de, Fault> for Lenient {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $type:ty;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.0.as_str().and_then(|text| text.trim().parse::<$type>().ok()) {
                Some(number) => visitor.$visit(number),
                None if self.0.is_null() => visitor.$visit(<$type>::default()),
                None => Err(Fault::not_a_number(self.0.as_str())),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Lenient {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Lenient))),
            Value::Object(fields) => visitor.visit_map(MapDeserializer::new(
                fields.into_iter().map(|(name, value)| (Lenient(Value::String(name)), Lenient(value))),
            )),
            Value::Null | Value::Bool(_) | Value::Number(_) => visitor.visit_unit(),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.as_str() {
            Some("on" | "1" | "true" | "yes") => visitor.visit_bool(true),
            Some("off" | "0" | "false" | "no" | "") => visitor.visit_bool(false),
            None if self.0.is_null() => visitor.visit_bool(false),
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

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0.as_str() {
            Some("") => visitor.visit_none(),
            None if self.0.is_null() => visitor.visit_none(),
            Some(_) | None => visitor.visit_some(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        // A list of one was said once; rows of which some were taken out have numbers with gaps.
        let numbered = |fields: &Map<String, Value>| {
            fields.keys().all(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let items = match self.0 {
            Value::Array(items) => items,
            Value::Object(fields) if numbered(&fields) => {
                fields.into_iter().map(|(_, value)| value).collect()
            }
            Value::Null => Vec::new(),
            one => vec![one],
        };
        visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Lenient)))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.0.is_null() {
            return Self(Value::Object(Map::new())).deserialize_any(visitor);
        }
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
    ) -> Result<V::Value, Fault> {
        let first = variants.first().filter(|_| self.0.is_null()).copied().unwrap_or_default();
        let text = self.0.as_str().unwrap_or(first).to_owned();
        IntoDeserializer::<Fault>::into_deserializer(text).deserialize_enum(name, variants, visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.0.is_null() { visitor.visit_str("") } else { self.deserialize_any(visitor) }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let null = self.0.is_null();
        Self(if null { Value::Object(Map::new()) } else { self.0 }).deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}
