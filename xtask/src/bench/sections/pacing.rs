//! When requests arrive: as the server saw it, beside what the tool itself says.

use crate::bench::context::Context;
use crate::bench::server::Server;
use crate::bench::stats::{Evenness, evenness, median};
use crate::bench::table::{Table, number};
use crate::bench::tools::{Load, Tool};
use anyhow::Result;

/// Requests a second.
const RATES: [u32; 2] = [200, 5_000];

/// What is known of one run.
struct Seen {
    evenness: Option<Evenness>,
    lag_p99: Option<f64>,
    requests: f64,
}

pub(in crate::bench) fn run(context: &Context) -> Result<String> {
    let server = Server::start(context, &["fast", "--arrivals"])?;
    let mut text = String::from(
        "\n## Pacing\n\nArrival times at the server. “Behind” is how much later than on an even grid (laid so that the \
         earliest is on time) a request arrives; “lag” is what the tool itself reports as p99 of actual minus intended \
         start.\n",
    );
    for rate in RATES {
        text.push_str(&at_rate(context, &server, rate)?);
    }
    Ok(text)
}

fn at_rate(context: &Context, server: &Server, rate: u32) -> Result<String> {
    let url = format!("{}/", server.url);
    let load = Load {
        url,
        connections: 64,
        seconds: context.seconds,
        rate: Some(rate),
        http2: false,
    };
    let tools: Vec<&Tool> = context
        .tools
        .iter()
        .filter(|tool| tool.can(&load))
        .collect();
    let mut seen: Vec<Vec<Seen>> = tools.iter().map(|_| Vec::new()).collect();
    for _ in 0..context.rounds {
        for (tool, seen) in tools.iter().zip(&mut seen) {
            // Whatever came in between, such as connections that a tool tries first, is not of this run.
            server.arrivals_ns()?;
            let reading = context.run(tool, &load)?.reading;
            let arrivals = server.arrivals_ns()?;
            let requests = arrivals.len() as f64;
            seen.push(Seen {
                evenness: evenness(&arrivals, rate.into()),
                lag_p99: reading.lag_p99,
                requests,
            });
        }
    }
    let mut table = Table::new(&[
        "Tool",
        "Gap, standard deviation ms",
        "Behind, p99 ms",
        "Lag, p99 ms",
        "Requests",
    ]);
    for (tool, seen) in tools.iter().zip(&seen) {
        let even = |value: fn(&Evenness) -> f64| {
            median(
                seen.iter()
                    .filter_map(|seen| seen.evenness.as_ref().map(value)),
            )
        };
        table.row([
            tool.name().to_owned(),
            number(even(|even| even.gap_sd), 3),
            number(even(|even| even.behind_p99), 3),
            number(median(seen.iter().filter_map(|seen| seen.lag_p99)), 3),
            number(median(seen.iter().map(|seen| seen.requests)), 0),
        ]);
    }
    Ok(format!("\n{rate} a second:\n\n{}", table.finish()))
}
