//! The two endpoints that the layer serves itself: where a browser registers its key, and where it proves it again.
//!
//! A forged or expired challenge is refused before a store is asked. What is accepted is written before it is answered.
//!
//! Requests at once agree, since the change is made of the newest record, whichever that is when it is written: of two
//! registrations the first counts, and of two proofs the newer challenge, in whatever order they are written. A proof that was
//! good when its session was loaded is granted all the same: it came before the other.

use std::sync::Arc;

use crate::decision::commit::CommitError;
use crate::decision::decide::Origin;
use crate::decision::state::Access;
use crate::engine::answer::OwnResponse;
use crate::engine::common::Engine;
use crate::engine::event::Event;
use crate::engine::head::RequestHead;
use crate::engine::report::Failure;
use crate::engine::session::{self, Session, Shared};
use crate::engine::sources::EntropyError;
use crate::engine::visit::{Visit, commit_now};
use crate::value::answer::Written;
use crate::value::content;
use crate::value::cookie::format::Scope;
use crate::value::cookie::seal::SealKind;
use crate::value::device::error::ProofError;
use crate::value::device::key::DeviceKey;
use crate::value::device::proof::{MOST_BYTES, Proof, Stage};
use crate::value::device::token::Challenge;
use crate::value::device::{BindingId, Bond, Shown, words};
use crate::value::id::{Etag, StoreKey};
use crate::value::record::{Payload, Record};
use crate::value::time::Timestamp;

use super::Rules;

/// A request to one of the endpoints.
#[derive(Debug)]
pub(crate) struct Asked {
    stage: Stage,
    /// Of a proof that is too long nothing is kept.
    proof: Option<Result<Vec<u8>, ProofError>>,
    id: Option<BindingId>,
    from_elsewhere: bool,
}

/// Returns what a request asks, if it is for one of the endpoints.
pub(crate) fn asked<'r>(
    rules: &Rules,
    head: &RequestHead<'r, impl Fn(&'static str) -> Option<&'r [u8]>>,
) -> Option<Asked> {
    let stage = match (head.method, head.path()) {
        ("POST", path) if path == rules.register_path => Stage::Registration,
        ("POST", path) if path == rules.refresh_path => Stage::Refresh,
        _ => return None,
    };
    let header = |name| (head.header)(name);
    let from_elsewhere = header("sec-fetch-site")
        .is_some_and(|site| site != b"same-origin" && site != b"none")
        || header("origin").is_some_and(|origin| !is_of(origin, head.host()));
    Some(Asked {
        stage,
        proof: header(words::RESPONSE).map(|proof| match proof.len() <= MOST_BYTES {
            true => Ok(proof.to_vec()),
            false => Err(ProofError::TooLong),
        }),
        id: header(words::SESSION_ID).and_then(words::session_id),
        from_elsewhere,
    })
}

fn is_of(origin: &[u8], host: Option<&[u8]>) -> bool {
    let of = |scheme: &[u8]| origin.strip_prefix(scheme).is_some_and(|there| Some(there) == host);
    of(b"https://") || of(b"http://")
}

/// Why a request is not granted.
enum Refusal {
    /// The proof is no good. With a challenge, the browser may try again.
    Proof(ProofError, Option<Challenge>),
    /// The browser asks for a challenge.
    Ask(Challenge),
    /// There is nothing to refresh any more.
    Ended(BindingId, Option<ProofError>),
    /// The session in the cookie is as it was before it was bound.
    Unbound(BindingId),
    /// The store failed.
    Unavailable,
    /// Random bytes are missing, or the session does not fit its cookie.
    Failed,
}

impl From<ProofError> for Refusal {
    fn from(error: ProofError) -> Self {
        Self::Proof(error, None)
    }
}

impl From<EntropyError> for Refusal {
    fn from(EntropyError: EntropyError) -> Self {
        Self::Failed
    }
}

impl From<CommitError> for Refusal {
    fn from(error: CommitError) -> Self {
        match error.failure() {
            Some(Failure::Unavailable) => Self::Unavailable,
            Some(Failure::Internal) => Self::Failed,
            // It ended, or its user changed, while it was to be written.
            None => ProofError::NoSession.into(),
        }
    }
}

impl Asked {
    /// Answers the request, and changes the visit's session accordingly.
    pub(crate) async fn answer(self, visit: Visit) -> OwnResponse {
        let engine = visit.engine().clone();
        let Some(rules) = &engine.device else { return OwnResponse::bare(404) };
        let answer = match self.stage {
            _ if self.from_elsewhere => Err(ProofError::OtherOrigin.into()),
            Stage::Registration => self.register(&engine, rules, &visit).await,
            Stage::Refresh => self.refresh(&engine, rules, &visit).await,
        };
        answer.unwrap_or_else(|refusal| {
            refuse(&engine, rules, visit.scope(), refusal).unwrap_or_else(|_| OwnResponse::bare(500))
        })
    }

