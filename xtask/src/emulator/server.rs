//! An emulator as a process: on a free port of 127.0.0.1, in a folder of its own, gone when this program is.

use anyhow::{Context as _, Result, bail};
use std::ffi::{OsStr, OsString};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// How long an emulator may take to answer, with imports from a cold disk.
const START: Duration = Duration::from_secs(90);
/// How long it may take to end in order.
const END: Duration = Duration::from_secs(20);

/// A running emulator. Dropping it ends it.
pub(super) struct Server {
    name: &'static str,
    child: Child,
    /// The emulator ends when this is closed, so also when this process is killed.
    lifeline: Option<ChildStdin>,
    port: u16,
    folder: tempfile::TempDir,
}

/// What to start.
pub(super) struct Launch<'a> {
    /// For messages.
    pub(super) name: &'static str,
    pub(super) program: &'a Path,
    /// Its arguments, such as a script in `infra/emulator`.
    pub(super) arguments: &'a [&'a OsStr],
    /// Where it listens.
    pub(super) port: u16,
    /// Answers 200 once the emulator is there.
    pub(super) health: &'a str,
    /// The environment, given the port: nothing is inherited but what a process needs.
    pub(super) environment: fn(u16) -> Vec<(&'static str, String)>,
    pub(super) more: Vec<(&'static str, OsString)>,
}

impl Server {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// If it does not, with the end of its log.
    pub(super) fn start(launch: &Launch<'_>) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("floodgate-emulator-")
            .tempdir()
            .context("make a folder for the emulator")?;
        let port = launch.port;
        let log = std::fs::File::create(folder.path().join("log"))?;
        let mut command = Command::new(launch.program);
        command
            .args(launch.arguments)
            .current_dir(folder.path())
            .env_clear()
            .envs(inherited())
            .env("HOME", folder.path())
            .env("XDG_CACHE_HOME", folder.path().join("cache"))
            .env("TMPDIR", folder.path())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs((launch.environment)(port))
            .envs(launch.more.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            // Ctrl-C is for this program, which ends the emulator when it has taken down what runs there.
            .process_group(0);
        let mut child = command
            .spawn()
            .with_context(|| format!("start {}", launch.program.display()))?;
        let lifeline = child.stdin.take();
        let mut server = Self {
            name: launch.name,
            child,
            lifeline,
            port,
            folder,
        };
        server.wait_for(launch.health)?;
        Ok(server)
    }

    /// `http://127.0.0.1:PORT`.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// A folder that lasts as long as the emulator.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn wait_for(&mut self, health: &str) -> Result<()> {
        let until = Instant::now() + START;
        loop {
            if answers(self.port, health) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}: {}", self.name, self.last_lines());
            }
            if Instant::now() > until {
                bail!(
                    "{} does not answer within {START:?}: {}",
                    self.name,
                    self.last_lines()
                );
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The end of its log, on one line.
    fn last_lines(&self) -> String {
        let log = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<_> = log.lines().rev().take(3).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }

    /// Lets it end in order, and kills it when it does not.
    fn end(&mut self) {
        drop(self.lifeline.take());
        let until = Instant::now() + END;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > until {
                eprintln!("{} does not end within {END:?}: killed", self.name);
                // An error means that it has just ended.
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// What programs need of the environment; not AWS's variables, which would send requests elsewhere.
fn inherited() -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    let names = ["PATH", "LANG", "LC_ALL", "DOCKER_HOST", "PYENV_ROOT"];
    names
        .into_iter()
        .filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// A port that is free now, below those that Linux gives connections by itself (`ip_local_port_range`): servers take seconds to start.
pub(super) fn free_port() -> Result<u16> {
    let mut ports = std::iter::repeat_with(|| fastrand::u16(10_000..32_768)).take(100);
    ports
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .context("none of 100 ports below 32768 is free")
}

/// Whether a GET is answered with 200.
fn answers(port: u16, path: &str) -> bool {
    get(port, path, Duration::from_secs(2)).is_ok()
}

/// The body of the answer to a GET.
///
/// # Errors
/// If it is not 200.
pub(super) fn get(port: u16, path: &str, patience: Duration) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(patience))?;
    // In one piece: a server that answers to the first would reset the connection with the rest unread. Of HTTP/1.0, so that the body
    // is not cut into chunks.
    let request = format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
    match head {
        Some(end) if answer.get(8..12) == Some(b" 200") => Ok(answer.split_off(end + 4)),
        _ => Err(std::io::Error::other("the answer is not 200")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_200_is_an_answer() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            for status in ["200 OK", "503 Not yet"] {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 1024];
                let _ = stream.read(&mut request).unwrap();
                write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").unwrap();
            }
        });
        let body = get(port, "/health", Duration::from_secs(2));
        assert_eq!(body.unwrap(), b"");
        assert!(!answers(port, "/health"));
        server.join().unwrap();
        assert!(!answers(port, "/health"), "nobody listens any more");
    }
}
