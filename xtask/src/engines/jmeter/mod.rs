//! JMeter 5.6 and 2.13 out of Maven Central, laid out like its own distribution.

mod record;
mod server;

use crate::{python::quietly, repo};
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The list of the digests of the current version's files.
pub(super) const PINNED: &str = "jmeter-5.6.3";

/// What a version is made of.
struct Distribution {
    version: &'static str,
    /// What the distribution has in `lib/ext`, without `ApacheJMeter_`.
    parts: &'static [&'static str],
    /// Beside JMeter itself and what it depends on: group, artifact, version.
    others: &'static [(&'static str, &'static str, &'static str)],
    /// Dependencies that are not to be had under their names: group and artifact.
    without: &'static [(&'static str, &'static str)],
}

/// With the thread groups and timers of plugins that plans commonly use, so that their split is tried with the real ones.
const CURRENT: Distribution = Distribution {
    version: "5.6.3",
    parts: &[
        "core",
        "components",
        "functions",
        "http",
        "java",
        "config",
        "bolt",
        "ftp",
        "jdbc",
        "jms",
        "junit",
        "mail",
        "tcp",
    ],
    others: &[
        ("kg.apc", "jmeter-plugins-casutg", "2.10"),
        ("kg.apc", "jmeter-plugins-tst", "2.5"),
        ("kg.apc", "jmeter-plugins-cmn-jmeter", "0.7"),
    ],
    without: &[],
};

/// Its descriptors name dependencies by coordinates that Maven Central never had; these are the same libraries under their own.
const OLD: Distribution = Distribution {
    version: "2.13",
    parts: &["core", "components", "functions", "http", "java", "config"],
    others: &[
        ("org.apache.commons", "commons-math3", "3.4.1"),
        ("org.apache.commons", "commons-pool2", "2.3"),
        (
            "org.apache.avalon.framework",
            "avalon-framework-api",
            "4.3.1",
        ),
        (
            "org.apache.avalon.framework",
            "avalon-framework-impl",
            "4.3.1",
        ),
        ("com.fifesoft", "rsyntaxtextarea", "2.5.6"),
    ],
    without: &[
        ("commons-math3", "commons-math3"),
        ("commons-pool2", "commons-pool2"),
        ("avalon-framework", "avalon-framework"),
        ("com.fifesoft", "rsyntaxtextarea"),
    ],
};

/// Maven's own plugin, pinned like everything else.
const MAVEN_PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1";

/// The home folder of JMeter 5.6, made if need be.
pub(super) fn set_up() -> Result<PathBuf, String> {
    CURRENT.set_up()
}

/// The home folder of JMeter 2.13.
pub(super) fn set_up_2() -> Result<PathBuf, String> {
    OLD.set_up()
}

/// Records what 5.6 writes.
pub(super) fn record(place: &Path) -> Result<()> {
    record::record(place, CURRENT.version).context("JMeter 5.6")
}

/// Records what 2.13 writes.
pub(super) fn record_2(place: &Path) -> Result<()> {
    record::record(place, OLD.version).context("JMeter 2.13")
}

/// A program of the path, or else of Debian's package.
fn program(name: &str, package: &str) -> Result<PathBuf, String> {
    if let Some(found) = repo::find_program(name, None) {
        return Ok(found);
    }
    install(package)?;
    repo::find_program(name, None).ok_or_else(|| format!("{package} has brought no {name}"))
}

/// Runs Maven without a word; of what it complains about the first line, which names the artifact.
fn run_maven(maven: &Path, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(maven)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{}: {error}", maven.display()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let first = said.lines().find_map(|line| line.split_once("[ERROR] "));
    let first = first.map_or_else(|| output.status.to_string(), |(_, why)| why.to_owned());
    Err(format!("Maven Central: {first}"))
}

fn install(package: &str) -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err(format!(
            "not here, and only root can install it: apt-get install {package}"
        ));
    }
    let apt = repo::find_program("apt-get", None)
        .ok_or_else(|| format!("there is no apt-get to install {package} with"))?;
    let arguments = ["install", "-y", "--no-install-recommends", package];
    quietly(&apt, &arguments).or_else(|_| {
        quietly(&apt, &["update"])?;
        quietly(&apt, &arguments)
    })
}

