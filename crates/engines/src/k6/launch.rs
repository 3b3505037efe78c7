//! The command of one task.

use super::exit::exit;
use super::inspect::inspect;
use super::read;
use super::rest::{self, RestApi};
use super::tool::{Parameters, QUIET, Tool, script};
use crate::error::LaunchError;
use crate::job::Job;
use crate::launch::{Launch, Output, Said, Stop};
use floodgate_core::definition::model::Executor;
use serde_json::Value;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

/// From an interrupt to the end: running iterations are cut off at once, and what is measured is written.
const PATIENCE: Duration = Duration::from_secs(30);

/// How one task's k6 is started. It starts paused: see [`Control`](crate::Control) for what has to be said to it, and when.
///
/// The script stays as it is. The task's part is k6's execution segment, which divides VUs, iterations and arrivals without
/// remainder; the option `rps`, which k6 does not divide, is divided here.
///
/// # Errors
/// [`LaunchError`]: no k6, a script that k6 refuses, thresholds that cannot be evaluated here, an `rps` that is less than one for a task.
pub fn launch(job: &Job<'_>) -> Result<Launch, LaunchError> {
    let tool = Tool::find(job.home)?;
    let inspection = inspect(job.script, &tool.inspect(job)?)?;
    let wrong = |problem: String| LaunchError::script(job.script, problem);
    let pipe = job.scratch.join("k6.samples");
    let address = rest::free_address().map_err(LaunchError::file(job.scratch))?;
    let is_set = |option: &str| inspection.details[option] == true;
    let control = RestApi {
        address,
        leads: job.place == 0,
        setup: !is_set("noSetup"),
        teardown: !is_set("noTeardown"),
    };

    let mut command: Vec<OsString> = vec![tool.program.clone().into(), "run".into()];
    // --summary-mode=disabled came with a late 1.x, and 2.0 has no --no-summary.
    command.push(
        if tool.version.major >= 2 {
            "--summary-mode=disabled"
        } else {
            "--no-summary"
        }
        .into(),
    );
    let fixed = [
        "--no-thresholds",
        "--no-usage-report",
        "--quiet",
        "--no-color",
        "--paused",
        "--no-setup",
        "--no-teardown",
        "--address",
    ];
    command.extend(fixed.map(OsString::from));
    command.push(address.to_string().into());
    if control.leads {
        command.push("--linger".into());
    }
    let mut out = OsString::from("json=");
    out.push(&pipe);
    command.extend(["--out".into(), out]);
    command.extend(
        segment(job.weights, job.place)
            .into_iter()
            .map(OsString::from),
    );
    if let Some(rps) = inspection.details["rps"].as_u64().filter(|&rps| rps > 0) {
        let share = share(rps, job.weights, job.place);
        if share == 0 {
            let tasks = job.weights.len();
            return Err(wrong(format!(
                "the option rps is {rps}, which gives one of {tasks} tasks less than 1: use at most {rps} tasks of one weight"
            )));
        }
        command.extend(["--rps".into(), share.to_string().into()]);
    }
    if let Some(networks) = blacklist(job.refused, &inspection.details["blacklistIPs"]) {
        command.extend(["--blacklist-ip".into(), networks.into()]);
    }
    let given = Parameters::of(job);
    command.extend(given.arguments.iter().cloned());
    command.push(script(job).into());

    // The inspection's warnings are the run's, not each task's.
    let warnings = few_vus(&inspection.scenarios, job.weights);
    Ok(Launch {
        command,
        env: given
            .env
            .iter()
            .cloned()
            .chain(environment(
                job.processors(),
                std::env::var_os("GOMAXPROCS").is_some(),
            ))
            .collect(),
        folder: job.folder.to_owned(),
        output: Output::Pipe(pipe),
        reader: read::reader(&inspection.scenarios),
        stop: Stop::Interrupt,
        patience: PATIENCE,
        exit,
        hears,
        is_believed: true,
        control: Some(Arc::new(control)),
        warnings: warnings.into_iter().chain(given.warning()).collect(),
    })
}

/// The environment of a run. Go counts the machine's processors, and from 1.25 on a quota that it sees; what the user says goes first.
fn environment(processors: Option<u32>, is_given: bool) -> Vec<(OsString, OsString)> {
    let quiet = QUIET.map(|(name, value)| (name.into(), value.into()));
    let processors = processors.filter(|_| !is_given);
    let processors = processors.map(|n| ("GOMAXPROCS".into(), n.to_string().into()));
    quiet.into_iter().chain(processors).collect()
}

