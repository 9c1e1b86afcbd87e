//! An untyped tree of values and tables, deserialised from any `serde` format.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::value::Value;

/// A value or a table of values. Deserialising without a schema lets this crate report every mistake itself, with the
/// name of the key and with the same message in every format, and prevents errors of the format's parser from quoting
/// a line that contains a secret.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Value(Value),
    Table(BTreeMap<String, Node>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reads)
    }
}

struct Reads;

impl<'de> Visitor<'de> for Reads {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting or a table of settings")
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Value(Value::Flag(flag)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        Ok(Node::Value(Value::Whole(number.into())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Value(Value::Whole(number.into())))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        Ok(Node::Value(Value::Other(number.to_string())))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Value(Value::Text(text.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Value(Value::Other("null".to_owned())))
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        Node::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut values = Vec::new();
        while let Some(item) = items.next_element()? {
            values.push(match item {
                Node::Value(value) => value,
                Node::Table(_) => Value::Other("a table".to_owned()),
            });
        }
        Ok(Node::Value(Value::List(values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut table = BTreeMap::new();
        while let Some((name, node)) = entries.next_entry::<String, Node>()? {
            if table.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the setting {name} is there twice")));
            }
            table.insert(name, node);
        }
        Ok(Node::Table(table))
    }
}
