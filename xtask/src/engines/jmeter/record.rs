//! Runs the plans of the fixtures and keeps the results that JMeter writes, in each of its forms.

use super::server::Server;
use crate::repo;
use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Name of the recording and what is set for it.
type Form = (&'static str, &'static [&'static str]);

const FORMS_5: &[Form] = &[
    // JMeter's own defaults.
    ("default.csv", &[]),
    (
        "xml.jtl",
        &[
            "jmeter.save.saveservice.output_format=xml",
            "jmeter.save.saveservice.assertion_results=all",
        ],
    ),
    (
        "bare.csv",
        &[
            "jmeter.save.saveservice.print_field_names=false",
            "jmeter.save.saveservice.default_delimiter=,",
        ],
    ),
    (
        "dated.csv",
        &[
            "jmeter.save.saveservice.default_delimiter=;",
            "jmeter.save.saveservice.timestamp_format=yyyy/MM/dd HH:mm:ss.SSS",
        ],
    ),
    ("unnumbered.csv", &["subresult.disable_renaming=true"]),
];

const FORMS_2: &[Form] = &[
    ("default.csv", &[]),
    (
        "xml.jtl",
        &[
            "jmeter.save.saveservice.output_format=xml",
            "jmeter.save.saveservice.assertion_results=all",
            "jmeter.save.saveservice.connect_time=true",
        ],
    ),
];

const OPENED: [&str; 8] = [
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.text",
    "java.base/java.util",
    "java.desktop/java.awt.font",
    "java.desktop/javax.swing",
    "java.desktop/javax.swing.tree",
];

/// Records anew, and says in `provenance.json` with what.
pub(super) fn record(home: &Path, version: &str) -> Result<()> {
    let folder = repo::root().join("crates/engines/fixtures/jmeter");
    let plan = folder.join("plans/everything.jmx");
    let old = version.starts_with('2');
    let mut made = Map::new();
    for (name, settings) in if old { FORMS_2 } else { FORMS_5 } {
        let server = Server::start()?;
        let scratch = tempfile::tempdir()?;
        let results = scratch.path().join("results");
        let mut command = Command::new("java");
        // What 2.13 does by reflection, Java 9 and later have to be told to allow.
        for package in OPENED {
            command.arg(format!("--add-opens={package}=ALL-UNNAMED"));
        }
        command
            .arg("-Djava.awt.headless=true")
            .arg("-Duser.timezone=UTC")
            .arg("-jar")
            .arg(home.join("bin/ApacheJMeter.jar"))
            .args(["-n", "-t"])
            .arg(&plan)
            .arg("-l")
            .arg(&results)
            .arg("-j")
            .arg(scratch.path().join("log"))
            .arg(format!("-Jport={}", server.addr.port()))
            .args(settings.iter().map(|setting| format!("-J{setting}")))
            .current_dir(scratch.path())
            .stdin(Stdio::null());
        let output = command.output().context("run java")?;
        ensure!(
            output.status.success() && results.exists(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let file = format!("{version}-{name}");
        fs::copy(&results, folder.join(&file))?;
        made.insert(
            file,
            json!({
                "tool": format!("Apache JMeter {version}"),
                "plan": "plans/everything.jmx",
                "properties": settings,
                "requests_at_the_server": server.requests(),
            }),
        );
    }
    update(&folder.join("provenance.json"), made)
}

/// Puts the new entries in place of those of the same name.
fn update(path: &Path, made: Map<String, Value>) -> Result<()> {
    let old = fs::read_to_string(path).unwrap_or_else(|_| "{}".to_owned());
    let mut all: Value = serde_json::from_str(&old).context("provenance.json")?;
    let files = all
        .as_object_mut()
        .context("provenance.json is not an object")?
        .entry("files")
        .or_insert_with(|| json!({}));
    let files = files.as_object_mut().context("files is not an object")?;
    files.extend(made);
    let java = Command::new("java").arg("-version").output()?;
    let java = String::from_utf8_lossy(&java.stderr);
    all["made_by"] = json!("cargo xtask engines --record jmeter jmeter2");
    all["java"] = json!(java.lines().next().unwrap_or_default());
    fs::write(path, serde_json::to_string_pretty(&all)? + "\n")?;
    Ok(())
}