/// What a line of k6's log says: `time="…" level=… msg="…" source=…`. That k6 was stopped is our doing.
fn hears(line: &str) -> Option<Said> {
    let (_, rest) = line.split_once(" level=")?;
    let (level, rest) = rest.split_once(" msg=")?;
    let (message, fields) = message(rest);
    if fields.contains("source=console") {
        return Some(Said::Console(message));
    }
    // The rest of an exception's lines is the stack.
    let first = message.lines().next().unwrap_or_default().to_owned();
    if level != "error" {
        return None;
    }
    let ours = [
        "test run was aborted because k6 received",
        "test run stopped from REST API",
        // Said of the whole after the reason was.
        "test run was marked as failed",
        "Error executing setup",
        "Error executing teardown",
    ];
    if ours.iter().any(|words| first.starts_with(words)) {
        return None;
    }
    if let Some(why) = first.strip_prefix("test marked as failed") {
        return Some(Said::Failed(why.trim_start_matches(": ").to_owned()));
    }
    if let Some(why) = first.strip_prefix("test aborted: ") {
        return Some(Said::Aborted(why.to_owned()));
    }
    // Of setup and teardown k6 says the same without a scenario.
    let is_thrown =
        fields.contains("source=stacktrace") || first.starts_with("Uncaught (in promise)");
    if is_thrown && fields.contains("scenario=") {
        return Some(Said::Exception(first));
    }
    Some(Said::Error(first))
}

/// A message as logrus writes it, with its quotes undone, and the fields after it.
fn message(rest: &str) -> (String, &str) {
    let Some(quoted) = rest.strip_prefix('"') else {
        return match rest.split_once(' ') {
            Some((word, fields)) => (word.to_owned(), fields),
            None => (rest.to_owned(), ""),
        };
    };
    let (mut message, mut characters) = (String::new(), quoted.char_indices());
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (message, &quoted[at + 1..]),
            '\\' => match characters.next() {
                Some((_, 'n')) => message.push('\n'),
                Some((_, 't')) => message.push(' '),
                // Go's other escapes (`\x1b`) stay as they are: a terminal is not to obey them.
                Some((_, escaped @ ('"' | '\\'))) => message.push(escaped),
                Some((_, other)) => message.extend(['\\', other]),
                None => break,
            },
            other => message.push(other),
        }
    }
    (message, "")
}

/// The networks that k6 is to refuse: those of the job and those of the script, whose option the argument would otherwise replace.
/// k6 looks at the address that a name resolves to, after its own option `hosts`
/// (<https://grafana.com/docs/k6/latest/using-k6/k6-options/reference/#blacklist-ips>).
fn blacklist(refused: &[String], own: &Value) -> Option<String> {
    let own = own
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let all = refused.iter().map(String::as_str).chain(own);
    (!refused.is_empty()).then(|| all.collect::<Vec<_>>().join(","))
}

/// The segment of a task, as exact fractions: `a/S:b/S` of the sequence `0,…,1`. Nothing for one task alone.
fn segment(weights: &[u32], place: usize) -> Vec<String> {
    if weights.len() < 2 {
        return Vec::new();
    }
    let sum: u64 = weights.iter().map(|&weight| u64::from(weight)).sum();
    let below = |place: usize| {
        weights[..place]
            .iter()
            .map(|&weight| u64::from(weight))
            .sum::<u64>()
    };
    let fraction = |part: u64| match part {
        0 => "0".to_owned(),
        part if part == sum => "1".to_owned(),
        part => format!("{part}/{sum}"),
    };
    let all: Vec<_> = (0..=weights.len())
        .map(|place| fraction(below(place)))
        .collect();
    vec![
        format!("--execution-segment={}:{}", all[place], all[place + 1]),
        format!("--execution-segment-sequence={}", all.join(",")),
    ]
}

/// A task's part of a number: the parts of all add up to it, and differ from their exact share by less than one.
fn share(total: u64, weights: &[u32], place: usize) -> u64 {
    let sum: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    let upto = |place: usize| {
        let below: u128 = weights[..place]
            .iter()
            .map(|&weight| u128::from(weight))
            .sum();
        // At most `total`, which fits.
        (u128::from(total) * below / sum.max(1)) as u64
    };
    upto(place + 1) - upto(place)
}

