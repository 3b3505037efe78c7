//! What becomes of a scheduled start.

use floodgate_records::schedule::Overlap;

/// What is known when a schedule is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Situation<'a> {
    /// Whether the schedule rests.
    pub paused: bool,
    /// The window in which nothing starts that the time lies in.
    pub blackout: Option<&'a str>,
    /// The schedule's last run, if that goes on.
    pub going_on: Option<&'a str>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Start the run.
    Now,
    /// Leave it out, for this reason.
    Skip(String),
    /// Wait for the end of the last run.
    Wait,
    /// Stop the last run, and wait for its end.
    Replace,
}

/// What becomes of a start that is due.
///
/// ```
/// use floodgate_policy::schedule::{Situation, Start, decide};
/// use floodgate_records::schedule::Overlap;
///
/// let still = Situation { going_on: Some("01JD"), ..Situation::default() };
/// assert_eq!(decide(Overlap::Queue, still), Start::Wait);
/// ```
pub fn decide(overlap: Overlap, situation: Situation<'_>) -> Start {
    if situation.paused {
        return Start::Skip("the schedule is paused".to_owned());
    }
    if let Some(window) = situation.blackout {
        return Start::Skip(format!("nothing starts in the window {window}"));
    }
    match (situation.going_on, overlap) {
        (None, _) => Start::Now,
        (Some(run), Overlap::Skip) => Start::Skip(format!("its last run {run} goes on")),
        (Some(_), Overlap::Queue) => Start::Wait,
        (Some(_), Overlap::Replace) => Start::Replace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_records::word::Words as _;

    #[test]
    fn every_policy_in_every_situation() {
        for paused in [false, true] {
            for blackout in [None, Some("daily 09:00-18:00")] {
                for going_on in [None, Some("01JD")] {
                    for &overlap in Overlap::ALL {
                        let situation = Situation {
                            paused,
                            blackout,
                            going_on,
                        };
                        let start = decide(overlap, situation);
                        let expected = match (paused, blackout, going_on, overlap) {
                            (true, ..) => Start::Skip("the schedule is paused".into()),
                            (_, Some(_), ..) => {
                                Start::Skip("nothing starts in the window daily 09:00-18:00".into())
                            }
                            (_, _, None, _) => Start::Now,
                            (.., Overlap::Skip) => Start::Skip("its last run 01JD goes on".into()),
                            (.., Overlap::Queue) => Start::Wait,
                            (.., Overlap::Replace) => Start::Replace,
                        };
                        assert_eq!(start, expected, "{situation:?} {overlap}");
                    }
                }
            }
        }
    }
}
