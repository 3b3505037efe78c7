//! `cargo xtask package`: the functions, or the API's, as the zip that Lambda takes.
//!
//! cargo-lambda and the zig compiler that it links with come from PyPI into the user's cache, so that the package can be
//! built for the processor and the C library of Lambda on any Linux machine.

use crate::arch::Arch;
use crate::{program, repo};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// What is installed, pinned.
const PACKAGES: &[&str] = &["cargo-lambda==1.9.2", "ziglang==0.17.1"];
/// The C library of Amazon Linux 2023, on which `provided.al2023` stands
/// (<https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html>).
const GLIBC: &str = "2.34";
/// What a package may weigh: a heavier one is slower to start and has something in it that does not belong there.
const MAX_BYTES: usize = 10_000_000;

/// The profile that Lambda is given.
pub(crate) const PROFILE: &str = "lambda";

/// What is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// The functions of a run.
    Functions,
    /// The function behind the API, a program of its own.
    Api,
}

impl Program {
    const fn binary(self) -> &'static str {
        match self {
            Self::Functions => "floodgate-functions",
            Self::Api => "floodgate-api",
        }
    }

    const fn package(self) -> &'static str {
        match self {
            Self::Functions => "functions",
            Self::Api => "api",
        }
    }
}

/// Arguments of `cargo xtask package`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Pack the API's function rather than those of a run
    #[arg(long)]
    api: bool,
    /// Processor of the functions; the Terraform variable `functions_architecture` has to say the same
    #[arg(long, value_enum, default_value_t = Arch::Arm64)]
    arch: Arch,
    /// Cargo profile
    #[arg(long, default_value = PROFILE)]
    profile: String,
}

/// Builds it, and says where it is.
///
/// # Errors
/// What is missing, what fails, and a package that is too big.
pub(crate) fn run(options: &Options) -> Result<()> {
    let program = match options.api {
        true => Program::Api,
        false => Program::Functions,
    };
    write(program, options.arch, &options.profile).map(drop)
}

/// Builds a program and packs it; returns the package's path, which is also the first line that is printed: `floodgate deploy` reads it.
///
/// # Errors
/// As [`run`].
pub(crate) fn write(program: Program, arch: Arch, profile: &str) -> Result<PathBuf> {
    let built = build(program, arch, profile)?;
    let contents = fs::read(&built).with_context(|| format!("read {}", built.display()))?;
    let package = zip("bootstrap", &contents, 9)?;
    let folder = repo::target_dir()?.join("package");
    let file = folder.join(format!("{}-{}.zip", program.package(), arch.lambda()));
    fs::write(&file, &package).with_context(|| format!("write {}", file.display()))?;
    println!("{}", file.display());
    println!(
        "{} bytes, {} of them the program unpacked",
        package.len(),
        contents.len()
    );
    ensure!(
        package.len() <= MAX_BYTES,
        "the package has {} bytes; at most {MAX_BYTES} are allowed: find out which dependency came in with `cargo bloat`",
        package.len()
    );
    Ok(file)
}

/// Packs a program as it is, quickly: for functions that an emulator runs.
///
/// # Errors
/// If it cannot be read, or the package not written.
pub(crate) fn pack_quickly(program: &Path, into: &Path) -> Result<()> {
    let contents = fs::read(program).with_context(|| format!("read {}", program.display()))?;
    let package = zip("bootstrap", &contents, 1)?;
    fs::write(into, package).with_context(|| format!("write {}", into.display()))
}

/// A zip of one program that everybody may execute; the same bytes for the same program, since it holds no time.
fn zip(name: &str, contents: &[u8], level: i64) -> Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(level))
        .last_modified_time(DateTime::default())
        .unix_permissions(0o755);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(name, options)?;
    zip.write_all(contents)?;
    Ok(zip.finish()?.into_inner())
}

/// Builds the program for Lambda and returns its path.
pub(crate) fn build(program: Program, arch: Arch, profile: &str) -> Result<PathBuf> {
    let target = arch.gnu();
    ensure!(
        program::has_standard_library(&target)?,
        "the standard library for {target} is missing: rustup target add {target}"
    );
    let tools = program::install("package", PACKAGES)?;
    let folder = repo::target_dir()?.join("package").join(arch.lambda());
    let mut cargo = repo::cargo(&[
        "lambda",
        "build",
        "--locked",
        "--package",
        "floodgate-functions",
        "--bin",
        program.binary(),
    ]);
    cargo
        .args([
            "--profile",
            profile,
            "--target",
            &format!("{target}.{GLIBC}"),
            "--lambda-dir",
        ])
        .arg(&folder)
        .env("PATH", program::on_path(&tools)?);
    let status = cargo.status().context("run cargo lambda")?;
    ensure!(status.success(), "cargo lambda build: {status}");
    Ok(folder.join(program.binary()).join("bootstrap"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn what_goes_in_comes_out_and_may_be_executed() {
        let contents: Vec<u8> = (0..50_000_u32)
            .flat_map(|n| n.wrapping_mul(n).to_le_bytes())
            .collect();
        let package = zip("bootstrap", &contents, 9).unwrap();
        assert_eq!(package, zip("bootstrap", &contents, 9).unwrap());
        let mut archive = zip::ZipArchive::new(Cursor::new(package)).unwrap();
        assert_eq!(archive.len(), 1);
        let mut program = archive.by_name("bootstrap").unwrap();
        assert_eq!(program.unix_mode(), Some(0o100_755));
        let mut unpacked = Vec::new();
        program.read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, contents);
    }
}
