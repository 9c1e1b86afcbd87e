//! Applies environment variables to a configuration, and suggests names for misspelled variables.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::config::SessionConfig;
use crate::error::SettingError;
use crate::service_links::is_service_link;
use crate::settings::SETTINGS;
use crate::store_config::StoreConfig;
use crate::store_settings::STORE_SETTINGS;
use crate::value::Value;

impl SessionConfig {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// [`SettingError`] for the first invalid variable. An unknown variable that begins with `SESSION_` is an error,
    /// except `SESSION_MANAGER`, which desktop environments set, `SESSION_TEST_…`, and what Kubernetes sets for a service
    /// whose name begins with `session` (`SESSION_REDIS_SERVICE_HOST=10.0.0.11`, `SESSION_REDIS_PORT=tcp://10.0.0.11:6379`).
    ///
    /// ```no_run
    /// let config = session_stores::SessionConfig::from_env()?;
    /// # Ok::<(), session_stores::SettingError>(())
    /// ```
    pub fn from_env() -> Result<Self, SettingError> {
        Self::default().with_env()
    }

    /// Applies the environment of this process to an existing configuration, for example one read from a file.
    ///
    /// # Errors
    /// As for [`from_env`](Self::from_env).
    ///
    /// ```no_run
    /// use session_stores::SessionConfig;
    ///
    /// // A file says how this application is; the environment what is different here.
    /// let file: SessionConfig = toml::from_str(&std::fs::read_to_string("sessions.toml")?)?;
    /// let config = file.with_env()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_env(self) -> Result<Self, SettingError> {
        let text = |text: OsString| text.into_string();
        let mut vars = Vec::new();
        for (name, value) in std::env::vars_os() {
            let Ok(name) = text(name) else { continue };
            match text(value) {
                Ok(value) => vars.push((name, value)),
                Err(_) if name.starts_with(OURS) => {
                    return Err(SettingError::RefusedSecret { key: name, allowed: "UTF-8".to_owned() });
                }
                Err(_) => {}
            }
        }
        self.with_vars(vars)
    }

    /// Reads only the given variables; all other settings keep their defaults.
    ///
    /// # Errors
    /// As for [`from_env`](Self::from_env).
    ///
    /// ```
    /// use session_stores::SessionConfig;
    ///
    /// let error = SessionConfig::from_vars([("SESSION_COOKIE_SAMESITE", "lax")]).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "unknown setting SESSION_COOKIE_SAMESITE (did you mean SESSION_COOKIE_SAME_SITE?); \
    ///      docs/configuration.md lists all settings"
    /// );
    /// ```
    pub fn from_vars<N: Into<String>, V: Into<String>>(
        vars: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, SettingError> {
        Self::default().with_vars(vars)
    }

    /// Applies the given variables to an existing configuration.
    ///
    /// # Errors
    /// As for [`from_env`](Self::from_env).
    ///
    /// ```
    /// use session_stores::SessionConfig;
    ///
    /// let file: SessionConfig = toml::from_str("age = \"2h\"\ndriver = \"memory\"")?;
    /// let config = file.with_vars([("SESSION_AGE", "15 min")])?;
    /// assert_eq!((config.age.as_secs(), config.driver.as_deref()), (900, Some("memory")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_vars<N: Into<String>, V: Into<String>>(
        mut self,
        vars: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, SettingError> {
        let vars = vars.into_iter().map(|(name, value)| (name.into(), value.into()));
        let vars: BTreeMap<String, Value> = vars
            .filter(|(name, value)| !is_service_link(name, value))
            .map(|(name, value)| (name, Value::Text(value)))
            .collect();
        vars.keys().try_for_each(|name| check_name(name))?;
        for setting in SETTINGS {
            let mut names = vec![setting.variable];
            if setting.key == "keys" {
                names.push(APP_KEY);
            }
            if let Some((name, value)) = names.into_iter().find_map(|name| vars.get_key_value(name)) {
                setting.apply(name, &mut self, value)?;
            }
        }
        self.take_store(&vars)?;
        self.take_old_store(&vars)?;
        Ok(self)
    }

    /// Applies the variables of the selected store, or, with sessions in cookies, of the store of revocations.
    /// Variables of other stores are validated if they begin with `SESSION_`, and otherwise ignored: an environment
    /// may describe several stores, one of which the driver selects.
    fn take_store(&mut self, vars: &BTreeMap<String, Value>) -> Result<(), SettingError> {
        let described =
            |name: &String| self.stores.get(name).cloned().unwrap_or_else(|| StoreConfig::new(name));
        let mut chosen = self.driver.clone();
        let mut store = chosen.as_ref().map_or_else(|| StoreConfig::new(""), described);
        if let ("cookie", Some(name)) = (store.driver.as_str(), &self.revocations) {
            store = described(name);
            chosen = Some(name.clone());
        }
        let is_built_in = crate::open::BUILT_IN.contains(&store.driver.as_str());
        for setting in STORE_SETTINGS {
            let found = setting.variables.iter().find_map(|name| vars.get_key_value(*name));
            let Some((name, value)) = found else { continue };
            if setting.is_for(&store.driver) || !is_built_in && name.starts_with(OURS) {
                setting.apply(name, &mut store, value)?;
            } else if name.starts_with(OURS) {
                setting.apply(name, &mut StoreConfig::new(""), value)?;
            }
        }
        for (name, value) in vars {
            if let (Some(option), Value::Text(text)) = (name.strip_prefix(OPTION), value) {
                if is_built_in {
                    let drivers = "drivers that the application registers".to_owned();
                    return Err(SettingError::Foreign { key: name.clone(), driver: store.driver, drivers });
                }
                store.options.insert(option.to_ascii_lowercase(), text.as_str().into());
            }
        }
        if let Some(name) = chosen {
            self.stores.insert(name, store);
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), SettingError> {
    let known = || {
        let of_stores = STORE_SETTINGS.iter().flat_map(|setting| setting.variables).copied();
        SETTINGS.iter().map(|setting| setting.variable).chain(of_stores)
    };
    let ours = name.starts_with(OURS) && name != DESKTOP && !name.starts_with(TESTS);
    if !ours
        || known().any(|variable| variable == name)
        || name.len() > OPTION.len() && name.starts_with(OPTION)
    {
        return Ok(());
    }
    Err(SettingError::Unknown { key: name.to_owned(), hint: hint(name, known()) })
}

/// Returns ` (did you mean NAME?)` if a known name is similar, or an empty string.
pub(crate) fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    // All names share the prefix, so it says nothing about similarity.
    let rest = name.strip_prefix(OURS).unwrap_or(name);
    known
        .map(|candidate| (distance(name, candidate), candidate))
        .min()
        .filter(|(steps, _)| *steps <= 3 && *steps < name.len() / 2 && 2 * steps <= rest.len() + 1)
        .map_or_else(String::new, |(_, candidate)| format!(" (did you mean {candidate}?)"))
}

/// Returns the edit distance of two names.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.bytes().enumerate() {
        let mut diagonal = at;
        row[0] = at + 1;
        for (place, wanted) in other.bytes().enumerate() {
            let changed = diagonal + usize::from(letter != wanted);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

const OURS: &str = "SESSION_";
const OPTION: &str = "SESSION_OPTION_";
const TESTS: &str = "SESSION_TEST_";
const DESKTOP: &str = "SESSION_MANAGER";
const APP_KEY: &str = "APP_KEY";
