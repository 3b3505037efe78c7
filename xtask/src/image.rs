//! `cargo xtask image`: the generator's container image. See `infra/images/README.md`.

mod copy;
mod engine;

use crate::arch::Arch;
use crate::{program, repo};
use anyhow::{Context, Result, bail, ensure};
use copy::copy;
pub(crate) use engine::Engine;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const PROGRAM: &str = "floodgate-generator";
/// Where Debian and its kin keep the certificate authorities, then Fedora and its.
const AUTHORITIES: [&str; 2] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];

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
    #[arg(long, default_value = program::DIST)]
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
    let arch = options.arch.unwrap_or(Arch::NATIVE);
    let program = program::build(PROGRAM, &options.profile, arch)?;
    let context = assemble(&program, options.authorities.as_deref())?;
    let engine = add_engine(options.engine, arch, &context)?;
    println!("context: {}", context.display());
    if options.no_build {
        return Ok(());
    }
    let tag = options.tag.clone().unwrap_or_else(|| options.engine.tag());
    docker_build(options.engine, &engine, arch, &context, &tag)?;
    let bytes = save(&tag, io::sink())?;
    println!("image: {tag} ({bytes} bytes compressed)");
    Ok(())
}

/// Builds an image of a generator that is built already, as an archive that `docker load` takes, compressed.
///
/// # Errors
/// As [`run`], and if the archive cannot be written.
pub(crate) fn archive(engine: Engine, generator: &Path, arch: Arch, into: &Path) -> Result<()> {
    let context = assemble(generator, None)?;
    let version = add_engine(engine, arch, &context)?;
    let tag = format!("{}:{}", engine.repository(), env!("CARGO_PKG_VERSION"));
    docker_build(engine, &version, arch, &context, &tag)?;
    let file = File::create(into).with_context(|| format!("create {}", into.display()))?;
    save(&tag, file)?;
    Ok(())
}

/// Adds an engine to a context; returns its version.
fn add_engine(engine: Engine, arch: Arch, context: &Path) -> Result<String> {
    ensure!(
        arch == Arch::NATIVE || matches!(engine, Engine::Http),
        "the image of {} is made of what is installed here: build it on a machine of that processor",
        engine.name()
    );
    engine.add_to(&context.join("rootfs"))
}

fn docker_build(
    engine: Engine,
    version: &str,
    arch: Arch,
    context: &Path,
    tag: &str,
) -> Result<()> {
    let platform = format!("linux/{}", arch.container());
    let mut docker = Command::new("docker");
    docker
        .args(["build", "--platform", &platform, "--tag", tag])
        .args([
            "--build-arg",
            concat!("VERSION=", env!("CARGO_PKG_VERSION")),
        ])
        .args(["--build-arg", &format!("REVISION={}", revision())])
        .args(["--build-arg", &format!("ENGINE={version}")])
        .arg("--file")
        .arg(engine.dockerfile())
        .arg(context);
    let status = docker
        .status()
        .context("run docker build; is Docker installed?")?;
    ensure!(
        status.success(),
        "docker build: {status}; is its engine running (`docker info`)?"
    );
    Ok(())
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

/// Writes an image as a compressed archive; returns its bytes, about what a registry stores and a task pulls.
fn save(tag: &str, into: impl io::Write) -> Result<u64> {
    let mut save = Command::new("docker")
        .args(["save", tag])
        .stdout(Stdio::piped())
        .spawn()
        .context("run docker save")?;
    let mut plain = save.stdout.take().context("docker save has no output")?;
    let counted = Counted { into, bytes: 0 };
    let mut compressed = GzEncoder::new(counted, Compression::default());
    io::copy(&mut plain, &mut compressed).context("compress the image")?;
    ensure!(save.wait()?.success(), "docker save {tag} failed");
    Ok(compressed.finish()?.bytes)
}

/// A writer that counts.
struct Counted<W> {
    into: W,
    bytes: u64,
}

impl<W: io::Write> io::Write for Counted<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.into.write(data)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

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
}
