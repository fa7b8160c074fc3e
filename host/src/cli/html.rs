//! `run --html`: the page and a run as one document, which needs no server and no network.
//!
//! Every file of the page is packed into it (gzip, base64) and unpacked by `whole.js`; the policy in it forbids the browser to
//! load anything from anywhere. The page runs the plan anew, so what is in the document is small, and exact.

use super::guest::Guests;
use super::{Problem, wrong};
use crate::plan::Header;
use crate::runfile::RunFile;
use crate::trace::{Keep, Trace};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// What every such document begins with.
pub(super) const MARK: &str = "<!doctype html>\n<!-- raftbox";

/// What the browser may load and run: what is in the document.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; style-src 'unsafe-inline'; \
                      img-src data: blob:; base-uri 'none'; form-action 'none'";

/// What the files begin with that stand in the document as they are, or that it has no use for; of the guests those that run it
/// are there beside.
const APART: [&str; 10] = [
    "index.html",
    "look.css",
    "page.css",
    "page.js",
    "whole.js",
    "embed.html",
    "article.css",
    "course",
    "lesson",
    "guests",
];

/// The page in `folder`, with the run of that header by these guests, which it opens.
pub(super) fn document(folder: &Path, header: &Header, guests: &Guests) -> Result<String, Problem> {
    let run = RunFile::of(header.clone(), &Trace::new(&header.bytes(), Keep::Nothing)).write();
    let title = format!("raftbox: {}, seed {}", header.plan.scenario.name, header.plan.seed);
    let text = |name: &str| {
        fs::read_to_string(folder.join(name))
            .map_err(|_| wrong("the page was built by an older raftbox; `cargo web` builds it anew"))
    };
    let mut files = Map::new();
    gather(folder, "", &mut files)
        .map_err(|error| wrong(format!("--html: the page in {} cannot be read: {error}", folder.display())))?;
    files.insert("given.run".into(), packed(&run).into());
    for (name, bytes) in guests.foreign() {
        let path = name.map_or("given.wasm".into(), |name| format!("guests/{name}.wasm"));
        files.insert(path, packed(bytes).into());
    }
    let title = title.replace('&', "&amp;").replace('<', "&lt;");
    let (look, style, script, files) = (text("look.css")?, text("page.css")?, text("whole.js")?, Value::from(files));
    Ok(format!(
        "{MARK}: this is one document, and needs no network -->\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<link rel=\"icon\" href=\"data:,\">\n\
         <style>\n{look}{style}</style>\n</head>\n<body>\n\
         <noscript>raftbox runs in the page itself, which needs scripts and a current browser.</noscript>\n\
         <script type=\"application/json\" id=\"files\">{files}</script>\n<script type=\"module\">\n{script}</script>\n</body>\n\
         </html>\n"
    ))
}

/// Packs the files below a folder.
fn gather(folder: &Path, prefix: &str, files: &mut Map<String, Value>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if APART.iter().any(|apart| path.starts_with(apart)) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            gather(&entry.path(), &format!("{path}/"), files)?;
        } else {
            files.insert(path, packed(&fs::read(entry.path())?).into());
        }
    }
    Ok(())
}

fn packed(bytes: &[u8]) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    STANDARD.encode(written.expect("memory takes everything"))
}
