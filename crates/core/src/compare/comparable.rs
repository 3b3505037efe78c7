//! Whether two runs are of the same kind.

use floodgate_records::execution::Execution;
use floodgate_records::status::Status;
use floodgate_records::summary::GeneratorSummary;

/// A run with its account.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// Its record.
    pub execution: &'a Execution,
    /// How its generators fared.
    pub generators: &'a [GeneratorSummary],
}

/// Why two runs can't be compared, a sentence each; none if they can. A difference between them would be that of what is named here.
pub fn obstacles(base: Account<'_>, head: Account<'_>) -> Vec<String> {
    let mut why = Vec::new();
    let (b, h) = (base.execution, head.execution);
    let test = |e: &Execution| format!("{}/{}", e.project, e.test);
    if test(b) != test(h) {
        why.push(format!(
            "they are runs of different tests: {} and {}",
            test(b),
            test(h)
        ));
    } else if b.version != h.version {
        why.push(format!(
            "the test has changed: version {} and {}",
            short(&b.version),
            short(&h.version)
        ));
    }
    let mut differ = |what: &str, before: String, now: String| {
        if before != now {
            why.push(format!("{what} differs: {before} and {now}"));
        }
    };
    differ("the engine", b.engine.to_string(), h.engine.to_string());
    differ("the planned load", load(b), load(h));
    let (i, j) = (&b.infrastructure, &h.infrastructure);
    differ("where they ran", i.kind.to_string(), j.kind.to_string());
    differ(
        "the number of tasks",
        i.tasks.to_string(),
        j.tasks.to_string(),
    );
    differ("the region", i.regions.join(", "), j.regions.join(", "));
    let size = |cpu: u32, memory: u32| format!("{cpu} CPU units with {memory} MiB");
    differ(
        "the size of a task",
        size(i.cpu, i.memory),
        size(j.cpu, j.memory),
    );
    differ(
        "the processor",
        i.architecture.to_string(),
        j.architecture.to_string(),
    );
    why.extend([base, head].into_iter().flat_map(doubts));
    why
}

/// What a run's own data can't carry.
fn doubts(run: Account<'_>) -> Vec<String> {
    let id = &run.execution.id;
    let mut why = Vec::new();
    // The status of a run that is being judged follows from what is said here, among others.
    let status = run.execution.status;
    if status.is_final() && !matches!(status, Status::Passed | Status::Failed) {
        why.push(format!(
            "{id} is {}: its data can't be trusted",
            run.execution.status.as_str()
        ));
    }
    let saturated = run.generators.iter().filter(|g| g.saturated);
    let saturated: Vec<_> = saturated.map(|g| g.task.to_string()).collect();
    if !saturated.is_empty() {
        why.push(format!(
            "generators of {id} were saturated (task {}): their own queues are in the figures",
            saturated.join(", ")
        ));
    }
    why
}

fn load(e: &Execution) -> String {
    let iterations = match e.planned.iterations {
        Some(n) => format!("{n} iterations"),
        None => "a closed loop".to_owned(),
    };
    let seconds = e.planned.duration_ms as f64 / 1e3;
    format!(
        "{iterations} in {seconds} s with up to {} VUs",
        e.planned.max_vus
    )
}

/// Enough of a version to tell it from another.
fn short(version: &str) -> &str {
    version.get(..12).unwrap_or(version)
}
