//! How each browser is started: its driver and the driver's options. If one is missing, the test fails.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use session_test_servers::claim_port;

use super::process::Process;

/// A family of browsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Chromium, and what is made of it: Chrome, Edge.
    Chromium,
    Firefox,
    /// The engine of Safari, in WebKitGTK's test browser.
    WebKit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// 1280 × 900.
    Desktop,
    /// 390 × 844, which Chromium alone can pretend to have.
    Phone,
}

/// A browser that runs, and its processes, which end in this order.
pub(super) struct Running {
    pub(super) client: Client,
    _driver: Process,
    _display: Option<Process>,
}

impl Engine {
    /// Starts a browser, which keeps what it keeps in this directory, and trusts the certificate with the key of this hash. To
    /// Chromium it is a site to whose sessions it may be bound, with a key in a file.
    pub(super) async fn open(self, screen: Screen, home: &Path, trusted: Option<&str>) -> Running {
        std::fs::create_dir_all(home).unwrap();
        assert!(self == Self::Chromium || screen == Screen::Desktop, "{self:?} has no {screen:?}");
        let (driver, display, capabilities) = match self {
            Self::Chromium => (chromedriver(), None, chromium(screen, home, trusted)),
            Self::Firefox => (geckodriver(home), None, firefox(trusted.is_some())),
            Self::WebKit => {
                let display = display();
                (webkit_driver(home, &display), Some(display), json!({ "browserName": "MiniBrowser" }))
            }
        };
        let Value::Object(capabilities) = capabilities else { unreachable!("it is written as an object") };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", driver.said))
            .await
            .unwrap_or_else(|error| panic!("the driver of {self:?} opens no browser: {error}"));
        Running { client, _driver: driver, _display: display }
    }
}

fn chromedriver() -> Process {
    let mut command = Command::new("chromedriver");
    command.arg("--port=0");
    Process::start(command, "successfully on port ", "install chromium-driver (Debian) or chromedriver")
}

/// The driver must be of the same version as the browser.
fn chromium(screen: Screen, home: &Path, trusted: Option<&str>) -> Value {
    let program = program(
        &["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"],
        "chromium chromium-driver",
    );
    let mut arguments: Vec<String> = CHROMIUM_FLAGS.iter().map(|&flag| flag.to_owned()).collect();
    arguments.push(format!("--user-data-dir={}", home.display()));
    if let Some(hash) = trusted {
        arguments.push(format!("--ignore-certificate-errors-spki-list={hash}"));
        arguments.push(SOFTWARE_KEYS.to_owned());
    }
    let mut options = json!({ "binary": program, "args": arguments });
    if screen == Screen::Phone {
        let metrics = json!({ "width": 390, "height": 844, "pixelRatio": 2.0 });
        options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
    }
    json!({ "browserName": "chrome", "goog:chromeOptions": options })
}

fn geckodriver(home: &Path) -> Process {
    let mut command = Command::new(tool("geckodriver"));
    // The second port is for WebDriver BiDi; by default it is the same for all, and taken.
    command.args(["--port=0", "--websocket-port=0", "--profile-root"]).arg(home).env("HOME", home);
    Process::start(
        command,
        "Listening on 127.0.0.1:",
        "cargo install --locked geckodriver --root target/tools, as cargo xtask test does",
    )
}

fn firefox(insecure: bool) -> Value {
    let program = program(&["/usr/bin/firefox-esr", "/usr/bin/firefox"], "firefox-esr");
    let options = json!({
        "binary": program,
        "args": ["-headless", "--width=1280", "--height=900"],
    });
    json!({ "browserName": "firefox", "acceptInsecureCerts": insecure, "moz:firefoxOptions": options })
}

/// WebKitGTK has no mode without a screen, so it gets one that nobody sees.
fn display() -> Process {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "1280x1024x24"]);
    Process::start(command, "", "install xvfb (Debian)")
}

/// One driver has one browser, and does not say on which port it listens.
fn webkit_driver(home: &Path, display: &Process) -> Process {
    let port = claim_port().unwrap();
    let mut command = Command::new("WebKitWebDriver");
    command
        .arg(format!("--port={}", port.number()))
        .env("HOME", home)
        .env("DISPLAY", format!(":{}", display.said))
        .env("GDK_BACKEND", "x11")
        .env("NO_AT_BRIDGE", "1");
    Process::start_on(port.number(), command, "install webkit2gtk-driver (Debian)")
}

fn program(places: &[&'static str], packages: &str) -> &'static str {
    places
        .iter()
        .find(|place| Path::new(place).exists())
        .unwrap_or_else(|| panic!("no browser here: apt-get install {packages}"))
}

/// What cargo builds instead of Debian is where `cargo xtask` puts it: `$XTASK_TOOLS/bin`, else the workspace's
/// `target/tools/bin`, else in `PATH`.
fn tool(name: &str) -> PathBuf {
    let named = env::var_os("XTASK_TOOLS").map(PathBuf::from);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools");
    let tools = named.into_iter().chain([workspace]).map(|tools| tools.join("bin").join(name));
    tools.into_iter().find(|tool| tool.is_file()).unwrap_or_else(|| name.into())
}

/// Device Bound Session Credentials, without a TPM.
const SOFTWARE_KEYS: &str =
    "--enable-features=EnableBoundSessionCredentialsSoftwareKeysForManualTesting,DeviceBoundSessions";

/// With the pipe a browser ends when its driver does, however that came about.
const CHROMIUM_FLAGS: [&str; 13] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--remote-debugging-pipe",
    "--lang=en",
    "--window-size=1280,900",
];
