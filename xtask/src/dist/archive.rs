//! Archives that are the same bytes for the same contents: no times, no owners, a fixed order.

use anyhow::{Context as _, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};

/// A file of an archive.
pub(super) struct Entry {
    file: PathBuf,
    name: String,
    mode: u32,
}

impl Entry {
    /// What is run.
    pub(super) fn program(file: &Path, name: &str) -> Self {
        Self {
            file: file.to_owned(),
            name: name.to_owned(),
            mode: 0o755,
        }
    }

    /// What is read, under its own name.
    pub(super) fn paper(file: &Path) -> Self {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        Self {
            file: file.to_owned(),
            name: name.into_owned(),
            mode: 0o644,
        }
    }
}

/// Writes a compressed archive of one folder.
///
/// # Errors
/// If a file cannot be read, or the archive not be written.
pub(super) fn archive(folder: &str, entries: &[Entry], into: &Path) -> Result<()> {
    let file = File::create(into).with_context(|| format!("create {}", into.display()))?;
    let compressed = write(folder, entries, GzEncoder::new(file, Compression::best()))?;
    compressed.finish()?;
    Ok(())
}

fn write<W: Write>(folder: &str, entries: &[Entry], into: W) -> Result<W> {
    let mut archive = Builder::new(into);
    for entry in entries {
        let contents =
            fs::read(&entry.file).with_context(|| format!("read {}", entry.file.display()))?;
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(contents.len() as u64);
        header.set_mode(entry.mode);
        let path = format!("{folder}/{}", entry.name);
        archive.append_data(&mut header, path, contents.as_slice())?;
    }
    Ok(archive.into_inner()?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_same_contents_are_the_same_bytes_whenever_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("LICENSE");
        let write_at = |time| {
            fs::write(&file, "text").unwrap();
            File::open(&file).unwrap().set_modified(time).unwrap();
            let entries = [Entry::program(&file, "floodgate"), Entry::paper(&file)];
            write("floodgate-1", &entries, Vec::new()).unwrap()
        };
        let first = write_at(std::time::UNIX_EPOCH);
        assert_eq!(first, write_at(std::time::SystemTime::now()));
        let mut archive = tar::Archive::new(first.as_slice());
        let read: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let path = entry.path().unwrap().display().to_string();
                (path, entry.header().mode().unwrap())
            })
            .collect();
        assert_eq!(
            read,
            [
                ("floodgate-1/floodgate".to_owned(), 0o755),
                ("floodgate-1/LICENSE".to_owned(), 0o644)
            ]
        );
    }
}
