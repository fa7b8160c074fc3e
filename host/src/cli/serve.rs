//! `serve`: the page of a checkout, on this machine alone.
//!
//! [`Site`] says what is answered to a request, and [`Server`] listens. The page is static, so the rules are few: a file of
//! the folder or nothing, to `GET` and `HEAD` alone, asked again each time and sent only if it changed; and the browser is
//! told to run nothing that does not come from here.
//!
//! Left out: everything that a server for others needs. It listens on the loopback address, and answers only to that name, so
//! that no page from elsewhere can read a run through a name of its own.

mod http;

use super::{Problem, Serve, Surroundings, code, files, wrong};
use http::{Request, Response};
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Where the given run is found.
const RUN: &str = "given.run";

/// What the browser may load and run: what comes from here, and WebAssembly.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; object-src 'none'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'self'";

/// What is served.
#[derive(Debug)]
pub struct Site {
    folder: PathBuf,
    run: Option<Vec<u8>>,
}

/// An answer, but for what all have in common.
#[derive(Debug)]
struct Answer {
    status: u16,
    kind: &'static str,
    body: Vec<u8>,
}

impl Answer {
    fn told(status: u16, text: &str) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", body: format!("{text}\n").into_bytes() }
    }
}

/// What a file is, by the end of its name.
fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "wasm" => "application/wasm",
        "txt" | "toml" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether a path may be that of a file of the page: plain names, none of which begins with a dot.
fn is_plain(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    path.split('/').all(|name| !name.is_empty() && !name.starts_with('.') && name.chars().all(plain))
}

impl Site {
    /// The files of a folder, and a run.
    #[must_use]
    pub fn new(folder: PathBuf, run: Option<Vec<u8>>) -> Self {
        Self { folder, run }
    }

    /// What there is at a path.
    fn find(&self, path: &str) -> Answer {
        let nothing = || Answer::told(404, "there is nothing here");
        let Some(path) = path.strip_prefix('/') else { return nothing() };
        let path = if path.is_empty() { "index.html" } else { path };
        if !is_plain(path) {
            return nothing();
        }
        let body = match (&self.run, path) {
            (Some(run), RUN) => Ok(run.clone()),
            _ => fs::read(self.folder.join(path)),
        };
        match body {
            Ok(body) => Answer { status: 200, kind: kind(path), body },
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => nothing(),
            Err(error) => Answer::told(500, &format!("the file cannot be read: {error}")),
        }
    }

    /// What is said to a request that came to a server at `address`.
    fn say(&self, request: &Request, address: SocketAddr) -> Answer {
        let names = [format!("{address}"), format!("localhost:{}", address.port())];
        if !names.iter().any(|name| name == request.header("Host")) {
            Answer::told(403, "this is served under its own address alone, and not under that name")
        } else if !["GET", "HEAD"].contains(&request.method.as_str()) {
            Answer::told(405, "there is nothing to do here but to GET")
        } else {
            self.find(request.target.split(['?', '#']).next().unwrap_or_default())
        }
    }

    /// The answer to a request that came to a server at `address`, or to what is none.
    fn answer(&self, request: Option<&Request>, address: SocketAddr) -> Response {
        let no_request = || Answer::told(400, "this is no request");
        let answer = request.map_or_else(no_request, |request| self.say(request, address));
        let tag = format!("\"{:032x}\"", xxhash_rust::xxh3::xxh3_128(&answer.body));
        let known = request.map_or("", |request| request.header("If-None-Match"));
        let known = answer.status == 200 && known.split(',').any(|known| known.trim() == tag);
        let (status, body) = if known { (304, Vec::new()) } else { (answer.status, answer.body) };
        let mut headers = vec![
            ("Cache-Control", "no-cache".to_owned()),
            ("Content-Security-Policy", POLICY.to_owned()),
            ("Content-Type", answer.kind.to_owned()),
            ("Cross-Origin-Resource-Policy", "same-origin".to_owned()),
            ("Referrer-Policy", "no-referrer".to_owned()),
            ("X-Content-Type-Options", "nosniff".to_owned()),
        ];
        match answer.status {
            200 => headers.push(("ETag", tag)),
            405 => headers.push(("Allow", "GET, HEAD".to_owned())),
            _ => {}
        }
        Response { status, headers, body }
    }
}

