//! Reads a JTL in XML: what JMeter 2.13 writes here, and what other runs may have saved.

use super::evidence::{self, Evidence};
use super::feed::{Feed, Has};
use super::foreign::{ClassCounts, Foreign};
use super::options::Options;
use super::outcome::{Code, Outcome};
use super::sample::{Kind, LATEST_MS, LONGEST_MS, TRANSACTION, group};
use crate::collector::Collector;
use crate::jmeter::checks::Checks;
use crate::jmeter::figures::Figures;
use crate::jmeter::tokens::{Token, Tokens, attributes, unescape};
use crate::read::{ReadError, Reader};

/// Samples within samples; JMeter's go three deep.
const DEEPEST: usize = 64;
/// Parts of one sample before they are passed on.
const MOST_PARTS: usize = 10_000;
/// Parts of one sample that it is kept of why they failed.
const MOST_TOLD: usize = 100;
/// The longest text that is kept, in bytes; of longer ones the beginning.
const LONGEST_TEXT: usize = 4_096;

/// A [`Reader`] of JMeter's XML results, sub-results in their parents.
#[derive(Default)]
pub struct XmlReader {
    tokens: Tokens,
    feed: Feed,
    open: Vec<Node>,
    /// Requests of the outermost sampler, until it ends.
    parts: Vec<Part>,
    assertion: Option<Assertion>,
    /// An element of another class, until it ends.
    foreign: Option<Foreign>,
    read: ClassCounts,
    left_out: ClassCounts,
    text: Option<String>,
    /// Whether `testResults` was opened, and closed.
    begun: bool,
    ended: bool,
}

/// A sample whose end has not come.
struct Node {
    /// The element's name, if it is none of the usual two.
    class: Option<Box<[u8]>>,
    kind: Kind,
    label: u32,
    group: u32,
    code: Code,
    ok: bool,
    figures: Figures,
    /// How many samples stand in it, and the bytes that they received.
    parts: u32,
    bytes: u64,
    /// Of one that failed.
    evidence: Option<Box<Evidence>>,
}

/// A request or other sample that is not a sum.
struct Part {
    outcome: Outcome,
    figures: Figures,
    evidence: Option<Box<Evidence>>,
}

#[derive(Default)]
struct Assertion {
    name: String,
    failed: bool,
    /// Why.
    message: String,
}

impl XmlReader {
    /// Nothing read yet. The file names its assertions, so that what `options` knows of them is not needed.
    pub fn new(options: Options) -> Self {
        Self {
            feed: Feed::new(Checks::new(), options.paces),
            ..Self::default()
        }
    }

    fn token(&mut self, token: Token<'_>, at: u64, into: &mut Collector) -> Result<(), ReadError> {
        match token {
            Token::Text(text) => {
                if let Some(kept) = &mut self.text
                    && kept.len() < LONGEST_TEXT
                {
                    let more = &text[..text.len().min(LONGEST_TEXT)];
                    kept.push_str(&unescape(more));
                }
                Ok(())
            }
            Token::Open(name, rest, empty) => {
                match &mut self.foreign {
                    Some(foreign) => self.text = foreign.open(name).then(String::new),
                    None => self.open(name, rest, at, into)?,
                }
                if empty {
                    self.shut(name, into);
                }
                Ok(())
            }
            Token::Close(name) => {
                self.shut(name, into);
                Ok(())
            }
        }
    }

    fn shut(&mut self, name: &[u8], into: &mut Collector) {
        let text = match &self.foreign {
            Some(_) => self.text.take(),
            None => return self.close(name, into),
        };
        if let Some(mut foreign) = self.foreign.take() {
            if foreign.close(name, text) {
                self.take_foreign(&foreign, into);
            } else {
                self.foreign = Some(foreign);
            }
        }
    }

    /// An element of another class has ended.
    fn take_foreign(&mut self, foreign: &Foreign, into: &mut Collector) {
        let Some(found) = foreign.found() else {
            self.left_out.add(foreign.class());
            return;
        };
        self.read.add(foreign.class());
        self.count(&found.figures);
        let node = Node {
            class: None,
            kind: Kind::Other,
            label: self.label(found.label.as_bytes()),
            group: self.group(found.thread.as_bytes()),
            code: found.code,
            ok: found.ok,
            figures: found.figures,
            parts: 0,
            bytes: 0,
            evidence: (!found.ok).then(|| Box::new(found.evidence)),
        };
        self.end(node, into);
    }