/// Scenarios with fewer VUs than there are tasks leave some of them idle, which is not a fault but worth a word.
fn few_vus(scenarios: &[crate::inspection::PlannedScenario], weights: &[u32]) -> Option<String> {
    let vus = |executor: &Executor| match executor {
        Executor::SharedIterations { vus, .. }
        | Executor::PerVuIterations { vus, .. }
        | Executor::ConstantVus { vus, .. } => *vus,
        Executor::RampingVus {
            start_vus, stages, ..
        } => stages
            .iter()
            .map(|stage| stage.target)
            .max()
            .unwrap_or(0)
            .max(*start_vus),
        Executor::ConstantArrivalRate { max_vus, .. }
        | Executor::RampingArrivalRate { max_vus, .. } => *max_vus,
    };
    let most = scenarios
        .iter()
        .filter_map(|planned| planned.executor.as_ref().map(vus))
        .max()?;
    let tasks = weights.len() as u64;
    (most < tasks).then(|| {
        format!(
            "no scenario has more than {most} VUs: some of the {tasks} tasks have nothing to do"
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Lines as 2.2 and 1.1 write them.
    #[test]
    fn what_k6_says_is_told_apart() {
        let line = |rest: &str| format!(r#"time="2026-11-22T11:23:55Z" level={rest}"#);
        let of = |rest: &str| hears(&line(rest));
        let thrown = r#"error msg="ReferenceError: htp is not defined\n\tat default (file:///bad.js:1:56(1))\n" executor=per-vu-iterations scenario=default source=stacktrace"#;
        let exception = |text: &str| Some(Said::Exception(text.to_owned()));
        assert_eq!(of(thrown), exception("ReferenceError: htp is not defined"));
        let quoted = r#"error msg="Error: no \"id\" here" executor=x hint="script exception" scenario=s source=stacktrace"#;
        assert_eq!(of(quoted), exception(r#"Error: no "id" here"#));
        let rejected =
            r#"error msg="Uncaught (in promise) Error: late" executor=x scenario=default"#;
        assert_eq!(of(rejected), exception("Uncaught (in promise) Error: late"));
        assert_eq!(of("error msg=oops"), Some(Said::Error("oops".into())));
        let cut = r#"error msg="cut off in the mid"#;
        assert_eq!(of(cut), Some(Said::Error("cut off in the mid".into())));
        let failed = r#"error msg="test marked as failed: marked""#;
        assert_eq!(of(failed), Some(Said::Failed("marked".into())));
        let aborted = r#"error msg="test aborted: enough at default (file:///a.js:1:182(17))""#;
        let why = "enough at default (file:///a.js:1:182(17))";
        assert_eq!(of(aborted), Some(Said::Aborted(why.into())));
        let console = |text: &str| Some(Said::Console(text.to_owned()));
        assert_eq!(of("error msg=mine source=console"), console("mine"));
        assert_eq!(of("info msg=hello source=console"), console("hello"));
        let two = r#"info msg="a \"b\"\nc\x1b[31m" source=console"#;
        assert_eq!(of(two), console("a \"b\"\nc\\x1b[31m"));
        for none in [
            r#"error msg="test run was aborted because k6 received a 'interrupt' signal""#,
            r#"error msg="test run stopped from REST API""#,
            r#"error msg="test run was marked as failed""#,
            r#"error msg="Error executing teardown" error="Error: boom\n""#,
            r#"warning msg="Request Failed" error="Get \"http://x/\": EOF""#,
        ] {
            assert_eq!(of(none), None, "{none}");
        }
        assert_eq!(hears("panic: runtime error"), None);
    }

    #[test]
    fn what_may_not_be_loaded_comes_on_top_of_the_scripts_own_list() {
        let own = serde_json::json!(["10.0.0.0/8"]);
        assert_eq!(blacklist(&[], &own), None);
        let refused = ["169.254.0.0/16".to_owned(), "fe80::/10".to_owned()];
        let of = |own| blacklist(&refused, own).unwrap();
        assert_eq!(of(&Value::Null), "169.254.0.0/16,fe80::/10");
        assert_eq!(of(&own), "169.254.0.0/16,fe80::/10,10.0.0.0/8");
    }

    #[test]
    fn go_is_told_how_many_processors_there_are() {
        let told = |processors, is_given| {
            let all = environment(processors, is_given);
            all.into_iter().find(|(name, _)| name == "GOMAXPROCS")
        };
        let one = Some(("GOMAXPROCS".into(), "1".into()));
        assert_eq!(told(Some(1), false), one);
        assert_eq!((told(None, false), told(Some(1), true)), (None, None));
    }

    #[test]
    fn segments_are_exact_and_in_order() {
        assert_eq!(segment(&[7], 0), [""; 0]);
        let third = segment(&[1, 1, 1], 1);
        assert_eq!(
            third,
            [
                "--execution-segment=1/3:2/3",
                "--execution-segment-sequence=0,1/3,2/3,1"
            ]
        );
        let last = segment(&[5, 1, 1], 2);
        assert_eq!(
            last,
            [
                "--execution-segment=6/7:1",
                "--execution-segment-sequence=0,5/7,6/7,1"
            ]
        );
    }

    proptest! {
        #[test]
        fn parts_add_up(total in 0u64..1_000_000, weights in prop::collection::vec(1u32..1_000, 1..50)) {
            let parts: Vec<u64> = (0..weights.len()).map(|place| share(total, &weights, place)).collect();
            prop_assert_eq!(parts.iter().sum::<u64>(), total);
            let sum: u32 = weights.iter().sum();
            for (part, weight) in parts.iter().zip(&weights) {
                let exact = total as f64 * f64::from(*weight) / f64::from(sum);
                prop_assert!((*part as f64 - exact).abs() < 1.0, "{part} of {exact}");
            }
        }
    }
}
