//! What is to be measured.

use clap::ValueEnum;
use std::path::PathBuf;

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to measure [default: everything that peers are compared in, storage and merging]
    #[arg(value_enum)]
    pub(super) sections: Vec<Section>,
    /// Rounds over all tools; their median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) rounds: u32,
    /// Seconds that a tool runs in a round
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(super) seconds: u32,
    /// Bytes of an engine's output that are read, such as 500M or 2G
    #[arg(long, default_value = "2G", value_parser = bytes)]
    pub(super) bytes: u64,
    /// Write the report here as well, such as docs/benchmarks.md
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Measure this program instead of building the one of this tree
    #[arg(long, value_name = "PROGRAM")]
    pub(super) floodgate: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Section {
    /// Closed loop, 64 keep-alive connections, HTTP/1.1
    Closed,
    /// The same over TLS
    Tls,
    /// The same over HTTP/2
    H2,
    /// CPU of a request at rates from 100/s to saturation, beside a bare loop
    Open,
    /// Memory of a connection and of a request
    Memory,
    /// A stalled server, and one that answers after exactly 10 ms
    Accuracy,
    /// When requests arrive at the server
    Pacing,
    /// Bytes a request in shards
    Storage,
    /// Time to merge a histogram
    Merge,
    /// CPU and memory of the functions that merge 1,000 tasks of an hour; takes 15 minutes and 6 GB of disk
    CloudMerge,
    /// CPU of a generator that delivers to S3, beside one that delivers to a folder
    CloudShards,
    /// Time until a function asks for work; cargo-lambda is installed for it
    ColdStart,
    /// Time and memory to read what k6, JMeter and Gatling write
    EngineReaders,
    /// The same where every request has a new name; takes ten minutes
    EngineReadersNames,
    /// Time of the API's routes over 10,000 runs
    Api,
    /// CPU of Floodgate beside that of k6, JMeter or Gatling which it runs
    EngineOverhead,
}

impl Section {
    /// Whether no peer does what is measured: what runs on AWS, and engines that are run.
    pub(super) const fn alone(self) -> bool {
        matches!(
            self,
            Self::CloudMerge
                | Self::CloudShards
                | Self::ColdStart
                | Self::Api
                | Self::EngineReaders
                | Self::EngineReadersNames
                | Self::EngineOverhead
        )
    }
}

/// A number of bytes, with `k`, `M` or `G` for powers of 1,000.
fn bytes(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.char_indices().next_back() {
        Some((at, 'k')) => (&text[..at], 1_000),
        Some((at, 'M')) => (&text[..at], 1_000_000),
        Some((at, 'G')) => (&text[..at], 1_000_000_000),
        _ => (text, 1),
    };
    let number: u64 = digits.parse().map_err(|error| format!("{error}"))?;
    number
        .checked_mul(unit)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "must be more than 0 and fit 64 bits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_have_units() {
        assert_eq!(bytes("2G"), Ok(2_000_000_000));
        assert_eq!(bytes("500M"), Ok(500_000_000));
        assert_eq!(bytes("7"), Ok(7));
        for wrong in ["", "G", "0", "-1", "1T", "99999999999G"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
