//! What the parts of the decoder share: the surroundings, what has been found so far, and text that a run leaves for everyone to
//! read, in which a secret would be none.

use super::sample_tags::TagsOfSamples;
use crate::definition::fault::Sink;
use crate::definition::field::{Field, Parts};
use crate::definition::keys::places::is_inside;
use crate::definition::resolve::Resolver;
use crate::definition::tree::{Node, Scalar};
use floodgate_records::engine::Engine;
use floodgate_records::keys::{DEFINITION_FILE, INSPECTION_FILE};
use floodgate_records::metric::MetricKind;
use floodgate_records::printable::quoted;
use std::collections::{BTreeMap, BTreeSet};

/// A definition that is being built.
pub(super) struct Decoder<'a> {
    pub(super) resolver: &'a dyn Resolver,
    pub(super) sink: &'a mut Sink,
    /// The files that it names.
    pub(super) files: BTreeSet<String>,
    /// The engine; `None` if what is said of it is none, which has been reported.
    pub(super) engine: Option<Engine>,
    /// Whether there is a target, be it a faulty one.
    pub(super) has_target: bool,
    /// The names of all data sources, those included whose file is open.
    pub(super) sources: Vec<String>,
    /// What setup sets and extracts.
    pub(super) given: Vec<String>,
    /// Whether there is more of it that is not known, since setup is faulty.
    pub(super) more_given: bool,
    /// The metrics of the test's own, and their types.
    pub(super) metrics: BTreeMap<String, MetricKind>,
    /// Whether there are more that are not known, since what says so is faulty.
    pub(super) more_sources: bool,
    /// What thresholds may ask for.
    pub(super) tags_of_samples: TagsOfSamples,
}

impl Decoder<'_> {
    /// The path of a file, which has to exist; `None` of an open one.
    pub(super) fn file(&mut self, node: &Node) -> Option<String> {
        let path = self.shown(node).filter(|path| is_inside(path))?;
        if node.is_open() {
            return None;
        }
        self.existing(node, &path);
        Some(path)
    }

    /// The same of a path that stands within a text.
    pub(super) fn named_file(&mut self, node: &Node, path: &str) {
        self.no_secret(node);
        match is_inside(path) {
            true => self.existing(node, path),
            false => {
                let problem = format!("the path {} is not one of a file here", quoted(path));
                let allowed = "a relative path in the definition's folder or below it";
                self.sink.push(node.issue(problem).allowed(allowed));
            }
        }
    }

    fn existing(&mut self, node: &Node, path: &str) {
        if [DEFINITION_FILE, INSPECTION_FILE].contains(&path) {
            let issue = node.issue(format!("{} is the name of a file of ours", node.shown()));
            self.sink
                .push(issue.hint("call the file otherwise: both are stored in one folder"));
        }
        if !self.resolver.file_exists(path) {
            let issue = node.issue(format!("the file {} does not exist", node.shown()));
            self.sink.push(issue.hint(self.resolver.missing_file()));
        }
        self.files.insert(path.to_owned());
    }

    /// Text that everyone may read who reads results.
    pub(super) fn shown(&mut self, node: &Node) -> Option<String> {
        self.no_secret(node);
        node.string()
    }

    /// Reports a secret where it would be written into results.
    pub(super) fn no_secret(&mut self, node: &Node) {
        if node.scalar().is_some_and(Scalar::is_secret) {
            let issue = node.issue("a secret cannot stand here, where all results would have it");
            self.sink.push(
                issue.hint("write it where it is sent: into a header, auth, a URL or a body"),
            );
        }
    }

    /// A value that must not stand in the definition itself, which others read and the store keeps.
    pub(super) fn by_reference(&mut self, node: Option<&Node>, name: &str) -> Option<String> {
        let node = node?;
        let scalar = node.scalar()?;
        if !scalar.is_resolved() && !scalar.is_open() {
            let issue = node.issue(format!("the {name} itself stands in the definition"));
            self.sink.push(issue.hint(format!(
                "write {name}: \"${{secret:NAME}}\" or \"${{env:NAME}}\""
            )));
        }
        node.string()
    }

    /// A map of tags.
    pub(super) fn tags(&mut self, map: &Node, key: Field<Parts>) -> BTreeMap<String, String> {
        let entries = key.entries(map).iter();
        entries
            .filter_map(|entry| Some((entry.key.clone(), self.shown(&entry.value)?)))
            .collect()
    }
}
