//! The engines that send load.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Who sends the load of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The native Rust engine.
    Http,
    /// Grafana k6.
    K6,
    /// Apache JMeter.
    Jmeter,
    /// Gatling.
    Gatling,
}

impl Engine {
    /// All of them, the native one first.
    pub const ALL: [Self; 4] = [Self::Http, Self::K6, Self::Jmeter, Self::Gatling];

    /// The words for them, in the order of [`Self::ALL`].
    pub const WORDS: &'static [&'static str] = &[
        Self::Http.as_str(),
        Self::K6.as_str(),
        Self::Jmeter.as_str(),
        Self::Gatling.as_str(),
    ];

    /// Whether a script says what it sends; the native one runs a definition's flow.
    pub const fn runs_scripts(self) -> bool {
        !matches!(self, Self::Http)
    }

    /// Whether its results tell which scenario a request belongs to. Gatling's log names the scenarios of users alone, and those when
    /// they have ended.
    pub const fn tells_scenarios_of_requests(self) -> bool {
        !matches!(self, Self::Gatling)
    }

    /// The word for it in definitions and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::K6 => "k6",
            Self::Jmeter => "jmeter",
            Self::Gatling => "gatling",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown engine {0:?}; there are {known}", known = Engine::WORDS.join(", "))]
pub struct UnknownEngine(pub String);

impl FromStr for Engine {
    type Err = UnknownEngine;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|engine| engine.as_str() == word)
            .ok_or_else(|| UnknownEngine(word.to_owned()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_written_and_read_as_one_word() {
        for (engine, word) in Engine::ALL.into_iter().zip(Engine::WORDS) {
            assert_eq!(engine.to_string(), *word);
            assert_eq!(word.parse(), Ok(engine));
            assert_eq!(serde_json::to_value(engine).unwrap(), *word);
        }
        let unknown = "wrk".parse::<Engine>().unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "unknown engine \"wrk\"; there are http, k6, jmeter, gatling"
        );
    }
}
