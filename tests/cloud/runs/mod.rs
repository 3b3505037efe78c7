//! What becomes of runs: each time the verdict, the record, no task left, and the merged counts of what the target
//! counted.

mod cli;
mod losses;
mod orders;
mod scripts;
mod storage;
mod verdicts;

use floodgate_target::{Config, Kind, Target, service};

/// A shop that answers at once.
fn shop() -> Target {
    let options = service::Options {
        latency: false,
        seed: 1,
    };
    Target::start(Config {
        kind: Kind::Service(options),
        ..Config::service()
    })
    .unwrap()
}
