//! The JMeter that is on this machine, and its version.

use crate::error::LaunchError;
use crate::installed::{Installed, on_path};
use std::path::{Path, PathBuf};

/// The home folder: as given, or of `FLOODGATE_JMETER`, `JMETER_HOME`, or the `jmeter` of the path.
pub(super) fn home(given: Option<&Path>) -> Result<PathBuf, LaunchError> {
    let launcher = |home: &Path| home.join("bin/ApacheJMeter.jar").is_file();
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let of_path = || {
        let program = on_path("jmeter")?.canonicalize().ok()?;
        Some(program.parent()?.parent()?.to_owned())
    };
    let places = match given {
        Some(given) => vec![Some(given.to_owned())],
        None => vec![
            variable("FLOODGATE_JMETER"),
            variable("JMETER_HOME"),
            of_path(),
        ],
    };
    let found = places.into_iter().flatten().find(|home| launcher(home));
    found.ok_or_else(|| LaunchError::NotFound {
        engine: "JMeter",
        remedy: match given {
            Some(given) => format!("{} has no bin/ApacheJMeter.jar", given.display()),
            None => "unpack JMeter 5.6 (https://jmeter.apache.org/download_jmeter.cgi) and set JMETER_HOME to its folder, or use the image floodgate-jmeter".to_owned(),
        },
    })
}

/// The JMeter that is here. A distribution names its version in few places: where its core's name has none, the major one is known alone.
pub(super) fn installed() -> Result<Installed, LaunchError> {
    let home = home(None)?;
    let version = match core_version(&home)? {
        Some(version) => version,
        None => format!("{}.x", major(&home)?),
    };
    Ok(Installed { version, at: home })
}

/// The version in the name of the core's jar, which Maven Central gives it.
fn core_version(home: &Path) -> Result<Option<String>, LaunchError> {
    let ext = home.join("lib/ext");
    let names = std::fs::read_dir(&ext).map_err(LaunchError::file(&ext))?;
    let mut names = names
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.find_map(|name| {
        let version = name.strip_prefix("ApacheJMeter_core-")?;
        Some(version.strip_suffix(".jar")?.to_owned())
    }))
}

/// The first number of the version that an installation says it is: of its core's name (Maven Central), or of the version of its
/// saved formats, which is 5.0 since JMeter 5 (`bin/saveservice.properties`).
pub(super) fn major(home: &Path) -> Result<u32, LaunchError> {
    let first = |text: &str| {
        text.split('.')
            .next()
            .and_then(|number| number.trim().parse::<u32>().ok())
    };
    if let Some(major) = core_version(home)?.as_deref().and_then(first) {
        return Ok(major);
    }
    let file = home.join("bin/saveservice.properties");
    let text = std::fs::read_to_string(&file).map_err(LaunchError::file(&file))?;
    let saved = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("_version="));
    saved.and_then(first).ok_or_else(|| LaunchError::Version {
        engine: "JMeter",
        found: "of unknown version".to_owned(),
        remedy: format!("{} has no _version: unpack JMeter 5.6 anew", file.display()),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A home folder with what is looked at.
    fn installed(core: &str, saved: &str) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for folder in ["bin", "lib/ext"] {
            std::fs::create_dir_all(home.path().join(folder)).unwrap();
        }
        for (file, text) in [
            ("bin/ApacheJMeter.jar", ""),
            ("bin/saveservice.properties", saved),
            (&format!("lib/ext/{core}"), ""),
        ] {
            std::fs::write(home.path().join(file), text).unwrap();
        }
        home
    }

    #[test]
    fn the_version_is_that_of_the_core_or_of_the_saved_formats() {
        let major_of = |core: &str, saved: &str| major(installed(core, saved).path());
        assert_eq!(major_of("ApacheJMeter_core-2.13.jar", "").unwrap(), 2);
        assert_eq!(
            major_of("ApacheJMeter_core.jar", "#\n_version=5.0\n").unwrap(),
            5
        );
        let error = major_of("ApacheJMeter_core.jar", "").unwrap_err();
        assert!(error.to_string().contains("has no _version"), "{error}");
    }

    #[test]
    fn an_absent_home_is_told_with_its_place() {
        let error = home(Some(Path::new("/no/such"))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "JMeter is not installed: /no/such has no bin/ApacheJMeter.jar"
        );
    }
}
