//! The log of a task: lines on stderr, which the container's log driver takes to CloudWatch.

use super::config::Config;
use crate::environment::Level;
use floodgate_log::{Sink, lines};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex};

/// From here on events of this process are written that matter at least so much.
pub(super) fn begin(least: Level, config: Option<&Config>) {
    let out: Sink = Arc::new(Mutex::new(std::io::stderr()));
    // Where somebody listens already, nothing changes.
    let _ = tracing::dispatcher::set_global_default(lines(least, task(config), out));
}

/// What every line says of the task.
fn task(config: Option<&Config>) -> Map<String, Value> {
    let Some(config) = config else {
        return Map::new();
    };
    Map::from_iter([
        ("project".to_owned(), config.project.as_str().into()),
        ("execution".to_owned(), config.execution.as_str().into()),
        ("task".to_owned(), config.task.into()),
    ])
}

/// An event of a level that is known only when it happens.
pub(super) fn say(level: Level, message: &str) {
    match level {
        Level::Error => tracing::error!("{message}"),
        Level::Warn => tracing::warn!("{message}"),
        Level::Info => tracing::info!("{message}"),
        Level::Debug => tracing::debug!("{message}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whose_it_is_whatever_its_level() {
        let config = crate::cloud::config::tests::good();
        let out = Arc::new(Mutex::new(Vec::new()));
        let log = lines(Level::Info, task(Some(&config)), out.clone());
        tracing::dispatcher::with_default(&log, || {
            say(Level::Warn, "two\nlines and a \"quote\"");
            say(Level::Debug, "not this");
        });
        let text = String::from_utf8(out.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1);
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "two\nlines and a \"quote\"");
        assert_eq!(line["level"], "warn");
        assert_eq!(line["project"], config.project.as_str());
        assert_eq!(line["execution"], config.execution.as_str());
        assert_eq!(line["task"], config.task);
    }
}
