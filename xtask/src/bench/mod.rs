//! `cargo xtask bench`: Floodgate and every peer that is installed, against one server, in one run.
//!
//! What is compared runs in interleaved rounds (A B C A B C), each pinned to one core, the server to another, and the
//! median over the rounds counts: a machine that slows down slows everyone down.

mod context;
mod machine;
mod process;
mod sections;
mod server;
mod stats;
mod table;
mod tools;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use context::Context;
use std::path::PathBuf;

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to measure [default: everything but what runs on AWS]
    #[arg(value_enum)]
    sections: Vec<Section>,
    /// Rounds over all tools; their median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Seconds that a tool runs in a round
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Write the report here as well, such as docs/benchmarks.md
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Measure this program instead of building the one of this tree
    #[arg(long, value_name = "PROGRAM")]
    floodgate: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Section {
    /// Closed loop, 64 keep-alive connections, HTTP/1.1
    Closed,
    /// The same over TLS
    Tls,
    /// The same over HTTP/2
    H2,
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
}

impl Section {
    fn run(self, context: &Context) -> Result<String> {
        use sections::{
            accuracy, closed, cloud_merge, cloud_shards, cold_start, figures, memory, pacing,
        };
        match self {
            Self::Closed => closed::http1(context),
            Self::Tls => closed::tls(context),
            Self::H2 => closed::http2(context),
            Self::Memory => memory::run(context),
            Self::Accuracy => accuracy::run(context),
            Self::Pacing => pacing::run(context),
            Self::Storage => figures::storage("Storage"),
            Self::Merge => figures::merge("Merging"),
            Self::CloudMerge => cloud_merge::run(context),
            Self::CloudShards => cloud_shards::run(context),
            Self::ColdStart => cold_start::run(context),
        }
    }

    /// Whether it is about what runs on AWS: no peer does that, and `floodgate` itself is not needed.
    const fn cloud(self) -> bool {
        matches!(self, Self::CloudMerge | Self::CloudShards | Self::ColdStart)
    }
}

/// Runs it and prints a report in Markdown.
///
/// # Errors
/// If something cannot be built, or a section failed; the report is printed all the same.
pub(crate) fn run(options: &Options) -> Result<()> {
    let mut sections = options.sections.clone();
    if sections.is_empty() {
        sections.extend_from_slice(Section::value_variants());
        sections.retain(|section| !section.cloud());
    }
    let context = Context::prepare(
        options.rounds,
        options.seconds,
        options.floodgate.as_deref(),
        sections.iter().all(|section| section.cloud()),
    )?;
    let mut report = machine::describe(&context);
    let mut failed = Vec::new();
    for section in &sections {
        eprintln!("── {section:?}");
        // What the other sections have measured is not lost.
        report.push_str(&section.run(&context).unwrap_or_else(|error| {
            failed.push(format!("{section:?}"));
            format!("\n## {section:?}\n\nFailed: {error:#}\n")
        }));
    }
    println!("{report}");
    if let Some(path) = &options.out {
        std::fs::write(path, &report).with_context(|| format!("write {}", path.display()))?;
    }
    if failed.is_empty() {
        Ok(())
    } else {
        bail!("failed: {}", failed.join(", "))
    }
}
