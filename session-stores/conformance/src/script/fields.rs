//! The fields of one operation: a key as text or as segments, one key or several.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use session_core::{
    Number,
    path::{AnyKey, Path},
};

use super::kind::Failed;

/// All fields of operations. Each operation reads those that it needs, and a missing one is a `BadOp`.
#[derive(Debug, Deserialize)]
pub(super) struct Fields {
    pub(super) op: String,
    key: Option<Name>,
    keys: Option<Names>,
    #[serde(default, deserialize_with = "present")]
    value: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    pub(super) default: Option<Box<RawValue>>,
    values: Option<Box<RawValue>>,
    errors: Option<BTreeMap<String, Texts>>,
    by: Option<Number>,
    seconds: Option<u64>,
    ms: Option<u64>,
    token: Option<String>,
    url: Option<String>,
    handle: Option<String>,
    owner: Option<String>,
    bag: Option<String>,
}

/// A key: text with dots, or a list of segments.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Name {
    Text(String),
    Segments(Vec<String>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Many(Vec<Name>),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl AnyKey for Name {
    fn path(&self) -> Path<'_> {
        match self {
            Self::Text(text) => Path::text(text),
            Self::Segments(segments) => Path::owned_segments(segments),
        }
    }
}

/// An explicit null counts as given.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

impl Fields {
    pub(super) fn parse(op: &RawValue) -> Result<Self, Failed> {
        serde_json::from_str(op.get())
            .map_err(|error| Failed::bad_op(format!("this is not an operation: {error}")))
    }

    pub(super) fn key(&self) -> Result<Path<'_>, Failed> {
        Ok(self.key.as_ref().ok_or_else(|| self.lacks("key"))?.path())
    }

    /// One key or several, from `keys` or, for one, from `key`.
    pub(super) fn keys(&self) -> Result<Vec<Path<'_>>, Failed> {
        Ok(match &self.keys {
            Some(Names::One(text)) => vec![Path::text(text)],
            Some(Names::Many(names)) => names.iter().map(Name::path).collect(),
            None => vec![self.key.as_ref().ok_or_else(|| self.lacks("keys"))?.path()],
        })
    }

    pub(super) fn value(&self) -> Result<&RawValue, Failed> {
        self.value.as_deref().ok_or_else(|| self.lacks("value"))
    }

    pub(super) fn values(&self) -> Result<&RawValue, Failed> {
        self.values.as_deref().ok_or_else(|| self.lacks("values"))
    }

    pub(super) fn errors(&self) -> Result<impl Iterator<Item = (&str, Vec<&str>)>, Failed> {
        let errors = self.errors.as_ref().ok_or_else(|| self.lacks("errors"))?;
        Ok(errors.iter().map(|(field, texts)| match texts {
            Texts::One(text) => (field.as_str(), vec![text.as_str()]),
            Texts::Many(texts) => (field.as_str(), texts.iter().map(String::as_str).collect()),
        }))
    }

    pub(super) fn by(&self) -> Number {
        self.by.unwrap_or_else(|| Number::from(1))
    }

    pub(super) fn seconds(&self) -> Result<u64, Failed> {
        self.seconds.ok_or_else(|| self.lacks("seconds"))
    }

    pub(super) fn ms(&self) -> Result<u64, Failed> {
        self.ms.ok_or_else(|| self.lacks("ms"))
    }

    pub(super) fn token(&self) -> Result<&str, Failed> {
        self.token.as_deref().ok_or_else(|| self.lacks("token"))
    }

    pub(super) fn url(&self) -> Result<&str, Failed> {
        self.url.as_deref().ok_or_else(|| self.lacks("url"))
    }

    pub(super) fn handle(&self) -> Result<&str, Failed> {
        self.handle.as_deref().ok_or_else(|| self.lacks("handle"))
    }

    pub(super) fn owner(&self) -> Result<&str, Failed> {
        self.owner.as_deref().ok_or_else(|| self.lacks("owner"))
    }

    pub(super) fn bag(&self) -> Result<&str, Failed> {
        self.bag.as_deref().ok_or_else(|| self.lacks("bag"))
    }

    fn lacks(&self, field: &str) -> Failed {
        Failed::bad_op(format!("`{}` needs the field `{field}`", self.op))
    }
}
