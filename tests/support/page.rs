//! The page in a browser: built once, served by the product's own server, and opened anew for each test.
//!
//! Without a browser and its driver on the machine a test says so and does nothing; with `RAFTBOX_REQUIRE_BROWSER=1` it fails
//! instead. Tests take turns at two browsers, which end with the last of them.

#[path = "browser.rs"]
mod browser;

pub(crate) use browser::Browser;

use raftbox::cli::serve::{Server, Site};
use serde_json::{Value, json};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;

/// How many browsers there are: a page mostly waits, and a test for the page.
const BROWSERS: usize = 2;

/// Browsers, and the server of the page.
struct Stage {
    /// Those that no test has.
    free: Mutex<Vec<Browser>>,
    freed: Condvar,
    server: Arc<Server>,
    serving: Option<JoinHandle<()>>,
}

impl Stage {
    /// Builds the page, and serves it with a run file beside it; the error says why there is no browser.
    fn set(given: Vec<u8>) -> Result<Self, String> {
        let browsers = (0..BROWSERS).map(|_| Browser::start()).collect::<Result<_, _>>()?;
        let files = raftbox_web_bundler::build().unwrap();
        raftbox_web_bundler::check_budget(&files).unwrap();
        let server = Arc::new(Server::listen(0, Site::new(raftbox_web_bundler::dist(), Some(given))).unwrap());
        let theirs = Arc::clone(&server);
        #[allow(clippy::disallowed_methods, reason = "a server and who asks it are two threads; neither makes a run")]
        let serving = Some(std::thread::spawn(move || theirs.serve()));
        Ok(Self { free: Mutex::new(browsers), freed: Condvar::new(), server, serving })
    }

    /// The stage of the tests that run now: the first sets it, and the last takes it away.
    fn shared(given: fn() -> Vec<u8>) -> Result<Arc<Self>, String> {
        static SET: Mutex<Weak<Stage>> = Mutex::new(Weak::new());
        let mut set = SET.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stage) = set.upgrade() {
            return Ok(stage);
        }
        let stage = Arc::new(Self::set(given())?);
        *set = Arc::downgrade(&stage);
        Ok(stage)
    }
}

/// A browser that one test has; it is free again in the end, however that is.
struct Taken {
    stage: Arc<Stage>,
    browser: Option<Browser>,
}

impl Taken {
    fn from(stage: Arc<Stage>) -> Self {
        let free = stage.free.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = stage.freed.wait_while(free, |free| free.is_empty());
        let browser = waited.unwrap_or_else(PoisonError::into_inner).pop();
        Self { stage, browser }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.stage.free.lock().unwrap_or_else(PoisonError::into_inner).extend(self.browser.take());
        self.stage.freed.notify_one();
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.server.stop();
        drop(self.serving.take().map(JoinHandle::join));
    }
}

/// What scripts in the page have at hand.
const HELP: &str = "
    const $ = (what) => document.querySelector(what);
    const buttonOf = (text) => [...document.querySelectorAll('button')].find((one) => one.textContent === text && one.checkVisibility());
    const fieldOf = (label) => [...document.querySelectorAll('label')].find((one) => one.textContent.startsWith(label))?.querySelector('input');
    const found = (what) => {
        const one = /^[#.[]/.test(what) ? $(what) : buttonOf(what) ?? fieldOf(what);
        if (!one) throw new Error(`there is no ${what}`);
        return one;
    };
    const turn = () => new Promise((resume) => setTimeout(resume, 0));
    const until = async (what, whether) => {
        for (let left = 3000; !whether(); left--) {
            if (left === 0) throw new Error(`the page never ${what}; ${$('#problem')?.textContent}`);
            await new Promise((resume) => setTimeout(resume, 20));
        }
    };
    const over = () => until('came to the end of the run', () => /^[0-9a-f]{32}$/.test($('#digest')?.textContent));
";

/// The page, open in the browser.
pub(crate) struct Page<'a> {
    pub(crate) browser: &'a Browser,
    /// Its address, without what is behind the `#`.
    pub(crate) address: String,
}

impl Page<'_> {
    /// Opens the page as in a new tab, with something behind the `#` of its address, and waits until it has its run or says
    /// why not.
    pub(crate) fn open(&self, fragment: &str) {
        self.browser.run("try { sessionStorage.clear(); localStorage.clear() } catch {}", &json!(null)).unwrap();
        self.open_again(fragment);
    }

    /// The same in the tab as it is, with what it has kept.
    pub(crate) fn open_again(&self, fragment: &str) {
        self.browser.open("about:blank").unwrap();
        self.browser.open(&format!("{}#{fragment}", self.address)).unwrap();
        let ready = "await until('opened a run', () =>
            /^[0-9a-f]{32}$/.test($('#digest')?.textContent) || $('#problem')?.textContent)";
        self.js(ready, &json!(null));
    }

    /// Runs the body of an async function in the page.
    pub(crate) fn js(&self, body: &str, args: &Value) -> Value {
        self.browser.run(&[HELP, body].concat(), args).unwrap()
    }

    /// The text of the first element of a CSS selector, as it is when the run is known to its end.
    pub(crate) fn text(&self, what: &str) -> String {
        let text = self.js("await over(); return $(args)?.textContent ?? ''", &json!(what));
        text.as_str().unwrap().to_owned()
    }

    /// Nobody in particular looks at it.
    fn reset(&self) {
        self.browser.devtools("Emulation.setEmulatedMedia", &json!({ "features": [] })).unwrap();
        self.browser.devtools("Emulation.clearDeviceMetricsOverride", &json!({})).unwrap();
    }

    /// Nothing is wrong by the console, and nothing came from elsewhere.
    fn check(&self) {
        let console = self.browser.console().unwrap();
        assert!(console.iter().all(|line| !line.contains("SEVERE")), "the page complains:\n{}", console.join("\n"));
        let from = self.js("return performance.getEntriesByType('resource').map((entry) => entry.name)", &json!(null));
        let from = from.as_array().unwrap();
        assert!(
            !from.is_empty() && from.iter().all(|name| name.as_str().unwrap().starts_with(&self.address)),
            "{from:?}"
        );
    }
}

/// Hands the page, opened anew, to `test`, as soon as a browser is free; `given` makes the run file that is served beside it. In the end
/// there must be nothing in the console that is an error, and nothing must have been loaded from elsewhere.
pub(crate) fn with_page(given: fn() -> Vec<u8>, test: impl FnOnce(&Page<'_>)) {
    let stage = match Stage::shared(given) {
        Ok(stage) => stage,
        Err(why) => {
            assert!(std::env::var_os("RAFTBOX_REQUIRE_BROWSER").is_none(), "no browser: {why}");
            eprintln!("SKIPPED, and nothing was tested: {why}; install Chromium and its driver for this test");
            return;
        }
    };
    let address = format!("http://{}/", stage.server.address());
    let taken = Taken::from(stage);
    let page = Page { browser: taken.browser.as_ref().expect("one was free"), address };
    drop(page.browser.console());
    page.reset();
    page.open("");
    test(&page);
    page.check();
}
