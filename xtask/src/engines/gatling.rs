//! Gatling from Maven Central, twice: the current version, whose log is binary, and the last one whose log is text; compilers for
//! simulations in Scala and Kotlin; our helper, and the recordings.

use crate::maven::{fetch, need, quietly};
use crate::repo;
use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The current version. Its jars are in the folder `lib` of the place.
const CURRENT: &str = "3.15.1";
/// The list of its files' digests.
pub(super) const PINNED: &str = "gatling-3.15.1";
/// The last version with a text log. Its jars are in `text/lib`.
const TEXT: &str = "3.12.0";
/// A compiler: the folder with its jars, the variable that tells where that is, and its artifact.
struct Compiler {
    folder: &'static str,
    variable: &'static str,
    artifact: [&'static str; 3],
}
/// Scala as the current Gatling has it, and Kotlin, which Gatling does not bring.
const COMPILERS: [Compiler; 2] = [
    Compiler {
        folder: "scala-2.13.18",
        variable: "FLOODGATE_SCALA",
        artifact: ["org.scala-lang", "scala-compiler", "2.13.18"],
    },
    Compiler {
        folder: "kotlin-2.2.21",
        variable: "FLOODGATE_KOTLIN",
        artifact: [
            "org.jetbrains.kotlin",
            "kotlin-compiler-embeddable",
            "2.2.21",
        ],
    },
];
/// The simulation that is recorded, and its sources' folder.
const SIMULATION: &str = "shop.Checkout";
const FIXTURES: &str = "crates/engines/fixtures/gatling";
const HELPER: &str = "crates/engines/src/gatling/helper";

pub(super) fn set_up() -> Result<PathBuf, String> {
    let cache =
        repo::cache_dir().ok_or("there is neither XDG_CACHE_HOME nor HOME to keep Gatling in")?;
    let place = cache.join(format!("gatling-{CURRENT}-{TEXT}"));
    let complete = place.join("complete");
    need("javac")?;
    if complete.is_file() {
        return Ok(place);
    }
    need("mvn")?;
    for (version, folder) in [(CURRENT, place.clone()), (TEXT, place.join("text"))] {
        let artifact = [
            "io.gatling.highcharts",
            "gatling-charts-highcharts",
            version,
        ];
        fetch(&[artifact], &folder).map_err(|error| format!("Gatling {version}: {error:#}"))?;
    }
    fs::write(&complete, "").map_err(|error| format!("{}: {error}", complete.display()))?;
    Ok(place)
}

/// The compilers; one that cannot be had is left out, and its tests with it.
pub(super) fn others() -> Vec<(&'static str, PathBuf)> {
    let had = COMPILERS.iter().filter_map(|compiler| {
        let place = repo::cache_dir()?.join(compiler.folder);
        let complete = place.join("complete");
        if !complete.is_file() {
            let fetched =
                fetch(&[compiler.artifact], &place).and_then(|()| Ok(fs::write(&complete, "")?));
            if let Err(error) = fetched {
                eprintln!("{}: {error:#}", compiler.folder);
                return None;
            }
        }
        Some((compiler.variable, place.join("lib")))
    });
    had.collect()
}

/// Makes our helper and the recordings anew.
pub(super) fn record(place: &Path) -> Result<()> {
    let root = repo::root();
    helper(place, &root.join(HELPER))?;
    let fixtures = root.join(FIXTURES);
    let work = tempfile::tempdir()?;
    let classes = work.path().join("classes");
    // With the older of both, so that one set of classes runs with either.
    compile(
        &place.join("text"),
        &fixtures.join("simulations/shop"),
        &classes,
    )?;
    let target = Target::start(&fixtures.join("simulations/Target.java"), work.path())?;
    for (kind, version, home) in [
        ("binary", CURRENT, place.to_owned()),
        ("text", TEXT, place.join("text")),
    ] {
        let results = work.path().join(kind);
        let into = fixtures.join(kind);
        fs::create_dir_all(&into)?;
        // Gatling itself, without our helper: assertions stay in the log, and reports are made of it.
        let mut gatling = java(&home, &classes);
        gatling.arg(format!("-DTARGET=http://127.0.0.1:{}", target.port));
        gatling.arg("-Dgatling.data.enableAnalytics=false");
        gatling
            .args(["io.gatling.app.Gatling", "-s", SIMULATION, "-rf"])
            .arg(&results);
        let status = gatling
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        ensure!(
            status.code() == Some(2),
            "{SIMULATION} ends with 2, since its assertions do not hold: {status}"
        );
        let run = fs::read_dir(&results)?
            .next()
            .context("a folder of results")??
            .path();
        fs::copy(run.join("simulation.log"), into.join("simulation.log"))?;
        // Its reports hold them as JSON up to 3.14.
        let stats = run.join("js/stats.json");
        if stats.is_file() {
            fs::copy(stats, into.join("stats.json"))?;
        }
        let mut describe = java(&home, &classes);
        describe.arg(format!("-Dfloodgate.simulation={SIMULATION}"));
        describe.args(["floodgate.gatling.Main", "describe"]);
        let described = describe.stderr(Stdio::null()).output()?;
        ensure!(
            described.status.success(),
            "describe {SIMULATION}: {}",
            described.status
        );
        fs::write(into.join("describe.json"), described.stdout)?;
        let provenance = json!({
            "gatling": version,
            "java": first_line(Command::new("java").arg("--version"))?,
            "command": format!("java -cp … io.gatling.app.Gatling -s {SIMULATION}"),
            "simulation": "simulations/shop/Checkout.java",
            "target": "simulations/Target.java",
            "made by": "cargo xtask engines gatling --record",
        });
        fs::write(into.join("provenance.json"), format!("{provenance:#}\n"))?;
    }
    Ok(())
}

/// The jar with our classes, their sources beside them, not compressed: so a test can see that they belong together.
fn helper(place: &Path, folder: &Path) -> Result<()> {
    let classes = tempfile::tempdir()?;
    let sources = folder.join("floodgate/gatling");
    compile(place, &sources, classes.path())?;
    fs::copy(
        folder.join("logback.xml"),
        classes.path().join("logback.xml"),
    )?;
    for source in fs::read_dir(&sources)? {
        let source = source?;
        fs::copy(
            source.path(),
            classes
                .path()
                .join("floodgate/gatling")
                .join(source.file_name()),
        )?;
    }
    let mut jar = Command::new("jar");
    jar.args([
        "--create",
        "--no-compress",
        "--date=2020-01-01T00:00:00Z",
        "--file",
    ]);
    jar.arg(folder.join("floodgate-gatling.jar"))
        .arg("-C")
        .arg(classes.path())
        .arg(".");
    quietly(&mut jar)
}

fn compile(home: &Path, sources: &Path, into: &Path) -> Result<()> {
    let mut javac = Command::new("javac");
    javac.args(["--release", "11", "-nowarn", "-d"]).arg(into);
    javac.arg("-cp").arg(home.join("lib/*"));
    for source in fs::read_dir(sources)? {
        javac.arg(source?.path());
    }
    quietly(&mut javac)
}

fn java(home: &Path, classes: &Path) -> Command {
    let helper = repo::root().join(HELPER).join("floodgate-gatling.jar");
    let mut java = Command::new("java");
    java.arg("--add-opens=java.base/java.lang=ALL-UNNAMED")
        .arg("-cp");
    java.arg(format!(
        "{}:{}/*:{}",
        classes.display(),
        home.join("lib").display(),
        helper.display()
    ));
    java
}

/// The server that is recorded against; it ends with the handle.
struct Target {
    process: Child,
    port: String,
}

impl Target {
    fn start(source: &Path, work: &Path) -> Result<Self> {
        let file = work.join("port");
        let process = Command::new("java")
            .arg(source)
            .arg(&file)
            .stdin(Stdio::piped())
            .spawn()?;
        let mut target = Self {
            process,
            port: String::new(),
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while target.port.is_empty() {
            ensure!(
                Instant::now() < deadline,
                "the target wrote no port into {}",
                file.display()
            );
            std::thread::sleep(Duration::from_millis(50));
            target.port = fs::read_to_string(&file).unwrap_or_default();
        }
        Ok(target)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn first_line(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
