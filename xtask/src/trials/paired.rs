//! Two targets in turns: a service against itself, and one that is slower.

use super::session::{HEAD, Outcomes, Session, steady};
use anyhow::Result;

/// Requests a second.
const RATE: u32 = 500;

pub(super) fn run(session: &Session, runs: u32, seconds: u32) -> Result<()> {
    let scenario = steady("/", RATE, seconds);
    let base = session.serve("1")?;
    let mut rows = Vec::new();
    for (what, latency, runs) in [
        ("equal", "1", runs),
        ("head 10 % slower", "1.1", runs.div_ceil(5)),
    ] {
        let head = session.serve(latency)?;
        let mut outcomes = Outcomes::default();
        for n in 1..=runs {
            let summary = session.run(&["run", "--against", &base.url], &head, &scenario)?;
            outcomes.add(what, n, &summary);
        }
        rows.push(outcomes.row(what));
    }
    println!("Two targets in turns, {seconds} s at {RATE}/s.\n\n{HEAD}");
    println!("{}", rows.join("\n"));
    Ok(())
}
