//! The other library's cookie: its name, how it is sealed, and where a browser sends it.

use std::fmt;

use cookie::{Cookie, CookieJar, Key};
use session_core::import::RefusedImport;

#[cfg(feature = "adonisjs")]
use crate::AdonisJsKeys;
#[cfg(feature = "laravel")]
use crate::LaravelKeys;

/// The other library's cookie. Name, domain and path are those of its configuration: with others, browsers would not remove
/// it.
///
/// ```
/// use session_import::{Key, OldCookie};
///
/// let key = Key::generate(); // the other library's, from your configuration
/// let cookie = OldCookie::private("id", key).domain("example.com");
/// assert_eq!(format!("{cookie:?}"), r#"OldCookie { name: "id", path: "/", domain: Some("example.com"), .. }"#);
/// ```
#[derive(Clone)]
pub struct OldCookie {
    name: String,
    path: String,
    domain: Option<String>,
    seal: Seal,
}

#[derive(Clone)]
enum Seal {
    Plain,
    Signed(Key),
    Private(Key),
    #[cfg(feature = "adonisjs")]
    AdonisJs(AdonisJsKeys),
    #[cfg(feature = "laravel")]
    Laravel(LaravelKeys),
}

impl OldCookie {
    /// A cookie whose value is the plain id.
    pub fn plain(name: impl Into<String>) -> Self {
        Self::new(name.into(), Seal::Plain)
    }

    /// A signed cookie (HMAC-SHA256, as the `cookie` crate writes it).
    pub fn signed(name: impl Into<String>, key: Key) -> Self {
        Self::new(name.into(), Seal::Signed(key))
    }

    /// An encrypted cookie (AES-256-GCM, as the `cookie` crate writes it).
    pub fn private(name: impl Into<String>, key: Key) -> Self {
        Self::new(name.into(), Seal::Private(key))
    }

    /// The signed cookie of AdonisJS, with the id. Its name is the setting `cookieName` of the session's configuration.
    #[cfg(feature = "adonisjs")]
    pub fn adonisjs(name: impl Into<String>, keys: AdonisJsKeys) -> Self {
        Self::new(name.into(), Seal::AdonisJs(keys))
    }

    /// The encrypted cookie of Laravel, with the id. Its name is the setting `session.cookie`.
    #[cfg(feature = "laravel")]
    pub fn laravel(name: impl Into<String>, keys: LaravelKeys) -> Self {
        Self::new(name.into(), Seal::Laravel(keys))
    }

    /// Sets the cookie's path; the default is `/`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Sets the cookie's domain; by default it has none.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    fn new(name: String, seal: Seal) -> Self {
        Self { name, path: "/".to_owned(), domain: None, seal }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Opens a value as it was received.
    pub(crate) fn open(&self, value: &[u8]) -> Result<String, RefusedImport> {
        let value = decoded(value)?;
        let cookie = Cookie::new(self.name.clone(), value);
        let opened = match &self.seal {
            Seal::Plain => return Ok(cookie.value().to_owned()),
            Seal::Signed(key) => CookieJar::new().signed(key).verify(cookie),
            Seal::Private(key) => CookieJar::new().private(key).decrypt(cookie),
            #[cfg(feature = "adonisjs")]
            Seal::AdonisJs(keys) => {
                return match keys.verify(&self.name, cookie.value())? {
                    serde_json::Value::String(id) => Ok(id),
                    _ => Err(RefusedImport::Malformed),
                };
            }
            #[cfg(feature = "laravel")]
            Seal::Laravel(keys) => return keys.open_cookie(&self.name, cookie.value()),
        };
        Ok(opened.ok_or(RefusedImport::Forged)?.value().to_owned())
    }

    /// The header that removes it.
    pub(crate) fn clear(&self) -> String {
        let mut cookie = Cookie::build((self.name.clone(), "")).path(self.path.clone());
        if let Some(domain) = &self.domain {
            cookie = cookie.domain(domain.clone());
        }
        let mut cookie = cookie.build();
        cookie.make_removal();
        // A cookie whose name asks for `Secure` is removed by no other.
        if ["__Host-", "__Secure-"].iter().any(|prefix| self.name.starts_with(prefix)) {
            cookie.set_secure(true);
        }
        cookie.to_string()
    }
}

/// A value as it was received, without its percent-encoding.
pub(crate) fn decoded(value: &[u8]) -> Result<String, RefusedImport> {
    let value = str::from_utf8(value).map_err(|_| RefusedImport::Malformed)?;
    let cookie = Cookie::parse_encoded(format!("value={value}")).map_err(|_| RefusedImport::Malformed)?;
    Ok(cookie.value().to_owned())
}

/// Leaves out the key.
impl fmt::Debug for OldCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OldCookie")
            .field("name", &self.name)
            .field("path", &self.path)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_key_a_changed_byte_and_another_seal_are_forged() {
        let (key, other) = (Key::from(&[1; 64]), Key::from(&[2; 64]));
        let mut jar = CookieJar::new();
        jar.signed_mut(&key).add(("id", "value"));
        let signed = jar.get("id").expect("it was added").value().to_owned();
        jar.private_mut(&key).add(("id", "value"));
        let private = jar.get("id").expect("it was added").value().to_owned();
        let opened = |cookie: OldCookie, value: &str| cookie.open(value.as_bytes());
        assert_eq!(opened(OldCookie::signed("id", key.clone()), &signed).as_deref(), Ok("value"));
        assert_eq!(opened(OldCookie::private("id", key.clone()), &private).as_deref(), Ok("value"));
        for (cookie, value) in [
            (OldCookie::signed("id", other.clone()), &*signed),
            (OldCookie::private("id", other), &private),
            (OldCookie::signed("id", key.clone()), &private),
            (OldCookie::private("id", key.clone()), &signed),
            (OldCookie::private("other", key.clone()), &private),
            (OldCookie::signed("id", key.clone()), "value"),
            (OldCookie::signed("id", key.clone()), ""),
            (OldCookie::private("id", key.clone()), "AAAA"),
        ] {
            assert_eq!(opened(cookie, value), Err(RefusedImport::Forged), "{value}");
        }
        assert_eq!(OldCookie::signed("id", key).open(&[0xff]), Err(RefusedImport::Malformed));
    }

    #[test]
    fn it_is_removed_where_it_was_set() {
        let cleared = OldCookie::plain("id").path("/app").domain("example.com").clear();
        assert!(cleared.starts_with("id=; Path=/app; Domain=example.com; Max-Age=0"), "{cleared}");
        assert!(OldCookie::plain("__Host-id").clear().contains("; Secure"));
    }
}
