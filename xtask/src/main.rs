//! Chores of this repository: `cargo xtask test`, `ci`, `bench`, `image` and `emulate`.

mod bench;
mod ci;
mod emulate;
mod emulator;
mod image;
mod python;
mod readers;
mod repo;
mod steps;
mod test;

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
    /// Measure against the other tools that are installed
    Bench(bench::Options),
    /// Bring the whole stack up on this machine, run the demo through Step Functions, take it down
    Emulate(emulate::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::Test(options) => test::run(&options),
        Chore::Ci(options) => ci::run(&options),
        Chore::Image(options) => image::run(&options),
        Chore::Bench(options) => bench::run(&options),
        Chore::Emulate(options) => emulate::run(&options),
    }
}
