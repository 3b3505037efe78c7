//! How much CPU a request costs, and how many one core sends: closed loop, 64 connections, 128-byte answers.

use crate::bench::context::Context;
use crate::bench::server::Server;
use crate::bench::stats::median;
use crate::bench::table::{Table, number};
use crate::bench::tools::{Load, Run, Tool};
use anyhow::{Result, ensure};

const CONNECTIONS: u32 = 64;

/// Plain HTTP/1.1, with ratios to wrk.
pub(in crate::bench) fn http1(context: &Context) -> Result<String> {
    compare(context, "Closed loop, HTTP/1.1", &["fast"], false, "wrk")
}

/// HTTP/1.1 over TLS, with ratios to oha, which uses the same TLS library.
pub(in crate::bench) fn tls(context: &Context) -> Result<String> {
    compare(
        context,
        "Closed loop, HTTP/1.1 over TLS",
        &["fast", "--tls"],
        false,
        "oha",
    )
}

/// HTTP/2 by prior knowledge and over TLS, one stream at a time a connection, with ratios to oha.
pub(in crate::bench) fn http2(context: &Context) -> Result<String> {
    let plain = compare(
        context,
        "Closed loop, HTTP/2 by prior knowledge",
        &["fast", "--h2"],
        true,
        "oha",
    )?;
    let tls = compare(
        context,
        "Closed loop, HTTP/2 over TLS",
        &["fast", "--h2", "--tls"],
        true,
        "oha",
    )?;
    Ok(plain + &tls)
}

fn compare(
    context: &Context,
    title: &str,
    server: &[&str],
    http2: bool,
    reference: &str,
) -> Result<String> {
    let server = Server::start(context, server)?;
    let load = Load {
        url: format!("{}/", server.url),
        connections: CONNECTIONS,
        seconds: context.seconds,
        rate: None,
        http2,
    };
    let tools: Vec<&Tool> = context
        .tools
        .iter()
        .filter(|tool| tool.can(&load))
        .collect();
    ensure!(!tools.is_empty(), "no tool can send this");
    let mut runs: Vec<Vec<Run>> = tools.iter().map(|_| Vec::new()).collect();
    for _ in 0..context.rounds {
        for (tool, runs) in tools.iter().zip(&mut runs) {
            runs.push(context.run(tool, &load)?);
        }
    }
    let of = |runs: &[Run], value: fn(&Run) -> f64| median(runs.iter().map(value));
    // Where the usual reference is not installed, Floodgate is its own.
    let against = tools
        .iter()
        .position(|tool| tool.name() == reference)
        .unwrap_or(0);
    let cpu_reference = of(&runs[against], Run::cpu_us);
    let rate_reference = of(&runs[against], |run| run.reading.rate);
    let name = tools[against].name();
    let (cpu_ratio, rate_ratio) = (format!("CPU ÷ {name}"), format!("Requests/s ÷ {name}"));
    let mut table = Table::new(&[
        "Tool",
        "CPU µs/request",
        "min–max",
        &cpu_ratio,
        "Requests/s",
        &rate_ratio,
    ]);
    for (tool, runs) in tools.iter().zip(&runs) {
        let cpu = of(runs, Run::cpu_us);
        let rate = of(runs, |run| run.reading.rate);
        let each = || runs.iter().map(Run::cpu_us);
        table.row([
            tool.name().to_owned(),
            number(cpu, 2),
            format!(
                "{}–{}",
                number(each().min_by(f64::total_cmp), 2),
                number(each().max_by(f64::total_cmp), 2)
            ),
            number(ratio(cpu, cpu_reference), 2),
            number(rate, 0),
            number(ratio(rate, rate_reference), 2),
        ]);
    }
    Ok(format!(
        "\n## {title}\n\n{CONNECTIONS} connections, 128-byte answers, one core.\n\n{}",
        table.finish()
    ))
}

fn ratio(value: Option<f64>, reference: Option<f64>) -> Option<f64> {
    Some(value? / reference?)
}
