//! From variables to sessions: secure defaults, plain HTTP on request, required settings, contradictions.
#![allow(clippy::unwrap_used, reason = "the helpers of these tests")]

use std::error::Error as _;

use session_core::Sessions;
use session_stores::{Cause, Drivers, MemoryStore, SessionConfig, SettingError};

const KEY: &str = "9f1c31d5a8e24b7790be1d5c83fa2647c9d80e31b4f56a72183ce09d5fa7b264";

async fn sessions(vars: &[(&str, &str)]) -> Result<Sessions, SettingError> {
    let basics = [("SESSION_DRIVER", "memory"), ("SESSION_KEYS", KEY)];
    SessionConfig::from_vars(basics.iter().chain(vars).copied())?.into_sessions().await
}

async fn refusal(vars: &[(&str, &str)]) -> String {
    sessions(vars).await.unwrap_err().to_string()
}

#[tokio::test]
async fn the_defaults_are_the_secure_ones() {
    let sessions = sessions(&[]).await.unwrap();
    assert_eq!(sessions.cookie_name(), "__Host-sid");
    let policy = sessions.policy();
    assert_eq!((policy.age.as_secs(), policy.absolute.unwrap().as_secs()), (7_200, 86_400));
    assert!(!policy.persistent && !policy.eager && !policy.commit_on_error);
    assert_eq!(policy.max_record, 64 * 1024);
}

#[tokio::test]
async fn over_plain_http_the_default_name_has_no_prefix_and_a_name_is_used_as_it_is() {
    assert_eq!(sessions(&[("SESSION_COOKIE_SECURE", "false")]).await.unwrap().cookie_name(), "sid");
    let both = [("SESSION_COOKIE_SECURE", "false"), ("SESSION_COOKIE_PATH", "/shop")];
    assert_eq!(sessions(&both).await.unwrap().cookie_name(), "sid");
    for name in ["shop", "x__Host-shop", "Host-shop", "__Hos-shop"] {
        let vars = [("SESSION_COOKIE_SECURE", "false"), ("SESSION_COOKIE_NAME", name)];
        assert_eq!(sessions(&vars).await.unwrap().cookie_name(), name);
    }
}

#[tokio::test]
async fn at_21_a_prefix_that_the_other_settings_contradict_is_refused_and_not_renamed() {
    let prefixes =
        ["__Host-", "__host-", "__HOST-", "__Secure-", "__sEcUrE-", "__Http-", "__http-", "__Host-Http-"];
    for prefix in prefixes {
        for rest in ["x", "shop", ""] {
            let name = format!("{prefix}{rest}");
            let said = refusal(&[("SESSION_COOKIE_NAME", &name), ("SESSION_COOKIE_SECURE", "false")]).await;
            let start = format!("(SESSION_COOKIE_NAME) = {name:?} is not allowed; allowed: ");
            assert!(said.contains(&start) && said.contains("without Secure"), "{said}");
            let is_host = prefix.to_ascii_lowercase().starts_with("__host-");
            for (other, value) in [("SESSION_COOKIE_PATH", "/shop"), ("SESSION_COOKIE_DOMAIN", "example.com")]
            {
                let vars = [("SESSION_COOKIE_NAME", name.as_str()), (other, value)];
                match sessions(&vars).await {
                    Ok(sessions) => {
                        assert!(!is_host && sessions.cookie_name() == name, "{name} with {other}")
                    }
                    Err(error) => assert!(is_host && error.to_string().contains(other), "{error}"),
                }
            }
            let vars = [("SESSION_COOKIE_NAME", name.as_str()), ("SESSION_COOKIE_HTTP_ONLY", "false")];
            let is_http = prefix.to_ascii_lowercase().ends_with("http-");
            match sessions(&vars).await {
                Ok(sessions) => assert!(!is_http && sessions.cookie_name() == name, "{name}"),
                Err(error) => assert!(is_http && error.to_string().contains("HTTP_ONLY"), "{error}"),
            }
        }
    }
}

#[tokio::test]
async fn ck_4_the_largest_cookie_is_a_setting() {
    assert!(sessions(&[("SESSION_COOKIE_MAX_SIZE", "8 KiB")]).await.is_ok());
    let path = format!("/{}", "p".repeat(100));
    let said = refusal(&[("SESSION_COOKIE_MAX_SIZE", "256"), ("SESSION_COOKIE_PATH", &path)]).await;
    assert!(said.contains("(SESSION_COOKIE_MAX_SIZE) = 256 is not allowed"), "{said}");
    assert!(said.contains("needs 330 bytes; at most 256 are allowed"), "{said}");
}

#[tokio::test]
async fn a_domain_or_a_path_takes_the_safest_name_that_goes_with_it() {
    for vars in [[("SESSION_COOKIE_DOMAIN", "example.com")], [("SESSION_COOKIE_PATH", "/shop")]] {
        assert_eq!(sessions(&vars).await.unwrap().cookie_name(), "__Secure-sid");
    }
    let both = [("SESSION_COOKIE_DOMAIN", "example.com"), ("SESSION_COOKIE_NAME", "__Host-sid")];
    assert!(refusal(&both).await.ends_with("a __Host- cookie belongs to one host: it cannot have a Domain"));
}

