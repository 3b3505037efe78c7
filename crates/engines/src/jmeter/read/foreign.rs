//! Elements of XML results that are no `sample` and no `httpSample`: plugins have classes of results of their own, which XStream writes
//! field by field (`<com.googlecode.jmeter.plugins.webdriver.sampler.SampleResultWithSubs>` with `<label>`, `<elapsedTime>` and so on).

use super::evidence::Evidence;
use super::outcome::Code;
use super::sample::{LATEST_MS, LONGEST_MS};
use crate::jmeter::figures::Figures;
use std::collections::BTreeMap;

/// The fields that are read of a `SampleResult`.
const FIELDS: [&str; 12] = [
    "timeStamp",
    "startTime",
    "elapsedTime",
    "idleTime",
    "label",
    "responseCode",
    "responseMessage",
    "threadName",
    "success",
    "bytes",
    "sentBytes",
    "allThreads",
];

/// Classes that are told.
const MOST_TOLD: usize = 5;

/// An element whose end has not come.
#[derive(Debug, Default)]
pub(super) struct Foreign {
    class: String,
    /// Elements that are open below it.
    depth: usize,
    fields: BTreeMap<&'static str, String>,
}

/// What such an element says, as far as it is a sample.
pub(super) struct Found {
    pub(super) figures: Figures,
    pub(super) label: String,
    pub(super) thread: String,
    pub(super) code: Code,
    pub(super) ok: bool,
    pub(super) evidence: Evidence,
}

impl Foreign {
    pub(super) fn new(class: &[u8]) -> Self {
        let class = String::from_utf8_lossy(&class[..class.len().min(200)]).into_owned();
        Self {
            class,
            ..Self::default()
        }
    }

    /// An element opens below it; whether its text is of interest.
    pub(super) fn open(&mut self, name: &[u8]) -> bool {
        self.depth += 1;
        self.depth == 1 && field(name).is_some()
    }

    /// An element closes; whether it was this one.
    pub(super) fn close(&mut self, name: &[u8], text: Option<String>) -> bool {
        if self.depth == 0 {
            return true;
        }
        self.depth -= 1;
        if let (Some(name), Some(text)) = (field(name), text) {
            self.fields.insert(name, text);
        }
        false
    }

    fn text(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", |text| text.trim())
    }

    /// The sample that it is; `None` without the times and the outcome of one.
    pub(super) fn found(&self) -> Option<Found> {
        let number = |name: &str| self.text(name).parse::<u64>().ok();
        let start = number("startTime").filter(|start| *start > 0);
        let start_ms = start.or_else(|| number("timeStamp"))?;
        if self.text("success").is_empty() || start_ms > LATEST_MS {
            return None;
        }
        Some(Found {
            figures: Figures {
                start_ms: i64::try_from(start_ms).ok()?,
                elapsed_ms: number("elapsedTime").filter(|ms| *ms <= LONGEST_MS)?,
                idle_ms: number("idleTime").unwrap_or(0).min(LONGEST_MS),
                bytes: number("bytes"),
                sent_bytes: number("sentBytes"),
                all_threads: number("allThreads"),
                ..Figures::default()
            },
            label: self.text("label").to_owned(),
            thread: self.text("threadName").to_owned(),
            code: Code::parse(
                self.text("responseCode").as_bytes(),
                self.text("responseMessage").as_bytes(),
            ),
            ok: self.text("success").eq_ignore_ascii_case("true"),
            evidence: Evidence {
                code: self.text("responseCode").to_owned(),
                message: self.text("responseMessage").to_owned(),
                ..Evidence::default()
            },
        })
    }

    pub(super) fn class(&self) -> &str {
        &self.class
    }
}

fn field(name: &[u8]) -> Option<&'static str> {
    FIELDS.into_iter().find(|field| field.as_bytes() == name)
}

/// How many elements of which classes there were.
#[derive(Debug, Default)]
pub(super) struct ClassCounts {
    count: u64,
    classes: BTreeMap<String, u64>,
}

impl ClassCounts {
    pub(super) fn add(&mut self, class: &str) {
        self.count += 1;
        if let Some(count) = self.classes.get_mut(class) {
            *count += 1;
        } else if self.classes.len() < MOST_TOLD {
            self.classes.insert(class.to_owned(), 1);
        }
    }

    /// A sentence on them, if there are any: how many, and what became of them.
    pub(super) fn warning(&self, what: &str) -> Option<String> {
        let classes: Vec<_> = self
            .classes
            .iter()
            .map(|(class, count)| format!("{} {count}", class.escape_debug()))
            .collect();
        (self.count > 0).then(|| format!("{} elements {what}: {}", self.count, classes.join(", ")))
    }
}
