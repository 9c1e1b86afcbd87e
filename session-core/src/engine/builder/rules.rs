//! The rules for every session: lifetimes, size, when it is written, and which fields are never flashed.

use std::time::Duration;

use super::SessionsBuilder;
use crate::value::secret::SecretFields;

impl SessionsBuilder {
    /// Binds each session to the device that signs in, in browsers with Device Bound Session Credentials: from then on a
    /// copied cookie works for minutes only. Other browsers are unaffected. It takes effect with the next sign-in
    /// ([`tag`](crate::Session::tag) or [`regenerate`](crate::Session::regenerate)) and needs HTTPS.
    ///
    /// The layer answers `POST /dbsc/register` and `POST /dbsc/refresh` itself. Only with the feature `dbsc`.
    #[cfg(feature = "dbsc")]
    pub fn bind_to_device(mut self, binding: crate::engine::device::DeviceBinding) -> Self {
        self.binding = Some(binding);
        self
    }

    /// Sets the idle timeout; the default is 2 hours.
    pub fn age(mut self, age: Duration) -> Self {
        self.policy.age = age;
        self
    }

    /// Sets the absolute lifetime; the default is 24 hours, `None` removes the limit.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// let sessions = builder.absolute(Duration::from_secs(8 * 60 * 60)).build()?;
    /// assert_eq!(sessions.policy().absolute, Some(Duration::from_secs(28_800)));
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// // For as long as it is used.
    /// assert_eq!(builder.absolute(None).build()?.policy().absolute, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn absolute(mut self, lifetime: impl Into<Option<Duration>>) -> Self {
        self.policy.absolute = lifetime.into();
        self
    }

    /// Sets the lifetimes of NIST SP 800-63B-4 for assurance level 1: 30 days, used or not.
    pub fn aal1(self) -> Self {
        self.age(30 * DAY).absolute(30 * DAY)
    }

    /// Sets the lifetimes of NIST SP 800-63B-4 for assurance level 2: an hour idle, a day in total.
    pub fn aal2(self) -> Self {
        self.age(DAY / 24).absolute(DAY)
    }

    /// Sets the lifetimes of NIST SP 800-63B-4 for assurance level 3: 15 minutes idle, 12 hours in total.
    pub fn aal3(self) -> Self {
        self.age(DAY / 96).absolute(DAY / 2)
    }

    /// Opens the session on every request, creates a record for every new visitor, and sets the cookie on every
    /// response. It costs a load, and for new visitors a write, on every request.
    pub fn eager(mut self, eager: bool) -> Self {
        self.policy.eager = eager;
        self
    }

    /// Writes data changes even if the response is a 5xx. `regenerate`, `invalidate` and `destroy` are written in any
    /// case.
    pub fn commit_on_error(mut self, commit: bool) -> Self {
        self.policy.commit_on_error = commit;
        self
    }

    /// Sets how long the tombstone of an ended session is kept; the default is 60 seconds. It should be at least as
    /// long as the longest request.
    pub fn tombstone(mut self, lifetime: Duration) -> Self {
        self.policy.tombstone = lifetime;
        self
    }

    /// Sets the size limit of a session in bytes; the default is 64 KiB, or the store's own limit if that is lower.
    ///
    /// The commit checks it. Before that, one visit holds at most twice as much, in a store as in a cookie: a change beyond
    /// that returns [`ValueError::TooLarge`](crate::ValueError::TooLarge) and changes nothing.
    ///
    /// ```
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// assert_eq!(builder.max_record(8 * 1024).build()?.policy().max_record, 8_192);
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// // The store keeps no more than 64 KiB, so neither does the policy.
    /// assert_eq!(builder.max_record(1 << 20).build()?.policy().max_record, 65_536);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_record(mut self, bytes: usize) -> Self {
        self.policy.max_record = bytes;
        self
    }

    /// Sets how many sessions a user may have; the default is 1,000, the minimum 1, and `usize::MAX` allows any number. A
    /// further sign-in ends the oldest session of this user. Where the store keeps no index of users, nothing is ended.
    ///
    /// A limit of a few devices, with an answer of the application's own, is
    /// [`UserSessions::make_room`](crate::UserSessions::make_room).
    pub fn most_sessions(mut self, most: usize) -> Self {
        self.policy.most_sessions = most.max(1);
        self
    }

    /// Sets how long a commit retries when other requests write the same session; the default is 2 seconds.
    pub fn contention(mut self, patience: Duration) -> Self {
        self.policy.contention = patience;
        self
    }

    /// Adds form fields that are never flashed unless they are named explicitly.
    ///
    /// A field is a secret if its name has one of these words, whatever the case and the separators: `pin` is in `user_pin`,
    /// `user-pin`, `userPin` and `user[PIN]`, and not in `spinner`. Several words must stand side by side. A name that
    /// begins with an underscore is compared as a whole.
    ///
    /// Built in are `password`, `passwd`, `pass`, `pwd`, `passphrase`, `secret`, `token`, `csrf`, `pin`, `otp`, `cvc`, `cvv`,
    /// `ssn`, `api key`, `private key`, `card number`, `_csrf` and `_method`.
    ///
    /// ```
    /// # let key = session_core::SecretKey::generate()?;
    /// # let builder = session_core::Sessions::builder().store(session_store_memory::MemoryStore::new()).key(key);
    /// let sessions = builder.secret_fields(["iban", "maiden name"]).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn secret_fields<S: AsRef<str>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.secrets.add(words);
        self
    }

    /// Replaces the form fields that are never flashed unless they are named explicitly, the built-in ones included. Each
    /// is read as by [`secret_fields`](Self::secret_fields).
    pub fn replace_secret_fields<S: AsRef<str>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.secrets = SecretFields::only(words);
        self
    }

    /// Sets whether a cross-site request without the session's cookie, such as a payment provider's `POST`, may begin a
    /// session by writing. Off by default, since the new cookie replaces a session that the visitor may have. Signing
    /// in begins a session in any case.
    pub fn unseen_begins(mut self, begins: bool) -> Self {
        self.policy.unseen_begins = begins;
        self
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
