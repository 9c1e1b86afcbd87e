//! The visitor's values: top-level names to JSON, read from the stored bytes and changed through one function.

use std::fmt;

use super::edit::{Act, Edit, depth_below};
use super::json::change::{Forgot, MAX_GAP};
use super::json::equal::same;
use super::json::index::index_of;
use super::json::node::{Node, Object};
use super::json::split::{Fields, check_valid};
use super::json::view::View;
use super::json::{MAX_DEPTH, Malformed};
use super::path::Path;
use super::record::Payload;

/// One JSON object, decoded on demand.
///
/// Decoding splits the top level and copies no value. A value that is not read is not parsed, and encoding copies its
/// bytes unchanged. All changes pass through one function, which the [`Journal`](super::journal::Journal) depends on.
///
/// ```
/// use session_core::machine::Bag;
///
/// let bag = Bag::decode(br#"{"user":{"name":"ada"},"hits":3}"#.to_vec().into())?;
/// assert_eq!(bag.len(), 2);
/// assert_eq!(bag.encode(), br#"{"user":{"name":"ada"},"hits":3}"#);
/// # Ok::<(), session_core::error::Malformed>(())
/// ```
#[derive(Clone, Default)]
pub struct Bag {
    root: Object,
    /// The length of the text that it was read from.
    source_len: usize,
}

impl Bag {
    /// Decodes a payload that is one JSON object. If a name occurs twice, the last value counts.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is not JSON or not an object, or if a value nests more than 64 levels deep.
    pub fn decode(payload: Payload) -> Result<Self, Malformed> {
        let text = std::str::from_utf8(&payload).map_err(|_| Malformed)?;
        let fields = serde_json::from_str(text)?;
        // The object itself is one level more than a value may have.
        check_valid(&payload, MAX_DEPTH + 1)?;
        Ok(Self::of(&payload, fields))
    }

    /// Makes a bag of fields from a payload whose nesting depth was checked.
    pub(crate) fn of(payload: &Payload, fields: Fields<'_>) -> Self {
        Self { root: Object::of(payload.bytes(), fields), source_len: payload.len() }
    }

    /// Returns the length of the text that it was read from, which may contain more than the bag.
    pub(crate) fn source_len(&self) -> usize {
        self.source_len
    }

