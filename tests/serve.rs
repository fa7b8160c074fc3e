//! What `raftbox serve` answers, as goldenscripts: a request a line, with its status, headers and body.
//!
//! Every request is written byte by byte over a connection of its own, so that a script can ask what no browser would.
//!
//! - `request METHOD PATH [Host=...] [If-None-Match=...]`: `HOST` stands for the server's own name.
//! - `status ...`: the same, and only the first line and the body of the answer.

use goldenscript::{Command, Context, Runner};
use raftbox::cli::serve::{Server, Site};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

#[test]
fn scripts() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("dist");
    fs::create_dir_all(folder.join("snippets/a-1")).unwrap();
    fs::write(parent.path().join("secret.txt"), "nobody may see this").unwrap();
    for (name, text) in [
        ("index.html", "<!doctype html>"),
        ("page.js", "export {};"),
        ("page.css", "body {}"),
        ("raftbox_bg.wasm", "\0asm"),
        ("icon.svg", "<svg/>"),
        ("snippets/a-1/engine.js", "export {};"),
        (".hidden", "nobody may see this"),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/serve");
    while_serving(Site::new(folder, Some(b"a run".to_vec())), |server| {
        for script in fs::read_dir(scripts).unwrap() {
            goldenscript::run(&mut Asker(Arc::clone(server)), script.unwrap().path()).unwrap();
        }
    });
}

/// Does something while a site is served.
fn while_serving(site: Site, does: impl FnOnce(&Arc<Server>)) {
    let server = Arc::new(Server::listen(0, site).unwrap());
    let serving = Arc::clone(&server);
    #[allow(clippy::disallowed_methods, reason = "a server and who asks it are two threads; neither makes a run")]
    let thread = std::thread::spawn(move || serving.serve());
    does(&server);
    server.stop();
    thread.join().unwrap();
}

/// A browser opens several connections at once and keeps them, some of which it never uses. None of them may wait for another.
#[test]
fn each_of_many_connections_is_answered_while_the_others_are_open() {
    while_serving(Site::new("nowhere".into(), Some(b"a run".to_vec())), |server| {
        let connect = |_| TcpStream::connect(server.address()).unwrap();
        let idle: Vec<_> = (0..8).map(connect).collect();
        for _ in 0..20 {
            let mut open: Vec<_> = (0..6).map(connect).collect();
            for stream in &mut open {
                write!(stream, "GET /given.run HTTP/1.1\r\nHost: {}\r\n\r\n", server.address()).unwrap();
            }
            for stream in &mut open {
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                let mut answer = [0; 15];
                stream.read_exact(&mut answer).unwrap();
                assert_eq!(str::from_utf8(&answer), Ok("HTTP/1.1 200 OK"));
            }
        }
        drop(idle);
    });
}

#[test]
fn what_is_no_request_is_told() {
    while_serving(Site::new("nowhere".into(), None), |server| {
        let asker = Asker(Arc::clone(server));
        let endless = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(40_000));
        for request in ["nonsense\r\n\r\n", "GET /\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\0", &endless] {
            let answer = asker.ask(request).unwrap();
            assert!(
                answer.starts_with("HTTP/1.1 400 Bad Request\n") && answer.ends_with("this is no request\n"),
                "{answer}"
            );
        }
        // A body that nobody wants does not take the answer with it.
        let host = server.address();
        let post = format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 500000\r\n\r\n{}", "x".repeat(500_000));
        let answer = asker.ask(&post).unwrap();
        assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
        let mut gone = TcpStream::connect(host).unwrap();
        gone.write_all(b"GET").unwrap();
        drop(gone);
        assert!(asker.ask(&format!("GET /x HTTP/1.1\r\nHost: {host}\r\n\r\n")).unwrap().starts_with("HTTP/1.1 404"));
    });
}

#[test]
fn it_listens_on_this_machine_alone_and_names_the_run() {
    let with = Server::listen(0, Site::new("nowhere".into(), Some(Vec::new()))).unwrap();
    assert!(with.address().ip().is_loopback());
    assert_eq!(with.url(), format!("http://127.0.0.1:{}/#run=given.run", with.address().port()));
    let taken = Server::listen(with.address().port(), Site::new("nowhere".into(), None));
    assert_eq!(taken.map(drop).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
}

struct Asker(Arc<Server>);

impl Asker {
    fn ask(&self, request: &str) -> Result<String, Box<dyn Error>> {
        let mut stream = TcpStream::connect(self.0.address())?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(String::from_utf8_lossy(&answer).replace("\r\n", "\n").replace('\0', "\\0"))
    }
}

impl Runner for Asker {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &Context) -> Result<String, Box<dyn Error>> {
        let host = self.0.address().to_string();
        let mut arguments = command.consume_args();
        if !["request", "status"].contains(&command.name.as_str()) {
            return Err(format!("no command {}", command.name).into());
        }
        let method = arguments.next_pos().ok_or("no method")?;
        let path = arguments.next_pos().ok_or("no path")?;
        let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        let own = arguments.take_key("Host").unwrap_or("HOST");
        for (name, value) in [("Host", Some(own)), ("If-None-Match", arguments.take_key("If-None-Match"))] {
            if let Some(value) = value {
                write!(request, "{name}: {}\r\n", value.replace("HOST", &host))?;
            }
        }
        arguments.reject_next()?;
        let answer = self.ask(&format!("{request}\r\n"))?;
        let (head, body) = answer.split_once("\n\n").unwrap_or((&answer, ""));
        if command.name == "status" {
            return Ok(format!("{}: {}", head.lines().next().unwrap_or_default(), body.trim_end()));
        }
        // What the library says of itself, and when, is not ours.
        let kept = head.lines().filter(|line| !line.starts_with("Server:") && !line.starts_with("Date:"));
        let mut lines: Vec<String> = kept.map(|line| line.replace(&host, "HOST")).collect();
        lines[1..].sort();
        Ok(format!("{}\n\n{}", lines.join("\n"), body.replace(&host, "HOST")))
    }
}
