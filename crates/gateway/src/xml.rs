//! As much of XML as answers of IAM and deletions of S3 take: elements, their texts, no attributes.

use quick_xml::Reader;
use quick_xml::events::Event;

/// An element.
#[derive(Debug, Default)]
pub(crate) struct Element {
    name: String,
    content: String,
    children: Vec<Element>,
}

impl Element {
    /// The elements of a name, at any depth but not inside of one another.
    pub(crate) fn all<'e>(&'e self, name: &'e str) -> Box<dyn Iterator<Item = &'e Self> + 'e> {
        let below = self.children.iter().flat_map(move |child| {
            if child.name == name {
                Box::new(std::iter::once(child))
            } else {
                child.all(name)
            }
        });
        Box::new(below)
    }

    /// What is directly inside of the first child of a name.
    pub(crate) fn members(&self, name: &str) -> impl Iterator<Item = &Self> {
        let named = self.children.iter().find(|child| child.name == name);
        named.into_iter().flat_map(|list| &list.children)
    }

    /// The text of a child; empty if there is none.
    pub(crate) fn text(&self, name: &str) -> &str {
        let named = self.children.iter().find(|child| child.name == name);
        named.map_or("", |child| &child.content)
    }
}

/// Reads a document; its root is the one child of what is given back.
pub(crate) fn parse(document: &[u8]) -> Result<Element, String> {
    let text = std::str::from_utf8(document).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    let wrong = |what: &str| format!("{what} in an answer in XML");
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => open.push(Element {
                name: String::from_utf8_lossy(start.local_name().as_ref()).into_owned(),
                ..Element::default()
            }),
            Event::End(_) => {
                let ended = open.pop().ok_or_else(|| wrong("an end too many"))?;
                let above = open.last_mut().ok_or_else(|| wrong("an end too many"))?;
                above.children.push(ended);
            }
            Event::Text(text) => {
                let decoded = text.decode().map_err(|error| error.to_string())?;
                let above = open.last_mut().ok_or_else(|| wrong("a text outside"))?;
                above.content.push_str(&decoded);
            }
            Event::GeneralRef(reference) => {
                let name = reference.decode().map_err(|error| error.to_string())?;
                let whole = format!("&{name};");
                let text =
                    quick_xml::escape::unescape(&whole).map_err(|error| error.to_string())?;
                let above = open.last_mut().ok_or_else(|| wrong("a text outside"))?;
                above.content.push_str(&text);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    match open.len() {
        1 => open.pop().ok_or_else(|| wrong("nothing")),
        _ => Err(wrong("an element without an end")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_name_with_their_texts() {
        let root = parse(
            b"<?xml version=\"1.0\"?><a xmlns=\"x\"><l><member><k>1 &amp; 2</k></member><member><k>3</k><e/></member></l></a>",
        )
        .unwrap();
        let list: Vec<_> = root.all("a").flat_map(|a| a.members("l")).collect();
        let keys: Vec<_> = list.iter().map(|member| member.text("k")).collect();
        assert_eq!(keys, ["1 & 2", "3"]);
        assert_eq!(root.all("member").count(), 2);
        assert_eq!(list[0].text("none"), "");
        assert!(parse(b"<a><b></a>").is_err() && parse(b"<a>").is_err());
    }
}
