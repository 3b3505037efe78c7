//! The external engines: installed into the user's cache for the tests, and the recordings of their output that tests and fuzz
//! targets read.

pub(crate) mod digests;
mod gatling;
mod jmeter;
mod k6;

use crate::repo;
use crate::steps::Steps;
use anyhow::{Context as _, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// One of them.
struct Engine {
    name: &'static str,
    /// The variable that tells tests and the generator where it is.
    variable: &'static str,
    /// Installs it if need be, and says where it is, or why it cannot be had.
    set_up: fn() -> Result<PathBuf, String>,
    /// Further versions and what their tests need, by the variables that tell where they are.
    others: fn() -> Vec<(&'static str, PathBuf)>,
    /// Records its output anew, given where it is.
    record: fn(&Path) -> Result<()>,
}

const ENGINES: [Engine; 4] = [
    Engine {
        name: "k6",
        variable: "FLOODGATE_K6",
        set_up: k6::set_up,
        others: k6::others,
        record: k6::record,
    },
    Engine {
        name: "jmeter",
        variable: "FLOODGATE_JMETER",
        set_up: jmeter::set_up,
        others: Vec::new,
        record: jmeter::record,
    },
    Engine {
        name: "jmeter2",
        variable: "FLOODGATE_JMETER_2",
        set_up: jmeter::set_up_2,
        others: Vec::new,
        record: jmeter::record_2,
    },
    Engine {
        name: "gatling",
        variable: "FLOODGATE_GATLING",
        set_up: gatling::set_up,
        others: gatling::others,
        record: gatling::record,
    },
];

/// Arguments of `cargo xtask engines`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these: k6, jmeter, jmeter2, gatling
    names: Vec<String>,
    /// Record the fixtures anew with them
    #[arg(long)]
    record: bool,
    /// Write down the digests of their files, which images are checked against, and their licences
    #[arg(long)]
    pin: bool,
}

/// Installs the engines and says where they are.
///
/// # Errors
/// If one cannot be had, or does not do what is recorded.
pub(crate) fn run(options: &Options) -> Result<()> {
    if let Some(unknown) = options
        .names
        .iter()
        .find(|name| !ENGINES.iter().any(|engine| engine.name == **name))
    {
        bail!("{unknown} is not an engine: there are k6, jmeter, jmeter2 and gatling");
    }
    let wanted = |name: &str| options.names.is_empty() || options.names.iter().any(|n| n == name);
    for engine in ENGINES.iter().filter(|engine| wanted(engine.name)) {
        let place = (engine.set_up)()
            .map_err(anyhow::Error::msg)
            .context(engine.name)?;
        println!("{}={}", engine.variable, place.display());
        for (variable, place) in (engine.others)() {
            println!("{variable}={}", place.display());
        }
        if options.pin
            && let Some((name, folder)) = pinned(engine.name, &place)
        {
            digests::pin(name, &folder).context(engine.name)?;
            crate::licences::pin(name, &folder).context(engine.name)?;
        }
        if options.record {
            (engine.record)(&place).context(engine.name)?;
        }
    }
    Ok(())
}

/// Installs what the tests need and tells the command where it is; what cannot be had is left out, and its tests with it.
pub(crate) fn provide(steps: &mut Steps, tests: &mut Command, leave_out: Option<&str>) {
    for engine in &ENGINES {
        let name = format!("engine {}", engine.name);
        if let Some(why) = leave_out {
            steps.leave_out(&name, why);
            tests.env_remove(engine.variable);
            continue;
        }
        eprintln!(
            "── {name}: in {}",
            repo::cache_dir().unwrap_or_default().display()
        );
        let start = Instant::now();
        match (engine.set_up)() {
            Ok(place) => {
                steps.note(&name, start.elapsed());
                tests.env(engine.variable, place);
                tests.envs((engine.others)());
            }
            Err(why) => {
                tests.env_remove(engine.variable);
                steps.leave_out(&name, format!("{why}; the tests that run it do not"));
            }
        }
    }
}

/// The variables that tell where the engines are, of those that can be had.
pub(crate) fn environment() -> Vec<(&'static str, PathBuf)> {
    let places = ENGINES
        .iter()
        .map(|engine| Some((engine.variable, (engine.set_up)().ok()?)));
    places.flatten().collect()
}

/// The parts of an installation that go into an image and have a list of digests: the list's name, and where they are.
pub(crate) fn pinned(engine: &str, place: &Path) -> Option<(&'static str, PathBuf)> {
    match engine {
        "jmeter" => Some((jmeter::PINNED, place.to_owned())),
        "gatling" => Some((gatling::PINNED, place.join("lib"))),
        _ => None,
    }
}

/// Where an engine is, installed if need be.
///
/// # Errors
/// Why it cannot be had.
pub(crate) fn place(name: &str) -> Result<PathBuf, String> {
    let engine = ENGINES.iter().find(|engine| engine.name == name);
    engine.map_or_else(
        || Err(format!("{name} is not an engine")),
        |engine| (engine.set_up)(),
    )
}
