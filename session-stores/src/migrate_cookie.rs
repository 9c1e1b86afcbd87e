//! The configuration of a cookie's change: the cookie as it was, and until when it is recognised.

use session_core::{OldCookie, SessionsBuilder, Timestamp};

use crate::config::{CookieConfig, SessionConfig, missing};
use crate::drivers::Drivers;
use crate::error::{Problem, SettingError};
use crate::value::Value;

impl SessionConfig {
    /// Adds the earlier configuration of the cookie to the builder, if there is one.
    pub(crate) async fn with_old_cookie(
        &self,
        builder: SessionsBuilder,
        drivers: &Drivers,
    ) -> Result<SessionsBuilder, SettingError> {
        let migrate = &self.migrate;
        let Some(until) = migrate.until else {
            let names = [&migrate.cookie_name, &migrate.cookie_path, &migrate.cookie_domain];
            return match names.into_iter().any(Option::is_some) {
                true => Err(missing("migrate.until")),
                false => Ok(builder),
            };
        };
        let cookie = CookieConfig {
            name: migrate.cookie_name.clone(),
            path: migrate.cookie_path.clone().unwrap_or_else(|| "/".to_owned()),
            domain: migrate.cookie_domain.clone(),
            domains: Vec::new(),
            ..self.cookie.clone()
        };
        let old = OldCookie::new(cookie.describe());
        let (is_in_cookie, from) = (self.store()?.driver == "cookie", self.described_from()?);
        let builder = match from {
            Some(from) if from.driver == "cookie" && !is_in_cookie => {
                let old = match self.revocations()? {
                    Some(list) => old.shared_revocations(drivers.open(&list).await?),
                    None => old.in_cookie(),
                };
                builder.migrate_from_cookie(old, until)
            }
            Some(from) if from.driver != "cookie" && is_in_cookie => {
                let old = old.shared_store(drivers.open(&from).await?).encrypt_at_rest(self.encrypt);
                // A cookie is always encrypted; the setting is about the store.
                builder.encrypt_at_rest(false).migrate_from_cookie(old, until)
            }
            Some(_) | None => builder.migrate_from_cookie(old, until),
        };
        Ok(builder)
    }
}

/// Parses a date, or a date and time in UTC.
pub(crate) fn moment(value: &Value) -> Result<Timestamp, Problem> {
    let text = value.text()?;
    let text = if text.len() == "2027-01-31".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
    let at = humantime::parse_rfc3339(&text).map_err(|_| Problem::Refused)?;
    let since = at.duration_since(std::time::UNIX_EPOCH).map_err(|_| Problem::Refused)?;
    i64::try_from(since.as_millis()).map(Timestamp::from_millis).map_err(|_| Problem::Refused)
}

pub(crate) const MOMENT: &str = "a date such as 2027-01-31, or a time such as 2027-01-31T18:00:00Z";
