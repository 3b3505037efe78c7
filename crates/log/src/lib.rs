//! Log lines of the programs that run in AWS: one JSON object a line, which CloudWatch Logs Insights reads as fields.
//!
//! Each line has `time` (RFC 3339 in UTC with milliseconds), `level` and `message`, then what is known of the program, of the spans that
//! it is in, and of the event itself. What libraries warn of, such as the AWS SDK, comes with its `target`.

mod fields;

pub use floodgate_core::level::Level;
pub use tracing::Dispatch;

use chrono::{SecondsFormat, Utc};
use fields::Fields;
use serde_json::{Map, Value};
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::{LookupSpan, Registry, Scope};

/// Where lines go.
pub type Sink = Arc<Mutex<dyn Write + Send>>;

/// What the targets of this workspace's own events begin with.
const OWN: &str = "floodgate";

/// A collector of events that writes those of this program which matter at least so much, and warnings of libraries. `program` stands
/// in every line.
pub fn lines(least: Level, program: Map<String, Value>, sink: Sink) -> Dispatch {
    let heard = Targets::new()
        .with_target(OWN, filter(least))
        .with_default(LevelFilter::WARN.min(filter(least)));
    let lines = JsonLines { program, sink };
    Dispatch::new(Registry::default().with(lines.with_filter(heard)))
}

/// Writes a line as it is, such as one of metrics.
pub fn write(sink: &Sink, line: &Value) {
    // One write a line: lines of two threads do not mix. Without its log a program still works; there is nobody else to tell.
    if let Ok(mut sink) = sink.lock() {
        let _ = sink.write_all(format!("{line}\n").as_bytes());
        let _ = sink.flush();
    }
}

/// Reports panics of all threads as lines of the log.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!("panic, which is a fault of this program: {panic}");
    }));
}

const fn filter(level: Level) -> LevelFilter {
    match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    }
}

struct JsonLines {
    program: Map<String, Value>,
    sink: Sink,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for JsonLines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut line = Map::new();
        line.insert("time".into(), time.into());
        let level = metadata.level().as_str().to_ascii_lowercase();
        line.insert("level".into(), level.into());
        line.insert("message".into(), fields.take_message());
        if !metadata.target().starts_with(OWN) {
            line.insert("target".into(), metadata.target().into());
        }
        line.extend(self.program.clone());
        let spans = context.event_scope(event).into_iter();
        for span in spans.flat_map(Scope::from_root) {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                line.extend(of_span.all());
            }
        }
        line.extend(fields.all());
        write(&self.sink, &Value::Object(line));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
