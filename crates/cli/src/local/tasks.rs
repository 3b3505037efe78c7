//! The generators of a local run: a thread of this process for one, child processes for more.

use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::memory::FailureLines;
use crate::output::say;
use floodgate_generator::clock::{CLOCK_VARIABLE, hand_down};
use floodgate_generator::{Config, TaskEnvironment};
use floodgate_records::plan::Plan;
use floodgate_store::ObjectStore;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};

/// Lines of a child's stderr that are kept for the message about its end.
const KEPT_LINES: usize = 5;

/// What a generator process writes before a line of its script's console.
pub(crate) const CONSOLE: &str = "console: ";

/// A task ended. Whether it did its work its manifest says.
pub(super) struct Exit {
    pub(super) task: u32,
    /// Goes on from "task N is lost: it".
    pub(super) reason: String,
}

/// What a task tells while it runs.
pub(super) enum Event {
    /// It ended.
    Ended(Exit),
    /// Its script wrote a line to the console.
    Said(String),
}

/// The tasks of a run. Dropping them kills the child processes that are left, unless they were told to stop: then they
/// write what they have and end by themselves.
pub(super) struct Tasks {
    exits: mpsc::UnboundedReceiver<Exit>,
    console: mpsc::UnboundedReceiver<String>,
    stop: watch::Sender<Option<String>>,
    running: usize,
}

impl Tasks {
    /// Starts every task of the plan.
    pub(super) fn start(
        plan: &Plan,
        out: &Path,
        env: &Environment,
        objects: Arc<dyn ObjectStore>,
    ) -> Result<Self> {
        let (sender, exits) = mpsc::unbounded_channel();
        let (said, console) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(None);
        let tasks = u32::try_from(plan.tasks.len()).unwrap_or(u32::MAX);
        if tasks == 1 {
            thread(plan, env, objects, (sender, said), stopped)?;
        } else {
            let cpus = std::thread::available_parallelism().map_or(1, |n| n.get());
            let workers = (cpus / plan.tasks.len()).max(1);
            for task in 0..tasks {
                let child = spawn(plan, task, workers, out, env)?;
                let tell = (sender.clone(), said.clone());
                tokio::spawn(stay_with(child, task, tell, stopped.clone()));
            }
        }
        Ok(Self {
            exits,
            console,
            stop,
            running: plan.tasks.len(),
        })
    }

    /// The next task that ends; pending for ever when all have.
    async fn next_exit(&mut self) -> Exit {
        if self.running > 0
            && let Some(exit) = self.exits.recv().await
        {
            self.running -= 1;
            return exit;
        }
        std::future::pending().await
    }

    /// What comes next of them; pending for ever when nothing can come any more.
    pub(super) async fn next(&mut self) -> Event {
        tokio::select! {
            Some(exit) = self.exits.recv(), if self.running > 0 => {
                self.running -= 1;
                Event::Ended(exit)
            }
            Some(line) = self.console.recv() => Event::Said(line),
            else => std::future::pending().await,
        }
    }

    /// A line that is there already.
    pub(super) fn line(&mut self) -> Option<String> {
        self.console.try_recv().ok()
    }

    /// Tells every task to stop, past the store, and gives the word time to reach the children.
    pub(super) async fn stop(&self, by: &str) {
        self.stop.send_replace(Some(by.to_owned()));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    /// Waits until every task has exited, at most so long.
    pub(super) async fn join(&mut self, grace: Duration) {
        let all = async {
            while self.running > 0 {
                self.next_exit().await;
            }
        };
        // Past the grace nobody listens any more, and what is left is killed.
        let _ = tokio::time::timeout(grace, all).await;
    }
}

/// Where a task tells of its end and of its script's console.
type Tell = (mpsc::UnboundedSender<Exit>, mpsc::UnboundedSender<String>);

/// The place of a task on this machine: an external engine ends with the process that started it, and what its script writes to the
/// console goes to stderr.
pub(crate) fn environment() -> TaskEnvironment {
    TaskEnvironment {
        guard: std::env::current_exe().ok().map(Into::into),
        console: Arc::new(|line| say!("{CONSOLE}{line}")),
        ..TaskEnvironment::default()
    }
}

/// One generator beside this thread: a runtime of its own, so that drawing and merging never delay it.
fn thread(
    plan: &Plan,
    env: &Environment,
    objects: Arc<dyn ObjectStore>,
    (exits, said): Tell,
    stop: watch::Receiver<Option<String>>,
) -> Result<()> {
    // A run that nobody looks on at any more loses these lines alone.
    let console = Arc::new(move |line: &str| drop(said.send(line.to_owned())));
    let config = Config {
        project: plan.project.clone(),
        execution: plan.execution.clone(),
        task: 0,
        workers: None,
        resolver: Arc::new(env.clone()),
        environment: TaskEnvironment {
            console,
            ..environment()
        },
    };
    let body = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // As for the coordinator: one thread for files stays.
            .thread_keep_alive(Duration::from_secs(u64::from(u32::MAX)))
            .build();
        let reason = match runtime {
            Ok(runtime) => {
                let running = floodgate_generator::run(config, objects, stop);
                // Its message is on stderr; the run goes on to its end without the task.
                match catch_unwind(AssertUnwindSafe(|| runtime.block_on(running))) {
                    Ok(Ok(_)) => "ended without a manifest".into(),
                    Ok(Err(error)) => format!("failed: {error}"),
                    Err(_) => "panicked".into(),
                }
            }
            Err(error) => format!("could not start: {error}"),
        };
        // Nobody listens when the run has been given up.
        let _ = exits.send(Exit { task: 0, reason });
    };
    let started = std::thread::Builder::new()
        .name("generator".into())
        .spawn(body);
    started
        .map(|_| ())
        .map_err(|e| CliError::run("start the generator's thread", e))
}

