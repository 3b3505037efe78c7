//! Programs of others, run to their end. A signal is handed on to the one that runs, which ends in order: Terraform writes its state.

use crate::error::{CliError, Result};
use crate::signals::Signals;
use floodgate_records::status::Status;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::process::{ExitStatus, Stdio};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

/// What a program that has ended leaves.
#[derive(Debug)]
pub(super) struct ProgramOutput {
    pub(super) status: ExitStatus,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// Runs programs, one at a time.
pub(super) struct Shell {
    signals: Signals,
    stopped: Option<&'static str>,
}

impl Shell {
    /// From now on signals end nothing but what is run here.
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            signals: Signals::new()?,
            stopped: None,
        })
    }

    /// Runs a program; each line of its output is also given to `line`. `input` goes to its standard input.
    ///
    /// # Errors
    /// If it cannot be started, and after a signal, when it has ended: whatever it then says of itself. Its exit code is not an error.
    pub(super) async fn run(
        &mut self,
        mut command: Command,
        input: Option<&str>,
        mut line: impl FnMut(&str),
    ) -> Result<ProgramOutput> {
        let name = shown(&command);
        let fault = |error: std::io::Error| CliError::run(&name, error);
        command
            // A terminal's Ctrl-C reaches the whole group: only we are to hear it, or Terraform takes it for the second one.
            .process_group(0)
            .stdin(input.map_or_else(Stdio::null, |_| Stdio::piped()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(fault)?;
        if let (Some(text), Some(mut stdin)) = (input, child.stdin.take()) {
            // A program that does not read it says why.
            let _ = stdin.write_all(text.as_bytes()).await;
        }
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let complaints = tokio::spawn(async move {
            let mut text = Vec::new();
            if let Some(mut stderr) = stderr {
                let _ = stderr.read_to_end(&mut text).await;
            }
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut lines = stdout.map(|out| BufReader::new(out).lines());
        let mut said = String::new();
        let status = loop {
            let over = lines.is_none();
            let next = async {
                match &mut lines {
                    Some(lines) => lines.next_line().await.ok().flatten(),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                (signal, _) = self.signals.next() => {
                    self.stopped = Some(signal);
                    interrupt(&child);
                }
                found = next => match found {
                    Some(text) => {
                        line(&text);
                        said.push_str(&text);
                        said.push('\n');
                    }
                    None => lines = None,
                },
                status = child.wait(), if over => break status.map_err(fault)?,
            }
        };
        let stderr = complaints.await.unwrap_or_default();
        if let Some(signal) = self.stopped {
            return Err(stopped(signal, &name));
        }
        Ok(ProgramOutput {
            status,
            stdout: said,
            stderr,
        })
    }

    /// The same, where anything but success is an error.
    ///
    /// # Errors
    /// As [`Self::run`], and with the program's last words if it fails.
    pub(super) async fn finish(
        &mut self,
        command: Command,
        input: Option<&str>,
    ) -> Result<ProgramOutput> {
        let name = shown(&command);
        let ended = self.run(command, input, |_| {}).await?;
        match ended.status.success() {
            true => Ok(ended),
            false => Err(CliError::run(name, ended.last_words())),
        }
    }
}

impl ProgramOutput {
    /// What a program that failed said last, without its frames and empty lines.
    pub(super) fn last_words(&self) -> String {
        const LINES: usize = 12;
        let text = match self.stderr.trim() {
            "" => &self.stdout,
            text => text,
        };
        let frame = |c: char| matches!(c, '│' | '╷' | '╵' | ' ');
        let lines = text.lines().map(|line| line.trim_matches(frame));
        let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
        let first = lines.len().saturating_sub(LINES);
        match lines[first..].join("\n") {
            nothing if nothing.is_empty() => self.status.to_string(),
            words => words,
        }
    }
}

fn interrupt(child: &Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok());
    if let Some(pid) = pid.and_then(Pid::from_raw) {
        // It may have ended by now.
        let _ = kill_process(pid, Signal::INT);
    }
}

fn stopped(signal: &str, name: &str) -> CliError {
    CliError::Cloud {
        what: name.to_owned(),
        source: format!("stopped by {signal}").into(),
        remedy: "completed steps are kept; run the same command to continue".to_owned(),
        temporary: false,
        code: Status::Aborted.exit_code(),
    }
}

/// `terraform apply`: the program and the first of its arguments, none of which is a secret.
fn shown(command: &Command) -> String {
    let command = command.as_std();
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(OsStr::new("?"));
    let first = command
        .get_args()
        .find(|word| !word.to_string_lossy().starts_with('-'));
    let shown = std::iter::once(program).chain(first);
    shown
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tokio::sync::Mutex;

    /// A signal of one test comes to all of the process.
    static ALONE: Mutex<()> = Mutex::const_new(());

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn lines_come_one_by_one_and_input_goes_in() {
        let _alone = ALONE.lock().await;
        let mut shell = Shell::new().unwrap();
        let mut lines = Vec::new();
        let ended = shell.run(sh("cat; echo two; exit 3"), Some("one\n"), |line| {
            lines.push(line.to_owned());
        });
        let ended = ended.await.unwrap();
        assert_eq!(
            (lines, ended.status.code()),
            (vec!["one".to_owned(), "two".to_owned()], Some(3))
        );
        let failed = shell
            .finish(sh("echo '│ Error: no' >&2; exit 1"), None)
            .await;
        let failed = failed.unwrap_err().to_string();
        assert!(failed.ends_with(": Error: no"), "{failed}");
        let missing = shell.finish(Command::new("/nonexistent/x"), None).await;
        assert!(missing.is_err());
    }

    /// What runs is told once and waited for; then nothing more is begun.
    #[tokio::test]
    async fn a_signal_is_handed_on_and_the_end_awaited() {
        let _alone = ALONE.lock().await;
        let mut shell = Shell::new().unwrap();
        let mut told = false;
        let script =
            "trap 'echo state written; exit 1' INT; echo ready; while :; do sleep 0.05; done";
        let ended = shell.run(sh(script), None, |line| match line {
            // SIGINT of this process comes to the child by the shell alone, which has a group of its own.
            "ready" => kill_process(rustix::process::getpid(), Signal::INT).unwrap(),
            line => told |= line == "state written",
        });
        let error = ended.await.unwrap_err();
        assert_eq!(error.exit_code(), Status::Aborted.exit_code());
        assert!(error.to_string().contains("stopped by SIGINT"), "{error}");
        assert!(told);
    }
}
