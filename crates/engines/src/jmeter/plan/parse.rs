//! JMX into elements. The file is `hashTree` in `hashTree`: an element, then the tree of what stands under it.

use super::model::{Element, Plan, Prop, Switch};
use crate::jmeter::tokens::{Token, Tokens, attributes, unescape};
use crate::read::ReadError;
use std::ops::Range;

/// The largest plan in bytes.
pub(super) const LARGEST: usize = 64 << 20;
/// Tags within tags.
const DEEPEST: usize = 512;
/// Elements and values.
pub(super) const MOST: usize = 500_000;

/// What is open.
enum Open {
    /// `hashTree` under an element.
    Tree {
        of: Option<usize>,
        last: Option<usize>,
    },
    /// A test element.
    Element,
    /// A value or a collection; its number, and where its text begins.
    Prop {
        number: usize,
        text: usize,
        leaf: bool,
    },
    /// The name or the value of a number in long form: `<doubleProp><name>…</name><value>…`.
    Long {
        number: usize,
        text: usize,
        value: bool,
    },
    /// Anything else.
    Other,
}

struct Parser<'a> {
    bytes: &'a [u8],
    plan: Plan,
    open: Vec<(Vec<u8>, Open)>,
    count: usize,
}

/// Why a plan is not a plan, in words.
pub(super) type Problem = String;

impl Plan {
    /// Reads a plan.
    ///
    /// # Errors
    /// What is wrong and where, in words.
    pub(in crate::jmeter) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        if bytes.len() > LARGEST {
            return Err(format!(
                "{} bytes are more than {LARGEST}: split the plan",
                bytes.len()
            ));
        }
        if std::str::from_utf8(bytes).is_err() {
            return Err("not UTF-8: save it with JMeter 2.13 or later".to_owned());
        }
        let mut parser = Parser {
            bytes,
            plan: Self::default(),
            open: Vec::new(),
            count: 0,
        };
        let mut tokens = Tokens::default();
        tokens
            .push(bytes, |token, place| {
                let place = place.start as usize..place.end as usize;
                let at = place.start;
                parser
                    .token(token, place)
                    .map_err(|problem| ReadError::malformed(format!("byte {at}"), problem))
            })
            .map_err(|error| error.to_string())?;
        // JMeter does not miss the end of the root.
        if let [_, .., (name, _)] = &parser.open[..] {
            let name = String::from_utf8_lossy(name);
            return Err(format!("the file ends within <{name}>: is it whole?"));
        }
        if !parser
            .plan
            .elements
            .iter()
            .any(|element| element.class == "TestPlan")
        {
            return Err("no <TestPlan>: is this a test plan of JMeter?".to_owned());
        }
        Ok(parser.plan)
    }
}

