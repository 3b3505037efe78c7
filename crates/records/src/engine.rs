//! The engines that send load.

use crate::word::Words;
use crate::words;
use std::str::FromStr;

words! {
    /// Who sends the load of a run. The native one comes first.
    pub Engine {
        /// The native Rust engine.
        Http = "http",
        /// Grafana k6.
        K6 = "k6",
        /// Apache JMeter.
        Jmeter = "jmeter",
        /// Gatling.
        Gatling = "gatling",
    }
}

impl Engine {
    /// Whether a script says what it sends; the native one runs a definition's flow.
    pub const fn runs_scripts(self) -> bool {
        !matches!(self, Self::Http)
    }

    /// Whether its results tell which scenario a request belongs to. Gatling's log names the scenarios of users alone, and those when
    /// they have ended.
    pub const fn tells_scenarios_of_requests(self) -> bool {
        !matches!(self, Self::Gatling)
    }
}

/// A word that names no engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown engine {0:?}; there are {known}", known = Engine::WORDS.join(", "))]
pub struct UnknownEngine(pub String);

impl FromStr for Engine {
    type Err = UnknownEngine;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::parse(word).ok_or_else(|| UnknownEngine(word.to_owned()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_is_written_and_read_as_one_word() {
        for (engine, word) in Engine::ALL.iter().copied().zip(Engine::WORDS) {
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
