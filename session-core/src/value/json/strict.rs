//! Writing values as JSON that can be read back.
//!
//! `serde_json` writes `null` for a float that is not finite, and a 128-bit integer inside of an internally tagged enum
//! that serde cannot read again. Both are refused here, when the value is put.

use std::any::type_name;
use std::fmt;

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::value::RawValue;

use super::MAX_DEPTH;
use super::error::{JsonError, NOT_FINITE, WIDE_IN_TAGGED};
use super::node::Node;

/// Writes a value as JSON of at most so many levels.
pub(crate) fn to_node<V: Serialize + ?Sized>(value: &V, depth: usize) -> Result<Node, JsonError> {
    let mut text = Vec::with_capacity(32);
    value
        .serialize(Strict { to: &mut serde_json::Serializer::new(&mut text), tagged: false })
        .map_err(|_| why_not_written(value))?;
    Node::written(text, depth).map_err(|_| JsonError::new("it nests too deeply"))
}

/// Writes a value as owned text.
pub(crate) fn to_raw<V: Serialize + ?Sized>(value: &V) -> Result<Box<RawValue>, JsonError> {
    let text = to_node(value, MAX_DEPTH)?.view().to_vec();
    serde_json::from_slice(&text).map_err(|_| JsonError::new("it is not JSON"))
}

/// Writes a value that could not be written a second time, to find the path at which it fails.
fn why_not_written<V: Serialize + ?Sized>(value: &V) -> JsonError {
    let mut nowhere = serde_json::Serializer::new(std::io::sink());
    let mut track = serde_path_to_error::Track::new();
    let to = serde_path_to_error::Serializer::new(&mut nowhere, &mut track);
    match value.serialize(Strict { to, tagged: false }) {
        Ok(_) => JsonError::new("it nests too deeply"),
        Err(error) => JsonError::at(&track.path(), &error),
    }
}

/// A serializer that refuses values which could not be read back, and passes all others on to another serializer.
struct Strict<S> {
    to: S,
    /// Whether the value is inside of an internally tagged enum.
    tagged: bool,
}

/// A nested value that is passed on to the other serializer.
struct Inner<'a, T: ?Sized> {
    value: &'a T,
    tagged: bool,
}

impl<T: Serialize + ?Sized> Serialize for Inner<'_, T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(Strict { to, tagged: self.tagged })
    }
}

macro_rules! hand_on {
    ($($method:ident($type:ty);)*) => {$(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.to.$method(value)
        }
    )*};
}

macro_rules! finite {
    ($($method:ident($type:ty);)*) => {$(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            if value.is_finite() { self.to.$method(value) } else { Err(S::Error::custom(NOT_FINITE)) }
        }
    )*};
}

macro_rules! wide {
    ($($method:ident($type:ty);)*) => {$(
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            if self.tagged { Err(S::Error::custom(WIDE_IN_TAGGED)) } else { self.to.$method(value) }
        }
    )*};
}

macro_rules! open {
    ($($method:ident($($name:ident: $type:ty),*) -> $inner:ident;)*) => {$(
        fn $method(self, $($name: $type),*) -> Result<Self::$inner, S::Error> {
            Ok(Parts { to: self.to.$method($($name),*)?, tagged: self.tagged, first: true })
        }
    )*};
}

impl<S: Serializer> Serializer for Strict<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Parts<S::SerializeSeq>;
    type SerializeTuple = Parts<S::SerializeTuple>;
    type SerializeTupleStruct = Parts<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Parts<S::SerializeTupleVariant>;
    type SerializeMap = Parts<S::SerializeMap>;
    type SerializeStruct = Parts<S::SerializeStruct>;
    type SerializeStructVariant = Parts<S::SerializeStructVariant>;

    hand_on! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_unit_struct(&'static str);
    }
    finite! {
        serialize_f32(f32);
        serialize_f64(f64);
    }
    wide! {
        serialize_i128(i128);
        serialize_u128(u128);
    }
    open! {
        serialize_seq(len: Option<usize>) -> SerializeSeq;
        serialize_tuple(len: usize) -> SerializeTuple;
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct;
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> SerializeTupleVariant;
        serialize_map(len: Option<usize>) -> SerializeMap;
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct;
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize) -> SerializeStructVariant;
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.to.serialize_none()
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.to.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.to.serialize_some(&Inner { value, tagged: self.tagged })
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.to.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.to.serialize_newtype_struct(name, &Inner { value, tagged: self.tagged })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.to.serialize_newtype_variant(name, index, variant, &Inner { value, tagged: self.tagged })
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.to.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.to.is_human_readable()
    }
}

/// The elements or fields of a value, in order.
struct Parts<C> {
    to: C,
    tagged: bool,
    first: bool,
}

impl<C> Parts<C> {
    /// The next value. A derived internally tagged enum writes its tag first, as a bare `str`, which no field of another
    /// type can be.
    fn inner<'a, T: ?Sized>(&mut self, value: &'a T) -> Inner<'a, T> {
        self.tagged |= std::mem::take(&mut self.first) && type_name::<T>() == type_name::<str>();
        Inner { value, tagged: self.tagged }
    }
}

macro_rules! lists {
    ($($list:ident $method:ident;)*) => {$(
        impl<C: $list> $list for Parts<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                self.to.$method(&Inner { value, tagged: self.tagged })
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.to.end()
            }
        }
    )*};
}

lists! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

macro_rules! structs {
    ($($fields:ident;)*) => {$(
        impl<C: $fields> $fields for Parts<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), C::Error> {
                let value = self.inner(value);
                self.to.serialize_field(name, &value)
            }

            fn skip_field(&mut self, name: &'static str) -> Result<(), C::Error> {
                self.to.skip_field(name)
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.to.end()
            }
        }
    )*};
}

structs! {
    SerializeStruct;
    SerializeStructVariant;
}

impl<C: SerializeMap> SerializeMap for Parts<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.to.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        let value = self.inner(value);
        self.to.serialize_value(&value)
    }

    fn serialize_entry<K: Serialize + ?Sized, V: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &V,
    ) -> Result<(), C::Error> {
        let value = self.inner(value);
        self.to.serialize_entry(key, &value)
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.to.end()
    }
}
