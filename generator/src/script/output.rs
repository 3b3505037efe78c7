//! The engine's output, as a pipe or a file that grows.

use floodgate_engines::Output;
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::pipe::fcntl_setpipe_size;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How deep below a folder an output is looked for: engines name one folder a run.
const DEPTH: usize = 3;

/// What a pipe should hold: what k6 writes in some 30 ms on a core of its own. The usual 64 KiB are full after two, and an engine that
/// waits for room keeps its samples in memory and ends later than its load does.
const PIPE_BYTES: usize = 1 << 20;

/// Where bytes come from.
#[derive(Debug)]
pub(crate) struct OutputSource {
    output: Output,
    open: Option<File>,
}

/// What a look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// So many bytes.
    Bytes(usize),
    /// None now; more may come.
    Nothing,
}

impl OutputSource {
    /// Makes the pipe if it is one. Nothing is written before the engine runs.
    pub(crate) fn new(output: Output) -> io::Result<Self> {
        let mut open = None;
        if let Output::Pipe(path) = &output {
            mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR)?;
            // Without waiting for a writer; the other end is opened by the engine.
            let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
            let pipe = OpenOptions::new()
                .read(true)
                .custom_flags(nonblocking)
                .open(path)?;
            // A user with many pipes may be refused: then it is looked at more often, see the feed.
            let _ = fcntl_setpipe_size(&pipe, PIPE_BYTES);
            open = Some(pipe);
        }
        Ok(Self { output, open })
    }

    /// Reads what is there.
    pub(super) fn look(&mut self, buffer: &mut [u8]) -> io::Result<Look> {
        let file = match &mut self.open {
            Some(file) => file,
            none => match open(&self.output)? {
                Some(file) => none.insert(file),
                None => return Ok(Look::Nothing),
            },
        };
        loop {
            return match file.read(buffer) {
                Ok(0) => Ok(Look::Nothing),
                Ok(read) => Ok(Look::Bytes(read)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Look::Nothing),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => Err(error),
            };
        }
    }
}

/// Opens the output if it is there by now.
fn open(output: &Output) -> io::Result<Option<File>> {
    let path = match output {
        Output::Pipe(path) | Output::File(path) => Some(path.clone()),
        Output::Found { below, name } => find(below, name, DEPTH),
    };
    match path.map(File::open) {
        Some(Ok(file)) => Ok(Some(file)),
        Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(None),
    }
}

fn find(folder: &Path, name: &str, depth: usize) -> Option<PathBuf> {
    let own = folder.join(name);
    if own.is_file() {
        return Some(own);
    }
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let mut folders = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir());
    (depth > 0).then(|| folders.find_map(|folder| find(&folder, name, depth - 1)))?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_pipe_is_read_before_and_after_a_writer_comes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let mut source = OutputSource::new(Output::Pipe(path.clone())).unwrap();
        let mut buffer = [0; 16];
        assert_eq!(source.look(&mut buffer).unwrap(), Look::Nothing);
        let mut writer = OpenOptions::new().write(true).open(&path).unwrap();
        assert_eq!(source.look(&mut buffer).unwrap(), Look::Nothing);
        writer.write_all(b"abc").unwrap();
        assert_eq!(source.look(&mut buffer).unwrap(), Look::Bytes(3));
        drop(writer);
        assert_eq!(source.look(&mut buffer).unwrap(), Look::Nothing);
    }

    #[test]
    fn an_engine_need_not_wait_for_room_in_the_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let mut source = OutputSource::new(Output::Pipe(path.clone())).unwrap();
        let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap();
        let mut writer = OpenOptions::new()
            .write(true)
            .custom_flags(nonblocking)
            .open(&path)
            .unwrap();
        let written = writer.write(&vec![b'x'; PIPE_BYTES]).unwrap();
        assert_eq!(written, PIPE_BYTES);
        let mut buffer = vec![0; PIPE_BYTES];
        assert_eq!(source.look(&mut buffer).unwrap(), Look::Bytes(PIPE_BYTES));
    }

    #[test]
    fn a_file_in_a_folder_of_any_name_is_found_when_it_comes() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().to_owned();
        let mut source = OutputSource::new(Output::Found {
            below,
            name: "run.log",
        })
        .unwrap();
        let mut buffer = [0; 2];
        assert_eq!(source.look(&mut buffer).unwrap(), Look::Nothing);
        let run = folder.path().join("shop-2026");
        std::fs::create_dir(&run).unwrap();
        std::fs::write(run.join("run.log"), "abc").unwrap();
        assert_eq!(source.look(&mut buffer).unwrap(), Look::Bytes(2));
        assert_eq!(source.look(&mut buffer).unwrap(), Look::Bytes(1));
        assert_eq!(source.look(&mut buffer).unwrap(), Look::Nothing);
    }
}
