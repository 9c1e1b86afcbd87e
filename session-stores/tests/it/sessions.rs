//! From variables to sessions: secure defaults, plain HTTP on request, what must be said, what contradicts itself.
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
async fn plain_http_drops_the_prefix_that_browsers_would_refuse() {
    for (name, sent) in
        [("__Host-shop", "shop"), ("__Secure-shop", "shop"), ("shop", "shop"), ("__Host-", "__Host-")]
    {
        let vars = [("SESSION_COOKIE_SECURE", "false"), ("SESSION_COOKIE_NAME", name)];
        match sessions(&vars).await {
            Ok(sessions) => assert_eq!(sessions.cookie_name(), sent),
            Err(error) => {
                assert!(name == "__Host-" && error.to_string().contains("without Secure"), "{error}")
            }
        }
    }
    assert_eq!(sessions(&[("SESSION_COOKIE_SECURE", "false")]).await.unwrap().cookie_name(), "sid");
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
async fn what_must_be_said_is_missed_by_name() {
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
        "SESSION_OPTION_BOARDS has no meaning for the driver memory; it is for drivers that the application registers"
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
