//! Carries a [`Launch`] out with its [`Control`], as the generator's supervisor does, and keeps what came of it.

use floodgate_core::shard::Row;
use floodgate_engines::collector::Settings;
use floodgate_engines::k6;
use floodgate_engines::read::Reader;
use floodgate_engines::{Collector, Control, Exit, Job, Launch, LaunchError, Output, SetupData};
use floodgate_records::metric::Tags;
use floodgate_testserver::{Config, TestServer};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The k6 programs that are here; a line says so if there is none.
pub(super) fn programs() -> Vec<PathBuf> {
    let given = ["FLOODGATE_K6", "FLOODGATE_K6_V2"]
        .into_iter()
        .filter_map(std::env::var_os);
    let programs: Vec<_> = given.map(PathBuf::from).collect();
    if programs.is_empty() {
        println!("FLOODGATE_K6 is not set: k6 is not run");
    }
    programs
}

/// How long anything here may take.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come to pass");
        thread::sleep(Duration::from_millis(20));
    }
}

pub(super) struct Running {
    pub(super) child: Child,
    pub(super) control: Arc<dyn Control>,
    pub(super) samples: JoinHandle<Samples>,
    pub(super) exit: fn(i32) -> Exit,
}

/// What came out of one k6: as it was written, and as rows.
pub(super) struct Samples {
    pub(super) raw: Vec<u8>,
    pub(super) rows: Vec<Row>,
    pub(super) warnings: Vec<String>,
}

pub(super) struct Task {
    pub(super) exit: Exit,
    pub(super) samples: Samples,
}

pub(super) fn collector() -> Collector {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Collector::new(Settings {
        origin_ms: now.as_millis() as i64,
        max_series: 2_000,
        folding: Default::default(),
        tags: Tags::new(),
    })
}

/// Starts the process and reads its pipe in a thread.
pub(super) fn start(launch: Launch) -> Running {
    let Launch {
        command,
        env,
        folder,
        output,
        reader,
        exit,
        control,
        ..
    } = launch;
    let Output::Pipe(pipe) = output else {
        panic!("k6 writes to a pipe")
    };
    rustix::fs::mkfifoat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
    )
    .unwrap();
    let child = Command::new(&command[0])
        .args(&command[1..])
        .envs(env)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let samples = thread::spawn(move || read(&pipe, reader));
    Running {
        child,
        control: control.unwrap(),
        samples,
        exit,
    }
}

pub(super) fn read(pipe: &Path, mut reader: Box<dyn Reader>) -> Samples {
    let (mut file, mut into, mut raw) = (File::open(pipe).unwrap(), collector(), Vec::new());
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = file.read(&mut buffer).unwrap();
        if length == 0 {
            break;
        }
        raw.extend_from_slice(&buffer[..length]);
        reader.push(&buffer[..length], &mut into).unwrap();
    }
    let warnings = reader.finish(&mut into).unwrap();
    let mut rows = Vec::new();
    into.finish(&mut rows);
    Samples {
        raw,
        rows,
        warnings,
    }
}

pub(super) fn interrupt(child: &Child) {
    let id = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
}

pub(super) fn end(mut running: Running) -> Task {
    let code = running.child.wait().unwrap().code().unwrap_or(-1);
    Task {
        exit: (running.exit)(code),
        samples: running.samples.join().unwrap(),
    }
}

/// Runs a script on tasks of these weights from setup to teardown.
pub(super) fn run(script: &Script, weights: &[u32]) -> Vec<Task> {
    let scratch: Vec<_> = weights
        .iter()
        .map(|_| tempfile::tempdir().unwrap())
        .collect();
    let mut all: Vec<Running> = Vec::new();
    for (place, scratch) in scratch.iter().enumerate() {
        all.push(start(
            k6::launch(&script.job(weights, place, scratch.path())).unwrap(),
        ));
    }
    for task in &all {
        wait_for("a paused k6", || task.control.is_ready());
    }
    let data: SetupData = all[0].control.run_setup(LIMIT).unwrap();
    for task in &all[1..] {
        task.control.put_setup(&data).unwrap();
    }
    all.iter().for_each(|task| task.control.resume().unwrap());
    let leader = all.remove(0);
    let others: Vec<Task> = all.into_iter().map(end).collect();
    wait_for("the end of the load", || leader.control.ended().is_some());
    leader.control.run_teardown(LIMIT).unwrap();
    interrupt(&leader.child);
    let mut done = vec![end(leader)];
    done.extend(others);
    done
}

/// Runs one task from its start to its end.
pub(super) fn run_one(job: &Job<'_>) -> Vec<Task> {
    let leader = start(k6::launch(job).unwrap());
    wait_for("a paused k6", || leader.control.is_ready());
    leader.control.run_setup(LIMIT).unwrap();
    leader.control.resume().unwrap();
    wait_for("the end of the load", || leader.control.ended().is_some());
    leader.control.run_teardown(LIMIT).unwrap();
    interrupt(&leader.child);
    vec![end(leader)]
}

/// A script in a folder of its own.
pub(super) struct Script {
    pub(super) file: &'static str,
    pub(super) folder: tempfile::TempDir,
    pub(super) program: PathBuf,
    pub(super) target: String,
    pub(super) parameters: BTreeMap<String, String>,
}

impl Script {
    pub(super) fn new(program: &Path, target: &str, text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("test.js"), text).unwrap();
        Self {
            file: "test.js",
            folder,
            program: program.to_owned(),
            target: target.to_owned(),
            parameters: BTreeMap::new(),
        }
    }

    pub(super) fn job<'a>(
        &'a self,
        weights: &'a [u32],
        place: usize,
        scratch: &'a Path,
    ) -> Job<'a> {
        Job {
            folder: self.folder.path(),
            script: self.file,
            scratch,
            weights,
            place,
            target: Some(&self.target),
            parameters: &self.parameters,
            max_duration: None,
            home: Some(&self.program),
            refused: &[],
            cpus: None,
            memory: None,
        }
    }

    pub(super) fn refused(&self, tasks: usize) -> LaunchError {
        let scratch = tempfile::tempdir().unwrap();
        match k6::launch(&self.job(&vec![1; tasks], 0, scratch.path())) {
            Err(error) => error,
            Ok(_) => panic!("the script is launched"),
        }
    }
}

pub(super) fn shop() -> TestServer {
    TestServer::start(Config::prompt_service()).unwrap()
}

/// The sum of a metric's rows whose tags match, over all tasks.
pub(super) fn total(tasks: &[Task], metric: &str, tags: &[(&str, &str)]) -> f64 {
    let filter = Tags::from_iter(tags.iter().copied());
    let rows = tasks.iter().flat_map(|task| &task.samples.rows);
    rows.filter(|row| row.key.metric == metric && row.key.tags.matches(&filter))
        .map(|row| row.sum)
        .sum()
}
