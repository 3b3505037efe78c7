//! Whether the reported numbers are right, where the truth is known.

use crate::bench::context::Context;
use crate::bench::server::Server;
use crate::bench::stats::median;
use crate::bench::table::{Table, number};
use crate::bench::tools::{Load, Reading, Tool};
use anyhow::Result;

/// Rounds of 20 s a tool: more would tell no more.
const MOST_ROUNDS: u32 = 3;

pub(in crate::bench) fn run(context: &Context) -> Result<String> {
    Ok(stall(context)? + &exact_delay(context)?)
}

/// All readings of the tools that can send a load at a rate; every run has a server of its own.
fn readings<'a>(
    context: &'a Context,
    server: &[&str],
    path: &str,
    shape: &Load,
) -> Result<Vec<(&'a Tool, Vec<Reading>)>> {
    let tools = context.tools.iter().filter(|tool| tool.can(shape));
    let mut all: Vec<(&Tool, Vec<Reading>)> = tools.map(|tool| (tool, Vec::new())).collect();
    for _ in 0..context.rounds.min(MOST_ROUNDS) {
        for (tool, readings) in &mut all {
            let server = Server::start(context, server)?;
            let load = Load {
                url: format!("{}{path}", server.url),
                ..shape.clone()
            };
            readings.push(context.run(tool, &load)?.reading);
        }
    }
    Ok(all)
}

fn at(rate: u32, seconds: u32) -> Load {
    Load {
        url: "http://127.0.0.1/".into(),
        connections: 64,
        seconds,
        rate: Some(rate),
        http2: false,
    }
}

fn of(readings: &[Reading], value: impl Fn(&Reading) -> Option<f64>) -> Option<f64> {
    median(readings.iter().filter_map(value))
}

/// 2,000 a second for 20 s, of which the server stands still for 2: of 40,000 requests 4,000 wait, evenly from 2 s down
/// to 0. So 5 % wait more than 1.0 s, 1 % more than 1.8 s, and the longest 2.0 s.
fn stall(context: &Context) -> Result<String> {
    let server = ["stall", "--stall-after", "12000", "--stall-for", "2000"];
    let mut table = Table::new(&[
        "Tool",
        "p95 s",
        "p99 s",
        "max s",
        "Service time p99 s",
        "Requests",
        "Dropped",
    ]);
    table.row(["truth", "1.000", "1.800", "2.000", "–", "40000", "0"].map(String::from));
    for (tool, readings) in readings(context, &server, "/", &at(2_000, 20))? {
        let s =
            |value: fn(&Reading) -> Option<f64>| number(of(&readings, value).map(|ms| ms / 1e3), 3);
        table.row([
            tool.name().to_owned(),
            s(|reading| reading.times.p95),
            s(|reading| reading.times.p99),
            s(|reading| reading.times.max),
            s(|reading| reading.service.p99),
            number(of(&readings, |reading| Some(reading.requests)), 0),
            number(of(&readings, |reading| reading.dropped), 0),
        ]);
    }
    let what = "2,000 requests a second for 20 s; after 12 s the server answers nothing for 2 s. wrk2 forgets what it \
                measures in its first 10 s, so its percentiles are of half as many requests: p95 1.5 s, p99 1.9 s.";
    Ok(format!(
        "\n## Accuracy: a server that stalls\n\n{what}\n\n{}",
        table.finish()
    ))
}

/// A server that answers after exactly 10 ms.
fn exact_delay(context: &Context) -> Result<String> {
    let mut table = Table::new(&[
        "Tool",
        "p50 ms",
        "Error ms",
        "p99 ms",
        "Service time p50 ms",
    ]);
    for (tool, readings) in readings(
        context,
        &["service"],
        "/delay-us/10000",
        &at(200, context.seconds),
    )? {
        let p50 = of(&readings, |reading| reading.times.p50);
        table.row([
            tool.name().to_owned(),
            number(p50, 3),
            number(p50.map(|ms| ms - 10.0), 3),
            number(of(&readings, |reading| reading.times.p99), 3),
            number(of(&readings, |reading| reading.service.p50), 3),
        ]);
    }
    let what = "200 requests a second to a server that answers after exactly 10 ms.";
    Ok(format!(
        "\n## Accuracy: a known answer\n\n{what}\n\n{}",
        table.finish()
    ))
}
