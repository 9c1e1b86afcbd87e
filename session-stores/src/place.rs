//! The URL in a store's configuration, checked against the schemes that the driver accepts.

#[cfg(any(
    feature = "redis",
    feature = "memcached",
    feature = "etcd",
    feature = "postgres",
    feature = "mysql",
    feature = "sqlite"
))]
pub(crate) use taken::{bad_url, url};

use crate::store_config::{StoreConfig, driver_of};

/// Returns the driver named by the scheme of the store's URL.
pub(crate) fn place_of(config: &StoreConfig) -> Option<&'static str> {
    let (scheme, _) = config.url.as_ref()?.expose().split_once(':')?;
    driver_of(scheme)
}

#[cfg(any(
    feature = "redis",
    feature = "memcached",
    feature = "etcd",
    feature = "postgres",
    feature = "mysql",
    feature = "sqlite"
))]
mod taken {
    use super::place_of;
    use crate::error::SettingError;
    use crate::store_config::{Secret, StoreConfig};

    /// Returns the URL if the driver accepts its scheme.
    pub(crate) fn url(
        config: &StoreConfig,
        driver: &str,
        default: Option<&str>,
    ) -> Result<String, SettingError> {
        match (config.url.as_ref().map(Secret::expose), default) {
            (Some(url), _) if url.starts_with("rediss") && !cfg!(feature = "redis-tls") => {
                let driver = format!("{driver} with TLS (rediss)");
                Err(SettingError::NotCompiled { driver, feature: "redis-tls" })
            }
            (Some(url), _) if place_of(config) == Some(driver) && !seems_unencoded(driver, url) => {
                Ok(url.to_owned())
            }
            (Some(url), _) if seems_unencoded(driver, url) => Err(unencoded_url(driver)),
            (Some(_), _) => Err(bad_url(driver)),
            (None, Some(default)) => Ok(default.to_owned()),
            (None, None) => {
                let (key, allowed) = url_setting(driver);
                Err(SettingError::Missing { key, allowed })
            }
        }
    }

    /// Whether a `#`, `/` or `?` of a password seems to end what comes before the `@`. Such a URL may be well-formed, with
    /// the user as host and the beginning of the password as port.
    fn seems_unencoded(driver: &str, url: &str) -> bool {
        let Some((_, rest)) = url.split_once("://").filter(|_| driver != "sqlite") else { return false };
        let Some(end) = rest.find(['/', '?', '#']).filter(|end| !rest[..*end].contains('@')) else {
            return false;
        };
        let (before_fragment, fragment) = rest[end..].split_once('#').unwrap_or((&rest[end..], ""));
        let (path, query) = before_fragment.split_once('?').unwrap_or((before_fragment, ""));
        // A parameter may hold an address, such as `user=ada@example.com`.
        let before_value = query.split(['=', '&']).next().unwrap_or_default();
        path.contains('@') || before_value.contains('@') || fragment.contains('@')
    }

    /// The error for a URL that the driver does not accept.
    pub(crate) fn bad_url(driver: &str) -> SettingError {
        let (key, allowed) = url_setting(driver);
        SettingError::RefusedSecret { key, allowed: format!("for the driver {driver}, {allowed}") }
    }

    /// The error for a URL whose password seems to end it.
    fn unencoded_url(driver: &str) -> SettingError {
        let (key, allowed) = url_setting(driver);
        let encoding = "user and password are percent-encoded, such as %23 for #";
        SettingError::RefusedSecret {
            key,
            allowed: format!("for the driver {driver}, {allowed}; {encoding}"),
        }
    }

    fn url_setting(driver: &str) -> (String, String) {
        let (variable, allowed) = match driver {
            "redis" => (
                "REDIS_URL",
                "redis://[user:password@]host[:port][/db] (rediss:// with the feature redis-tls)",
            ),
            "redis-cluster" => ("REDIS_URL", "redis-cluster://[user:password@]host:port,host:port"),
            "redis-sentinel" => {
                ("REDIS_URL", "redis-sentinel://[user:password@]host:port,host:port/service[/db]")
            }
            "memcached" => ("MEMCACHED_URL", "memcached://host:port"),
            "etcd" => ("ETCD_URL", "etcd://[user:password@]host:port[,host:port]"),
            "postgres" => ("DATABASE_URL", "postgres://user:password@host:port/database"),
            "mysql" => ("DATABASE_URL", "mysql://user:password@host:port/database"),
            _ => ("DATABASE_URL", "sqlite:PATH"),
        };
        (format!("url ({variable})"), allowed.to_owned())
    }
}
