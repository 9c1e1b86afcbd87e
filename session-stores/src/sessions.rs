//! Converts a configuration into a `SessionsBuilder` or into `Sessions`.

use session_core::{ConfigError, Cookie, SecretKey, Sessions, SessionsBuilder, error::CookieError};

use crate::config::{CookieConfig, SessionConfig, missing};
use crate::drivers::Drivers;
use crate::error::SettingError;
use crate::store_config::StoreConfig;

impl SessionConfig {
    /// Opens the store and builds the `Sessions`.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is missing, if settings contradict each other, or if the store cannot be opened.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_stores::SettingError> {
    /// use session_stores::SessionConfig;
    ///
    /// // Switched off, nothing else needs to be said.
    /// let sessions = SessionConfig::from_vars([("SESSION_ENABLED", "false")])?.into_sessions().await?;
    /// assert!(sessions.is_off());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn into_sessions(self) -> Result<Sessions, SettingError> {
        self.into_sessions_with(&Drivers::new()).await
    }

    /// Like [`into_sessions`](Self::into_sessions), with drivers registered by the application.
    ///
    /// # Errors
    /// As for [`into_sessions`](Self::into_sessions).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_stores::SettingError> {
    /// use session_stores::{Cause, Drivers, MemoryStore, SessionConfig};
    ///
    /// let drivers = Drivers::new().register("shelf", |_| async { Ok::<_, Cause>(MemoryStore::new()) });
    /// # let key = "9f1c31d5a8e24b7790be1d5c83fa2647c9d80e31b4f56a72183ce09d5fa7b264";
    /// let variables = [("SESSION_DRIVER", "shelf"), ("SESSION_KEYS", key)];
    /// let sessions = SessionConfig::from_vars(variables)?.into_sessions_with(&drivers).await?;
    /// assert!(sessions.store().is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn into_sessions_with(self, drivers: &Drivers) -> Result<Sessions, SettingError> {
        Ok(self.into_builder_with(drivers).await?.build()?)
    }

    /// Opens the store and returns the builder, to which code can add further settings, such as an observer.
    ///
    /// # Errors
    /// As for [`into_sessions`](Self::into_sessions), except for errors that only the builder's `build` returns.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_stores::SettingError> {
    /// use session_stores::SessionConfig;
    ///
    /// # let key = "9f1c31d5a8e24b7790be1d5c83fa2647c9d80e31b4f56a72183ce09d5fa7b264";
    /// let config = SessionConfig::from_vars([("SESSION_DRIVER", "memory"), ("SESSION_KEYS", key)])?;
    /// let sessions = config.into_builder().await?.purpose("admin").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn into_builder(self) -> Result<SessionsBuilder, SettingError> {
        self.into_builder_with(&Drivers::new()).await
    }

    /// Like [`into_builder`](Self::into_builder), with drivers registered by the application.
    ///
    /// # Errors
    /// As for [`into_builder`](Self::into_builder).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_stores::SettingError> {
    /// use session_stores::{Cause, Drivers, MemoryStore, SessionConfig};
    ///
    /// let drivers = Drivers::new().register("shelf", |_| async { Ok::<_, Cause>(MemoryStore::new()) });
    /// # let key = "9f1c31d5a8e24b7790be1d5c83fa2647c9d80e31b4f56a72183ce09d5fa7b264";
    /// let config = SessionConfig::from_vars([("SESSION_DRIVER", "shelf"), ("SESSION_KEYS", key)])?;
    /// let sessions = config.into_builder_with(&drivers).await?.purpose("admin").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn into_builder_with(self, drivers: &Drivers) -> Result<SessionsBuilder, SettingError> {
        self.check_ages()?;
        self.cookie.check()?;
        let builder = self.bind(self.rules())?;
        if !self.enabled {
            // Sessions are disabled, so neither is used, but the builder requires a secret key and a placement.
            return Ok(builder.in_cookie().key(SecretKey::generate()?));
        }
        let store = self.store()?;
        if self.keys.is_empty() {
            return Err(missing("keys"));
        }
        let builder = self.with_old_cookie(builder.keys(self.keys.iter().cloned()), drivers).await?;
        if store.driver == "cookie" {
            self.old_store()?;
            let builder = builder.in_cookie();
            return Ok(match self.revocations()? {
                Some(list) => builder.shared_revocations(drivers.open(&list).await?),
                None => builder,
            });
        }
        Ok(builder.shared_store(self.open_store(drivers).await?))
    }

    /// Returns the configuration of the store of revocations, if there is one.
    pub(crate) fn revocations(&self) -> Result<Option<StoreConfig>, SettingError> {
        let Some(name) = &self.revocations else { return Ok(None) };
        let list = self.named_store(name)?;
        if list.driver != "cookie" {
            return Ok(Some(list));
        }
        Err(SettingError::Refused {
            key: "revocations (SESSION_REVOCATIONS)".to_owned(),
            value: format!("{name:?}"),
            allowed: "a driver other than cookie: the list must be where no visitor can take it away"
                .to_owned(),
        })
    }

    fn rules(&self) -> SessionsBuilder {
        let mut builder = Sessions::builder()
            .enabled(self.enabled)
            .cookie(self.cookie.describe().persistent(!self.clear_with_browser))
            .age(self.age.as_duration())
            .absolute(self.absolute.map(session_core::Age::as_duration))
            .eager(self.eager)
            .commit_on_error(self.commit_on_error)
            .encrypt_at_rest(self.encrypt)
            .max_record(self.max_record)
            .tombstone(self.tombstone.as_duration())
            .contention(self.contention)
            .redirect_hosts(self.redirect_hosts.iter().cloned())
            .redirect_over_http(self.redirect_over_http)
            .private_pages(self.private_pages)
            .xsrf_cookie(self.xsrf_cookie);
        if let Some(purpose) = &self.purpose {
            builder = builder.purpose(purpose.clone());
        }
        if let Some(fields) = &self.secret_fields {
            builder = builder.secret_fields(fields.iter().cloned());
        }
        builder
    }

    fn check_ages(&self) -> Result<(), SettingError> {
        match self.absolute {
            Some(absolute) if self.age > absolute => Err(SettingError::Refused {
                key: "age (SESSION_AGE)".to_owned(),
                value: self.age.to_string(),
                allowed: format!(
                    "at most the absolute lifetime (SESSION_ABSOLUTE), which is {absolute}; raise that, or set it to never"
                ),
            }),
            _ => Ok(()),
        }
    }
}

