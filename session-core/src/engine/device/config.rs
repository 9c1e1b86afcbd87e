//! The rules of binding: which requests must prove the device, how often it proves itself, and where.

use std::borrow::Cow;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::decision::codec::CookieCodec;
use crate::decision::state::{Demand, DeviceCheck};
use crate::engine::error::ConfigError;
use crate::engine::visit::CookieHeaders;
use crate::value::cookie::parse::Candidates;
use crate::value::cookie::seal::SealKind;
use crate::value::device::Unproven;
use crate::value::device::key::Algorithm;
use crate::value::device::token::BoundToken;
use crate::value::time::Timestamp;

/// How sessions are bound to the device that signed in. Pass it to
/// [`SessionsBuilder::bind_to_device`](crate::SessionsBuilder::bind_to_device).
///
/// The short-lived cookie is named like the session's, with `.b` at the end, and has the same attributes.
///
/// ```
/// use std::time::Duration;
///
/// use session_core::{DeviceBinding, SecretKey, Sessions};
///
/// let binding = DeviceBinding::require().refresh_every(Duration::from_secs(240));
/// let sessions = Sessions::builder().in_cookie().key(SecretKey::generate()?).bind_to_device(binding).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct DeviceBinding {
    demand: Demand,
    paths: Option<Vec<String>>,
    refresh: Duration,
    path: String,
    algorithms: &'static [Algorithm],
}

impl DeviceBinding {
    /// Requires the proof for every request of a bound session. An unproven request is a stranger's
    /// ([`Status::unproven`](crate::facet::Status::unproven)).
    pub fn require() -> Self {
        Self {
            demand: Demand::Require,
            paths: None,
            refresh: REFRESH,
            path: "/dbsc".to_owned(),
            algorithms: Algorithm::USUAL,
        }
    }

    /// Requires the proof for these paths and everything below them. Elsewhere an unproven request has the session, and an
    /// [`Event::Unproven`](crate::Event::Unproven) is reported.
    ///
    /// A request whose path cannot be told, or has segments such as `..`, must be proven.
    ///
    /// ```
    /// use session_core::DeviceBinding;
    ///
    /// // The pages about money; a copied cookie still reads the catalogue as its owner.
    /// let binding = DeviceBinding::require_for(["/account", "/orders"]);
    /// ```
    pub fn require_for<P: Into<String>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self { paths: Some(paths.into_iter().map(Into::into).collect()), ..Self::require() }
    }

    /// Binds sessions and reports unproven requests, but treats them like any other. Begin with it, and watch
    /// [`Event::Unproven`](crate::Event::Unproven).
    pub fn observe() -> Self {
        Self { demand: Demand::Observe, ..Self::require() }
    }

    /// Sets how long one proof lasts: the lifetime of the short-lived cookie, and the time for which a copied cookie
    /// works. The default is 5 minutes. Not less than 3 outside of tests: Chromium renews the cookie with any request within
    /// its last two minutes, and a key proves itself only a few times in ten. A cookie is accepted for half of this time longer, at most 30 seconds, so that a
    /// request on its way is not refused.
    pub fn refresh_every(self, time: Duration) -> Self {
        Self { refresh: time, ..self }
    }

    /// Sets the path below which the layer serves `register` and `refresh`; the default is `/dbsc`. It must be inside the
    /// path of the session's cookie.
    pub fn path(self, path: impl Into<String>) -> Self {
        Self { path: path.into(), ..self }
    }

    /// Allows RS256 (RSASSA-PKCS1-v1_5 with SHA-256) beside ES256, for devices whose hardware makes RSA keys only. Keys must
    /// have 2,048 to 4,096 bits and the exponent 65,537. Only with the feature `dbsc-rs256`.
    ///
    /// A browser makes an RSA key only if it cannot make one on P-256. A session that is bound to an RSA key is unproven once
    /// this is taken back, so that its user signs in again.
    ///
    /// ```
    /// use session_core::DeviceBinding;
    ///
    /// let binding = DeviceBinding::require().allow_rs256();
    /// ```
    #[cfg(feature = "dbsc-rs256")]
    pub fn allow_rs256(self) -> Self {
        Self { algorithms: Algorithm::WITH_RSA, ..self }
    }

    pub(crate) fn build(self, cookie: &str) -> Result<Rules, ConfigError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        let path = self.path.trim_end_matches('/');
        if !path.starts_with('/') || path.contains("//") || !path.bytes().all(plain) {
            return Err(ConfigError::DevicePath);
        }
        // Whole seconds: `Max-Age` has no others.
        if self.refresh < Duration::from_secs(1) {
            return Err(ConfigError::DeviceRefresh);
        }
        if self.paths.iter().flatten().any(|path| !path.starts_with('/')) {
            return Err(ConfigError::DevicePath);
        }
        Ok(Rules {
            demand: self.demand,
            paths: self.paths,
            refresh: self.refresh,
            algorithms: self.algorithms,
            register_path: format!("{path}/register"),
            refresh_path: format!("{path}/refresh"),
            cookie: short_lived(cookie),
        })
    }
}

