//! Whether a value fits its shape, and what is said if not.

use super::{EXTENSION, Names, Shape, Table, Text};
use crate::definition::fault::{Issue, Sink};
use crate::definition::place::Mark;
use crate::definition::tree::{Content, Core, Kind, Node, Piece, Plain, Scalar, plain};
use crate::syntax::{SyntaxError, quoted};

impl Shape {
    /// Reports everything about `node` that does not fit.
    pub(in crate::definition) fn check(&self, node: &Node, sink: &mut Sink) {
        match (self, &node.kind) {
            (Self::Any, _) => any(node, sink),
            (
                Self::Text(_)
                | Self::Integer { .. }
                | Self::Number { .. }
                | Self::Boolean
                | Self::Choice(_)
                | Self::Grammar(_),
                Kind::Scalar(scalar),
            ) => {
                self.check_scalar(node, scalar, sink);
            }
            (Self::List { of, min }, Kind::List(items)) => {
                if items.len() < *min {
                    sink.push(node.issue("the list is empty").allowed(self.said()));
                }
                items.iter().for_each(|item| of.check(item, sink));
            }
            (Self::Map { keys, of, min }, Kind::Map(entries)) => {
                if entries.len() < *min {
                    sink.push(node.issue("the map is empty").allowed(self.said()));
                }
                for entry in entries {
                    if let Err(error) = keys.check(&entry.key) {
                        sink.push(Issue::syntax(entry.key_mark, &entry.value.path, error));
                    }
                    of.check(&entry.value, sink);
                }
            }
            (Self::Object(table), Kind::Map(_)) => table.check(node, &[], sink),
            (Self::Tagged { tag, variants }, Kind::Map(_)) => tagged(node, tag, variants, sink),
            (Self::Leading(tables), Kind::Map(_)) => leading(node, tables, sink),
            (Self::Either(shapes), kind) => match shapes.iter().find(|shape| shape.takes(kind)) {
                Some(shape) => shape.check(node, sink),
                None => mismatch(node, self, sink),
            },
            _ => mismatch(node, self, sink),
        }
    }

    fn takes(&self, kind: &Kind) -> bool {
        match self {
            Self::Any => true,
            Self::List { .. } => matches!(kind, Kind::List(_)),
            Self::Map { .. } | Self::Object(_) | Self::Tagged { .. } | Self::Leading(_) => {
                matches!(kind, Kind::Map(_))
            }
            Self::Either(shapes) => shapes.iter().any(|shape| shape.takes(kind)),
            _ => matches!(kind, Kind::Scalar(_)),
        }
    }

    fn check_scalar(&self, node: &Node, scalar: &Scalar, sink: &mut Sink) {
        if matches!(scalar.content, Content::Broken) {
            return;
        }
        if let Self::Text(Text {
            template: true,
            max,
            ..
        }) = self
        {
            // Templates are read where they are used, since what they may name depends on the place.
            if let Some(allowed) = as_text(scalar) {
                sink.push(
                    node.issue(format!("must be text, is {}", node.shown()))
                        .allowed(allowed),
                );
            } else if scalar.raw.len() > *max {
                sink.push(
                    node.issue(format!("{} bytes are too long", scalar.raw.len()))
                        .allowed(format!("at most {max} bytes")),
                );
            }
            return;
        }
        let Some(text) = scalar.text() else {
            sink.push(template_misplaced(node, scalar));
            return;
        };
        if scalar.is_open() {
            // It is what fits here, and is looked at where it is known.
            return;
        }
        // A number or a boolean that a reference gives may stand in quotes.
        let core = if scalar.is_resolved() {
            Core::of(&text)
        } else {
            scalar.core()
        };
        let fits = match self {
            Self::Integer { min, max } => {
                matches!(core, Core::Integer(value) if (i128::from(*min)..=i128::from(*max)).contains(&value))
            }
            #[allow(clippy::cast_precision_loss)]
            Self::Number { min, max } => match core {
                Core::Integer(value) => (*min..=*max).contains(&(value as f64)),
                Core::Float(value) => (*min..=*max).contains(&value),
                _ => false,
            },
            Self::Boolean => matches!(core, Core::Boolean(_)),
            Self::Choice(words) => {
                if !words.contains(&text.as_ref()) {
                    sink.push(
                        node.issue(format!("{} is not known", node.shown()))
                            .allowed(self.said())
                            .nearest(&text, words.iter().copied()),
                    );
                }
                return;
            }
            Self::Grammar(grammar) => {
                if core == Core::Null && !scalar.is_resolved() {
                    sink.push(
                        node.issue("must have a value, is empty")
                            .allowed(grammar.said),
                    );
                } else if let Err(error) = (grammar.check)(&text) {
                    sink.push(hide(node, scalar, error));
                } else if let Some(doubt) = (grammar.doubt)(&text).filter(|_| !scalar.is_secret()) {
                    sink.push(node.issue(doubt).warning());
                }
                return;
            }
            Self::Text(text_shape) => {
                if let Some(allowed) = as_text(scalar) {
                    sink.push(
                        node.issue(format!("must be text, is {}", node.shown()))
                            .allowed(allowed),
                    );
                } else if text.len() > text_shape.max {
                    sink.push(
                        node.issue(format!("{} bytes are too long", text.len()))
                            .allowed(format!("at most {} bytes", text_shape.max)),
                    );
                } else if let Some(Err(error)) = text_shape.names.map(|names| names.check(&text)) {
                    sink.push(hide(node, scalar, error));
                }
                return;
            }
            _ => true,
        };
        if !fits {
            mismatch(node, self, sink);
        }
    }
}

