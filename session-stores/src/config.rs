//! All that may be configured about sessions, read from a file by `serde` or from the environment.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error as _};
use session_core::{Age, SameSite, SecretKey, store::DEFAULT_MAX_RECORD};

use crate::error::SettingError;
use crate::node::Node;
use crate::overlay::hint;
use crate::settings::SETTINGS;
use crate::store_config::StoreConfig;
use crate::store_settings::STORE_SETTINGS;
use crate::value::Value;

/// The configuration of sessions. Start from [`from_env`](Self::from_env), from a file, or from both: a file first and
/// the environment [over it](Self::with_env).
///
/// Unknown keys are errors, in files as in variables. What every key means is in [`SETTINGS`] and [`STORE_SETTINGS`].
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
    /// Whether there are sessions at all.
    pub enabled: bool,
    /// The name of a table in `stores`, or of a driver.
    pub driver: Option<String>,
    /// The store in which ended sessions are noted, where sessions live in cookies: a name as for `driver`.
    pub revocations: Option<String>,
    /// The keys; the first seals.
    pub keys: Vec<SecretKey>,
    /// How long a session may lie unused.
    pub age: Age,
    /// How long it may live in all; `None` for as long as it is used.
    pub absolute: Option<Age>,
    /// Whether the cookie ends with the browser.
    pub clear_with_browser: bool,
    /// Open every visit.
    pub eager: bool,
    /// Write data changes even when the response is a 5xx.
    pub commit_on_error: bool,
    /// Seal what the store keeps.
    pub encrypt: bool,
    /// The largest session in bytes.
    pub max_record: usize,
    /// How long an ended session is remembered as ended.
    pub tombstone: Age,
    /// How long a commit may go on replaying.
    pub contention: Duration,
    /// What these sessions are for.
    pub purpose: Option<String>,
    /// Form fields that are never flashed back; `None` for the usual ones.
    pub secret_fields: Option<Vec<String>>,
    /// Hosts that an intended URL may lead to.
    pub redirect_hosts: Vec<String>,
    /// The cookie.
    pub cookie: CookieConfig,
    /// Stores by name.
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
    /// Its name; `None` for the safest that goes with the rest.
    pub name: Option<String>,
    /// The path below which browsers send it.
    pub path: String,
    /// The domain it is shared with.
    pub domain: Option<String>,
    /// Hidden from scripts.
    pub http_only: bool,
    /// Over HTTPS only.
    pub secure: bool,
    /// With requests that other sites cause.
    pub same_site: SameSite,
    /// One for each top-level site.
    pub partitioned: bool,
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
            cookie: CookieConfig::default(),
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
            http_only: true,
            secure: true,
            same_site: SameSite::Lax,
            partitioned: false,
        }
    }
}

impl SessionConfig {
    /// The store that `driver` chooses: the table of that name under `stores`, or else that driver with its defaults.
    ///
    /// # Errors
    /// [`SettingError::Missing`] when no driver is chosen.
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

    /// The store of this name under `stores`, or else the driver of this name with its defaults.
    ///
    /// # Errors
    /// None today; a name that is neither is found when the store is opened.
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

    /// Reads a whole file.
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
                ("cookie", Node::Table(cookie)) => {
                    for (name, node) in cookie {
                        config.take(format!("cookie.{name}"), node)?;
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
            (None, _) if key == "cookie" => Err(not_a_table("cookie")),
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

/// One table under `stores`; its driver has the table's name unless another is said.
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
                value: "what is there".to_owned(),
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
                    let allowed = "a text".to_owned();
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

/// A setting that must be there, by both of its names.
pub(crate) fn missing(key: &str) -> SettingError {
    let setting = SETTINGS.iter().find(|setting| setting.key == key);
    let (variable, allowed) = setting.map_or(("", ""), |setting| (setting.variable, setting.allowed));
    SettingError::Missing { key: format!("{key} ({variable})"), allowed: allowed.to_owned() }
}

fn not_a_table(key: &str) -> SettingError {
    SettingError::Refused {
        key: key.to_owned(),
        value: "what is there".to_owned(),
        allowed: "a table of settings".to_owned(),
    }
}
