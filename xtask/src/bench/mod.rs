//! `cargo xtask bench`: Floodgate and every peer that is installed, against one server, in one run.
//!
//! What is compared runs in interleaved rounds (A B C A B C), each pinned to one core, the server to another, and the
//! median over the rounds counts: a machine that slows down slows everyone down.

mod bare;
mod context;
mod machine;
mod options;
mod process;
mod sections;
mod server;
mod stats;
mod table;
mod tools;

use anyhow::{Context as _, Result, bail};
pub(crate) use bare::BareLoop;
use clap::ValueEnum as _;
use context::Context;
pub(crate) use options::Options;
use options::Section;

fn measure(section: Section, context: &Context) -> Result<String> {
    use sections::{
        accuracy, api, closed, cloud_merge, cloud_shards, cold_start, engine_overhead,
        engine_readers, figures, memory, open, pacing,
    };
    match section {
        Section::Closed => closed::http1(context),
        Section::Tls => closed::tls(context),
        Section::H2 => closed::http2(context),
        Section::Open => open::run(context),
        Section::Memory => memory::run(context),
        Section::Accuracy => accuracy::run(context),
        Section::Pacing => pacing::run(context),
        Section::Storage => figures::storage("Storage"),
        Section::Merge => figures::merge("Merging"),
        Section::CloudMerge => cloud_merge::run(context),
        Section::CloudShards => cloud_shards::run(context),
        Section::ColdStart => cold_start::run(context),
        Section::EngineReaders => engine_readers::run(context, false),
        Section::EngineReadersNames => engine_readers::run(context, true),
        Section::Api => api::run(context),
        Section::EngineOverhead => engine_overhead::run(context),
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
        sections.retain(|section| !section.alone());
    }
    let context = Context::prepare(options, sections.iter().all(|section| section.alone()))?;
    let mut report = machine::describe(&context);
    let mut failed = Vec::new();
    for section in &sections {
        eprintln!("── {section:?}");
        // What the other sections have measured is not lost.
        report.push_str(&measure(*section, &context).unwrap_or_else(|error| {
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
