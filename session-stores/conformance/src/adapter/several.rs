//! Several sessions in one application: nested and parallel layers that do not affect each other.
//!
//! An adapter's author writes one `async fn start(Sites) -> Server` and calls
//! [`several_suite!`](crate::several_suite).

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use session_core::{
    Cookie, Session, SessionError, Sessions, SessionsBuilder,
    adapter::{Clock as _, SystemClock},
    store::SessionStore,
};

use super::browser::{Browser, Protocol};
use super::jar::Origin;
use super::server::Server;
use super::stage::key;
use crate::fixture::IntoStore;
use crate::probe::{self, Answer};
use session_testkit::{ManualClock, OpLog};

/// Four areas of an application, each with its own sessions. Every area has the routes `GET none`, which does not use the
/// session, `GET theme`, which is [`act`] with an additional header `Set-Cookie: theme=dark`, and [`act`] for every other
/// word.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Sites {
    /// `/`, and around `/admin`.
    pub shop: Sessions,
    /// `/admin`, inside of the shop's layer and around `/admin/deep`.
    pub admin: Sessions,
    /// `/admin/deep`, inside of both.
    pub deep: Sessions,
    /// `/api`, beside the shop's layer and inside of none.
    pub api: Sessions,
}

/// The behaviour of every area's route of this name.
///
/// # Errors
/// As for a change.
pub fn act(session: &Session, route: &str) -> Result<Answer, SessionError> {
    match route {
        "write" | "theme" => probe::write(session),
        "rotate" => probe::rotate(session),
        "logout" => probe::logout(session),
        _ => probe::hits(session),
    }
}

/// The areas' paths, in the order of [`Sites`].
const AREAS: [&str; 4] = ["", "/admin", "/admin/deep", "/api"];
const NAMES: [&str; 4] = ["__Host-shop", "__Host-admin", "__Host-deep", "__Host-api"];

/// Starts the applications of a claim.
pub struct Ground {
    start: Start,
    store: Arc<dyn SessionStore>,
    protocol: Cell<Protocol>,
    http2: Cell<bool>,
}

impl fmt::Debug for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ground").field("protocol", &self.protocol.get()).finish_non_exhaustive()
    }
}

/// A running application.
struct Application {
    browser: Browser,
    store: OpLog<dyn SessionStore>,
    _server: Server,
}

type Start = Box<dyn Fn(Sites) -> Pin<Box<dyn Future<Output = Server>>>>;
type Claim = for<'g> fn(&'g Ground) -> Pin<Box<dyn Future<Output = ()> + 'g>>;

