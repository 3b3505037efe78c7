//! One sampler's rows: a row, and the rows that may be its parts. Whether they are is said when all of them are there.

use super::super::intern::Interner;
use super::super::sample::Kind;
use super::row::Row;

/// Starts and lengths are rounded each for itself, so that what came one after the other may seem to lie in one another by so much.
pub(super) const SLACK_MS: i64 = 2;

/// Within this time names alone prove nothing: samplers that were named `a` and `a-0` by hand may run in the same millisecond.
const SHORT_MS: i64 = 2 * SLACK_MS;

/// A label that ends with a dash and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Numbered {
    /// How many bytes stand before the dash.
    stem: usize,
    number: u32,
}

/// `redirect-2`: JMeter's name for the third part of `redirect`.
#[inline]
pub(super) fn numbered(label: &[u8]) -> Option<Numbered> {
    let digits = label.iter().rev().take_while(|byte| byte.is_ascii_digit());
    let digits = digits.take(7).count();
    let stem = label.len().checked_sub(digits + 1)?;
    if !(1..=6).contains(&digits) || label[stem] != b'-' {
        return None;
    }
    let number = label[stem + 1..]
        .iter()
        .fold(0, |number, byte| number * 10 + u32::from(byte - b'0'));
    Some(Numbered { stem, number })
}

/// How the parts of a row are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Naming {
    /// By the row's label, or by that of the sampler: `redirect-0`.
    Label,
    /// By another label, that of the part with this label: a script has renamed the sampler.
    Another(u32),
    /// By their URLs: JMeter was told not to number them (`subresults.disable_renaming`), or ran in functional mode.
    Url,
}

/// A row that is held.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) row: Row,
    numbered: Option<Numbered>,
    /// Of a part: which part it is itself one of; `None` for the root.
    above: Option<usize>,
    naming: Option<Naming>,
    /// The least number that its next part may have.
    next: u32,
    parts: u32,
    /// What its parts received and sent.
    bytes: u64,
    sent_bytes: u64,
}

impl Held {
    #[inline]
    pub(super) fn new(row: Row, names: &Interner) -> Self {
        Self {
            row,
            numbered: numbered(names.text(row.label)),
            above: None,
            naming: None,
            next: 0,
            parts: 0,
            bytes: 0,
            sent_bytes: 0,
        }
    }

    fn start_ms(&self) -> i64 {
        self.row.figures.start_ms
    }

    fn end_ms(&self) -> i64 {
        self.row.figures.end_ms()
    }

    /// How a row is named if it may be the next part of this one.
    fn takes(&self, part: &Self, root: Option<u32>, names: &Interner) -> Option<Naming> {
        if part.start_ms() < self.start_ms() || part.end_ms() > self.end_ms() + SLACK_MS {
            return None;
        }
        let first = self.parts == 0;
        // The sum of requests is begun as a copy of the first.
        let late = part.start_ms() != self.start_ms();
        if first && late || root.is_some() && self.is_full(part) {
            return None;
        }
        if let Some(number) = part.numbered
            && part.row.label != self.row.label
            && number.number >= self.next
            && (number.number == 0 || !first)
            && let Some(naming) = self.naming_of(part, number, root, names)
        {
            return Some(naming);
        }
        let by_url = part.row.is_url && !self.row.is_url && self.row.kind == Kind::Http;
        (by_url && (first || self.naming == Some(Naming::Url))).then_some(Naming::Url)
    }

    fn naming_of(
        &self,
        part: &Self,
        number: Numbered,
        root: Option<u32>,
        names: &Interner,
    ) -> Option<Naming> {
        let stem = &names.text(part.row.label)[..number.stem];
        let is = |label: u32| names.text(label) == stem;
        if is(self.row.label) || root.is_some_and(is) {
            return Some(Naming::Label);
        }
        match self.naming {
            Some(Naming::Another(of)) => {
                let known = names.text(of);
                let known = &known[..numbered(known)?.stem];
                (known == stem).then_some(Naming::Another(of))
            }
            None if self.row.kind == Kind::Http && root.is_none() => {
                Some(Naming::Another(part.row.label))
            }
            _ => None,
        }
    }

    /// Whether its label, or that it is its URL, may make it a part.
    #[inline]
    pub(super) fn may_be_part(&self) -> bool {
        self.numbered.is_some() || self.row.is_url
    }

    /// Whether it would have fewer bytes than its parts.
    fn is_full(&self, part: &Self) -> bool {
        match (self.row.figures.bytes, part.row.figures.bytes) {
            (Some(all), Some(more)) => self.bytes.saturating_add(more) > all,
            _ => false,
        }
    }

    fn add(&mut self, part: &Self, naming: Naming) {
        self.naming = Some(naming);
        self.next = part.numbered.map_or(self.next, |n| n.number + 1);
        self.parts += 1;
        let figures = &part.row.figures;
        self.bytes = self.bytes.saturating_add(figures.bytes.unwrap_or(0));
        self.sent_bytes = self
            .sent_bytes
            .saturating_add(figures.sent_bytes.unwrap_or(0));
    }

