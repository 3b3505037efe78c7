//! `floodgate run`: a definition, run to its verdict on this machine or in the cloud.

use crate::args::{CloudArgs, EnvArgs, LoadArgs, OutArgs, ReportArgs, ScriptArgs, ShowArgs};
use crate::cloud::{Dry, PACE, StartRequest, connect, estimate, follow, start};
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::load::{LoadedTest, load_file};
use crate::local::{LocalRun, execute, open_existing};
use crate::order::Order;
use crate::outcome::{Output, conclude, conclude_cloud};
use crate::output::{print, print_json, print_styled, say, say_lines};
use crate::reports::ReportFiles;
use crate::signals::Signals;
use crate::trigger::trigger;
use floodgate_control::{TestPackage, load_failures};
use floodgate_core::definition::model::{exports_in_the_cloud, observe_in_the_cloud};
use floodgate_core::definition::{Definition, LOCAL_ONLY};
use floodgate_engines::{EngineFacts, facts};
use floodgate_records::estimate::Estimate;
use floodgate_records::execution::Execution;
use floodgate_report::Style;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

/// Generators on one machine at most: more would only take the CPU from each other.
pub(crate) const MAX_GENERATORS: i64 = 256;

/// What `--tier` takes.
pub(crate) const TIERS: [&str; 3] = ["smoke", "load", "soak"];

/// Arguments of `floodgate run`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The definition, YAML or JSON, - for standard input; or a script: test.js, plan.jmx, simulation.jar, a Maven or Gradle project
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Number of generators: 1 runs in this process; more run as separate processes and share the load
    #[arg(short, long, value_name = "N", default_value_t = 1, conflicts_with = "cloud", value_parser = clap::value_parser!(u32).range(1..=MAX_GENERATORS))]
    pub generators: u32,
    /// Override a value of the definition by its path, or a parameter: scenarios.browse.rate=50; repeatable
    #[arg(long = "set", short, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Scale the definition to this tier: short and light, as it is meant, or for long
    #[arg(long, value_name = "TIER", value_parser = TIERS)]
    pub tier: Option<String>,
    /// Also load this base URL, in turns of seconds, and compare the target with it
    #[arg(long, value_name = "URL")]
    pub against: Option<String>,
    /// Parameters in the words of a script's tool.
    #[command(flatten)]
    pub script: ScriptArgs,
    /// Load in place of the script's own.
    #[command(flatten)]
    pub load: LoadArgs,
    /// Values of references.
    #[command(flatten)]
    pub env: EnvArgs,
    /// What is written beside.
    #[command(flatten)]
    pub reports: ReportArgs,
    /// Id of the execution, a ULID; each id can start one run only [default: a new one]
    #[arg(long, value_name = "ULID", value_parser = ulid)]
    pub id: Option<String>,
    /// Where the execution is kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// Where it runs.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// With --cloud: print the id and exit without waiting
    #[arg(long, requires = "cloud", help_heading = "Cloud")]
    pub detach: bool,
    /// With --cloud: print how many tasks the run would start and what it would cost, and start nothing
    #[arg(long, requires = "cloud", conflicts_with_all = ["detach", "junit", "markdown", "html", "openmetrics", "badge", "id"], help_heading = "Cloud")]
    pub dry_run: bool,
    /// Print the first N requests and responses of each generator, with secrets removed (native engine only)
    #[arg(long, value_name = "N", conflicts_with = "cloud", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub debug_requests: Option<u32>,
    /// Serve the metrics of the run at http://HOST:PORT/metrics while it goes on, for Prometheus
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "cloud")]
    pub metrics: Option<String>,
    /// For whom `floodgate serve` starts it.
    #[arg(long, value_name = "FILE", hide = true, conflicts_with = "cloud")]
    pub order: Option<PathBuf>,
    /// What is shown.
    #[command(flatten)]
    pub show: ShowArgs,
}

fn ulid(text: &str) -> std::result::Result<String, String> {
    let id = ulid::Ulid::from_string(text)
        .map_err(|e| format!("{e}; a ULID has 26 digits and letters"))?;
    Ok(id.to_string())
}

/// Splits `PATH=VALUE`, and the parameters of a script.
pub(crate) fn overrides(set: &[String], script: &ScriptArgs) -> Result<Vec<(String, String)>> {
    let split = |entry: &String| match entry.split_once('=') {
        Some((path, value)) if !path.trim().is_empty() => {
            Ok((path.trim().to_owned(), value.to_owned()))
        }
        _ => Err(CliError::usage(format!(
            "--set {entry:?}: write PATH=VALUE, as in scenarios.browse.rate=50"
        ))),
    };
    let parameter = |entry: &String| match entry.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((format!("parameters.{}", name.trim()), value.to_owned()))
        }
        _ => Err(CliError::usage(format!(
            "-J {entry:?}: write NAME=VALUE, as in users=50"
        ))),
    };
    let parameters = script.parameters.iter().map(parameter);
    parameters.chain(set.iter().map(split)).collect()
}