impl Names {
    fn check(&self, name: &str) -> Result<(), SyntaxError> {
        if let Some((_, why)) = self.reserved.iter().find(|(reserved, _)| *reserved == name) {
            let problem = format!("the name {} is reserved", quoted(name));
            return Err(SyntaxError::new(0, problem)
                .allowed("another name")
                .hint(*why));
        }
        if (self.valid)(name) {
            return Ok(());
        }
        Err(
            SyntaxError::new(0, format!("{} is no valid name here", quoted(name)))
                .allowed(self.said),
        )
    }
}

impl Table {
    fn check(&self, node: &Node, siblings: &[&Self], sink: &mut Sink) {
        for entry in node.entries() {
            match self.key(&entry.key) {
                Some(key) => key.shape.check(&entry.value, sink),
                None if self.name == "definition" && entry.key.starts_with(EXTENSION) => {}
                None => self.unknown(&entry.key, entry.key_mark, &entry.value, siblings, sink),
            }
        }
        for key in self
            .all()
            .filter(|key| key.required && node.get(key.name).is_none())
        {
            let near = node.entries().iter().any(|entry| {
                self.key(&entry.key).is_none()
                    && crate::syntax::nearest(&entry.key, self.names()) == Some(key.name)
            });
            if !near {
                sink.push(
                    node.issue(format!("the key \"{}\" is missing", key.name))
                        .allowed(key.shape.said()),
                );
            }
        }
        let present = |names: &[&str]| -> Vec<String> {
            names
                .iter()
                .filter(|name| node.get(name).is_some())
                .map(|name| format!("\"{name}\""))
                .collect()
        };
        let leading = present(self.one_of);
        if leading.is_empty() && !self.one_of.is_empty() {
            sink.push(
                node.issue("a key is missing")
                    .allowed(format!("exactly one of {}", self.one_of.join(", "))),
            );
        } else if leading.len() > 1 {
            sink.push(
                node.issue(format!("{} exclude each other", leading.join(" and ")))
                    .allowed(format!("exactly one of {}", self.one_of.join(", "))),
            );
        }
        let alternatives = present(self.at_most_one);
        if alternatives.len() > 1 {
            sink.push(
                node.issue(format!("{} exclude each other", alternatives.join(" and ")))
                    .allowed(format!("at most one of {}", self.at_most_one.join(", "))),
            );
        }
    }

