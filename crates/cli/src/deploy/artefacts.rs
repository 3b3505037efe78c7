//! Where the functions' zip and the images come from: files of a release, or this repository, which builds them.

use super::settings::{ENGINES, Settings};
use crate::error::{CliError, Result};
use floodgate_core::shard::sha256_hex;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The sums of all files of a release, as `sha256sum` writes them.
const SUMS: &str = "SHA256SUMS";

/// Where the functions' zip comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Package {
    /// A file.
    File(PathBuf),
    /// `cargo xtask package` in a clone of the repository.
    Build(PathBuf),
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ImageSource {
    /// It is in the Docker engine under this name.
    Local(String),
    /// `docker load` of a file.
    Archive(PathBuf),
    /// `cargo xtask image` in a clone of the repository.
    Build(PathBuf),
}

/// Where they may be found.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// The zip, if it is named.
    pub(super) functions: Option<PathBuf>,
    /// Images in the Docker engine, by engine.
    pub(super) images: BTreeMap<String, String>,
    /// Folders with files of a release, the first that has one counts.
    pub(super) folders: Vec<PathBuf>,
    /// A clone of the repository.
    pub(super) clone: Option<PathBuf>,
}

/// The version that a release's files are named by.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The name of the functions' zip in a release, as `cargo xtask dist` gives it.
pub(super) fn package_name(settings: &Settings) -> String {
    format!(
        "floodgate-functions-{VERSION}-{}.zip",
        settings.architecture.name()
    )
}

/// The name of an image in a release.
pub(super) fn archive_name(engine: &str, settings: &Settings) -> String {
    format!(
        "floodgate-generator-{engine}-{VERSION}-{}.tar.gz",
        settings.architecture.of_docker()
    )
}

impl Places {
    /// From what is said, else beside this program, in the working directory, and in the clone that either lies in.
    ///
    /// # Errors
    /// An image of no engine.
    pub(super) fn of(
        functions: Option<&Path>,
        images: &[String],
        artefacts: Option<&Path>,
    ) -> Result<Self> {
        let program = std::env::current_exe().ok();
        let here = std::env::current_dir().ok();
        let beside = program.as_deref().and_then(Path::parent);
        let folders = match artefacts {
            Some(folder) => vec![folder.to_owned()],
            None => beside
                .into_iter()
                .chain(here.as_deref())
                .map(Path::to_owned)
                .collect(),
        };
        let clone = here.as_deref().and_then(clone_above);
        let clone = clone.or_else(|| program.as_deref().and_then(clone_above));
        Ok(Self {
            functions: functions.map(Path::to_owned),
            images: images
                .iter()
                .map(|image| named(image))
                .collect::<Result<_>>()?,
            folders,
            // Who names a folder means its files.
            clone: clone.filter(|_| artefacts.is_none()),
        })
    }

    /// Where the functions' zip comes from.
    ///
    /// # Errors
    /// If it is nowhere.
    pub(super) fn package(&self, settings: &Settings) -> Result<Package> {
        if let Some(file) = &self.functions {
            return match file.is_file() {
                true => Ok(Package::File(file.clone())),
                false => Err(missing(file)),
            };
        }
        let name = package_name(settings);
        if let Some(file) = self.file(&name) {
            return Ok(Package::File(file));
        }
        let clone = self.clone.clone().map(Package::Build);
        clone.ok_or_else(|| self.nowhere(&name, "--functions ZIP"))
    }

    /// Where an engine's image comes from.
    ///
    /// # Errors
    /// If it is nowhere.
    pub(super) fn image(&self, engine: &str, settings: &Settings) -> Result<ImageSource> {
        if let Some(name) = self.images.get(engine) {
            return Ok(ImageSource::Local(name.clone()));
        }
        let name = archive_name(engine, settings);
        if let Some(file) = self.file(&name) {
            return Ok(ImageSource::Archive(file));
        }
        let clone = self.clone.clone().map(ImageSource::Build);
        clone.ok_or_else(|| self.nowhere(&name, &format!("--image {engine}=IMAGE")))
    }

    fn file(&self, name: &str) -> Option<PathBuf> {
        let mut files = self.folders.iter().map(|folder| folder.join(name));
        files.find(|file| file.is_file())
    }

    fn nowhere(&self, name: &str, instead: &str) -> CliError {
        let folders = self
            .folders
            .iter()
            .map(|folder| folder.display().to_string());
        let folders: Vec<_> = folders.collect();
        CliError::usage(format!(
            "there is no {name} in {}, and this is not a clone of the repository that could build it: put the files of the release {VERSION} there, \
             name their folder with --artefacts DIR, or say {instead}",
            folders.join(" or "),
        ))
    }
}

impl Package {
    pub(super) fn shown(&self, settings: &Settings) -> String {
        match self {
            Self::File(file) => format!("take {}", file.display()),
            Self::Build(clone) => format!(
                "build them with cargo xtask package --arch {} in {}",
                settings.architecture.name(),
                clone.display()
            ),
        }
    }
}