    async fn register(&self, engine: &Engine, rules: &Rules, visit: &Visit) -> Result<OwnResponse, Refusal> {
        let proof = self.proof.as_ref().ok_or(ProofError::Malformed)?.as_ref().map_err(|error| *error)?;
        let proof = Proof::read(proof, Stage::Registration, rules.algorithms)?;
        let now = engine.clock.now();
        let challenge = opened(engine, &proof, Stage::Registration)?;
        if is_over(&challenge, rules, now) {
            return Err(ProofError::Expired.into());
        }
        let key = proof.into_key()?.to_text();
        let shared = visit.open(Access::ReadOnly).await.map_err(|_| Refusal::Unavailable)?;
        let handle = {
            let state = &shared.lock().state;
            match (state.origin(), state.key()) {
                (Origin::Stored | Origin::Carried, Some(there)) if there == challenge.session => {
                    there.handle()
                }
                _ => return Err(ProofError::NoSession.into()),
            }
        };
        let id = challenge.id.to_string();
        let bond = Bond { id, key, since: now, answered: challenge.issued_at, proofs: vec![now] };
        let mine = bond.clone();
        let written = write(&shared, move |there| there.or_else(|| Some(bond.clone()))).await?;
        // The same bond is there already if the answer was lost and the browser tries again.
        if written.is_none_or(|there| (there.id, there.key) != (mine.id, mine.key)) {
            return Err(ProofError::AlreadyBound.into());
        }
        let next = Challenge::refresh(now, challenge.id);
        let granted = grant(engine, rules, visit.scope(), challenge.id, next, now)?;
        engine.tell(&Event::Bound(handle));
        Ok(granted)
    }

    async fn refresh(&self, engine: &Engine, rules: &Rules, visit: &Visit) -> Result<OwnResponse, Refusal> {
        let id = self.id.ok_or(ProofError::OtherBinding)?;
        let now = engine.clock.now();
        let Some(proof) = &self.proof else {
            return Err(match visit.names_a_session(now) {
                true => Refusal::Ask(Challenge::refresh(now, id)),
                false => Refusal::Ended(id, None),
            });
        };
        let proof = proof.as_ref().map_err(|error| *error)?;
        let proof = Proof::read(proof, Stage::Refresh, rules.algorithms)?;
        let challenge = opened(engine, &proof, Stage::Refresh)?;
        if challenge.id != id {
            return Err(ProofError::OtherBinding.into());
        }
        if is_over(&challenge, rules, now) {
            return Err(Refusal::Proof(ProofError::Expired, Some(Challenge::refresh(now, id))));
        }
        let shared = visit.open(Access::ReadOnly).await.map_err(|_| Refusal::Unavailable)?;
        let ended = {
            let state = &shared.lock().state;
            state.key().filter(|_| state.origin() == Origin::Ended)
        };
        if let Some(key) = ended
            && has_moved(engine, &key, now).await?
        {
            // The browser asks again, with the cookie that it has by then.
            return Err(Refusal::Ask(Challenge::refresh(now, id)));
        }
        let (handle, bond) = {
            let state = &shared.lock().state;
            let handle = match (state.origin(), state.key()) {
                (Origin::Stored | Origin::Carried, Some(key)) => key.handle(),
                _ => return Err(Refusal::Ended(id, Some(ProofError::NoSession))),
            };
            // Not one that began after the binding, when the session that was bound had ended.
            let is_as_before = state.origin() == Origin::Carried
                && !state.is_bound()
                && state.created().is_some_and(|created| created <= challenge.issued_at);
            match state.content.bond() {
                Some(bond) if bond.id == id.to_string() => (handle, bond),
                _ if is_as_before => return Err(Refusal::Unbound(id)),
                _ => return Err(Refusal::Ended(id, Some(ProofError::OtherBinding))),
            }
        };
        proof.check(&DeviceKey::from_text(&bond.key)?)?;
        // Later than every challenge that was answered, whichever server issued it.
        let next = |bond: &Bond| Challenge::refresh(now.max(later(bond.answered)), id);
        if challenge.issued_at < bond.answered {
            return Err(Refusal::Proof(ProofError::Replayed, Some(next(&bond))));
        }
        let answered = challenge.issued_at;
        let prove = move |there: Option<Bond>| match there {
            Some(there) if there.id == bond.id => Some(there.proven(answered, now)),
            other => other,
        };
        // If another tab signs out or changes the user meanwhile, the browser asks again, with the cookie that it has by then.
        let again = Refusal::Ask(Challenge::refresh(now.max(later(answered)), id));
        let bond = match write(&shared, prove).await {
            Ok(Some(bond)) if bond.id == id.to_string() => bond,
            Ok(_) | Err(CommitError::Gone) => return Err(again),
            Err(error) => return Err(error.into()),
        };
        let granted = grant(engine, rules, visit.scope(), id, next(&bond), now)?;
        engine.tell(&Event::Proved(handle));
        Ok(granted)
    }
}

