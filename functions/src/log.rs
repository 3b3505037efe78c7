//! Structured logs: a JSON object a line on standard output, which CloudWatch Logs Insights reads as fields.

pub use floodgate_core::level::Level;

use serde_json::{Map, Value};
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// Where lines go.
type Sink = Arc<Mutex<dyn Write + Send>>;

/// Writes lines; clones write to the same place.
#[derive(Clone)]
pub struct Log {
    level: Level,
    function: &'static str,
    execution: Option<Arc<str>>,
    sink: Sink,
}

impl Log {
    /// Lines on standard output.
    pub fn stdout(level: Level, function: &'static str) -> Self {
        Self::to(level, function, Arc::new(Mutex::new(std::io::stdout())))
    }

    /// Lines that go elsewhere.
    pub fn to(level: Level, function: &'static str, sink: Sink) -> Self {
        Self {
            level,
            function,
            execution: None,
            sink,
        }
    }

    /// The same for the lines of one execution.
    #[must_use]
    pub fn of(&self, execution: &str) -> Self {
        Self {
            execution: Some(execution.into()),
            ..self.clone()
        }
    }

    /// Something failed.
    pub fn error(&self, message: &str, fields: Value) {
        self.line(Level::Error, message, fields);
    }

    /// Something is not as it should be.
    pub fn warn(&self, message: &str, fields: Value) {
        self.line(Level::Warn, message, fields);
    }

    /// Something happened to a run.
    pub fn info(&self, message: &str, fields: Value) {
        self.line(Level::Info, message, fields);
    }

    /// Something that matters to who looks for a fault.
    pub fn debug(&self, message: &str, fields: Value) {
        self.line(Level::Debug, message, fields);
    }

    fn line(&self, level: Level, message: &str, fields: Value) {
        if level > self.level {
            return;
        }
        let mut line = Map::new();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let at_ms = now.map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
        line.insert("at_ms".into(), at_ms.into());
        line.insert("level".into(), level.name().into());
        line.insert("function".into(), self.function.into());
        if let Some(execution) = &self.execution {
            line.insert("execution".into(), execution.as_ref().into());
        }
        line.insert("message".into(), message.into());
        if let Value::Object(fields) = fields {
            line.extend(fields);
        }
        self.write(&Value::Object(line));
    }

    /// A line as it is.
    pub(crate) fn write(&self, line: &Value) {
        let mut text = line.to_string();
        text.push('\n');
        // Without its log a function still works; there is nobody else to tell.
        if let Ok(mut sink) = self.sink.lock() {
            let _ = sink.write_all(text.as_bytes());
            let _ = sink.flush();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_is_an_object_with_the_execution() {
        let out = Arc::new(Mutex::new(Vec::new()));
        let log = Log::to(Level::Info, "watch", out.clone()).of("01J");
        log.info("tasks \"ready\"", json!({"tasks": 3}));
        log.debug("not this", json!({}));
        let text = String::from_utf8(out.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1);
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["execution"], "01J");
        assert_eq!(line["tasks"], 3);
        assert_eq!(line["message"], "tasks \"ready\"");
    }
}
