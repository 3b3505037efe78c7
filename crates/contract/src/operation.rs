//! Operations: which requests they are, and which responses they may have.

use crate::difference::{Difference, collapsed};
use crate::document::{Document, Part};
use crate::error::Fault;
use crate::path::PathTemplate;
use crate::response::{Expected, Response};
use crate::servers::prefixes;
use std::cmp::Ordering;
use std::sync::Arc;

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// One operation.
#[derive(Debug)]
pub struct Operation {
    method: String,
    path: String,
    template: PathTemplate,
    rank: Vec<u8>,
    /// Paths of servers, the longest first.
    prefixes: Vec<String>,
    /// By what they are for; none where the document says nothing of responses.
    responses: Vec<(Statuses, Expected)>,
    document: Arc<Document>,
}

/// For which statuses a response is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statuses {
    One(u16),
    /// Hundreds: 2 for `2XX`.
    Range(u16),
    Default,
}

impl Statuses {
    fn parse(key: &str) -> Option<Self> {
        if key == "default" {
            return Some(Self::Default);
        }
        let upper = key.to_ascii_uppercase();
        if let Some(hundreds) = upper.strip_suffix("XX") {
            let hundreds = hundreds.parse().ok()?;
            return (1..=5).contains(&hundreds).then_some(Self::Range(hundreds));
        }
        let status = key.parse().ok()?;
        (100..=599).contains(&status).then_some(Self::One(status))
    }

    fn takes(self, status: u16) -> bool {
        match self {
            Self::One(one) => one == status,
            Self::Range(hundreds) => status / 100 == hundreds,
            Self::Default => true,
        }
    }

    fn said(self) -> String {
        match self {
            Self::One(one) => one.to_string(),
            Self::Range(hundreds) => format!("{hundreds}XX"),
            Self::Default => "default".to_owned(),
        }
    }

    /// The more definite of those that fit counts.
    const fn order(self) -> u8 {
        match self {
            Self::One(_) => 0,
            Self::Range(_) => 1,
            Self::Default => 2,
        }
    }
}

/// All operations of a document.
pub(crate) fn all(document: &Arc<Document>, faults: &mut Vec<Fault>) -> Vec<Operation> {
    let mut operations = Vec::new();
    let root = document.root();
    let Some(paths) = root.get("paths").filter(|paths| paths.value.is_object()) else {
        faults.push(Fault::at("", "the document has no paths"));
        return operations;
    };
    for (path, item) in paths.entries() {
        let item = match document.resolve(item) {
            Ok(item) => item,
            Err(fault) => {
                faults.push(fault);
                continue;
            }
        };
        if !path.starts_with('/') {
            faults.push(Fault::at(item.place, "a path begins with /"));
            continue;
        }
        for method in METHODS {
            if let Some(part) = item.get(method).filter(|part| part.value.is_object()) {
                let own = [&part, &item].map(|part| part.value.get("servers"));
                let servers = own.into_iter().flatten().next();
                let servers = servers.or_else(|| root.value.get("servers"));
                operations.push(Operation {
                    method: method.to_ascii_uppercase(),
                    path: path.to_owned(),
                    template: PathTemplate::parse(path),
                    rank: PathTemplate::parse(path).rank(),
                    prefixes: prefixes(servers),
                    responses: responses(document, &part, faults),
                    document: Arc::clone(document),
                });
            }
        }
    }
    operations
}

fn responses(
    document: &Document,
    operation: &Part<'_>,
    faults: &mut Vec<Fault>,
) -> Vec<(Statuses, Expected)> {
    let mut all = Vec::new();
    let responses = operation.get("responses");
    for (key, part) in responses.iter().flat_map(Part::entries) {
        let Some(statuses) = Statuses::parse(key) else {
            let allowed = "is not a valid status; allowed: 100 to 599, 1XX to 5XX, default";
            faults.push(Fault::at(part.place, format!("{key:?} {allowed}")));
            continue;
        };
        match document.resolve(part) {
            Ok(part) => all.push((statuses, Expected::of(document, &part, faults))),
            Err(fault) => faults.push(fault),
        }
    }
    all.sort_by_key(|(statuses, _)| statuses.order());
    all
}

impl Operation {
    /// Method and path, as the document has them: `GET /pets/{id}`.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// What of its schemas cannot be used. Later responses are checked faster.
    ///
    /// # Errors
    /// All that is wrong, with places in the document.
    pub fn compile(&self) -> Result<(), Vec<Fault>> {
        let expected = self.responses.iter();
        let faults = expected.flat_map(|(_, expected)| expected.compile(&self.document));
        let faults: Vec<_> = faults.collect();
        match faults.is_empty() {
            true => Ok(()),
            false => Err(faults),
        }
    }

    /// How a response differs from what the document says of it; nothing if it does not.
    pub fn differences(&self, response: &impl Response) -> Vec<Difference> {
        let status = response.status();
        let mut responses = self.responses.iter();
        let mut found = Vec::new();
        match responses.find(|(statuses, _)| statuses.takes(status)) {
            Some((_, expected)) => {
                let has_body = self.method != "HEAD" && !matches!(status, 100..200 | 204 | 304);
                expected.compare(&self.document, response, has_body, &mut found);
            }
            None if self.responses.is_empty() => {}
            None => {
                let known = self.responses.iter().map(|(statuses, _)| statuses.said());
                let known = known.collect::<Vec<_>>().join(", ");
                found.push(Difference::new("status", known, status.to_string()));
            }
        }
        let mut found = collapsed(found);
        for difference in &mut found {
            difference.operation = self.name();
        }
        found
    }

    pub(crate) fn takes(&self, method: &str, path: &str, bases: &[&str]) -> bool {
        if self.method != method {
            return false;
        }
        let own = self.prefixes.iter().map(String::as_str);
        let bases = bases.iter().map(|base| base.trim_end_matches('/'));
        own.chain(bases)
            .any(|prefix| match path.strip_prefix(prefix) {
                Some("") => self.template.takes("/"),
                Some(rest) => rest.starts_with('/') && self.template.takes(rest),
                None => false,
            })
    }

    /// The order in which operations are looked at: of two that take a path, the more concrete one counts.
    pub(crate) fn before(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank)
    }
}
