//! The decision table: what a visit does to the store, and what it says to the browser.
//!
//! [`decide`] is total and is the only place that decides. Three independent axes go in, never one merged status: where
//! the session came from ([`Origin`]), what the request ordered for it ([`Fate`]) and whether its content changed; beside
//! them, what asked for the decision ([`Trigger`]) and what is configured. The laws at the end of this file are tested
//! over the whole table, and `docs/decision-table.md` is printed from it.

/// Where the session of this visit came from. Set on opening, and changed only by a commit of the same visit.
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
    /// The request had no valid cookie.
    Fresh,
    /// The request had no cookie because `SameSite` withheld it from a cross-site request. The visitor may have a
    /// session.
    Unseen,
    /// An authentic id, and no record under it: never written, expired, or swept.
    Unknown,
    /// An authentic id whose session was destroyed or rotated away a moment ago: a tombstone stands there.
    Ended,
    /// An authentic id, or a carried record, whose session is bound to a device that this request does not come from.
    Unproven,
    /// An authentic cookie whose session was not looked up.
    Unread,
    /// A record stood in the store.
    Stored,
    /// The record came in the cookie itself.
    Carried,
}

/// What the request ordered for the session. It only rises: `Keep < Renew < Destroy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the fates there are")]
pub enum Fate {
    /// Keep the session.
    Keep,
    /// A new id: `regenerate` or `invalidate`.
    Renew,
    /// The end of the session.
    Destroy,
}

/// Where records are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the placements there are")]
pub enum Placement {
    /// In a store; the cookie carries the id alone.
    Store,
    /// In the cookie itself.
    Cookie,
}

/// What triggers the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the triggers there are")]
pub enum Trigger {
    /// The response is ready, and is no failure (or [`Policy::commit_on_error`] treats it as none).
    ///
    /// [`Policy::commit_on_error`]: super::policy::Policy::commit_on_error
    Response,
    /// The response is a 5xx.
    FailedResponse,
    /// There will be no response: the handler panicked or the client disconnected.
    Abandoned,
    /// The handler called `commit`; the response follows.
    Commit,
    /// `commit` of a session that belongs to no response.
    DetachedCommit,
}

/// All that the decision depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "written out by whoever embeds the core")]
#[expect(clippy::struct_excessive_bools, reason = "each is one column of the table")]
pub struct Situation {
    /// Where records are kept.
    pub placement: Placement,
    /// What triggers the decision.
    pub trigger: Trigger,
    /// Where this session came from.
    pub origin: Origin,
    /// What the request ordered.
    pub fate: Fate,
    /// The journal is not empty: a read would answer differently than before this visit.
    pub changed: bool,
    /// Everything that was there before was dropped: `invalidate` or `destroy`.
    pub wiped: bool,
    /// There is something worth keeping: a value, tag, outgoing flash, CSRF token, intended or previous URL.
    pub something: bool,
    /// So much of the idle timeout has passed that the deadline should be moved.
    pub refresh_due: bool,
    /// The cookie outlives the browser, so its expiry must move with the session's.
    pub persistent: bool,
    /// The cookie must be issued again: it was sealed with a key that no longer seals, or this visit changed how long
    /// the session lives.
    pub reissue: bool,
    /// The request had a cookie with the session's name, valid or not.
    pub cookie_came: bool,
    /// The policy is eager: a record for every new visitor, and a cookie on every response.
    pub eager: bool,
    /// A list of revocations is configured, so a session that is carried in its cookie can be ended.
    pub revocable: bool,
    /// Another request has given the session a new id since it was loaded, and this visit has followed it there. It
    /// does not know the id.
    pub moved: bool,
}

/// The operation of the store, before the response is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the writes there are")]
pub enum Write {
    /// No operation.
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
    /// A note under the old id in the list of revocations.
    Revoke,
}

