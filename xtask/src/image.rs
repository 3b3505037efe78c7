//! `cargo xtask image`: the generator's container image. See `infra/images/README.md`.

mod engine;

use crate::repo;
use anyhow::{Context, Result, bail, ensure};
use engine::Engine;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PROGRAM: &str = "floodgate-generator";
/// Where Debian and its kin keep the certificate authorities, then Fedora and its.
const AUTHORITIES: [&str; 2] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];

/// A processor that Fargate offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Arch {
    /// Linux/x86_64
    Amd64,
    /// Linux/arm64, Graviton
    Arm64,
}

/// Arguments of `cargo xtask image`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The engine that is in it
    #[arg(long, value_enum, default_value_t = Engine::Http)]
    engine: Engine,
    /// The image's name [default: floodgate-generator:dev, or floodgate-generator-ENGINE:dev]
    #[arg(long)]
    tag: Option<String>,
    /// Cargo profile; `dev` is quicker to build, and slow
    #[arg(long, default_value = "generator")]
    profile: String,
    /// Processor; by default this machine's
    #[arg(long, value_enum)]
    arch: Option<Arch>,
    /// Certificate authorities to put in, PEM; by default this machine's
    #[arg(long, value_name = "FILE")]
    authorities: Option<PathBuf>,
    /// Only put the context together, for another builder than Docker
    #[arg(long)]
    no_build: bool,
}

/// Builds it.
///
/// # Errors
/// What is missing, and what fails.
pub(crate) fn run(options: &Options) -> Result<()> {
    let native = if cfg!(target_arch = "aarch64") {
        Arch::Arm64
    } else {
        Arch::Amd64
    };
    let arch = options.arch.unwrap_or(native);
    let program = build(&options.profile, arch, native)?;
    let context = assemble(&program, options.authorities.as_deref())?;
    let root = context.join("rootfs");
    ensure!(
        arch == native || matches!(options.engine, Engine::Http),
        "the image of {} is made of what is installed here: build it on a machine of that processor",
        options.engine.name()
    );
    let engine = options.engine.add_to(&root)?;
    let tag = options.tag.clone().unwrap_or_else(|| options.engine.tag());
    println!("context: {}", context.display());
    if options.no_build {
        return Ok(());
    }
    let mut docker = Command::new("docker");
    docker
        .args(["build", "--platform", platform(arch), "--tag", &tag])
        .args([
            "--build-arg",
            concat!("VERSION=", env!("CARGO_PKG_VERSION")),
        ])
        .args(["--build-arg", &format!("REVISION={}", revision())])
        .args(["--build-arg", &format!("ENGINE={engine}")])
        .arg("--file")
        .arg(options.engine.dockerfile())
        .arg(&context);
    let status = docker
        .status()
        .context("run docker build; is Docker installed?")?;
    ensure!(
        status.success(),
        "docker build: {status}; is its engine running (`docker info`)?"
    );
    println!(
        "image: {} ({} bytes compressed)",
        tag,
        compressed_size(&tag)?
    );
    Ok(())
}

const fn platform(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "linux/amd64",
        Arch::Arm64 => "linux/arm64",
    }
}

/// The target, the cargo command that builds for it, and whether the C library has to be asked to be static.
const fn toolchain(arch: Arch, native: Arch) -> (&'static str, &'static str, bool) {
    match (arch, native) {
        (Arch::Amd64, Arch::Amd64) => ("x86_64-unknown-linux-gnu", "build", true),
        (Arch::Arm64, Arch::Arm64) => ("aarch64-unknown-linux-gnu", "build", true),
        // zig has no static glibc; musl is always static.
        (Arch::Amd64, Arch::Arm64) => ("x86_64-unknown-linux-musl", "zigbuild", false),
        (Arch::Arm64, Arch::Amd64) => ("aarch64-unknown-linux-musl", "zigbuild", false),
    }
}

