//! The visitor's values: top-level names to JSON, read from the bytes they came in and changed through one gate.

use std::fmt;

use super::edit::{Act, Edit, depth_below};
use super::json::equal::same;
use super::json::object::Object;
use super::json::scan::blank;
use super::json::tree::{Forgot, Node};
use super::json::view::View;
use super::json::{Malformed, Text};
use super::path::{Path, index_of};
use super::record::Payload;

/// One JSON object, decoded as far as anybody asked.
///
/// Decoding finds where each top-level value begins and ends and copies nothing; a key that nobody asks for is never
/// parsed, and encoding copies its bytes as they came. All changes pass through one function, so that none can forget
/// to tell the [`Journal`](super::journal::Journal).
///
/// ```
/// use session_core::machine::Bag;
///
/// let bag = Bag::decode(br#"{"user":{"name":"ada"},"hits":3}"#.to_vec().into())?;
/// assert_eq!(bag.len(), 2);
/// assert_eq!(bag.encode(), br#"{"user":{"name":"ada"},"hits":3}"#);
/// # Ok::<(), session_core::machine::Malformed>(())
/// ```
#[derive(Clone, Default)]
pub struct Bag {
    root: Object,
}

impl Bag {
    /// Takes a payload that is one JSON object. Of a name written twice, the last value counts.
    ///
    /// # Errors
    ///
    /// When it is not JSON, not an object, or a value nests more than 64 levels deep.
    ///
    /// ```
    /// # use session_core::machine::Bag;
    /// assert!(Bag::decode(b"{}".to_vec().into()).is_ok_and(|bag| bag.is_empty()));
    /// assert!(Bag::decode(b"[]".to_vec().into()).is_err());
    /// ```
    pub fn decode(payload: Payload) -> Result<Self, Malformed> {
        std::str::from_utf8(&payload).map_err(|_| Malformed)?;
        let (root, end) = Object::open_until(&payload, blank(&payload, 0))?;
        // Spans are 32 bits wide, and nothing but blanks may follow.
        let whole = u32::try_from(end).is_ok() && blank(&payload, end) == payload.len();
        if whole { Ok(Self { root }) } else { Err(Malformed) }
    }

    /// How many top-level names there are.
    ///
    /// ```
    /// # use session_core::machine::Bag;
    /// assert_eq!(Bag::default().len(), 0);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.root.len()
    }

    /// Whether there is nothing in it.
    ///
    /// ```
    /// # use session_core::machine::Bag;
    /// assert!(Bag::default().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.root.len() == 0
    }

    /// Appends the object as JSON text.
    ///
    /// ```
    /// # use session_core::machine::Bag;
    /// let mut out = b"values=".to_vec();
    /// Bag::default().encode_into(&mut out);
    /// assert_eq!(out, b"values={}");
    /// ```
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        View::Object(&self.root).write(out);
    }

    /// The object as JSON text.
    ///
    /// ```
    /// # use session_core::machine::Bag;
    /// assert_eq!(Bag::default().encode(), b"{}");
    /// ```
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        View::Object(&self.root).to_vec()
    }

    /// Top-level names, in the order they came.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.root.fields().map(|(name, _)| name)
    }

    /// Reads the object that begins here, in text that is known to be UTF-8, and says where it ends.
    pub(crate) fn open_until(payload: &Payload, at: usize) -> Result<(Self, usize), Malformed> {
        let (root, end) = Object::open_until(payload, at)?;
        Ok((Self { root }, end))
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

    /// The gate: does one edit of the request that owns this bag, and says whether that changed anything.
    ///
    /// On an error nothing was changed. Whether a sum or a push fits was judged by whoever made the edit.
    pub(crate) fn edit(&mut self, edit: &Edit) -> Result<bool, Misfit> {
        if !matches!(edit.act, Act::Forget) {
            self.fits(&edit.path)?;
        }
        let sum = match &edit.act {
            Act::Add { left, .. } => Some(Text::number(*left)),
            _ => None,
        };
        let now = self.at(&edit.path);
        let changes = match &edit.act {
            Act::Put(node) | Act::Update { left: node, .. } => now.is_none_or(|now| !same(now, node.view())),
            Act::Forget => now.is_some(),
            Act::Add { .. } => {
                let sum = sum.as_ref().map_or(View::Text(b"null"), |sum| View::Text(sum.bytes()));
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
                        // Whoever made this edit has added already.
                        Some(sum) => *place = Node::Text(sum),
                        None => act.perform(place),
                    }
                }
            }
        }
        Ok(changes)
    }

    /// Does an edit that was made on another version of this bag.
    pub(crate) fn replay(&mut self, edit: &Edit) {
        match (&edit.act, edit.path.split_first()) {
            (Act::Forget, _) | (_, None) => drop(self.forget(&edit.path)),
            (act, Some((name, rest))) => {
                act.replay(self.root.place(name).place(rest), depth_below(&edit.path))
            }
        }
    }

    /// Removes everything; says whether there was anything.
    pub(crate) fn clear(&mut self) -> bool {
        let any = !self.is_empty();
        self.root.clear();
        any
    }

    fn forget(&mut self, path: &[Box<str>]) -> Forgot {
        let Some((name, rest)) = path.split_first() else { return Forgot::Nothing };
        self.root.forget(name, rest)
    }

    /// Whether something may be put there: no name in an array, no index far behind its end.
    fn fits(&self, path: &[Box<str>]) -> Result<(), Misfit> {
        let Some((name, rest)) = path.split_first() else { return Ok(()) };
        let mut here = self.root.view(name);
        for segment in rest {
            let len = here.and_then(View::items_len);
            match (index_of(segment), here.is_some_and(View::is_object)) {
                (_, true) => {}
                (None, false) if len.is_some() => return Err(Misfit::Name),
                (None, false) => {}
                (Some(index), false) => {
                    let most = len.unwrap_or(0) as u64 + MAX_GAP;
                    if index > most {
                        return Err(Misfit::Index { index, most });
                    }
                }
            }
            here = here.and_then(|view| view.child(segment));
        }
        Ok(())
    }
}

/// Why a path cannot be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    Name,
    Index { index: u64, most: u64 },
}

/// Shows how many values there are, never one of them.
impl fmt::Debug for Bag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bag({} values)", self.len())
    }
}

impl From<Text> for Node {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

/// How far behind the end of an array something may be put.
const MAX_GAP: u64 = 1_024;
