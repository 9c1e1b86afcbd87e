//! The probe over TLS, and real browsers that visit it: Chromium with Device Bound Session Credentials and software keys, or
//! without, and with the right time or another.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use fantoccini::cookies::Cookie;
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rcgen::{CertifiedKey, PublicKeyData as _, generate_simple_self_signed};
use serde_json::{Value, json};
use session_testkit::TestDevice;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// What kind of browser.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// With Device Bound Session Credentials, and keys in software.
    Binding,
    /// The same, with a clock that is ahead by so many seconds.
    WithClockAhead(i64),
    /// Without Device Bound Session Credentials.
    WithoutBinding,
}

/// Where sessions are kept.
#[derive(Clone, Copy)]
pub(crate) enum Placement {
    Store,
    Cookie,
}

/// The probe over TLS, and a WebDriver.
pub(crate) struct Site {
    probe: Process,
    driver: Process,
    adapter: &'static str,
    placement: Placement,
    address: String,
    spki: String,
    dir: TempDir,
}

impl Site {
    pub(crate) fn new(adapter: &'static str, placement: Placement) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(dir.path().join("cert.pem"), cert.pem()).unwrap();
        std::fs::write(dir.path().join("key.pem"), signing_key.serialize_pem()).unwrap();
        let hash = Sha256::digest(signing_key.subject_public_key_info());
        let spki = base64::engine::general_purpose::STANDARD.encode(hash);
        let probe = probe(adapter, placement, "127.0.0.1:0", dir.path());
        let mut chromedriver = Command::new("chromedriver");
        chromedriver.arg("--port=0");
        let advice = "install chromium-driver (Debian) or chromedriver";
        let driver = Process::start(chromedriver, "successfully on port ", advice);
        let address = probe.said.clone();
        Self { probe, driver, adapter, placement, address, spki, dir }
    }

    /// Another process with the same key, store and port.
    pub(crate) fn restart(&mut self) {
        self.probe.stop();
        self.probe = probe(self.adapter, self.placement, &self.address, self.dir.path());
    }

    /// A browser with a profile of its own.
    pub(crate) async fn browser(&self, kind: Kind) -> Browser {
        self.browser_in(tempfile::tempdir_in(self.dir.path()).unwrap(), kind).await
    }

    pub(crate) async fn browser_in(&self, profile: TempDir, kind: Kind) -> Browser {
        let program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
            .into_iter()
            .find(|program| Path::new(program).exists())
            .expect("no browser here: install chromium (Debian: apt-get install chromium chromium-driver)");
        let mut arguments: Vec<String> = FLAGS.iter().map(|&flag| flag.to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        arguments.push(format!("--ignore-certificate-errors-spki-list={}", self.spki));
        let (feature, program) = match kind {
            Kind::Binding => (ENABLE, PathBuf::from(program)),
            Kind::WithClockAhead(seconds) => (ENABLE, self.with_clock_ahead(program, seconds)),
            Kind::WithoutBinding => (DISABLE, PathBuf::from(program)),
        };
        arguments.push(feature.to_owned());
        let chrome = json!({ "binary": program, "args": arguments });
        let Value::Object(capabilities) = json!({ "browserName": "chrome", "goog:chromeOptions": chrome })
        else {
            unreachable!("it is written as an object")
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.driver.said))
            .await
            .expect("chromedriver opens a browser; chromium and chromium-driver must be of the same version");
        let (_, port) = self.address.rsplit_once(':').unwrap();
        Browser { client, base: format!("https://localhost:{port}"), profile }
    }

    /// A program that starts this one with another clock. A machine that links Rust programs has the compiler for it.
    fn with_clock_ahead(&self, program: &str, seconds: i64) -> PathBuf {
        let (library, script) =
            (self.dir.path().join("skew.so"), self.dir.path().join(format!("ahead{seconds}")));
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser_device/skew.c");
        let made = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
        assert!(made.is_ok_and(|status| status.success()), "cc does not compile {source}");
        let preload = library.display();
        let text = format!("#!/bin/sh\nLD_PRELOAD={preload} SKEW={seconds} exec {program} \"$@\"\n");
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
        script
    }

    /// What the site answers to a refresh with these cookies, whose challenge is signed with a key of the sender's own.
    pub(crate) async fn refreshes_with_another_key(&self, cookies: &str) -> String {
        let asked = self.post(&format!("cookie: {cookies}\r\nsec-secure-session-id: {ANY_ID}\r\n")).await;
        let header = asked.lines().find_map(|line| line.strip_prefix("secure-session-challenge: "));
        let challenge = TestDevice::challenge(header.expect("a challenge costs nothing")).unwrap();
        let proof = TestDevice::new(9).refreshes(&challenge);
        self.post(&format!(
            "cookie: {cookies}\r\nsec-secure-session-id: {ANY_ID}\r\nsecure-session-response: {proof}\r\n"
        ))
        .await
    }

    /// The whole answer to a refresh with these headers, which no script of a page may set.
    async fn post(&self, headers: &str) -> String {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.dir.path().join("cert.pem")).unwrap()).unwrap();
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let stream = TcpStream::connect(&self.address).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        let request = format!(
            "POST /dbsc/refresh HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\nconnection: close\r\n{headers}\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A server that closes without a last word of TLS has said everything before.
        drop(stream.read_to_end(&mut answer).await);
        String::from_utf8(answer).unwrap()
    }
}