impl Distribution {
    fn set_up(&self) -> Result<PathBuf, String> {
        let cache =
            repo::cache_dir().ok_or("there is neither XDG_CACHE_HOME nor HOME to keep it in")?;
        let home = cache.join(format!("jmeter-{}", self.version));
        let (complete, pom) = (home.join("complete"), self.pom());
        program("java", "default-jre-headless")?;
        if fs::read_to_string(&complete).is_ok_and(|made| made == pom) {
            return Ok(home);
        }
        let maven = program("mvn", "maven")?;
        self.lay_out(&home, &maven, &pom)?;
        fs::write(&complete, pom).map_err(|error| format!("{}: {error}", complete.display()))?;
        Ok(home)
    }

    fn pom(&self) -> String {
        let without: String = self
            .without
            .iter()
            .map(|(group, artifact)| {
                format!("<exclusion><groupId>{group}</groupId><artifactId>{artifact}</artifactId></exclusion>")
            })
            .collect();
        let dependency = |group: &str, artifact: &str, version: &str| {
            format!(
                "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
                 <version>{version}</version><exclusions>{without}</exclusions></dependency>\n"
            )
        };
        let own = std::iter::once("ApacheJMeter".to_owned())
            .chain(self.parts.iter().map(|part| format!("ApacheJMeter_{part}")))
            .map(|artifact| dependency("org.apache.jmeter", &artifact, self.version));
        let others = self
            .others
            .iter()
            .map(|(group, artifact, version)| dependency(group, artifact, version));
        let all: String = own.chain(others).collect();
        format!(
            "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\n\
             <groupId>floodgate</groupId><artifactId>jmeter</artifactId><version>1</version>\
             <packaging>pom</packaging>\n<dependencies>\n{all}</dependencies></project>\n"
        )
    }

    /// `bin/` with the launcher and the properties, `lib/ext/` with JMeter's own parts and plugins, `lib/` with the rest.
    fn lay_out(&self, home: &Path, maven: &Path, pom: &str) -> Result<(), String> {
        let told = |path: &Path| {
            let path = path.display().to_string();
            move |error: std::io::Error| format!("{path}: {error}")
        };
        if home.exists() {
            fs::remove_dir_all(home).map_err(told(home))?;
        }
        let (bin, lib) = (home.join("bin"), home.join("lib"));
        let ext = lib.join("ext");
        for folder in [&bin, &ext, &lib.join("junit")] {
            fs::create_dir_all(folder).map_err(told(folder))?;
        }
        let project = home.join("pom.xml");
        fs::write(&project, pom).map_err(told(&project))?;
        let goal = |goal: &str, options: &[&str]| {
            let file = project.display().to_string();
            let goal = format!("{MAVEN_PLUGIN}:{goal}");
            let arguments = [&["-B", "-q", "-f", &file, &goal], options].concat();
            run_maven(maven, &arguments)
        };
        let libraries = format!("-DoutputDirectory={}", lib.display());
        goal("copy-dependencies", &["-DincludeScope=runtime", &libraries])?;
        let everything = format!("-DoutputDirectory={}", home.display());
        let properties = [
            "-DincludeArtifactIds=ApacheJMeter_config",
            "-Dmdep.unpack.includes=bin/**",
            &everything,
        ];
        goal("unpack-dependencies", &properties)?;
        let launcher = format!("ApacheJMeter-{}.jar", self.version);
        for entry in fs::read_dir(&lib).map_err(told(&lib))?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let plugin = name.starts_with("jmeter-plugins-") && !name.contains("-cmn-");
            let to = if name == launcher {
                bin.join("ApacheJMeter.jar")
            } else if name.starts_with("ApacheJMeter_") || plugin {
                ext.join(&name)
            } else {
                continue;
            };
            fs::rename(entry.path(), &to).map_err(told(&to))?;
        }
        Ok(())
    }
}
