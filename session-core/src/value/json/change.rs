//! Changing a JSON value: creating the place that a path denotes, and removing the value at a path.

use super::index::index_of;
use super::node::{Node, Object};
use super::split::items;

impl Node {
    /// Parses one level of text that is a container; leaves any other value unchanged.
    fn open(&mut self) {
        let Self::Text(text) = self else { return };
        let opened = match text.first() {
            Some(b'{') => Object::open(text).map(|object| Self::Object(Box::new(object))),
            Some(b'[') => items(text).map(|items| {
                Self::Array(
                    items.into_iter().map(|raw| Self::Text(text.slice_ref(raw.get().as_bytes()))).collect(),
                )
            }),
            _ => return,
        };
        // The text was validated before, so it parses. If it did not, it would be left unchanged and count as a scalar.
        if let Ok(opened) = opened {
            *self = opened;
        }
    }

    /// Returns the place that `path` denotes below this one. Creates parents, and replaces values that cannot be parents.
    ///
    /// Creates at most [`MAX_GAP`] empty items in total; beyond that, the place is the end of the array.
    pub(crate) fn place(&mut self, path: &[Box<str>]) -> &mut Self {
        self.place_within(path, &mut MAX_GAP.clone())
    }

    /// Does the same for a path whose segments are all names: every parent is an object, or is replaced by one.
    pub(crate) fn place_by_names(&mut self, path: &[Box<str>]) -> &mut Self {
        let Some((name, rest)) = path.split_first() else { return self };
        self.open();
        self.object();
        match self {
            Self::Object(object) => object.place(name).place_by_names(rest),
            other => other,
        }
    }

    fn place_within(&mut self, path: &[Box<str>], gap: &mut u64) -> &mut Self {
        let Some((segment, rest)) = path.split_first() else { return self };
        self.open();
        let index = index_of(segment);
        let fits = match self {
            Self::Object(_) => true,
            Self::Array(_) => index.is_some(),
            Self::Text(_) => false,
        };
        if !fits {
            *self = if index.is_some() { Self::Array(Vec::new()) } else { Self::Object(Box::default()) };
        }
        match (self, index) {
            (Self::Array(items), Some(index)) => {
                let len = items.len();
                let at = usize::try_from(index).ok().filter(|at| at.saturating_sub(len) as u64 <= *gap);
                let at = at.unwrap_or(len);
                if at >= len {
                    *gap -= (at - len) as u64;
                    items.resize_with(at + 1, Self::null);
                }
                items[at].place_within(rest, gap)
            }
            (Self::Object(object), _) => object.place(segment).place_within(rest, gap),
            (other, _) => other,
        }
    }

    /// Makes this an object unless it is one.
    pub(crate) fn object(&mut self) {
        if !self.view().is_object() {
            *self = Self::Object(Box::default());
        }
    }

    /// Appends to this array, or returns `false` if it is not an array. Null counts as an empty array.
    pub(crate) fn push(&mut self, more: &[Self]) -> bool {
        if self.view().is_null() {
            *self = Self::Array(Vec::new());
        }
        self.open();
        let Self::Array(items) = self else { return false };
        items.extend_from_slice(more);
        true
    }

    /// Removes the value at `path` below this one, and every parent that becomes empty, but not this one.
    pub(crate) fn forget(&mut self, path: &[Box<str>]) -> Forgot {
        if self.view().at(path.iter().map(|segment| &**segment)).is_none() {
            return Forgot::Nothing;
        }
        self.remove(path)
    }

    /// Does the same for a value that is known to exist.
    fn remove(&mut self, path: &[Box<str>]) -> Forgot {
        let Some((segment, rest)) = path.split_first() else { return Forgot::Nothing };
        self.open();
        match self {
            Self::Object(object) => object.forget(segment, rest),
            Self::Array(items) => {
                let at = index_of(segment).and_then(|index| usize::try_from(index).ok());
                let Some(at) = at.filter(|at| *at < items.len()) else { return Forgot::Nothing };
                let forgot = if rest.is_empty() { Forgot::Emptied } else { items[at].remove(rest) };
                if forgot == Forgot::Emptied {
                    items.remove(at);
                }
                forgot.unless(!items.is_empty())
            }
            Self::Text(_) => Forgot::Nothing,
        }
    }
}

impl Object {
    /// Removes the value at `name` and then `rest`, and every parent that becomes empty, but not this object.
    pub(crate) fn forget(&mut self, name: &str, rest: &[Box<str>]) -> Forgot {
        let Some(node) = self.get_mut(name) else { return Forgot::Nothing };
        let forgot = if rest.is_empty() { Forgot::Emptied } else { node.forget(rest) };
        if forgot == Forgot::Emptied {
            self.remove(name);
        }
        forgot.unless(self.len() > 0)
    }
}

/// The outcome of a removal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forgot {
    /// The value did not exist.
    Nothing,
    /// The value was removed, and its parent is not empty.
    Removed,
    /// The value was removed, and its parent became empty.
    Emptied,
}

impl Forgot {
    /// The outcome for the parent of a removed child.
    fn unless(self, something_left: bool) -> Self {
        if self == Self::Emptied && something_left { Self::Removed } else { self }
    }
}

/// The maximum number of empty items that one edit creates, in all arrays of its path together.
pub(crate) const MAX_GAP: u64 = 1_024;
