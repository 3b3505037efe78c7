//! The engine's process.

use super::console::{ConsoleLog, Heard};
use super::guard::GUARD;
use crate::environment::Console;
use crate::health::ProcessCpu;
use crate::standstill::is_stopped;
use floodgate_engines::{Exit, Launch, Stop, remove_credentials};
use rustix::process::{Pid, Signal, kill_process_group};
use std::ffi::OsString;
use std::io;
use std::net::UdpSocket;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::Command;
use tokio::time::{Instant, timeout};

/// Lines of an engine's last words in a message.
const SAID: usize = 5;
/// How long the thread that reads an engine's words may take after its end: something it started may hold the pipe.
const WORDS_GRACE: Duration = Duration::from_secs(3);

/// A running engine. Dropping it kills it with everything that it started.
pub(crate) struct Child {
    process: tokio::process::Child,
    group: Pid,
    words: ConsoleLog,
    listening: Option<tokio::task::JoinHandle<()>>,
    stop: Stop,
    patience: Duration,
    exit: fn(i32) -> Exit,
    /// When it is killed, once it was asked to stop.
    killed_at: Option<Instant>,
}

/// How an engine ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// What its exit code means.
    pub(crate) exit: Exit,
    /// The same in words, with the last that it said.
    pub(crate) said: String,
    /// Whether it had to be killed.
    pub(crate) killed: bool,
    /// What it said on the way.
    pub(crate) heard: Heard,
}

