//! Cookies whose domain depends on the request, and tokens in a header.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use crate::driver_support::*;
use session_core::{adapter::*, error::*, *};

/// A request to this host, and what its response sets.
async fn ask<T>(
    app: &App,
    host: &str,
    cookies: &[&str],
    handler: impl AsyncFnOnce(Session) -> T,
) -> (T, Vec<String>) {
    let middleware = Middleware::new(app.sessions.clone(), &OnTokio, |_, _| ());
    let header = |name: &'static str| (name == "host").then_some(host.as_bytes());
    let head = RequestHead { method: "GET", url: "/", authority: None, header };
    let begun = middleware.begin(cookies, &head);
    let visit = begun.visit().clone();
    let handling = async move { handler(visit.session().await.unwrap()).await };
    let (value, report) = begun.serve::<Plain, _>(handling).await;
    assert!(report.error.is_none());
    let set = report.set_cookies().map(str::to_owned).collect();
    (value, set)
}

/// The response is what the handler gave.
struct Plain;

impl<T> Adapter<T> for Plain {
    type Response = ();
    type Output = (T, VisitReport);

    fn status(_: &T) -> u16 {
        200
    }

    fn content_type(_: &T) -> Option<&[u8]> {
        None
    }

    fn finish(answer: Result<T, ((), Option<T>)>, report: VisitReport) -> Self::Output {
        (answer.ok().unwrap(), report)
    }
}

fn pair(set: &str) -> &str {
    set.split(';').next().unwrap()
}

fn tenants() -> Cookie {
    Cookie::named("sid").domains(["example.com", "Shop.example.com", ".example.org"])
}

#[tokio::test]
async fn each_host_gets_a_cookie_for_the_longest_domain_of_the_list_that_it_belongs_to() {
    for app in [app_with(|b| b.cookie(tenants())), app_in_cookie(|b, _| b.cookie(tenants()))] {
        for (host, domain) in [
            ("example.com", Some("example.com")),
            ("www.example.com", Some("example.com")),
            ("WWW.Example.COM:8443", Some("example.com")),
            ("a.b.example.com.", Some("example.com")),
            ("shop.example.com", Some("Shop.example.com")),
            ("de.shop.example.com:80", Some("Shop.example.com")),
            ("www.example.org", Some(".example.org")),
            ("evil-example.com", None),
            ("example.com.evil.net", None),
            ("example.net", None),
            ("com", None),
            ("", None),
            ("[::1]:80", None),
            ("127.0.0.1", None),
        ] {
            let (_, set) = ask(&app, host, &[], async |session| session.put("n", 1).unwrap()).await;
            let expected = domain.map_or(String::new(), |domain| format!("Domain={domain}; "));
            assert!(set[0].contains(&format!("; Path=/; {expected}Secure; ")), "{host}: {}", set[0]);
            let (n, _) =
                ask(&app, host, &[pair(&set[0])], async |session| session.get::<u8>("n").unwrap()).await;
            assert_eq!(n, Some(1), "{host}");
            let (_, removed) =
                ask(&app, host, &[pair(&set[0])], async |session| session.destroy().unwrap()).await;
            for removal in removed {
                assert!(removal.contains(&format!("; Path=/; {expected}Secure; ")), "{host}: {removal}");
                assert!(removal.contains("Max-Age=0"), "{removal}");
            }
        }
    }
}

#[tokio::test]
async fn at_20_a_session_of_one_tenant_opens_on_no_host_of_another() {
    for app in [app_with(|b| b.cookie(tenants())), app_in_cookie(|b, _| b.cookie(tenants()))] {
        let hosts = ["www.example.com", "shop.example.com", "example.org", "example.net"];
        for host in hosts {
            let (_, set) = ask(&app, host, &[], async |session| session.put("n", 1).unwrap()).await;
            for other in hosts {
                let (n, _) =
                    ask(&app, other, &[pair(&set[0])], async |session| session.get::<u8>("n").unwrap()).await;
                assert_eq!(n.is_some(), host == other, "{host} at {other}");
            }
        }
    }
}

#[tokio::test]
async fn a_touch_cookie_has_the_domain_of_its_tenant() {
    let app = app_in_cookie(|builder, _| builder.cookie(tenants()));
    let (_, set) = ask(&app, "example.org", &[], async |session| session.put("n", 1).unwrap()).await;
    app.pass(720);
    let (_, touch) = ask(&app, "www.example.org", &[pair(&set[0])], async |_| {}).await;
    assert!(touch[0].starts_with("sid.t=") && touch[0].contains("Domain=.example.org; "), "{touch:?}");
}

