//! `floodgate demo`: a real test against a bundled shop.

use crate::args::{EnvArgs, OutArgs, ShowArgs};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::load::load_file;
use crate::local::{LocalRun, execute};
use crate::outcome::{Output, conclude};
use crate::output::say;
use crate::reports::ReportFiles;
use crate::signals::Signals;
use floodgate_testserver::{Config, TestServer};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Generators of the demo: enough to show that their data are merged.
const GENERATORS: u32 = 2;
/// What the definition calls its target.
const TARGET: &str = "FLOODGATE_DEMO_TARGET";
/// The definition and the files that it names.
const FILES: [(&str, &str); 2] = [
    ("shop.yaml", include_str!("../../demo/shop.yaml")),
    ("users.csv", include_str!("../../demo/users.csv")),
];

/// Arguments of `floodgate demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only start the shop, on this port of 127.0.0.1, until Ctrl-C: for `floodgate run` on the definition [default port: 18080]
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "18080")]
    pub serve: Option<u16>,
    /// Where the execution is kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// What is shown.
    #[command(flatten)]
    pub show: ShowArgs,
}

/// Starts the shop on a free port of this machine, and runs the test against it.
///
/// # Errors
/// See [`CliError`].
pub async fn demo(args: Args) -> Result<ExitCode> {
    let out = &args.out.out;
    let definition = write_files(&out.join("demo"))?;
    if let Some(port) = args.serve {
        return serve(port, &definition).await;
    }
    let target = TestServer::start(Config::service())
        .map_err(|e| CliError::run("start the demo's shop", e))?;
    let env = Environment::new(&EnvArgs::default(), out)?
        .with(TARGET, target.url())
        // the bundled target is on this machine, where no proxy would find it
        .with("no_proxy", "127.0.0.1,::1,localhost");
    let test = load_file(&definition, &[], &env)?;
    if !args.show.quiet {
        say!(
            "the shop listens on {}; the test is {}",
            target.url(),
            definition.display()
        );
    }
    let title = Some(format!("the bundled shop at {}", target.url()));
    let run = LocalRun {
        test: &test,
        env: &env,
        generators: GENERATORS,
        out,
        id: None,
        show: args.show,
        title,
        target: Some(target.url()),
        kind: None,
        ordered: None,
        debug_requests: 0,
        metrics: None,
    };
    let finished = Box::pin(execute(run)).await?;
    target.stop();
    let output = Output {
        show: args.show,
        files: &ReportFiles::default(),
        out,
    };
    Ok(conclude(&finished, &output).await)
}

/// Runs nothing: keeps the shop open until a signal.
async fn serve(port: u16, definition: &Path) -> Result<ExitCode> {
    let config = Config {
        port,
        ..Config::service()
    };
    let target = TestServer::start(config)
        .map_err(|e| CliError::run(format!("start the demo's shop on port {port}"), e))?;
    say!(
        "the shop listens on {} until Ctrl-C; floodgate run {} puts load on it",
        target.url(),
        definition.display()
    );
    let mut signals = Signals::new()?;
    signals.next().await;
    target.stop();
    Ok(ExitCode::SUCCESS)
}

/// Leaves the definition where the reader can look at it, change it, and run it. What is there already was perhaps changed, and
/// stays; a word says so where it was.
fn write_files(folder: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).map_err(|e| CliError::write(folder, e))?;
    for (name, text) in FILES {
        let path = folder.join(name);
        match std::fs::read(&path) {
            Ok(there) if there == text.as_bytes() => {}
            Ok(_) => say!(
                "{} is not the bundled one: it stays; delete it to have that again",
                path.display()
            ),
            Err(_) => std::fs::write(&path, text).map_err(|e| CliError::write(&path, e))?,
        }
    }
    Ok(folder.join(FILES[0].0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use floodgate_core::planned::planned_load;

    #[test]
    fn what_the_reader_changed_stays() {
        let out = tempfile::tempdir().unwrap();
        let definition = write_files(out.path()).unwrap();
        std::fs::write(&definition, "mine").unwrap();
        write_files(out.path()).unwrap();
        assert_eq!(std::fs::read_to_string(&definition).unwrap(), "mine");
    }

    #[test]
    fn the_definition_runs_without_the_demo() {
        let out = tempfile::tempdir().unwrap();
        let definition = write_files(out.path()).unwrap();
        let env = Environment::new(&EnvArgs::default(), out.path()).unwrap();
        let test = load_file(&definition, &[], &env).unwrap();
        let target = test.parsed().definition.target.clone().unwrap();
        assert_eq!(target, "http://127.0.0.1:18080", "the default of --serve");
    }

    #[test]
    fn the_bundled_definition_is_valid_and_short() {
        let out = tempfile::tempdir().unwrap();
        let definition = write_files(out.path()).unwrap();
        let env = Environment::new(&EnvArgs::default(), out.path())
            .unwrap()
            .with(TARGET, "http://127.0.0.1:1");
        let test = load_file(&definition, &[], &env).unwrap();
        assert_eq!(test.warnings, Vec::<String>::new());
        assert!(planned_load(&test.parsed().definition).max_duration_ms < 60_000);
    }
}
