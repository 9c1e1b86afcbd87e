//! An object that is being changed: names found fast however many they are, values left where they came in.

use super::super::record::Payload;
use super::scan::Fields;
use super::tree::{Forgot, Node, Slot};
use super::view::{View, unescaped};
use super::{MAX_DEPTH, Malformed, Span};

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
                Name::Owned(unescaped(field.name.of(source)).ok_or(Malformed)?.into())
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
