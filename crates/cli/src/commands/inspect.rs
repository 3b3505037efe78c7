//! `floodgate inspect`: what a script says of its load, and how it will be split.

use crate::args::{EnvArgs, LoadArgs, ScriptArgs};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::load::load_file;
use crate::output::{counted, print, print_json, say};
use floodgate_core::planned::planned_load;
use floodgate_core::schedule::{Segment, schedule_of};
use floodgate_core::units::format_duration;
use floodgate_records::printable::printable;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Arguments of `floodgate inspect`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A script (test.js, plan.jmx, simulation.jar, a Maven or Gradle project) or a definition
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Show the split over N tasks
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub tasks: u32,
    /// Override a value, as for `run`; repeatable
    #[arg(long = "set", short, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Parameters in the words of a script's tool.
    #[command(flatten)]
    pub script: ScriptArgs,
    /// Load in place of the script's own.
    #[command(flatten)]
    pub load: LoadArgs,
    /// Values of references.
    #[command(flatten)]
    pub env: EnvArgs,
    /// Where secrets lie.
    #[command(flatten)]
    pub out: crate::args::OutArgs,
    /// Print all of it as JSON
    #[arg(long)]
    pub json: bool,
}

/// Says what is known of a test before it runs.
///
/// # Errors
/// As for loading it.
pub fn inspect(args: &Args) -> Result<ExitCode> {
    let env = Environment::new(&args.env, &args.out.out)?.with_load_options(args.load.options());
    let test = load_file(
        &args.file,
        &super::run::overrides(&args.set, &args.script)?,
        &env,
    )?;
    let definition = &test.parsed().definition;
    let load = planned_load(definition);
    let weights = vec![1; args.tasks as usize];
    let mut shares = Vec::new();
    for place in 0..args.tasks as usize {
        let segment = Segment::of_weights(&weights, place).map_err(CliError::usage)?;
        let schedules = definition
            .scenarios
            .iter()
            .map(|scenario| schedule_of(scenario, &segment));
        let (mut vus, mut starts) = (0, Some(0));
        for schedule in schedules {
            vus += schedule.max_vus();
            starts = starts.zip(schedule.iterations()).map(|(a, b)| a + b);
        }
        shares.push((vus, starts));
    }
    let inspection = test.inspection();
    if args.json {
        let split: Vec<_> = shares
            .iter()
            .map(|(vus, iterations)| json!({"max_vus": vus, "iterations": iterations}))
            .collect();
        let all = json!({
            "definition": test.parsed().normalised,
            "script": inspection,
            "planned": load,
            "split": split,
        });
        print_json(&all)?;
        return Ok(ExitCode::SUCCESS);
    }
    // Each is made printable by itself: a name with a line feed makes no line of its own.
    let mut lines = vec![format!(
        "test {} of project {}, engine {}{}",
        definition.test,
        definition.project,
        definition.engine.as_str(),
        definition
            .script
            .as_ref()
            .map_or_else(String::new, |script| format!(", script {script}")),
    )];
    for scenario in &definition.scenarios {
        lines.push(format!(
            "scenario {}: {}",
            scenario.name,
            described(&scenario.executor)
        ));
    }
    if definition.scenarios.is_empty() {
        lines.push("the load is not known before the run".into());
    }
    for threshold in &definition.thresholds {
        let abort = if threshold.abort_on_fail {
            ", ends the run"
        } else {
            ""
        };
        lines.push(format!(
            "threshold {}: {}{abort}",
            threshold.key, threshold.expression
        ));
    }
    if let Some(Value::Object(details)) = inspection.and_then(|all| all.get("details")) {
        for (name, value) in details {
            lines.push(format!("{name}: {}", short(value)));
        }
    }
    if definition.engine.runs_scripts() {
        for file in &definition.script_files {
            lines.push(format!("file {file}"));
        }
    }
    lines.push(format!(
        "in all up to {}, {}, {}",
        counted(load.max_vus, "VU"),
        load.iterations.map_or_else(
            || "as many iterations as fit".into(),
            |n| counted(n, "iteration")
        ),
        format_duration(Duration::from_millis(load.duration_ms)),
    ));
    if !definition.scenarios.is_empty() && args.tasks > 1 {
        lines.push(format!("over {} tasks:", args.tasks));
        for (share, tasks) in alike(&shares) {
            let starts = share.1.map_or_else(String::new, |starts| {
                format!(", {}", counted(starts, "iteration"))
            });
            lines.push(format!(
                "  {tasks} × up to {}{starts}",
                counted(share.0, "VU")
            ));
        }
    }
    let lines = lines.iter().map(|line| format!("{}\n", printable(line)));
    print(&lines.collect::<String>())?;
    for warning in &test.warnings {
        say!("warning: {warning}");
    }
    Ok(ExitCode::SUCCESS)
}

type Share = (u64, Option<u64>);

/// Equal shares together, in the order of their first task.
fn alike(shares: &[Share]) -> Vec<(Share, usize)> {
    let mut alike: Vec<(Share, usize)> = Vec::new();
    for share in shares {
        match alike.iter_mut().find(|(known, _)| known == share) {
            Some((_, count)) => *count += 1,
            None => alike.push((*share, 1)),
        }
    }
    alike
}

fn described(executor: &floodgate_core::definition::model::Executor) -> String {
    let planned = floodgate_engines::definition::executor(executor);
    let words = planned.iter().map(|(key, value)| match value {
        Value::String(text) if key == "executor" => text.clone(),
        Value::String(text) => format!("{key} {text}"),
        other => format!("{key} {other}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// A value on one line of bounded length.
fn short(value: &Value) -> String {
    const MOST: usize = 160;
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}… (all of it: --json)", &text[..end]),
        None => text,
    }
}