/// A site on the loopback address.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    site: Site,
    stopped: AtomicBool,
}

impl Server {
    /// Listens on a port, or on any that is free if that is 0.
    ///
    /// # Errors
    /// If the port is taken, or may not be.
    pub fn listen(port: u16, site: Site) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, site, stopped: AtomicBool::new(false) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The page's address, which names the run if one is given.
    #[must_use]
    pub fn url(&self) -> String {
        let run = if self.site.run.is_some() { format!("#run={RUN}") } else { String::new() };
        format!("http://{}/{run}", self.address)
    }

    /// Answers requests, until [`Server::stop`].
    #[allow(clippy::disallowed_methods, reason = "the threads of a server make no run")]
    pub fn serve(self: &Arc<Self>) {
        loop {
            let accepted = self.listener.accept();
            if self.stopped.load(Ordering::Relaxed) {
                return;
            }
            let Ok((stream, _)) = accepted else {
                // Who comes and is gone at once is no reason to end; if there is no room for one more, there is some soon.
                thread::sleep(Duration::from_millis(10));
                continue;
            };
            let server = Arc::clone(self);
            let converse = move || http::converse(&stream, |request| server.site.answer(request, server.address));
            // Whoever asked may be gone, and that is their right; where no thread can be made, they may ask again.
            drop(thread::Builder::new().spawn(converse));
        }
    }

    /// Ends [`Server::serve`].
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        // It waits for somebody to come.
        drop(TcpStream::connect(self.address));
    }
}

/// Serves the page.
pub(super) fn serve(args: &Serve, surroundings: &Surroundings, out: &mut dyn Write) -> Result<u8, Problem> {
    let run = args.run.as_deref().map(|file| files::read_run(file).map(|run| run.write())).transpose()?;
    let folder = page(surroundings.checkout.as_deref(), out)?;
    let server = Server::listen(args.port, Site::new(folder, run)).map(Arc::new).map_err(|error| {
        let port = args.port;
        wrong(match error.kind() {
            ErrorKind::AddrInUse => {
                format!("--port {port}: somebody listens there already; give another, or 0 for any")
            }
            ErrorKind::PermissionDenied => format!("--port {port}: you may not listen there; give one above 1023"),
            _ => format!("--port {port}: nobody can listen there: {error}"),
        })
    })?;
    writeln!(out, "{}", server.url())?;
    writeln!(out, "Open this in a browser; Ctrl-C ends it.")?;
    out.flush()?;
    server.serve();
    Ok(code::WELL)
}

/// The folder of the page, which is built if it is not there.
pub(super) fn page(checkout: Option<&Path>, out: &mut dyn Write) -> Result<PathBuf, Problem> {
    let Some(checkout) = checkout else {
        return Err(wrong("the page is built in a checkout of raftbox, and there is none here; go to one first"));
    };
    let folder = checkout.join("web").join("dist");
    if folder.join("index.html").exists() {
        return Ok(folder);
    }
    writeln!(out, "The page is not built yet; `cargo web` builds it, which takes some minutes the first time.")?;
    out.flush()?;
    let built = Command::new("cargo").arg("web").current_dir(checkout).status();
    match built {
        Ok(status) if status.success() && folder.join("index.html").exists() => Ok(folder),
        Ok(_) => Err(wrong("the page does not build; what `cargo web` says is above")),
        Err(error) => Err(wrong(format!("the page is not built, and cargo, which builds it, does not start: {error}"))),
    }
}

/// The checkout that a folder lies in.
pub(super) fn checkout(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| folder.join("web/bundler/Cargo.toml").is_file()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_are_looked_at() {
        for good in ["index.html", "a/b-c_d.e.js", "snippets/x-0a1b/src/engine.js"] {
            assert!(is_plain(good), "{good}");
        }
        for bad in ["", "/", "..", "../a", "a/../b", "a//b", ".git", "a/.b", "a\\b", "%2e%2e/a", "c:/a", "a b", "ä"] {
            assert!(!is_plain(bad), "{bad}");
        }
    }
}
