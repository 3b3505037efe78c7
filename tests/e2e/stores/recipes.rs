//! The recipes in `recipes/collector`: what a Collector hands on is the run.

use super::otlp::{agrees, written};
use super::servers;
use super::{export, run};
use crate::export::server::installed;
use crate::support::*;
use std::path::{Path, PathBuf};
use std::process::Command;

fn recipe(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("recipes/collector").join(name)
}

#[test]
fn a_run_reaches_kafka() {
    let Some(program) = installed("FLOODGATE_OTELCOL") else {
        return;
    };
    let Some(jars) = installed("FLOODGATE_KAFKA") else {
        return;
    };
    let broker = servers::kafka(&jars);
    let address = format!("127.0.0.1:{}", broker.port);
    let variables = [("KAFKA_BROKER", address)];
    let server = servers::by_recipe(&program, &recipe("kafka.yaml"), &variables);
    let bench = Bench::new();
    let summary = run(&bench, "e2e", 60);
    let url = format!("otlp+http://127.0.0.1:{}?temporality=delta", server.port);
    export(&bench, &summary, &url);
    // Nothing is on its way any more: an export has ended when Kafka has it.
    let messages = servers::consumed(&jars, &broker, "floodgate");
    agrees(&messages, &summary, true);
}

/// Datadog's intake takes OTLP: another Collector stands for it.
#[test]
fn a_run_leaves_for_datadog() {
    let Some(program) = installed("FLOODGATE_OTELCOL") else {
        return;
    };
    let intake = servers::collector(&program);
    let variables = [
        ("DD_API_KEY", "key".to_owned()),
        (
            "DD_OTLP_METRICS",
            format!("http://127.0.0.1:{}/v1/metrics", intake.port),
        ),
    ];
    let server = servers::by_recipe(&program, &recipe("datadog.yaml"), &variables);
    let bench = Bench::new();
    let summary = run(&bench, "e2e", 60);
    let url = format!("otlp+http://127.0.0.1:{}?temporality=delta", server.port);
    export(&bench, &summary, &url);
    agrees(&written(&intake), &summary, true);
}

/// All but the exporter, which cannot be had here.
#[test]
fn the_recipe_for_azure_monitor_is_a_configuration() {
    let Some(program) = installed("FLOODGATE_OTELCOL") else {
        return;
    };
    let text = std::fs::read_to_string(recipe("azure-monitor.yaml")).unwrap();
    let own =
        "  azuremonitor:\n    connection_string: ${env:APPLICATIONINSIGHTS_CONNECTION_STRING}\n";
    assert!(text.contains(own) && text.contains("exporters: [azuremonitor]"));
    let text = text.replace(own, "  file:\n    path: got.json\n");
    let text = text.replace("[azuremonitor]", "[file]");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, text).unwrap();
    let told = Command::new(program)
        .arg("validate")
        .arg(format!("--config={}", path.display()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.status.success(), "{said}");
}