/// Runs one claim on its own runtime. The macro calls this.
///
/// # Panics
/// If the claim does not hold.
pub fn play<S, How>(claim: Claim, start: impl Fn(Sites) -> S + 'static, store: impl IntoStore<How>)
where
    S: Future<Output = Server> + 'static,
{
    let ground = Ground {
        start: Box::new(move |sites| Box::pin(start(sites))),
        store: store.into_store(),
        protocol: Cell::new(Protocol::Http1),
        http2: Cell::new(false),
    };
    super::runtime().block_on(async {
        claim(&ground).await;
        if ground.http2.get() {
            ground.protocol.set(Protocol::Http2);
            claim(&ground).await;
        }
    });
}

impl Ground {
    /// The areas have cookies of different names. The shop and the admin's area have one store and one key; deep has a key
    /// of its own; the api's sessions are in their cookies.
    async fn open(&self, tune: impl Fn(&str, SessionsBuilder) -> SessionsBuilder) -> Application {
        let clock = ManualClock::at(SystemClock.now());
        let store = OpLog::over(Arc::clone(&self.store));
        let site = |nth: usize| {
            let builder = Sessions::builder()
                .clock(clock.clone())
                .key(key(if nth == 2 { 2 } else { 1 }))
                .cookie(Cookie::host(&NAMES[nth]["__Host-".len()..]));
            let builder =
                if nth == 3 { builder.in_cookie() } else { builder.shared_store(Arc::new(store.clone())) };
            tune(AREAS[nth], builder).build().expect("the areas' rules agree")
        };
        let sites = Sites { shop: site(0), admin: site(1), deep: site(2), api: site(3) };
        let server = (self.start)(sites).await;
        self.http2.set(server.http2);
        let browser = Browser {
            address: server.address,
            protocol: self.protocol.get(),
            clock,
            transcript: None,
            jar: Arc::default(),
            origin: Origin { host: "app.example".to_owned(), secure: true },
        };
        Application { browser, store, _server: server }
    }
}

impl Application {
    async fn hits(&self, area: &str) -> String {
        self.browser.get(&format!("{area}/read")).await.text()
    }
}

/// Returns the names of the cookies that a response sets, without touch cookies.
fn names(reply: &super::Reply) -> Vec<String> {
    let name = |cookie: &String| cookie.split('=').next().unwrap_or_default().to_owned();
    reply.set_cookies().iter().map(name).filter(|name| !name.ends_with(".t")).collect()
}

/// Each area writes to its own session and to no other.
pub async fn features_7_several_sessions_in_one_application_never_meet(ground: &Ground) {
    let app = ground.open(|_, sessions| sessions).await;
    for (nth, area) in AREAS.iter().enumerate() {
        for write in 0..=nth {
            let reply = app.browser.get(&format!("{area}/write")).await;
            assert_eq!(reply.text(), (write + 1).to_string(), "{area}");
            let first_or_in_cookie = write == 0 || nth == 3;
            assert_eq!(names(&reply), if first_or_in_cookie { vec![NAMES[nth]] } else { vec![] }, "{area}");
        }
    }
    for (nth, area) in AREAS.iter().enumerate() {
        assert_eq!(app.hits(area).await, (nth + 1).to_string(), "{area}");
    }
}

/// ID-12: the cookie of one area is not accepted by another, whatever key, store or purpose they share.
pub async fn id_12_a_cookie_of_one_area_is_garbage_in_every_other(ground: &Ground) {
    let app = ground.open(|_, sessions| sessions).await;
    for area in AREAS {
        app.browser.get(&format!("{area}/write")).await;
    }
    let values = NAMES.map(|name| app.browser.cookie(name).expect("each area has set its own"));
    for (from, value) in values.iter().enumerate() {
        for (to, area) in AREAS.iter().enumerate().filter(|(to, _)| *to != from) {
            app.store.take();
            // Under the name in this area, and under the name in the other one.
            for name in [NAMES[to], NAMES[from]] {
                let cookie = format!("{name}={value}");
                let reply = app.browser.get_with(&format!("{area}/read"), &[cookie.as_bytes()]).await;
                assert_eq!((reply.text().as_str(), reply.set_cookies().len()), ("0", 0), "{name} at {area}");
            }
            assert_eq!(app.store.count_all(), 0, "and it costs no store call: {from} at {area}");
            // It does not hide the valid cookie beside it.
            let both = format!("{}={value}; {}={}", NAMES[to], NAMES[to], values[to]);
            assert_eq!(app.browser.get_with(&format!("{area}/read"), &[both.as_bytes()]).await.text(), "1");
        }
    }
}

/// The same if all have one cookie name: the purpose distinguishes them.
pub async fn id_12_areas_of_one_cookie_name_are_told_apart_by_their_purpose(ground: &Ground) {
    let app = ground
        .open(|area, sessions| sessions.cookie(Cookie::host("sid")).purpose(format!("area {area}")))
        .await;
    for (nth, area) in AREAS.iter().enumerate() {
        let visitor = app.browser.another();
        visitor.get(&format!("{area}/write")).await;
        let cookie = format!("__Host-sid={}", visitor.cookie("__Host-sid").expect("a cookie"));
        for (other, elsewhere) in AREAS.iter().enumerate() {
            let reply = visitor.get_with(&format!("{elsewhere}/read"), &[cookie.as_bytes()]).await;
            assert_eq!(reply.text(), if other == nth { "1" } else { "0" }, "{area} at {elsewhere}");
        }
    }
}

/// Destroying one session does not change the others.
pub async fn features_7_a_sign_out_or_a_new_id_in_one_area_leaves_the_others(ground: &Ground) {
    let app = ground.open(|_, sessions| sessions).await;
    for (nth, area) in AREAS.iter().enumerate() {
        for area in AREAS {
            app.browser.get(&format!("{area}/write")).await;
        }
        let before = NAMES.map(|name| app.browser.cookie(name));
        assert_eq!(names(&app.browser.get(&format!("{area}/rotate")).await), [NAMES[nth]]);
        assert_eq!(names(&app.browser.get(&format!("{area}/logout")).await), [NAMES[nth]]);
        for (other, elsewhere) in AREAS.iter().enumerate() {
            let cookie = app.browser.cookie(NAMES[other]);
            if other == nth {
                assert_eq!((cookie, app.hits(elsewhere).await.as_str()), (None, "0"), "{area}");
            } else {
                assert_eq!(cookie, before[other], "{area} at {elsewhere}");
                assert_ne!(app.hits(elsewhere).await, "0", "{area} at {elsewhere}");
            }
        }
    }
}

/// An outer layer whose session is not used makes no store call.
pub async fn features_7_an_outer_layer_that_nobody_asks_costs_nothing(ground: &Ground) {
    let app = ground.open(|_, sessions| sessions).await;
    for area in AREAS {
        app.browser.get(&format!("{area}/write")).await;
    }
    for (area, cost) in AREAS.iter().zip([1, 1, 1, 0]) {
        app.store.take();
        app.browser.get(&format!("{area}/none")).await;
        assert_eq!(app.store.count_all(), 0, "{area}");
        app.browser.get(&format!("{area}/read")).await;
        assert_eq!(app.store.count_all(), cost, "{area}");
    }
}

/// CK-5: layers append to the existing headers, including the handler's own cookie, and each name is set once.
pub async fn ck_5_one_set_cookie_of_each_name_and_those_of_others_are_kept(ground: &Ground) {
    let app = ground.open(|area, sessions| sessions.eager(area != "/api")).await;
    for (area, expected) in AREAS.iter().zip([
        vec!["__Host-shop", "theme"],
        vec!["__Host-admin", "__Host-shop", "theme"],
        vec!["__Host-admin", "__Host-deep", "__Host-shop", "theme"],
        vec!["__Host-api", "theme"],
    ]) {
        for _ in 0..2 {
            let reply = app.browser.get(&format!("{area}/theme")).await;
            let mut names = names(&reply);
            names.sort();
            assert_eq!(names, expected, "{area}");
            assert!(reply.set_cookies().iter().any(|cookie| cookie == "theme=dark"), "unchanged: {area}");
        }
    }
}

/// Defines a test for every claim about several sessions in one application, in the module where it is called.
///
/// It takes the path of a function `async fn(Sites) -> Server`, and an expression for a store.
#[macro_export]
macro_rules! several_suite {
    ($start:path, $store:expr) => {
        $crate::several_suite! { @ $start, $store;
            features_7_several_sessions_in_one_application_never_meet
            id_12_a_cookie_of_one_area_is_garbage_in_every_other
            id_12_areas_of_one_cookie_name_are_told_apart_by_their_purpose
            features_7_a_sign_out_or_a_new_id_in_one_area_leaves_the_others
            features_7_an_outer_layer_that_nobody_asks_costs_nothing
            ck_5_one_set_cookie_of_each_name_and_those_of_others_are_kept
        }
    };
    (@ $start:path, $store:expr; $($claim:ident)*) => {
        $(
            #[test]
            fn $claim() {
                $crate::adapter::several::play(
                    |ground| ::std::boxed::Box::pin($crate::adapter::several::$claim(ground)),
                    $start,
                    $store,
                );
            }
        )*
    };
}
