//! What the page asks of the browser beside drawing; `browser.js` does it.

use wasm_bindgen::prelude::{Closure, wasm_bindgen};

mod js {
    use wasm_bindgen::prelude::{Closure, wasm_bindgen};

    #[wasm_bindgen(module = "/src/page/browser.js")]
    extern "C" {
        pub(super) fn load(path: &str, done: &Closure<dyn FnMut(Option<Vec<u8>>, String)>);
        pub(super) fn picked(id: &str, done: &Closure<dyn FnMut(Option<Vec<u8>>, String)>);
        pub(super) fn bring(id: &str, arena: f64, done: &Closure<dyn FnMut(Option<Vec<u8>>, String)>);
        #[wasm_bindgen(js_name = bringFrom)]
        pub(super) fn bring_from(path: &str, arena: f64, done: &Closure<dyn FnMut(Option<Vec<u8>>, String)>);
        pub(super) fn admitted(hash: &str, arena: f64) -> Option<Vec<u8>>;
        pub(super) fn save(name: &str, kind: &str, bytes: &[u8]);
        pub(super) fn frames(frame: &Closure<dyn FnMut(u32) -> bool>);
        #[allow(clippy::type_complexity, reason = "a file, a number, digits and what went wrong")]
        pub(super) fn linked(text: &str, guest: &str, done: &Closure<dyn FnMut(Option<Vec<u8>>, f64, String, String)>);
        pub(super) fn link(file: &[u8], events: f64, digest: &str, window: bool, done: &Closure<dyn FnMut(String)>);
        pub(super) fn fragments(changed: &Closure<dyn FnMut(String)>);
    }
}

#[wasm_bindgen(module = "/src/page/browser.js")]
extern "C" {
    /// What stands behind the `#` of the address.
    pub(crate) fn fragment() -> String;
    /// Leaves out what surrounds the cluster, and tells the page around this one how high it is.
    pub(crate) fn embed();
    /// Shows the cluster alone and large, or as before.
    pub(crate) fn present();
    /// Ends that, and tells whether it was so.
    pub(crate) fn presented() -> bool;
    /// What [`store`] was given last in this tab; empty if nothing was.
    pub(crate) fn remembered() -> String;
    /// Keeps a text for when the tab is loaded anew; `false` if the browser has no room for it.
    pub(crate) fn store(text: &str) -> bool;
    /// Whether somebody wants nothing to move.
    pub(crate) fn still() -> bool;
    /// Shows the lesson of that name beside the run of a scenario; none, if it is empty.
    pub(crate) fn lesson(name: &str, scenario: &str);
    /// Tells whoever listens that a run is known to its end.
    pub(crate) fn over();
    /// Marks in the browser's own record of the page that people can use it now.
    pub(crate) fn interactive();
    /// An SVG element of the page as a file of its own.
    pub(crate) fn picture(id: &str) -> String;
}

/// What came of reading a file: its bytes, or what went wrong, in words.
pub(crate) type Read = Result<Vec<u8>, String>;

fn done(then: impl FnOnce(Read) + 'static) -> Closure<dyn FnMut(Option<Vec<u8>>, String)> {
    let mut then = Some(then);
    Closure::new(move |bytes: Option<Vec<u8>>, problem| {
        if let Some(then) = then.take() {
            then(bytes.ok_or(problem));
        }
    })
}

/// Reads a file that lies where the page does.
pub(crate) fn load(path: &str, then: impl FnOnce(Read) + 'static) {
    let done = done(then);
    js::load(path, &done);
    done.forget();
}

/// Reads the file that somebody picked in an input.
pub(crate) fn picked(id: &str, then: impl FnOnce(Read) + 'static) {
    let done = done(then);
    js::picked(id, &done);
    done.forget();
}

/// Has the gate judge the guest that somebody picked in an input, with so much memory, and reads what it gave.
pub(crate) fn bring(id: &str, arena: u64, then: impl FnOnce(Read) + 'static) {
    let done = done(then);
    js::bring(id, arena as f64, &done);
    done.forget();
}

/// The same for a guest that lies where the page does.
pub(crate) fn bring_from(path: &str, arena: u64, then: impl FnOnce(Read) + 'static) {
    let done = done(then);
    js::bring_from(path, arena as f64, &done);
    done.forget();
}

/// What the gate gives of a guest that it has admitted before, with so much memory; `None` if that is too little or too much.
pub(crate) fn admitted(hash: &str, arena: u64) -> Option<Vec<u8>> {
    js::admitted(hash, arena as f64)
}

/// What a link leads to.
pub(crate) struct Linked {
    /// The run, as a run file that holds its plan.
    pub(crate) file: Vec<u8>,
    /// How many events had happened.
    pub(crate) events: u64,
    /// The first digits of the digest; empty if it is not told.
    pub(crate) digest: String,
}

/// Reads a link, for a guest of that hash.
pub(crate) fn linked(text: &str, guest: &str, then: impl FnOnce(Result<Linked, String>) + 'static) {
    let mut then = Some(then);
    let done = Closure::new(move |file: Option<Vec<u8>>, events: f64, digest, problem| {
        if let Some(then) = then.take() {
            then(file.map(|file| Linked { file, events: events as u64, digest }).ok_or(problem));
        }
    });
    js::linked(text, guest, &done);
    done.forget();
}

/// Where a link goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    /// Into the address, and into the clipboard.
    Address,
    /// Into a window of its own.
    Window,
}

/// Makes the link to a plan, given as a run file; `then` is told what went wrong, or nothing.
pub(crate) fn link(file: &[u8], events: u64, digest: &str, to: Where, then: impl FnMut(String) + 'static) {
    let done = Closure::new(then);
    js::link(file, events as f64, digest, to == Where::Window, &done);
    done.forget();
}

/// Lets somebody save bytes as a file.
pub(crate) fn save(name: &str, kind: &str, bytes: &[u8]) {
    js::save(name, kind, bytes);
}

/// Calls `frame` at every frame with the microseconds that have passed, until it says `false`.
pub(crate) fn frames(frame: impl FnMut(u32) -> bool + 'static) {
    let frame: Closure<dyn FnMut(u32) -> bool> = Closure::new(frame);
    js::frames(&frame);
    frame.forget();
}

/// Calls `changed` whenever what stands behind the `#` changes.
pub(crate) fn fragments(changed: impl FnMut(String) + 'static) {
    let changed: Closure<dyn FnMut(String)> = Closure::new(changed);
    js::fragments(&changed);
    changed.forget();
}
