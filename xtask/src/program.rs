//! Programs of this workspace, linked statically: what images and releases contain.

use crate::arch::Arch;
use crate::{python, repo};
use anyhow::{Context, Result, anyhow, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What links for the other processor, pinned; from PyPI into the user's cache.
const CROSS_PACKAGES: &[&str] = &["cargo-zigbuild==0.24.1", "ziglang==0.17.1"];

/// The profile of what is released.
pub(crate) const DIST: &str = "dist";

/// The linker's part in a small program: relocations as runs, and functions that are equal only once.
const SMALLER: &str = "-C link-arg=-Wl,-z,pack-relative-relocs -C link-arg=-Wl,--icf=all";

/// The C library that a program is linked with, and how it is built for that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toolchain {
    pub(crate) target: String,
    /// Cargo's command.
    command: &'static str,
    pub(crate) c_library: &'static str,
}

impl Toolchain {
    /// For a processor, on a machine of `native`.
    pub(crate) fn of(arch: Arch, native: Arch) -> Self {
        if arch == native {
            Self {
                target: arch.gnu(),
                command: "build",
                c_library: "glibc",
            }
        } else {
            // zig has no static glibc; musl is always static.
            Self {
                target: arch.musl(),
                command: "zigbuild",
                c_library: "musl",
            }
        }
    }
}

/// Builds a static program and returns its path.
///
/// # Errors
/// What is missing, what fails, and a program that is not static.
pub(crate) fn build(name: &str, profile: &str, arch: Arch) -> Result<PathBuf> {
    let toolchain = Toolchain::of(arch, Arch::NATIVE);
    let target = toolchain.target.as_str();
    ensure!(
        has_standard_library(target)?,
        "the standard library for {target} is missing: rustup target add {target}"
    );
    let mut cargo = repo::cargo(&[toolchain.command, "--locked", "--package", name]);
    cargo.args(["--bin", name, "--profile", profile, "--target", target]);
    if toolchain.command == "build" {
        // Flags of the caller's would be lost to this variable; a static C library is what the program stands on.
        let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
        let flags = format!("{flags} -C target-feature=+crt-static {SMALLER}");
        cargo.env("RUSTFLAGS", flags.trim());
    } else {
        let python = install("program", CROSS_PACKAGES)?;
        cargo.env("PATH", on_path(&python)?);
    }
    let status = cargo.status().context("run cargo")?;
    ensure!(
        status.success(),
        "cargo {} for {target}: {status}",
        toolchain.command
    );
    // The profile `dev` builds into `debug` (<https://doc.rust-lang.org/cargo/guide/build-cache.html>).
    let folder = if profile == "dev" { "debug" } else { profile };
    let program = repo::target_dir()?.join(target).join(folder).join(name);
    ensure!(
        is_static(&fs::read(&program)?),
        "{} is not linked statically",
        program.display()
    );
    Ok(program)
}

/// Installs Python packages that are programs, and returns their folder.
///
/// # Errors
/// If there is no Python, or they cannot be installed.
pub(crate) fn install(purpose: &str, packages: &[&str]) -> Result<PathBuf> {
    // The oldest Python that all these packages have wheels for.
    let base = python::find(|minor| minor >= 8)
        .with_context(|| format!("there is no python3, which installs {}", packages.join(" ")))?;
    let name = format!("{purpose}-{}", packages.join("-").replace("==", "-"));
    let python = python::environment(&name, &base, packages)
        .map_err(|why| anyhow!("{} cannot be installed: {why}", packages.join(" ")))?;
    python
        .parent()
        .map(Path::to_owned)
        .context("python lies in a folder")
}

/// `$PATH` with a folder before all others.
///
/// # Errors
/// If the folder's name has a colon.
pub(crate) fn on_path(folder: &Path) -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    Ok(std::env::join_paths(folders)?)
}

/// Whether rustc can build for a target.
///
/// # Errors
/// If rustc cannot be run.
pub(crate) fn has_standard_library(target: &str) -> Result<bool> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(repo::root())
        .output()
        .context("run rustc")?;
    let folder = String::from_utf8(output.stdout)?;
    Ok(output.status.success() && Path::new(folder.trim()).is_dir())
}

/// Whether an ELF program asks for no interpreter: a static one has no `PT_INTERP` segment.
pub(crate) fn is_static(elf: &[u8]) -> bool {
    let number = |at: usize, size: usize| -> Option<u64> {
        let bytes = elf.get(at..at + size)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0, |all, byte| all << 8 | u64::from(*byte)),
        )
    };
    // Offsets of ELF64: <https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html>, and ch5.pheader.html.
    let segments = || -> Option<bool> {
        let (table, size, count) = (number(32, 8)?, number(54, 2)?, number(56, 2)?);
        for segment in 0..count {
            const PT_INTERP: u64 = 3;
            let at = usize::try_from(table + segment * size).ok()?;
            if number(at, 4)? == PT_INTERP {
                return Some(false);
            }
        }
        Some(count > 0)
    };
    elf.starts_with(b"\x7fELF\x02\x01") && segments().unwrap_or(false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_an_interpreter_is_not_static() {
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        // The tests' own program is linked as cargo links by default.
        assert_eq!(is_static(&own), cfg!(target_feature = "crt-static"));
        assert!(!is_static(b"#!/bin/sh\n"));
        assert!(!is_static(b"\x7fELF\x02\x01"));
    }

    #[test]
    fn a_foreign_processor_needs_zig_and_gets_musl() {
        let native = Toolchain::of(Arch::Arm64, Arch::Arm64);
        assert_eq!((native.command, native.c_library), ("build", "glibc"));
        let foreign = Toolchain::of(Arch::Arm64, Arch::Amd64);
        assert_eq!((foreign.command, foreign.c_library), ("zigbuild", "musl"));
        assert_eq!(foreign.target, "aarch64-unknown-linux-musl");
    }
}
