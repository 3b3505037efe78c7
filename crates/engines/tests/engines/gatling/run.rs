//! Runs tasks as the generator does: starts the command, tails the log, feeds the reader.

use floodgate_core::shard::Row;
use floodgate_engines::collector::Settings;
use floodgate_engines::gatling::{launch, pack};
use floodgate_engines::{Collector, Exit, Job, Launch, Output};
use floodgate_records::metric::Tags;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The longest that anything here may take.
const LIMIT: Duration = Duration::from_secs(120);

/// A Gatling.
#[derive(Debug)]
pub(super) struct Home(PathBuf);

impl Home {
    /// The current one, and the one with the text log, if they are here.
    pub(super) fn all() -> Vec<Self> {
        let place = std::env::var_os("FLOODGATE_GATLING").map(PathBuf::from);
        let homes = place
            .into_iter()
            .flat_map(|place| [place.join("text"), place]);
        homes
            .filter(|home| home.join("lib").is_dir())
            .map(Self)
            .collect()
    }
}

/// The test's folder, with the simulations as `sim.jar` and as the Maven project `project`, packed, and the tasks' scratch folders.
pub(super) struct Folders {
    folder: TempDir,
    scratch: TempDir,
}

impl Folders {
    pub(super) fn new(home: &Home) -> Self {
        let folders = Self {
            folder: tempfile::tempdir().unwrap(),
            scratch: tempfile::tempdir().unwrap(),
        };
        let project = folders.folder.path().join("project");
        let classes = project.join("target/test-classes");
        fs::create_dir_all(&classes).unwrap();
        fs::write(project.join("pom.xml"), "<project/>").unwrap();
        let sources =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/gatling/simulations/shop");
        let mut javac = Command::new("javac");
        javac
            .args(["--release", "11", "-nowarn", "-d"])
            .arg(&classes);
        javac.arg("-cp").arg(home.0.join("lib/*"));
        javac.args(
            fs::read_dir(sources)
                .unwrap()
                .map(|source| source.unwrap().path()),
        );
        assert!(javac.stderr(Stdio::null()).status().unwrap().success());
        let mut jar = Command::new("jar");
        jar.args(["--create", "--file"])
            .arg(folders.folder.path().join("sim.jar"));
        jar.arg("-C").arg(&classes).arg(".");
        assert!(jar.status().unwrap().success());
        let none = BTreeMap::new();
        let packed = pack(&folders.job(home, "project", &[1], 0, "", &none)).unwrap();
        let packed = packed.unwrap();
        fs::write(folders.folder.path().join(packed.name), packed.bytes).unwrap();
        folders
    }

    pub(super) fn job<'a>(
        &'a self,
        home: &'a Home,
        script: &'a str,
        weights: &'a [u32],
        place: usize,
        target: &'a str,
        parameters: &'a BTreeMap<String, String>,
    ) -> Job<'a> {
        Job {
            folder: self.folder.path(),
            script,
            scratch: self.scratch.path(),
            weights,
            place,
            target: Some(target),
            parameters,
            max_duration: None,
            home: Some(&home.0),
            refused: &[],
            cpus: None,
            memory: None,
        }
    }
}

/// A task that runs.
pub(super) struct Run {
    process: Child,
    launch: Launch,
    collector: Collector,
    log: Option<File>,
    deadline: Instant,
    /// Standard error.
    said: PathBuf,
    _folders: Folders,
}

/// A task that has ended.
pub(super) struct Done {
    pub(super) exit: Exit,
    pub(super) said: String,
    rows: Vec<Row>,
}

impl Run {
    /// Starts all tasks at once.
    pub(super) fn all(
        home: &Home,
        script: &str,
        weights: &[u32],
        target: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Vec<Self> {
        let start = |place| {
            let folders = Folders::new(home);
            let launch =
                launch(&folders.job(home, script, weights, place, target, parameters)).unwrap();
            let said = folders.scratch.path().join("stderr");
            let mut command = Command::new(&launch.command[0]);
            command
                .args(&launch.command[1..])
                .current_dir(&launch.folder);
            command.envs(launch.env.iter().cloned());
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(File::create(&said).unwrap());
            Self {
                process: command.spawn().unwrap(),
                launch,
                collector: Collector::new(Settings {
                    origin_ms: 0,
                    max_series: 1_000,
                    folding: Default::default(),
                    tags: Tags::new(),
                }),
                log: None,
                deadline: Instant::now() + LIMIT,
                said,
                _folders: folders,
            }
        };
        (0..weights.len()).map(start).collect()
    }

    /// Reads what the log has more.
    fn read(&mut self) {
        let Output::Found { below, name } = &self.launch.output else {
            panic!("{:?}", self.launch.output);
        };
        if self.log.is_none() {
            let folders = fs::read_dir(below)
                .unwrap()
                .map(|entry| entry.unwrap().path().join(name));
            self.log = folders.filter_map(|path| File::open(path).ok()).next();
        }
        let mut bytes = Vec::new();
        if let Some(log) = &mut self.log {
            log.read_to_end(&mut bytes).unwrap();
        }
        self.launch
            .reader
            .push(&bytes, &mut self.collector)
            .unwrap();
    }

    pub(super) fn read_until(&mut self, requests: u64) {
        while self.collector.totals().http_reqs < requests {
            assert!(
                Instant::now() < self.deadline,
                "{}",
                fs::read_to_string(&self.said).unwrap()
            );
            std::thread::sleep(Duration::from_millis(50));
            self.read();
        }
    }

    pub(super) fn terminate(&self) {
        let pid = self.process.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    fn finish(mut self) -> Done {
        let status = loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > self.deadline {
                self.process.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(50));
            self.read();
        };
        self.read();
        self.launch.reader.finish(&mut self.collector).unwrap();
        let mut rows = Vec::new();
        self.collector.finish(&mut rows);
        Done {
            exit: (self.launch.exit)(status.code().unwrap_or(-1)),
            said: fs::read_to_string(&self.said).unwrap(),
            rows,
        }
    }
}

pub(super) fn finished(runs: Vec<Run>) -> Vec<Done> {
    runs.into_iter().map(Run::finish).collect()
}

impl Done {
    /// What counters counted, by series.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        let counters = ["http_reqs", "iterations"];
        for row in self
            .rows
            .iter()
            .filter(|row| counters.contains(&&*row.key.metric))
        {
            *counts.entry(row.key.to_string()).or_insert(0) += row.sum as u64;
        }
        counts
    }

    pub(super) fn http_reqs(&self) -> u64 {
        let counts = self.counts();
        counts
            .iter()
            .filter(|(key, _)| key.starts_with("http_reqs"))
            .map(|(_, n)| n)
            .sum()
    }
}