impl Args {
    /// What is put in place of the definition's own.
    fn overrides(&self) -> Result<Vec<(String, String)>> {
        let mut all = overrides(&self.set, &self.script)?;
        let tier = self.tier.iter().cloned();
        all.extend(tier.map(|tier| ("tier".to_owned(), tier)));
        let against = self.against.iter().cloned();
        all.extend(against.map(|url| ("against".to_owned(), url)));
        Ok(all)
    }
}

/// Runs a definition.
///
/// # Errors
/// See [`CliError`].
pub async fn run(args: Args) -> Result<ExitCode> {
    if args.cloud.cloud {
        return Box::pin(run_in_cloud(args)).await;
    }
    let out = &args.out.out;
    let env = Environment::new(&args.env, out)?.with_load_options(args.load.options());
    let test = load_file(&args.file, &args.overrides()?, &env)?;
    let order = args.order.as_deref().map(Order::read).transpose()?;
    let ordered = order.map(|order| order.of(&test, &args.file));
    let ordered = ordered.transpose()?;
    let files = ReportFiles::open(&args.reports)?;
    let run = LocalRun {
        test: &test,
        env: &env,
        generators: args.generators,
        out,
        id: args.id.clone(),
        show: args.show,
        title: None,
        target: None,
        kind: None,
        ordered,
        debug_requests: args.debug_requests.unwrap_or(0),
        metrics: args.metrics.as_deref(),
    };
    let finished = Box::pin(execute(run)).await?;
    if args.debug_requests.is_some() {
        show_first(&finished.execution, out).await?;
    }
    let output = Output {
        show: args.show,
        files: &files,
        out,
    };
    Ok(conclude(&finished, &output).await)
}

