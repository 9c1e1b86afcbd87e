//! Sessions bound to the device in a real Chromium, over TLS, under three adapters: when a copied cookie jar is rejected, and
//! that the browser with the key is not disturbed.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

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

#[test]
fn browser_sessions_are_bound_to_the_device_under_axum() {
    run("axum");
}

#[test]
fn browser_sessions_are_bound_to_the_device_under_actix() {
    run("actix");
}

#[test]
fn browser_sessions_are_bound_to_the_device_under_hyper() {
    run("hyper");
}

fn run(adapter: &'static str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(claims(adapter));
}

/// How long a proof lasts here, and how long a copied cookie is accepted. Chromium proves no more than a few times in some
/// minutes, so each claim has a browser of its own.
const REFRESH: &str = "--bind-to-device=4s";
const PATIENCE: Duration = Duration::from_secs(7);
/// When the browser has dropped the short-lived cookie.
const EXPIRED: Duration = Duration::from_secs(5);

async fn claims(adapter: &'static str) {
    let mut site = Site::new(adapter);
    a_copied_jar_is_a_stranger_after_the_refresh_time(&site).await;
    a_plain_browser_stays_signed_in(&site).await;
    a_browser_that_lost_its_key_signs_in_again(&site).await;
    a_restart_of_the_server_changes_nothing_and_signing_out_ends_it(&mut site).await;
}

async fn a_copied_jar_is_a_stranger_after_the_refresh_time(site: &Site) {
    let (owner, thief) = (site.browser(true).await, site.browser(true).await);
    owner.sign_in_and_register().await;
    // Two tabs have one binding.
    let tab = owner.client.new_window(true).await.unwrap().handle;
    owner.client.switch_to_window(tab).await.unwrap();
    assert_eq!(owner.read("/read").await, USER);

    thief.read("/healthz").await;
    for cookie in owner.client.get_all_cookies().await.unwrap() {
        thief.client.add_cookie(cookie).await.unwrap();
    }
    tokio::time::sleep(PATIENCE).await;
    let stolen = thief.cookies().await;
    assert_eq!(thief.read("/read").await, "anon", "the thief has all cookies, and not the key");
    let refused = site.refreshes_with_another_key(&stolen).await;
    let sets = |line: &str| line.starts_with("set-cookie: ") && !line.contains("Max-Age=0");
    assert!(!refused.lines().any(sets) && !refused.contains("credentials"), "{refused}");
    assert_eq!(thief.read("/read").await, "anon");
    assert_eq!(owner.read("/read").await, USER, "the browser has proven its key again");
    owner.close().await;
    thief.close().await;
}

async fn a_plain_browser_stays_signed_in(site: &Site) {
    let plain = site.browser(false).await;
    plain.read("/login").await;
    tokio::time::sleep(PATIENCE).await;
    assert_eq!(plain.read("/read").await, USER);
    plain.close().await;
}

async fn a_browser_that_lost_its_key_signs_in_again(site: &Site) {
    let browser = site.browser(true).await;
    browser.sign_in_and_register().await;
    let cookies = browser.client.get_all_cookies().await.unwrap();
    browser.client.clone().close().await.unwrap();
    // With the table of its sessions go the keys, which are in software here. Cookies without an expiry went with the browser.
    for file in ["Device Bound Sessions", "Device Bound Sessions-journal"] {
        drop(std::fs::remove_file(browser.profile.path().join("Default").join(file)));
    }
    let browser = site.browser_in(browser.profile, true).await;
    browser.read("/healthz").await;
    for cookie in cookies {
        browser.client.add_cookie(cookie).await.unwrap();
    }
    tokio::time::sleep(PATIENCE).await;
    assert_eq!(browser.read("/read").await, "anon");
    browser.sign_in_and_register().await;
    tokio::time::sleep(EXPIRED).await;
    assert_eq!(browser.read("/read").await, USER, "with another key");
    browser.close().await;
}

async fn a_restart_of_the_server_changes_nothing_and_signing_out_ends_it(site: &mut Site) {
    let browser = site.browser(true).await;
    browser.sign_in_and_register().await;
    site.restart();
    tokio::time::sleep(PATIENCE).await;
    assert_eq!(browser.read("/read").await, USER);
    browser.read("/logout").await;
    assert!(browser.client.get_all_cookies().await.unwrap().is_empty());
    assert_eq!(browser.read("/read").await, "anon");
    browser.close().await;
}