impl ImageSource {
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Local(name) => format!("take {name} of the Docker engine"),
            Self::Archive(file) => format!("load {}", file.display()),
            Self::Build(clone) => format!("build it with cargo xtask image in {}", clone.display()),
        }
    }
}

/// `ENGINE=IMAGE`.
fn named(text: &str) -> Result<(String, String)> {
    let parts = text
        .split_once('=')
        .filter(|(engine, image)| ENGINES.contains(engine) && !image.is_empty());
    let (engine, image) = parts.ok_or_else(|| {
        CliError::usage(format!(
            "--image {text}: take ENGINE=IMAGE, with an engine of {}",
            ENGINES.join(", ")
        ))
    })?;
    Ok((engine.to_owned(), image.to_owned()))
}

fn missing(file: &Path) -> CliError {
    CliError::read(file, "there is no such file", None)
}

/// The nearest folder above that is a clone of the repository.
fn clone_above(path: &Path) -> Option<PathBuf> {
    let parts = [
        "xtask/Cargo.toml",
        "terraform/main.tf",
        "functions/permissions.json",
    ];
    let mut above = path.ancestors();
    above
        .find(|folder| parts.iter().all(|part| folder.join(part).is_file()))
        .map(Path::to_owned)
}

/// Holds a file of a release against the sums beside it. Without such a list there is nothing to hold it against.
///
/// # Errors
/// A file that is another one, or that the list does not have.
pub(super) fn check_sum(file: &Path) -> Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let Ok(sums) = std::fs::read_to_string(folder.join(SUMS)) else {
        return Ok(());
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let listed = sums.lines().find_map(|line| {
        let (sum, of) = line.split_once(char::is_whitespace)?;
        (of.trim_start().trim_start_matches('*') == name).then(|| sum.to_ascii_lowercase())
    });
    let unlike =
        |problem: &str| CliError::read(file, problem, Some(format!("fetch it and {SUMS} again")));
    let Some(listed) = listed else {
        return Err(unlike("it is not in the list of sums beside it"));
    };
    let bytes = std::fs::read(file).map_err(|error| unlike(&error.to_string()))?;
    let sum = sha256_hex(&bytes);
    match sum == listed {
        true => Ok(()),
        false => Err(unlike("its SHA-256 is not the one in the list beside it")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_named_comes_before_a_release_and_that_before_a_clone() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::new("floodgate", "eu-west-1");
        let mut places = Places {
            folders: vec![folder.path().to_owned()],
            ..Places::default()
        };
        let nowhere = places.package(&settings).unwrap_err().to_string();
        assert!(
            nowhere.contains("--artefacts DIR") && nowhere.contains("--functions ZIP"),
            "{nowhere}"
        );
        assert!(
            places
                .image("other", &settings)
                .unwrap_err()
                .to_string()
                .contains("--image other=IMAGE")
        );
        places.clone = Some("/clone".into());
        assert_eq!(
            places.package(&settings).unwrap(),
            Package::Build("/clone".into())
        );
        assert_eq!(
            places.image("http", &settings).unwrap(),
            ImageSource::Build("/clone".into())
        );
        let archive = folder.path().join(archive_name("http", &settings));
        fs::write(&archive, "").unwrap();
        assert_eq!(
            places.image("http", &settings).unwrap(),
            ImageSource::Archive(archive)
        );
        let package = folder.path().join(package_name(&settings));
        fs::write(&package, "").unwrap();
        assert_eq!(places.package(&settings).unwrap(), Package::File(package));
        places.images.insert("http".into(), "mine:1".into());
        assert_eq!(
            places.image("http", &settings).unwrap(),
            ImageSource::Local("mine:1".into())
        );
        places.functions = Some("/nonexistent.zip".into());
        assert!(places.package(&settings).is_err());
        assert!(named("rust=x").is_err() && named("http=").is_err());
    }

    #[test]
    fn a_clone_is_found_from_inside() {
        let found = clone_above(Path::new(env!("CARGO_MANIFEST_DIR")));
        assert!(found.unwrap().join("Cargo.lock").is_file());
        assert_eq!(clone_above(Path::new("/")), None);
    }

    #[test]
    fn a_file_that_is_another_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("functions-arm64.zip");
        fs::write(&file, "abc").unwrap();
        check_sum(&file).unwrap();
        let list = |text: &str| fs::write(folder.path().join(SUMS), text).unwrap();
        // The digest of "abc" (FIPS 180-2, B.1).
        list(
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  functions-arm64.zip\n",
        );
        check_sum(&file).unwrap();
        fs::write(&file, "abd").unwrap();
        assert!(
            check_sum(&file)
                .unwrap_err()
                .to_string()
                .contains("SHA-256")
        );
        list("");
        assert!(
            check_sum(&file)
                .unwrap_err()
                .to_string()
                .contains("not in the list")
        );
    }
}