fn later(challenge: Timestamp) -> Timestamp {
    challenge.plus(std::time::Duration::from_millis(1))
}

/// Changes the bond of the session, and writes it. The change is made again of the newer bond if another request writes first;
/// returns the bond that was written at last.
async fn write(
    shared: &Arc<Shared>,
    change: impl Fn(Option<Bond>) -> Option<Bond> + Send + Sync + 'static,
) -> Result<Option<Bond>, CommitError> {
    {
        let content = &mut shared.lock().state.content;
        // Nothing in it that JSON could not represent; what cannot be read is not changed, and so no bond of anybody's.
        _ = content
            .system
            .update(content::DEVICE, move |there: Option<Option<Bond>>| change(there.flatten()));
    }
    commit_now(Session { shared: shared.clone(), access: session::Access::Full }).await?;
    Ok(shared.lock().state.content.bond())
}

/// Whether a session that has ended under this key lives under another one, which a request that left before does not know.
/// A write tells; it changes nothing where a session has ended.
async fn has_moved(engine: &Engine, key: &StoreKey, now: Timestamp) -> Result<bool, Refusal> {
    let Some(store) = &engine.store else { return Ok(false) };
    let nothing = Record::new(Etag::new(0), now, now, Payload::from(Vec::new()));
    let written = store.replace(key, nothing.etag, &nothing, now).await.map_err(|_| Refusal::Unavailable)?;
    Ok(matches!(written, Written::Moved { .. }))
}

/// Opens the challenge that a proof answers. No store is asked for a forged one.
fn opened(engine: &Engine, proof: &Proof, stage: Stage) -> Result<Challenge, ProofError> {
    let text = engine.unseal(SealKind::Challenge, proof.challenge().as_bytes());
    let challenge = text.and_then(|text| Challenge::decode(&text)).ok_or(ProofError::Challenge)?;
    if challenge.stage == stage { Ok(challenge) } else { Err(ProofError::Challenge) }
}

fn is_over(challenge: &Challenge, rules: &Rules, now: Timestamp) -> bool {
    challenge.issued_at.plus(rules.challenge_lifetime()) <= now
}

/// The browser's instructions, the short-lived cookie and the next challenge.
fn grant(
    engine: &Engine,
    rules: &Rules,
    scope: Scope,
    id: BindingId,
    next: Challenge,
    now: Timestamp,
) -> Result<OwnResponse, EntropyError> {
    let attributes = engine.codec.cookie_at(scope).attributes();
    let body = words::instructions(id, &rules.refresh_path, &rules.cookie, attributes);
    let next = engine.challenge(&next)?;
    Ok(OwnResponse::json(200, body)
        .with("set-cookie", engine.bound_cookie(rules, scope, Shown::Proven(id), now)?)
        .with(words::CHALLENGE, words::challenge(next.as_str(), id)))
}

fn refuse(
    engine: &Engine,
    rules: &Rules,
    scope: Scope,
    refusal: Refusal,
) -> Result<OwnResponse, EntropyError> {
    let (error, response) = match refusal {
        Refusal::Ask(challenge) => (None, challenged(engine, challenge)?),
        Refusal::Proof(error, Some(challenge)) => (Some(error), challenged(engine, challenge)?),
        Refusal::Proof(error, None) => (Some(error), OwnResponse::bare(403)),
        Refusal::Ended(id, error) => {
            let ended = OwnResponse::json(200, words::ended(id));
            (error, ended.with("set-cookie", engine.no_bound_cookie(rules, scope)))
        }
        // Of a name that no binding has: it proves nothing, and makes the next response offer a binding again.
        Refusal::Unbound(id) => {
            let shown = Shown::Proven(engine.binding_id()?);
            let cookie = engine.bound_cookie(rules, scope, shown, engine.clock.now())?;
            let ended = OwnResponse::json(200, words::ended(id)).with("set-cookie", cookie);
            (Some(ProofError::OtherBinding), ended)
        }
        Refusal::Unavailable => (None, OwnResponse::bare(503)),
        Refusal::Failed => (None, OwnResponse::bare(500)),
    };
    if let Some(error) = error {
        engine.tell(&Event::RefusedProof(error));
    }
    Ok(response)
}

fn challenged(engine: &Engine, challenge: Challenge) -> Result<OwnResponse, EntropyError> {
    let text = engine.challenge(&challenge)?;
    let header = words::challenge(text.as_str(), challenge.id);
    Ok(OwnResponse::bare(403).with(words::CHALLENGE, header))
}
