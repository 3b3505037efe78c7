//! The CPU that Floodgate takes beside an engine that it runs, as a share of the engine's own.

use crate::bench::context::{self, Context};
use crate::bench::process::{pinned, thread_children, user_and_system};
use crate::bench::server::Server;
use crate::bench::stats::median;
use crate::bench::table::{Table, number};
use crate::{engines, repo};
use anyhow::{Context as _, Result, anyhow, ensure};
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Beyond the time of the load: a JVM starts twice, and the results are merged.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the processes are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// A tool, and its script that sends as fast as it can.
struct Engine {
    /// As definitions call it.
    name: &'static str,
    variable: &'static str,
    script: &'static str,
    text: &'static str,
}

const ENGINES: [Engine; 3] = [
    Engine {
        name: "k6",
        variable: "FLOODGATE_K6",
        script: "load.js",
        text: include_str!("../scripts/load.js"),
    },
    Engine {
        name: "jmeter",
        variable: "FLOODGATE_JMETER",
        script: "load.jmx",
        text: include_str!("../scripts/load.jmx"),
    },
    Engine {
        name: "gatling",
        variable: "FLOODGATE_GATLING",
        script: "load.jar",
        text: include_str!("../scripts/Load.java"),
    },
];

/// What one run took.
struct Run {
    requests: f64,
    /// The engine's, from its start to its end.
    engine_s: f64,
    /// Of the program that runs it, in the same time, without what it starts.
    own_s: f64,
}

pub(in crate::bench) fn run(context: &Context) -> Result<String> {
    let program = match &context.floodgate {
        Some(given) => given.clone(),
        None => {
            context::build(true)?;
            repo::target_dir()?.join("dist/floodgate")
        }
    };
    let server = Server::start(context, &["fast"])?;
    let places = ENGINES
        .iter()
        .map(|engine| engines::place(engine.name).map_err(|why| anyhow!("{}: {why}", engine.name)))
        .collect::<Result<Vec<_>>>()?;
    let mut runs: [Vec<Run>; ENGINES.len()] = Default::default();
    for _ in 0..context.rounds {
        for ((engine, place), runs) in ENGINES.iter().zip(&places).zip(&mut runs) {
            eprintln!("   {}", engine.name);
            let run = one(context, &program, engine, place, &server.url);
            runs.push(run.with_context(|| engine.name)?);
        }
    }
    let mut table = Table::new(&[
        "Engine",
        "Requests",
        "Requests/s",
        "CPU s of the engine",
        "of Floodgate",
        "share, %",
        "min",
        "max",
        "CPU µs/request",
    ]);
    for (engine, runs) in ENGINES.iter().zip(&runs) {
        let of = |value: &dyn Fn(&Run) -> f64| median(runs.iter().map(value));
        let share = |run: &Run| 100.0 * run.own_s / run.engine_s;
        let shares = || runs.iter().map(share);
        table.row([
            engine.name.to_owned(),
            number(of(&|run| run.requests), 0),
            number(of(&|run| run.requests / f64::from(context.seconds)), 0),
            number(of(&|run| run.engine_s), 2),
            number(of(&|run| run.own_s), 2),
            number(of(&share), 1),
            number(shares().min_by(f64::total_cmp), 1),
            number(shares().max_by(f64::total_cmp), 1),
            number(of(&|run| run.own_s * 1e6 / run.requests), 2),
        ]);
    }
    let what = format!(
        "`floodgate run` of a script that sends as fast as it can over 64 connections for {} s; Floodgate and the engine share core {}, \
         the target has core {}. Floodgate's CPU is that of its own threads while the engine runs, the engine's that from its start \
         to its end.",
        context.seconds, context.cores.client, context.cores.server
    );
    Ok(format!(
        "\n## Running an engine\n\n{what}\n\n{}",
        table.finish()
    ))
}

