//! The configuration of a migration: the store that sessions are moved from, and its settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use session_core::Timestamp;
use session_core::store::{MigratingStore, SessionStore};

use crate::config::SessionConfig;
use crate::drivers::Drivers;
use crate::error::{Problem, SettingError};
use crate::open::BUILT_IN;
use crate::reading::name;
use crate::store_config::{Secret, StoreConfig};
use crate::store_settings::STORE_SETTINGS;
use crate::value::Value;

/// The configuration of a migration from one store to another.
///
/// ```
/// use session_stores::SessionConfig;
///
/// let config = SessionConfig::from_vars([
///     ("SESSION_DRIVER", "redis"),
///     ("SESSION_MIGRATE_FROM", "file"),
///     ("SESSION_FILE_LOCATION", "/var/lib/shop"),
/// ])?;
/// let old = config.old_store()?.unwrap();
/// assert_eq!(old.driver, "file");
/// assert_eq!(old.location.unwrap().to_str(), Some("/var/lib/shop"));
/// # Ok::<(), session_stores::SettingError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct MigrateConfig {
    /// The store that sessions are moved from: the name of a table in `stores`, of a driver, or a URL.
    pub from: Option<Secret>,
    /// The prefix of its store keys, if it is not the one of other stores.
    pub prefix: Option<String>,
    /// Its table, if it has not the name of other stores' tables.
    pub table: Option<String>,
    /// Whether sessions stay in the old store: the first deployment of a migration.
    pub standby: bool,
    /// The cookie's earlier name; `None` for the one that it has by default.
    pub cookie_name: Option<String>,
    /// The cookie's earlier path; `None` for `/`.
    pub cookie_path: Option<String>,
    /// The cookie's earlier domain; `None` for a host-only cookie.
    pub cookie_domain: Option<String>,
    /// Until when the cookie of the earlier configuration is recognised; `None` if there is no earlier configuration.
    pub until: Option<Timestamp>,
    /// The old store with the variables of its driver.
    with_vars: Option<Box<StoreConfig>>,
}

impl SessionConfig {
    /// Returns the configuration of the store that sessions are moved from to another store, or `None` if there is no such
    /// migration.
    ///
    /// # Errors
    /// [`SettingError::Refused`] if it is the store that `driver` selects, or if either is the driver `cookie` and it is not
    /// said until when ([`MigrateConfig::until`]).
    pub fn old_store(&self) -> Result<Option<StoreConfig>, SettingError> {
        let Some(old) = self.described_from()? else { return Ok(None) };
        let new = self.store()?;
        let refused = |allowed: &str| {
            let (key, allowed) = ("migrate.from (SESSION_MIGRATE_FROM)".to_owned(), allowed.to_owned());
            Err(SettingError::RefusedSecret { key, allowed })
        };
        if old.driver == "cookie" || new.driver == "cookie" {
            return match self.migrate.until {
                Some(_) => Ok(None),
                None => refused(
                    "a store, for sessions in a store; sessions in cookies are moved as long as SESSION_MIGRATE_UNTIL says",
                ),
            };
        }
        if is_same(&old, &new) {
            return refused("another store than the one that `driver` (SESSION_DRIVER) selects");
        }
        Ok(Some(old))
    }

    /// Returns what sessions are moved from: a store, or the driver `cookie`.
    pub(crate) fn described_from(&self) -> Result<Option<StoreConfig>, SettingError> {
        let Some(from) = &self.migrate.from else { return Ok(None) };
        let mut old = match &self.migrate.with_vars {
            Some(old) => (**old).clone(),
            None => self.described_old(from)?,
        };
        old.max_record.get_or_insert(self.max_record);
        if let Some(prefix) = &self.migrate.prefix {
            old.prefix.clone_from(prefix);
        }
        if let Some(table) = &self.migrate.table {
            old.table.clone_from(table);
        }
        Ok(Some(old))
    }

    fn described_old(&self, from: &Secret) -> Result<StoreConfig, SettingError> {
        match from.expose() {
            name if is_name(name) => {
                Ok(self.stores.get(name).cloned().unwrap_or_else(|| StoreConfig::new(name)))
            }
            url => StoreConfig::from_url(url),
        }
    }

    /// Applies the variables of the old store's driver.
    pub(crate) fn take_old_store(&mut self, vars: &BTreeMap<String, Value>) -> Result<(), SettingError> {
        let Some(from) = &self.migrate.from else { return Ok(()) };
        let mut old = self.described_old(from)?;
        let has_place = old.url.is_some() || old.location.is_some() || old.endpoint.is_some();
        let new = self.driver.as_ref().map_or_else(String::new, |name| {
            self.stores.get(name).map_or_else(|| name.clone(), |store| store.driver.clone())
        });
        let driver = old.driver.clone();
        for setting in STORE_SETTINGS.iter().filter(|setting| setting.is_for(&driver)) {
            let found = setting.variables.iter().find_map(|name| vars.get_key_value(*name));
            let Some((variable, value)) = found else { continue };
            let is_place = matches!(setting.key, "url" | "location" | "endpoint");
            if is_place && has_place {
                continue;
            }
            if is_place && setting.is_for(&new) {
                return Err(SettingError::RefusedSecret {
                    key: "SESSION_MIGRATE_FROM".to_owned(),
                    allowed: format!("the URL of the old store, because {variable} is where the new one is"),
                });
            }
            setting.apply(variable, &mut old, value)?;
        }
        self.migrate.with_vars = Some(Box::new(old));
        Ok(())
    }

    /// Opens the store of `driver`, or both stores of a migration as one.
    pub(crate) async fn open_store(&self, drivers: &Drivers) -> Result<Arc<dyn SessionStore>, SettingError> {
        let old = self.old_store()?;
        let new = drivers.open(&self.store()?).await?;
        let Some(old) = old else { return Ok(new) };
        let old = drivers.open(&old).await.map_err(|error| match error {
            SettingError::UnknownDriver { driver, allowed } => SettingError::Refused {
                key: "migrate.from (SESSION_MIGRATE_FROM)".to_owned(),
                value: format!("{driver:?}"),
                allowed: format!("{allowed}, the name of a table under [stores], or the URL of a store"),
            },
            error => error,
        })?;
        let store = MigratingStore::shared(new, old);
        Ok(Arc::new(if self.migrate.standby { store.standby() } else { store }))
    }
}

/// Whether two configurations are one store.
fn is_same(old: &StoreConfig, new: &StoreConfig) -> bool {
    let is_built_in = BUILT_IN.contains(&old.driver.as_str());
    old.driver == new.driver
        && (old.url == new.url && old.location == new.location && old.endpoint == new.endpoint)
        && (old.prefix == new.prefix && old.table == new.table)
        && (is_built_in || old.options.len() == new.options.len())
}

fn is_name(text: &str) -> bool {
    !text.contains(':')
}

pub(crate) fn from(value: &Value) -> Result<Secret, Problem> {
    let text = value.text()?;
    match is_name(text) {
        true => name(value).map(Secret::from),
        false => StoreConfig::from_url(text).map(|_| text.into()).map_err(|_| Problem::Refused),
    }
}

pub(crate) const FROM: &str = "a driver, the name of a table under [stores], or a URL such as file:DIR, \
                               redis://HOST:PORT, postgres://USER@HOST:PORT/DATABASE, sqlite:PATH";
