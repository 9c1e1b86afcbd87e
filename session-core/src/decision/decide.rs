//! The one file that owns every transition: what a closing visit does to the store, and what it says to the browser.
//!
//! Three independent axes go in, never one merged status: where the session came from ([`Origin`]), what the request
//! ordered for it ([`Fate`]), and whether its content changed. [`decide`] is total; the laws at the end of this file
//! are tested over the whole table, and `docs/decision-table.md` is printed from it.

/// Where the session of this visit came from. Set when it is opened, and never changed by the request.
///
/// ```
#[doc = include_str!("../given/a_stored_session.in")]
/// assert_eq!(state.origin(), Origin::Stored);
/// // The same record, looked at when its time was over.
/// assert_eq!(expired.origin(), Origin::Unknown);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the origins there are")]
pub enum Origin {
    /// No acceptable cookie came in.
    Fresh,
    /// An authentic id, and no record under it: never written, expired, or swept.
    Unknown,
    /// An authentic id whose session was destroyed or rotated away a moment ago: a tombstone stands there.
    Ended,
    /// A record stood in the store.
    Stored,
    /// The record came in the cookie itself.
    Carried,
}

/// What the request ordered. It only ever rises: `Keep < Renew < Destroy`.
///
/// ```
/// use session_core::machine::Fate;
///
/// // It only ever rises: a destroy is not undone by a regenerate.
/// assert_eq!(Fate::Destroy.max(Fate::Renew), Fate::Destroy);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the fates there are")]
pub enum Fate {
    /// Nothing special.
    Keep,
    /// A new id: `regenerate` or `invalidate`.
    Renew,
    /// The end of the session.
    Destroy,
}

/// Where records live.
///
/// ```
/// use session_core::machine::Placement;
/// use session_core::{SecretKey, Sessions};
///
/// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).build()?;
/// assert_eq!(sessions.policy().placement, Placement::Cookie);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the placements there are")]
pub enum Placement {
    /// In a store; the cookie carries the id alone.
    Store,
    /// In the cookie itself.
    Cookie,
}

/// All that the decision depends on.
///
/// ```
#[doc = include_str!("../given/a_stored_session.in")]
/// let situation = state.situation(&Policy::default(), now);
/// assert!(!situation.changed && situation.something && !situation.refresh_due);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "written out by whoever embeds the core")]
#[expect(clippy::struct_excessive_bools, reason = "each is one column of the table")]
pub struct Situation {
    /// Where records live.
    pub placement: Placement,
    /// Where this session came from.
    pub origin: Origin,
    /// What the request ordered.
    pub fate: Fate,
    /// The journal is not empty: a read would answer differently than before this visit.
    pub changed: bool,
    /// There is something worth keeping: a value, tag, outgoing flash, CSRF token, intended or previous URL.
    pub something: bool,
    /// So much of the idle time has gone that the deadline should move.
    pub refresh_due: bool,
    /// The cookie outlives the browser, so its expiry must move with the session's.
    pub persistent: bool,
    /// The cookie must be issued again: it was sealed with a key that no longer seals, or this visit changed how long
    /// the session lives.
    pub reissue: bool,
    /// A cookie of our name came in at all.
    pub cookie_came: bool,
    /// The classic behaviour was asked for: a record at once, a cookie on every response.
    pub eager: bool,
}

/// What the store must do, before anything is said to the browser.
///
/// ```
#[doc = include_str!("../given/a_changed_session.in")]
/// let mut commit = Commit::begin(&mut state, &policy, now, &draw)?;
/// assert_eq!(commit.decision().write, Write::Create);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the writes there are")]
pub enum Write {
    /// Nothing.
    Nothing,
    /// A record under a new id.
    Create,
    /// Move the idle deadline of the old id.
    Touch,
    /// The record under the old id, over the etag this visit loaded.
    Replace,
    /// The record under a new id and a tombstone under the old one, in one step.
    Rotate,
    /// A tombstone under the old id.
    Destroy,
}

/// What the response says about the cookie, once the store has done its part.
///
/// ```
#[doc = include_str!("../given/a_changed_session.in")]
/// let mut commit = Commit::begin(&mut state, &policy, now, &draw)?;
/// assert_eq!(commit.decision().cookie, CookieAction::SetNew);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the instructions there are")]
pub enum CookieAction {
    /// No header.
    Keep,
    /// Set the id that this commit made.
    SetNew,
    /// Set the id that came in, again.
    SetOld,
    /// Set the whole record, sealed.
    SetRecord,
    /// Remove the cookie.
    Clear,
}