/// The checked rules.
#[derive(Debug)]
pub(crate) struct Rules {
    demand: Demand,
    paths: Option<Vec<String>>,
    pub(crate) refresh: Duration,
    pub(super) algorithms: &'static [Algorithm],
    pub(super) register_path: String,
    pub(super) refresh_path: String,
    /// The name of the short-lived cookie.
    pub(super) cookie: String,
}

impl Rules {
    /// For how long the short-lived cookie is accepted.
    fn patience(&self) -> Duration {
        self.refresh + (self.refresh / 2).min(Duration::from_secs(30))
    }

    /// For how long a challenge may be answered: longer than the cookie lives that it renews.
    pub(super) fn challenge_lifetime(&self) -> Duration {
        2 * self.refresh + Duration::from_secs(300)
    }

    /// Whether requests for this path may be unproven.
    pub(crate) fn exempts(&self, path: &str) -> bool {
        let Some(paths) = &self.paths else { return false };
        let Some(path) = plain_path(path) else { return false };
        !paths.iter().any(|covered| {
            let rest = path.strip_prefix(covered.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// The path as every router understands it, or `None` if routers could differ about it.
fn plain_path(path: &str) -> Option<Cow<'_, str>> {
    let path = percent_decode_str(path).decode_utf8().ok()?;
    let odd = |segment: &str| segment.is_empty() || matches!(segment, "." | "..");
    let mut segments = path.strip_prefix('/')?.trim_end_matches('/').split('/').peekable();
    let is_root = segments.peek() == Some(&"") && path.len() == 1;
    let is_plain = is_root || !segments.any(odd);
    (is_plain && !path.contains(['%', '\\', ';', '\0'])).then_some(path)
}

/// What is asked of a bound session in this request, and what the request shows by the cookie of the current configuration, or
/// else of an earlier one.
pub(crate) fn check<'c>(
    rules: &Rules,
    codecs: impl IntoIterator<Item = &'c CookieCodec>,
    cookies: &CookieHeaders,
    now: Timestamp,
) -> DeviceCheck {
    let demand = match rules.demand {
        Demand::Require if cookies.is_exempt() => Demand::Observe,
        demand => demand,
    };
    let shown = codecs.into_iter().map(|codec| shown(rules, codec, cookies, now).map(|token| token.shown));
    let shown = shown.reduce(|best, next| match best {
        Err(Unproven::Missing) => next,
        Err(_) if next.is_ok() => next,
        best => best,
    });
    let shown = shown.unwrap_or(Err(Unproven::Missing));
    DeviceCheck { demand, shown }
}

/// The newest token of the short-lived cookie beside this codec's.
pub(super) fn shown(
    rules: &Rules,
    codec: &CookieCodec,
    cookies: &CookieHeaders,
    now: Timestamp,
) -> Result<BoundToken, Unproven> {
    let candidates = Candidates::find(cookies.iter(), &short_lived(codec.cookie().name()));
    if candidates.values().is_empty() {
        return Err(Unproven::Missing);
    }
    let tokens = candidates
        .values()
        .iter()
        .filter_map(|value| BoundToken::decode(&codec.unseal(SealKind::Bound, value)?));
    let newest = tokens.max_by_key(|token| token.issued_at).ok_or(Unproven::Foreign)?;
    let (from, until) = (
        newest.issued_at.minus(crate::value::cookie::select::CLOCK_SKEW),
        newest.issued_at.plus(rules.patience()),
    );
    if from <= now && now < until { Ok(newest) } else { Err(Unproven::Stale) }
}

/// The name of the short-lived cookie beside a session's cookie of this name.
fn short_lived(cookie: &str) -> String {
    format!("{cookie}.b")
}

const REFRESH: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_that_nobody_could_misread_are_exempt() {
        let rules = DeviceBinding::require_for(["/account", "/admin/"]).build("sid").unwrap();
        for exempt in ["/", "/shop", "/accounts", "/shop/account", "/admins/x", "/shop/"] {
            assert!(rules.exempts(exempt), "{exempt}");
        }
        for covered in [
            "/account",
            "/account/",
            "/account/mail",
            "/admin",
            "/admin/x",
            "/%61ccount",
            "/%2561ccount",
            "//account",
            "/./account",
            "/shop/../account",
            "/shop//account",
            "/shop;/account",
            "/\\account",
            "*",
            "",
        ] {
            assert!(!rules.exempts(covered), "{covered}");
        }
        assert!(!DeviceBinding::require().build("sid").unwrap().exempts("/"));
    }

    #[test]
    fn wrong_rules_do_not_build() {
        for path in ["", "dbsc", "/a b", "/a\"b", "//x", "/ä", "/a?b"] {
            assert!(
                matches!(DeviceBinding::require().path(path).build("sid"), Err(ConfigError::DevicePath)),
                "{path}"
            );
        }
        let short = DeviceBinding::require().refresh_every(Duration::from_millis(999)).build("sid");
        assert!(matches!(short, Err(ConfigError::DeviceRefresh)));
        assert!(matches!(DeviceBinding::require_for(["account"]).build("sid"), Err(ConfigError::DevicePath)));
    }
}
