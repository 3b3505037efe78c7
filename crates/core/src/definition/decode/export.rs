//! `export`.

use super::context::Decoder;
use crate::definition::field::Field;
use crate::definition::keys::{export, root};
use crate::definition::model::ExportSpec;
use crate::definition::tree::Node;

impl Decoder<'_> {
    /// Where results go.
    pub(super) fn exports(&mut self, definition: &Node) -> Vec<ExportSpec> {
        let items = root::EXPORT.items(definition).iter();
        items.filter_map(|item| self.export(item)).collect()
    }

    fn export(&mut self, item: &Node) -> Option<ExportSpec> {
        let url = export::TO.place(item).unwrap_or(item);
        // Messages and records show it.
        self.no_secret(url);
        Some(ExportSpec {
            to: url.string()?,
            password: self.by_reference(item, &export::PASSWORD),
            token: self.by_reference(item, &export::TOKEN),
        })
    }

    /// A value that must not stand in the definition itself, which others read and the store keeps.
    pub(super) fn by_reference(&mut self, item: &Node, key: &Field<String>) -> Option<String> {
        let node = key.place(item)?;
        let scalar = node.scalar()?;
        if !scalar.is_resolved() && !scalar.is_open() {
            let name = key.key.name;
            let issue = node.issue(format!("the {name} itself stands in the definition"));
            self.sink.push(issue.hint(format!(
                "write {name}: \"${{secret:NAME}}\" or \"${{env:NAME}}\""
            )));
        }
        node.string()
    }
}