/// Builds the static program and returns its path.
fn build(profile: &str, arch: Arch, native: Arch) -> Result<PathBuf> {
    let (target, subcommand, crt_static) = toolchain(arch, native);
    let mut cargo = repo::cargo(&[
        subcommand,
        "--locked",
        "--package",
        PROGRAM,
        "--bin",
        PROGRAM,
    ]);
    cargo.args(["--profile", profile, "--target", target]);
    if crt_static {
        // Flags of the caller's would be lost to this variable; a static C library is what the image stands on.
        let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
        cargo.env(
            "RUSTFLAGS",
            format!("{flags} -C target-feature=+crt-static").trim(),
        );
    }
    let status = cargo.status().context("run cargo")?;
    ensure!(
        status.success(),
        "cargo {subcommand} for {target}: {status}{}",
        if subcommand == "zigbuild" {
            "; it needs `rustup target add` of that target and `pip install cargo-zigbuild ziglang`, or build on a machine of that processor"
        } else {
            ""
        }
    );
    // The profile `dev` builds into `debug` (<https://doc.rust-lang.org/cargo/guide/build-cache.html>).
    let folder = if profile == "dev" { "debug" } else { profile };
    let program = repo::target_dir()?.join(target).join(folder).join(PROGRAM);
    ensure!(
        is_static(&fs::read(&program)?),
        "{} is not linked statically",
        program.display()
    );
    Ok(program)
}

/// Whether an ELF program asks for no interpreter: a static one has no `PT_INTERP` segment.
fn is_static(elf: &[u8]) -> bool {
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

/// Puts the image's files together, in a folder that is made anew.
fn assemble(program: &Path, authorities: Option<&Path>) -> Result<PathBuf> {
    let authorities = match authorities {
        Some(file) => file.to_owned(),
        None => match AUTHORITIES
            .iter()
            .map(Path::new)
            .find(|file| file.is_file())
        {
            Some(file) => file.to_owned(),
            None => bail!(
                "no certificate authorities in {}: install ca-certificates, or give --authorities",
                AUTHORITIES.join(", ")
            ),
        },
    };
    let context = repo::target_dir()?.join("image");
    if context.exists() {
        fs::remove_dir_all(&context)?;
    }
    let root = context.join("rootfs");
    fs::create_dir_all(root.join("etc/ssl/certs"))?;
    fs::create_dir_all(root.join("tmp"))?;
    copy(program, &root.join(PROGRAM), 0o755)?;
    copy(
        &authorities,
        &root.join("etc/ssl/certs/ca-certificates.crt"),
        0o644,
    )?;
    let names = root.join("etc/nsswitch.conf");
    fs::write(&names, "hosts: files dns\n")?;
    fs::set_permissions(&names, fs::Permissions::from_mode(0o644))?;
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777))?;
    for folder in ["", "etc", "etc/ssl", "etc/ssl/certs"] {
        fs::set_permissions(root.join(folder), fs::Permissions::from_mode(0o755))?;
    }
    Ok(context)
}

fn copy(from: &Path, to: &Path, mode: u32) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("copy {}", from.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))?;
    Ok(())
}

/// The commit, if this is a clone and git is there.
fn revision() -> String {
    let git = Command::new("git")
        .args(["rev-parse", "HEAD"])
        .current_dir(repo::root())
        .output();
    match git {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "unknown".to_owned(),
    }
}

/// What a registry stores and a task pulls, about: the saved image through gzip.
fn compressed_size(tag: &str) -> Result<usize> {
    let mut save = Command::new("docker")
        .args(["save", tag])
        .stdout(Stdio::piped())
        .spawn()?;
    let archive = save.stdout.take().context("docker save has no output")?;
    let gzip = Command::new("gzip")
        .stdin(archive)
        .stdout(Stdio::piped())
        .output()
        .context("run gzip")?;
    ensure!(
        save.wait()?.success() && gzip.status.success(),
        "docker save {tag} | gzip failed"
    );
    Ok(gzip.stdout.len())
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
    fn the_dockerfile_copies_what_is_assembled() {
        for engine in <Engine as clap::ValueEnum>::value_variants() {
            let dockerfile = fs::read_to_string(engine.dockerfile()).unwrap();
            assert!(
                dockerfile.contains("FROM scratch\n") && dockerfile.contains("COPY rootfs/ /\n")
            );
            assert!(dockerfile.contains("SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"));
            assert!(dockerfile.contains(&format!("ENTRYPOINT [\"/{PROGRAM}\"]")));
            assert!(dockerfile.contains("USER 65532:65532\n"), "{engine:?}");
        }
    }

    #[test]
    fn a_foreign_processor_needs_zig() {
        assert_eq!(toolchain(Arch::Arm64, Arch::Arm64).1, "build");
        assert_eq!(
            toolchain(Arch::Arm64, Arch::Amd64).0,
            "aarch64-unknown-linux-musl"
        );
        assert_eq!(platform(Arch::Arm64), "linux/arm64");
    }
}
