//! Servers and readers that exports are held against, in the user's cache. Tests find each by a variable; what cannot be had is left out, and
//! its tests with it.

mod collector;
mod debian;
mod hdr;
mod influxdb;
mod kafka;
mod postgres;
mod statsd;
mod timescale;

use crate::repo;
use crate::steps::Steps;
use anyhow::{Context as _, Result, bail};
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// One of them.
struct Server {
    name: &'static str,
    /// The variable that tells tests where it is.
    variable: &'static str,
    /// Installs it if need be, and says where it is, or why it cannot be had.
    set_up: fn() -> Result<PathBuf, String>,
}

const SERVERS: &[Server] = &[
    Server {
        name: "influxdb",
        variable: "FLOODGATE_INFLUXD",
        set_up: influxdb::set_up,
    },
    Server {
        name: "statsd",
        variable: "FLOODGATE_STATSD",
        set_up: statsd::set_up,
    },
    Server {
        name: "hdrhistogram",
        variable: "FLOODGATE_HDR_PYTHON",
        set_up: hdr::set_up,
    },
    Server {
        name: "postgres",
        variable: "FLOODGATE_POSTGRES",
        set_up: postgres::set_up,
    },
    Server {
        name: "timescaledb",
        variable: "FLOODGATE_TIMESCALE",
        set_up: timescale::set_up,
    },
    Server {
        name: "prometheus",
        variable: "FLOODGATE_PROMETHEUS",
        set_up: || debian::program("prometheus", "usr/bin/prometheus"),
    },
    Server {
        name: "victoria-metrics",
        variable: "FLOODGATE_VICTORIA",
        set_up: || debian::program("victoria-metrics", "usr/bin/victoria-metrics"),
    },
    Server {
        name: "otelcol",
        variable: "FLOODGATE_OTELCOL",
        set_up: collector::set_up,
    },
    Server {
        name: "kafka",
        variable: "FLOODGATE_KAFKA",
        set_up: kafka::set_up,
    },
];

/// Arguments of `cargo xtask sinks`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only these
    names: Vec<String>,
}

/// Installs them and says where they are.
///
/// # Errors
/// If one cannot be had.
pub(crate) fn run(options: &Options) -> Result<()> {
    let known = |name: &String| SERVERS.iter().any(|server| server.name == *name);
    if let Some(unknown) = options.names.iter().find(|name| !known(name)) {
        let all: Vec<_> = SERVERS.iter().map(|server| server.name).collect();
        bail!("{unknown} is none of them: there are {}", all.join(", "));
    }
    let wanted = |name: &str| options.names.is_empty() || options.names.iter().any(|n| n == name);
    for server in SERVERS.iter().filter(|server| wanted(server.name)) {
        let place = (server.set_up)()
            .map_err(anyhow::Error::msg)
            .context(server.name)?;
        println!("{}={}", server.variable, place.display());
    }
    Ok(())
}

/// Installs what the tests need and tells the command where it is.
pub(crate) fn provide(steps: &mut Steps, tests: &mut Command, leave_out: Option<&str>) {
    for server in SERVERS {
        let name = format!("sink {}", server.name);
        tests.env_remove(server.variable);
        if let Some(why) = leave_out {
            steps.leave_out(&name, why);
            continue;
        }
        let start = Instant::now();
        match (server.set_up)() {
            Ok(place) => {
                steps.note(&name, start.elapsed());
                tests.env(server.variable, place);
            }
            Err(why) => steps.leave_out(&name, format!("{why}; the tests against it do not run")),
        }
    }
}

/// A folder of the cache with this name, made if need be.
fn folder(name: &str) -> Result<PathBuf, String> {
    let cache =
        repo::cache_dir().ok_or("there is neither XDG_CACHE_HOME nor HOME to keep servers in")?;
    let folder = cache.join(name);
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}
