//! A program's bill of materials (SBOM) in CycloneDX 1.6: the crates that are linked into it, as cargo resolved them.
//!
//! <https://cyclonedx.org/docs/1.6/json/>. It has no time and no serial number, so that the same program has the same bill.

use crate::linked::{Crate, Linked};
use crate::repo;
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

/// The bill of a program; `c_library` is what it is linked with statically, empty if it is not.
///
/// # Errors
/// If the lock file cannot be read.
pub(super) fn of(linked: &Linked, c_library: &str) -> Result<String> {
    let lock = fs::read_to_string(repo::root().join("Cargo.lock")).context("read Cargo.lock")?;
    let c_library = match c_library {
        "glibc" => Some(("glibc", glibc_version(), "LGPL-2.1-or-later")),
        // Rust brings its own: <https://doc.rust-lang.org/rustc/platform-support.html>.
        "musl" => Some(("musl", None, "MIT")),
        _ => None,
    };
    let bill = bill(linked, &checksums(&lock), c_library);
    Ok(format!("{bill:#}\n"))
}

type CLibrary = (&'static str, Option<String>, &'static str);

fn bill(
    linked: &Linked,
    checksums: &BTreeMap<(String, String), String>,
    c_library: Option<CLibrary>,
) -> Value {
    let mut components = Vec::new();
    let mut dependencies = Vec::new();
    for (id, found) in &linked.crates {
        let depends_on: Vec<String> = found
            .dependencies
            .iter()
            .map(|id| reference(&linked.crates[id]))
            .collect();
        dependencies.push(json!({"ref": reference(found), "dependsOn": depends_on}));
        if *id != linked.program {
            components.push(component("library", found, checksums));
        }
    }
    if let Some((name, version, licence)) = c_library {
        let mut component = json!({
            "type": "library",
            "bom-ref": name,
            "name": name,
            "licenses": [{"license": {"id": licence}}],
        });
        if let Some(version) = version {
            component["version"] = version.into();
        }
        components.push(component);
    }
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": component("application", &linked.crates[&linked.program], checksums)},
        "components": components,
        "dependencies": dependencies,
    })
}

/// A crate's package URL (<https://github.com/package-url/purl-spec>), which identifies it in the bill too.
fn reference(found: &Crate) -> String {
    // `+` of build metadata is escaped.
    format!(
        "pkg:cargo/{}@{}",
        found.name,
        found.version.replace('+', "%2B")
    )
}

fn component(kind: &str, found: &Crate, checksums: &BTreeMap<(String, String), String>) -> Value {
    let reference = reference(found);
    let mut component = json!({
        "type": kind,
        "bom-ref": reference,
        "name": found.name,
        "version": found.version,
        "purl": reference,
    });
    if let Some(licence) = &found.licence {
        component["licenses"] = json!([{"expression": licence}]);
    }
    if let Some(sum) = checksums.get(&(found.name.clone(), found.version.clone())) {
        component["hashes"] = json!([{"alg": "SHA-256", "content": sum}]);
    }
    component
}

/// Sums of the crates' archives, from a lock file; a crate of this workspace has none.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let packages = lock.split("[[package]]").skip(1);
    let value = |package: &str, key: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(key))?;
        Some(line.trim_start_matches(" = ").trim_matches('"').to_owned())
    };
    let sum = |package: &str| {
        let named = (value(package, "name")?, value(package, "version")?);
        Some((named, value(package, "checksum")?))
    };
    packages.filter_map(sum).collect()
}

/// The version of this machine's C library, which a static program contains; `ldd` is a part of it.
fn glibc_version() -> Option<String> {
    let output = Command::new("ldd").arg("--version").output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let version = said.lines().next()?.rsplit(' ').next()?;
    Some(version.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::linked::linked;
    use std::collections::BTreeSet;

    /// As the specification wants it: every reference is one of a component, each component has one of its own.
    #[test]
    fn every_reference_is_of_a_component_and_every_foreign_crate_has_its_sum() {
        let linked = linked("floodgate-generator", "x86_64-unknown-linux-gnu").unwrap();
        let bill: Value = serde_json::from_str(&of(&linked, "glibc").unwrap()).unwrap();
        let mut components = bill["components"].as_array().unwrap().clone();
        let glibc = components.pop().unwrap();
        assert_eq!(glibc["name"], "glibc");
        assert!(components.len() > 100, "{}", components.len());
        for component in &components {
            let own = component["name"]
                .as_str()
                .unwrap()
                .starts_with("floodgate-");
            assert_eq!(own, component["hashes"].is_null(), "{component}");
            assert!(
                component["licenses"][0]["expression"].is_string(),
                "{component}"
            );
        }
        components.push(bill["metadata"]["component"].clone());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let known: BTreeSet<String> = components.iter().map(|c| text(&c["bom-ref"])).collect();
        assert_eq!(known.len(), components.len());
        assert!(known.contains(&format!(
            "pkg:cargo/floodgate-generator@{}",
            env!("CARGO_PKG_VERSION")
        )));
        let dependencies = bill["dependencies"].as_array().unwrap();
        assert_eq!(dependencies.len(), components.len());
        for dependency in dependencies {
            assert!(known.contains(&text(&dependency["ref"])));
            for on in dependency["dependsOn"].as_array().unwrap() {
                assert!(known.contains(&text(on)), "{on}");
            }
        }
    }

    #[test]
    fn checksums_are_those_of_the_lock_file() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry\"\nchecksum = \"00ff\"\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n";
        let found = checksums(lock);
        assert_eq!(found.len(), 1);
        assert_eq!(found[&("a".to_owned(), "1.0.0".to_owned())], "00ff");
    }
}
