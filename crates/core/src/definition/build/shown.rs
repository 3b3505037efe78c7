//! Text that stands in what a run leaves: names, tags, files, thresholds. A secret in it would be no secret.

use super::Build;
use crate::definition::tree::{Node, Scalar};
use std::collections::BTreeMap;

impl Build<'_> {
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

    /// The map `tags` of a node.
    pub(super) fn tags(&mut self, node: &Node) -> BTreeMap<String, String> {
        let entries = node.get("tags").map_or(&[][..], Node::entries);
        entries
            .iter()
            .filter_map(|entry| Some((entry.key.clone(), self.shown(&entry.value)?)))
            .collect()
    }
}