    /// Returns the number of top-level names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.root.len()
    }

    /// Returns whether the object is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root.len() == 0
    }

    /// Appends the object as JSON text.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        View::Object(&self.root).write(out);
    }

    /// Returns the object as JSON text.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        View::Object(&self.root).to_vec()
    }

    /// Iterates over the top-level names, in insertion order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.root.fields().map(|(name, _)| name)
    }

    pub(crate) fn view(&self) -> View<'_> {
        View::Object(&self.root)
    }

    pub(crate) fn root(&self) -> &Object {
        &self.root
    }

    pub(crate) fn find(&self, path: Path<'_>) -> Option<View<'_>> {
        if self.is_empty() {
            return None;
        }
        path.find(&self.root)
    }

    pub(crate) fn at(&self, path: &[Box<str>]) -> Option<View<'_>> {
        self.view().at(path.iter().map(|segment| &**segment))
    }

    /// Returns the length of the object as JSON text, without the escapes of names. Does not write it.
    pub(crate) fn size(&self) -> usize {
        self.view().size()
    }

    /// Writes values of which a part was changed as text again. What was replaced in them is released: until then, one
    /// remaining field keeps the text of the whole value alive.
    pub(crate) fn compact(&mut self) {
        self.root.compact();
    }

    /// Checks that an edit fits, and returns how many nulls it fills gaps of arrays with.
    pub(crate) fn check(&self, edit: &Edit) -> Result<usize, Misfit> {
        match edit.act {
            Act::Forget => Ok(0),
            Act::Put(_) | Act::Add { .. } | Act::Push { .. } | Act::Object | Act::Update { .. } => {
                self.fits(&edit.path)
            }
        }
    }

    /// Applies an edit of the request that owns this bag, and returns whether it changed anything.
    ///
    /// The caller has [checked](Self::check) that it fits.
    pub(crate) fn edit(&mut self, edit: &Edit) -> bool {
        let sum = match &edit.act {
            Act::Add { left, .. } => Some(Node::number(*left)),
            _ => None,
        };
        let now = self.at(&edit.path);
        let changes = match &edit.act {
            Act::Put(node) | Act::Update { left: node, .. } => now.is_none_or(|now| !same(now, node.view())),
            Act::Forget => now.is_some(),
            Act::Add { .. } => {
                let sum = sum.as_ref().map_or(View::Text(b"null"), Node::view);
                now.is_none_or(|now| !same(now, sum))
            }
            Act::Push { .. } => true,
            Act::Object => now.is_none_or(|now| !now.is_object()),
        };
        if changes {
            match (&edit.act, edit.path.split_first()) {
                (Act::Forget, _) | (_, None) => drop(self.forget(&edit.path)),
                (act, Some((name, rest))) => {
                    let place = self.root.place(name).place(rest);
                    match sum {
                        // The caller has computed the sum.
                        Some(sum) => *place = sum,
                        None => act.perform(place),
                    }
                }
            }
        }
        changes
    }

    /// Replays an edit that was made on another version of this bag.
    pub(crate) fn replay(&mut self, edit: &Edit) {
        match (&edit.act, edit.path.split_first()) {
            (Act::Forget, _) | (_, None) => drop(self.forget(&edit.path)),
            (act, Some((name, rest))) => {
                act.replay(self.root.place(name).place(rest), depth_below(&edit.path))
            }
        }
    }

    /// Puts a value at a path whose segments are all names, and replaces any value on the path.
    pub(crate) fn put_by_names(&mut self, path: &[Box<str>], node: Node) {
        if let Some((name, rest)) = path.split_first() {
            *self.root.place(name).place_by_names(rest) = node;
        }
    }

    /// Copies a value from another bag to the same path; its parents become objects or arrays as they are there.
    pub(crate) fn put_like(&mut self, source: &Self, path: &[Box<str>], node: Node) {
        for end in 1..path.len() {
            let parent = &path[..end];
            if self.at(parent).is_none() && source.at(parent).is_some_and(View::is_object) {
                self.replay(&Edit { path: parent.to_vec(), act: Act::Object });
            }
        }
        self.replay(&Edit { path: path.to_vec(), act: Act::Put(node) });
    }

    /// Removes all values, and returns whether there were any.
    pub(crate) fn clear(&mut self) -> bool {
        let any = !self.is_empty();
        self.root.clear();
        any
    }

    fn forget(&mut self, path: &[Box<str>]) -> Forgot {
        let Some((name, rest)) = path.split_first() else { return Forgot::Nothing };
        self.root.forget(name, rest)
    }

    /// Checks that a value can be put at a path: no name in an array, no index far beyond the end of an array. Returns the
    /// sum of the gaps.
    fn fits(&self, path: &[Box<str>]) -> Result<usize, Misfit> {
        let Some((name, rest)) = path.split_first() else { return Ok(0) };
        let mut here = self.root.view(name);
        let mut gap = MAX_GAP;
        for segment in rest {
            let len = here.and_then(View::items_len);
            match (index_of(segment), here.is_some_and(View::is_object)) {
                (_, true) => {}
                (None, false) if len.is_some() => return Err(Misfit::Name),
                (None, false) => {}
                (Some(index), false) => {
                    let len = len.unwrap_or(0) as u64;
                    let most = len + gap;
                    if index > most {
                        return Err(Misfit::Index { index, most });
                    }
                    gap -= index.saturating_sub(len);
                }
            }
            here = here.and_then(|view| view.child(segment));
        }
        Ok(usize::try_from(MAX_GAP - gap).unwrap_or(usize::MAX))
    }
}

/// Why a path cannot be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    Name,
    Index { index: u64, most: u64 },
}

/// Shows the number of values, never their content.
impl fmt::Debug for Bag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bag({} values)", self.len())
    }
}
