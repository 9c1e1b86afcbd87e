//! What the environment and the command line say: sessions, framework, address.

use std::time::Duration;

use clap::{Parser, ValueEnum};
use session_core::{SecretKey, Sessions};
use session_stores::{DeviceBindingMode, SessionConfig, SettingError, StoreConfig};

use crate::seen::Seen;

/// Everything that is decided before the first request.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) sessions: SessionConfig,
    pub(crate) adapter: Adapter,
    pub(crate) listen: String,
    pub(crate) confirm_after: Duration,
    /// Whether the shop speaks HTTPS, and binds sessions to devices.
    pub(crate) https: bool,
}

/// A small shop: what a session does, in a browser.
#[derive(Debug, Parser)]
#[command(name = "shop", version, after_help = VARIABLES)]
pub(crate) struct Flags {
    /// Where to listen; over SHOP_ADDR, which is 127.0.0.1:3000 unless said.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The framework that serves.
    #[arg(long, value_enum, default_value_t = Adapter::Axum)]
    adapter: Adapter,
    /// Speak HTTPS with a certificate made at start, and bind sessions to the browser that signs in.
    #[arg(long)]
    https: bool,
}

/// Which framework serves the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Adapter {
    Axum,
    Actix,
    Hyper,
}

/// The configuration cannot be used; nothing was started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigProblem {
    #[error("the sessions cannot be set up")]
    Sessions(#[from] SettingError),
    #[error("SHOP_CONFIRM_AFTER={0:?} is not a number of seconds")]
    ConfirmAfter(String),
}

impl Config {
    /// Reads the command line, the shop's own variables and, over the shop's defaults, those of the sessions.
    pub(crate) fn read(
        flags: Flags,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigProblem> {
        let variables: Vec<(String, String)> =
            variables.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let set =
            |name: &str| variables.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let confirm_after = match set("SHOP_CONFIRM_AFTER") {
            None => CONFIRM_AFTER,
            Some(given) => match given.parse() {
                Ok(seconds) => Duration::from_secs(seconds),
                Err(_) => return Err(ConfigProblem::ConfirmAfter(given)),
            },
        };
        let Flags { listen, adapter, https } = flags;
        let listen = listen.or_else(|| set("SHOP_ADDR")).unwrap_or_else(|| "127.0.0.1:3000".to_owned());
        Ok(Self { sessions: defaults(https).with_vars(variables)?, adapter, listen, confirm_after, https })
    }

    /// Where sessions live, by the driver's name.
    pub(crate) fn driver(&self) -> &str {
        self.sessions.driver.as_deref().unwrap_or(COOKIE)
    }

    /// Opens the store and makes the sessions, which tell this observer. Without keys one is made up, of which the log says
    /// so.
    pub(crate) async fn into_sessions(mut self, seen: Seen) -> Result<Sessions, Box<dyn std::error::Error>> {
        if self.sessions.keys.is_empty() {
            eprintln!(
                "shop: SESSION_KEYS is not set: this key is made up, and every session ends with this process"
            );
            self.sessions.keys.push(SecretKey::generate()?);
        }
        Ok(self.sessions.into_builder().await?.observer(seen).build()?)
    }
}

/// The demo speaks plain HTTP on the loopback, unless it is told otherwise. A real shop leaves the cookie alone and gets
/// `__Host-sid; Secure`.
fn defaults(https: bool) -> SessionConfig {
    let mut config = SessionConfig::default();
    config.driver = Some(COOKIE.to_owned());
    if https {
        config.cookie.name = Some("__Host-shop".to_owned());
        config.device_binding = DeviceBindingMode::Require;
    } else {
        config.cookie.name = Some("shop".to_owned());
        config.cookie.secure = false;
    }
    let mut files = StoreConfig::new("file");
    files.location = Some(std::env::temp_dir().join("shop-sessions"));
    config.stores.insert("file".to_owned(), files);
    config
}

const COOKIE: &str = "cookie";

const VARIABLES: &str = "\
Environment:
  SESSION_DRIVER=cookie|memory|file   where sessions live; cookie unless said; others with their features
  SESSION_KEYS=KEY[,OLDER…]           32 bytes each, as hex or base64; made up when missing
  SESSION_FILE_LOCATION=DIRECTORY     for the file driver; shop-sessions in the temporary directory unless said
  SESSION_…                           all others are in docs/configuration.md
  SHOP_ADDR=ADDRESS                   127.0.0.1:3000 unless said
  SHOP_CONFIRM_AFTER=SECONDS          how old a proof of identity may be for the account page; 300 unless said";

/// As long as it takes to fetch a coffee.
const CONFIRM_AFTER: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(arguments: &[&str]) -> Result<Flags, clap::Error> {
        Flags::try_parse_from(["shop"].iter().chain(arguments))
    }

    fn read(variables: &[(&str, &str)], arguments: &[&str]) -> Result<Config, ConfigProblem> {
        let flags = flags(arguments).expect("these flags are right");
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Config::read(flags, variables.iter().map(owned))
    }

    #[tokio::test]
    async fn nothing_said_means_the_cookie_on_port_3000() {
        let config = read(&[], &[]).unwrap();
        assert_eq!(
            (config.driver(), config.listen.as_str(), config.adapter),
            ("cookie", "127.0.0.1:3000", Adapter::Axum)
        );
        let sessions = config.into_sessions(Seen::default()).await.unwrap();
        assert!(sessions.store().is_none());
        assert_eq!(sessions.cookie_name(), "shop");
    }

    #[tokio::test]
    async fn the_environment_chooses_the_place() {
        let seen = Seen::default;
        let memory = read(&[("SESSION_DRIVER", "memory")], &[]).unwrap();
        assert_eq!(memory.into_sessions(seen()).await.unwrap().store().unwrap().name(), "memory");
        assert!(read(&[("SESSION_DRIVER", "paper")], &[]).unwrap().into_sessions(seen()).await.is_err());
    }

    #[tokio::test]
    async fn over_https_the_cookie_is_the_hosts_own_and_sessions_are_bound() {
        let config = read(&[], &["--https"]).unwrap();
        assert_eq!(config.sessions.device_binding, DeviceBindingMode::Require);
        assert_eq!(config.into_sessions(Seen::default()).await.unwrap().cookie_name(), "__Host-shop");
        let observed = read(&[("SESSION_DEVICE_BINDING", "observe")], &["--https"]).unwrap();
        assert_eq!(observed.sessions.device_binding, DeviceBindingMode::Observe);
    }

    #[test]
    fn the_command_line_wins_over_the_environment() {
        let config =
            read(&[("SHOP_ADDR", "127.0.0.1:1")], &["--listen", "127.0.0.1:2", "--adapter", "hyper"])
                .unwrap();
        assert_eq!((config.listen.as_str(), config.adapter), ("127.0.0.1:2", Adapter::Hyper));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        let said = |arguments| flags(arguments).unwrap_err().to_string();
        assert!(said(&["--listen"]).contains("--listen <ADDRESS>"));
        let rocket = said(&["--adapter", "rocket"]);
        assert!(
            ["'rocket'", "--adapter", "axum, actix, hyper"].iter().all(|part| rocket.contains(part)),
            "{rocket}"
        );
    }
}
