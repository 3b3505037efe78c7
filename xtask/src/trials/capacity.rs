//! Searches for a capacity that is known: that of a token bucket by its rate, that of a queue by calculation.

use super::queue::capacity;
use super::session::{Session, steady};
use anyhow::Result;

/// What a target is, and what it can take, in requests a second.
struct Target {
    what: &'static str,
    page: &'static str,
    thresholds: &'static str,
    capacity: f64,
}

pub(super) fn run(session: &Session, runs: u32) -> Result<()> {
    let targets = [
        Target {
            what: "D/M/8, 100/s a server, p95 < 50 ms",
            page: "/queue/8/100",
            thresholds: "http_req_duration: p(95)<50",
            capacity: capacity(8, 100.0, 0.05),
        },
        Target {
            what: "Token bucket, 400/s, 40 tokens, refused < 1 %",
            page: "/bucket/400/40",
            thresholds: "http_req_failed: rate<0.01",
            // Of what is sent, 1 % may be refused.
            capacity: 400.0 / 0.99,
        },
    ];
    println!(
        "| Target | Capacity | Searches | Interval has it | Estimates | Steps | Requests |\n|---|--:|--:|--:|--:|--:|--:|"
    );
    for target in targets {
        println!("{}", row(session, &target, runs)?);
    }
    Ok(())
}

fn row(session: &Session, target: &Target, runs: u32) -> Result<String> {
    let rate = target.capacity.round() as u32;
    let thresholds = target.thresholds;
    let scenario = steady(target.page, rate, 60) + &format!("thresholds: {{ {thresholds} }}\n");
    let truth = target.capacity;
    let (mut inside, mut steps, mut requests) = (0, 0, 0);
    let mut estimates = Vec::new();
    for n in 1..=runs {
        // What one search has left in the queue is not the next one's.
        let server = session.serve("1")?;
        let summary = session.run(
            &["capacity", "--settle", "3s", "--step", "12s"],
            &server,
            &scenario,
        )?;
        let found = &summary["capacity"];
        let number = |key: &str| found[key].as_f64();
        eprintln!(
            "{} {n}: {} {:?} to {:?}, {:?}; {truth:.1}",
            target.what,
            found["ended"],
            number("low"),
            number("high"),
            number("estimate")
        );
        inside += u32::from(
            number("low").is_some_and(|low| low <= truth)
                && number("high").is_some_and(|high| truth <= high),
        );
        estimates.extend(number("estimate"));
        steps += found["steps"].as_array().map_or(0, Vec::len);
        requests += summary["applied"]["http_reqs"].as_u64().unwrap_or(0);
    }
    estimates.sort_by(f64::total_cmp);
    let ends = match (estimates.first(), estimates.last()) {
        (Some(low), Some(high)) => format!("{low:.0} to {high:.0}/s"),
        _ => "–".to_owned(),
    };
    Ok(format!(
        "| {} | {truth:.1}/s | {runs} | {inside} | {ends} | {:.1} | {:.0} |",
        target.what,
        steps as f64 / f64::from(runs),
        requests as f64 / f64::from(runs)
    ))
}
