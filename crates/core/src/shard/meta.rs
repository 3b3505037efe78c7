//! What a file says about itself, as key-value pairs of its Parquet footer.

use super::{SCHEMA, ShardError};
use crate::histogram::GEOMETRY;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

/// Key of the checksum that [`super::ShardWriter`] puts over the data.
pub(super) const CHECKSUM: &str = "floodgate.checksum";
pub(crate) const SCHEMA_KEY: &str = "floodgate.schema";
pub(crate) const GEOMETRY_KEY: &str = "floodgate.geometry";
pub(crate) const CONTENT: &str = "floodgate.content";
pub(crate) const EXECUTION: &str = "floodgate.execution";
const SEGMENT: &str = "floodgate.segment";
const SOURCES: &str = "floodgate.sources";
const WINDOW: &str = "floodgate.window_ms";

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A task's rows of one flush interval.
    Shard,
    /// A task's rows since the start, one a series.
    Live,
    /// Rows of several shards added up.
    Merged,
}

impl Content {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Shard, "shard"),
        (Self::Live, "live"),
        (Self::Merged, "merged"),
    ];

    /// The name in the file's metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shard => "shard",
            Self::Live => "live",
            Self::Merged => "merged",
        }
    }
}

/// Which shards are in a file: by task, the numbers of its shards. Two files whose sources overlap must not be added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(BTreeMap<u32, Vec<RangeInclusive<u32>>>);

impl Sources {
    /// One shard.
    pub fn one(task: u32, seq: u32) -> Self {
        Self(BTreeMap::from([(task, vec![seq..=seq])]))
    }

    /// Whether a shard is among them.
    pub fn contains(&self, task: u32, seq: u32) -> bool {
        self.0
            .get(&task)
            .is_some_and(|ranges| ranges.iter().any(|range| range.contains(&seq)))
    }

    /// Whether all shards of `other` are among them.
    pub fn covers(&self, other: &Self) -> bool {
        let mut both = self.clone();
        both.add(other);
        both == *self
    }

    /// Whether any shard is in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let meet = |a: &RangeInclusive<u32>, b: &RangeInclusive<u32>| {
            a.start() <= b.end() && b.start() <= a.end()
        };
        other.0.iter().any(|(task, theirs)| {
            self.0
                .get(task)
                .is_some_and(|mine| mine.iter().any(|a| theirs.iter().any(|b| meet(a, b))))
        })
    }

    /// How many shards they are.
    pub fn len(&self) -> u64 {
        self.0
            .values()
            .flatten()
            .map(|range| u64::from(range.end() - range.start()) + 1)
            .sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tasks, rising.
    pub fn tasks(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.keys().copied()
    }

    /// Adds those of another file; neighbours are joined.
    pub fn add(&mut self, other: &Self) {
        for (&task, ranges) in &other.0 {
            let mine = self.0.entry(task).or_default();
            mine.extend(ranges.iter().cloned());
            mine.sort_by_key(|range| *range.start());
            let mut joined: Vec<RangeInclusive<u32>> = Vec::with_capacity(mine.len());
            for range in mine.drain(..) {
                match joined.last_mut() {
                    Some(last) if u64::from(*range.start()) <= u64::from(*last.end()) + 1 => {
                        *last = *last.start()..=(*last.end()).max(*range.end());
                    }
                    _ => joined.push(range),
                }
            }
            *mine = joined;
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut sources = Self::default();
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (task, ranges) = part.split_once(':')?;
            let ranges = ranges.split(',').map(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                let (first, last) = (first.parse().ok()?, last.parse().ok()?);
                (first <= last).then_some(first..=last)
            });
            let ranges = Self(BTreeMap::from([(
                task.parse().ok()?,
                ranges.collect::<Option<Vec<_>>>()?,
            )]));
            if sources.overlaps(&ranges) {
                return None;
            }
            sources.add(&ranges);
        }
        Some(sources)
    }
}

/// `0:0-179;1:0-3,5`: tasks with the numbers of their shards.
impl fmt::Display for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (task, ranges)) in self.0.iter().enumerate() {
            write!(f, "{}{task}:", if i > 0 { ";" } else { "" })?;
            for (j, range) in ranges.iter().enumerate() {
                f.write_str(if j > 0 { "," } else { "" })?;
                match (range.start(), range.end()) {
                    (a, b) if a == b => write!(f, "{a}")?,
                    (a, b) => write!(f, "{a}-{b}")?,
                }
            }
        }
        Ok(())
    }
}

/// What a file covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardMeta {
    /// What kind of file it is.
    pub content: Content,
    /// The execution's ULID.
    pub execution: String,
    /// The task's share of the load, such as `3/10`; empty for merged files.
    pub segment: String,
    /// The shards in it; a live object names its task and the number of the flush.
    pub sources: Sources,
    /// Start of the covered time, Unix ms.
    pub start_ms: i64,
    /// Its end, Unix ms.
    pub end_ms: i64,
}

impl ShardMeta {
    /// The pairs of the footer.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        vec![
            (SCHEMA_KEY, SCHEMA.to_string()),
            (GEOMETRY_KEY, GEOMETRY.to_owned()),
            (CONTENT, self.content.as_str().to_owned()),
            (EXECUTION, self.execution.clone()),
            (SEGMENT, self.segment.clone()),
            (SOURCES, self.sources.to_string()),
            (WINDOW, format!("{}-{}", self.start_ms, self.end_ms)),
        ]
    }

    /// Reads the pairs of a footer.
    pub(super) fn parse(
        get: impl Fn(&'static str) -> Result<String, ShardError>,
    ) -> Result<Self, ShardError> {
        let bad = |key, problem: String| ShardError::Meta { key, problem };
        let schema = get(SCHEMA_KEY)?;
        if schema != SCHEMA.to_string() {
            return Err(bad(
                SCHEMA_KEY,
                format!("{schema:?}, this version reads {SCHEMA} only"),
            ));
        }
        let geometry = get(GEOMETRY_KEY)?;
        if geometry != GEOMETRY {
            return Err(bad(
                GEOMETRY_KEY,
                format!("{geometry:?}, only {GEOMETRY:?} can be merged"),
            ));
        }
        let content = get(CONTENT)?;
        let content = Content::ALL
            .into_iter()
            .find(|(_, name)| *name == content)
            .map(|(kind, _)| kind);
        let content =
            content.ok_or_else(|| bad(CONTENT, "neither shard, live nor merged".into()))?;
        let sources = get(SOURCES)?;
        let sources = Sources::parse(&sources)
            .ok_or_else(|| bad(SOURCES, format!("{sources:?} names no shards")))?;
        if content != Content::Merged && sources.len() != 1 {
            return Err(bad(
                SOURCES,
                format!("a file of one task names {} shards", sources.len()),
            ));
        }
        let window = get(WINDOW)?;
        let ends = window
            .split_once('-')
            .and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        let (start_ms, end_ms) = ends
            .filter(|(start, end)| start <= end)
            .ok_or_else(|| bad(WINDOW, format!("{window:?} is not a valid window")))?;
        Ok(Self {
            content,
            execution: get(EXECUTION)?,
            segment: get(SEGMENT)?,
            sources,
            start_ms,
            end_ms,
        })
    }

    /// The task and number of a file of one task.
    pub fn task_and_seq(&self) -> Option<(u32, u32)> {
        let (task, ranges) = self.sources.0.first_key_value()?;
        (self.sources.len() == 1).then(|| (*task, *ranges[0].start()))
    }
}
