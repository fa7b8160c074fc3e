//! A headless browser, driven over the W3C WebDriver protocol by its own driver.
//!
//! Only the few commands that tests need are spoken. Browser and driver are those of the machine, found by their usual
//! names; nothing is downloaded.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long one script may take.
const SCRIPT_MAX: Duration = Duration::from_secs(600);

/// A browser with one page.
pub(crate) struct Browser {
    driver: Child,
    /// Where the browser keeps what it keeps; gone with it.
    _profile: tempfile::TempDir,
    agent: ureq::Agent,
    session: String,
}

/// A program of one of these names.
fn program(names: &[&str]) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = names.iter().find_map(|name| {
        let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
        places.find(|file| file.is_file())
    });
    found.ok_or_else(|| format!("there is no {} on this machine", names.join(" or ")))
}

impl Browser {
    /// Starts one, if there is one; the error says why not.
    pub(crate) fn start() -> Result<Self, String> {
        let chromium = program(&["chromium", "chromium-browser", "google-chrome"])?;
        let chromedriver = program(&["chromedriver"])?;
        let mut driver = Command::new(chromedriver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("chromedriver does not start: {error}"))?;
        let out = BufReader::new(driver.stdout.take().expect("it is piped"));
        let port = out.lines().map_while(Result::ok).find_map(|line| {
            let port = line.split_once("started successfully on port ")?.1;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let profile = tempfile::tempdir().map_err(|error| error.to_string())?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(SCRIPT_MAX + Duration::from_secs(10)))
            .build();
        let base = format!("http://127.0.0.1:{}/session", port.unwrap_or(0));
        let mut browser = Self { driver, _profile: profile, agent: config.into(), session: base };
        port.ok_or("chromedriver tells no port")?;
        let folder = browser._profile.path().display();
        let options = json!({
            "binary": chromium,
            // The sandbox does not work for root, which CI is; what is loaded is ours, and from this machine.
            "args": ["--headless", "--window-size=1280,900", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", format!("--user-data-dir={folder}")],
        });
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": SCRIPT_MAX.as_millis() },
        });
        let answer = browser.command("", &json!({ "capabilities": { "alwaysMatch": wanted } }))?;
        let id = answer["sessionId"].as_str().ok_or("the driver gives no session")?;
        browser.session = format!("{}/{id}", browser.session);
        Ok(browser)
    }

    fn command(&self, path: &str, body: &Value) -> Result<Value, String> {
        let request = self.agent.post(format!("{}{path}", self.session));
        let answer = request.header("Content-Type", "application/json").send(body.to_string());
        let mut answer = answer.map_err(|error| format!("the driver does not answer: {error}"))?;
        let text =
            answer.body_mut().with_config().limit(1 << 30).read_to_string().map_err(|error| error.to_string())?;
        let mut answer: Value = serde_json::from_str(&text).map_err(|error| format!("{error} in {text}"))?;
        match answer["value"]["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", answer["value"]["message"].as_str().unwrap_or_default())),
            None => Ok(answer["value"].take()),
        }
    }

    /// Opens a page.
    pub(crate) fn open(&self, url: &str) -> Result<(), String> {
        self.command("/url", &json!({ "url": url })).map(drop)
    }

    /// Runs the body of an async function in the page, with `args` as its arguments, and returns what it returns.
    pub(crate) fn run(&self, body: &str, args: &Value) -> Result<Value, String> {
        let script = format!(
            "const done = arguments[1]; (async (args) => {{ {body} }})(arguments[0]).then(
                (value) => done({{ value }}), (error) => done({{ thrown: String(error) }}));"
        );
        let mut answer = self.command("/execute/async", &json!({ "script": script, "args": [args] }))?;
        match answer["thrown"].as_str() {
            Some(thrown) => Err(thrown.to_owned()),
            None => Ok(answer["value"].take()),
        }
    }

    /// Has the browser do something of its DevTools protocol, as a user's hand would.
    pub(crate) fn devtools(&self, command: &str, params: &Value) -> Result<Value, String> {
        self.command("/goog/cdp/execute", &json!({ "cmd": command, "params": params }))
    }

    /// Picks a file in the file input that a CSS selector names.
    pub(crate) fn pick_file(&self, input: &str, file: &Path) -> Result<(), String> {
        let found = self.command("/element", &json!({ "using": "css selector", "value": input }))?;
        let id = found.as_object().and_then(|found| found.values().next()?.as_str()).ok_or("there is no such input")?;
        self.command(&format!("/element/{id}/value"), &json!({ "text": file.display().to_string() })).map(drop)
    }

    /// What the page has written to its console since the last time: level and text of each line.
    pub(crate) fn console(&self) -> Result<Vec<String>, String> {
        let lines = self.command("/se/log", &json!({ "type": "browser" }))?;
        let lines = lines.as_array().ok_or("the driver gives no list")?;
        Ok(lines.iter().map(|line| format!("{}: {}", line["level"], line["message"])).collect())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser with the session, and is ended itself by its number.
        drop(self.agent.delete(&self.session).call());
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}
