//! Which step is next: loops, conditions and choices, compiled to jumps in the flat list of operations.

use super::check::Look;
use super::error::Problem;
use super::files::Files;
use super::symbols::SymbolTable;
use super::text::Text;
use crate::http::Keep;
use floodgate_core::check::{Check, Subject};
use serde_json_path::JsonPath;

/// An operation that says which one follows. Numbers are places in the list of operations.
#[derive(Debug)]
pub(crate) enum Control {
    /// That one.
    Jump(u32),
    /// That one, in another pass of a loop: others go first.
    Again(u32),
    /// `otherwise`, unless the condition holds.
    Unless {
        condition: Condition,
        otherwise: u32,
    },
    /// The next, with no pass done of that loop.
    Begin(u16),
    /// The next, unless so many passes of the loop are done; `end` then.
    Repeat { number: u16, most: u32, end: u32 },
    /// The next, with the nodes of the last response's body for that loop.
    Collect {
        number: u16,
        path: JsonPath,
        most: u32,
    },
    /// The next, with the loop's next node in the variable; `end` without one.
    Next { number: u16, slot: u16, end: u32 },
    /// One of these, by weight: each with the sum of the weights up to it.
    Choose { number: u16, ways: Vec<(u64, u32)> },
    /// None.
    Stop,
}

/// A condition ready to be looked at.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(super) look: Look,
    /// What it looks at, if that is not the last response.
    pub(super) value: Option<Text>,
}

impl Condition {
    pub(crate) fn compile(
        check: &Check,
        names: &SymbolTable<'_>,
        files: &Files,
    ) -> Result<Self, Problem> {
        let value = match &check.subject {
            Subject::Value(variable) => {
                let mut text = Text::default();
                text.push_variable(variable, names, super::encode::Encoding::Raw)?;
                Some(text)
            }
            _ => None,
        };
        Ok(Self {
            look: Look::compile(check, files)?,
            value,
        })
    }

    /// What it needs of the response before it.
    fn needs(&self, compressed: bool) -> Keep {
        Keep {
            headers: self.look.needs_headers(),
            body: self.look.needs_body(compressed),
        }
    }
}

impl Control {
    /// Where it may lead beside the next operation, and whether that may follow, too.
    pub(crate) fn ways(&self) -> (Vec<u32>, bool) {
        match self {
            Self::Jump(to) | Self::Again(to) => (vec![*to], false),
            Self::Unless { otherwise, .. } => (vec![*otherwise], true),
            Self::Repeat { end, .. } | Self::Next { end, .. } => (vec![*end], true),
            Self::Choose { ways, .. } => (ways.iter().map(|(_, to)| *to).collect(), false),
            Self::Begin(_) | Self::Collect { .. } => (Vec::new(), true),
            Self::Stop => (Vec::new(), false),
        }
    }

    /// What it needs of the response before it; `None` if it does not look at it.
    pub(crate) fn looks(&self, compressed: bool) -> Option<Keep> {
        match self {
            Self::Unless { condition, .. } if condition.value.is_none() => {
                Some(condition.needs(compressed))
            }
            Self::Collect { .. } => Some(Keep {
                headers: false,
                body: true,
            }),
            _ => None,
        }
    }

    /// The cookie that its condition looks at.
    pub(crate) fn cookie(&self) -> Option<&str> {
        match self {
            Self::Unless { condition, .. } => condition.look.cookie(),
            _ => None,
        }
    }
}
