//! No `Debug` form of a public type shows a cookie, a token, a key, an id, a `Referer` or a query: every type that has one
//! is listed here, and the list is compared with the names that the crate exports.
#![allow(clippy::unwrap_used, reason = "a panic is the report")]

use std::collections::BTreeSet;
use std::fmt::Debug;

use crate::driver_support::*;
use session_core::{
    adapter::*,
    import::*,
    machine::{cookie::*, table::*, *},
    store::*,
    *,
};
use session_web::{ReadAhead, Redirects, Rejection, SignIn};

/// The names of everything that a door exports.
fn exported(door: &str) -> BTreeSet<String> {
    let uses = door.split("\npub use ").skip(1).map(|rest| rest.split(';').next().unwrap_or_default());
    let names = uses.flat_map(|list| {
        let names = list.split_once('{').map_or_else(
            || list.rsplit("::").next().unwrap_or_default().to_owned(),
            |(_, names)| names.replace('}', ""),
        );
        names.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>()
    });
    names.filter(|name| !name.is_empty()).collect()
}

/// Types without a text or a byte of a request, a session or a key; traits, functions and constants.
const PLAIN: &str = "
    Accepts Access Adapter Age AnyKey BlockingStore BoundDevice BoxFuture CLOCK_SKEW Census Clock Closing CommitError
    ConfigError CookieAction CookieError CookieTooLarge Cursor DEFAULT_MAX_RECORD Date Decision DefaultFor Demand
    DeviceBinding DeviceCheck EntropyError Entropy Etag Event Excess Failure Fate Finish FlashBag Handle Imported Importer JsonError
    KeyError Level LoadError MOST_AGE MOST_CANDIDATES MOST_COOKIE_BYTES MOST_KEYS Malformed NewerFormat NotAnAge NotHex
    Notice Number NumberTooWide Observer OpenError OwnerIndex Paths Placement Policy PolicyError ProofError Refusal
    RefusedImport RejectReason Rejected Rejections SameSite SealKind SessionError SessionHead SessionStore Situation StoreAnswer StoreCall StoreWrapper Verb
    Spawn StoreError StoreErrorKind StoreKey Sweep Swept SystemClock SystemEntropy Timestamp ToPath ToPaths Token TokenFrom
    Trigger Unproven UserSessionsError ValueError Write async_trait decide refresh_interval sealed_len select
";

/// Types whose text is the application's own or may be shown: an origin, the cookie's name and attributes, the name of a
/// key, the text of a message.
const THE_APPLICATIONS: &str =
    "Binding Cookie CookieSpec Key Messages NamedForm Notification Origin Path SessionsBuilder UserSessions";

/// Shown below.
const SHOWN: &str = "
    Arrival Bag BareResponse Begun BindingId BlockingSessions Candidates Claim Commit CookieCodec CookieHeaders CookieOrder Csrf
    Decoded Device EncryptedStore Errors FlashMessages Fresh HeaderChange IdToken ImportedError ImportedFlash Journal KeyRing Lifetime Loaded
    Middleware MigratingStore NotBegun OldCookie OldSession Opened Outcome OwnResponse Page PageRequest Payload Record RecordToken
    Refused RequestHead Sealed SecretKey Selection Served Session SessionId SessionState SessionView Sessions SetCookies
    Settling Shown Snapshot Status StoreOp Urls User Values Visit VisitGuard VisitReport Written
";

/// The same of `session-web`, whose door has no others behind it.
const PLAIN_OF_PAGES: &str = "
    CrossOrigin CsrfDecision CsrfFailure CsrfGuard CsrfReason CsrfRuleError CsrfRules FormError InputLimit NotThatForm
    OriginRules RedirectKind RequestError ValidationErrors add_headers bare_response find_visit find_visit_for_input
    find_visit_if_any own_response poll_data request_head same_origin sign_out_with verify_form
";

/// `CheckedBody` belongs to a feature of its own, and has its test beside it.
const SHOWN_OF_PAGES: &str = "CheckedBody FinishedRedirect ReadAhead Redirect Redirects Rejection SignIn";

#[test]
fn at_3_every_exported_name_is_on_the_list() {
    let doors = [
        include_str!("../../src/lib.rs"),
        include_str!("../../src/adapter.rs"),
        include_str!("../../src/store.rs"),
        include_str!("../../src/facet.rs"),
        include_str!("../../src/path.rs"),
        include_str!("../../src/error.rs"),
        include_str!("../../src/import.rs"),
        include_str!("../../src/machine/mod.rs"),
        include_str!("../../src/machine/table.rs"),
        include_str!("../../src/machine/cookie.rs"),
    ];
    let core = compare(&doors, &[PLAIN, THE_APPLICATIONS, SHOWN]);
    let pages = compare(&[include_str!("../../web/src/lib.rs")], &[PLAIN_OF_PAGES, SHOWN_OF_PAGES]);
    assert!(core > 150 && pages > 25, "{core} and {pages} names");
}