/// One cell of the table.
///
/// ```
#[doc = include_str!("../given/a_changed_session.in")]
/// let mut commit = Commit::begin(&mut state, &policy, now, &draw)?;
/// assert_eq!(commit.decision(), Decision { write: Write::Create, cookie: CookieAction::SetNew });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "read by whoever embeds the core")]
pub struct Decision {
    /// First the store.
    pub write: Write,
    /// Then the browser, if the write applied.
    pub cookie: CookieAction,
}

/// Decides what a visit that ends in this situation must do.
///
/// ```
/// use session_core::machine::{CookieAction, decide, Fate, Origin, Placement, Situation, Write};
///
/// let signing_in = Situation {
///     placement: Placement::Store,
///     origin: Origin::Stored,
///     fate: Fate::Renew,
///     changed: true,
///     something: true,
///     refresh_due: false,
///     persistent: false,
///     reissue: false,
///     cookie_came: true,
///     eager: false,
/// };
/// let decision = decide(signing_in);
/// assert_eq!((decision.write, decision.cookie), (Write::Rotate, CookieAction::SetNew));
/// ```
#[must_use]
pub fn decide(now: Situation) -> Decision {
    match now.origin {
        Origin::Fresh | Origin::Unknown => match now.fate {
            Fate::Keep | Fate::Renew if now.something || now.eager => begin(now),
            Fate::Keep | Fate::Renew => NOTHING,
            Fate::Destroy => end_of_nothing(now),
        },
        // A straggler's writes live in memory for this request: a cookie from here would overwrite a newer login.
        Origin::Ended => match now.fate {
            Fate::Keep => NOTHING,
            Fate::Renew if now.something => begin(now),
            Fate::Renew => NOTHING,
            Fate::Destroy => end_of_nothing(now),
        },
        Origin::Stored => match now.fate {
            Fate::Keep => Decision { write: keep_stored(now), cookie: keep_stored_cookie(now) },
            Fate::Renew => Decision { write: Write::Rotate, cookie: CookieAction::SetNew },
            Fate::Destroy => Decision { write: Write::Destroy, cookie: CookieAction::Clear },
        },
        Origin::Carried => match now.fate {
            Fate::Keep if now.changed || now.refresh_due || now.reissue || now.eager => RECORD,
            Fate::Keep => NOTHING,
            Fate::Renew => RECORD,
            Fate::Destroy => Decision { write: Write::Nothing, cookie: CookieAction::Clear },
        },
    }
}

fn begin(now: Situation) -> Decision {
    match now.placement {
        Placement::Store => Decision { write: Write::Create, cookie: CookieAction::SetNew },
        Placement::Cookie => RECORD,
    }
}

fn end_of_nothing(now: Situation) -> Decision {
    Decision {
        write: Write::Nothing,
        cookie: if now.cookie_came { CookieAction::Clear } else { CookieAction::Keep },
    }
}

fn keep_stored(now: Situation) -> Write {
    if now.changed {
        Write::Replace
    } else if now.refresh_due {
        Write::Touch
    } else {
        Write::Nothing
    }
}

fn keep_stored_cookie(now: Situation) -> CookieAction {
    if now.reissue || now.eager || (now.refresh_due && now.persistent) {
        CookieAction::SetOld
    } else {
        CookieAction::Keep
    }
}

pub(super) const NOTHING: Decision = Decision { write: Write::Nothing, cookie: CookieAction::Keep };
const RECORD: Decision = Decision { write: Write::Nothing, cookie: CookieAction::SetRecord };

