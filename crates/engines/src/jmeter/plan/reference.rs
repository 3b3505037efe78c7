//! XStream's references: where two values of a plan are one object, the file has it once, and `reference="…"` with the way to it in the
//! other place (<https://x-stream.github.io/graphs.html>, relative XPath). What refers is replaced by what it refers to, byte by byte, so
//! that every value stands where it counts and can be changed there alone.

use super::parse::{LARGEST, MOST};
use crate::jmeter::tokens::{Token, Tokens, attributes};
use crate::read::ReadError;
use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

/// References within what is referred to.
const DEEPEST: u8 = 32;

struct Node {
    parent: Option<usize>,
    place: Range<usize>,
    /// How many of each name stand below it.
    names: HashMap<Vec<u8>, usize>,
    reference: Option<String>,
}

#[derive(Default)]
struct Nodes {
    all: Vec<Node>,
    /// By parent, name, and which of that name, from 1.
    below: HashMap<(Option<usize>, Vec<u8>, usize), usize>,
    /// Those that refer, in the order of the file.
    referring: Vec<usize>,
}

/// The plan without references. One that leads nowhere stays as it is: JMeter says what is wrong with it. So does a plan that cannot be
/// read.
pub(in crate::jmeter) fn resolved(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memmem::find(bytes, b" reference=").is_none() || bytes.len() > LARGEST {
        return Cow::Borrowed(bytes);
    }
    let Some(nodes) = Nodes::read(bytes) else {
        return Cow::Borrowed(bytes);
    };
    let mut out = Vec::with_capacity(bytes.len());
    match nodes.write(bytes, 0..bytes.len(), 0, &mut out) {
        Some(()) => Cow::Owned(out),
        None => Cow::Borrowed(bytes),
    }
}

impl Nodes {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (mut nodes, mut open) = (Self::default(), Vec::<usize>::new());
        let mut tokens = Tokens::default();
        let read = tokens.push(bytes, |token, place| {
            match token {
                Token::Text(_) => {}
                Token::Open(..) if nodes.all.len() >= MOST => {
                    return Err(ReadError::malformed(
                        format!("byte {}", place.start),
                        format!("more than {MOST} tags"),
                    ));
                }
                Token::Open(name, rest, empty) => {
                    let number = nodes.add(open.last().copied(), name, rest, &place);
                    if !empty {
                        open.push(number);
                    }
                }
                Token::Close(_) => {
                    if let Some(number) = open.pop() {
                        nodes.all[number].place.end = place.end as usize;
                    }
                }
            }
            Ok::<_, ReadError>(())
        });
        (read.is_ok() && open.is_empty()).then_some(nodes)
    }

    fn add(
        &mut self,
        parent: Option<usize>,
        name: &[u8],
        rest: &[u8],
        place: &Range<u64>,
    ) -> usize {
        let number = self.all.len();
        let which = match parent {
            Some(parent) => {
                let count = self.all[parent].names.entry(name.to_vec()).or_insert(0);
                *count += 1;
                *count
            }
            None => 1,
        };
        self.below.insert((parent, name.to_vec(), which), number);
        let reference = attributes(rest).find(|(name, _)| *name == b"reference");
        if reference.is_some() {
            self.referring.push(number);
        }
        self.all.push(Node {
            parent,
            place: place.start as usize..place.end as usize,
            names: HashMap::new(),
            reference: reference.map(|(_, value)| value),
        });
        number
    }

    /// What a node refers to; never what it stands in.
    fn target(&self, from: usize) -> Option<usize> {
        let path = self.all[from].reference.as_deref()?;
        let mut at = Some(from);
        for step in path.split('/') {
            at = match step {
                ".." => self.all[at?].parent,
                "." => at,
                name => {
                    let (name, which) =
                        match name.strip_suffix(']').and_then(|n| n.rsplit_once('[')) {
                            Some((name, which)) => (name, which.parse().ok()?),
                            None => (name, 1),
                        };
                    Some(*self.below.get(&(at, name.as_bytes().to_vec(), which))?)
                }
            };
        }
        let (target, own) = (at?, &self.all[from].place);
        let place = &self.all[target].place;
        (place.end <= own.start || place.start >= own.end).then_some(target)
    }

    /// Writes a range with all references in it resolved; `None` if that is too much.
    fn write(&self, bytes: &[u8], range: Range<usize>, depth: u8, out: &mut Vec<u8>) -> Option<()> {
        let place = |number: usize| &self.all[number].place;
        let first = self
            .referring
            .partition_point(|&number| place(number).start < range.start);
        let mut at = range.start;
        for &number in &self.referring[first..] {
            let own = place(number);
            if own.start >= range.end {
                break;
            }
            let Some(target) = self.target(number).filter(|_| own.start >= at) else {
                continue;
            };
            if depth >= DEEPEST {
                return None;
            }
            out.extend_from_slice(&bytes[at..own.start]);
            self.write(bytes, place(target).clone(), depth + 1, out)?;
            at = own.end;
        }
        out.extend_from_slice(&bytes[at..range.end]);
        (out.len() <= LARGEST).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        String::from_utf8_lossy(&resolved(text.as_bytes())).into_owned()
    }

    #[test]
    fn what_refers_becomes_what_it_refers_to() {
        let rows = r#"<c name="t"><c name="1"><s name="a">7</s><s name="b">9</s></c><c name="2"><s reference="../../c/s[2]"/><s reference="../../c/s"></s></c></c>"#;
        assert_eq!(
            of(rows),
            r#"<c name="t"><c name="1"><s name="a">7</s><s name="b">9</s></c><c name="2"><s name="b">9</s><s name="a">7</s></c></c>"#
        );
        let whole = r#"<t><c name="1"><s>7</s></c><c reference="../c"/></t>"#;
        assert_eq!(
            of(whole),
            r#"<t><c name="1"><s>7</s></c><c name="1"><s>7</s></c></t>"#
        );
    }

    #[test]
    fn what_leads_nowhere_or_round_in_a_circle_stays() {
        for text in [
            r#"<t><s reference="../x"/></t>"#,
            r#"<t><s reference="../../../.."/></t>"#,
            r#"<t><s reference=".."/></t>"#,
            r#"<t><s reference="../s[x]"/></t>"#,
            r#"<t><s reference="../s"></t>"#,
            r#"<t><a><s reference="../../b"/></a><b><s reference="../../a"/></b></t>"#,
        ] {
            assert_eq!(of(text), text);
        }
    }

    #[test]
    fn what_doubles_with_each_reference_is_left_alone() {
        let mut text = format!("<t><s>{}</s>", "x".repeat(1 << 16));
        for n in 1..30 {
            text +=
                &format!(r#"<s><s reference="../../s[{n}]"/><s reference="../../s[{n}]"/></s>"#);
        }
        text += "</t>";
        assert_eq!(of(&text), text);
    }
}
