//! A stack's end: what goes, what stays, and nothing while a run is on.

use super::account::Account;
use super::connection;
use super::settings::{ENGINES, Settings, State};
use super::shell::Shell;
use super::terraform::Terraform;
use crate::args::StackArgs;
use crate::cloud::{self, CONNECTION};
use crate::error::{CliError, Result};
use crate::output::{counted, say, say_led};
use crate::tools::{self, Tool};
use floodgate_records::status::EXIT_INVALID;
use serde_json::Value;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

/// Modules that hold nothing which cannot be made again: everything but `storage`.
const MODULES: [&str; 9] = [
    "access",
    "alarms",
    "api",
    "functions",
    "generator",
    "orchestration",
    "queries",
    "regional",
    "schedules",
];

/// What is to go.
pub(crate) struct Destroy {
    pub(crate) stack: StackArgs,
    /// Bucket and table, too.
    pub(crate) delete_results: bool,
    /// Without asking.
    pub(crate) yes: bool,
    /// Only say what would go.
    pub(crate) dry_run: bool,
    /// Of executions, where the connection file lies.
    pub(crate) out: PathBuf,
}

/// Takes a stack away. The same again goes on where an earlier one was stopped.
///
/// # Errors
/// A stack that is not known here, runs that are on, a no, and what Terraform says.
pub(crate) async fn destroy(destroy: &Destroy) -> Result<()> {
    let account = Account::find(&destroy.stack, &destroy.out).await?;
    say_led("account", &account.shown());
    tools::find(Tool::Terraform).map_err(CliError::usage)?;
    let (mut settings, known) = account.settings()?;
    if !known && matches!(account.state, State::Folder(_)) {
        return Err(unknown(&account));
    }
    refuse_while_running(&account).await?;
    if !destroy.dry_run && !destroy.yes && !std::io::stdin().is_terminal() {
        return Err(CliError::usage(
            "can't ask for confirmation without a terminal: pass --yes, or --dry-run to see what would be removed",
        ));
    }
    let (resources, outputs) = look(&account, &mut settings, known).await?;
    if resources.is_empty() {
        return Err(unknown(&account));
    }
    tell(&account, destroy, &resources, &outputs);
    if destroy.dry_run {
        say!("nothing was changed: this was a dry run");
        return Ok(());
    }
    if !destroy.yes && !asked(&account.stack)? {
        return Err(CliError::usage("nothing was changed"));
    }
    carry_out(&account, &settings, destroy.delete_results).await?;
    forget(&account, destroy)
}

fn unknown(account: &Account) -> CliError {
    CliError::usage(format!(
        "no stack {} in {} of account {} was deployed from here (there is nothing in {}): say where its state lies with --state, or use \
         Terraform where it was applied",
        account.stack,
        account.region,
        account.caller.account,
        account.folder.path().display()
    ))
}

/// What there is, and what the stack says of itself. Of one that was deployed elsewhere the engines are found out.
async fn look(
    account: &Account,
    settings: &mut Settings,
    known: bool,
) -> Result<(Vec<String>, Value)> {
    account.folder.write(settings, false)?;
    let mut shell = Shell::new()?;
    let mut terraform = Terraform {
        folder: &account.folder,
        shell: &mut shell,
    };
    terraform.init().await?;
    let outputs = terraform.outputs().await?;
    if !known {
        let listed = outputs["repository_urls"].as_object().into_iter().flatten();
        let engines = listed.map(|(engine, _)| engine.clone());
        settings
            .engines
            .extend(engines.filter(|engine| ENGINES.contains(&engine.as_str())));
    }
    Ok((terraform.resources().await?, outputs))
}

/// A run that loses its functions goes on sending to its deadline, and nobody merges it.
async fn refuse_while_running(account: &Account) -> Result<()> {
    let running = cloud::running(&account.config, &account.stack).await?;
    let Some(first) = running.first() else {
        return Ok(());
    };
    Err(CliError::Cloud {
        what: format!("destroy stack {}", account.stack),
        source: format!(
            "{} still on: {}",
            counted(running.len() as u64, "run"),
            running.join(", ")
        )
        .into(),
        remedy: format!("wait for the end, or stop each with floodgate abort {first} --cloud"),
        temporary: true,
        code: EXIT_INVALID,
    })
}

/// What holds results and records.
fn is_kept(address: &str) -> bool {
    address.starts_with("module.storage.")
}

