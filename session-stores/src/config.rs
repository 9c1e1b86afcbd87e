//! The configuration of sessions, read from a file with `serde` or from the environment.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};
use session_core::{Age, SameSite, SecretKey, store::DEFAULT_MAX_RECORD};

use crate::device::DeviceBindingMode;
use crate::error::SettingError;
use crate::migrate::MigrateConfig;
use crate::node::Node;
use crate::overlay::hint;
use crate::settings::SETTINGS;
use crate::store_config::StoreConfig;
use crate::store_settings::STORE_SETTINGS;
use crate::value::Value;

/// The configuration of sessions. Read it from the environment with [`from_env`](Self::from_env), from a file with
/// `serde`, or from a file overridden by the environment with [`with_env`](Self::with_env).
///
/// Unknown keys are errors, in files and in variables. [`SETTINGS`] and [`STORE_SETTINGS`] describe every key.
///
/// ```
/// use session_stores::SessionConfig;
///
/// let config: SessionConfig = toml::from_str(
///     r#"
///     driver = "carts"
///     age = "30 min"
///
///     [cookie]
///     name = "__Host-shop"
///     same_site = "strict"
///
///     [stores.carts]
///     driver = "memory"
///     max_sessions = 50000
///     "#,
/// )?;
/// assert_eq!(config.age.as_secs(), 1_800);
/// assert_eq!(config.store()?.driver, "memory");
///
/// let error = toml::from_str::<SessionConfig>("age = \"500ms\"").unwrap_err();
/// assert!(error.message().starts_with("age = \"500ms\" is not allowed; allowed: whole seconds"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionConfig {
    /// Whether sessions are enabled.
    pub enabled: bool,
    /// The name of a table in `stores`, or of a driver.
    pub driver: Option<String>,
    /// For sessions in cookies: the store that records ended sessions, named as in `driver`.
    pub revocations: Option<String>,
    /// The secret keys; the first seals, all open.
    pub keys: Vec<SecretKey>,
    /// The idle timeout.
    pub age: Age,
    /// The absolute lifetime; `None` for none.
    pub absolute: Option<Age>,
    /// Whether the cookie is removed when the browser closes.
    pub clear_with_browser: bool,
    /// Whether every visit opens its session.
    pub eager: bool,
    /// Whether changes of data are written even if the response is a 5xx.
    pub commit_on_error: bool,
    /// Whether records in the store are encrypted.
    pub encrypt: bool,
    /// The maximum size of a session, in bytes.
    pub max_record: usize,
    /// How long the tombstone of an ended session is kept.
    pub tombstone: Age,
    /// How long a commit retries after conflicts.
    pub contention: Duration,
    /// The purpose that is sealed into the cookie.
    pub purpose: Option<String>,
    /// Form fields that are not kept as old input; `None` for the default list.
    pub secret_fields: Option<Vec<String>>,
    /// Other hosts that a redirect may lead to, over `https`.
    pub redirect_hosts: Vec<String>,
    /// Whether a redirect may lead to these hosts over plain `http` as well.
    pub redirect_over_http: bool,
    /// Whether pages of users, and pages with a CSRF token, are kept out of every cache.
    pub private_pages: bool,
    /// Whether the CSRF token is also set as the cookie `XSRF-TOKEN`.
    pub xsrf_cookie: bool,
    /// Whether sessions are bound to the device that signs in.
    pub device_binding: DeviceBindingMode,
    /// The paths that require the proof; empty for all.
    pub device_binding_paths: Vec<String>,
    /// How long one proof of the device lasts.
    pub device_binding_refresh: Age,
    /// Whether the device's key may be an RSA key.
    pub device_binding_rs256: bool,
    /// The cookie.
    pub cookie: CookieConfig,
    /// The store that sessions are moved from.
    pub migrate: MigrateConfig,
    /// The stores, by name.
    pub stores: BTreeMap<String, StoreConfig>,
}