impl Child {
    /// Starts it in a process group of its own, through `guard` (see [`super::guarded`]) if there is one.
    /// What its script writes to the console goes to `console`.
    pub(crate) fn start(
        launch: &Launch,
        guard: Option<&OsString>,
        console: Console,
    ) -> io::Result<Self> {
        let (program, arguments) = launch
            .command
            .split_first()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "there is no command"))?;
        let mut command = match guard {
            Some(own) => {
                let mut command = Command::new(own);
                command
                    .arg(GUARD)
                    .arg(std::process::id().to_string())
                    .arg(program);
                command
            }
            None => Command::new(program),
        };
        remove_credentials(command.as_std_mut());
        let (from, to) = io::pipe()?;
        let process = command
            .args(arguments)
            .envs(launch.env.iter().map(|(name, value)| (name, value)))
            .current_dir(&launch.folder)
            .stdin(Stdio::null())
            .stdout(to.try_clone()?)
            .stderr(to)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        // It holds the pipe's end for writing; while it does, the pipe has no end.
        drop(command);
        let id = process.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let group = id.ok_or_else(|| io::Error::other("it ended at once"))?;
        let words = ConsoleLog::new(launch.hears, console);
        let heard = words.clone();
        let listening = tokio::task::spawn_blocking(move || heard.listen(from));
        Ok(Self {
            process,
            group,
            words,
            listening: Some(listening),
            stop: launch.stop.clone(),
            patience: launch.patience,
            exit: launch.exit,
            killed_at: None,
        })
    }

    /// Whether it is stopped by a signal or a debugger.
    pub(crate) fn is_stopped(&self) -> bool {
        is_stopped(self.group)
    }

    /// A meter of its CPU time.
    pub(crate) fn cpu(&self) -> ProcessCpu {
        ProcessCpu::of(self.group.as_raw_nonzero().get())
    }

    /// Asks it to stop; [`Self::wait`] kills it when its patience is over. Asking again changes nothing.
    pub(crate) fn ask_to_stop(&mut self) {
        if self.killed_at.is_some() {
            return;
        }
        self.killed_at = Some(Instant::now() + self.patience);
        let asked = match &self.stop {
            Stop::Interrupt => kill_process_group(self.group, Signal::INT).map_err(io::Error::from),
            Stop::Terminate => {
                kill_process_group(self.group, Signal::TERM).map_err(io::Error::from)
            }
            Stop::Datagram { port, message } => UdpSocket::bind(("127.0.0.1", 0))
                .and_then(|socket| socket.send_to(message.as_bytes(), ("127.0.0.1", *port)))
                .map(drop),
        };
        if asked.is_err() {
            // It has ended already, or must be told otherwise: the first makes this fail as well.
            let _ = kill_process_group(self.group, Signal::TERM);
        }
    }

    /// Waits for its end. It may be dropped and called again.
    ///
    /// # Errors
    /// If the process cannot be waited for.
    pub(crate) async fn wait(&mut self) -> io::Result<Ended> {
        let mut killed = false;
        let status = match self.killed_at {
            None => self.process.wait().await?,
            Some(at) => match tokio::time::timeout_at(at, self.process.wait()).await {
                Ok(status) => status?,
                Err(_) => {
                    killed = true;
                    // It ends now in any case; a group that is gone is what is wanted.
                    let _ = kill_process_group(self.group, Signal::KILL);
                    self.process.wait().await?
                }
            },
        };
        // What it started goes with it: nothing is left running.
        let _ = kill_process_group(self.group, Signal::KILL);
        // It stays there until it is done: who drops this and calls again hears the last words all the same.
        if let Some(listening) = &mut self.listening {
            let _ = timeout(WORDS_GRACE, listening).await;
            self.listening = None;
        }
        Ok(self.ended(status, killed))
    }

    fn ended(&self, status: ExitStatus, killed: bool) -> Ended {
        let heard = self.words.heard();
        let (exit, how) = match (status.code(), status.signal()) {
            (Some(code), _) => {
                let exit = (self.exit)(code);
                let how = match &exit {
                    Exit::Failed { .. } if heard.cause.is_some() => {
                        let cause = heard.cause.as_deref().unwrap_or_default();
                        format!("ended with code {code}: {cause}")
                    }
                    Exit::Completed | Exit::Stopped | Exit::Marked => {
                        format!("ended with code {code}")
                    }
                    Exit::Aborted { meaning } | Exit::Failed { meaning } => {
                        format!("ended with code {code}: {meaning}")
                    }
                };
                (exit, how)
            }
            (None, signal) => {
                let signal = signal.unwrap_or_default();
                let meaning = if signal == 9 {
                    "it was killed; out of memory?"
                } else {
                    "it was ended by a signal"
                };
                (
                    Exit::Failed { meaning },
                    format!("was ended by signal {signal}"),
                )
            }
        };
        let by_itself = status.code().is_some();
        let said = match (&exit, heard.cause.as_deref().filter(|_| by_itself)) {
            // It stands there already.
            (Exit::Failed { .. }, Some(_)) => String::new(),
            (_, Some(cause)) => cause.to_owned(),
            (_, None) => self.words.last(SAID),
        };
        let said = match said.is_empty() {
            true => said,
            false => format!("; it said: {said}"),
        };
        Ended {
            exit,
            said: format!("{how}{said}"),
            killed,
            heard,
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // After its end there is nothing to kill, and the number is not used again before it was waited for.
        if self.process.id().is_some() {
            let _ = kill_process_group(self.group, Signal::KILL);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use floodgate_engines::{Collector, Output, ReadError, Reader};

    struct Silent;

    impl Reader for Silent {
        fn push(&mut self, _: &[u8], _: &mut Collector) -> Result<(), ReadError> {
            Ok(())
        }
        fn finish(&mut self, _: &mut Collector) -> Result<Vec<String>, ReadError> {
            Ok(Vec::new())
        }
    }

    fn shell(script: &str, patience: Duration) -> Child {
        // A shell cannot trap what is ignored when it starts, as SIGINT is where the tests run in the background of a script.
        let command = ["env", "--default-signal=INT", "/bin/sh", "-c", script];
        let launch = Launch {
            command: command.map(OsString::from).to_vec(),
            env: vec![("WORD".into(), "hello".into())],
            folder: "/".into(),
            output: Output::File("/dev/null".into()),
            reader: Box::new(Silent),
            stop: Stop::Interrupt,
            patience,
            exit: |code| match code {
                0 => Exit::Completed,
                _ => Exit::Failed {
                    meaning: "it says so",
                },
            },
            hears: |line| {
                if let Some(cause) = line.strip_prefix("cause: ") {
                    return Some(floodgate_engines::Said::Cause(cause.to_owned()));
                }
                let error = line.strip_prefix("error: ")?;
                Some(floodgate_engines::Said::Error(error.to_owned()))
            },
            is_believed: true,
            control: None,
            warnings: Vec::new(),
        };
        Child::start(&launch, None, std::sync::Arc::new(|_| ())).unwrap()
    }

    #[tokio::test]
    async fn the_end_is_told_with_its_last_words() {
        let mut child = shell("echo $WORD; echo oops >&2; exit 3", Duration::ZERO);
        let ended = child.wait().await.unwrap();
        assert_eq!(
            ended.exit,
            Exit::Failed {
                meaning: "it says so"
            }
        );
        assert!(
            ended
                .said
                .starts_with("ended with code 3: it says so; it said: "),
            "{}",
            ended.said
        );
        assert!(
            ended.said.contains("hello") && ended.said.contains("oops"),
            "{}",
            ended.said
        );
        let known = "echo 'cause: there is no plugin; add it'; echo trace; exit 3";
        assert_eq!(
            shell(known, Duration::ZERO).wait().await.unwrap().said,
            "ended with code 3: there is no plugin; add it"
        );
        assert_eq!(
            shell("exit 0", Duration::ZERO).wait().await.unwrap().said,
            "ended with code 0"
        );
    }

    /// Set for [`an_engine_inherits_no_credentials`] alone, which runs again with it.
    const WITH_CREDENTIALS: &str = "FLOODGATE_TEST_WITH_CREDENTIALS";

    /// Prints what an engine finds in its environment; does nothing unless its environment says so.
    #[tokio::test]
    async fn environment_of_an_engine() {
        if std::env::var_os(WITH_CREDENTIALS).is_some() {
            let folder = tempfile::tempdir().unwrap();
            let seen = folder.path().join("seen");
            let script = format!("env > {}; env > /dev/null", seen.display());
            shell(&script, Duration::ZERO).wait().await.unwrap();
            print!("{}", std::fs::read_to_string(seen).unwrap());
        }
    }

    #[test]
    fn an_engine_inherits_no_credentials() {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "script::child::tests::environment_of_an_engine"])
            .arg("--nocapture")
            .env(WITH_CREDENTIALS, "1")
            .env("AWS_SECRET_ACCESS_KEY", "hunter2")
            .env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/hunter2")
            .env("ECS_CONTAINER_METADATA_URI_V4", "http://127.0.0.1/hunter2")
            .env("KEPT", "as it was")
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            said.contains("WORD=hello") && said.contains("KEPT=as it was"),
            "{said}"
        );
        assert!(
            !said.contains("hunter2") && !said.contains("AWS_"),
            "{said}"
        );
    }

    #[tokio::test]
    async fn one_that_does_not_listen_is_killed_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("child");
        let script = format!(
            "trap '' INT TERM; sleep 1000 & echo $! > {}; wait",
            file.display()
        );
        let mut child = shell(&script, Duration::from_millis(100));
        let grandchild = loop {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if text.ends_with('\n') {
                break text.trim().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        child.ask_to_stop();
        let ended = child.wait().await.unwrap();
        assert!(ended.killed);
        assert!(ended.said.contains("signal 9"), "{}", ended.said);
        // A dead process that nobody has waited for is still listed, as a zombie.
        let gone = || {
            std::fs::read_to_string(format!("/proc/{grandchild}/stat"))
                .map_or(true, |stat| stat.contains(") Z "))
        };
        while !gone() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn a_stop_is_heeded_and_the_cpu_is_counted() {
        let mut child = shell(
            "trap 'exit 0' INT; while :; do :; done",
            Duration::from_secs(60),
        );
        let cpu = child.cpu();
        while cpu.total_ns().unwrap() < 50_000_000 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        child.ask_to_stop();
        let ended = child.wait().await.unwrap();
        assert_eq!((ended.exit, ended.killed), (Exit::Completed, false));
        assert_eq!(cpu.total_ns(), None);
    }
}
