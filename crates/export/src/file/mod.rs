//! Files: CSV, JSON lines, HdrHistogram's log, and k6's JSON.
//!
//! A batch is appended as a whole: what is half written is taken back. A file that is there already is replaced.

mod csv_rows;
mod hlog;
mod json;

use crate::points::Points;
use crate::row::Row;
use crate::sink::{Accepted, End, Run, Sink, SinkError};
use crate::target::{Scheme, Target, TargetError};
use async_trait::async_trait;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

pub(crate) static SCHEME: Scheme = Scheme {
    names: &["file"],
    tls_names: &[],
    shown: "file:PATH with .csv, .jsonl, .hlog or .json",
    default_port: None,
    options: &["format", "points"],
    password_env: &[],
    token_env: &[],
    again_is_the_same: true,
    serves: false,
    open,
};

/// Turns rows into text.
pub(crate) trait Format: Send {
    /// What the file begins with.
    fn head(&mut self, run: &Run) -> Vec<u8>;
    /// A batch of rows.
    ///
    /// # Errors
    /// What cannot be written in this form.
    fn rows(&mut self, rows: &[Row], out: &mut Vec<u8>) -> std::io::Result<()>;
    /// The batch is in the file.
    fn taken(&mut self) {}
}

/// Names of formats, as in the option `format`, and the endings that stand for them.
const FORMATS: [(&str, &[&str]); 4] = [
    ("csv", &["csv"]),
    ("jsonl", &["jsonl", "ndjson"]),
    ("hlog", &["hlog", "hgrm"]),
    ("k6", &["json"]),
];

fn open(target: &Target, run: &Run) -> Result<Box<dyn Sink>, TargetError> {
    // `file:///a` and `file:/a` are the same; `file:a` is relative.
    let path = target.path.strip_prefix("//").unwrap_or(&target.path);
    let fail = |problem: String| TargetError::new(&target.url, problem);
    if path.is_empty() {
        return Err(fail(format!("names no file; write {}", SCHEME.shown)));
    }
    let path = PathBuf::from(path);
    let points = match target.option("points") {
        Some(text) => {
            Points::parse(text).ok_or_else(|| target.bad_option("points", Points::ALLOWED))?
        }
        None => Points::DEFAULT,
    };
    let is_packed = path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("gz"));
    let mut format: Box<dyn Format> = match format_of(target, &path)? {
        "csv" => Box::new(csv_rows::Csv::default()),
        "jsonl" => Box::new(json::Lines),
        "hlog" => Box::new(hlog::Log::default()),
        _ => Box::new(json::K6::new(points)),
    };
    Ok(Box::new(Appending {
        file: None,
        path,
        head: format.head(run),
        length: 0,
        is_packed,
        format,
    }))
}

/// The format that is asked for, or that the file's name ends with.
fn format_of(target: &Target, path: &Path) -> Result<&'static str, TargetError> {
    let plain = path.with_extension("");
    let is_packed = path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("gz"));
    let named = if is_packed { &plain } else { path };
    let end = named.extension().and_then(|end| end.to_str());
    let end = end.unwrap_or_default().to_ascii_lowercase();
    let found = match target.option("format") {
        Some(wanted) => FORMATS.iter().find(|(name, _)| *name == wanted),
        None => FORMATS
            .iter()
            .find(|(_, ends)| ends.contains(&end.as_str())),
    };
    found.map(|(name, _)| *name).ok_or_else(|| match target.option("format") {
        Some(_) => target.bad_option("format", "csv, jsonl, hlog or k6"),
        None => TargetError::new(
            &target.url,
            "its name says no format; end it with .csv, .jsonl, .hlog or .json (k6's), or write ?format=csv",
        ),
    })
}

struct Appending {
    /// There from the first batch on.
    file: Option<File>,
    path: PathBuf,
    /// What it begins with, until that is in it.
    head: Vec<u8>,
    /// Bytes of whole batches.
    length: u64,
    is_packed: bool,
    format: Box<dyn Format>,
}

impl Appending {
    /// Appends all of it, or nothing.
    fn append(&mut self, text: &[u8]) -> Result<(), SinkError> {
        self.try_append(text).map_err(|error| {
            if let Some(file) = &self.file {
                // Where that fails, too, the next one is written over it.
                let _ = file.set_len(self.length);
            }
            self.unwritten(error)
        })
    }

    fn try_append(&mut self, text: &[u8]) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => File::create(&self.path)?,
        };
        let written = self.write(&mut file, text);
        self.file = Some(file);
        self.length += written?;
        self.head.clear();
        Ok(())
    }

    /// Writes what the file begins with, if it is not in it yet, and this; how many bytes that were.
    fn write(&self, file: &mut File, text: &[u8]) -> io::Result<u64> {
        // Members of a gzip file stand one after the other: what has been appended can be read before the end.
        let mut bytes = Vec::new();
        for part in [&self.head, text]
            .into_iter()
            .filter(|part| !part.is_empty())
        {
            if !self.is_packed {
                bytes.extend_from_slice(part);
                continue;
            }
            let mut member = GzEncoder::new(&mut bytes, Compression::fast());
            member.write_all(part)?;
            member.finish()?;
        }
        file.seek(SeekFrom::Start(self.length))?;
        file.write_all(&bytes)?;
        Ok(bytes.len() as u64)
    }

    /// A disk that is full may have room later; a folder does not appear by itself.
    fn unwritten(&self, error: io::Error) -> SinkError {
        let path = self.path.display();
        let remedy = match error.kind() {
            ErrorKind::NotFound => "make its folder, or name another file",
            ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::IsADirectory
            | ErrorKind::NotADirectory
            | ErrorKind::InvalidFilename => "name another file",
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                let what =
                    format!("{path} cannot be written: {error}; make room, or name another file");
                return SinkError::again(what).because(error);
            }
            _ => return SinkError::again(format!("{path} cannot be written")).because(error),
        };
        let what = format!("{path} cannot be written: {error}; {remedy}");
        SinkError::never(what).because(error)
    }
}

#[async_trait]
impl Sink for Appending {
    async fn push(&mut self, rows: &[Row]) -> Result<Accepted, SinkError> {
        let mut text = Vec::new();
        self.format
            .rows(rows, &mut text)
            .map_err(|error| SinkError::batch("rows cannot be written").because(error))?;
        self.append(&text)?;
        self.format.taken();
        Ok(Accepted::ALL)
    }

    async fn finish(&mut self, _: &End<'_>) -> Result<Accepted, SinkError> {
        // A run that measured nothing has its file as well.
        self.append(&[])?;
        let synced = self.file.as_ref().map_or(Ok(()), File::sync_data);
        synced.map_err(|error| self.unwritten(error))?;
        Ok(Accepted::ALL)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