#[tokio::test]
async fn the_cookie_for_scripts_has_the_domain_of_the_session_s_cookie() {
    let configure = |builder: SessionsBuilder| builder.cookie(tenants()).xsrf_cookie(true);
    for app in [app_with(configure), app_in_cookie(|builder, _| configure(builder))] {
        for (host, domain) in [
            ("www.example.com", Some("example.com")),
            ("de.shop.example.com", Some("Shop.example.com")),
            ("www.example.org", Some(".example.org")),
            ("example.net", None),
        ] {
            let (_, set) = ask(&app, host, &[], async |session| drop(session.csrf().token().unwrap())).await;
            let [session, script] = ["sid=", "XSRF-TOKEN="].map(|name| {
                set.iter().find(|set| set.starts_with(name)).unwrap_or_else(|| panic!("{set:?}"))
            });
            let expected = domain.map(|domain| format!("; Domain={domain};"));
            for set in [session, script] {
                let has = expected.as_ref().map_or(!set.contains("Domain"), |domain| set.contains(domain));
                assert!(has, "{host}: {set}");
            }
        }
    }
}

#[test]
fn domains_that_browsers_refuse_do_not_build() {
    let build = |cookie: Cookie| cookie.build().unwrap_err();
    assert_eq!(build(Cookie::host("sid").domains(["example.com"])), CookieError::HostWithDomain);
    assert_eq!(build(Cookie::named("sid").domains(["example.com", "a b"])), CookieError::BadDomain);
    assert_eq!(build(Cookie::named("sid").domains([""])), CookieError::EmptyDomain);
    assert_eq!(build(tenants().domain("a.com")), CookieError::DomainAndDomains);
    assert!(Cookie::host("sid").domains(Vec::<String>::new()).build().is_ok());
}

#[test]
fn a_token_has_a_header_of_its_own_and_a_session_in_a_store() {
    let builder = |name| Sessions::builder().key(key(1)).token_from(TokenFrom::Header(name));
    for name in [
        "",
        "x session",
        "x:session",
        "ä",
        "Cookie",
        "cookie",
        "Authorization",
        "SET-COOKIE",
        "Host",
        "Content-Encoding",
        "Accept-Language",
        "If-None-Match",
        "Sec-Session",
        "Access-Control-Allow-Origin",
        "X-Forwarded-For",
        "X-XSRF-Token",
        "Refresh",
        "upgrade",
    ] {
        let built = builder(name).store(new_store()).build();
        assert!(matches!(built, Err(ConfigError::BadHeader { .. })), "{name}");
    }
    assert!(matches!(builder("X-Session").in_cookie().build(), Err(ConfigError::HeaderNeedsStore)));
    for name in ["X-Session", "x-session", "X_SESSION"] {
        let sessions = builder(name).store(new_store()).build().unwrap();
        assert_eq!(sessions.token_header(), Some(&*name.to_ascii_lowercase()));
    }
}

#[tokio::test]
async fn a_token_in_a_header_and_a_cookie_are_never_taken_for_each_other() {
    let store = new_store();
    let in_cookie = app_on(store.clone(), |builder| builder.store(store.clone()));
    let in_header = app_on(store.clone(), |builder| {
        builder.store(store.clone()).token_from(TokenFrom::Header("X-Session"))
    });
    let cookie = known(&in_cookie).await.cookie.unwrap();
    let value = cookie.split_once('=').unwrap().1;
    let guard = in_header.arrive(&[value]);
    assert!(guard.visit().session().await.unwrap().status().fresh());

    // The doubles count alike; other numbers make other ids.
    in_header.entropy.fill(&mut [0; 256]).unwrap();
    let guard = in_header.arrive(&[]);
    guard.visit().session().await.unwrap().put("n", 1).unwrap();
    let report = finish(guard, 200).await;
    let (_, token) = report.set_token.clone().unwrap();
    assert!(report.set_cookie.is_none() && report.vary() == "x-session");
    let guard = in_header.arrive(&[&token]);
    assert_eq!(guard.visit().session().await.unwrap().get::<u8>("n").unwrap(), Some(1));
    let guard = in_cookie.arrive(&[&format!("__Host-sid={token}")]);
    assert!(guard.visit().session().await.unwrap().status().fresh());

    // Without a load, too.
    let guard = in_header.arrive(&[&token]);
    guard.visit().destroy().await.unwrap();
    let report = finish(guard, 200).await;
    assert_eq!((report.set_token, report.set_cookie), (Some(("x-session", String::new())), None));
}
