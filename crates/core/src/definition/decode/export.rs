//! `export`.

use super::context::Decoder;
use crate::definition::keys::export::sink_url;
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
        let spec = ExportSpec {
            to: url.string()?,
            password: self.by_reference(export::PASSWORD.place(item), "password"),
            token: self.by_reference(export::TOKEN.place(item), "token"),
            live: export::LIVE.or_default(item),
        };
        // What has been told of a URL already is not told again.
        if !url.is_open() && sink_url(&spec.to).is_ok() {
            let fault = self.resolver.export_fault(&spec);
            fault
                .into_iter()
                .for_each(|fault| self.sink.push(url.issue(fault)));
        }
        Some(spec)
    }
}
