//! Makes the sessions that the command line or the environment asks for, their store counted.

use std::error::Error;

use session_conformance::probe::Stats;
use session_core::{Cookie, DeviceBinding, SecretKey, Sessions};
use session_stores::{Cause, Drivers, SessionConfig, SettingError};

use crate::args::{Rules, Settings, WrongFlag};

type Failure = Box<dyn Error>;

/// Opens the store and checks that all settings agree.
pub(crate) async fn sessions(rules: Rules, tls: bool, stats: &Stats) -> Result<Sessions, Failure> {
    match rules {
        Rules::Flags(settings) => from_flags(*settings, tls, stats).await,
        Rules::Environment => from_config(SessionConfig::from_env()?, stats).await,
    }
}

async fn from_flags(settings: Settings, tls: bool, stats: &Stats) -> Result<Sessions, Failure> {
    let mut builder = Sessions::builder()
        .cookie(if tls { Cookie::named(&settings.cookie) } else { Cookie::insecure_http(&settings.cookie) })
        .eager(settings.eager)
        .commit_on_error(settings.commit_on_error)
        .encrypt_at_rest(settings.encrypt_at_rest)
        .observer(stats.observer());
    if let Some(sessions) = settings.store.client_cache.filter(|_| settings.store.driver != "redis") {
        return Err(
            WrongFlag::new("--near-cache", &sessions.to_string(), "for --store redis://… alone").into()
        );
    }
    builder = match session_stores::open(&settings.store).await {
        Ok(store) => builder.store(stats.counted(store)),
        Err(SettingError::NoStore) => builder.in_cookie(),
        Err(error) => return Err(not_opened(&settings.store.driver, &error)),
    };
    if let Some(refresh) = settings.bind_to_device {
        builder = builder.bind_to_device(DeviceBinding::require().refresh_every(refresh));
    }
    if let Some(age) = settings.age {
        builder = builder.age(age);
    }
    if let Some(absolute) = settings.absolute {
        builder = builder.absolute(absolute);
    }
    if let Some(bytes) = settings.max_record {
        builder = builder.max_record(bytes);
    }
    builder = match settings.keys.is_empty() {
        true => builder.key(SecretKey::generate()?),
        false => builder.keys(settings.keys),
    };
    Ok(builder.build().map_err(|error| WrongFlag::together(&settings.cookie, &error))?)
}

/// What applications do with the environment, but for the counters.
pub(crate) async fn from_config(config: SessionConfig, stats: &Stats) -> Result<Sessions, Failure> {
    let mut drivers = Drivers::new();
    if let Ok(store) = config.store() {
        let stats = stats.clone();
        drivers = drivers.register(store.driver, move |config| {
            let stats = stats.clone();
            async move { Ok::<_, Cause>(stats.counted(session_stores::open(&config).await?)) }
        });
    }
    let builder = config.into_builder_with(&drivers).await.map_err(|error| match error {
        // The driver in front of the built-in one adds nothing to what that one says.
        SettingError::Store { source, .. } if source.is::<SettingError>() => match source.downcast_ref() {
            Some(SettingError::NotCompiled { driver, feature }) => {
                format!("the session driver {driver} is not in this program: build the probe with `--features {feature}`")
            }
            _ => on_one_line(&*source),
        },
        error => on_one_line(&error),
    })?;
    Ok(builder.observer(stats.observer()).build()?)
}

/// Why there is no store, without its URL, which may hold a password.
fn not_opened(driver: &str, error: &SettingError) -> Failure {
    match error {
        SettingError::RefusedSecret { allowed, .. } | SettingError::Missing { allowed, .. } => {
            WrongFlag::new("--store", driver, allowed).into()
        }
        SettingError::NotCompiled { feature, .. } => {
            WrongFlag::new("--store", driver, &format!("build the probe with `--features {feature}`")).into()
        }
        error => format!("--store {driver:?}: {}", on_one_line(error)).into(),
    }
}

/// An error and its causes.
fn on_one_line(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;

    const KEY: &str = "9f1c31d5a8e24b7790be1d5c83fa2647c9d80e31b4f56a72183ce09d5fa7b264";

    async fn from_vars(more: &[(&str, &str)]) -> Result<(Sessions, Stats), String> {
        let vars = [("SESSION_KEYS", KEY)].iter().chain(more).copied();
        let config = SessionConfig::from_vars(vars).map_err(|error| error.to_string())?;
        let stats = Stats::default();
        let sessions = from_config(config, &stats).await.map_err(|error| error.to_string())?;
        Ok((sessions, stats))
    }

    #[tokio::test]
    async fn a_store_of_the_environment_is_counted() {
        let (sessions, stats) = from_vars(&[("SESSION_DRIVER", "memory")]).await.unwrap();
        sessions.of("ada").count().await.unwrap();
        assert!(stats.to_json().contains("\"owner\": 1"), "{}", stats.to_json());
    }

    #[tokio::test]
    async fn sessions_of_the_environment_may_live_in_cookies() {
        from_vars(&[("SESSION_DRIVER", "cookie"), ("SESSION_COOKIE_SECURE", "false")]).await.unwrap();
    }

    #[tokio::test]
    async fn flags_that_do_not_agree_are_named_with_their_values() {
        let twice = format!("--key {KEY} --key {KEY}");
        for (flags, names) in [
            ("--cookie a;b", &["--cookie", "\"a;b\"", "ASCII"][..]),
            ("--cookie __Host-sid", &["--cookie", "__Host-sid", "Secure"]),
            ("--age 25h", &["--age", "90000 s", "--absolute", "86400 s"]),
            ("--absolute 1h", &["--age", "7200 s", "--absolute", "3600 s"]),
            ("--near-cache 10", &["--near-cache", "\"10\"", "redis"]),
            (&twice, &["--key", "equal", "64 hex digits"]),
        ] {
            let line = format!("--adapter axum --store memory --listen 127.0.0.1:0 {flags}");
            let args = Args::parse(line.split(' ').map(str::to_owned)).unwrap();
            let error = sessions(args.rules, false, &Stats::default()).await.unwrap_err().to_string();
            assert!(names.iter().all(|name| error.contains(name)), "{error}");
            assert!(!error.contains(KEY) && error.lines().count() == 1, "{error}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_with_the_environment_is_said_once_on_one_line() {
        let no_folder = [("SESSION_DRIVER", "file"), ("SESSION_FILE_LOCATION", "/proc/none/here")];
        for (vars, name) in [
            (&[("SESSION_DRIVER", "disk")][..], "disk"),
            (&[("SESSION_DRIVER", "memory"), ("SESSION_AGE", "500ms")], "SESSION_AGE"),
            (&no_folder, "file"),
        ] {
            let error = from_vars(vars).await.unwrap_err();
            assert!(error.contains(name) && error.lines().count() == 1, "{error}");
            assert!(error.matches("could not be opened").count() <= 1, "{error}");
        }
    }
}
