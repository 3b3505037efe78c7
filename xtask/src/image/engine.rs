//! What an image has beside the generator: an external engine, and for those in Java a runtime.
//!
//! Everything is copied from this machine, as `cargo xtask engines` installs it: engines in the versions that are pinned there, the Java of the
//! distribution with the libraries that it loads. So no base image is pulled, and what is in the image was tested here.

use super::copy::{copy, copy_tree, folder};
use crate::program::is_static;
use crate::{engines, repo};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Engine {
    /// Our own
    Http,
    /// Grafana k6
    K6,
    /// Apache JMeter
    Jmeter,
    /// Gatling
    Gatling,
}

impl Engine {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::K6 => "k6",
            Self::Jmeter => "jmeter",
            Self::Gatling => "gatling",
        }
    }

    /// The image's name without a tag.
    pub(super) fn repository(self) -> String {
        match self {
            Self::Http => "floodgate-generator".to_owned(),
            other => format!("floodgate-generator-{}", other.name()),
        }
    }

    pub(super) fn tag(self) -> String {
        format!("{}:dev", self.repository())
    }

    pub(super) fn dockerfile(self) -> PathBuf {
        let name = format!("infra/images/{}.Dockerfile", self.name());
        repo::root().join(name)
    }

    /// Puts the engine into the image's root; says which version it is.
    ///
    /// # Errors
    /// If it cannot be installed here.
    pub(super) fn add_to(self, root: &Path) -> Result<String> {
        if self == Self::Http {
            return Ok(env!("CARGO_PKG_VERSION").to_owned());
        }
        let place = engines::place(self.name()).map_err(anyhow::Error::msg)?;
        if let Some((name, folder)) = engines::pinned(self.name(), &place) {
            engines::digests::check(name, &folder)?;
        }
        match self {
            Self::Http => {}
            Self::K6 => {
                ensure!(
                    is_static(&fs::read(&place)?),
                    "{} is not linked statically",
                    place.display()
                );
                folder(&root.join("usr/bin"))?;
                copy(&place, &root.join("usr/bin/k6"), 0o755)?;
            }
            Self::Jmeter => {
                add_java(root)?;
                copy_tree(&place, &root.join("opt/jmeter"))?;
            }
            Self::Gatling => {
                add_java(root)?;
                copy_tree(&place.join("lib"), &root.join("opt/gatling/lib"))?;
            }
        }
        let name = place
            .ancestors()
            .filter_map(|folder| folder.file_name()?.to_str())
            .find(|name| name.starts_with(self.name()));
        Ok(name.unwrap_or(self.name()).to_owned())
    }
}

/// The Java of this machine at `/opt/java`, and the libraries that it is linked with where they are.
fn add_java(root: &Path) -> Result<()> {
    let java = repo::find_program("java", None).context("there is no java: install a JRE")?;
    let java = java.canonicalize()?;
    let home = java
        .parent()
        .and_then(Path::parent)
        .with_context(|| format!("{} is in no Java home", java.display()))?;
    let copied = root.join("opt/java");
    for part in ["bin", "lib", "conf", "release"] {
        if home.join(part).exists() {
            copy_tree(&home.join(part), &copied.join(part))?;
        }
    }
    let mut libraries = BTreeSet::new();
    linked_with(&java, &mut libraries)?;
    let mut open = vec![home.join("lib")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "so") {
                linked_with(&path, &mut libraries)?;
            }
        }
    }
    for library in libraries.iter().filter(|path| !path.starts_with(home)) {
        let to = root.join(library.strip_prefix("/")?);
        folder(to.parent().unwrap_or(root))?;
        copy(library, &to, 0o755)?;
    }
    // Who the user is: the JVM asks for its name and home.
    let users = root.join("etc/passwd");
    fs::write(&users, "floodgate:x:65532:65532::/tmp:/nonexistent\n")?;
    fs::set_permissions(&users, fs::Permissions::from_mode(0o644))?;
    Ok(())
}

/// The libraries that the loader finds for a program or a library. What it does not find, such as sound, is for parts that nothing here uses.
fn linked_with(file: &Path, into: &mut BTreeSet<PathBuf>) -> Result<()> {
    let listed = Command::new("ldd").arg(file).output().context("run ldd")?;
    let text = String::from_utf8_lossy(&listed.stdout);
    for line in text.lines() {
        // `name => /path (0x…)`, or the loader as `/path (0x…)`.
        let found = line.split_whitespace().find(|word| word.starts_with('/'));
        into.extend(found.map(PathBuf::from));
    }
    Ok(())
}
