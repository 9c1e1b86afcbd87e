//! Configuration from variables and URLs: accepted or refused, and no secret is printed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use session_stores::{SessionConfig, StoreConfig};

fuzz_target!(|data: &str| {
    if let Ok(config) = StoreConfig::from_url(data) {
        let shown = format!("{config:?}");
        // A URL with a password: `scheme://user:password@host`.
        if let Some((login, _)) = data.rsplit_once('@')
            && let Some((_, password)) = login.rsplit_once(':')
            && password.len() > 8
            && config.url.is_some()
        {
            assert!(!shown.contains(password), "{shown}");
        }
    }
    let variables: Vec<(String, String)> = data
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (format!("SESSION_{name}"), value.to_owned()))
        .collect();
    let secret = variables.iter().find(|(name, value)| name == "SESSION_KEYS" && value.len() > 15);
    let shown = match SessionConfig::from_vars(variables.iter().cloned()) {
        Ok(config) => format!("{config:?}"),
        Err(error) => format!("{error} {error:?}"),
    };
    if let Some((_, key)) = secret {
        assert!(!shown.contains(key.as_str()), "a key is shown");
    }
});
