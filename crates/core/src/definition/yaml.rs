//! YAML 1.2, and JSON as its subset, into a tree with places, bounded against hostile input.

mod explain;
mod surrogates;

use super::fault::{Issue, Sink};
use super::place::{Mark, Path};
use super::tree::{Content, Entry, Kind, Node, Scalar, number_reference};
use explain::explain;
use floodgate_records::printable::quoted;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, Tag};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// The largest definition in bytes.
pub const MAX_SIZE: usize = 1 << 20;
/// The deepest nesting of lists and maps.
pub const MAX_DEPTH: usize = 64;
/// The most values, those that aliases repeat included.
pub const MAX_NODES: usize = 100_000;
/// The longest scalar in bytes.
pub const MAX_SCALAR: usize = 256 << 10;
/// The most text in all, in bytes, that which aliases repeat included.
const MAX_TEXT: usize = 8 << 20;

/// What a text may have at most, in bytes and values. Definitions have [`Self::DEFINITION`].
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The text as it is.
    pub size: usize,
    /// Values, those that aliases repeat included.
    pub nodes: usize,
    /// A single scalar.
    pub scalar: usize,
    /// Text, that which aliases repeat included.
    pub text: usize,
}

impl Bounds {
    /// Those of a definition.
    pub const DEFINITION: Self = Self {
        size: MAX_SIZE,
        nodes: MAX_NODES,
        scalar: MAX_SCALAR,
        text: MAX_TEXT,
    };
}

/// What ends the reading at once.
type Fatal = Box<Issue>;

/// Reads one document. Faults that leave a tree, such as a duplicate key, go to `sink`.
///
/// # Errors
/// Text that is not YAML, more than one document, or a bound that is exceeded.
pub(super) fn read(text: &str, source: u16, sink: &mut Sink) -> Result<Node, Fatal> {
    read_within(text, source, sink, Bounds::DEFINITION)
}