/// The configuration of the cookie.
///
/// ```
/// use session_stores::SessionConfig;
///
/// let config: SessionConfig = toml::from_str("[cookie]\npath = \"/shop\"\nname = \"shop\"")?;
/// assert_eq!((config.cookie.path.as_str(), config.cookie.secure), ("/shop", true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CookieConfig {
    /// The name; `None` for the safest one that the other attributes allow.
    pub name: Option<String>,
    /// The `Path` attribute.
    pub path: String,
    /// The `Domain` attribute.
    pub domain: Option<String>,
    /// The domains of which each request's cookie gets the one that its host belongs to.
    pub domains: Vec<String>,
    /// The `HttpOnly` attribute.
    pub http_only: bool,
    /// The `Secure` attribute.
    pub secure: bool,
    /// The `SameSite` attribute.
    pub same_site: SameSite,
    /// The `Partitioned` attribute.
    pub partitioned: bool,
    /// How long the cookie may be in bytes, with its name, value and attributes.
    pub max_size: usize,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            driver: None,
            revocations: None,
            keys: Vec::new(),
            age: Age::from_secs(2 * 60 * 60).expect("two hours are an age"),
            absolute: Some(Age::from_secs(24 * 60 * 60).expect("a day is an age")),
            clear_with_browser: true,
            eager: false,
            commit_on_error: false,
            encrypt: false,
            max_record: DEFAULT_MAX_RECORD,
            tombstone: Age::from_secs(60).expect("a minute is an age"),
            contention: Duration::from_secs(2),
            purpose: None,
            secret_fields: None,
            redirect_hosts: Vec::new(),
            redirect_over_http: false,
            private_pages: false,
            xsrf_cookie: false,
            device_binding: DeviceBindingMode::Off,
            device_binding_paths: Vec::new(),
            device_binding_refresh: Age::from_secs(300).expect("five minutes are an age"),
            device_binding_rs256: false,
            cookie: CookieConfig::default(),
            migrate: MigrateConfig::default(),
            stores: BTreeMap::new(),
        }
    }
}

impl Default for CookieConfig {
    fn default() -> Self {
        Self {
            name: None,
            path: "/".to_owned(),
            domain: None,
            domains: Vec::new(),
            http_only: true,
            secure: true,
            same_site: SameSite::Lax,
            partitioned: false,
            max_size: 4096,
        }
    }
}

impl SessionConfig {
    /// Returns the configuration of the store that `driver` selects: the table of that name under `stores`, or else
    /// the driver of that name with its defaults.
    ///
    /// # Errors
    /// [`SettingError::Missing`] if no driver is set.
    ///
    /// ```
    /// use session_stores::SessionConfig;
    ///
    /// let config = SessionConfig::from_vars([("SESSION_DRIVER", "file"), ("SESSION_FILE_LOCATION", "/var/lib/shop")])?;
    /// assert_eq!(config.store()?.location.unwrap().to_str(), Some("/var/lib/shop"));
    /// # Ok::<(), session_stores::SettingError>(())
    /// ```
    pub fn store(&self) -> Result<StoreConfig, SettingError> {
        let driver = self.driver.as_ref().ok_or_else(|| missing("driver"))?;
        self.named_store(driver)
    }

    /// Returns the configuration of the store with this name under `stores`, or else of the driver with this name and
    /// its defaults.
    ///
    /// # Errors
    /// Currently none: an unknown name is detected when the store is opened.
    ///
    /// ```
    /// use session_stores::SessionConfig;
    ///
    /// let config: SessionConfig = toml::from_str(
    ///     r#"
    ///     driver = "memory"
    ///
    ///     [stores.carts]
    ///     driver = "file"
    ///     location = "/var/lib/carts"
    ///     "#,
    /// )?;
    /// // Of two stores side by side, the one that `driver` does not choose.
    /// assert_eq!(config.named_store("carts")?.driver, "file");
    /// // No table of that name: the driver itself, with its defaults.
    /// assert_eq!(config.named_store("memory")?.max_sessions, 1_000_000);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn named_store(&self, name: &str) -> Result<StoreConfig, SettingError> {
        let mut store = self.stores.get(name).cloned().unwrap_or_else(|| StoreConfig::new(name));
        store.max_record.get_or_insert(self.max_record);
        Ok(store)
    }

    /// Converts a parsed file.
    pub(crate) fn from_node(node: Node) -> Result<Self, SettingError> {
        let mut config = Self::default();
        let Node::Table(table) = node else { return Err(not_a_table("the configuration")) };
        for (name, node) in table {
            match (name.as_str(), node) {
                ("stores", Node::Table(stores)) => {
                    for (name, node) in stores {
                        let store = read_store(&name, node)?;
                        config.stores.insert(name, store);
                    }
                }
                ("stores", Node::Value(_)) => return Err(not_a_table("stores")),
                ("cookie" | "migrate", Node::Table(settings)) => {
                    for (setting, node) in settings {
                        config.take(format!("{name}.{setting}"), node)?;
                    }
                }
                (_, node) => config.take(name, node)?,
            }
        }
        Ok(config)
    }

    fn take(&mut self, key: String, node: Node) -> Result<(), SettingError> {
        let setting = SETTINGS.iter().find(|setting| setting.key == key);
        match (setting, node) {
            (Some(setting), Node::Value(value)) => setting.apply(&key, self, &value),
            (Some(setting), Node::Table(_)) => setting.apply(&key, self, &Value::Other("a table".to_owned())),
            (None, _) if matches!(key.as_str(), "cookie" | "migrate") => Err(not_a_table(&key)),
            (None, _) => {
                let hint = hint(&key, SETTINGS.iter().map(|setting| setting.key));
                Err(SettingError::Unknown { key, hint })
            }
        }
    }
}

