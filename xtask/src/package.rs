//! `cargo xtask package`: the functions as the zip that Lambda takes.
//!
//! cargo-lambda and the zig compiler that it links with come from PyPI into the user's cache, so that the package can be
//! built for the processor and the C library of Lambda on any Linux machine.

use crate::{python, repo};
use anyhow::{Context, Result, anyhow, ensure};
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// What is installed, pinned.
const PACKAGES: &[&str] = &["cargo-lambda==1.9.2", "ziglang==0.17.1"];
/// The C library of Amazon Linux 2023, on which `provided.al2023` stands
/// (<https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html>).
const GLIBC: &str = "2.34";
const PROGRAM: &str = "floodgate-functions";
/// What a package may weigh: a heavier one is slower to start and has something in it that does not belong there.
const MAX_BYTES: usize = 10_000_000;

/// A processor of Lambda.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Arch {
    /// Graviton, a fifth cheaper than the other
    Arm64,
    /// x86_64
    #[value(name = "x86_64")]
    X86_64,
}

impl Arch {
    /// This machine's.
    pub(crate) const NATIVE: Self = if cfg!(target_arch = "aarch64") {
        Self::Arm64
    } else {
        Self::X86_64
    };

    const fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    const fn target(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::X86_64 => "x86_64-unknown-linux-gnu",
        }
    }
}

/// The profile that Lambda is given.
pub(crate) const PROFILE: &str = "lambda";

/// Arguments of `cargo xtask package`.
#[derive(clap::Args)]
pub(crate) struct Options {
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
    let folder = repo::target_dir()?.join("package");
    let program = build(options.arch, &options.profile)?;
    let contents = fs::read(&program).with_context(|| format!("read {}", program.display()))?;
    let package = zip("bootstrap", &contents, 9)?;
    let file = folder.join(format!("functions-{}.zip", options.arch.name()));
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
    Ok(())
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
pub(crate) fn build(arch: Arch, profile: &str) -> Result<PathBuf> {
    let target = arch.target();
    let standard_library = has_standard_library(target)?;
    ensure!(
        standard_library,
        "the standard library for {target} is missing: rustup target add {target}"
    );
    let tools = tools()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(tools).chain(std::env::split_paths(&path)))?;
    let folder = repo::target_dir()?.join("package").join(arch.name());
    let mut cargo = repo::cargo(&[
        "lambda",
        "build",
        "--locked",
        "--package",
        PROGRAM,
        "--bin",
        PROGRAM,
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
        .env("PATH", path);
    let status = cargo.status().context("run cargo lambda")?;
    ensure!(status.success(), "cargo lambda build: {status}");
    Ok(folder.join(PROGRAM).join("bootstrap"))
}

/// The folder of cargo-lambda and zig.
fn tools() -> Result<PathBuf> {
    // The oldest Python that both packages have wheels for.
    let base = python::find(|minor| minor >= 8)
        .context("there is no python3, which installs cargo-lambda and zig")?;
    let name = format!("package-{}", PACKAGES.join("-").replace("==", "-"));
    let python = python::environment(&name, &base, PACKAGES)
        .map_err(|why| anyhow!("cargo-lambda and zig cannot be installed: {why}"))?;
    python
        .parent()
        .map(Path::to_owned)
        .context("python lies in a folder")
}

/// Whether rustc can build for a target.
fn has_standard_library(target: &str) -> Result<bool> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(repo::root())
        .output()
        .context("run rustc")?;
    let folder = String::from_utf8(output.stdout)?;
    Ok(output.status.success() && Path::new(folder.trim()).is_dir())
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
