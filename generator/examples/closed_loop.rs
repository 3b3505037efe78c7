//! A bare closed loop over the HTTP client, to compare its CPU time a request with that of other tools:
//!
//! ```text
//! closed_loop URL [CONNECTIONS [SECONDS]] [--http2] [--shared] [--insecure] [--body]
//! ```

use floodgate_core::definition::{ConnectionMode, HttpOptions, HttpVersion};
use floodgate_generator::clock::Clock;
use floodgate_generator::http::{
    Client, Keep, RequestParts, TransportId, TransportOptions, Wire, Worker, absolute,
};
use rustix::time::{ClockId, clock_gettime};
use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::time::Duration;

#[derive(Default)]
struct Totals {
    requests: Cell<u64>,
    errors: Cell<u64>,
    waiting_ns: Cell<u64>,
}

async fn vu(mut client: Client, wire: Rc<Wire>, keep: Keep, until: u64, totals: Rc<Totals>) {
    loop {
        let exchange = client.execute(&wire, keep, Duration::from_secs(60)).await;
        totals.requests.set(totals.requests.get() + 1);
        totals
            .waiting_ns
            .set(totals.waiting_ns.get() + exchange.timings.duration());
        if exchange.error.is_some() || exchange.status != 200 {
            totals.errors.set(totals.errors.get() + 1);
        }
        if exchange.timings.end >= until {
            return;
        }
    }
}

fn cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, args): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|arg| arg.starts_with("--"));
    let has = |name: &str| flags.iter().any(|flag| flag == name);
    let target = absolute(
        None,
        args.first()
            .ok_or("usage: closed_loop URL [CONNECTIONS [SECONDS]]")?,
    )?;
    let connections: usize = args.get(1).map_or(Ok(64), |text| text.parse())?;
    let seconds: u64 = args.get(2).map_or(Ok(5), |text| text.parse())?;
    let options = HttpOptions {
        version: if has("--http2") {
            HttpVersion::Http2
        } else {
            HttpVersion::Http1
        },
        connections: if has("--shared") {
            ConnectionMode::Shared
        } else {
            ConnectionMode::PerVu
        },
        insecure: has("--insecure"),
        ..HttpOptions::default()
    };
    let clock = Clock::start();
    let worker = Worker::new(
        clock,
        &[TransportOptions::from(&options, |path| {
            std::fs::read(path)
        })?],
    )?;
    let wire = Rc::new(Wire::build(&RequestParts {
        method: "GET".into(),
        endpoint: worker.endpoint(&target.origin)?,
        authority: target.origin.authority(),
        path_and_query: target.path_and_query,
        headers: vec![
            ("User-Agent".into(), b"floodgate".to_vec()),
            ("Accept".into(), b"*/*".to_vec()),
        ],
        body: bytes::Bytes::new(),
    })?);
    let keep = Keep {
        headers: false,
        body: has("--body"),
    };
    let totals = Rc::new(Totals::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (cpu, begin) = (cpu_seconds(), clock.now());
    tokio::task::LocalSet::new().block_on(&runtime, async {
        tokio::task::spawn_local(Rc::clone(&worker).run_deadlines());
        let until = begin + seconds * 1_000_000_000;
        let vus: Vec<_> = (0..connections)
            .map(|_| {
                let client = Client::new(Rc::clone(&worker), TransportId(0));
                tokio::task::spawn_local(vu(
                    client,
                    Rc::clone(&wire),
                    keep,
                    until,
                    Rc::clone(&totals),
                ))
            })
            .collect();
        for vu in vus {
            vu.await?;
        }
        Ok::<_, tokio::task::JoinError>(())
    })?;
    let (requests, elapsed) = (
        totals.requests.get() as f64,
        (clock.now() - begin) as f64 / 1e9,
    );
    println!(
        "requests={requests} errors={} per_s={:.0} cpu_us={:.3} mean_us={:.1}",
        totals.errors.get(),
        requests / elapsed,
        (cpu_seconds() - cpu) * 1e6 / requests,
        totals.waiting_ns.get() as f64 / 1e3 / requests,
    );
    Ok(())
}