    /// Counts a sample to the one that it stands in.
    fn count(&mut self, figures: &Figures) {
        if let Some(parent) = self.open.last_mut() {
            parent.parts += 1;
            parent.bytes = parent.bytes.saturating_add(figures.bytes.unwrap_or(0));
        }
    }

    /// The label that a sample counts under: that of the sampler that it is a part of, or its own.
    fn label(&mut self, own: &[u8]) -> u32 {
        let root = self.open.iter().find(|node| node.kind != Kind::Transaction);
        match root {
            Some(root) => root.label,
            None => self.feed.names.number(own),
        }
    }

    /// The thread group of a sample. A download's thread is not the thread that the sampler ran in.
    fn group(&mut self, thread: &[u8]) -> u32 {
        match self.open.last() {
            Some(parent) => parent.group,
            None => self.feed.names.number(group(thread)),
        }
    }

    fn open(
        &mut self,
        name: &[u8],
        rest: &[u8],
        at: u64,
        into: &mut Collector,
    ) -> Result<(), ReadError> {
        if !self.begun {
            if name != b"testResults" {
                return Err(ReadError::Unknown {
                    what: "the root element",
                    found: String::from_utf8_lossy(&name[..name.len().min(80)]).into_owned(),
                    remedy: "a JTL in XML begins with <testResults".to_owned(),
                });
            }
            self.begun = true;
            return Ok(());
        }
        let usual = matches!(name, b"httpSample" | b"sample");
        // Other elements stand within samples: of the usual names, and of Java's own classes.
        let foreign =
            !usual && (self.open.is_empty() || name.contains(&b'.') && !name.starts_with(b"java"));
        let timed = || attributes(rest).any(|(name, _)| name == b"ts");
        match name {
            _ if usual || foreign && timed() => {
                if self.open.len() >= DEEPEST {
                    return Err(ReadError::malformed(
                        format!("byte {at}"),
                        format!("samples stand more than {DEEPEST} deep"),
                    ));
                }
                let http = name == b"httpSample" || name.ends_with(b"HTTPSampleResult");
                let mut node = self.node(http, rest, at, into)?;
                node.class = (!usual).then(|| name.into());
                self.count(&node.figures);
                self.open.push(node);
            }
            _ if foreign => {
                self.text = None;
                self.foreign = Some(Foreign::new(name));
            }
            b"assertionResult" => self.assertion = Some(Assertion::default()),
            b"name" | b"failure" | b"error" | b"failureMessage" if self.assertion.is_some() => {
                self.text = Some(String::new());
            }
            b"java.net.URL" | b"method" if self.evidence().is_some() => {
                self.text = Some(String::new());
            }
            _ => {}
        }
        Ok(())
    }

