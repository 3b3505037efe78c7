//! What a request costs in an open loop, from a rate at which the core mostly sleeps to one that fills it.

use crate::bench::context::Context;
use crate::bench::server::Server;
use crate::bench::stats::median;
use crate::bench::table::{Table, number};
use crate::bench::tools::{Load, Run, Tool, bare_loop};
use anyhow::Result;

/// Requests a second; none is a closed loop, as fast as the core can.
const RATES: [Option<u32>; 8] = [
    Some(100),
    Some(500),
    Some(1_000),
    Some(2_000),
    Some(5_000),
    Some(10_000),
    Some(20_000),
    None,
];
const CONNECTIONS: u32 = 16;
/// Tools that are compared; of k6 the cost is another order of magnitude.
const PEERS: [&str; 4] = ["floodgate", "wrk2", "oha", "wrk"];
/// A tool that sent less than this share of what it was to send has not kept the rate.
const KEPT: f64 = 0.98;
/// To start takes 1.5 s, and what is measured is what is left.
const LEAST_SECONDS: u32 = 3;

pub(in crate::bench) fn run(context: &Context) -> Result<String> {
    let server = Server::start(context, &["fast"])?;
    let bare = bare_loop()?;
    let mut tools: Vec<&Tool> = context.tools.iter().collect();
    tools.retain(|tool| PEERS.contains(&tool.name()));
    tools.push(&bare);
    let header = RATES.iter().map(|rate| match rate {
        Some(rate) => format!("{rate}/s"),
        None => "saturated".to_owned(),
    });
    let header: Vec<String> = std::iter::once("Tool".to_owned()).chain(header).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut rows: Vec<Vec<String>> = tools
        .iter()
        .map(|tool| vec![tool.name().to_owned()])
        .collect();
    for rate in RATES {
        let load = Load {
            url: format!("{}/", server.url),
            connections: CONNECTIONS,
            seconds: context.seconds.max(LEAST_SECONDS),
            rate,
            http2: false,
        };
        for (row, runs) in rows.iter_mut().zip(rounds(context, &tools, &load)?) {
            row.push(cell(&runs, rate));
        }
    }
    let mut table = Table::new(&header);
    rows.into_iter().for_each(|row| table.row(row));
    Ok(format!(
        "\n## Open loop: CPU a request\n\nµs of CPU a request in the middle of a run, median (least–most); {CONNECTIONS} \
         connections, 128-byte answers, one core. “!”: it sent less than {} % of what it was to send. The bare loop has a \
         timer that wakes it for a start and an answer that wakes it, and does nothing else \
         (`xtask/src/bench/bare.rs`).\n\n{}",
        KEPT * 100.0,
        table.finish()
    ))
}

/// What each tool did, in interleaved rounds; nothing of a tool that cannot send this.
fn rounds(context: &Context, tools: &[&Tool], load: &Load) -> Result<Vec<Vec<Run>>> {
    let mut all: Vec<Vec<Run>> = tools.iter().map(|_| Vec::new()).collect();
    for _ in 0..context.rounds {
        for (tool, runs) in tools.iter().zip(&mut all) {
            if tool.can(load) {
                runs.push(context.run(tool, load)?);
            }
        }
    }
    Ok(all)
}

fn cell(runs: &[Run], rate: Option<u32>) -> String {
    let costs: Vec<f64> = runs.iter().filter_map(Run::steady_cpu_us).collect();
    let least = costs.iter().copied().min_by(f64::total_cmp);
    let most = costs.iter().copied().max_by(f64::total_cmp);
    let sent = median(runs.iter().map(|run| run.reading.rate));
    let kept = rate.is_none_or(|rate| sent.is_none_or(|sent| sent >= KEPT * f64::from(rate)));
    match median(costs) {
        None => number(None, 1),
        middle => format!(
            "{} ({}–{}){}",
            number(middle, 1),
            number(least, 1),
            number(most, 1),
            if kept { "" } else { " !" }
        ),
    }
}
