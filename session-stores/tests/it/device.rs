//! Device binding from settings: the rules that they make, and what a program without the feature says.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use session_stores::SessionConfig;

/// In memory, with these settings besides.
fn config(vars: &[(&str, &str)]) -> SessionConfig {
    let usual = [("SESSION_DRIVER", "memory"), ("SESSION_KEYS", KEY)];
    SessionConfig::from_vars(usual.iter().chain(vars).copied()).unwrap()
}

#[cfg(feature = "dbsc")]
mod with_the_feature {
    use session_core::adapter::{BoxFuture, Spawn};
    use session_testkit::{DeviceBrowser, DeviceSite, TestDevice};

    use super::config;

    #[derive(Debug)]
    struct OnTokio;

    impl Spawn for OnTokio {
        fn spawn(&self, future: BoxFuture<()>) {
            tokio::spawn(future);
        }
    }

    async fn site(vars: &[(&str, &str)]) -> DeviceSite {
        DeviceSite::new(config(vars).into_sessions().await.unwrap(), &OnTokio)
    }

    /// What a bound browser without its short-lived cookie sees.
    async fn unproven(site: &DeviceSite, path: &str) -> Option<String> {
        let mut browser = DeviceBrowser::default();
        site.bound(&mut browser, &TestDevice::new(1)).await;
        browser.jar.remove("__Host-sid.b");
        site.user_at(&mut browser, path).await
    }

    #[tokio::test]
    async fn unless_it_is_said_nothing_is_bound() {
        for vars in [&[][..], &[("SESSION_DEVICE_BINDING", "off")], &[("SESSION_DEVICE_BINDING_PATHS", "/a")]]
        {
            let reply = site(vars).await.sign_in(&mut DeviceBrowser::default(), "ada").await;
            assert_eq!(reply.header("secure-session-registration"), None);
        }
    }

    #[tokio::test]
    async fn require_and_observe_are_what_the_builder_calls_so() {
        let user = Some("ada".to_owned());
        let required = site(&[("SESSION_DEVICE_BINDING", "require")]).await;
        assert_eq!(unproven(&required, "/").await, None);
        let observed = [("SESSION_DEVICE_BINDING", "observe"), ("SESSION_DEVICE_BINDING_PATHS", "/account")];
        assert_eq!(unproven(&site(&observed).await, "/account").await, user);
        let paths =
            [("SESSION_DEVICE_BINDING", "require"), ("SESSION_DEVICE_BINDING_PATHS", "/account,/orders")];
        let covered = site(&paths).await;
        assert_eq!(unproven(&covered, "/").await, user);
        assert_eq!(unproven(&covered, "/orders/7").await, None);
    }

    #[tokio::test]
    async fn the_time_between_two_proofs_is_the_lifetime_of_the_cookie() {
        let site =
            site(&[("SESSION_DEVICE_BINDING", "require"), ("SESSION_DEVICE_BINDING_REFRESH", "4min")]).await;
        let reply = site.sign_in(&mut DeviceBrowser::default(), "ada").await;
        let cookies = reply.headers.iter().filter(|(name, _)| name == "set-cookie");
        assert!(cookies.clone().any(|(_, value)| value.contains(".b=") && value.contains("Max-Age=240")));
    }

    #[cfg(feature = "dbsc-rs256")]
    #[tokio::test]
    async fn rsa_keys_are_a_setting() {
        let site =
            site(&[("SESSION_DEVICE_BINDING", "require"), ("SESSION_DEVICE_BINDING_RS256", "true")]).await;
        let reply = site.sign_in(&mut DeviceBrowser::default(), "ada").await;
        assert!(reply.header("secure-session-registration").unwrap().starts_with("(ES256 RS256);"));
    }
}

#[cfg(not(feature = "dbsc"))]
#[tokio::test]
async fn without_the_feature_the_setting_is_refused_by_name() {
    for mode in ["observe", "require"] {
        let error =
            config(&[("SESSION_DEVICE_BINDING", mode)]).into_sessions().await.unwrap_err().to_string();
        let start = format!("device_binding (SESSION_DEVICE_BINDING) = {mode} needs the feature \"dbsc\"");
        assert!(error.starts_with(&start), "{error}");
    }
    assert!(config(&[("SESSION_DEVICE_BINDING", "off")]).into_sessions().await.is_ok());
}

#[cfg(not(feature = "dbsc-rs256"))]
#[cfg(feature = "dbsc")]
#[tokio::test]
async fn without_its_feature_rs256_is_refused_by_name() {
    let vars = [("SESSION_DEVICE_BINDING", "require"), ("SESSION_DEVICE_BINDING_RS256", "true")];
    let error = config(&vars).into_sessions().await.unwrap_err().to_string();
    assert!(
        error.contains("SESSION_DEVICE_BINDING_RS256) = true needs the feature \"dbsc-rs256\""),
        "{error}"
    );
}

const KEY: &str = "9f1c31d5a8e24b7790be1d5c83fa2647c9d80e31b4f56a72183ce09d5fa7b264";