impl CookieConfig {
    /// Returns the name as it is set or else the safest one that the other attributes allow.
    fn sent_name(&self) -> &str {
        let belongs_to_host = self.domain.is_none() && self.domains.is_empty() && self.path == "/";
        match &self.name {
            Some(name) => name,
            None if !self.secure => "sid",
            None if belongs_to_host => "__Host-sid",
            None => "__Secure-sid",
        }
    }

    /// Converts to a `Cookie`.
    pub(crate) fn describe(&self) -> Cookie {
        let cookie = Cookie::named(self.sent_name())
            .secure(self.secure)
            .max_size(self.max_size)
            .path(self.path.clone())
            .http_only(self.http_only)
            .same_site(self.same_site)
            .partitioned(self.partitioned)
            .domains(self.domains.iter().cloned());
        match &self.domain {
            Some(domain) => cookie.domain(domain.clone()),
            None => cookie,
        }
    }
}

impl CookieConfig {
    /// Checks the combination of the cookie's settings, and reports the setting that must be changed.
    fn check(&self) -> Result<(), SettingError> {
        let Err(error) = self.describe().build() else { return Ok(()) };
        let (key, variable, value) = match &error {
            CookieError::HostWithDomain if !self.domains.is_empty() => {
                ("domains", "DOMAINS", self.domains.join(", "))
            }
            CookieError::DomainAndDomains | CookieError::HostWithDomain => {
                ("domain", "DOMAIN", format!("{:?}", self.domain.as_deref().unwrap_or_default()))
            }
            CookieError::HostWithPath => ("path", "PATH", format!("{:?}", self.path)),
            CookieError::PrefixWithoutSecure { .. } => ("name", "NAME", format!("{:?}", self.sent_name())),
            CookieError::MaxSizeTooSmall { .. } => ("max_size", "MAX_SIZE", self.max_size.to_string()),
            CookieError::PrefixWithoutHttpOnly { .. } => {
                ("http_only", "HTTP_ONLY", self.http_only.to_string())
            }
            CookieError::SameSiteNoneWithoutSecure => ("same_site", "SAME_SITE", "none".to_owned()),
            CookieError::PartitionedWithoutSecure => {
                ("partitioned", "PARTITIONED", self.partitioned.to_string())
            }
            _ => return Err(ConfigError::Cookie(error).into()),
        };
        Err(SettingError::Refused {
            key: format!("cookie.{key} (SESSION_COOKIE_{variable})"),
            value,
            allowed: format!("what agrees with the cookie's other settings; {error}"),
        })
    }
}
