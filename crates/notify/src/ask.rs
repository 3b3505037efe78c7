//! What somebody who may not send asks of whoever may.

use crate::events::Moment;
use floodgate_records::word::Words as _;
use std::fmt;

/// Something that is asked for, in a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The project.
    pub project: String,
    /// What.
    pub what: Asked,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To tell of a moment of a run what its definition wants told.
    Moment {
        /// Which moment.
        moment: Moment,
        /// The run's id.
        execution: String,
    },
    /// To try a notice again now, whether or not it is a dead letter: its id.
    Notice(String),
}

/// As it stands in a key: `ended_ID`, `started_ID`, `msg_…`.
impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Moment { moment, execution } => write!(f, "{moment}_{execution}"),
            Self::Notice(id) => f.write_str(id),
        }
    }
}

impl Asked {
    /// From the last part of a key; `None` if it says nothing.
    pub fn of_name(name: &str) -> Option<Self> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !name.chars().all(plain) {
            return None;
        }
        let (kind, rest) = name.split_once('_').filter(|(_, rest)| !rest.is_empty())?;
        match kind {
            "msg" => Some(Self::Notice(name.to_owned())),
            kind => Some(Self::Moment {
                moment: Moment::parse(kind)?,
                execution: rest.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read_as_it_is_written() {
        let of = |moment| Asked::Moment {
            moment,
            execution: "01ID".to_owned(),
        };
        for (asked, name) in [
            (of(Moment::Ended), "ended_01ID"),
            (of(Moment::Started), "started_01ID"),
            (
                Asked::Notice("msg_01ID_ended_0".to_owned()),
                "msg_01ID_ended_0",
            ),
        ] {
            assert_eq!(asked.to_string(), name);
            assert_eq!(Asked::of_name(name), Some(asked));
        }
        for name in ["", "ended", "ended_", "later_01ID", "msg_../x", "ended_a/b"] {
            assert_eq!(Asked::of_name(name), None, "{name:?}");
        }
    }
}