impl<'de> Deserialize<'de> for SessionConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_node(Node::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for StoreConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = Node::deserialize(deserializer)?;
        if !matches!(&node, Node::Table(table) if table.contains_key("driver")) {
            return Err(D::Error::custom(missing("driver")));
        }
        read_store("", node).map_err(D::Error::custom)
    }
}

/// Reads one table under `stores`. The driver defaults to the name of the table.
fn read_store(name: &str, node: Node) -> Result<StoreConfig, SettingError> {
    let path = |key: &str| if name.is_empty() { key.to_owned() } else { format!("stores.{name}.{key}") };
    let Node::Table(mut table) = node else { return Err(not_a_table(&format!("stores.{name}"))) };
    let driver = match table.remove("driver") {
        None => name.to_owned(),
        Some(Node::Value(Value::Text(driver))) if !driver.is_empty() => driver,
        Some(_) => {
            let allowed = "the name of a driver".to_owned();
            return Err(SettingError::Refused {
                key: path("driver"),
                value: "a value of another type".to_owned(),
                allowed,
            });
        }
    };
    let mut store = StoreConfig::new(driver);
    let is_built_in = crate::open::BUILT_IN.contains(&store.driver.as_str());
    for (key, node) in table {
        if let ("options", Node::Table(options), false) = (key.as_str(), &node, is_built_in) {
            for (option, node) in options {
                let Node::Value(Value::Text(text)) = node else {
                    let allowed = "a string".to_owned();
                    return Err(SettingError::RefusedSecret {
                        key: path(&format!("options.{option}")),
                        allowed,
                    });
                };
                store.options.insert(option.clone(), text.as_str().into());
            }
            continue;
        }
        let mut known = STORE_SETTINGS.iter().filter(|setting| setting.key == key).peekable();
        if known.peek().is_none() {
            let hint = hint(&key, STORE_SETTINGS.iter().map(|setting| setting.key));
            return Err(SettingError::Unknown { key: path(&key), hint });
        }
        let fits = known.clone().find(|setting| !is_built_in || setting.is_for(&store.driver));
        let Some(setting) = fits else {
            let drivers: Vec<&str> = known.flat_map(|setting| setting.drivers).copied().collect();
            return Err(SettingError::Foreign {
                key: path(&key),
                driver: store.driver,
                drivers: drivers.join(", "),
            });
        };
        let Node::Value(value) = node else {
            return Err(SettingError::Unknown { key: path(&key), hint: String::new() });
        };
        setting.apply(&path(&key), &mut store, &value)?;
    }
    Ok(store)
}

/// The error for a missing required setting, with its key and its variable.
pub(crate) fn missing(key: &str) -> SettingError {
    let setting = SETTINGS.iter().find(|setting| setting.key == key);
    let (variable, allowed) = setting.map_or(("", ""), |setting| (setting.variable, setting.allowed));
    SettingError::Missing { key: format!("{key} ({variable})"), allowed: allowed.to_owned() }
}

fn not_a_table(key: &str) -> SettingError {
    SettingError::Refused {
        key: key.to_owned(),
        value: "a value of another type".to_owned(),
        allowed: "a table of settings".to_owned(),
    }
}
