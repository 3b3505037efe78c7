//! What a connection and a request cost in memory: differences of peak resident sets.

use crate::bench::context::Context;
use crate::bench::server::Server;
use crate::bench::stats::median;
use crate::bench::table::{Table, number};
use crate::bench::tools::{Load, Run, Tool};
use anyhow::Result;

const FEW: u32 = 64;
const MANY: u32 = 1_000;
/// The long run is this many times as long as the short one.
const LONGER: u32 = 3;

/// The three runs of a round.
struct Round {
    few: Run,
    many: Run,
    long: Run,
}

impl Round {
    /// From 64 to 1,000 connections, KiB each.
    fn kib_a_connection(&self) -> f64 {
        difference(&self.many, &self.few) / f64::from(MANY - FEW) / 1024.0
    }

    /// From a run to one three times as long, bytes a request more.
    fn bytes_a_request(&self) -> f64 {
        difference(&self.long, &self.few) / (self.long.reading.requests - self.few.reading.requests)
    }
}

fn difference(more: &Run, less: &Run) -> f64 {
    more.peak_rss_bytes as f64 - less.peak_rss_bytes as f64
}

pub(in crate::bench) fn run(context: &Context) -> Result<String> {
    let server = Server::start(context, &["fast"])?;
    let load = |connections, seconds| Load {
        url: format!("{}/", server.url),
        connections,
        seconds,
        rate: None,
        http2: false,
    };
    let tools: Vec<&Tool> = context
        .tools
        .iter()
        .filter(|tool| tool.can(&load(FEW, 1)))
        .collect();
    let mut rounds: Vec<Vec<Round>> = tools.iter().map(|_| Vec::new()).collect();
    for _ in 0..context.rounds {
        for (tool, rounds) in tools.iter().zip(&mut rounds) {
            rounds.push(Round {
                few: context.run(tool, &load(FEW, context.seconds))?,
                many: context.run(tool, &load(MANY, context.seconds))?,
                long: context.run(tool, &load(FEW, LONGER * context.seconds))?,
            });
        }
    }
    let mut table = Table::new(&[
        "Tool",
        "MiB at 64",
        "MiB at 1,000",
        "KiB/connection",
        "Bytes kept/request",
    ]);
    for (tool, rounds) in tools.iter().zip(&rounds) {
        let of = |value: &dyn Fn(&Round) -> f64| median(rounds.iter().map(value));
        let mib = |run: &Run| run.peak_rss_bytes as f64 / f64::from(1 << 20);
        table.row([
            tool.name().to_owned(),
            number(of(&|round| mib(&round.few)), 1),
            number(of(&|round| mib(&round.many)), 1),
            number(of(&Round::kib_a_connection), 1),
            number(of(&Round::bytes_a_request), 1),
        ]);
    }
    let what = format!(
        "Peak resident sets, closed loop: {FEW} connections for {0} s, {MANY} for {0} s, {FEW} for {1} s.",
        context.seconds,
        LONGER * context.seconds
    );
    Ok(format!("\n## Memory\n\n{what}\n\n{}", table.finish()))
}
