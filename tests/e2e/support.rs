//! Runs the program in a folder of its own.

use floodgate_records::schema;
use floodgate_records::summary::Summary;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Longer than any run here takes on a slow machine: a test that meets it has found a hang.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder with definitions and executions.
pub struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub fn spawn(&self, args: &[&str]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_floodgate"));
        command.args(args);
        self.start(command)
    }

    /// Starts a command in a shell, which writes its output into a file of this folder.
    pub fn spawn_into(&self, file: &str, args: &[&str]) -> Running {
        self.spawn_limited(&format!("exec > {file}"), args)
    }

    /// Starts a command in a shell that has set a limit before.
    pub fn spawn_limited(&self, setting: &str, args: &[&str]) -> Running {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("{setting}; exec \"$0\" \"$@\""))
            .arg(env!("CARGO_BIN_EXE_floodgate"))
            .args(args);
        self.start(command)
    }

    /// Starts a command that may have so many processes and threads in all. `None` where that cannot be set up, which is said on stderr.
    pub fn spawn_with_processes(&self, most: u32, args: &[&str]) -> Option<Running> {
        // The limit counts all that a user has, and does not bind root: a user that nobody else is.
        let user = (400_000 + std::process::id()).to_string();
        let limit = format!("--nproc={most}");
        let mut command = Command::new("setpriv");
        command
            .args([
                "--reuid",
                &user,
                "--regid",
                &user,
                "--clear-groups",
                "prlimit",
            ])
            .arg(limit)
            .arg(env!("CARGO_BIN_EXE_floodgate"))
            .args(args);
        let mut probe = Command::new("setpriv");
        probe
            .args(["--reuid", &user, "--regid", &user, "--clear-groups"])
            .arg(env!("CARGO_BIN_EXE_floodgate"))
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if !probe.status().is_ok_and(|status| status.success()) {
            eprintln!("skipped: another user cannot run this program; run the tests as root");
            return None;
        }
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(self.dir.path(), open).unwrap();
        Some(self.start(command))
    }

    /// Runs a script of the shell as root of namespaces of its own (`-m`: mounts, `-n`: network), with the program as `$1`.
    /// `None` where that is not permitted, which is said on stderr.
    pub fn spawn_in_namespace(&self, which: &str, script: &str) -> Option<Running> {
        let allowed = Command::new("unshare")
            .args([which, "true"])
            .stderr(Stdio::null())
            .status();
        if !allowed.is_ok_and(|status| status.success()) {
            eprintln!("skipped: `unshare {which}` is not permitted here; run the tests as root");
            return None;
        }
        let mut command = Command::new("unshare");
        command
            .args([which, "sh", "-ec", script, "sh"])
            .arg(env!("CARGO_BIN_EXE_floodgate"));
        Some(self.start(command))
    }

    fn start(&self, mut command: Command) -> Running {
        self.place(&mut command);
        command.stdin(Stdio::null());
        Self::piped(command)
    }

    /// In the bench's folder, whatever the tests run in.
    fn place(&self, command: &mut Command) {
        command
            .current_dir(self.dir.path())
            .env_remove("FLOODGATE_OUT")
            .env("TMPDIR", self.dir.path())
            .env("USER", "ann");
        for variable in [
            "CI",
            "LOGNAME",
            "GITHUB_ACTOR",
            "GITHUB_ACTIONS",
            "GITHUB_STEP_SUMMARY",
            "GITLAB_USER_LOGIN",
        ] {
            command.env_remove(variable);
        }
    }

    fn piped(mut command: Command) -> Running {
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running { child: Some(child) }
    }

    /// Runs a command to its end.
    pub fn floodgate(&self, args: &[&str]) -> Ended {
        self.spawn(args).end()
    }

    /// Runs a command to its end that reads this text from its standard input.
    pub fn floodgate_reading(&self, text: &str, args: &[&str]) -> Ended {
        use std::io::Write as _;
        let mut command = Command::new(env!("CARGO_BIN_EXE_floodgate"));
        command.args(args).stdin(Stdio::piped());
        self.place(&mut command);
        let mut running = Self::piped(command);
        let child = running.child.as_mut().unwrap();
        // Closed at the end of the statement. A command that is refused may not read it all.
        drop(child.stdin.take().unwrap().write_all(text.as_bytes()));
        running.end()
    }

    /// Runs a definition and reads the summary that it prints.
    pub fn run(&self, definition: &str, more: &[&str]) -> (Ended, Summary) {
        self.write("test.yaml", definition);
        let args: Vec<&str> = ["run", "test.yaml", "--json"]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        let ended = self.floodgate(&args);
        let summary = ended.summary();
        (ended, summary)
    }
}

/// A command that runs.
pub struct Running {
    child: Option<Child>,
}

