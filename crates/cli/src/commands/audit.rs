//! `floodgate audit`: who did what, and whether the trail of it is whole.

use crate::args::{CloudArgs, DEFAULT_PROJECT, OutArgs, PlaceArgs, ProjectArgs, name};
use crate::error::{CliError, Result};
use crate::output::{print, print_bytes, print_json, say};
use crate::stores::Executions;
use clap::Subcommand;
use floodgate_records::audit::AuditEntry;
use floodgate_records::execution::PrincipalIs;
use floodgate_records::printable::printable;
use floodgate_records::status::Status;
use floodgate_report::format::utc_minute;
use floodgate_store::chain::{AuditLog, Finding, Head, Verified, verify};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `floodgate audit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: Action,
}

/// What to do with the trail.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// List the newest entries of a project's trail
    List {
        /// Entries at most
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
        /// Print the entries as JSON
        #[arg(long)]
        json: bool,
        /// Whose and where.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Print the whole trail of a project as lines of JSON, as they are stored
    Export {
        /// Whose and where.
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Find entries that were removed, changed, moved or cut off, in all projects of the folder or in one of a stack
    Verify {
        /// Only the trail of this project
        #[arg(long, value_name = "NAME", value_parser = name)]
        project: Option<String>,
        /// An entry that the trail must still have, as an earlier call printed it; repeatable
        #[arg(long, value_name = "SEQ:HASH", requires = "project")]
        head: Vec<Head>,
        /// An exported trail instead of the stored one
        #[arg(long, value_name = "FILE", requires = "project")]
        file: Option<PathBuf>,
        /// Where executions are kept.
        #[command(flatten)]
        out: OutArgs,
        /// Where they ran.
        #[command(flatten)]
        cloud: CloudArgs,
    },
}

/// Lists, exports or verifies.
///
/// # Errors
/// A folder or a stack that is not there; what the store refuses.
pub async fn audit(args: Args) -> Result<ExitCode> {
    match args.action {
        Action::List { limit, json, place } => list(&place, limit, json).await,
        Action::Export { place } => export(&place).await,
        Action::Verify {
            project,
            head,
            file: Some(file),
            ..
        } => check_copy(&of(project), &head, &file),
        Action::Verify {
            project,
            head,
            file: None,
            out,
            cloud,
        } => check(project, &head, &out, &cloud).await,
    }
}

fn of(project: Option<String>) -> String {
    project.unwrap_or_else(|| DEFAULT_PROJECT.to_owned())
}

fn project(place: &PlaceArgs) -> String {
    of(place.project.project.clone())
}

async fn list(place: &PlaceArgs, limit: usize, json: bool) -> Result<ExitCode> {
    let executions = Executions::open(&place.cloud, &place.project, &place.out).await?;
    let project = project(place);
    let records = &executions.stores().records;
    let mut newest = records.newest_audits(&project, 0, limit).await?;
    newest.reverse();
    if json {
        print_json(&newest)?;
        return Ok(ExitCode::SUCCESS);
    }
    if newest.is_empty() {
        say!("the trail of project {project} has no entry; --project NAME shows another one");
    }
    let lines: String = newest.iter().map(line).collect();
    print(&lines)?;
    Ok(ExitCode::SUCCESS)
}

/// An entry for a reader.
fn line(entry: &AuditEntry) -> String {
    let proven = match entry.principal_is {
        PrincipalIs::Verified => "proven",
        PrincipalIs::Claimed => "claimed",
    };
    let mut line = format!(
        "{} UTC  {:<8} {}  {} ({proven}): {}",
        utc_minute(entry.at_ms),
        entry.action,
        printable(&entry.execution),
        printable(&entry.principal),
        printable(&entry.outcome),
    );
    if let Some(counts) = entry.thresholds {
        let (passed, failed, no_data) = (counts.passed, counts.failed, counts.no_data);
        let _ = write!(line, "; thresholds: {passed} hold, {failed} breached");
        if no_data > 0 {
            let _ = write!(line, ", {no_data} without data");
        }
    }
    line.push('\n');
    line
}

async fn export(place: &PlaceArgs) -> Result<ExitCode> {
    let executions = Executions::open(&place.cloud, &place.project, &place.out).await?;
    let project = project(place);
    known(&executions, &project, &place.out)?;
    let log = executions.stores().records.audit_log(&project).await?;
    print_bytes(&log.bytes)?;
    Ok(ExitCode::SUCCESS)
}

/// Verifies an exported trail, beside which no head lies.
fn check_copy(project: &str, kept: &[Head], file: &Path) -> Result<ExitCode> {
    let bytes = std::fs::read(file).map_err(|error| CliError::read(file, error, None))?;
    let log = AuditLog {
        bytes,
        head: kept.first().cloned(),
    };
    let mut found = verify(project, &log, kept.get(1..).unwrap_or_default());
    found.findings.retain(|f| *f != Finding::NoHead);
    if kept.is_empty() {
        say!("without --head, entries that were cut off at the end are not missed");
    }
    Ok(whole(tell(project, &found)?))
}

/// Verifies the stored trails: of a stack that of one project, of a folder all unless one is named.
async fn check(
    project: Option<String>,
    kept: &[Head],
    out: &OutArgs,
    cloud: &CloudArgs,
) -> Result<ExitCode> {
    let named = ProjectArgs {
        project: Some(of(project.clone())),
    };
    let executions = Executions::open(cloud, &named, out).await?;
    let projects = match (project, executions.folder()) {
        (None, Some(folder)) => folder.projects()?,
        (project, _) => {
            let project = of(project);
            known(&executions, &project, out)?;
            vec![project]
        }
    };
    let mut all_whole = true;
    for project in &projects {
        let log = executions.stores().records.audit_log(project).await?;
        all_whole &= tell(project, &verify(project, &log, kept))?;
    }
    if projects.is_empty() {
        say!("there is no trail in {}", out.out.display());
    }
    Ok(whole(all_whole))
}

/// Whether a folder has this project: a trail that was never there would look whole. Of a stack nobody may list the projects.
fn known(executions: &Executions, project: &str, out: &OutArgs) -> Result<()> {
    let Some(folder) = executions.folder() else {
        return Ok(());
    };
    let projects = folder.projects()?;
    if projects.iter().any(|name| name == project) {
        return Ok(());
    }
    let (shown, out) = (printable(project), out.out.display());
    let problem = match projects.is_empty() {
        true => format!("there is no project {shown} in {out}, and no other one either"),
        false => format!(
            "there is no project {shown} in {out}; there are {}",
            printable(&projects.join(", "))
        ),
    };
    Err(CliError::usage(format!(
        "{problem}; name one with --project"
    )))
}

fn whole(whole: bool) -> ExitCode {
    match whole {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(Status::Failed.exit_code()),
    }
}

/// Prints what was found; whether the trail is whole.
fn tell(project: &str, found: &Verified) -> Result<bool> {
    let project = printable(project);
    let whole = found.findings.is_empty();
    let mut text = format!(
        "{project}: {}, {}\n",
        entries(found.chained),
        if whole { "whole" } else { "NOT WHOLE" }
    );
    for finding in &found.findings {
        let _ = writeln!(text, "  {finding}");
    }
    if found.before > 0 {
        let _ = writeln!(
            text,
            "  {} from before the chain, which covers them from then on",
            entries(found.before)
        );
    }
    if let Some(head) = &found.head {
        let _ = writeln!(text, "  head {head}");
    }
    print(&text)?;
    Ok(whole)
}

fn entries(n: u64) -> String {
    format!("{n} {}", if n == 1 { "entry" } else { "entries" })
}
