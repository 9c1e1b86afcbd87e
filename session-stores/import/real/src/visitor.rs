//! A visitor: a browser with a cookie jar that asks for pages without a pause, and checks each answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering::SeqCst};

use http::{Request, header};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::sync::Semaphore;

pub(crate) type Http = Client<HttpConnector, Empty<Bytes>>;

/// Where the load balancer sends visitors: a share of them to the new application.
#[derive(Debug, Default)]
pub(crate) struct Balancer {
    pub(crate) old: AtomicU16,
    pub(crate) new: AtomicU16,
    /// Of a hundred visitors, how many are served by the new application.
    pub(crate) percent: AtomicUsize,
}

impl Balancer {
    fn port(&self, visitor: usize) -> u16 {
        let to_new = visitor % 100 < self.percent.load(SeqCst);
        if to_new { self.new.load(SeqCst) } else { self.old.load(SeqCst) }
    }
}

/// What all visitors share.
pub(crate) struct Crowd {
    pub(crate) http: Http,
    pub(crate) balancer: Balancer,
    /// How many visitors may ask at the same time.
    pub(crate) at_once: Semaphore,
    pub(crate) requests: AtomicUsize,
    pub(crate) stop: AtomicBool,
}

/// How a visitor fared.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    pub(crate) faults: Vec<String>,
    /// The names of the cookies that the visitor had at the end.
    pub(crate) cookies: Vec<String>,
}

struct Visitor {
    number: usize,
    crowd: Arc<Crowd>,
    cookies: BTreeMap<String, String>,
    /// How often this visitor has added something to the cart.
    added: u64,
    faults: Vec<String>,
}

/// Signs in with the old application and visits until the crowd stops. `rounds` counts this visitor's rounds.
pub(crate) async fn visit(number: usize, crowd: Arc<Crowd>, rounds: Arc<AtomicUsize>) -> Fate {
    let mut visitor = Visitor { number, crowd, cookies: BTreeMap::new(), added: 0, faults: Vec::new() };
    visitor.sign_in().await;
    while !visitor.crowd.stop.load(SeqCst) && visitor.faults.is_empty() {
        visitor.round().await;
        rounds.fetch_add(1, SeqCst);
    }
    Fate { faults: visitor.faults, cookies: visitor.cookies.into_keys().collect() }
}

impl Visitor {
    async fn sign_in(&mut self) {
        let path = format!("/sign-in/{}", self.name());
        let answer = self.ask("POST", &path).await;
        self.take(answer, "welcome");
    }

    /// One thing into the cart, then two pages at once, as a browser loads them.
    async fn round(&mut self) {
        let crowd = Arc::clone(&self.crowd);
        let Ok(_turn) = crowd.at_once.acquire().await else { return };
        let answer = self.ask("POST", "/add").await;
        self.added += 1;
        let expected = format!("{} {}", self.name(), self.added);
        self.take(answer, &expected);
        let (one, two) = tokio::join!(self.ask("GET", "/cart"), self.ask("GET", "/cart"));
        self.take(one, &expected);
        self.take(two, &expected);
    }

    fn name(&self) -> String {
        format!("visitor-{}", self.number)
    }

    async fn ask(&self, method: &str, path: &str) -> Result<Answer, String> {
        let url = format!("http://127.0.0.1:{}{path}", self.crowd.balancer.port(self.number));
        let jar: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::builder().method(method).uri(url).header(header::COOKIE, jar.join("; "));
        let request = request.body(Empty::new()).map_err(|error| error.to_string())?;
        self.crowd.requests.fetch_add(1, SeqCst);
        let response = self.crowd.http.request(request).await.map_err(|error| format!("{path}: {error}"))?;
        let (head, body) = response.into_parts();
        let set = head.headers.get_all(header::SET_COOKIE);
        let set = set.iter().filter_map(|set| set.to_str().ok()).map(str::to_owned).collect();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(Answer { status: head.status.as_u16(), body: String::from_utf8_lossy(&body).into_owned(), set })
    }

    /// Stores the cookies of an answer, and notes everything that is not as expected.
    fn take(&mut self, answer: Result<Answer, String>, expected: &str) {
        let answer = match answer {
            Ok(answer) => answer,
            Err(fault) => return self.faults.push(fault),
        };
        for set in answer.set {
            let mut parts = set.split(';');
            let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else { continue };
            if parts.any(|attribute| attribute.trim().eq_ignore_ascii_case("max-age=0")) {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        if answer.status != 200 || answer.body != expected {
            self.faults.push(format!("{} {:?} instead of {expected:?}", answer.status, answer.body));
        }
    }
}

struct Answer {
    status: u16,
    body: String,
    set: Vec<String>,
}