fn one(context: &Context, program: &Path, engine: &Engine, place: &Path, url: &str) -> Result<Run> {
    let folder = tempfile::tempdir_in(&context.scratch)?;
    write_script(engine, place, folder.path())?;
    let (name, script) = (engine.name, engine.script);
    fs::write(
        folder.path().join("test.yaml"),
        format!(
            "version: 1\ntest: load\nengine: {name}\nscript: {script}\ntarget: {url}\nparameters: {{seconds: {}}}\n",
            context.seconds
        ),
    )?;
    let mut command = Command::new(program);
    command
        .args(["run", "test.yaml", "--json"])
        .env(engine.variable, place)
        .current_dir(folder.path());
    let printed = fs::File::create(folder.path().join("summary.json"))?;
    let said = fs::File::create(folder.path().join("said"))?;
    let mut child = pinned(&command, context.cores.client)
        .stdin(Stdio::null())
        .stdout(printed)
        .stderr(said)
        .spawn()
        .with_context(|| format!("start {}", program.display()))?;
    let limit = Duration::from_secs(context.seconds.into()) + PATIENCE;
    let watched = watch(&mut child, limit);
    if watched.is_err() {
        // It may have ended meanwhile: then there is nothing to kill.
        let _ = child.kill();
    }
    let status = child.wait()?;
    let said = || fs::read_to_string(folder.path().join("said")).unwrap_or_default();
    let (engine_s, own_s) = watched.with_context(said)?;
    let summary: Value = serde_json::from_slice(&fs::read(folder.path().join("summary.json"))?)
        .with_context(said)?;
    let requests = summary["metrics"]["http_reqs"]["values"]["count"].as_f64();
    let failed = summary["metrics"]["http_req_failed"]["values"]["rate"].as_f64();
    // On one core an engine at full load is saturated, and the run inconclusive: that is no matter here.
    ensure!(
        matches!(status.code(), Some(0 | 98)) && failed == Some(0.0),
        "{status}, failed {failed:?}: {}",
        said()
    );
    Ok(Run {
        requests: requests.context("no http_reqs in the summary")?,
        engine_s,
        own_s,
    })
}

/// Follows a program to its end: CPU seconds of that of its children which took most, and of its own threads while that ran.
fn watch(child: &mut std::process::Child, limit: Duration) -> Result<(f64, f64)> {
    /// What was seen of a child: its CPU and that of the program, at first and at last.
    struct Seen {
        cpu_s: f64,
        first_own_s: f64,
        last_own_s: f64,
    }
    let ends = Instant::now() + limit;
    let mut children: HashMap<i32, Seen> = HashMap::new();
    let program = child.id().cast_signed();
    while child.try_wait()?.is_none() {
        ensure!(Instant::now() < ends, "has not ended after {limit:?}");
        if let Some(own_s) = user_and_system(program) {
            for pid in thread_children(program) {
                let Some(cpu_s) = user_and_system(pid) else {
                    continue;
                };
                let seen = children.entry(pid).or_insert(Seen {
                    cpu_s,
                    first_own_s: own_s,
                    last_own_s: own_s,
                });
                (seen.cpu_s, seen.last_own_s) = (cpu_s, own_s);
            }
        }
        std::thread::sleep(LOOK);
    }
    children
        .into_values()
        .max_by(|a, b| a.cpu_s.total_cmp(&b.cpu_s))
        .map(|seen| (seen.cpu_s, seen.last_own_s - seen.first_own_s))
        .context("no engine was seen")
}

/// Puts the script into a folder; Gatling's is compiled into a jar.
fn write_script(engine: &Engine, home: &Path, folder: &Path) -> Result<()> {
    if !engine.script.ends_with(".jar") {
        fs::write(folder.join(engine.script), engine.text)?;
        return Ok(());
    }
    let (source, classes): (PathBuf, _) = (folder.join("Load.java"), folder.join("classes"));
    fs::write(&source, engine.text)?;
    let mut javac = Command::new("javac");
    javac.arg("-cp").arg(home.join("lib/*")).arg("-d");
    javac.arg(&classes).arg(&source);
    let mut jar = Command::new("jar");
    jar.args(["--create", "--file"])
        .arg(folder.join(engine.script))
        .arg("-C");
    jar.arg(&classes).arg(".");
    for mut command in [javac, jar] {
        let status = command.status().context("start a program of the JDK")?;
        ensure!(status.success(), "{command:?}: {status}");
    }
    Ok(())
}
