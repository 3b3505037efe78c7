//! How much a line of a log matters: the programs in the cloud read it from `FLOODGATE_LOG` and write it into their lines.

/// How much a line of a log matters, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed that cannot be made good.
    Error,
    /// Something is not as it should be.
    Warn,
    /// What happens to a run.
    Info,
    /// For whoever looks for a fault.
    Debug,
}

impl Level {
    /// From its name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Error, Self::Warn, Self::Info, Self::Debug]
            .into_iter()
            .find(|level| level.name() == name)
    }

    /// Its name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}
