//! A result file: opened, decompressed while it is read, and recognised by its beginning.

use crate::error::{Cause, CliError, Result};
use flate2::read::MultiGzDecoder;
use floodgate_engines::{Reader, registry};
use floodgate_records::engine::Engine;
use std::fs::File;
use std::io::{self, Chain, Cursor, Read};
use std::path::{Path, PathBuf};

/// What the format is recognised by.
const HEAD: usize = 64 << 10;

/// A result file.
pub(crate) struct ResultsFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Which engine wrote it.
    pub(crate) engine: Engine,
    /// What it is, in words.
    pub(crate) format: &'static str,
    pub(super) head: Vec<u8>,
    pub(super) file: Box<dyn Read + Send>,
    pub(super) reader: Box<dyn Reader>,
}

impl ResultsFile {
    /// Opens it and recognises what it is.
    ///
    /// # Errors
    /// A file that cannot be read, and one that is none of the formats.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let fail = |cause: Cause, remedy| CliError::read(path, cause, remedy);
        if path.is_dir() {
            return Err(fail("is a folder".into(), Some("name a file in it".into())));
        }
        let fault = |error: io::Error| fail(error.into(), None);
        let mut file = plain(File::open(path).map_err(fault)?).map_err(fault)?;
        let mut head = Vec::new();
        let first = Read::by_ref(&mut file).take(HEAD as u64);
        { first }.read_to_end(&mut head).map_err(fault)?;
        let (engine, reader) = floodgate_engines::import(&head).ok_or_else(|| {
            let (problem, remedy) = unknown(&head);
            fail(problem.into(), Some(remedy))
        })?;
        Ok(Self {
            path: path.to_owned(),
            engine: engine.engine,
            format: engine.label,
            head,
            file,
            reader,
        })
    }
}

/// The contents of a file that may be compressed as gzip does: k6 writes `--out json=FILE.gz` so.
fn plain(mut file: File) -> io::Result<Box<dyn Read + Send>> {
    let mut magic = Vec::new();
    Read::by_ref(&mut file).take(2).read_to_end(&mut magic)?;
    let is_gzip = magic == [0x1f, 0x8b];
    let whole: Chain<_, _> = Cursor::new(magic).chain(file);
    Ok(if is_gzip {
        Box::new(Unzipped(MultiGzDecoder::new(io::BufReader::new(whole))))
    } else {
        Box::new(whole)
    })
}

/// What gzip has compressed; a fault in it says how to look into it.
struct Unzipped<R>(MultiGzDecoder<R>);

impl<R: io::BufRead> Read for Unzipped<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(|error| {
            let why = format!("cannot be decompressed: {error}; is it whole? gzip -t tells");
            io::Error::new(error.kind(), why)
        })
    }
}

/// What a file is that has no samples, and what to give in its place.
fn unknown(head: &[u8]) -> (&'static str, String) {
    let has = |words: &str| memchr::memmem::find(head, words.as_bytes()).is_some();
    let begins = |with: &[u8]| head.trim_ascii_start().starts_with(with);
    let problem = match () {
        () if head.trim_ascii().is_empty() => {
            return (
                "is empty",
                "was the run made, and its output written here?".into(),
            );
        }
        () if begins(b"PK\x03\x04") => {
            return (
                "is a zip archive",
                "unpack it and give the file in it".into(),
            );
        }
        () if begins(&[0x28, 0xb5, 0x2f, 0xfd]) || begins(b"BZh") || begins(b"\xfd7zXZ") => {
            return (
                "is compressed",
                "decompress it first; gzip alone is read as it is".into(),
            );
        }
        () if begins(b"{") && has("resultsGeneratorVersion")
            || begins(b"<!DOCTYPE html")
            || begins(b"<html") =>
        {
            "is a report of a run, which holds no samples"
        }
        () => "is not a known kind of result",
    };
    let problem = registry::without_samples(head).unwrap_or(problem);
    (problem, format!("give {}", registry::results()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    const JTL: &str = "timeStamp,elapsed,label,success\n1795330000000,5,home,true\n";

    fn zipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn opened(bytes: &[u8]) -> Result<ResultsFile> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results");
        std::fs::write(&path, bytes).unwrap();
        ResultsFile::open(&path)
    }

    #[test]
    fn gzip_is_read_as_what_is_in_it() {
        for bytes in [
            JTL.as_bytes().to_vec(),
            zipped(JTL.as_bytes()),
            [zipped(&JTL.as_bytes()[..20]), zipped(&JTL.as_bytes()[20..])].concat(),
        ] {
            let mut source = opened(&bytes).unwrap();
            let mut all = std::mem::take(&mut source.head);
            source.file.read_to_end(&mut all).unwrap();
            let engine = floodgate_engines::facts(source.engine);
            assert_eq!(
                (source.format, all),
                (engine.label, JTL.as_bytes().to_vec())
            );
        }
        let error = opened(&zipped(JTL.as_bytes())[..30]).err().unwrap();
        assert!(error.to_string().contains("results"), "{error}");
    }

    #[test]
    fn what_holds_no_samples_is_told_apart() {
        for (bytes, expected) in [
            (&b""[..], "is empty"),
            (b"  \n", "is empty"),
            (b"PK\x03\x04...", "is a zip archive; unpack it"),
            (
                b"{\"root_group\":{},\"metrics\":{\"vus\":{\"value\":1}}}",
                "summary of a run, which holds its figures and no samples",
            ),
            (b"<!DOCTYPE html><html>", "is a report of a run"),
            (b"{\"a\":1}", "is not a known kind of result; give what"),
            (b"\xfd7zXZ\0\0", "is compressed; decompress it first"),
        ] {
            let error = opened(bytes).err().unwrap().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let error = ResultsFile::open(Path::new("/")).err().unwrap().to_string();
        assert!(error.contains("is a folder"), "{error}");
    }
}