/// Each alone would do; the one to change is named, with its value.
#[tokio::test]
async fn cookie_settings_that_contradict_each_other_are_named() {
    for (vars, names) in [
        (
            &[("SESSION_COOKIE_NAME", "__Host-a"), ("SESSION_COOKIE_DOMAIN", "a.com")][..],
            ["DOMAIN", "\"a.com\""],
        ),
        (&[("SESSION_COOKIE_NAME", "__Host-a"), ("SESSION_COOKIE_PATH", "/a")], ["PATH", "\"/a\""]),
        (&[("SESSION_COOKIE_SECURE", "false"), ("SESSION_COOKIE_SAME_SITE", "none")], ["SAME_SITE", "none"]),
        (
            &[("SESSION_COOKIE_SECURE", "false"), ("SESSION_COOKIE_PARTITIONED", "true")],
            ["PARTITIONED", "true"],
        ),
        (
            &[("SESSION_COOKIE_NAME", "__Host-Http-a"), ("SESSION_COOKIE_HTTP_ONLY", "false")],
            ["HTTP_ONLY", "false"],
        ),
    ] {
        let said = refusal(vars).await;
        let start = format!("(SESSION_COOKIE_{}) = {} is not allowed", names[0], names[1]);
        assert!(said.contains(&start) && said.contains("; allowed: "), "{said}");
    }
}

#[tokio::test]
async fn settings_reach_the_rules() {
    let sessions = sessions(&[
        ("SESSION_AGE", "7d"),
        ("SESSION_ABSOLUTE", "never"),
        ("SESSION_CLEAR_WITH_BROWSER", "false"),
        ("SESSION_EAGER", "true"),
        ("SESSION_COMMIT_ON_ERROR", "true"),
        ("SESSION_TOMBSTONE", "2 min"),
        ("SESSION_CONTENTION", "500ms"),
        ("SESSION_MAX_RECORD", "1 KiB"),
    ])
    .await
    .unwrap();
    let policy = sessions.policy();
    assert_eq!((policy.age.as_secs(), policy.absolute, policy.tombstone.as_secs()), (604_800, None, 120));
    assert!(policy.persistent && policy.eager && policy.commit_on_error);
    assert_eq!((policy.contention.as_millis(), policy.max_record), (500, 1_024));
    assert_eq!(sessions.store().unwrap().max_record(), 1_024);
}

#[tokio::test]
async fn a_missing_required_setting_is_named() {
    let missed = async |vars: &[(&str, &str)]| {
        SessionConfig::from_vars(vars.iter().copied()).unwrap().into_sessions().await.unwrap_err().to_string()
    };
    assert!(
        missed(&[]).await.starts_with("driver (SESSION_DRIVER) is not set; allowed: cookie, memory, file")
    );
    let words = missed(&[("SESSION_DRIVER", "cookie")]).await;
    assert!(words.starts_with("keys (SESSION_KEYS) is not set; allowed: 1 to 8 keys"), "{words}");
}

#[tokio::test]
async fn cr_6_there_is_no_default_key() {
    let error = SessionConfig::from_vars([("SESSION_DRIVER", "memory")]).unwrap().into_sessions().await;
    assert!(matches!(error, Err(SettingError::Missing { .. })));
}

#[tokio::test]
async fn an_age_beyond_the_absolute_lifetime_is_a_contradiction() {
    assert_eq!(
        refusal(&[("SESSION_AGE", "7d")]).await,
        "age (SESSION_AGE) = 7d is not allowed; allowed: at most the absolute lifetime (SESSION_ABSOLUTE), \
         which is 1d; raise that, or set it to never"
    );
}

#[tokio::test]
async fn switched_off_nothing_else_needs_to_be_said() {
    let config = SessionConfig::from_vars([("SESSION_ENABLED", "false")]).unwrap();
    assert!(config.into_sessions().await.unwrap().is_off());
}

#[tokio::test]
async fn the_driver_cookie_needs_no_store() {
    assert!(sessions(&[("SESSION_DRIVER", "cookie")]).await.unwrap().store().is_none());
}

#[tokio::test]
async fn a_registered_driver_is_chosen_by_name_and_gets_its_options() {
    let drivers = Drivers::new().register("shelf", |config| async move {
        let boards =
            config.options.get("boards").ok_or("SESSION_OPTION_BOARDS is not set")?.expose().to_owned();
        Ok::<_, Cause>(MemoryStore::builder().max_record(boards.parse()?).build())
    });
    let open = async |vars: &[(&str, &str)]| {
        let basics = [("SESSION_DRIVER", "shelf"), ("SESSION_KEYS", KEY)];
        let config = SessionConfig::from_vars(basics.iter().chain(vars).copied())?;
        config.into_sessions_with(&drivers).await
    };
    let sessions = open(&[("SESSION_OPTION_BOARDS", "700")]).await.unwrap();
    assert_eq!(sessions.store().unwrap().max_record(), 700);
    let error = open(&[]).await.unwrap_err();
    assert_eq!(error.to_string(), "the session store of the driver shelf could not be opened");
    // What a `main` that returns the error prints.
    let printed =
        "the session store of the driver shelf could not be opened: SESSION_OPTION_BOARDS is not set";
    assert_eq!(format!("{error:?}"), printed);
    assert_eq!(error.source().unwrap().to_string(), "SESSION_OPTION_BOARDS is not set");
    let words = refusal(&[("SESSION_OPTION_BOARDS", "7")]).await;
    assert_eq!(
        words,
        "SESSION_OPTION_BOARDS does not apply to the driver memory; it applies to drivers that the application registers"
    );
}

#[cfg(feature = "file")]
#[tokio::test]
async fn the_file_store_is_opened_where_the_environment_says() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("sessions");
    let vars = [("SESSION_DRIVER", "file"), ("SESSION_FILE_LOCATION", place.to_str().unwrap())];
    let sessions = sessions(&vars).await.unwrap();
    assert_eq!(sessions.store().unwrap().name(), "file");
    assert!(place.join("FORMAT").exists());
}