    /// Whether it is the sum of the parts that were found. Names are proof enough where nothing else could have run in that time;
    /// else what the parts received and sent has to add up to what the sum did. A sampler that is none of HTTP may have sub-results and be
    /// a sample of its own all the same, such as JDBC whose preprocessor fails.
    fn is_sum(&self) -> bool {
        let figures = &self.row.figures;
        let is = |all: Option<u64>, parts: u64| all.is_none_or(|all| all == parts);
        let known = figures.bytes.is_some() || figures.sent_bytes.is_some();
        let adds_up = is(figures.bytes, self.bytes) && is(figures.sent_bytes, self.sent_bytes);
        let something = self.bytes + self.sent_bytes > 0;
        let proven = self.parts >= 2 && known && adds_up && something;
        match self.naming {
            None => false,
            Some(Naming::Label) if self.row.kind == Kind::Http => {
                let long = self.end_ms() - self.start_ms() > SHORT_MS;
                long || proven || self.parts >= 2 && !known
            }
            Some(_) => proven,
        }
    }
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Tree {
    root: Held,
    parts: Vec<Held>,
}

/// What the rows of a tree are.
pub(super) struct Settled<'a> {
    /// The sum, if the root is one.
    pub(super) sum: Option<&'a Row>,
    /// Whether an assertion failed of any of them.
    pub(super) unmet: bool,
    /// Those that are requests or samples themselves, in the order of the file.
    pub(super) leaves: Vec<&'a Row>,
}

impl Tree {
    pub(super) const fn new(root: Held) -> Self {
        Self {
            root,
            parts: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        1 + self.parts.len()
    }

    /// Whether a row is so far from it in time that no part of it can follow.
    pub(super) fn is_apart(&self, row: &Row) -> bool {
        let (start, end) = (row.figures.start_ms, row.figures.end_ms());
        start > self.root.end_ms() + SLACK_MS || end + SLACK_MS < self.root.start_ms()
    }

    /// Takes a row if it is a part: of the last row, or of one that this one is a part of.
    pub(super) fn take(&mut self, part: &Held, names: &Interner) -> bool {
        let mut part = *part;
        let root = self.root.row.label;
        let mut at = self.parts.len().checked_sub(1);
        while let Some(place) = at {
            if let Some(naming) = self.parts[place].takes(&part, Some(root), names) {
                self.parts[place].add(&part, naming);
                part.above = Some(place);
                self.parts.push(part);
                return true;
            }
            at = self.parts[place].above;
        }
        let Some(naming) = self.root.takes(&part, None, names) else {
            return false;
        };
        self.root.add(&part, naming);
        self.parts.push(part);
        true
    }

    /// Takes another tree whose root is its first part. In files that were sorted a part may stand before its sum, if both begin in
    /// the same millisecond.
    pub(super) fn adopts(&self, other: &Self, names: &Interner) -> bool {
        other.root.numbered.is_some_and(|n| n.number == 0)
            && self.root.start_ms() == other.root.start_ms()
            && self.root.takes(&other.root, None, names) == Some(Naming::Label)
    }

    /// See [`Self::adopts`].
    pub(super) fn adopt(&mut self, other: Self) {
        let from = self.parts.len();
        self.root.add(&other.root, Naming::Label);
        self.parts.push(other.root);
        for mut part in other.parts {
            part.above = Some(part.above.map_or(from, |above| from + 1 + above));
            self.parts.push(part);
        }
    }

    /// Its row if it is alone.
    #[inline]
    pub(super) fn single(&self) -> Option<&Row> {
        self.parts.is_empty().then_some(&self.root.row)
    }

    /// What its rows are. If the root is not a sum its parts are samples of their own, as it is.
    pub(super) fn settle(&self) -> Settled<'_> {
        let sum = self.root.is_sum().then_some(&self.root.row);
        let leaves = self.parts.iter().filter(|part| !part.is_sum());
        let root = sum.is_none().then_some(&self.root);
        Settled {
            sum,
            unmet: self.root.row.unmet || self.parts.iter().any(|part| part.row.unmet),
            leaves: root
                .into_iter()
                .chain(leaves)
                .map(|held| &held.row)
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_parts_are_read_from_their_labels() {
        let of = |label: &str| numbered(label.as_bytes()).map(|n| (n.stem, n.number));
        assert_eq!(of("home-0"), Some((4, 0)));
        assert_eq!(of("a-1-22"), Some((3, 22)));
        assert_eq!(of("-7"), Some((0, 7)));
        for label in ["", "home", "7", "home-", "home7", "home-x1", "a-1234567"] {
            assert_eq!(of(label), None, "{label}");
        }
    }
}
