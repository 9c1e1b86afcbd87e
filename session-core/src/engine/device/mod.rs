//! Sessions bound to the device (Device Bound Session Credentials): the rules, the offer, and the two endpoints.
//!
//! What is decided about an unproven request is in the decision table; the proofs are read in ring 0.

mod config;
mod endpoint;
mod offer;

pub use config::DeviceBinding;
pub(crate) use config::{Rules, check};
pub(crate) use endpoint::{Asked, asked};
pub(crate) use offer::offer;

use super::common::Engine;
use super::sources::EntropyError;
use super::visit::CookieHeaders;
use crate::decision::codec::CookieCodec;
use crate::value::cookie::format::Scope;
use crate::value::cookie::seal::{SealKind, Sealed};
use crate::value::device::token::{BoundToken, Challenge};
use crate::value::device::{BindingId, Shown};
use crate::value::time::Timestamp;

impl Engine {
    fn seal_fresh(&self, kind: SealKind, text: &[u8]) -> Result<Sealed, EntropyError> {
        let mut nonce = [0; 24];
        self.entropy.fill(&mut nonce)?;
        Ok(self.codec.seal(kind, &nonce, text))
    }

    /// Opens what was sealed with the current configuration of the cookie, or with an earlier one: a browser keeps the challenge
    /// for its next proof.
    fn unseal(&self, kind: SealKind, value: &[u8]) -> Option<Vec<u8>> {
        let now = self.clock.now();
        let old = self.old_cookies.iter().filter_map(|source| source.codec_at(now));
        std::iter::once(&self.codec).chain(old).find_map(|codec| codec.unseal(kind, value))
    }

    /// Which of the cookie's domains a request to this host has.
    pub(crate) fn scope_of(&self, host: Option<&[u8]>) -> Scope {
        host.map(|host| self.codec.cookie().scope_of(host)).unwrap_or_default()
    }

    /// Draws the name of a binding.
    fn binding_id(&self) -> Result<BindingId, EntropyError> {
        let mut id = [0; 16];
        self.entropy.fill(&mut id)?;
        Ok(BindingId::from_bytes(id))
    }

    /// Makes a challenge, as text.
    fn challenge(&self, challenge: &Challenge) -> Result<Sealed, EntropyError> {
        self.seal_fresh(SealKind::Challenge, &challenge.encode())
    }

    /// The `Set-Cookie` value of the short-lived cookie.
    fn bound_cookie(
        &self,
        rules: &Rules,
        scope: Scope,
        shown: Shown,
        now: Timestamp,
    ) -> Result<String, EntropyError> {
        let token = BoundToken { issued_at: now, shown };
        let sealed = self.seal_fresh(SealKind::Bound, &token.encode())?;
        let expiry = Some((rules.refresh, now.plus(rules.refresh)));
        Ok(self.codec.cookie_at(scope).header(&rules.cookie, sealed.as_str(), expiry))
    }

    /// The `Set-Cookie` value of the short-lived cookie, for a device that proves itself with that of an earlier configuration:
    /// it is accepted no longer than that one, which is what the browser renews.
    pub(crate) fn rebind(
        &self,
        old: &CookieCodec,
        cookies: &CookieHeaders,
        scope: Scope,
        now: Timestamp,
    ) -> Option<String> {
        let rules = self.device.as_ref()?;
        config::shown(rules, &self.codec, cookies, now).err()?;
        let token = config::shown(rules, old, cookies, now).ok()?;
        let sealed = self.seal_fresh(SealKind::Bound, &token.encode()).ok()?;
        let expiry = Some((rules.refresh, now.plus(rules.refresh)));
        Some(self.codec.cookie_at(scope).header(&rules.cookie, sealed.as_str(), expiry))
    }

    /// The `Set-Cookie` value that removes the short-lived cookie.
    pub(crate) fn no_bound_cookie(&self, rules: &Rules, scope: Scope) -> String {
        let past = Some((std::time::Duration::ZERO, Timestamp::from_millis(0)));
        self.codec.cookie_at(scope).header(&rules.cookie, "", past)
    }
}
