//! The ways a value can change, and how each is done to a place that may have changed meanwhile.
//!
//! What was journalled is never refused: where an edit no longer fits (a sum where a string stands now, an item for
//! something that is no array, a name inside of an array), the value this request left there wins.

use std::fmt;
use std::sync::Arc;

use super::json::MAX_DEPTH;
use super::json::node::Node;
use super::json::number::{Number, Parsed};
use super::json::view::View;
use super::path::Steps;

/// One change: what, and where.
#[derive(Clone)]
pub(crate) struct Edit {
    pub(crate) path: Steps,
    pub(crate) act: Act,
}

/// What is done to the place.
#[derive(Clone)]
pub(crate) enum Act {
    /// This stands there now.
    Put(Node),
    /// Nothing stands there, and parents that became empty are gone as well.
    Forget,
    /// So much more; `left` is the sum this request saw.
    Add { by: Number, left: Number },
    /// These at the end; `before` is the array this request found.
    Push { items: Vec<Node>, before: Node },
    /// An object stands there, whatever is in it: what a deep merge needs before its fields.
    Object,
    /// What the closure makes of it; `left` is what it made in this request.
    Update { again: Again, left: Node },
}

/// A closure that makes a new value, of at most so many levels, of an old one; none where the old one is not of its type.
#[derive(Clone)]
pub(crate) struct Again(pub(crate) Arc<Rule>);

type Rule = dyn Fn(Option<View<'_>>, usize) -> Option<Node> + Send + Sync;

impl Act {
    /// Does it to the place as it is now.
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

    /// Does it in the request it belongs to, where the outcome of an update is known. A `Forget` is its parent's work.
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

/// The number that stands there; nothing and null count as zero.
pub(crate) fn number(view: Option<View<'_>>) -> Parsed {
    match view {
        Some(View::Text(text)) if !View::Text(text).is_null() => Number::parse(text),
        Some(View::Array(_) | View::Object(_)) => Parsed::NotANumber,
        Some(View::Text(_)) | None => Parsed::Number(Number::ZERO),
    }
}

/// Levels a value may still have below a path.
pub(crate) fn depth_below(path: &[Box<str>]) -> usize {
    (MAX_DEPTH + 1).saturating_sub(path.len())
}

/// Shows what and where, never the value.
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