/// What `/login` signs in.
const USER: &str = "alice@example.com";

/// The probe over TLS, and a WebDriver.
struct Site {
    probe: Process,
    driver: Process,
    adapter: &'static str,
    address: String,
    spki: String,
    dir: TempDir,
}

impl Site {
    fn new(adapter: &'static str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(dir.path().join("cert.pem"), cert.pem()).unwrap();
        std::fs::write(dir.path().join("key.pem"), signing_key.serialize_pem()).unwrap();
        let hash = Sha256::digest(signing_key.subject_public_key_info());
        let spki = base64::engine::general_purpose::STANDARD.encode(hash);
        let probe = probe(adapter, "127.0.0.1:0", dir.path());
        let mut chromedriver = Command::new("chromedriver");
        chromedriver.arg("--port=0");
        let advice = "install chromium-driver (Debian) or chromedriver";
        let driver = Process::start(chromedriver, "successfully on port ", advice);
        let address = probe.said.clone();
        Self { probe, driver, adapter, address, spki, dir }
    }

    /// Another process with the same key, store and port.
    fn restart(&mut self) {
        self.probe.stop();
        self.probe = probe(self.adapter, &self.address, self.dir.path());
    }

    /// A browser with a profile of its own, with Device Bound Session Credentials and software keys, or without.
    async fn browser(&self, binds: bool) -> Browser {
        self.browser_in(tempfile::tempdir_in(self.dir.path()).unwrap(), binds).await
    }

    async fn browser_in(&self, profile: TempDir, binds: bool) -> Browser {
        let program = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
            .into_iter()
            .find(|program| Path::new(program).exists())
            .expect("no browser here: install chromium (Debian: apt-get install chromium chromium-driver)");
        let mut arguments: Vec<String> = FLAGS.iter().map(|&flag| flag.to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        arguments.push(format!("--ignore-certificate-errors-spki-list={}", self.spki));
        arguments.push(if binds { ENABLE.to_owned() } else { DISABLE.to_owned() });
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
}

impl Site {
    /// What the site answers to a refresh with these cookies, whose challenge is signed with a key of the sender's own.
    async fn refreshes_with_another_key(&self, cookies: &str) -> String {
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

fn probe(adapter: &str, listen: &str, dir: &Path) -> Process {
    let store = format!("file:{}", dir.join("sessions").display());
    let file = |name: &str| -> PathBuf { dir.join(name) };
    let mut command = Command::new(env!("CARGO_BIN_EXE_probe"));
    command
        .args(["--adapter", adapter, "--listen", listen, "--store", &store, "--key", KEY, REFRESH, "--tls"])
        .args([file("cert.pem"), file("key.pem")]);
    Process::start(command, "listening on ", "the probe is built by cargo")
}

const KEY: &str = "8c1b250f6ac301530cc475db5ef5a34e7c9e9d8f1516b292fef51bb0ebb3f0e1";
const ENABLE: &str =
    "--enable-features=EnableBoundSessionCredentialsSoftwareKeysForManualTesting,DeviceBoundSessions";
const DISABLE: &str = "--disable-features=DeviceBoundSessions";

struct Browser {
    client: Client,
    base: String,
    profile: TempDir,
}

impl Browser {
    /// The text of a page.
    async fn read(&self, path: &str) -> String {
        self.client.goto(&format!("{}{path}", self.base)).await.unwrap();
        let text = self.client.execute("return document.body.innerText", Vec::new()).await.unwrap();
        text.as_str().unwrap().trim().to_owned()
    }

    /// Signs in, lets the first short-lived cookie expire, and sees that the browser has got another one by itself.
    async fn sign_in_and_register(&self) {
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

    /// Its cookies, as a request has them.
    async fn cookies(&self) -> String {
        let cookies = self.client.get_all_cookies().await.unwrap();
        let pairs: Vec<_> =
            cookies.iter().map(|cookie| format!("{}={}", cookie.name(), cookie.value())).collect();
        pairs.join("; ")
    }

    async fn bound(&self) -> Option<Cookie<'static>> {
        self.client.get_named_cookie("sid.b").await.ok()
    }

    async fn close(self) {
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
