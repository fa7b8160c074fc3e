//! HTTP/1.1 as far as a page on this machine needs it: one request a connection.
//!
//! A browser opens more connections than it uses, and keeps them. Where they share a pool of threads one of them can wait for
//! all others; here each has a thread of its own, and ends with its answer. On this machine a connection costs next to nothing.

use std::fmt::Write as _;
use std::io::{self, Read, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// How long a request may be, without what comes behind its headers.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// How long somebody may take to ask, or to listen.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of what comes behind the headers is heard out: a connection that is closed before takes the answer with it.
const BODY_BYTES_MAX: u64 = 1 << 20;
/// For how long that is waited for.
const BODY_PATIENCE: Duration = Duration::from_secs(1);

/// What somebody asks.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    headers: Vec<(String, Vec<u8>)>,
}

impl Request {
    /// A header's value; empty if there is none, or if it is no text.
    pub(super) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| str::from_utf8(value).ok()).unwrap_or_default()
    }

    /// The request that some bytes begin with; none if its headers have not ended yet.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, httparse::Error> {
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut request = httparse::Request::new(&mut headers);
        if request.parse(bytes)?.is_partial() {
            return Ok(None);
        }
        let headers = request.headers.iter().map(|header| (header.name.to_owned(), header.value.to_vec())).collect();
        let text = |part: Option<&str>| part.unwrap_or_default().to_owned();
        Ok(Some(Self { method: text(request.method), target: text(request.path), headers }))
    }
}

/// What is answered.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// What a status is called.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        304 => "Not Modified",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Internal Server Error",
    }
}

/// Hears what somebody asks, who is told what `answer` says; that is given nothing, if what came is no request. Who leaves
/// before they have asked is told nothing.
pub(super) fn converse(mut stream: &TcpStream, answer: impl FnOnce(Option<&Request>) -> Response) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let (mut head, mut part) = (Vec::new(), [0; 4096]);
    let request = loop {
        let count = stream.read(&mut part)?;
        head.extend_from_slice(&part[..count]);
        match Request::parse(&head) {
            Ok(None) if count == 0 => return Ok(()),
            Ok(None) if head.len() < HEAD_BYTES_MAX => {}
            Ok(Some(request)) => break Some(request),
            Ok(None) | Err(_) => break None,
        }
    };
    let Response { status, headers, body } = answer(request.as_ref());
    let mut text =
        format!("HTTP/1.1 {status} {}\r\nConnection: close\r\nContent-Length: {}\r\n", reason(status), body.len());
    for (name, value) in headers {
        write!(text, "{name}: {value}\r\n").expect("a text takes all");
    }
    text.push_str("\r\n");
    stream.write_all(text.as_bytes())?;
    if request.is_none_or(|request| request.method != "HEAD") {
        stream.write_all(&body)?;
    }
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(BODY_PATIENCE))?;
    io::copy(&mut stream.take(BODY_BYTES_MAX), &mut io::sink()).map(drop)
}