/// The same within other bounds.
///
/// # Errors
/// As for [`read`].
pub(super) fn read_within(
    text: &str,
    source: u16,
    sink: &mut Sink,
    bounds: Bounds,
) -> Result<Node, Fatal> {
    let most = bounds.size;
    if text.len() > most {
        return Err(fatal(
            Mark::start(source),
            format!("the text is larger than {} MiB", most >> 20),
            &format!("at most {most} bytes; put data and bodies into files"),
        ));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let joined = surrogates::joined(text);
    let mut reader = Reader {
        parser: Parser::new_from_str(joined.as_ref().map_or(text, |joined| &joined.text)),
        joined: joined
            .as_ref()
            .map(|joined| joined.ends.clone())
            .unwrap_or_default(),
        lines: text.lines().map(|line| (line, line.is_ascii())).collect(),
        source,
        sink,
        anchors: HashMap::new(),
        open: HashSet::new(),
        nodes: 0,
        text: 0,
        bounds,
    };
    reader.document()
}

fn fatal(mark: Mark, problem: impl Into<String>, allowed: &str) -> Fatal {
    Box::new(Issue::new(mark, &Path::default(), problem).allowed(allowed))
}

fn too_deep(mark: Mark) -> Fatal {
    fatal(
        mark,
        "lists and maps are nested too deep",
        &format!("at most {MAX_DEPTH} levels"),
    )
}

struct Reader<'a, 's> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    /// Where pairs of escapes were joined.
    joined: surrogates::Ends,
    /// Each line, and whether it is ASCII, where characters are bytes.
    lines: Vec<(&'a str, bool)>,
    source: u16,
    sink: &'s mut Sink,
    anchors: HashMap<usize, Node>,
    /// Anchors whose node is not finished, which an alias inside of it would make endless.
    open: HashSet<usize>,
    nodes: usize,
    text: usize,
    bounds: Bounds,
}

impl<'a> Reader<'a, '_> {
    fn next(&mut self) -> Result<(Event<'a>, Mark), Fatal> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.mark(span))),
            Some(Err(error)) => {
                let at = *error.marker();
                let mark = self.mark(Span::empty(at));
                if error.info().contains("recursion limit") {
                    return Err(too_deep(mark));
                }
                Err(Box::new(explain(error.info(), mark, &self.lines)))
            }
            None => Ok((Event::StreamEnd, Mark::start(self.source))),
        }
    }

    fn mark(&self, span: Span) -> Mark {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let same_line = span.start.line() == span.end.line();
        let column = |at: Marker| at.col() + surrogates::shift(&self.joined, at.line(), at.col());
        let start = column(span.start);
        let width = if same_line {
            column(span.end).saturating_sub(start)
        } else {
            1
        };
        Mark {
            source: self.source,
            line: small(span.start.line().max(1)),
            column: small(start + 1),
            width: small(width.max(1)),
            inset: None,
        }
    }

    fn document(&mut self) -> Result<Node, Fatal> {
        let mut root = None;
        loop {
            let (event, mark) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if root.is_some() => {
                    return Err(fatal(
                        mark,
                        "a second document begins here",
                        "one definition a file",
                    ));
                }
                Event::StreamStart
                | Event::DocumentStart(_)
                | Event::DocumentEnd
                | Event::Nothing => {}
                other => root = Some(self.node(other, mark, 0)?),
            }
        }
        root.ok_or_else(|| {
            fatal(
                Mark::start(self.source),
                "the definition is empty",
                "a map; `floodgate init` writes one to start from",
            )
        })
    }

    fn count(&mut self, mark: Mark, nodes: usize, text: usize, depth: usize) -> Result<(), Fatal> {
        self.nodes += nodes;
        self.text += text;
        if depth > MAX_DEPTH {
            return Err(too_deep(mark));
        }
        if self.nodes > self.bounds.nodes {
            return Err(fatal(
                mark,
                "there are too many values, those that aliases repeat included",
                &format!("at most {}", self.bounds.nodes),
            ));
        }
        if self.text > self.bounds.text {
            return Err(fatal(
                mark,
                "there is too much text, that which aliases repeat included",
                &format!("at most {} bytes", self.bounds.text),
            ));
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'a>, mut mark: Mark, depth: usize) -> Result<Node, Fatal> {
        let (anchor, kind) = match event {
            Event::Alias(anchor) => return self.alias(anchor, mark, depth),
            Event::Scalar(text, style, anchor, tag) => {
                mark.inset = self.inset(&text, style, mark);
                (anchor, self.scalar(text, style, tag, mark, depth)?)
            }
            Event::SequenceStart(anchor, tag) => {
                self.count(mark, 1, 0, depth + 1)?;
                self.collection_tag(tag.as_deref(), "seq", mark);
                self.open.insert(anchor);
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, mark) => items.push(self.node(event, mark, depth + 1)?),
                    }
                }
                (anchor, Kind::List(items))
            }
            Event::MappingStart(anchor, tag) => {
                self.count(mark, 1, 0, depth + 1)?;
                self.collection_tag(tag.as_deref(), "map", mark);
                self.open.insert(anchor);
                (anchor, Kind::Map(self.entries(depth + 1)?))
            }
            _ => {
                return Err(fatal(
                    mark,
                    "a value is missing",
                    "text, a number, a list or a map",
                ));
            }
        };
        let node = Node {
            mark,
            path: Path::default(),
            kind,
        };
        if anchor > 0 {
            self.open.remove(&anchor);
            // An anchor's copy counts as well, or a chain of them would hold more than was counted.
            let (nodes, text) = size(&node);
            self.count(mark, nodes, text, 0)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, mark: Mark, depth: usize) -> Result<Node, Fatal> {
        let Some(node) = self.anchors.get(&anchor) else {
            let problem = if self.open.contains(&anchor) {
                "an alias is within its own anchor"
            } else {
                "unknown alias"
            };
            return Err(fatal(
                mark,
                problem,
                "an alias of an anchor that is complete before it",
            ));
        };
        let (nodes, text) = size(node);
        let levels = height(node);
        self.count(mark, nodes, text, depth + levels)?;
        // Faults point at the anchor's text, where they can be corrected.
        Ok(self.anchors[&anchor].clone())
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Fatal> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: HashMap<String, u32> = HashMap::new();
        let mut merged = Vec::new();
        loop {
            let (event, key_mark) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let is_alias = matches!(event, Event::Alias(_));
            let key = self.node(event, key_mark, depth)?;
            let (event, mark) = self.next()?;
            let value = self.node(event, mark, depth)?;
            let key_mark = if is_alias { key_mark } else { key.mark };
            let Kind::Scalar(scalar) = key.kind else {
                self.sink.push(
                    Issue::new(key_mark, &Path::default(), "a key is a list or a map")
                        .allowed("text"),
                );
                continue;
            };
            if scalar.plain && scalar.raw == "<<" {
                merged.push(value);
                continue;
            }
            if let Some(first) = seen.get(&scalar.raw) {
                let problem = format!("the key {} appears twice", quoted(&scalar.raw));
                self.sink.push(
                    Issue::new(key_mark, &Path::default(), problem)
                        .hint(format!("the first is in line {first}; keep one of them")),
                );
                continue;
            }
            seen.insert(scalar.raw.clone(), key_mark.line);
            entries.push(Entry {
                key: scalar.raw,
                key_mark,
                value,
            });
        }
        for value in merged {
            self.merge(value, &mut entries, &mut seen);
        }
        Ok(entries)
    }

    /// YAML's merge key (<https://yaml.org/type/merge.html>): what stands in the map itself wins, then what comes first.
    fn merge(&mut self, value: Node, entries: &mut Vec<Entry>, seen: &mut HashMap<String, u32>) {
        match value.kind {
            Kind::Map(more) => {
                for entry in more {
                    if !seen.contains_key(&entry.key) {
                        seen.insert(entry.key.clone(), entry.key_mark.line);
                        entries.push(entry);
                    }
                }
            }
            Kind::List(items) if items.iter().all(|item| matches!(item.kind, Kind::Map(_))) => {
                for item in items {
                    self.merge(item, entries, seen);
                }
            }
            _ => self.sink.push(
                value
                    .issue("<< cannot merge this value")
                    .allowed("an alias of a map, or a list of such"),
            ),
        }
    }

    fn scalar(
        &mut self,
        text: Cow<'a, str>,
        style: ScalarStyle,
        tag: Option<Cow<'a, Tag>>,
        mark: Mark,
        depth: usize,
    ) -> Result<Kind, Fatal> {
        self.count(mark, 1, text.len(), depth)?;
        if text.len() > self.bounds.scalar {
            return Err(fatal(
                mark,
                format!("a text of {} bytes is too long", text.len()),
                &format!("at most {} bytes; put it into a file", self.bounds.scalar),
            ));
        }
        let mut plain = style == ScalarStyle::Plain;
        match tag.as_deref() {
            None => {}
            Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => plain = false,
            Some(tag)
                if tag.is_yaml_core_schema()
                    && matches!(tag.suffix.as_str(), "int" | "float" | "bool" | "null") =>
            {
                plain = true;
            }
            Some(tag) => self.unknown_tag(tag, mark),
        }
        if let Some(digits) = number_reference(&text) {
            return Ok(Kind::Scalar(Scalar {
                raw: digits.to_owned(),
                plain: true,
                content: Content::AsWritten,
            }));
        }
        Ok(Kind::Scalar(Scalar {
            raw: text.into_owned(),
            plain,
            content: Content::AsWritten,
        }))
    }

    /// How many characters into the mark the text begins, if it stands there letter by letter.
    fn inset(&self, text: &str, style: ScalarStyle, mark: Mark) -> Option<u32> {
        if number_reference(text).is_some() {
            return None;
        }
        let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
        let quote = u32::from(quoted);
        self.stands_verbatim(text, mark, quote).then_some(quote)
    }

    /// Whether the text stands at the mark letter by letter, so that a place in it is a column of the file.
    fn stands_verbatim(&self, text: &str, mark: Mark, quote: u32) -> bool {
        const LONGEST: usize = 4_096;
        let Some((line, is_ascii)) = self.lines.get(mark.line as usize - 1) else {
            return false;
        };
        let skip = (mark.column - 1 + quote) as usize;
        if *is_ascii {
            return line
                .as_bytes()
                .get(skip..)
                .is_some_and(|rest| rest.starts_with(text.as_bytes()));
        }
        // Counting characters of a long line for each scalar in it would be quadratic.
        line.len() <= LONGEST
            && line
                .char_indices()
                .nth(skip)
                .is_some_and(|(at, _)| line[at..].starts_with(text))
    }

    fn collection_tag(&mut self, tag: Option<&Tag>, expected: &str, mark: Mark) {
        if let Some(tag) = tag.filter(|tag| !(tag.is_yaml_core_schema() && tag.suffix == expected))
        {
            self.unknown_tag(tag, mark);
        }
    }

    fn unknown_tag(&mut self, tag: &Tag, mark: Mark) {
        let problem = format!("the tag {} means nothing here", quoted(&tag.to_string()));
        self.sink.push(
            Issue::new(mark, &Path::default(), problem)
                .allowed("!!str, !!int, !!float, !!bool, !!null, !!seq, !!map"),
        );
    }
}

/// How many nodes and how many bytes of text.
fn size(node: &Node) -> (usize, usize) {
    let sum = |parts: &mut dyn Iterator<Item = (usize, usize)>| {
        parts.fold((1, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1))
    };
    match &node.kind {
        Kind::Scalar(scalar) => (1, scalar.raw.len()),
        Kind::List(items) => sum(&mut items.iter().map(size)),
        Kind::Map(entries) => sum(&mut entries.iter().map(|entry| {
            let (nodes, text) = size(&entry.value);
            (nodes + 1, text + entry.key.len())
        })),
    }
}

/// How many levels of lists and maps.
fn height(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar(_) => 0,
        Kind::List(items) => 1 + items.iter().map(height).max().unwrap_or(0),
        Kind::Map(entries) => {
            1 + entries
                .iter()
                .map(|entry| height(&entry.value))
                .max()
                .unwrap_or(0)
        }
    }
}