/// The instruction about the cookie in the response, once the store operation has been applied.
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
    /// Set the touch cookie, which moves the idle deadline; the record is not sent, so a slow read undoes nothing.
    SetTouch,
    /// Remove the cookie.
    Clear,
}

/// Why an order is refused. Nothing is written then, and no cookie is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a promise: these are all the refusals there are")]
pub enum Refusal {
    /// The order needs a response to carry the cookie, and there is none.
    NoResponse,
    /// The session may exist, but its cookie was withheld from this request: writing would replace it.
    Unseen,
    /// The session exists, but this request does not prove that it comes from its device: writing would replace it.
    Unproven,
}

/// One cell of the table.
///
/// ```
#[doc = include_str!("../given/a_changed_session.in")]
/// let commit = Commit::begin(state, &policy, Trigger::Response, now, &draw)?;
/// let decision = commit.decision();
/// assert_eq!((decision.write, decision.cookie, decision.refusal), (Write::Create, CookieAction::SetNew, None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "read by whoever embeds the core")]
pub struct Decision {
    /// The changes to data are dropped first, and what is written is what stood before; a new CSRF token that came with a
    /// new id is kept.
    pub drops_data: bool,
    /// Then the store.
    pub write: Write,
    /// Then the browser, if the write applied.
    pub cookie: CookieAction,
    /// Why nothing of what was ordered is done.
    pub refusal: Option<Refusal>,
}

/// Decides what a visit in this situation must do.
///
/// ```
/// use session_core::machine::table::{CookieAction, decide, Fate, Origin, Placement, Situation, Trigger, Write};
///
/// let signing_in = Situation {
///     placement: Placement::Store,
///     trigger: Trigger::Response,
///     origin: Origin::Stored,
///     fate: Fate::Renew,
///     changed: true,
///     wiped: false,
///     something: true,
///     refresh_due: false,
///     persistent: false,
///     reissue: false,
///     cookie_came: true,
///     eager: false,
///     revocable: false,
///     moved: false,
/// };
/// let decision = decide(signing_in);
/// assert_eq!((decision.write, decision.cookie), (Write::Rotate, CookieAction::SetNew));
/// ```
#[must_use]
pub fn decide(now: Situation) -> Decision {
    let drops_data = drops_data(now.trigger, now.fate, now.changed, now.wiped);
    let now = if drops_data { without_data(now) } else { now };
    let ordered = match (now.trigger, now.fate) {
        (Trigger::Abandoned, Fate::Keep) => NOTHING,
        _ => by_origin(now),
    };
    let decision = match now.trigger {
        Trigger::DetachedCommit => without_response(now, ordered),
        Trigger::Response | Trigger::FailedResponse | Trigger::Abandoned | Trigger::Commit => ordered,
    };
    Decision { drops_data, ..decision }
}

/// A failure drops what the visit changed, but not what it ended.
pub(super) fn drops_data(trigger: Trigger, fate: Fate, changed: bool, wiped: bool) -> bool {
    let failed = match trigger {
        Trigger::FailedResponse | Trigger::Abandoned => true,
        Trigger::Response | Trigger::Commit | Trigger::DetachedCommit => false,
    };
    failed && changed && !wiped && fate != Fate::Destroy
}

/// What stood there before this visit. Only a record can have stood there.
fn without_data(now: Situation) -> Situation {
    let something = match now.origin {
        Origin::Stored | Origin::Carried => now.something,
        Origin::Fresh
        | Origin::Unseen
        | Origin::Unknown
        | Origin::Ended
        | Origin::Unproven
        | Origin::Unread => false,
    };
    Situation { changed: false, something, ..now }
}

