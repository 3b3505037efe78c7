//! Chores of this repository: `cargo xtask test`, `ci`, `bench`, `dashboards`, `image`, `emulate`, `package`, `pages`, `dist`, `recipes`,
//! `recording`, `simulate`, `sinks`, `terraform` and `trials`.

mod arch;
mod bench;
mod ci;
#[cfg(test)]
mod circles;
mod cloud;
mod dashboards;
mod demo;
mod dist;
mod documents;
mod emulate;
mod emulator;
mod engines;
mod go;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod graph;
mod image;
mod licences;
mod linked;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod links;
mod maven;
mod node;
mod package;
mod pages;
mod program;
mod python;
mod readers;
mod receivers;
mod recipes;
mod recording;
mod repo;
mod schemathesis;
mod simulate;
mod sinks;
mod steps;
mod terraform;
mod test;
mod trials;

use clap::{Parser, Subcommand};

/// Chores of the Floodgate repository
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Set up what the tests need, and run them all
    Test(test::Options),
    /// Formatting, clippy, rustdoc, tests, benches as tests, fuzz targets
    Ci(ci::Options),
    /// Build the generator's container image
    Image(image::Options),
    /// Write Grafana's dashboards for the stores that results are exported to
    Dashboards(dashboards::Options),
    /// Measure against the other tools that are installed
    Bench(bench::Options),
    /// What a bare loop costs, beside the tools; `bench` runs it
    #[command(hide = true)]
    BareLoop(bench::BareLoop),
    /// Bring the whole stack up on this machine, run the demo through Step Functions, take it down
    Emulate(emulate::Options),
    /// Install k6, JMeter and Gatling for the tests, and record what they write
    Engines(engines::Options),
    /// Write which licences stand in which image
    Licences(licences::Options),
    /// Make what a release has: program, functions, images, bills of materials, sums
    Dist(dist::Options),
    /// Pack the functions for Lambda
    Package(package::Options),
    /// Look at the report in a browser, and check the types of its script
    Pages(pages::Options),
    /// Check the recipes for pipelines
    Recipes(recipes::Options),
    /// Record the demo as the animated picture that README shows
    Recording(recording::Options),
    /// Simulate runs, and print how often statistics are right
    Simulate(simulate::Options),
    /// Install the servers and readers that exports are tested against
    Sinks(sinks::Options),
    /// Check the Terraform code, and build the provider that this takes
    Terraform(terraform::Options),
    /// Run the program again and again, and print how often statistics are right
    Trials(trials::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::Test(options) => test::run(&options),
        Chore::Ci(options) => ci::run(&options),
        Chore::Image(options) => image::run(&options),
        Chore::Dashboards(options) => dashboards::run(&options),
        Chore::Bench(options) => bench::run(&options),
        Chore::BareLoop(options) => options.run(),
        Chore::Emulate(options) => emulate::run(&options),
        Chore::Engines(options) => engines::run(&options),
        Chore::Licences(options) => licences::run(&options),
        Chore::Dist(options) => dist::run(&options),
        Chore::Package(options) => package::run(&options),
        Chore::Pages(options) => pages::run(&options),
        Chore::Recipes(options) => recipes::run(&options),
        Chore::Recording(options) => recording::run(&options),
        Chore::Simulate(options) => simulate::run(&options),
        Chore::Sinks(options) => sinks::run(&options),
        Chore::Terraform(options) => terraform::run(&options),
        Chore::Trials(options) => trials::run(&options),
    }
}