/// A child process of this very executable. It leads a process group of its own, so that Ctrl-C reaches it only in
/// order, through us; the pipe to its stdin tells it when we are gone.
fn spawn(plan: &Plan, task: u32, workers: usize, out: &Path, env: &Environment) -> Result<Child> {
    let fail = |e: std::io::Error| CliError::run(format!("start generator {task}"), e);
    Command::new(std::env::current_exe().map_err(fail)?)
        .arg("generator")
        .arg("--with-parent")
        .arg("--store")
        .arg(out)
        .args(["--project", &plan.project, "--execution", &plan.execution])
        .args([
            "--task",
            &task.to_string(),
            "--workers",
            &workers.to_string(),
        ])
        .envs(env.given())
        .env(CLOCK_VARIABLE, hand_down())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(fail)
}

/// Waits for a child's end and says how it was. When it is to stop, or nobody listens any more, its stdin is closed.
async fn stay_with(
    mut child: Child,
    task: u32,
    (exits, said): Tell,
    mut stop: watch::Receiver<Option<String>>,
) {
    let stdin = child.stdin.take();
    let last_words = tokio::spawn(last_lines(child.stderr.take(), said));
    let status = tokio::select! {
        status = child.wait() => status,
        true = ordered(&mut stop) => {
            drop(stdin);
            child.wait().await
        }
        () = exits.closed() => {
            // It had its time, and was not told to stop by itself.
            let _ = child.start_kill();
            return;
        }
    };
    let said = last_words.await.unwrap_or_default();
    let reason = match status {
        Ok(status) => format!(
            "{}{}",
            ending(status),
            if said.is_empty() {
                String::new()
            } else {
                format!(": {said}")
            }
        ),
        Err(error) => format!("could not be waited for: {error}"),
    };
    let _ = exits.send(Exit { task, reason });
}

/// Whether an order to stop has come; `false` when none can come any more.
async fn ordered(stop: &mut watch::Receiver<Option<String>>) -> bool {
    stop.wait_for(Option::is_some).await.is_ok()
}

fn ending(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with code {code}"),
        (None, Some(9)) => "was killed (signal 9; out of memory?)".into(),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".into(),
    }
}

/// The last lines of a child's stderr, and to `said` those of its script's console; all of it is read, so that the child never waits.
async fn last_lines(
    stderr: Option<tokio::process::ChildStderr>,
    said: mpsc::UnboundedSender<String>,
) -> String {
    let Some(stderr) = stderr else {
        return String::new();
    };
    let mut lines = BufReader::new(stderr).lines();
    let mut kept = VecDeque::with_capacity(KEPT_LINES);
    let mut words = FailureLines::default();
    while let Ok(Some(line)) = lines.next_line().await {
        let Some(line) = words.of(&line) else {
            continue;
        };
        if let Some(line) = line.strip_prefix(CONSOLE) {
            // A run that nobody looks on at any more loses these lines alone.
            let _ = said.send(line.to_owned());
            continue;
        }
        if kept.len() == KEPT_LINES {
            kept.pop_front();
        }
        kept.push_back(line);
    }
    Vec::from(kept).join(" | ")
}
