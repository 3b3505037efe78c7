//! One JSON object a line on stderr, which the container's log driver takes to CloudWatch.

use super::config::Config;
use crate::clock::unix_us;
use crate::environment::Level;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Map, Value};
use std::io::Write;

/// The log. Clones write to the same place.
#[derive(Clone, Debug)]
pub struct JsonLog {
    least: Level,
    who: Map<String, Value>,
}

impl JsonLog {
    /// A log of everything that matters at least so much.
    pub fn new(least: Level, config: Option<&Config>) -> Self {
        let mut who = Map::new();
        if let Some(config) = config {
            who.insert("project".to_owned(), config.project.as_str().into());
            who.insert("execution".to_owned(), config.execution.as_str().into());
            who.insert("task".to_owned(), config.task.into());
        }
        Self { least, who }
    }

    /// Writes a line, unless it matters less than what is asked for.
    pub fn line(&self, level: Level, message: &str, fields: &[(&str, Value)]) {
        if level > self.least {
            return;
        }
        let mut line = self.format(unix_us(), level, message, fields);
        line.push('\n');
        // One write a line: lines of two threads do not mix. A log that nobody reads must not end the task.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }

    fn format(&self, at_us: i64, level: Level, message: &str, fields: &[(&str, Value)]) -> String {
        let time = DateTime::from_millis(at_us / 1_000).fmt(Format::DateTime);
        let mut line = Map::new();
        line.insert("time".to_owned(), time.unwrap_or_default().into());
        line.insert("level".to_owned(), level.name().into());
        line.insert("message".to_owned(), message.into());
        line.extend(self.who.clone());
        line.extend(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        Value::Object(line).to_string()
    }

    /// Reports panics of all threads as lines of the log.
    pub fn report_panics(&self) {
        let log = self.clone();
        std::panic::set_hook(Box::new(move |panic| {
            log.line(
                Level::Error,
                &format!("panic, which is a fault of the generator: {panic}"),
                &[],
            );
        }));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_object_whatever_the_message() {
        let log = JsonLog::new(Level::Info, Some(&crate::cloud::config::tests::good()));
        let line = log.format(
            1_700_000_000_123_456,
            Level::Warn,
            "two\nlines and a \"quote\"",
            &[("bytes", 7.into())],
        );
        assert!(!line.contains('\n'));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["time"], "2023-11-14T22:13:20.123Z");
        assert_eq!(
            (&value["level"], &value["task"], &value["bytes"]),
            (&"warn".into(), &7.into(), &7.into())
        );
        assert_eq!(value["message"], "two\nlines and a \"quote\"");
    }
}
