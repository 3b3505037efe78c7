//! Kafka from Maven Central: a broker that is its own controller, and its consumer.

use super::folder;
use crate::maven;
use std::path::PathBuf;

/// Pinned. The tools have the consumer.
const VERSION: &str = "4.3.1";

/// The folder of its jars.
pub(super) fn set_up() -> Result<PathBuf, String> {
    let folder = folder(&format!("kafka-{VERSION}"))?;
    let (complete, lib) = (folder.join("complete"), folder.join("lib"));
    maven::need("java")?;
    if complete.is_file() {
        return Ok(lib);
    }
    maven::need("mvn")?;
    let artifact = |name: &'static str| ["org.apache.kafka", name, VERSION];
    let artifacts = [artifact("kafka_2.13"), artifact("kafka-tools")];
    maven::fetch(&artifacts, &folder).map_err(|error| format!("{error:#}"))?;
    std::fs::write(&complete, "").map_err(|error| format!("{}: {error}", complete.display()))?;
    Ok(lib)
}
