//! Files, read and written with care: a message for everything that can be wrong, and nothing of anybody's is
//! overwritten.

use super::{Problem, wrong};
use crate::runfile::{MARK, RunFile};
use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

/// The bytes of a file that is a `what`.
pub(super) fn read(file: &Path, what: &str) -> Result<Vec<u8>, Problem> {
    let name = file.display();
    fs::read(file).map_err(|error| {
        wrong(match error.kind() {
            ErrorKind::NotFound => format!("{name}: there is no such file; give the path of a {what}"),
            ErrorKind::IsADirectory => format!("{name}: this is a folder, and should be a {what}"),
            ErrorKind::PermissionDenied => format!("{name}: this file may not be read by you"),
            _ => format!("{name}: this file cannot be read: {error}"),
        })
    })
}

/// The text of a file that is a `what`.
pub(super) fn read_text(file: &Path, what: &str) -> Result<String, Problem> {
    text(file, read(file, what)?, what)
}

/// These bytes of a file, as text.
pub(super) fn text(file: &Path, bytes: Vec<u8>, what: &str) -> Result<String, Problem> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        wrong(format!("{}: this is not text (byte {at} is not UTF-8); give the path of a {what}", file.display()))
    })
}

/// Reads a run file.
pub(super) fn read_run(file: &Path) -> Result<RunFile, Problem> {
    let bytes = read(file, "run file, such as `raftbox run --out` writes")?;
    RunFile::read(&bytes).map_err(|broken| wrong(format!("{}: {broken}", file.display())))
}

/// Whether a run may be kept there, before it is run: a missing file, or a run file that is then replaced.
pub(super) fn check_out(file: &Path) -> Result<(), Problem> {
    check_new("--out", file, MARK, "run file")
}

/// Whether a file may be written there: there is none, or one that begins as those do that are written there.
pub(super) fn check_new(flag: &str, file: &Path, mark: &str, what: &str) -> Result<(), Problem> {
    let name = file.display();
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(wrong(format!("{flag} {name}: there is no folder {}; make it first", folder.display())));
    }
    if file.is_dir() {
        return Err(wrong(format!("{flag} {name}: this is a folder; give the name of a file in it")));
    }
    let mut head = Vec::new();
    match fs::File::open(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(wrong(format!("{flag} {name}: the file that is there cannot be read: {error}"))),
        Ok(there) => drop(there.take(mark.len() as u64).read_to_end(&mut head)),
    }
    if head == mark.as_bytes() {
        return Ok(());
    }
    Err(wrong(format!("{flag} {name}: a file that is no {what} is there already; remove it, or give another name")))
}

/// Writes a run file.
pub(super) fn write_run(file: &Path, run: &RunFile) -> Result<u64, Problem> {
    write_new("--out", file, &run.write())
}

/// Writes a file, aside and then renamed, so that nobody ever reads half of it.
pub(super) fn write_new(flag: &str, file: &Path, bytes: &[u8]) -> Result<u64, Problem> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let aside = file.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    fs::write(&aside, bytes).and_then(|()| fs::rename(&aside, file)).map_err(|error| {
        drop(fs::remove_file(&aside));
        wrong(format!("{flag} {}: it cannot be written there: {error}", file.display()))
    })?;
    Ok(bytes.len() as u64)
}