    /// Reads a sample's tag. Attributes: <https://jmeter.apache.org/usermanual/listeners.html#xmlformat2.1>.
    fn node(
        &mut self,
        http: bool,
        rest: &[u8],
        at: u64,
        into: &mut Collector,
    ) -> Result<Node, ReadError> {
        if self.open.is_empty() && self.feed.names.is_full() {
            self.feed.forget();
        }
        let mut figures = Figures::default();
        let (mut code, mut message, mut thread, mut label) =
            (String::new(), String::new(), String::new(), String::new());
        let (mut ok, mut timed) = (true, false);
        for (name, value) in attributes(rest) {
            let number = || {
                value.parse::<u64>().map_err(|error| {
                    ReadError::malformed(
                        format!("byte {at}"),
                        format!(
                            "{} is {:?}, not a number of at least 0: is this a JTL?",
                            String::from_utf8_lossy(name),
                            value.chars().take(80).collect::<String>()
                        ),
                    )
                    .because(error)
                })
            };
            let at_most = |most: u64, what: &str| match number()? {
                found if found > most => Err(ReadError::malformed(
                    format!("byte {at}"),
                    format!(
                        "{} is {found}, not {what}: is this a JTL?",
                        String::from_utf8_lossy(name)
                    ),
                )),
                found => Ok(found),
            };
            let span = || at_most(LONGEST_MS, "a time of at most a year in ms");
            match name {
                b"ts" => {
                    let start = at_most(LATEST_MS, "Unix time in milliseconds")?;
                    figures.start_ms = i64::try_from(start).unwrap_or(0);
                    timed = true;
                }
                b"t" => figures.elapsed_ms = span()?,
                b"it" => figures.idle_ms = span()?,
                b"lt" => figures.latency_ms = Some(number()?),
                b"ct" => figures.connect_ms = Some(number()?),
                b"by" => figures.bytes = Some(number()?),
                b"sby" => figures.sent_bytes = Some(number()?),
                b"ng" => figures.group_threads = Some(number()?),
                b"na" => figures.all_threads = Some(number()?),
                // Any other word is none to JMeter, too.
                b"s" => ok = value.eq_ignore_ascii_case("true"),
                b"lb" => label = value,
                b"rc" => code = value,
                b"rm" => message = value,
                b"tn" => thread = value,
                _ => {}
            }
        }
        if !timed {
            return Err(ReadError::malformed(format!("byte {at}"), "a sample has no ts: have JMeter save timestamps (jmeter.save.saveservice.timestamp_format=ms)".to_owned()));
        }
        if self.open.is_empty() {
            // What is saved is the same for all; the first sample of a run tells.
            let has = Has {
                connect: figures.connect_ms.is_some(),
                latency: figures.latency_ms.is_some(),
                bytes: figures.bytes.is_some(),
                sent_bytes: figures.sent_bytes.is_some(),
            };
            if http && self.feed.has == Has::default() {
                self.feed.has = has;
            }
        }
        let kind = match http {
            true => Kind::Http,
            false if message.as_bytes().starts_with(TRANSACTION) => Kind::Transaction,
            false => Kind::Other,
        };
        let group = self.group(thread.as_bytes());
        let label = self.label(label.as_bytes());
        if let Some(threads) = figures.all_threads.filter(|threads| *threads > 0)
            && kind != Kind::Transaction
        {
            self.feed.threads(threads, figures.end_ms(), into);
        }
        Ok(Node {
            class: None,
            kind,
            label,
            group,
            code: Code::parse(code.as_bytes(), message.as_bytes()),
            ok,
            figures,
            parts: 0,
            bytes: 0,
            evidence: (!ok).then(|| {
                let text = |text: &str| evidence::text(text.as_bytes());
                Box::new(Evidence {
                    code: text(&code),
                    message: text(&message),
                    ..Evidence::default()
                })
            }),
        })
    }

    fn close(&mut self, name: &[u8], into: &mut Collector) {
        let is_own = |node: &Node| node.class.as_deref() == Some(name);
        match name {
            _ if matches!(name, b"httpSample" | b"sample")
                || self.open.last().is_some_and(is_own) =>
            {
                if let Some(node) = self.open.pop() {
                    self.end(node, into);
                }
            }
            b"assertionResult" => {
                if let (Some(found), Some(node)) = (self.assertion.take(), self.open.last_mut()) {
                    if let (true, Some(evidence)) = (found.failed, &mut node.evidence) {
                        evidence.unmet(&found.name, &found.message);
                    }
                    let outcome = node.outcome(node.ok);
                    let at_ms = node.figures.end_ms();
                    self.feed
                        .check(outcome, found.name.as_bytes(), !found.failed, at_ms, into);
                }
            }
            b"java.net.URL" | b"method" => {
                let text = self.text.take();
                if let (Some(text), Some(evidence)) = (text, self.evidence()) {
                    match name {
                        b"method" => evidence.method = text,
                        _ => evidence.url = text,
                    }
                }
            }
            b"name" | b"failure" | b"error" | b"failureMessage" => {
                if let (Some(text), Some(assertion)) = (self.text.take(), &mut self.assertion) {
                    match name {
                        b"name" => assertion.name = text,
                        b"failureMessage" => assertion.message = text,
                        _ => assertion.failed |= text.trim() == "true",
                    }
                }
            }
            b"testResults" => self.ended = true,
            _ => {}
        }
    }