impl Parser<'_> {
    fn token(&mut self, token: Token<'_>, place: Range<usize>) -> Result<(), Problem> {
        match token {
            Token::Text(_) => Ok(()),
            Token::Open(name, rest, empty) => {
                if self.open.is_empty() && name != b"jmeterTestPlan" {
                    let name: String = String::from_utf8_lossy(name).chars().take(80).collect();
                    return Err(format!("<{name}> where <jmeterTestPlan> is expected"));
                }
                if self.open.len() >= DEEPEST {
                    return Err(format!("tags stand more than {DEEPEST} deep"));
                }
                self.count += 1;
                if self.count > MOST {
                    return Err(format!("more than {MOST} tags"));
                }
                let open = self.open(name, rest, &place, empty);
                if !empty {
                    self.open.push((name.to_vec(), open));
                }
                Ok(())
            }
            Token::Close(name) => match self.open.pop() {
                Some((opened, open)) if opened == name => {
                    self.close(&open, place.start);
                    Ok(())
                }
                _ => Err(format!(
                    "</{}> closes nothing",
                    String::from_utf8_lossy(name)
                )),
            },
        }
    }

    fn open(&mut self, name: &[u8], rest: &[u8], place: &Range<usize>, empty: bool) -> Open {
        let depth = self.open.len();
        match self.open.last_mut().map(|(_, open)| open) {
            None => {
                self.plan.jmeter = attributes(rest)
                    .find(|(name, _)| *name == b"jmeter")
                    .map(|(_, value)| value);
                Open::Other
            }
            Some(Open::Other) if depth == 1 && name == b"hashTree" => Open::Tree {
                of: None,
                last: None,
            },
            Some(Open::Tree { last, .. }) if name == b"hashTree" => {
                let of = last.take();
                Open::Tree { of, last: None }
            }
            Some(Open::Tree { of, last }) => {
                let number = self.plan.elements.len();
                *last = Some(number);
                let of = *of;
                let element = self.element(name, rest, place, of);
                self.plan.elements.push(element);
                Open::Element
            }
            Some(Open::Element | Open::Prop { leaf: false, .. }) => {
                self.prop(name, rest, place, empty)
            }
            Some(&mut Open::Prop {
                number, leaf: true, ..
            }) if matches!(name, b"name" | b"value") && !empty => Open::Long {
                number,
                text: place.end,
                value: name == b"value",
            },
            Some(Open::Prop { .. } | Open::Long { .. } | Open::Other) => Open::Other,
        }
    }

    fn element(
        &self,
        tag: &[u8],
        rest: &[u8],
        place: &Range<usize>,
        parent: Option<usize>,
    ) -> Element {
        let (mut name, mut on, mut class) = (String::new(), true, None);
        let after_name = place.start + 1 + tag.len();
        let mut switch = Switch::Missing(after_name);
        for (key, value) in attributes(rest) {
            match key {
                b"testname" => name = value,
                // XStream writes the class in full here where the tag is a general one.
                b"testclass" => class = Some(value),
                b"enabled" => {
                    on = value != "false";
                    if let Some(place) = self.attribute_place(place, b"enabled") {
                        switch = Switch::Value(place);
                    }
                }
                _ => {}
            }
        }
        let tag = String::from_utf8_lossy(tag).into_owned();
        let class = match class {
            Some(class) if tag == "elementProp" || tag == "testElement" => class,
            _ => tag,
        };
        let short = class.rsplit('.').next().unwrap_or(&class).to_owned();
        Element {
            class: short,
            name,
            enabled: on && parent.is_none_or(|parent| self.plan.elements[parent].enabled),
            parent,
            props: Vec::new(),
            switch,
        }
    }

    /// Where the value of an attribute stands in the file.
    fn attribute_place(&self, tag: &Range<usize>, name: &[u8]) -> Option<Range<usize>> {
        let bytes = &self.bytes[tag.clone()];
        let mut at = 0;
        // Attributes may hold the text `enabled="`; the one that is meant stands outside of quotes.
        while let Some(open) = memchr::memchr2(b'"', b'\'', &bytes[at..]).map(|open| at + open) {
            let close = open + 1 + memchr::memchr(bytes[open], &bytes[open + 1..])?;
            let key = bytes[at..open]
                .trim_ascii_end()
                .strip_suffix(b"=")?
                .trim_ascii_end();
            let start = key
                .iter()
                .rposition(u8::is_ascii_whitespace)
                .map_or(0, |at| at + 1);
            if &key[start..] == name {
                return Some(tag.start + open + 1..tag.start + close);
            }
            at = close + 1;
        }
        None
    }

    fn prop(&mut self, tag: &[u8], rest: &[u8], place: &Range<usize>, empty: bool) -> Open {
        let depth = self
            .open
            .iter()
            .filter(|(_, open)| matches!(open, Open::Prop { .. }))
            .count();
        let Some(element) = self.plan.elements.last_mut() else {
            return Open::Other;
        };
        let name = attributes(rest)
            .find(|(name, _)| *name == b"name")
            .map(|(_, value)| value)
            .unwrap_or_default();
        let leaf = !matches!(
            tag,
            b"collectionProp" | b"elementProp" | b"mapProp" | b"objProp" | b"TestPlan"
        );
        let number = element.props.len();
        element.props.push(Prop {
            name,
            depth: u8::try_from(depth).unwrap_or(u8::MAX),
            text: String::new(),
            place: if empty {
                place.clone()
            } else {
                place.end..place.end
            },
            closed: empty,
        });
        Open::Prop {
            number,
            text: place.end,
            leaf,
        }
    }

    fn close(&mut self, open: &Open, at: usize) {
        let Some(element) = self.plan.elements.last_mut() else {
            return;
        };
        match *open {
            Open::Prop {
                number,
                text,
                leaf: true,
            } => {
                let prop = &mut element.props[number];
                // A long form has been read already.
                if prop.place.start == prop.place.end && prop.place.start == text {
                    prop.text = unescape(&self.bytes[text..at]);
                    prop.place = text..at;
                }
            }
            Open::Long {
                number,
                text,
                value,
            } => {
                let prop = &mut element.props[number];
                let found = unescape(&self.bytes[text..at]);
                if value {
                    prop.text = found;
                    prop.place = text..at;
                } else {
                    prop.name = found;
                }
            }
            _ => {}
        }
    }
}
