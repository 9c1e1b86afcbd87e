//! JSON that is being changed: opened one level at a time, the rest staying text in the buffer it came in.

use super::super::path::index_of;
use super::super::record::Payload;
use super::scan::{Fields, Items};
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
    fn unless(self, something_left: bool) -> Self {
        if self == Self::Emptied && something_left { Self::Removed } else { self }
    }
}

/// A value inside of a container: still in the container's source, or on its own.
#[derive(Clone)]
enum Slot {
    Span(Span),
    Node(Node),
}

impl Slot {
    fn view<'a>(&'a self, source: &'a Payload) -> View<'a> {
        match self {
            Self::Span(span) => View::Text(span.of(source)),
            Self::Node(node) => node.view(),
        }
    }

    fn node(&mut self, source: &Payload) -> &mut Node {
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

/// An object opened one level: names in the order they came, found by a sorted index once they are many.
#[derive(Clone, Default)]
pub(crate) struct Object {
    source: Payload,
    entries: Vec<Entry>,
    /// Positions in `entries` by ascending name; empty while there are at most [`FEW`].
    order: Vec<u32>,
}

#[derive(Clone)]
struct Entry {
    name: Name,
    slot: Slot,
}

#[derive(Clone)]
enum Name {
    Span(Span),
    Owned(Box<str>),
}

impl Name {
    fn of<'a>(&'a self, source: &'a Payload) -> &'a [u8] {
        match self {
            Self::Span(span) => span.of(source),
            Self::Owned(name) => name.as_bytes(),
        }
    }
}

/// Up to so many names, looking at each is faster than an index.
const FEW: usize = 16;

/// Room for as many names as most objects have.
const SOME: usize = 8;

impl Object {
    /// Opens the object that begins at `at`. Of a name written twice the last value counts.
    pub(crate) fn open(source: &Payload, at: usize) -> Result<Self, Malformed> {
        Self::open_until(source, at).map(|(object, _)| object)
    }

    /// The same, with where it ends.
    pub(crate) fn open_until(source: &Payload, at: usize) -> Result<(Self, usize), Malformed> {
        // One level more than a value may have, since the outermost object of a session is no value.
        let mut fields = Fields::new(source, at, MAX_DEPTH + 1)?;
        let mut entries = Vec::new();
        while let Some(field) = fields.next()? {
            if entries.is_empty() {
                entries.reserve_exact(SOME);
            }
            let name = if field.escaped {
                Name::Owned(super::view::unescaped(field.name.of(source)).ok_or(Malformed)?.into())
            } else {
                Name::Span(field.name)
            };
            entries.push(Entry { name, slot: Slot::Span(field.value) });
        }
        let end = fields.at;
        let mut object = Self { source: source.clone(), entries, order: Vec::new() };
        object.settle();
        Ok((object, end))
    }

    /// Drops all but the last of equal names, and makes the index where it is wanted.
    fn settle(&mut self) {
        if self.entries.len() <= FEW {
            let mut at = 0;
            while at < self.entries.len() {
                let name = self.name(at);
                if (at + 1..self.entries.len()).any(|later| self.name(later) == name) {
                    self.entries.remove(at);
                } else {
                    at += 1;
                }
            }
            return;
        }
        self.sort();
        let twice = |pair: &[u32]| self.name(pair[0] as usize) == self.name(pair[1] as usize);
        if self.order.windows(2).any(twice) {
            let mut last = vec![true; self.entries.len()];
            for pair in self.order.windows(2).filter(|pair| twice(pair)) {
                last[pair[0] as usize] = false;
            }
            let mut last = last.into_iter();
            self.entries.retain(|_| last.next().unwrap_or(true));
            self.sort();
        }
    }

    /// Makes the index anew; equal names keep the order they came in.
    fn sort(&mut self) {
        self.order.clear();
        if self.entries.len() > FEW {
            let (entries, source) = (&self.entries, &self.source);
            // A span is 32 bits wide, so there are fewer entries than that.
            self.order.extend((0..).take(entries.len()));
            self.order.sort_by(|one, two| {
                entries[*one as usize].name.of(source).cmp(entries[*two as usize].name.of(source))
            });
        }
    }

    fn name(&self, at: usize) -> &[u8] {
        self.entries[at].name.of(&self.source)
    }

    fn ranked(&self, name: &[u8]) -> Result<usize, usize> {
        self.order.binary_search_by(|at| self.name(*at as usize).cmp(name))
    }

    fn find(&self, name: &[u8]) -> Option<usize> {
        if self.order.is_empty() {
            return (0..self.entries.len()).find(|at| self.name(*at) == name);
        }
        self.ranked(name).ok().map(|rank| self.order[rank] as usize)
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How long the text is that it came in, and perhaps more than itself.
    pub(crate) fn source_len(&self) -> usize {
        self.source.len()
    }

    pub(crate) fn view(&self, name: &str) -> Option<View<'_>> {
        self.find(name.as_bytes()).map(|at| self.entries[at].slot.view(&self.source))
    }

    /// Names and values in the order they came.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, View<'_>)> {
        self.entries.iter().map(|entry| {
            let name = std::str::from_utf8(entry.name.of(&self.source)).unwrap_or_default();
            (name, entry.slot.view(&self.source))
        })
    }

    /// The value under `name`, null when it is new.
    pub(crate) fn place(&mut self, name: &str) -> &mut Node {
        let at = self.find(name.as_bytes()).unwrap_or_else(|| {
            let at = self.entries.len();
            let rank = self.ranked(name.as_bytes()).unwrap_or_else(|rank| rank);
            self.entries.push(Entry { name: Name::Owned(name.into()), slot: Slot::Node(Node::null()) });
            match u32::try_from(at) {
                Ok(here) if !self.order.is_empty() => self.order.insert(rank, here),
                _ => self.sort(),
            }
            at
        });
        self.entries[at].slot.node(&self.source)
    }

    /// Removes what `name` and then `rest` mean, and every parent that becomes empty thereby, but not this object.
    pub(crate) fn forget(&mut self, name: &str, rest: &[Box<str>]) -> Forgot {
        let Some(at) = self.find(name.as_bytes()) else { return Forgot::Nothing };
        let forgot = if rest.is_empty() {
            Forgot::Emptied
        } else {
            self.entries[at].slot.node(&self.source).forget(rest)
        };
        if forgot == Forgot::Emptied {
            self.remove(at);
        }
        forgot.unless(!self.entries.is_empty())
    }

    fn remove(&mut self, at: usize) {
        if self.order.is_empty() {
            self.entries.remove(at);
            return;
        }
        if let Ok(rank) = self.ranked(self.name(at)) {
            self.order.remove(rank);
        }
        // Among many, the last name takes the place that became free: moving all of them up would cost too much.
        let last = self.entries.len() - 1;
        if let (Ok(rank), Ok(at)) = (self.ranked(self.name(last)), u32::try_from(at))
            && last != at as usize
        {
            self.order[rank] = at;
        }
        self.entries.swap_remove(at);
        if self.entries.len() <= FEW {
            self.order.clear();
        }
    }

    /// Removes everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