    /// What is known of the failure of the sample that is open.
    fn evidence(&mut self) -> Option<&mut Evidence> {
        self.open.last_mut()?.evidence.as_deref_mut()
    }

    fn end(&mut self, mut node: Node, into: &mut Collector) {
        let is_root = self.open.iter().all(|node| node.kind == Kind::Transaction);
        let evidence = node.evidence.take();
        if node.kind == Kind::Transaction || node.is_sum() {
            // One that failed because a part did says nothing of its own.
            let own = evidence.filter(|evidence| !evidence.checks.is_empty());
            self.tell(node.outcome(false), &node.figures, own, into);
        } else {
            self.parts.push(Part {
                outcome: node.outcome(node.ok),
                figures: node.figures,
                evidence: evidence.filter(|_| self.parts.len() < MOST_TOLD),
            });
        }
        if node.kind == Kind::Transaction {
            self.feed.group(node.label, node.group, &node.figures, into);
            return;
        }
        if node.is_sum() && is_root {
            self.feed.group(node.label, node.group, &node.figures, into);
        }
        if is_root || self.parts.len() >= MOST_PARTS {
            // A sum that failed although its parts did not: its assertions did. The last part stands for it.
            if !node.ok
                && self.parts.iter().all(|part| part.outcome.ok)
                && let Some(last) = self.parts.last_mut()
            {
                last.outcome.ok = false;
            }
            self.pass_parts(into);
        }
    }

    fn pass_parts(&mut self, into: &mut Collector) {
        for mut part in std::mem::take(&mut self.parts) {
            let evidence = part.evidence.take();
            self.tell(part.outcome, &part.figures, evidence, into);
            self.feed.sample(part.outcome, &part.figures, into);
        }
    }

    /// Samples a failure if one of its kind is wanted.
    fn tell(
        &self,
        outcome: Outcome,
        figures: &Figures,
        evidence: Option<Box<Evidence>>,
        into: &mut Collector,
    ) {
        if let Some(evidence) = evidence
            && into.wants_failure((outcome, &evidence.checks))
        {
            self.feed
                .add_whole_failure(*evidence, outcome, figures, into);
        }
    }
}

impl Node {
    /// Whether it is nothing but the sum of those that stand in it. A sampler that is none of HTTP may have sub-results and be a sample of
    /// its own all the same; if it received as much as they did, it is their sum.
    fn is_sum(&self) -> bool {
        match self.kind {
            Kind::Http => self.parts > 0,
            _ => self.parts > 1 && self.bytes > 0 && self.figures.bytes == Some(self.bytes),
        }
    }

    fn outcome(&self, ok: bool) -> Outcome {
        Outcome {
            kind: self.kind,
            label: self.label,
            group: self.group,
            code: self.code,
            ok,
        }
    }
}

impl Reader for XmlReader {
    fn push(&mut self, bytes: &[u8], into: &mut Collector) -> Result<(), ReadError> {
        let mut tokens = std::mem::take(&mut self.tokens);
        let done = tokens.push(bytes, |token, place| self.token(token, place.start, into));
        self.tokens = tokens;
        done
    }

    fn finish(&mut self, into: &mut Collector) -> Result<Vec<String>, ReadError> {
        self.pass_parts(into);
        if !self.open.is_empty() || self.foreign.is_some() || self.tokens.has_rest() {
            into.note_cut();
        }
        let mut warnings = Vec::new();
        if !self.begun {
            warnings.push("the results have no element: JMeter wrote no sample".to_owned());
        } else if !self.ended || self.tokens.has_rest() {
            warnings.push("the results have no end: JMeter did not end by itself".to_owned());
        } else if !self.feed.has.connect {
            warnings.push(
                "the results have no connect times: http_req_duration has connecting in it"
                    .to_owned(),
            );
        }
        warnings.extend(
            self.read
                .warning("of other classes are read as samples without a URL"),
        );
        let left_out = "are not known samples and are left out";
        warnings.extend(self.left_out.warning(left_out));
        warnings.extend(self.feed.warning());
        Ok(warnings)
    }
}
