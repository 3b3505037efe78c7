//! `floodgate import`: results of a run made elsewhere become an execution like any other: shown, compared, judged.

use crate::args::{EnvArgs, OutArgs, ReportArgs, ScriptArgs, ShowArgs};
use crate::clock::now_ms;
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::load::load_file;
use crate::local::{hold, let_go, open, with_page};
use crate::outcome::{Output, conclude};
use crate::output::say;
use crate::reports::ReportFiles;
use crate::script::results::{Imported, import_file, too_far};
use crate::script::source::ResultsFile;
use crate::script::test_name;
use crate::trigger::trigger;
use bytes::Bytes;
use floodgate_control::load::{self, Loaded};
use floodgate_control::{PlanOptions, finish, json, prepare};
use floodgate_core::definition::{Definition, Resolver, Source as Text};
use floodgate_records::control::Start;
use floodgate_records::execution::{InfrastructureKind, TriggerKind};
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::status::Status;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `floodgate import`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Results: k6 JSON or CSV, JTL as CSV or XML, simulation.log; several files are the tasks of one run
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Definition with the thresholds and baseline to apply
    #[arg(short, long, value_name = "FILE")]
    pub definition: Option<PathBuf>,
    /// Name of the test, without a definition [default: from the first file's name]
    #[arg(long, value_name = "NAME", conflicts_with = "definition")]
    pub test: Option<String>,
    /// Threshold to apply, such as 'http_req_duration: p(95)<500'; repeatable
    #[arg(
        short,
        long,
        value_name = "METRIC: EXPRESSION",
        conflicts_with = "definition"
    )]
    pub threshold: Vec<String>,
    /// Override a value of the definition, as for `run`; repeatable
    #[arg(
        long = "set",
        short,
        value_name = "PATH=VALUE",
        requires = "definition"
    )]
    pub set: Vec<String>,
    /// Values of references.
    #[command(flatten)]
    pub env: EnvArgs,
    /// What is written beside.
    #[command(flatten)]
    pub reports: ReportArgs,
    /// Where the execution is kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// What is shown.
    #[command(flatten)]
    pub show: ShowArgs,
}

/// Results bring no files, and refer to nothing.
struct Alone;

impl Resolver for Alone {
    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn secret(&self, _: &str) -> std::result::Result<String, String> {
        Err("imported results have none".into())
    }

    fn file_exists(&self, _: &str) -> bool {
        true
    }
}

/// Reads results, writes them as shards of an execution, and judges it.
///
/// # Errors
/// A file that cannot be read or is not a result, and what the store refuses.
pub async fn import(args: Args) -> Result<ExitCode> {
    let out = &args.out.out;
    let env = Environment::new(&args.env, out)?;
    let sources = args
        .files
        .iter()
        .map(|path| ResultsFile::open(path))
        .collect::<Result<Vec<_>>>()?;
    let (loaded, warnings) = match &args.definition {
        Some(path) => {
            let test = load_file(
                path,
                &super::run::overrides(&args.set, &ScriptArgs::default())?,
                &env,
            )?;
            let warnings = test.warnings.clone();
            (test.into_loaded(), warnings)
        }
        None => (alone(&args, &sources[0])?, Vec::new()),
    };
    let definition = loaded.parsed.definition.clone();
    let files = ReportFiles::open(&args.reports)?;
    let (stores, local) = open(out)?;
    let id = ulid::Ulid::generate().to_string();
    let held = hold(&local, &definition.project, &id)?;
    let mut package = loaded.package(warnings);
    package.warnings.extend(differing(&definition, &sources));
    let tasks = u32::try_from(sources.len()).unwrap_or(u32::MAX);
    let mut options = PlanOptions::local(tasks, None);
    options.infrastructure.kind = InfrastructureKind::Import.into();
    options.infrastructure.engine_version = String::new();
    let mut trigger = trigger(|name| env.variable(name));
    trigger.kind = TriggerKind::Import.into();
    let prepared = prepare(&stores, &id, &package, trigger, &options, now_ms()).await?;
    let keys = ExecutionKeys::new(&prepared.plan.project, &id);

    let mut imported: Vec<Imported> = Vec::new();
    for (task, source) in (0..).zip(sources) {
        if !args.show.quiet {
            say!("reading {} ({})", source.path.display(), source.format);
        }
        imported
            .push(import_file(source, &definition, &prepared.plan, &keys, task, &stores).await?);
    }
    let mut errors: Vec<_> = imported
        .iter()
        .filter_map(|file| file.problem.clone())
        .collect();
    let starts = imported.iter().filter_map(|file| file.first_ms);
    let start_ms = starts.min().unwrap_or(prepared.execution.created_ms);
    if errors.is_empty() {
        let ends = imported.iter().filter(|file| file.first_ms.is_some());
        let end_ms = ends.map(|file| file.manifest.ended_ms).max();
        errors.extend(end_ms.and_then(|end_ms| too_far(start_ms, end_ms)));
    }
    for file in &mut imported {
        file.manifest.planned_start_ms = start_ms;
        let key = keys.manifest(file.manifest.task);
        let bytes = json::bytes(&key, &file.manifest)?;
        stores.objects.put(&key, bytes).await?;
    }
    let key = keys.start();
    let start = json::bytes(&key, &Start { start_ms })?;
    stores.objects.put(&key, start).await?;
    let mut execution = prepared.execution.clone();
    execution.status = Status::Running;
    execution.started_ms = Some(start_ms);
    stores
        .records
        .update(&execution, &[Status::Preparing])
        .await?;
    let finished = finish(&stores, &prepared.plan, &definition, &[], &errors, now_ms()).await?;
    let finished = Box::pin(with_page(&stores, finished)).await;
    let_go(held, &stores, &definition.project, &id).await;
    let output = Output {
        show: args.show,
        files: &files,
        out,
    };
    Ok(conclude(&finished, &output).await)
}

/// The definition of results that come without one.
fn alone(args: &Args, first: &ResultsFile) -> Result<Loaded> {
    let name = |path: &Path| {
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        test_name(&stem)
    };
    let mut thresholds = serde_json::Map::new();
    for entry in &args.threshold {
        let split = entry.split_once(": ").or_else(|| entry.rsplit_once(':'));
        let (metric, expression) = split.ok_or_else(|| {
            CliError::usage(format!(
                "--threshold {entry:?}: write METRIC: EXPRESSION, as in 'http_req_duration: p(95)<500'"
            ))
        })?;
        let list = thresholds
            .entry(metric.trim().to_owned())
            .or_insert_with(|| serde_json::json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(expression.trim().into());
        }
    }
    let mut definition = serde_json::json!({
        "version": 1,
        "test": args.test.clone().unwrap_or_else(|| name(&first.path)),
        "engine": first.engine.as_str(),
        "script": "imported",
    });
    if !thresholds.is_empty() {
        definition["thresholds"] = thresholds.into();
    }
    let text = definition.to_string();
    let source = Text {
        name: "the arguments",
        text: text.as_bytes(),
    };
    let checked = load::check(&source, &[], &Alone)?;
    Ok(checked.with_files(Vec::<(String, Bytes)>::new()))
}

/// A word on results of another engine than the definition's.
fn differing(definition: &Definition, sources: &[ResultsFile]) -> Option<String> {
    let other = sources
        .iter()
        .find(|source| source.engine != definition.engine)?;
    Some(format!(
        "{} comes from {}, the definition is for {}",
        other.path.display(),
        other.engine.as_str(),
        definition.engine.as_str(),
    ))
}