const ANY_ID: &str = "00112233445566778899aabbccddeeff";

fn probe(adapter: &str, placement: Placement, listen: &str, dir: &Path) -> Process {
    let store = match placement {
        Placement::Store => format!("file:{}", dir.join("sessions").display()),
        Placement::Cookie => "cookie".to_owned(),
    };
    let file = |name: &str| -> PathBuf { dir.join(name) };
    let mut command = Command::new(env!("CARGO_BIN_EXE_probe"));
    command
        .args(["--adapter", adapter, "--listen", listen, "--store", &store, "--key", KEY, REFRESH, "--tls"])
        .args([file("cert.pem"), file("key.pem")]);
    Process::start(command, "listening on ", "the probe is built by cargo")
}

/// What `/login` signs in.
pub(crate) const USER: &str = "alice@example.com";
/// When the browser has dropped the short-lived cookie.
pub(crate) const EXPIRED: Duration = Duration::from_secs(5);
/// How long a proof lasts.
const REFRESH: &str = "--bind-to-device=4s";
const KEY: &str = "8c1b250f6ac301530cc475db5ef5a34e7c9e9d8f1516b292fef51bb0ebb3f0e1";
const ENABLE: &str =
    "--enable-features=EnableBoundSessionCredentialsSoftwareKeysForManualTesting,DeviceBoundSessions";
const DISABLE: &str = "--disable-features=DeviceBoundSessions";

pub(crate) struct Browser {
    pub(crate) client: Client,
    base: String,
    pub(crate) profile: TempDir,
}

impl Browser {
    /// The text of a page.
    pub(crate) async fn read(&self, path: &str) -> String {
        self.client.goto(&format!("{}{path}", self.base)).await.unwrap();
        self.script("return document.body.innerText").await.as_str().unwrap().trim().to_owned()
    }

    async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Signs in, lets the first short-lived cookie expire, and sees that the browser has got another one by itself.
    pub(crate) async fn sign_in_and_register(&self) {
        self.read("/login").await;
        assert!(self.bound().await.is_some(), "the sign-in sets the short-lived cookie");
        tokio::time::sleep(EXPIRED).await;
        assert_eq!(self.read("/read").await, USER);
        assert!(
            self.bound().await.is_some(),
            "this browser registers no key: its version has no Device Bound Session Credentials, or needs other flags \
             than {ENABLE}"
        );
    }

    /// Waits for the cookie that a registration sets, where it carries the session.
    pub(crate) async fn until_it_has_another_session_than(&self, before: &str) {
        for _ in 0..100 {
            if self.client.get_named_cookie("sid").await.unwrap().value() != before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the browser registers no key when it is asked again");
    }

    /// Has the page that is open ask who the user is, after this time.
    pub(crate) async fn asks_later(&self, time: Duration) {
        let ask = "window.seen = await (await fetch('/read')).text()";
        self.script(&format!("setTimeout(async () => {{ {ask} }}, {})", time.as_millis())).await;
    }

    /// The answer to that.
    pub(crate) async fn was_answered(&self) -> String {
        self.script("return String(window.seen).trim()").await.as_str().unwrap().to_owned()
    }

    /// Whether its clock shows about as many seconds more than that of this program.
    pub(crate) async fn is_ahead_by(&self, seconds: i64) -> bool {
        let there = self.script("return Date.now() / 1000").await.as_f64().unwrap();
        let here = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
        (there - here - seconds as f64).abs() < 600.0
    }

    pub(crate) async fn take_all_cookies_of(&self, owner: &Self) {
        self.read("/healthz").await;
        for mut cookie in owner.client.get_all_cookies().await.unwrap() {
            // As a thief does, who keeps it for longer; and it says when it expires by the owner's clock.
            cookie.unset_expires();
            self.client.add_cookie(cookie).await.unwrap();
        }
    }

    /// Its cookies, as a request has them.
    pub(crate) async fn cookies(&self) -> String {
        let cookies = self.client.get_all_cookies().await.unwrap();
        let pairs: Vec<_> =
            cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        pairs.join("; ")
    }

    pub(crate) async fn bound(&self) -> Option<Cookie<'static>> {
        self.client.get_named_cookie("sid.b").await.ok()
    }

    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
    }
}

/// A child process that says where it listens, and is killed by its id when this is dropped.
struct Process {
    child: Child,
    said: String,
}

impl Process {
    fn start(mut command: Command, mark: &str, advice: &str) -> Self {
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut child = started
            .unwrap_or_else(|error| panic!("{:?} does not start ({error}): {advice}", command.get_program()));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once(mark).filter(|(_, rest)| rest.starts_with(char::is_numeric))?;
            Some(rest.split(' ').next().unwrap_or(rest).trim_end_matches('.').to_owned())
        });
        // Whatever it says later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let said = said.unwrap_or_else(|| panic!("{:?} ended before it listened", command.get_program()));
        Self { child, said }
    }

    fn stop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// With the pipe a browser ends when its driver does, however that came about.
const FLAGS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-pipe",
    "--lang=en",
];
