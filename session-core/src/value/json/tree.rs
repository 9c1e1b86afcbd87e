//! JSON that is being changed: opened one level at a time, the rest staying text in the buffer it came in.

use super::super::path::index_of;
use super::super::record::Payload;
use super::object::Object;
use super::scan::Items;
use super::view::View;
use super::{MAX_DEPTH, Malformed, Span, Text};

/// One value: text, or a container somebody opened.
#[derive(Clone)]
pub(crate) enum Node {
    Text(Text),
    Array(Array),
    Object(Box<Object>),
}

/// What a forget came to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forgot {
    /// There was nothing.
    Nothing,
    /// It is gone, and something is left around it.
    Removed,
    /// It is gone, and what held it became empty.
    Emptied,
}

impl Node {
    pub(crate) fn null() -> Self {
        Self::Text(Text::word("null"))
    }

    pub(crate) fn view(&self) -> View<'_> {
        match self {
            Self::Text(text) => View::Text(text.bytes()),
            Self::Array(array) => View::Array(array),
            Self::Object(object) => View::Object(object),
        }
    }

    /// Opens text that is a container; leaves anything else alone.
    fn open(&mut self) {
        let Self::Text(text) = self else { return };
        let opened = match text.bytes().first() {
            Some(b'{') => {
                Object::open(text.source(), text.start()).map(|object| Self::Object(Box::new(object)))
            }
            Some(b'[') => Array::open(text.source(), text.start()).map(Self::Array),
            _ => return,
        };
        // What was scanned once opens again; were it not so, the text stays as it is and counts as a scalar.
        if let Ok(opened) = opened {
            *self = opened;
        }
    }

    /// The place that `path` means below this one. Parents are made, and what cannot be a parent is replaced.
    pub(crate) fn place(&mut self, path: &[Box<str>]) -> &mut Self {
        let Some((segment, rest)) = path.split_first() else { return self };
        self.open();
        let index = index_of(segment);
        let fits = match self {
            Self::Object(_) => true,
            Self::Array(_) => index.is_some(),
            Self::Text(_) => false,
        };
        if !fits {
            *self =
                if index.is_some() { Self::Array(Array::default()) } else { Self::Object(Box::default()) };
        }
        match (self, index) {
            (Self::Array(array), Some(index)) => array.place(index).place(rest),
            (Self::Object(object), _) => object.place(segment).place(rest),
            (other, _) => other,
        }
    }

    /// Makes this an object unless it is one.
    pub(crate) fn object(&mut self) {
        if !self.view().is_object() {
            *self = Self::Object(Box::default());
        }
    }

    /// Appends to this array; false when it is none. Null counts as an empty one.
    pub(crate) fn push(&mut self, items: &[Self]) -> bool {
        if self.view().is_null() {
            *self = Self::Array(Array::default());
        }
        self.open();
        let Self::Array(array) = self else { return false };
        array.slots.extend(items.iter().cloned().map(Slot::Node));
        true
    }

    /// Removes what `path` means below this one, and every parent that becomes empty thereby, but not this one.
    pub(crate) fn forget(&mut self, path: &[Box<str>]) -> Forgot {
        if self.view().at(path.iter().map(|segment| &**segment)).is_none() {
            return Forgot::Nothing;
        }
        self.remove(path)
    }

    /// The same where it is known that something is there.
    fn remove(&mut self, path: &[Box<str>]) -> Forgot {
        let Some((segment, rest)) = path.split_first() else { return Forgot::Nothing };
        self.open();
        match self {
            Self::Object(object) => object.forget(segment, rest),
            Self::Array(array) => {
                let at = index_of(segment).and_then(|index| usize::try_from(index).ok());
                let Some(at) = at.filter(|at| *at < array.slots.len()) else { return Forgot::Nothing };
                let forgot = if rest.is_empty() { Forgot::Emptied } else { array.node(at).remove(rest) };
                if forgot == Forgot::Emptied {
                    array.slots.remove(at);
                }
                forgot.unless(!array.slots.is_empty())
            }
            Self::Text(_) => Forgot::Nothing,
        }
    }
}

impl Forgot {
    /// After the removal of a child: emptied, unless something is left.
    pub(super) fn unless(self, something_left: bool) -> Self {
        if self == Self::Emptied && something_left { Self::Removed } else { self }
    }
}

/// A value inside of a container: still in the container's source, or on its own.
#[derive(Clone)]
pub(super) enum Slot {
    Span(Span),
    Node(Node),
}

impl Slot {
    pub(super) fn view<'a>(&'a self, source: &'a Payload) -> View<'a> {
        match self {
            Self::Span(span) => View::Text(span.of(source)),
            Self::Node(node) => node.view(),
        }
    }

    pub(super) fn node(&mut self, source: &Payload) -> &mut Node {
        if let Self::Span(span) = self {
            *self = Self::Node(Node::Text(Text::part(source, *span)));
        }
        match self {
            Self::Node(node) => node,
            Self::Span(_) => unreachable!("a span was turned into a node just now"),
        }
    }
}

/// An array opened one level.
#[derive(Clone, Default)]
pub(crate) struct Array {
    source: Payload,
    slots: Vec<Slot>,
}

impl Array {
    fn open(source: &Payload, at: usize) -> Result<Self, Malformed> {
        let mut items = Items::new(source, at, MAX_DEPTH)?;
        let mut slots = Vec::new();
        while let Some(span) = items.next()? {
            slots.push(Slot::Span(span));
        }
        Ok(Self { source: source.clone(), slots })
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn view(&self, at: usize) -> Option<View<'_>> {
        self.slots.get(at).map(|slot| slot.view(&self.source))
    }

    fn node(&mut self, at: usize) -> &mut Node {
        self.slots[at].node(&self.source)
    }

    /// The item at `index`, the gap before it filled with nulls. How wide a gap may be is the caller's to say.
    fn place(&mut self, index: u64) -> &mut Node {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        if at >= self.slots.len() {
            self.slots.resize_with(at + 1, || Slot::Node(Node::null()));
        }
        self.node(at)
    }
}
