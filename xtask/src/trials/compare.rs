//! Runs of one service, one after the other, each against the ten that passed before it.

use super::session::{HEAD, Outcomes, Session, steady};
use anyhow::Result;

/// Requests a second.
const RATE: u32 = 200;

pub(super) fn run(session: &Session, runs: u32, seconds: u32) -> Result<()> {
    let metrics = "[http_req_duration p(50), http_req_duration p(95), http_req_failed rate]";
    let baseline = format!("{{ compare: {{ rolling: 10 }}, undecided: pass, metrics: {metrics} }}");
    let scenario = format!("{}baseline: {baseline}\n", steady("/", RATE, seconds));
    let mut rows = Vec::new();
    let mut server = session.serve("1")?;
    for (what, latency, runs) in [
        ("unchanged", "1", runs),
        ("10 % slower", "1.1", runs.div_ceil(2)),
    ] {
        server = session.replace(server, latency)?;
        let mut outcomes = Outcomes::default();
        for n in 1..=runs {
            let summary = session.run(&["run"], &server, &scenario)?;
            outcomes.add(what, n, &summary);
        }
        rows.push(outcomes.row(what));
    }
    println!(
        "Runs of {seconds} s at {RATE}/s, each against up to ten that passed before it.\n\n{HEAD}"
    );
    println!("{}", rows.join("\n"));
    Ok(())
}
