//! `cargo xtask dist`: what a release has, for one processor.
//!
//! Everything is in one folder: the program, the functions, images, a bill of materials for each, and the sums of all of them.

mod archive;
mod bill;

use crate::arch::Arch;
use crate::engines::digests::hex;
use crate::image::{self, Engine};
use crate::linked::linked;
use crate::program::{self, Toolchain};
use crate::{package, repo};
use anyhow::{Context as _, Result, ensure};
use archive::{Entry, archive};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The command line tool.
const TOOL: &str = "floodgate";
const GENERATOR: &str = "floodgate-generator";
const FUNCTIONS: &str = "floodgate-functions";
/// The file of the sums, as `sha256sum --check` reads it.
const SUMS: &str = "SHA256SUMS";
/// What the program may weigh, unpacked.
const MAX_TOOL_BYTES: u64 = 25_000_000;
/// What lies beside the program in its archive.
const PAPERS: [&str; 4] = ["README.md", "LICENSE", "CHANGELOG.md", "docs/licences.md"];

/// Arguments of `cargo xtask dist`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Processor; by default this machine's. The other one takes zig, which is installed, and `rustup target add`
    #[arg(long, value_enum)]
    arch: Option<Arch>,
    /// Images to make; k6 is not among those that a release has, see docs/licences.md
    #[arg(long, value_enum, value_delimiter = ',', default_value = "http")]
    images: Vec<Engine>,
    /// Make no images, and so need no Docker
    #[arg(long, conflicts_with = "images")]
    no_images: bool,
    /// Where it goes [default: target/dist-VERSION]; what is there of another processor stays
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Build nothing: only write the sums of what is in the folder anew, after it was put together from several machines
    #[arg(long)]
    sums_only: bool,
}

/// Makes it.
///
/// # Errors
/// What is missing, what fails, and what is too big.
pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = match &options.out {
        Some(folder) => std::path::absolute(folder)?,
        None => repo::target_dir()?.join(format!("dist-{VERSION}")),
    };
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    if !options.sums_only {
        let images = if options.no_images {
            &[][..]
        } else {
            &options.images
        };
        ensure!(
            !images.contains(&Engine::K6),
            "k6 is AGPL-3.0 and not passed on with a release: who needs its image builds it with `cargo xtask image --engine k6`"
        );
        make(options.arch.unwrap_or(Arch::NATIVE), images, &folder)?;
    }
    let sums = sums(&folder)?;
    fs::write(folder.join(SUMS), &sums)?;
    print!("{sums}");
    println!("{}", folder.display());
    Ok(())
}

fn make(arch: Arch, images: &[Engine], folder: &Path) -> Result<()> {
    let named =
        |what: &str, arch: &str, end: &str| folder.join(format!("{what}-{VERSION}-{arch}{end}"));
    let toolchain = Toolchain::of(arch, Arch::NATIVE);
    let machine = arch.machine();

    let tool = program::build(TOOL, program::DIST, arch)?;
    let bytes = fs::metadata(&tool)?.len();
    ensure!(
        bytes <= MAX_TOOL_BYTES,
        "{TOOL} has {bytes} bytes; at most {MAX_TOOL_BYTES} are allowed: find out which dependency came in with `cargo bloat --crates`"
    );
    println!("{TOOL}: {bytes} bytes");
    let mut entries = vec![Entry::program(&tool, TOOL)];
    entries.extend(PAPERS.map(|paper| Entry::paper(&repo::root().join(paper))));
    let name = format!("{TOOL}-{VERSION}-{machine}-linux");
    archive(&name, &entries, &folder.join(format!("{name}.tar.gz")))?;
    let linked_with = |program: &str, target: &str, c_library: &str, into: &Path| {
        let bill = bill::of(&linked(program, target)?, c_library)?;
        fs::write(into, bill).with_context(|| format!("write {}", into.display()))
    };
    let bill = folder.join(format!("{name}.cdx.json"));
    linked_with(TOOL, &toolchain.target, toolchain.c_library, &bill)?;

    let functions = package::write(package::Program::Functions, arch, package::PROFILE)?;
    let lambda = arch.lambda();
    fs::copy(&functions, named(FUNCTIONS, lambda, ".zip"))?;
    // Lambda's own C library is not in the package.
    linked_with(
        FUNCTIONS,
        &arch.gnu(),
        "",
        &named(FUNCTIONS, lambda, ".cdx.json"),
    )?;

    if images.is_empty() {
        return Ok(());
    }
    let generator = program::build(GENERATOR, program::DIST, arch)?;
    let container = arch.container();
    for engine in images {
        let what = format!("{GENERATOR}-{}", engine.name());
        image::archive(
            *engine,
            &generator,
            arch,
            &named(&what, container, ".tar.gz"),
        )?;
    }
    let bill = named(GENERATOR, container, ".cdx.json");
    linked_with(GENERATOR, &toolchain.target, toolchain.c_library, &bill)
}

/// Sums of all files in a folder, by name.
fn sums(folder: &Path) -> Result<String> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    files.retain(|path| path.is_file() && !path.ends_with(SUMS));
    files.sort();
    let mut text = String::new();
    for file in files {
        let contents = fs::read(&file).with_context(|| format!("read {}", file.display()))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        writeln!(text, "{}  {name}", hex(&Sha256::digest(contents)))?;
    }
    Ok(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_sha256sum_and_do_not_sum_themselves() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b"), "abc").unwrap();
        fs::write(folder.path().join("a"), "").unwrap();
        fs::write(folder.path().join(SUMS), "old").unwrap();
        // FIPS 180-4's examples.
        assert_eq!(
            sums(folder.path()).unwrap(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n\
             ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n"
        );
    }

    #[test]
    fn what_lies_beside_the_program_is_there() {
        for paper in PAPERS {
            assert!(repo::root().join(paper).is_file(), "{paper}");
        }
    }
}