fn by_origin(now: Situation) -> Decision {
    match now.origin {
        Origin::Fresh | Origin::Unknown => match now.fate {
            Fate::Keep | Fate::Renew if now.something || now.eager => begin(now),
            Fate::Keep | Fate::Renew => NOTHING,
            Fate::Destroy => end_of_nothing(now),
        },
        // A cookie set from here would replace the one that the browser did not send.
        Origin::Unseen => match now.fate {
            Fate::Keep if now.something => Decision { refusal: Some(Refusal::Unseen), ..NOTHING },
            Fate::Renew if now.something => begin(now),
            Fate::Keep | Fate::Renew => NOTHING,
            Fate::Destroy => end_of_nothing(now),
        },
        // A stranger until the device proves itself: the session is not written, and a cookie from here would replace it.
        // A sign-in begins a new session.
        Origin::Unproven => match now.fate {
            Fate::Keep if now.something => Decision { refusal: Some(Refusal::Unproven), ..NOTHING },
            Fate::Renew if now.something => begin(now),
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
        Origin::Unread => match now.fate {
            Fate::Keep | Fate::Renew => NOTHING,
            Fate::Destroy => Decision { write: end(now), cookie: CookieAction::Clear, ..NOTHING },
        },
        Origin::Stored => match now.fate {
            Fate::Keep => Decision { write: keep_stored(now), cookie: keep_stored_cookie(now), ..NOTHING },
            Fate::Renew => Decision { write: Write::Rotate, cookie: CookieAction::SetNew, ..NOTHING },
            Fate::Destroy => Decision { write: Write::Destroy, cookie: CookieAction::Clear, ..NOTHING },
        },
        Origin::Carried => match now.fate {
            Fate::Keep if now.changed || now.reissue => RECORD,
            Fate::Keep if now.refresh_due || now.eager => TOUCH,
            Fate::Keep => NOTHING,
            Fate::Renew => Decision { write: end(now), ..RECORD },
            Fate::Destroy => Decision { write: end(now), cookie: CookieAction::Clear, ..NOTHING },
        },
    }
}

fn begin(now: Situation) -> Decision {
    match now.placement {
        Placement::Store => Decision { write: Write::Create, cookie: CookieAction::SetNew, ..NOTHING },
        Placement::Cookie => RECORD,
    }
}

/// Ends what the old id stands for: in the store, or for every copy of a carried record if there is a list for that.
fn end(now: Situation) -> Write {
    match now.placement {
        Placement::Store => Write::Destroy,
        Placement::Cookie if now.revocable => Write::Revoke,
        Placement::Cookie => Write::Nothing,
    }
}

fn end_of_nothing(now: Situation) -> Decision {
    Decision { cookie: if now.cookie_came { CookieAction::Clear } else { CookieAction::Keep }, ..NOTHING }
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
    // The response of the request that made the new id carries it.
    if !now.moved && (now.reissue || now.eager || (now.refresh_due && now.persistent)) {
        CookieAction::SetOld
    } else {
        CookieAction::Keep
    }
}

/// No response carries a cookie. What is only issued again can be issued by the next request; a cookie that stands for
/// an ended session does no harm; anything else is refused as a whole.
fn without_response(now: Situation, ordered: Decision) -> Decision {
    let in_vain = match ordered.cookie {
        CookieAction::SetNew => true,
        CookieAction::SetRecord => now.changed || now.fate > Fate::Keep,
        CookieAction::Clear => now.origin == Origin::Carried && ordered.write == Write::Nothing,
        CookieAction::SetOld | CookieAction::SetTouch | CookieAction::Keep => false,
    };
    if in_vain {
        return Decision { refusal: Some(Refusal::NoResponse), ..NOTHING };
    }
    Decision { cookie: CookieAction::Keep, ..ordered }
}

pub(super) const NOTHING: Decision =
    Decision { drops_data: false, write: Write::Nothing, cookie: CookieAction::Keep, refusal: None };
const RECORD: Decision = Decision { cookie: CookieAction::SetRecord, ..NOTHING };
const TOUCH: Decision = Decision { cookie: CookieAction::SetTouch, ..NOTHING };

mod situations;

#[cfg(test)]
mod laws;
