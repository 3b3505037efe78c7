//! Data files.

use super::context::Decoder;
use crate::definition::keys::data::DATA;
use crate::definition::keys::grammar::delimiter;
use crate::definition::keys::{DEFINITION, data, root};
use crate::definition::model::{DataFormat, DataSource};
use crate::definition::tree::Node;

impl Decoder<'_> {
    /// `data`.
    pub(super) fn data(&mut self, root: &Node) -> Vec<DataSource> {
        let place = root::DATA_FILES.place(root);
        let is_list = place.is_some_and(|node| !node.items().is_empty());
        self.more_sources = !is_list && DEFINITION.means(root, root::DATA_FILES.key.name);
        let items = root::DATA_FILES.items(root).iter();
        items.filter_map(|node| self.source(node)).collect()
    }

    fn source(&mut self, node: &Node) -> Option<DataSource> {
        let name = data::NAME.or_default(node);
        self.more_sources |= data::NAME.of(node).is_none() && DATA.means(node, data::NAME.key.name);
        let is_second = self.sources.contains(&name);
        if !is_second {
            // Templates may name it whatever else is wrong with it.
            self.sources.push(name.clone());
        }
        let place = data::FILE.place(node)?;
        let file = self.file(place)?;
        let format = self.format(node, place, &file)?;
        if let Some(place) = data::DELIMITER
            .place(node)
            .filter(|_| format == DataFormat::Jsonl)
        {
            let issue = place.issue("delimiter has no effect on jsonl, which has none");
            self.sink.push(issue.hint("remove it").warning());
        }
        if is_second {
            let place = data::NAME.place(node).unwrap_or(node);
            let issue = place.issue(format!("there are two data sources called \"{name}\""));
            self.sink.push(issue.hint("give each a name of its own"));
            return None;
        }
        Some(DataSource {
            name,
            file,
            format,
            mode: data::MODE.or_default(node),
        })
    }

    fn format(&mut self, node: &Node, place: &Node, file: &str) -> Option<DataFormat> {
        let extension = file
            .rsplit_once('.')
            .map(|(_, extension)| extension.to_ascii_lowercase());
        let given = data::FORMAT.place(node).filter(|format| !format.is_open());
        let given = given.and_then(Node::string);
        match (given.as_deref(), extension.as_deref()) {
            (Some("csv"), _) | (None, Some("csv")) => {
                let given = data::DELIMITER.of(node);
                let given = given.and_then(|text| delimiter(&text).ok());
                let comma = || delimiter(&data::DELIMITER.unless_given()).ok();
                let delimiter = given.or_else(comma)?;
                Some(DataFormat::Csv { delimiter })
            }
            (None, Some("tsv")) if !data::DELIMITER.is_given(node) => {
                Some(DataFormat::Csv { delimiter: b'\t' })
            }
            (Some("jsonl"), _) | (None, Some("jsonl" | "ndjson")) => Some(DataFormat::Jsonl),
            (None, _) if !data::FORMAT.is_open(node) => {
                let issue = place.issue(format!(
                    "the name {} does not tell the format",
                    place.shown()
                ));
                self.sink
                    .push(issue.hint("add format: csv or format: jsonl"));
                None
            }
            _ => None,
        }
    }
}
