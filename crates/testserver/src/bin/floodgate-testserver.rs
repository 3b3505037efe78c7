//! A bundled server as a process of its own, for benchmarks and for trying things out.

use clap::{Parser, ValueEnum};
use floodgate_testserver::{Config, Counters, Kind, TestServer, fast, faulty, service, tls};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

/// Serves HTTP on 127.0.0.1, prints its URL, and runs until it is killed.
#[derive(Parser)]
#[command(name = "floodgate-testserver")]
struct Arguments {
    /// What to serve
    #[arg(value_enum)]
    kind: KindName,
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Serve https, with this certificate
    #[arg(long, value_name = "MODE", num_args = 0..=1, default_missing_value = "valid")]
    tls: Option<TlsName>,
    /// Offer HTTP/2 beside HTTP/1.1
    #[arg(long)]
    h2: bool,
    /// Write the certificate authority to trust here, PEM
    #[arg(long, value_name = "FILE", requires = "tls")]
    ca: Option<PathBuf>,
    /// fast: bytes of a body
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(0..=fast::MAX_BODY_BYTES as i64))]
    body: u32,
    /// fast: keep the time of every request for /__arrivals
    #[arg(long)]
    arrivals: bool,
    /// service: how many times as long as usual pages take; 0 answers at once
    #[arg(long, value_name = "FACTOR", default_value = "1", value_parser = factor)]
    latency: f64,
    /// service: seed of the latencies
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop at the end of standard input, and print what was received, as JSON
    #[arg(long)]
    report: bool,
    /// stall: from the first request to the stall, ms
    #[arg(long, default_value_t = 12_000)]
    stall_after: u64,
    /// stall: its length, ms
    #[arg(long, default_value_t = 2_000)]
    stall_for: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum KindName {
    /// The demo shop
    Service,
    /// The same 200 to every GET, with as little work as possible
    Fast,
    /// Good answers, but for one stall
    Stall,
}

#[derive(Clone, Copy, ValueEnum)]
enum TlsName {
    Valid,
    SelfSigned,
    Expired,
    WrongName,
    ClientCertificate,
}

impl Arguments {
    fn config(&self) -> Config {
        let kind = match self.kind {
            KindName::Service => Kind::Service(service::Options {
                latency: self.latency,
                seed: self.seed,
            }),
            KindName::Fast => Kind::Fast(fast::Options {
                body_bytes: self.body as usize,
                arrivals: self.arrivals,
            }),
            KindName::Stall => Kind::Faulty(faulty::Script::stall(
                Duration::from_millis(self.stall_after),
                Duration::from_millis(self.stall_for),
            )),
        };
        let tls = self.tls.map(|mode| match mode {
            TlsName::Valid => tls::Mode::Valid,
            TlsName::SelfSigned => tls::Mode::SelfSigned,
            TlsName::Expired => tls::Mode::Expired,
            TlsName::WrongName => tls::Mode::WrongName,
            TlsName::ClientCertificate => tls::Mode::ClientCertificate,
        });
        Config {
            kind,
            port: self.port,
            tls,
            http2: self.h2,
        }
    }
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok();
    let factor = factor.filter(|factor| (0.0..=1_000.0).contains(factor));
    factor.ok_or_else(|| "a number between 0 and 1000 is expected".to_owned())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    let target = TestServer::start(arguments.config())?;
    if let (Some(path), Some(pem)) = (&arguments.ca, target.ca_pem()) {
        std::fs::write(path, pem).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let mut out = std::io::stdout();
    writeln!(out, "{}", target.url())?;
    out.flush()?;
    if arguments.report {
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
        writeln!(out, "{}", report(target.counters()))?;
        target.stop();
    } else {
        target.wait()?;
    }
    Ok(())
}

fn report(counters: &Counters) -> serde_json::Value {
    let span = counters.span_ms();
    serde_json::json!({
        "requests": counters.requests(),
        "first_ms": span.map(|(first, _)| first),
        "last_ms": span.map(|(_, last)| last),
    })
}
