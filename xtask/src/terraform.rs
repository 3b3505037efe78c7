//! `cargo xtask terraform`: the checks that need Terraform and the AWS provider, and the provider itself.

mod program;
mod provider;

use program::Terraform;

use crate::repo;
use crate::steps::Steps;
use anyhow::{Context as _, Result, ensure};
use std::path::PathBuf;

/// What is said where nothing but formatting can be checked.
const NO_PROVIDER: &str = "there is no AWS provider; where the registry is out of reach, `cargo xtask terraform provider` builds one";

const EXAMPLES: [&str; 4] = ["minimal", "complete", "nightly-soak", "multi-region"];

/// Arguments of `cargo xtask terraform`.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(clap::Subcommand)]
enum Chore {
    /// Format, validate and test everything, with what is there; a stack is applied by `cargo xtask test --cloud`
    Check,
    /// Build the AWS provider into the user's cache, for machines that do not reach Terraform's registry
    Provider(provider::Options),
    /// Write the tables of inputs and outputs in the READMEs anew
    Docs,
}

/// Runs it.
///
/// # Errors
/// If something fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.chore {
        Chore::Check => {
            let mut steps = Steps::default();
            add_all(&mut steps)?;
            steps.finish()
        }
        Chore::Provider(options) => provider::build(options),
        Chore::Docs => {
            let mut steps = Steps::default();
            let test = [
                "test",
                "--locked",
                "-p",
                "floodgate-functions",
                "--test",
                "terraform",
                "readmes",
            ];
            steps.run(
                "tables of the READMEs",
                repo::cargo(&test).env("UPDATE", "1"),
            );
            steps.finish()
        }
    }
}

/// The checks as steps of something greater.
pub(crate) fn add_all(steps: &mut Steps) -> Result<()> {
    let rest = "terraform validate, test and plan";
    let Some(terraform) = Terraform::find()? else {
        steps.leave_out("terraform fmt", "there is no terraform");
        steps.leave_out(rest, "there is no terraform");
        return Ok(());
    };
    let mut format = terraform.command("fmt", ".");
    steps.run(
        "terraform fmt",
        format.args(["fmt", "-check", "-diff", "-recursive"]),
    );
    if terraform.configuration.is_none() {
        steps.leave_out(rest, NO_PROVIDER);
        return Ok(());
    }
    for folder in
        std::iter::once(".".to_owned()).chain(EXAMPLES.map(|name| format!("examples/{name}")))
    {
        let name = if folder == "." { "root" } else { &folder };
        if terraform.init(steps, name, &folder) {
            steps.run(
                &format!("terraform validate {name}"),
                terraform.command(name, &folder).args(["validate"]),
            );
        }
    }
    // The tests plan and apply the root module and every example with a provider that calls nobody.
    if terraform.init(steps, "tests", ".") {
        steps.run(
            "terraform test",
            terraform.command("tests", ".").args(["test"]),
        );
    }
    Ok(())
}

/// Whether a stack can be applied here.
///
/// # Errors
/// What is missing.
pub(crate) fn is_usable() -> Result<()> {
    let terraform = Terraform::find()?.context("there is no terraform")?;
    ensure!(terraform.configuration.is_some(), NO_PROVIDER);
    Ok(())
}

/// Terraform's configuration that takes the provider from the cache, if it is there.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn configuration() -> Result<Option<PathBuf>> {
    provider::configuration()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_checked() {
        let folder = repo::root().join("terraform/examples");
        let entries = std::fs::read_dir(folder).expect("examples");
        let mut found: Vec<_> = entries
            .map(|entry| {
                entry
                    .expect("readable")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        found.sort();
        let mut known = EXAMPLES.to_vec();
        known.sort_unstable();
        assert_eq!(found, known);
    }
}