fn tell(account: &Account, destroy: &Destroy, resources: &[String], outputs: &Value) {
    let kept = resources.iter().filter(|address| is_kept(address)).count();
    let of = |name: &str| outputs[name].as_str().unwrap_or("(not known)").to_owned();
    let (bucket, table) = (of("bucket"), of("table"));
    let stack = &account.stack;
    let goes = if destroy.delete_results {
        resources.len()
    } else {
        resources.len() - kept
    };
    say_led(
        "goes",
        &format!(
            "{} of stack {stack}: functions, state machines, network, roles, alarms, repositories with their images",
            counted(goes as u64, "resource")
        ),
    );
    if destroy.delete_results {
        say_led(
            "goes",
            &format!("bucket {bucket} with all results, table {table} with all records"),
        );
    } else {
        say_led(
            "stays",
            &format!(
                "bucket {bucket} with results, table {table} with records: both cost what is stored (--delete-results takes them, too)"
            ),
        );
    }
    say_led(
        "stays",
        "what lies in Secrets Manager, CloudTrail and the bill; quotas",
    );
    match &account.state {
        State::Folder(_) if destroy.delete_results => {}
        state => say_led("stays", &format!("Terraform's state, in {}", state.shown())),
    }
}

/// Asks for the stack's name: a yes is said too quickly.
fn asked(stack: &str) -> Result<bool> {
    let fault = |error: std::io::Error| CliError::run("ask", error);
    let mut err = std::io::stderr().lock();
    write!(err, "type {stack} to destroy it: ")
        .and_then(|()| err.flush())
        .map_err(fault)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(fault)?;
    Ok(answer.trim() == stack)
}

/// First what is in the way is allowed to go, then it goes. A second time there is less to do.
async fn carry_out(account: &Account, settings: &Settings, delete_results: bool) -> Result<()> {
    account.folder.write(settings, true)?;
    let mut shell = Shell::new()?;
    let mut terraform = Terraform {
        folder: &account.folder,
        shell: &mut shell,
    };
    // Repositories with images, a bucket with objects and a protected table are destroyed only if their state says that they may be.
    let mut targets = vec!["-target=module.generator.aws_ecr_repository.this".to_owned()];
    if delete_results {
        targets.push("-target=module.storage".to_owned());
    }
    let targets: Vec<_> = targets.iter().map(String::as_str).collect();
    let changes = terraform.plan(&targets).await?;
    if !changes.is_empty() {
        say_led(
            "prepare",
            "let images and, if they are to go, results be deleted",
        );
        terraform.carry_out("prepare", changes.all()).await?;
    }
    let mut options = vec!["-destroy".to_owned()];
    if !delete_results {
        options.extend(MODULES.map(|module| format!("-target=module.{module}")));
    }
    let options: Vec<_> = options.iter().map(String::as_str).collect();
    let changes = terraform.plan(&options).await?;
    say_led("destroy", &changes.shown());
    if !delete_results && !changes.lost.is_empty() {
        return Err(CliError::run(
            "destroy",
            format!(
                "the plan would remove {}, which must be kept",
                changes.lost.join(", ")
            ),
        ));
    }
    terraform.carry_out("destroy", changes.all()).await
}

/// What leads to a stack that is gone goes, too.
fn forget(account: &Account, destroy: &Destroy) -> Result<()> {
    let file = destroy.out.join(CONNECTION);
    let known = std::fs::read_to_string(&file).ok();
    let about = known.and_then(|text| connection::about(&text));
    if about == Some((account.stack.clone(), account.region.clone())) {
        std::fs::remove_file(&file).map_err(|error| CliError::write(&file, error))?;
        say_led("removed", &file.display().to_string());
    }
    if destroy.delete_results && matches!(account.state, State::Folder(_)) {
        account.folder.remove()?;
    }
    say!("stack {} is gone", account.stack);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A module that is new would else stay, and cost.
    #[test]
    fn every_module_but_storage_goes() {
        let root = include_str!("../../../../terraform/main.tf");
        let called = root
            .lines()
            .filter_map(|line| line.strip_prefix("module \"")?.split('"').next());
        let mut called: BTreeSet<_> = called.collect();
        assert!(called.remove("storage"));
        assert_eq!(called, BTreeSet::from(MODULES));
        assert!(is_kept("module.storage.aws_s3_bucket.this") && !is_kept("module.functions.x"));
    }
}
