//! Chromium without a window, driven by its own driver (W3C WebDriver).

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::blocking::Client;
use serde_json::{Value, json};

use crate::places::{self, Scratch};
use crate::supervised::Supervised;

/// Its first start on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(60);
/// For the actions of a page by itself.
const PAGE_LIMIT: Duration = Duration::from_secs(15);

/// A browser with one page; it ends with this value.
pub struct Browser {
    client: Client,
    session: String,
    _driver: Supervised,
    _profile: Scratch,
}

impl Browser {
    /// Starts one, with scripts or without.
    pub fn start(scripts: bool) -> Self {
        let profile = Scratch::new("browser");
        let log = profile.path().join("chromedriver.log");
        let driver = places::on_path(&["chromedriver"]);
        let driver = Supervised::start(&driver, &["--port=0"], profile.path(), &log);
        let port: u16 = std::iter::from_fn(|| driver.next_line(START_LIMIT))
            .find_map(|line| {
                let (_, port) = line.split_once("started successfully on port ")?;
                port.trim_end_matches('.').parse().ok()
            })
            .expect("chromedriver says where it listens");
        // Each client asks for a provider, also for plain HTTP; a second call finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(START_LIMIT)
            .no_proxy()
            .build()
            .expect("a plain client");
        // Chromium as it can run as root, in a container, and without a network.
        let arguments = [
            "--headless".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let setting = if scripts { 1 } else { 2 };
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": {
                "binary": places::on_path(&["chromium"]),
                "args": arguments,
                "prefs": { "profile.managed_default_content_settings.javascript": setting },
            },
        } } });
        let origin = format!("http://127.0.0.1:{port}/session");
        let session = ask(&client, &origin, Some(&wanted));
        let session = session["sessionId"].as_str().expect("a session has a name");
        Self {
            session: format!("{origin}/{session}"),
            client,
            _driver: driver,
            _profile: profile,
        }
    }

    /// Loads a page.
    pub fn open(&self, url: &str) {
        self.command("url", &json!({ "url": url }));
    }

    /// Sets the window's size in points; `is_phone`: a telephone's.
    pub fn resize(&self, width: u32, height: u32, is_phone: bool) {
        let scale = if is_phone { 2 } else { 1 };
        let params = json!({
            "width": width,
            "height": height,
            "deviceScaleFactor": scale,
            "mobile": is_phone,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", &params);
    }

    /// The operator's taste: `light` or `dark`.
    pub fn colours(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": features }),
        );
    }

    /// The value of an expression in the page.
    pub fn value(&self, expression: &str) -> Value {
        let script = json!({ "script": format!("return {expression};"), "args": [] });
        self.command("execute/sync", &script)
    }

    /// The text that an element shows.
    pub fn text(&self, css: &str) -> String {
        let element = self.element(css);
        let text = ask(
            &self.client,
            &format!("{}/{element}/text", self.session),
            None,
        );
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an element shows a text.
    pub fn wait_for(&self, css: &str, wanted: &str) {
        let started = Instant::now();
        loop {
            // The page exchanges its elements while it is looked at.
            let shown = self.value(&format!("document.querySelector({css:?})?.innerText ?? ''"));
            let shown = shown.as_str().unwrap_or_default();
            if shown.contains(wanted) {
                return;
            }
            assert!(
                started.elapsed() < PAGE_LIMIT,
                "{css} does not show {wanted:?} but {shown:?}"
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Presses the element.
    pub fn click(&self, css: &str) {
        let element = self.element(css);
        self.command(&format!("{element}/click"), &json!({}));
    }

    /// The page's errors: scripts that failed, and resources that the content security policy has blocked.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.command("se/log", &json!({ "type": "browser" }));
        let entries = log.as_array().cloned().unwrap_or_default();
        let text = |entry: &Value| entry["message"].as_str().unwrap_or_default().to_owned();
        entries.iter().map(text).collect()
    }

    /// A picture of the whole page, as a PNG file.
    pub fn picture(&self, file: &Path) {
        let params = json!({ "format": "png", "captureBeyondViewport": true });
        let picture = self.devtools("Page.captureScreenshot", &params);
        let picture = picture["data"].as_str().unwrap_or_default();
        let picture = BASE64_STANDARD.decode(picture).expect("it is base64");
        fs::create_dir_all(file.parent().expect("it is in a folder"))
            .and_then(|()| fs::write(file, picture))
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    fn element(&self, css: &str) -> String {
        let found = self.command("element", &json!({ "using": "css selector", "value": css }));
        let id = found.as_object().and_then(|found| found.values().next());
        let id = id.and_then(Value::as_str);
        format!("element/{}", id.unwrap_or_else(|| panic!("no {css}")))
    }

    fn devtools(&self, command: &str, params: &Value) -> Value {
        let body = json!({ "cmd": command, "params": params });
        self.command("goog/cdp/execute", &body)
    }

    fn command(&self, command: &str, body: &Value) -> Value {
        ask(
            &self.client,
            &format!("{}/{command}", self.session),
            Some(body),
        )
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Else the browser outlives its driver.
        let _ = self.client.delete(&self.session).send();
    }
}

fn ask(client: &Client, url: &str, body: Option<&Value>) -> Value {
    let request = match body {
        Some(body) => client.post(url).json(body),
        None => client.get(url),
    };
    let response: Value = request
        .send()
        .and_then(reqwest::blocking::Response::json)
        .unwrap_or_else(|error| panic!("chromedriver: {error}"));
    let value = response["value"].clone();
    assert!(
        value.get("error").is_none(),
        "chromedriver to {url}: {value:#}"
    );
    value
}