impl Running {
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// The processes that it has started.
    pub fn children(&self) -> Vec<u32> {
        let path = format!("/proc/{0}/task/{0}/children", self.pid());
        std::fs::read_to_string(path)
            .unwrap_or_default()
            .split_whitespace()
            .map(|p| p.parse().unwrap())
            .collect()
    }

    pub fn signal(&self, name: &str) {
        signal(self.pid(), name);
    }

    pub fn end(mut self) -> Ended {
        let mut child = self.child.take().unwrap();
        let pid = child.id();
        let (send, receive) = std::sync::mpsc::channel();
        // Output is read while the process runs, or it would stop at a full pipe.
        std::thread::spawn(move || {
            let stdout = child.stdout.take();
            let stderr = child.stderr.take();
            let read = |pipe: Option<Box<dyn std::io::Read + Send>>| {
                std::thread::spawn(move || {
                    let mut text = Vec::new();
                    if let Some(mut pipe) = pipe {
                        let _ = pipe.read_to_end(&mut text);
                    }
                    text
                })
            };
            let out = read(stdout.map(|p| Box::new(p) as _));
            let err = read(stderr.map(|p| Box::new(p) as _));
            let status = child.wait().unwrap();
            let _ = send.send(Output {
                status,
                stdout: out.join().unwrap(),
                stderr: err.join().unwrap(),
            });
        });
        match receive.recv_timeout(PATIENCE) {
            Ok(output) => Ended(output),
            Err(_) => {
                signal(pid, "KILL");
                panic!("the command did not end within {PATIENCE:?}");
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Sends a signal to one process.
pub fn signal(pid: u32, name: &str) {
    Command::new("kill")
        .arg(format!("-{name}"))
        .arg(pid.to_string())
        .status()
        .unwrap();
}

/// Whether a process is there and not a zombie.
pub fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ")
        .next()
        .is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

/// The timeout of requests that shall fail with this code: only where it is waited for, a busy machine may run into it.
pub fn timeout(code: &str) -> &'static str {
    if code == "timeout" { "500ms" } else { "60s" }
}

/// Waits until something holds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "{what} within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a command left.
pub struct Ended(pub Output);

impl Ended {
    pub fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    pub fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// Nothing ran, and it said why on stderr.
    pub fn refused(&self, why: &str) {
        let said = self.expect(104).stderr();
        assert!(said.contains(why), "{said}");
    }

    /// The summary that was printed; it must be of the published schema.
    pub fn summary(&self) -> Summary {
        static SCHEMA: LazyLock<jsonschema::Validator> =
            LazyLock::new(|| jsonschema::validator_for(&schema::summary()).unwrap());
        let said = || format!("{:?}\n{}", self.stdout(), self.stderr());
        let json: serde_json::Value =
            serde_json::from_str(&self.stdout()).unwrap_or_else(|e| panic!("{e}: {}", said()));
        let faults: Vec<_> = SCHEMA.iter_errors(&json).map(|e| e.to_string()).collect();
        assert!(faults.is_empty(), "{faults:?} in {json:#}");
        serde_json::from_value(json).unwrap_or_else(|e| panic!("{e}: {}", said()))
    }

    /// Panics with everything that was said unless the exit code is this one.
    #[track_caller]
    pub fn expect(&self, code: i32) -> &Self {
        assert_eq!(
            self.code(),
            Some(code),
            "stdout: {}\nstderr: {}",
            self.stdout(),
            self.stderr()
        );
        self
    }
}

/// A value of a metric in a summary.
#[track_caller]
pub fn value(summary: &Summary, metric: &str, name: &str) -> f64 {
    let found = summary.metrics.get(metric).and_then(|m| m.values.get(name));
    *found.unwrap_or_else(|| panic!("no {name} of {metric} in {:?}", summary.metrics.keys()))
}

/// The record of the newest run.
pub fn newest(bench: &Bench) -> serde_json::Value {
    let runs = bench.floodgate(&["runs", "--json"]).stdout();
    serde_json::from_str::<serde_json::Value>(&runs).unwrap()[0].clone()
}

/// The files below a folder whose path contains a text.
pub fn files(folder: &Path, part: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().contains(part) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A definition of one arrival-rate scenario: so many a second for so long, each one request of `/`.
pub fn arrivals(target: &str, rate: u32, duration: &str, rest: &str) -> String {
    format!(
        "version: 1\nproject: e2e\ntest: arrivals\ntarget: {target}\nscenarios:\n  one:\n    executor: constant-arrival-rate\n    \
         rate: {rate}\n    duration: {duration}\n    preAllocatedVUs: 10\n    maxVUs: 50\n    gracefulStop: 5s\n    flow:\n      \
         - get: /\n        name: home\n{rest}"
    )
}
