//! An OpenTelemetry Collector with what the tests need and no more: a receiver of OTLP, and exporters to a file, to Kafka, and by OTLP. It is
//! built from its Go modules, where there is a Go.

use super::folder;
use crate::go::Module;
use std::path::PathBuf;

/// Changes with the modules.
const FOLDER: &str = "otelcol-2";

/// The program, built if need be.
pub(super) fn set_up() -> Result<PathBuf, String> {
    let module = Module {
        name: "the Collector",
        from: "xtask/src/sinks/collector",
        files: &["go.mod", "go.sum", "main.go"],
        package: ".",
        program: "otelcol",
    };
    module.build(&folder(FOLDER)?)
}
