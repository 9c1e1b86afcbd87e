//! A browser: one cookie jar, several tabs that send requests at random, and HTTP/1 over the simulated network.

use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http1;
use hyper::header::{COOKIE, HOST, SET_COOKIE};
use hyper_util::rt::TokioIo;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use turmoil::net::TcpStream;

use crate::application::{APPLICATION_PORT, NAME, Shown};
use crate::history::{Action, Cookie, History};
use crate::random::Random;

/// A browser and its user.
pub(crate) struct Browser {
    pub(crate) label: String,
    pub(crate) user: &'static str,
    /// The hosts of the application.
    pub(crate) servers: Rc<[String]>,
    pub(crate) history: Rc<History>,
    /// The longest pause of a tab between two requests, in milliseconds.
    pub(crate) pause: u64,
    jar: RefCell<Jar>,
}

#[derive(Clone, Copy, Default)]
struct Jar {
    /// The position of the cookie in the history.
    cookie: Option<usize>,
    /// Whether the browser takes itself to be signed in.
    signed_in: bool,
}

/// A response as it was read.
struct Response {
    status: u16,
    name: Option<String>,
    set_cookie: Option<String>,
    body: Bytes,
}

impl Browser {
    pub(crate) fn new(
        label: String,
        user: &'static str,
        servers: Rc<[String]>,
        history: Rc<History>,
        pause: u64,
    ) -> Self {
        Self { label, user, servers, history, pause, jar: RefCell::default() }
    }

    /// The program of the browser's host: all its tabs, until each has done its part.
    pub(crate) async fn run(self: Rc<Self>, tabs: u64, mut random: Random) -> turmoil::Result {
        let mut running = JoinSet::new();
        for tab in 0..tabs {
            let random = Random::new(random.below(u64::MAX), tab);
            running.spawn_local(self.clone().tab(tab, random));
        }
        while let Some(ended) = running.join_next().await {
            ended?;
        }
        Ok(())
    }

    async fn tab(self: Rc<Self>, number: u64, mut random: Random) {
        for _ in 0..STEPS {
            sleep(Duration::from_millis(random.below(self.pause))).await;
            // One tab signs in, so that no sign-in of the browser's own replaces the cookie of another.
            let Some(action) = self.next(number == 0, &mut random) else { continue };
            let patience = match random.per_mille(100) {
                true => Duration::from_millis(5 + random.below(100)),
                false => PATIENCE,
            };
            let server = random.pick(&self.servers).clone();
            let cookie = self.jar.borrow().cookie;
            self.call(action, cookie, &server, patience).await;
        }
    }

    fn next(&self, is_first: bool, random: &mut Random) -> Option<Action> {
        let Jar { cookie, signed_in } = *self.jar.borrow();
        let often: &[(u64, Action)] = match (signed_in, is_first) {
            (false, false) => return None,
            (false, true) if cookie.is_none() => &[(300, Action::Browse), (700, Action::SignIn)],
            (false, true) => &[(100, Action::Browse), (900, Action::SignIn)],
            (true, true) => &[
                (280, Action::Write),
                (70, Action::Update),
                (150, Action::Flash),
                (250, Action::Show),
                (150, Action::Regenerate),
                (70, Action::SignOut),
                (30, Action::SignOutEverywhere),
            ],
            (true, false) => &[
                (400, Action::Write),
                (100, Action::Update),
                (100, Action::Flash),
                (250, Action::Show),
                (120, Action::Regenerate),
                (20, Action::SignOut),
                (10, Action::SignOutEverywhere),
            ],
        };
        let mut at = random.below(1_000);
        often.iter().find_map(|(often, action)| match at < *often {
            true => Some(*action),
            false => {
                at -= often;
                None
            }
        })
    }

    /// Sends one request, with this cookie, and waits so long for the response.
    pub(crate) async fn call(
        &self,
        action: Action,
        cookie: Option<usize>,
        server: &str,
        patience: Duration,
    ) -> Option<u16> {
        let history = &self.history;
        let word = history.word(if action == Action::SignIn { 's' } else { 'w' });
        let call = history.ask(self.user, action, &word, cookie);
        let value = cookie.map(|cookie| history.cookies()[cookie].value.clone());
        let (label, user, verb) = (&self.label, self.user, action.verb());
        history
            .note(format_args!("{label}: #{call} {verb} {word} at {server} with cookie {}", shown(cookie)));
        let path = format!("/{verb}/{word}/{user}");
        let Ok(Some(response)) = timeout(patience, send(server, &path, value)).await else {
            history.note(format_args!("{label}: #{call} is lost"));
            return None;
        };
        let Response { status, name, set_cookie, body } = response;
        let page: Option<Shown> = (action == Action::Show && status == 200)
            .then(|| serde_json::from_slice(&body))
            .and_then(Result::ok);
        let set = set_cookie.map(|header| self.take(&header, name.clone(), call));
        history.note(format_args!(
            "{label}: #{call} is answered {status} about {}, cookie {}{}",
            shown(name.as_ref()),
            match set {
                Some(Some(cookie)) => cookie.to_string(),
                Some(None) => "removed".to_owned(),
                None => "kept".to_owned(),
            },
            page.as_ref().map(|page| format!(", shows {page:?}")).unwrap_or_default(),
        ));
        let mut jar = self.jar.borrow_mut();
        match &name {
            // What it says about another cookie says nothing about the one in the jar.
            _ if jar.cookie != cookie && set.is_none() => {}
            Some(_) => jar.signed_in = action != Action::SignOut || set.is_none(),
            None if status < 500 => jar.signed_in = false,
            None => {}
        }
        drop(jar);
        history.answered(call, status, name, page);
        Some(status)
    }

    /// Keeps or removes a cookie, as the header says. Returns the position of what is kept.
    fn take(&self, header: &str, name: Option<String>, set_by: usize) -> Option<usize> {
        let (pair, attributes) = header.split_once(';').unwrap_or((header, ""));
        let is_kept = !attributes.split(';').any(|attribute| attribute.trim() == "Max-Age=0");
        let cookie = is_kept.then(|| {
            let cookie = Cookie { user: self.user, value: pair.to_owned(), name, set_by };
            self.history.cookie(cookie)
        });
        self.jar.borrow_mut().cookie = cookie;
        cookie
    }
}

/// Sends one request over a connection of its own. `None` if the connection failed.
async fn send(server: &str, path: &str, cookie: Option<String>) -> Option<Response> {
    let stream = TcpStream::connect((server, APPLICATION_PORT)).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    // Dropped with this future, and the connection with it.
    let mut connections = JoinSet::new();
    connections.spawn_local(connection);
    let mut request = Request::get(path).header(HOST, server);
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, cookie);
    }
    let response = sender.send_request(request.body(Empty::<Bytes>::new()).ok()?).await.ok()?;
    let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    let (name, set_cookie) = (header(NAME), header(SET_COOKIE.as_str()));
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.ok()?.to_bytes();
    Some(Response { status, name, set_cookie, body })
}

fn shown(value: Option<impl Display>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

/// How many requests a tab sends, or moments at which it has nothing to send.
const STEPS: u64 = 10;
/// How long a browser waits for most of its requests.
const PATIENCE: Duration = Duration::from_millis(1_500);
