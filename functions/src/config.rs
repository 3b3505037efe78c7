//! What a function is told by its environment: read once, when it starts.

use floodgate_log::Level;
use floodgate_notify::CONSOLE_URL;

/// Which function this process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Makes the plan and the record.
    Prepare,
    /// Starts the tasks.
    Launch,
    /// Looks after them.
    Watch,
    /// Adds up shards.
    Merge,
    /// Judges and closes the record.
    Finish,
    /// Stops what must not go on.
    Reap,
    /// Tells of runs.
    Notify,
    /// Hands what a run measured to a sink.
    Export,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Prepare,
        Self::Launch,
        Self::Watch,
        Self::Merge,
        Self::Finish,
        Self::Reap,
        Self::Notify,
        Self::Export,
    ];

    /// The value of `FLOODGATE_FUNCTION`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Launch => "launch",
            Self::Watch => "watch",
            Self::Merge => "merge",
            Self::Finish => "finish",
            Self::Reap => "reap",
            Self::Notify => "notify",
            Self::Export => "export",
        }
    }

    /// The environment variables that it reads beside those of all functions.
    pub const fn own_variables(self) -> &'static [&'static str] {
        match self {
            Self::Prepare => &["FLOODGATE_NOTIFY"],
            Self::Finish => &["FLOODGATE_NOTIFY"],
            Self::Reap => &["FLOODGATE_STATE_MACHINE", "FLOODGATE_NOTIFY"],
            Self::Notify => &["FLOODGATE_CONSOLE_URL"],
            _ => &[],
        }
    }
}

/// The environment variables that every function reads; the last is optional.
pub const VARIABLES: [&str; 6] = [
    "FLOODGATE_FUNCTION",
    "FLOODGATE_STACK",
    "FLOODGATE_BUCKET",
    "FLOODGATE_BUCKET_REGION",
    "FLOODGATE_TABLE",
    "FLOODGATE_LOG",
];

/// The environment does not say what it has to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A variable that is missing or empty.
    #[error(
        "the environment variable {name} is not set; set it to {meaning} (the Terraform module does)"
    )]
    Missing {
        /// The variable.
        name: &'static str,
        /// What belongs into it.
        meaning: &'static str,
    },
    /// A value that is none.
    #[error("the environment variable {name} is {value:?}; allowed: {allowed}")]
    Value {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        allowed: &'static str,
    },
}

/// Where a stack's things lie, and how much is said of what is done with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) bucket: String,
    pub(crate) bucket_region: String,
    pub(crate) table: String,
    pub(crate) log: Level,
}

impl Place {
    /// Reads it.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that is missing or senseless.
    pub(crate) fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let log = match get("FLOODGATE_LOG").filter(|l| !l.is_empty()) {
            None => Level::Info,
            Some(value) => Level::parse(&value).ok_or(ConfigError::Value {
                name: "FLOODGATE_LOG",
                value,
                allowed: "error, warn, info, debug",
            })?,
        };
        Ok(Self {
            bucket: need(&get, "FLOODGATE_BUCKET", "the name of the bucket")?,
            bucket_region: need(&get, "FLOODGATE_BUCKET_REGION", "the region of the bucket")?,
            table: need(&get, "FLOODGATE_TABLE", "the name of the table")?,
            log,
        })
    }
}

fn need(
    get: impl Fn(&str) -> Option<String>,
    name: &'static str,
    meaning: &'static str,
) -> Result<String, ConfigError> {
    get(name)
        .filter(|value| !value.is_empty())
        .ok_or(ConfigError::Missing { name, meaning })
}

/// What a function is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Which function this is.
    pub function: Function,
    /// The stack's name.
    pub stack: String,
    /// The bucket of objects.
    pub bucket: String,
    /// Its region.
    pub bucket_region: String,
    /// The table of records.
    pub table: String,
    /// What is logged at least.
    pub log: Level,
    /// The state machine's ARN: reap only.
    pub state_machine: Option<String>,
    /// The name of the function that notifies: of those that have it called, where the stack has one.
    pub notify: Option<String>,
    /// Where the console is, for definitions that don't say: notify only.
    pub console_url: Option<String>,
}

impl Config {
    /// Reads it.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that is missing or senseless.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let which = need(&get, "FLOODGATE_FUNCTION", "the name of the function")?;
        let function = Function::ALL.into_iter().find(|f| f.name() == which);
        let function = function.ok_or(ConfigError::Value {
            name: "FLOODGATE_FUNCTION",
            value: which,
            allowed: "prepare, launch, watch, merge, finish, reap, notify, export",
        })?;
        let state_machine = match function {
            Function::Reap => {
                let meaning = "the state machine's ARN";
                Some(need(&get, "FLOODGATE_STATE_MACHINE", meaning)?)
            }
            _ => None,
        };
        let own = |name: &str| {
            let reads = function.own_variables().contains(&name);
            get(name).filter(|value| reads && !value.is_empty())
        };
        let notify = own("FLOODGATE_NOTIFY");
        let console_url = own(CONSOLE_URL);
        let stack = need(&get, "FLOODGATE_STACK", "the name of the stack")?;
        let place = Place::read(get)?;
        Ok(Self {
            function,
            stack,
            bucket: place.bucket,
            bucket_region: place.bucket_region,
            table: place.table,
            log: place.log,
            state_machine,
            notify,
            console_url,
        })
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            bucket: self.bucket.clone(),
            bucket_region: self.bucket_region.clone(),
            table: self.table.clone(),
            log: self.log,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn environment(function: &str) -> impl Fn(&str) -> Option<String> {
        let function = function.to_owned();
        move |name| match name {
            "FLOODGATE_FUNCTION" => Some(function.clone()),
            "FLOODGATE_LOG" => None,
            name => Some(name.to_lowercase()),
        }
    }

    #[test]
    fn every_function_is_known_by_its_name() {
        for function in Function::ALL {
            let config = Config::read(environment(function.name())).unwrap();
            assert_eq!(config.function, function);
            assert_eq!(config.state_machine.is_some(), function == Function::Reap);
            assert_eq!(config.console_url.is_some(), function == Function::Notify);
            let callers = [Function::Prepare, Function::Finish, Function::Reap];
            assert_eq!(config.notify.is_some(), callers.contains(&function));
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let message = |e: ConfigError| e.to_string();
        let unknown = message(Config::read(environment("sweep")).unwrap_err());
        assert!(
            unknown.contains("\"sweep\"") && unknown.contains("reap"),
            "{unknown}"
        );
        for name in VARIABLES.iter().take(5).chain(&["FLOODGATE_STATE_MACHINE"]) {
            let environment = environment("reap");
            let without = |n: &str| environment(n).filter(|_| n != *name);
            let message = message(Config::read(without).unwrap_err());
            assert!(message.contains(name), "{message}");
        }
        let environment = environment("watch");
        let loud = |n: &str| match n {
            "FLOODGATE_LOG" => Some("loud".into()),
            n => environment(n),
        };
        assert!(message(Config::read(loud).unwrap_err()).contains("error, warn, info, debug"));
    }
}