impl Situation {
    /// Every situation there can be, for proofs over the whole table. A stored session exists only with a store, a
    /// carried one only without.
    ///
    /// ```
    /// use session_core::machine::Situation;
    ///
    /// assert!(Situation::all().count() > 1_000);
    /// ```
    pub fn all() -> impl Iterator<Item = Self> {
        let origins = [Origin::Fresh, Origin::Unknown, Origin::Ended, Origin::Stored, Origin::Carried];
        let fates = [Fate::Keep, Fate::Renew, Fate::Destroy];
        let placed = origins.into_iter().flat_map(|origin| match origin {
            Origin::Stored => vec![(origin, Placement::Store)],
            Origin::Carried => vec![(origin, Placement::Cookie)],
            Origin::Fresh | Origin::Unknown | Origin::Ended => {
                vec![(origin, Placement::Store), (origin, Placement::Cookie)]
            }
        });
        placed.flat_map(move |(origin, placement)| {
            fates.into_iter().flat_map(move |fate| {
                (0..128_u8).map(move |bits| {
                    let bit = |n: u8| bits & (1 << n) != 0;
                    Self {
                        placement,
                        origin,
                        fate,
                        changed: bit(0),
                        something: bit(1),
                        refresh_due: bit(2),
                        persistent: bit(3),
                        reissue: bit(4),
                        // All but a fresh origin mean that a cookie came in.
                        cookie_came: bit(5) || origin != Origin::Fresh,
                        eager: bit(6),
                    }
                })
            })
        })
    }
}

#[cfg(test)]
mod laws {
    use super::*;

    fn over_the_whole_table(law: impl Fn(Situation, Decision)) {
        Situation::all().for_each(|now| law(now, decide(now)));
    }

    #[test]
    fn i2_destroy_never_yields_create_replace_or_touch() {
        over_the_whole_table(|now, then| {
            if now.fate == Fate::Destroy {
                assert!(matches!(then.write, Write::Nothing | Write::Destroy), "{now:?}");
            }
        });
    }

    #[test]
    fn i3_only_create_and_rotate_bring_a_new_id_to_the_browser() {
        over_the_whole_table(|now, then| {
            let brings = matches!(then.write, Write::Create | Write::Rotate);
            assert_eq!(brings, then.cookie == CookieAction::SetNew, "{now:?}");
        });
    }

    #[test]
    fn i4_renewing_a_stored_session_kills_the_old_id_in_the_same_write() {
        over_the_whole_table(|now, then| {
            if now.origin == Origin::Stored && now.fate == Fate::Renew {
                assert_eq!(then, Decision { write: Write::Rotate, cookie: CookieAction::SetNew });
            }
            if now.fate == Fate::Renew {
                assert_ne!(then.cookie, CookieAction::SetOld, "{now:?}");
            }
        });
    }

    #[test]
    fn i5_no_change_no_refresh_and_a_current_key_mean_no_operation_and_no_header() {
        over_the_whole_table(|now, then| {
            let idle = !now.changed && !now.refresh_due && !now.reissue && now.fate == Fate::Keep;
            if idle
                && !now.eager
                && !(now.something && now.origin != Origin::Stored && now.origin != Origin::Carried)
            {
                assert_eq!(then, NOTHING, "{now:?}");
            }
        });
    }

    #[test]
    fn i6_clear_only_when_this_visit_destroyed_the_session() {
        over_the_whole_table(|now, then| {
            if then.cookie == CookieAction::Clear {
                assert_eq!(now.fate, Fate::Destroy, "{now:?}");
                assert!(now.cookie_came, "{now:?}");
            }
        });
    }

    #[test]
    fn i9_a_change_to_a_stored_session_is_always_written() {
        over_the_whole_table(|now, then| {
            if now.origin == Origin::Stored && now.changed && now.fate != Fate::Destroy {
                assert!(matches!(then.write, Write::Replace | Write::Rotate), "{now:?}");
            }
            if now.origin == Origin::Carried && now.changed && now.fate != Fate::Destroy {
                assert_eq!(then.cookie, CookieAction::SetRecord, "{now:?}");
            }
        });
    }

    #[test]
    fn i11_an_unknown_or_retired_id_is_never_set_again() {
        over_the_whole_table(|now, then| {
            if matches!(now.origin, Origin::Fresh | Origin::Unknown | Origin::Ended) {
                assert_ne!(then.cookie, CookieAction::SetOld, "{now:?}");
            }
        });
    }

    #[test]
    fn e5_a_straggler_says_nothing_about_the_cookie() {
        over_the_whole_table(|now, then| {
            if now.origin == Origin::Ended && now.fate == Fate::Keep {
                assert_eq!(then, NOTHING, "{now:?}");
            }
        });
    }

    #[test]
    fn a_cookie_placement_never_calls_a_store() {
        over_the_whole_table(|now, then| {
            if now.placement == Placement::Cookie {
                assert_eq!(then.write, Write::Nothing, "{now:?}");
            }
        });
    }
}
