//! `floodgate demo`: a real test against a bundled shop.

use crate::args::{EnvArgs, OutArgs, ShowArgs};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::load::load_file;
use crate::local::{LocalRun, execute};
use crate::outcome::{Output, conclude};
use crate::output::say;
use floodgate_target::{Config, Target};
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
    let target =
        Target::start(Config::service()).map_err(|e| CliError::run("start the demo's shop", e))?;
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
    };
    let finished = execute(run).await?;
    target.stop();
    conclude(
        &finished,
        &Output {
            show: args.show,
            junit: None,
            out,
        },
    )
}

/// Leaves the definition where the reader can look at it, and run it against a shop of their own.
fn write_files(folder: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(folder).map_err(|e| CliError::write(folder, e))?;
    for (name, text) in FILES {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|e| CliError::write(&path, e))?;
    }
    Ok(folder.join(FILES[0].0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use floodgate_core::schedule::planned_load;

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