/// Compares the names that doors export with lists, and returns how many there are.
fn compare(doors: &[&str], lists: &[&str]) -> usize {
    let exported: BTreeSet<String> = doors.iter().flat_map(|door| exported(door)).collect();
    let listed = lists.iter().flat_map(|list| list.split_whitespace()).map(str::to_owned).collect();
    let unlisted: Vec<_> = exported.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&exported).collect();
    assert!(unlisted.is_empty() && gone.is_empty(), "not on the list: {unlisted:?}; not exported: {gone:?}");
    exported.len()
}

const CANARY: &str = "canary";
const BYTES: [u8; 32] = *b"canary-canary-canary-canary-cana";

#[derive(Default)]
struct Shown(Vec<String>);

impl Shown {
    fn add(&mut self, value: &impl Debug) {
        self.0.push(format!("{value:?} {value:#?}"));
    }
}

type Header<'r> = fn(&'static str) -> Option<&'r [u8]>;

fn head<'r>() -> RequestHead<'r, Header<'r>> {
    RequestHead {
        method: "GET",
        url: "/page?canary=1",
        authority: Some("canary.example"),
        header: |name| matches!(name, "referer" | "cookie").then_some(b"canary"),
    }
}

fn record() -> Record {
    let now = Timestamp::from_millis(0);
    Record::new(Etag::new(1), now, now, br#"{"v":{"n":"canary"}}"#.to_vec().into())
        .with_owner(Some("canary".into()))
}

/// What handlers and adapters meet.
async fn show_a_visit(shown: &mut Shown, secrets: &mut Vec<String>) {
    let app = app_with(|builder| builder.xsrf_cookie(true));
    let guard = app.arrive(&["__Host-sid=canary"]);
    let session = guard.visit().session().await.unwrap();
    session.put("n", CANARY).unwrap();
    session.flash_now("n", CANARY).unwrap();
    session.tag(CANARY).unwrap();
    session.user().set_meta("n", CANARY).unwrap();
    session.urls().set_intended("/canary?canary").unwrap();
    let view = session.csrf().view().unwrap();
    secrets.push(view.csrf_token().unwrap().to_owned());
    shown.add(&session);
    shown.add(&(session.csrf(), session.errors(), session.lifetime(), session.status()));
    shown.add(&(session.urls(), session.user(), session.all(), session.flash_messages()));
    shown.add(&view);
    shown.add(&(guard.visit(), &guard, &app.sessions));
    let report = finish(guard, 200).await;
    for secret in [&report.set_cookie, &report.xsrf_cookie] {
        secrets.push(secret.as_ref().unwrap().split(['=', ';']).nth(1).unwrap().to_owned());
    }
    shown.add(&app.sessions.of(CANARY).list().await.unwrap());
    shown.add(&report);
    shown.add(&report.headers(|_| []).into_iter().flatten().collect::<Vec<_>>());
    shown.add(&Served { answer: Err::<(), _>(Refused { failure: Failure::Internal, answer: None }), report });

    let middleware = Middleware::<()>::new(app.sessions.clone(), &HERE, |_, _| ()).track_pages(true);
    shown.add(&middleware);
    shown.add(&middleware.begin(["sid=canary"], &head()));
    shown.add(&head());
    shown.add(&PageRequest::new("GET", "/page?canary", |_| None));
    shown.add(&["sid=canary"].into_iter().collect::<CookieHeaders>());
    shown.add(&BareResponse::redirect(303, "/page?canary".to_owned()));
}

static HERE: fn(BoxFuture<()>) = |future| drop(future);

/// What the adapters give handlers.
fn show_pages(shown: &mut Shown) {
    let (referer, host) = (b"https://shop.example/page?canary=1".as_slice(), b"shop.example".as_slice());
    let redirects = Redirects::new(Session::standalone(), Some(referer), Some(host));
    shown.add(&redirects);
    shown.add(&redirects.back("/").with("status", CANARY));
    shown.add(&redirects.to_unchecked("https://canary.example/"));
    shown.add(&redirects.back("/").finish().unwrap());
    let rejection = Rejection::from(redirects.back("/"));
    shown.0.push(rejection.to_string());
    shown.add(&rejection);
    shown.add(&SignIn::of_request("/sign-in".into(), &head()));
    let read = ReadAhead { bytes: "_csrf=canary".into(), ended: true };
    shown.add(&read);
}

/// What stores, tools and servers of one's own meet.
fn show_parts(shown: &mut Shown, secrets: &mut Vec<String>) {
    let now = Timestamp::from_millis(0);
    let id = SessionId::from_bytes(BYTES);
    secrets.push(id.expose_secret().iter().map(|byte| format!("{byte:02x}")).collect());
    shown.add(&(record(), Loaded::Found(record()), Written::Conflict(record()), record().payload));
    shown.add(&Page::last(vec![(id.store_key(), record())]));
    shown.add(&Claim::Record(id.clone(), record()));
    shown.add(&Arrival::with_id(id.clone()));
    let ring = KeyRing::new([
        SecretKey::from_bytes(&std::array::from_fn::<u8, 32, _>(|at| (at * 37) as u8)).unwrap()
    ]);
    let ring = ring.unwrap();
    let binding = Binding::cookie("sid", "Path=/", "session");
    let bound = BindingId::from_bytes(*b"canary-canary-ca");
    shown.add(&(bound, session_core::machine::Shown::Offered(bound)));
    let token = IdToken { issued_at: now, absolute_deadline: None, id: id.clone() };
    let sealed = ring.seal(&binding, SealKind::Id, &[5; 24], &token.encode()[..]);
    secrets.push(sealed.as_str().to_owned());
    let header = format!("sid=canary; sid={}", sealed.as_str());
    shown.add(&Candidates::find([header.as_bytes()], "sid"));
    shown.add(&select::<IdToken>(&ring, &binding, "sid", [header.as_bytes()], now));
    shown.add(&ring.open(&binding, SealKind::Id, sealed.as_str().as_bytes()).unwrap());
    let codec = CookieCodec::new(ring.clone(), Cookie::host("sid").build().unwrap(), "session");
    let host = format!("__Host-{header}");
    shown.add(&codec.decode(Placement::Store, [host.as_bytes()], now));
    shown.add(&(token, sealed, ring, codec));
    shown.add(&RecordToken { issued_at: now, id: id.clone(), record: record() });
    shown.add(&(Fresh::from_bytes(&[b'c'; 64]), id.clone()));
    shown.add(&(
        Bag::decode(br#"{"n":"canary"}"#.to_vec().into()).unwrap(),
        OldSession::Missing { token: CANARY.into() },
    ));
    let mut error = ImportedError::default();
    (error.field, error.messages) = ("email".into(), vec![CANARY.into()]);
    let mut flash = ImportedFlash::default();
    flash.messages.insert("status".into(), CANARY.into());
    flash.input.insert("email".into(), CANARY.into());
    shown.add(&(&error, &flash));
    flash.errors.push(error);
    shown.add(&flash);
    let key = std::array::from_fn::<u8, 32, _>(|at| (at * 37) as u8);
    let old = OldCookie::new(Cookie::host("sid")).key(SecretKey::from_bytes(&key).unwrap());
    secrets.push(key[..4].iter().map(|byte| format!("{byte:02x}")).collect());
    secrets.push(format!("{:?}", &key[..4]).trim_matches(['[', ']']).to_owned());
    shown.add(&old);
    let mut values = Values::default();
    values.put("n", CANARY).unwrap();
    shown.add(&(values.all(), values.take_journal(), values));
    let mut state = SessionState::open(Arrival::with_id(id), Ok(Loaded::Missing), Access::Full, now).unwrap();
    state.data_mut().put("n", CANARY).unwrap();
    shown.add(&state);
    let policy = Policy::default();
    let mut commit =
        Commit::begin(state, &policy, Trigger::Response, now, || Ok::<_, ()>(Fresh::from_bytes(&[b'c'; 64])))
            .unwrap();
    shown.add(&commit.step());
    shown.add(&commit);
    commit.answer(Ok(Written::Applied), || now, || Ok::<_, ()>(Fresh::from_bytes(&[b'c'; 64])));
    let (state, outcome) = commit.finish();
    shown.add(&outcome);
    shown.add(&state.cookie());
}

#[tokio::test]
async fn at_3_no_debug_form_shows_a_cookie_a_token_an_id_a_referer_or_a_query() {
    let (mut shown, mut secrets) = (Shown::default(), vec![CANARY.to_owned()]);
    show_a_visit(&mut shown, &mut secrets).await;
    show_parts(&mut shown, &mut secrets);
    show_pages(&mut shown);
    assert!(secrets.iter().all(|secret| secret.len() > 5), "{secrets:?}");
    for text in &shown.0 {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{secret} in {text}");
        }
    }
}
