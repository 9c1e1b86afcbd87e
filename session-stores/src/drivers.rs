//! Drivers by name: the built-in ones and those registered by the application.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use session_core::store::SessionStore;

use crate::error::SettingError;
use crate::open::{BUILT_IN, open_built_in};
use crate::store_config::StoreConfig;

/// The cause for which a driver could not open its store.
pub type Cause = Box<dyn Error + Send + Sync>;

type Opening = Pin<Box<dyn Future<Output = Result<Arc<dyn SessionStore>, Cause>> + Send>>;
type Open = dyn Fn(StoreConfig) -> Opening + Send + Sync;

/// The drivers that a configuration can name: the built-in ones and those registered by the application.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_stores::SettingError> {
/// use session_stores::{Cause, Drivers, MemoryStore, SessionConfig};
///
/// let drivers = Drivers::new().register("shelf", |config| async move {
///     let boards = config.options.get("boards").map_or("3", |boards| boards.expose());
///     Ok::<_, Cause>(MemoryStore::builder().shards(boards.parse()?).build())
/// });
///
/// # let key = "9f1c31d5a8e24b7790be1d5c83fa2647c9d80e31b4f56a72183ce09d5fa7b264";
/// let variables = [("SESSION_DRIVER", "shelf"), ("SESSION_OPTION_BOARDS", "5"), ("SESSION_KEYS", key)];
/// let sessions = SessionConfig::from_vars(variables)?.into_sessions_with(&drivers).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Drivers {
    registered: BTreeMap<String, Arc<Open>>,
}

impl Drivers {
    /// Creates a set of the built-in drivers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a driver, or replaces a built-in one, for example `dynamodb` with the application's own client.
    ///
    /// Settings of the driver beyond the fields of [`StoreConfig`] are in its `options`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), session_stores::SettingError> {
    /// use session_stores::{Cause, Drivers, MemoryStore, StoreConfig};
    ///
    /// // From now on `memory` is a small one.
    /// let drivers = Drivers::new().register("memory", |config: StoreConfig| async move {
    ///     Ok::<_, Cause>(MemoryStore::builder().max_sessions(config.max_sessions.min(1_000)).build())
    /// });
    /// let store = drivers.open(&StoreConfig::new("memory")).await?;
    /// # assert_eq!(store.name(), "memory");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn register<F, S>(
        mut self,
        name: impl Into<String>,
        open: impl Fn(StoreConfig) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<S, Cause>> + Send + 'static,
        S: SessionStore,
    {
        let open = move |config| -> Opening {
            let opening = open(config);
            Box::pin(async move { Ok(Arc::new(opening.await?) as Arc<dyn SessionStore>) })
        };
        self.registered.insert(name.into(), Arc::new(open));
        self
    }

    /// Opens a store.
    ///
    /// # Errors
    /// [`SettingError::UnknownDriver`], [`SettingError::NotCompiled`], an error about a setting that the store does
    /// not accept, or [`SettingError::Store`] if the store could not be opened.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// use session_stores::{Drivers, SettingError, StoreConfig};
    ///
    /// let error = Drivers::new().open(&StoreConfig::new("rediss")).await.unwrap_err();
    /// assert!(matches!(error, SettingError::UnknownDriver { .. }));
    /// # }
    /// ```
    pub async fn open(&self, config: &StoreConfig) -> Result<Arc<dyn SessionStore>, SettingError> {
        let driver = &config.driver;
        if let Some(open) = self.registered.get(driver) {
            return open(config.clone())
                .await
                .map_err(|source| SettingError::Store { driver: driver.clone(), source });
        }
        if BUILT_IN.contains(&driver.as_str()) {
            return open_built_in(config).await;
        }
        let names: Vec<&str> =
            BUILT_IN.into_iter().chain(self.registered.keys().map(String::as_str)).collect();
        Err(SettingError::UnknownDriver { driver: driver.clone(), allowed: names.join(", ") })
    }
}

impl fmt::Debug for Drivers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drivers").field("registered", &self.registered.keys()).finish()
    }
}

/// Opens a store of a built-in driver.
///
/// # Errors
/// As for [`Drivers::open`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), session_stores::SettingError> {
/// use session_stores::{StoreConfig, open};
///
/// let store = open(&StoreConfig::from_url("memory")?).await?;
/// assert_eq!(store.name(), "memory");
/// # Ok(())
/// # }
/// ```
pub async fn open(config: &StoreConfig) -> Result<Arc<dyn SessionStore>, SettingError> {
    Drivers::new().open(config).await
}
