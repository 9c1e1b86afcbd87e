//! The kinds of edits, and how each applies to a value that another request may have changed in the meantime.
//!
//! A journalled edit is never refused: if it does not fit the current value (a sum on a string, a push on something that
//! is not an array, a name in an array), the value that this request left there wins.

use std::fmt;
use std::sync::Arc;

use super::json::MAX_DEPTH;
use super::json::node::Node;
use super::json::number::{Number, Parsed};
use super::json::view::{NAMED, View};
use super::path::Steps;

/// One edit: its path and its operation.
#[derive(Clone)]
pub(crate) struct Edit {
    pub(crate) path: Steps,
    pub(crate) act: Act,
}

/// The operation of an edit.
#[derive(Clone)]
pub(crate) enum Act {
    /// Sets the value.
    Put(Node),
    /// Removes the value, and parents that become empty.
    Forget,
    /// Adds a number; `left` is the sum that this request computed.
    Add { by: Number, left: Number },
    /// Appends items; `before` is the array that this request found.
    Push { items: Vec<Node>, before: Node },
    /// Makes the value an object if it is not one. A deep merge does this before it sets fields.
    Object,
    /// Runs a closure on the value; `left` is its result in this request.
    Update { again: Again, left: Node },
}

/// A closure that computes a new value with at most this nesting depth, or `None` if the old one is not of its type.
#[derive(Clone)]
pub(crate) struct Again(pub(crate) Arc<Rule>);

type Rule = dyn Fn(Option<View<'_>>, usize) -> Option<Node> + Send + Sync;

impl Edit {
    /// Returns the number of bytes that the edit adds to a session if there is nothing at its path.
    pub(crate) fn size(&self) -> usize {
        names(&self.path) + self.act.size()
    }
}

/// Returns the number of bytes that the names of a path take in a session.
pub(crate) fn names(path: &[Box<str>]) -> usize {
    path.iter().map(|name| NAMED + name.len()).sum()
}

impl Act {
    fn size(&self) -> usize {
        match self {
            Self::Put(node) | Self::Update { left: node, .. } => node.view().size(),
            Self::Push { items, .. } => items.iter().map(|item| 1 + item.view().size()).sum(),
            // A short number, or nothing.
            Self::Add { .. } | Self::Forget | Self::Object => 0,
        }
    }

    /// Returns the number of bytes that a journal keeps for the edit, without its path.
    pub(crate) fn kept(&self) -> usize {
        match self {
            Self::Push { before, .. } => self.size() + before.view().size(),
            Self::Put(_) | Self::Forget | Self::Add { .. } | Self::Object | Self::Update { .. } => {
                self.size()
            }
        }
    }

    /// Replays the edit on the current value.
    pub(crate) fn replay(&self, place: &mut Node, depth_left: usize) {
        match self {
            Self::Update { again, left } => {
                let now = Some(place.view()).filter(|view| !view.is_null());
                *place = (again.0)(now, depth_left).unwrap_or_else(|| left.clone());
            }
            Self::Put(_) | Self::Forget | Self::Add { .. } | Self::Push { .. } | Self::Object => {
                self.perform(place)
            }
        }
    }

    /// Applies the edit in its own request, where the result of an update is known. The parent handles `Forget`.
    pub(crate) fn perform(&self, place: &mut Node) {
        match self {
            Self::Put(node) | Self::Update { left: node, .. } => *place = node.clone(),
            Self::Forget => {}
            Self::Add { by, left } => {
                let sum = match number(Some(place.view())) {
                    Parsed::Number(now) => now.plus(*by),
                    Parsed::TooWide | Parsed::NotANumber => None,
                };
                *place = Node::number(sum.unwrap_or(*left));
            }
            Self::Push { items, before } => {
                if !place.push(items) {
                    *place = before.clone();
                    place.push(items);
                }
            }
            Self::Object => place.object(),
        }
    }
}

/// Returns the current number; a missing value and null count as zero.
pub(crate) fn number(view: Option<View<'_>>) -> Parsed {
    match view {
        Some(View::Text(text)) if !View::Text(text).is_null() => Number::parse(text),
        Some(View::Array(_) | View::Object(_)) => Parsed::NotANumber,
        Some(View::Text(_)) | None => Parsed::Number(Number::ZERO),
    }
}

/// Returns the nesting depth that a value below a path may have.
pub(crate) fn depth_below(path: &[Box<str>]) -> usize {
    (MAX_DEPTH + 1).saturating_sub(path.len())
}

/// Shows the operation and the path, never the value.
impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let act = match self.act {
            Act::Put(_) => "Put",
            Act::Forget => "Forget",
            Act::Add { .. } => "Add",
            Act::Push { .. } => "Push",
            Act::Object => "Object",
            Act::Update { .. } => "Update",
        };
        write!(f, "{act}({:?})", self.path)
    }
}
