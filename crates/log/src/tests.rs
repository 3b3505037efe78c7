use super::*;
use serde_json::json;
use tracing::{dispatcher, field};

fn written(least: Level, events: impl FnOnce()) -> Vec<Value> {
    let out = Arc::new(Mutex::new(Vec::new()));
    let program = json!({"function": "watch"});
    let program = program.as_object().unwrap().clone();
    dispatcher::with_default(&lines(least, program, out.clone()), events);
    let text = String::from_utf8(out.lock().unwrap().clone()).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[test]
fn a_line_is_one_object_whatever_the_message() {
    let lines = written(Level::Info, || {
        tracing::info!(tasks = 3, ratio = 0.5, why = %"none", "two\nlines and a \"quote\"");
        tracing::debug!("not this");
    });
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert_eq!(line["message"], "two\nlines and a \"quote\"");
    assert_eq!((&line["tasks"], &line["ratio"]), (&json!(3), &json!(0.5)));
    assert_eq!(
        (&line["why"], &line["function"]),
        (&json!("none"), &json!("watch"))
    );
    assert_eq!(line["level"], "info");
    let time = line["time"].as_str().unwrap();
    assert!(time.len() == 24 && time.ends_with('Z'), "{time}");
    assert!(line.get("target").is_none());
}

#[test]
fn what_a_span_learns_stands_in_the_lines_after_it() {
    let lines = written(Level::Info, || {
        let span = tracing::info_span!("invocation", execution = field::Empty);
        span.in_scope(|| {
            tracing::info!("before");
            tracing::Span::current().record("execution", "01J");
            tracing::warn!("after");
        });
    });
    assert!(lines[0].get("execution").is_none());
    assert_eq!(lines[1]["execution"], "01J");
}

#[test]
fn of_libraries_only_warnings_are_heard() {
    let lines = written(Level::Debug, || {
        tracing::info!(target: "aws_config::profile", "reading");
        tracing::warn!(target: "aws_config::profile", "no such profile");
    });
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["target"], "aws_config::profile");
    let quiet = written(Level::Error, || {
        tracing::warn!(target: "aws_config::profile", "no such profile");
    });
    assert_eq!(quiet, Vec::<Value>::new());
}