    fn unknown(&self, name: &str, mark: Mark, value: &Node, siblings: &[&Self], sink: &mut Sink) {
        let issue = Issue::new(mark, &value.path, "unknown key");
        let allowed = self.names().collect::<Vec<_>>().join(", ");
        if let Some((_, remedy)) = self.foreign.iter().find(|(foreign, _)| *foreign == name) {
            sink.push(issue.hint(*remedy).allowed(allowed));
            return;
        }
        let owners: Vec<_> = siblings
            .iter()
            .filter(|table| table.key(name).is_some())
            .map(|table| table.name)
            .collect();
        if owners.is_empty() {
            sink.push(issue.allowed(allowed).nearest(name, self.names()));
        } else {
            let problem = format!("{} does not take this key", self.name);
            let issue = Issue::new(mark, &value.path, problem);
            sink.push(
                issue
                    .hint(format!("it belongs to {}", owners.join(", ")))
                    .allowed(allowed),
            );
        }
    }
}

fn tagged(node: &Node, tag: &str, variants: &[(&str, &'static Table)], sink: &mut Sink) {
    let words = || variants.iter().map(|(word, _)| *word);
    let allowed = || words().collect::<Vec<_>>().join(", ");
    let Some(value) = node.get(tag) else {
        let tables: Vec<_> = variants.iter().map(|(_, table)| *table).collect();
        let misspelt = node
            .entries()
            .iter()
            .find(|entry| crate::syntax::nearest(&entry.key, [tag]).is_some());
        match misspelt {
            Some(entry) => tables[0].unknown(&entry.key, entry.key_mark, &entry.value, &[], sink),
            None => sink.push(
                node.issue(format!("the key \"{tag}\" is missing"))
                    .allowed(allowed()),
            ),
        }
        // Which keys belong to it is not known then; those that none has are wrong in any case.
        for entry in node
            .entries()
            .iter()
            .filter(|entry| tables.iter().all(|table| table.key(&entry.key).is_none()))
        {
            if misspelt.is_none_or(|misspelt| misspelt.key != entry.key) {
                let issue = Issue::new(entry.key_mark, &entry.value.path, "unknown key");
                sink.push(issue.nearest(&entry.key, tables.iter().flat_map(|table| table.names())));
            }
        }
        return;
    };
    let word = value.text();
    if value.is_open() {
        sink.push(must_be_known(value));
        return;
    }
    match variants
        .iter()
        .find(|(name, _)| Some(*name) == word.as_deref())
    {
        Some((_, table)) => {
            let siblings: Vec<_> = variants.iter().map(|(_, table)| *table).collect();
            table.check(node, &siblings, sink);
        }
        None => {
            let near = word.as_deref().unwrap_or("").to_owned();
            let problem = format!("{} is not known", value.shown());
            sink.push(
                value
                    .issue(problem)
                    .allowed(allowed())
                    .nearest(&near, words()),
            );
            let tables: Vec<_> = variants.iter().map(|(_, table)| *table).collect();
            for entry in node.entries() {
                match tables.iter().find_map(|table| table.key(&entry.key)) {
                    Some(key) if entry.key != tag => key.shape.check(&entry.value, sink),
                    Some(_) => {}
                    None => {
                        let issue = Issue::new(entry.key_mark, &entry.value.path, "unknown key");
                        sink.push(
                            issue
                                .nearest(&entry.key, tables.iter().flat_map(|table| table.names())),
                        );
                    }
                }
            }
        }
    }
}

fn leading(node: &Node, tables: &[&'static Table], sink: &mut Sink) {
    let keys = || tables.iter().flat_map(|table| table.one_of.iter().copied());
    let found = tables
        .iter()
        .find(|table| table.one_of.iter().any(|key| node.get(key).is_some()));
    if let Some(table) = found {
        table.check(node, tables, sink);
        return;
    }
    let allowed = keys().collect::<Vec<_>>().join(", ");
    let foreign = node.entries().iter().find_map(|entry| {
        let mut known = tables.iter().flat_map(|table| table.foreign);
        Some((entry, known.find(|(name, _)| *name == entry.key)?.1))
    });
    if let Some((entry, remedy)) = foreign {
        let issue = Issue::new(entry.key_mark, &entry.value.path, "unknown key");
        sink.push(issue.hint(remedy).allowed(allowed));
        return;
    }
    let misspelt = node
        .entries()
        .iter()
        .find_map(|entry| Some((entry, crate::syntax::nearest(&entry.key, keys())?)));
    match misspelt {
        Some((entry, near)) => {
            let issue = Issue::new(entry.key_mark, &entry.value.path, "unknown key");
            sink.push(issue.hint(format!("\"{near}\"")).allowed(allowed));
        }
        None => sink.push(
            node.issue("none of the keys says what this is")
                .allowed(format!("one of {allowed}")),
        ),
    }
}

/// A fault of an open value that decides how others are read.
pub(in crate::definition) fn must_be_known(node: &Node) -> Issue {
    let problem = format!(
        "what {} stands for must be known here, since the rest depends on it",
        node.shown()
    );
    node.issue(problem)
        .hint("give it a value, or a default: ${env:NAME:-DEFAULT}")
}

fn mismatch(node: &Node, shape: &Shape, sink: &mut Sink) {
    if node
        .scalar()
        .is_some_and(|scalar| matches!(scalar.content, Content::Broken))
    {
        return;
    }
    let issue = node
        .issue(format!("is {}, which does not fit", node.shown()))
        .allowed(shape.said());
    let quoted_number = matches!(
        shape,
        Shape::Integer { .. } | Shape::Number { .. } | Shape::Boolean
    ) && node.scalar().is_some_and(|scalar| {
        !scalar.plain && !scalar.is_resolved() && Core::of(&scalar.raw) != Core::Text
    });
    sink.push(if quoted_number {
        issue.hint("write it without quotes")
    } else {
        issue
    });
}

/// What would be right if a scalar cannot stand for text.
fn as_text(scalar: &Scalar) -> Option<&'static str> {
    match scalar.core() {
        Core::Text | Core::Boolean(_) => None,
        Core::Integer(value) if value.to_string() == scalar.raw => None,
        Core::Null => Some("text; \"\" is the empty one"),
        Core::Integer(_) | Core::Float(_) | Core::Huge | Core::Unusable => Some(
            "text; put it into quotes, since YAML reads this as a number and may write it in another way",
        ),
    }
}

/// An error in a text that holds a secret must not show it.
pub(in crate::definition) fn hide(node: &Node, scalar: &Scalar, error: SyntaxError) -> Issue {
    if scalar.is_secret() {
        let issue = node.issue(format!(
            "what {} was resolved to does not fit",
            scalar.shown()
        ));
        return match error.allowed {
            Some(allowed) => issue.allowed(allowed),
            None => issue,
        };
    }
    if scalar.is_resolved() {
        let problem = format!("{} (from {})", error.problem, quoted(&scalar.raw));
        return Issue::syntax(node.mark, &node.path, SyntaxError { problem, ..error });
    }
    node.syntax(error)
}

fn template_misplaced(node: &Node, scalar: &Scalar) -> Issue {
    let at = match &scalar.content {
        Content::Pieces(pieces) => pieces.iter().find_map(|piece| match piece {
            Piece::Expression { at, text } => Some((*at, text.as_str())),
            _ => None,
        }),
        _ => None,
    };
    let (at, text) = at.unwrap_or((2, ""));
    let known = crate::template::REFERENCES
        .map(|prefix| format!("${{{prefix}:…}}"))
        .join(", ");
    node.syntax(
        SyntaxError::new(
            at.saturating_sub(2)..at + text.len() + 1,
            format!("${{{text}}} cannot stand here, where nothing changes from request to request"),
        )
        .allowed(format!("{known}, and $${{ for a literal ${{")),
    )
}

/// What JSON cannot say.
fn any(node: &Node, sink: &mut Sink) {
    match &node.kind {
        Kind::Scalar(scalar) if !matches!(scalar.content, Content::Broken) => {
            let core = scalar.core();
            let unusable = core == Core::Unusable || core.is_number();
            if unusable && plain(scalar) == Plain::Text {
                sink.push(
                    node.issue(format!("JSON has no number {}", node.shown()))
                        .hint("put it into quotes to send it as text, or write it without leading zeros"),
                );
            }
        }
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter().for_each(|item| any(item, sink)),
        Kind::Map(entries) => entries.iter().for_each(|entry| any(&entry.value, sink)),
    }
}
