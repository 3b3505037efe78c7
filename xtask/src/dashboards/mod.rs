//! `cargo xtask dashboards`: Grafana's dashboards for the stores that results are exported to, in `infra/grafana`.
//!
//! They ask the same questions; each store answers in its own language. The tests run every query of the files against a real server.

mod influxdb;
mod page;
mod postgres;
mod prometheus;

use crate::repo;
use anyhow::{Context as _, Result, ensure};
use page::Dashboard;
use std::fs;
use std::path::PathBuf;

/// Arguments of `cargo xtask dashboards`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Write nothing; fail if a file is not what would be written
    #[arg(long)]
    check: bool,
}

/// Writes the files.
///
/// # Errors
/// If one cannot be written or, with `--check`, is another.
pub(crate) fn run(options: &Options) -> Result<()> {
    for (path, text) in files() {
        if options.check {
            let found = fs::read_to_string(&path).unwrap_or_default();
            ensure!(
                found == text,
                "{} is not up to date: run cargo xtask dashboards",
                path.display()
            );
        } else {
            fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
            println!("{}", path.display());
        }
    }
    Ok(())
}

fn files() -> Vec<(PathBuf, String)> {
    let all: [Dashboard; 3] = [
        postgres::dashboard(),
        prometheus::dashboard(),
        influxdb::dashboard(),
    ];
    let folder = repo::root().join("infra/grafana");
    all.iter()
        .map(|one| (folder.join(format!("{}.json", one.name)), one.text()))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_what_the_generator_makes() {
        for (path, text) in files() {
            let found = fs::read_to_string(&path).unwrap_or_default();
            assert!(
                found == text,
                "{}: run cargo xtask dashboards",
                path.display()
            );
        }
    }

    #[test]
    fn no_two_panels_lie_upon_each_other() {
        for (path, text) in files() {
            let page: serde_json::Value = serde_json::from_str(&text).unwrap();
            let mut places = std::collections::BTreeSet::new();
            for panel in page["panels"].as_array().unwrap() {
                let at = &panel["gridPos"];
                let [x, y, w] = ["x", "y", "w"].map(|key| at[key].as_u64().unwrap());
                assert!(x + w <= 24, "{}", path.display());
                assert!(places.insert((x, y)), "{}", path.display());
                assert!(!panel["targets"].as_array().unwrap().is_empty());
            }
        }
    }
}