/// Prints what a run would take and cost.
pub(crate) fn show_estimate(estimate: &Estimate, json: bool) -> Result<ExitCode> {
    match json {
        true => print_json(estimate)?,
        false => print_styled(&floodgate_report::estimate(estimate, Style::of_stdout()))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows the first exchanges on stderr: stdout has the results.
async fn show_first(execution: &Execution, out: &Path) -> Result<()> {
    let (stores, _) = open_existing(out)?;
    let log = load_failures(stores.objects.as_ref(), &execution.project, &execution.id).await?;
    let text = log.map(|log| floodgate_report::first_exchanges(&log, Style::PLAIN));
    match text.filter(|text| !text.is_empty()) {
        Some(text) => say_lines(&text),
        None => say!(
            "--debug-requests: no request was sampled; an engine that runs a script tells none"
        ),
    }
    Ok(())
}

/// Variables of this process that a script reads and that would be missing in the cloud, where it would send by its defaults: a line for each.
/// What a shell or an image sets anyway is none of them, and those that the engine itself obeys are packed with the script.
fn only_here(test: &LoadedTest, variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let Definition {
        engine, parameters, ..
    } = &test.parsed().definition;
    let read = test
        .inspection()
        .and_then(|all| all["parameters"].as_object());
    let read: Vec<&str> = read
        .into_iter()
        .flatten()
        .map(|(name, _)| &**name)
        .collect();
    missing_in_cloud(facts(*engine), &read, parameters, variable)
}

fn missing_in_cloud(
    engine: &EngineFacts,
    read: &[&str],
    given: &BTreeMap<String, String>,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<String> {
    const ANYWHERE: [&str; 8] = [
        "PATH", "HOME", "USER", "PWD", "LANG", "TZ", "SHELL", "HOSTNAME",
    ];
    const JAVA: &str = "JDK_JAVA_OPTIONS";
    let lost = |name: &&&str| {
        let is_own = |start: &&str| name.starts_with(start);
        let elsewhere = ANYWHERE.contains(name) || engine.own_variables.iter().any(is_own);
        !elsewhere && !given.contains_key(**name) && variable(name).is_some()
    };
    let read = read.iter().filter(|_| engine.reads_variables);
    let mut lines: Vec<_> = read
        .filter(lost)
        .map(|name| {
            format!(
                "error: the script reads {name}, which is set here and would not be in the cloud: give it with -e {name}=\"${name}\", \
                 or unset it\n"
            )
        })
        .collect();
    if engine.needs_java && variable(JAVA).is_some_and(|options| options.contains("-D")) {
        lines.push(format!(
            "error: {JAVA} sets system properties here, which would not be there in the cloud: give them with -D NAME=VALUE, or unset it\n"
        ));
    }
    lines
}

/// Loads a file for a run in the cloud, with all its faults.
pub(crate) fn for_cloud(
    file: &Path,
    overrides: &[(String, String)],
    load: &LoadArgs,
    env: &EnvArgs,
    out: &Path,
) -> Result<(Environment, LoadedTest)> {
    let env = Environment::new(env, out)?
        .leaving_secrets_open()
        .with_load_options(load.options());
    let test = load_file(file, overrides, &env)?;
    let mut only_here = only_here(&test, |name| std::env::var(name).ok());
    let definition = &test.parsed().definition;
    let elsewhere = observe_in_the_cloud(&definition.observe).into_iter();
    let elsewhere = elsewhere.chain(exports_in_the_cloud(&definition.export));
    only_here.extend(elsewhere.map(|why| format!("error: {why}\n")));
    if !only_here.is_empty() {
        return Err(CliError::definition(only_here.concat()));
    }
    Ok((env, test))
}

/// What is uploaded of it.
pub(crate) fn package_for_cloud(test: &LoadedTest) -> TestPackage<'_> {
    let mut package = test.package();
    // What has no effect on one machine has one there.
    let local: Vec<_> = test
        .parsed()
        .local
        .iter()
        .filter(|fault| fault.problem == LOCAL_ONLY)
        .map(ToString::to_string)
        .collect();
    package.warnings.retain(|warning| !local.contains(warning));
    package
}

/// Checks the definition here, so that all faults are reported at once and before anything is sent; then starts it there and
/// stays with it.
async fn run_in_cloud(args: Args) -> Result<ExitCode> {
    let out = &args.out.out;
    let (env, test) = for_cloud(&args.file, &args.overrides()?, &args.load, &args.env, out)?;
    let package = package_for_cloud(&test);
    let files = ReportFiles::open(&args.reports)?;
    let cloud = connect(&args.cloud, Some(&package.definition.project), out).await?;
    let mut trigger = trigger(|name| env.variable(name));
    trigger.principal = Some(cloud.caller.clone());
    let id = args
        .id
        .clone()
        .unwrap_or_else(|| ulid::Ulid::generate().to_string());
    let mut signals = Signals::of_a_follower()?;
    let request = StartRequest {
        id: &id,
        test: &package,
        env: &env,
        trigger,
    };
    if args.dry_run {
        let estimate = estimate(
            &request,
            Dry::Estimated,
            &cloud.stores,
            &cloud.machine,
            PACE,
        );
        return show_estimate(&Box::pin(estimate).await?, args.show.json);
    }
    start(&request, &cloud.stores, &cloud.machine).await?;
    if args.detach {
        print(&format!("{id}\n"))?;
        if !args.show.quiet {
            say!("it runs; floodgate attach {id} --cloud shows it");
        }
        return Ok(ExitCode::SUCCESS);
    }
    if !args.show.quiet {
        say!("execution {id} is started; preparing it");
    }
    let project = Some(package.definition.project.clone());
    let run = cloud.following(&id, project, &env, args.show);
    let ended = follow(run, &mut signals).await?;
    Ok(conclude_cloud(&ended, &cloud.stores, args.show, &files).await)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use floodgate_records::engine::Engine;

    #[test]
    fn what_a_script_takes_from_the_caller_alone_is_refused_in_the_cloud() {
        let given = BTreeMap::from([("GIVEN".to_owned(), "x".to_owned())]);
        let set = |name: &str| match name {
            "JDK_JAVA_OPTIONS" => Some("-Xmx1g -Dhost=a".to_owned()),
            "UNSET" => None,
            _ => Some("x".to_owned()),
        };
        let own = |own_variables| EngineFacts {
            reads_variables: true,
            own_variables,
            ..*facts(Engine::Http)
        };
        let read = ["GIVEN", "HOST", "OWN_VUS", "PATH", "UNSET"];
        let lines = missing_in_cloud(&own(&["OWN_"]), &read, &given, set);
        assert_eq!(lines.len(), 1, "{lines:?}");
        let said = "the script reads HOST, which is set here and would not be in the cloud: give it with -e HOST=\"$HOST\"";
        assert!(lines[0].contains(said), "{}", lines[0]);
        let java = EngineFacts {
            needs_java: true,
            ..*facts(Engine::Http)
        };
        let lines = missing_in_cloud(&java, &[], &given, set);
        assert!(lines[0].contains("-D NAME=VALUE"), "{lines:?}");
        assert!(missing_in_cloud(facts(Engine::Http), &read, &given, set).is_empty());
    }
}
