//! The environment of the container, typed.

use crate::environment::Level;
use std::str::FromStr;

/// What `--help` prints.
pub const HELP: &str = "\
Usage: floodgate-generator [--help | --version]

Runs one task of a Floodgate execution: sends its share of the load and writes what it measured to S3.
The container's environment says which:

  FLOODGATE_BUCKET         the bucket of the executions
  FLOODGATE_BUCKET_REGION  its region
  FLOODGATE_PROJECT        the project
  FLOODGATE_EXECUTION      the execution's ULID
  FLOODGATE_TASK           the task's number, from 0
  FLOODGATE_DEADLINE_MS    when the task stops whatever happens, Unix milliseconds
  FLOODGATE_TASK_CPU       CPU units that the task was given, 1024 a vCPU; if not set, only its metadata tell
  FLOODGATE_TASK_MEMORY    MiB of memory that it was given, the same
  FLOODGATE_LOG            error, warn, info (the default) or debug

Credentials, AWS_REGION and AWS_ENDPOINT_URL are those of every AWS client; SSL_CERT_FILE names the certificate
authorities to trust for AWS. ECS_CONTAINER_METADATA_URI_V4 is set by ECS.

Exit code 0: the manifest is written. 97: it is not, or says that the task failed; the last line on stderr says why.
";

/// What a container's environment says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The bucket of the executions.
    pub bucket: String,
    /// Its region, which may be another than the task's.
    pub bucket_region: String,
    /// The tenant.
    pub project: String,
    /// The execution's ULID.
    pub execution: String,
    /// Which task of the plan this is.
    pub task: u32,
    /// The end of the task whatever happens, Unix ms.
    pub deadline_ms: i64,
    /// The least that is logged.
    pub log: Level,
    /// CPU units that the task was asked for with; 1,024 are one vCPU.
    pub cpu_units: Option<u32>,
    /// The same of memory, in MiB.
    pub memory_mib: Option<u32>,
    /// Where ECS tells what it knows of the task.
    pub metadata_uri: Option<String>,
}

/// A variable that is missing or makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// It is not there, or empty.
    #[error(
        "the environment variable {name} is not set: the state machine's launch function sets it; by hand, give {example}"
    )]
    Missing {
        /// Its name.
        name: &'static str,
        /// What it could be.
        example: &'static str,
    },
    /// It does not say what it should.
    #[error("the environment variable {name} is {value:?}: give {example}")]
    Invalid {
        /// Its name.
        name: &'static str,
        /// What it is.
        value: String,
        /// What it could be.
        example: &'static str,
    },
}

/// Reads variables and gathers what is wrong with them.
struct Reader<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    errors: Vec<ConfigError>,
}

impl Reader<'_> {
    fn given(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn text(&mut self, name: &'static str, example: &'static str) -> String {
        self.parsed(name, example, |_| true)
    }

    /// A size above zero, if it is given.
    fn size(&mut self, name: &'static str, example: &'static str) -> Option<u32> {
        self.given(name)?;
        Some(self.parsed(name, example, |size: &u32| *size > 0))
    }

    /// A value that passes `valid`; the type's default stands in for one that does not, which is never used.
    fn parsed<T: FromStr + Default>(
        &mut self,
        name: &'static str,
        example: &'static str,
        valid: impl FnOnce(&T) -> bool,
    ) -> T {
        let Some(value) = self.given(name) else {
            self.errors.push(ConfigError::Missing { name, example });
            return T::default();
        };
        match value.parse().ok().filter(valid) {
            Some(parsed) => parsed,
            None => {
                self.errors.push(ConfigError::Invalid {
                    name,
                    value,
                    example,
                });
                T::default()
            }
        }
    }
}

/// A part of a key: what would leave its folder is not a name.
fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.chars().all(plain) && !text.starts_with('.')
}

impl Config {
    /// From the environment.
    ///
    /// # Errors
    /// Every variable that is missing or wrong.
    pub fn read(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<ConfigError>> {
        let mut reader = Reader {
            variable,
            errors: Vec::new(),
        };
        let config = Self {
            bucket: reader.text("FLOODGATE_BUCKET", "a bucket's name"),
            bucket_region: reader.text("FLOODGATE_BUCKET_REGION", "a region such as eu-west-1"),
            project: reader.parsed("FLOODGATE_PROJECT", "a project's name", |name: &String| {
                is_name(name)
            }),
            execution: reader.parsed(
                "FLOODGATE_EXECUTION",
                "an execution's ULID",
                |id: &String| is_name(id),
            ),
            task: reader.parsed("FLOODGATE_TASK", "a task's number, from 0", |_| true),
            deadline_ms: reader.parsed(
                "FLOODGATE_DEADLINE_MS",
                "Unix milliseconds, such as 1767225600000",
                |ms: &i64| *ms > 0,
            ),
            log: match reader.given("FLOODGATE_LOG").as_deref() {
                None => Level::Info,
                Some(name) => Level::parse(name).unwrap_or_else(|| {
                    reader.errors.push(ConfigError::Invalid {
                        name: "FLOODGATE_LOG",
                        value: name.to_owned(),
                        example: "error, warn, info or debug",
                    });
                    Level::Info
                }),
            },
            cpu_units: reader.size("FLOODGATE_TASK_CPU", "CPU units such as 1024 for one vCPU"),
            memory_mib: reader.size("FLOODGATE_TASK_MEMORY", "MiB such as 2048"),
            metadata_uri: reader.given("ECS_CONTAINER_METADATA_URI_V4"),
        };
        if reader.errors.is_empty() {
            Ok(config)
        } else {
            Err(reader.errors)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(super) mod tests {
    use super::*;

    const GOOD: [(&str, &str); 6] = [
        ("FLOODGATE_BUCKET", "b"),
        ("FLOODGATE_BUCKET_REGION", "eu-west-1"),
        ("FLOODGATE_PROJECT", "shop"),
        ("FLOODGATE_EXECUTION", "01JD0000000000000000000000"),
        ("FLOODGATE_TASK", "7"),
        ("FLOODGATE_DEADLINE_MS", "1767225600000"),
    ];

    fn read(changed: &[(&str, &str)]) -> Result<Config, Vec<ConfigError>> {
        Config::read(&|name| {
            let of = |list: &[(&str, &str)]| {
                list.iter()
                    .find(|(n, _)| *n == name)
                    .map(|(_, v)| (*v).to_owned())
            };
            of(changed).or_else(|| of(&GOOD))
        })
    }

    pub(in crate::cloud) fn good() -> Config {
        read(&[]).unwrap()
    }

    #[test]
    fn a_whole_environment_is_read() {
        let config = good();
        assert_eq!((config.task, config.deadline_ms), (7, 1_767_225_600_000));
        assert_eq!((config.log, config.metadata_uri), (Level::Info, None));
        assert_eq!((config.cpu_units, config.memory_mib), (None, None));
        let sized = [
            ("FLOODGATE_TASK_CPU", "256"),
            ("FLOODGATE_TASK_MEMORY", "512"),
        ];
        let sized = read(&sized).unwrap();
        assert_eq!((sized.cpu_units, sized.memory_mib), (Some(256), Some(512)));
        assert_eq!(
            read(&[("FLOODGATE_LOG", "debug")]).unwrap().log,
            Level::Debug
        );
    }

    #[test]
    fn everything_wrong_is_named_at_once_with_its_remedy() {
        let errors = read(&[
            ("FLOODGATE_BUCKET", ""),
            ("FLOODGATE_TASK", "-1"),
            ("FLOODGATE_DEADLINE_MS", "tomorrow"),
            ("FLOODGATE_PROJECT", "../other"),
            ("FLOODGATE_LOG", "loud"),
            ("FLOODGATE_TASK_CPU", "0"),
            ("FLOODGATE_TASK_MEMORY", "2 GB"),
        ])
        .unwrap_err();
        let messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(messages.len(), 7, "{messages:#?}");
        assert!(
            messages[0].contains("FLOODGATE_BUCKET is not set")
                && messages[0].contains("give a bucket's name")
        );
        assert!(messages[1].contains("FLOODGATE_PROJECT is \"../other\""));
        assert!(messages[2].contains("FLOODGATE_TASK is \"-1\""));
        assert!(messages[3].contains("Unix milliseconds"));
        assert!(messages[4].contains("error, warn, info or debug"));
        assert!(messages[5].contains("FLOODGATE_TASK_CPU is \"0\""));
        assert!(messages[6].contains("give MiB such as 2048"));
    }

    #[test]
    fn the_help_names_every_variable() {
        let more = [
            "FLOODGATE_TASK_CPU",
            "FLOODGATE_TASK_MEMORY",
            "FLOODGATE_LOG",
        ];
        for name in GOOD.map(|(name, _)| name).into_iter().chain(more) {
            assert!(HELP.contains(name), "{name}");
        }
    }
}
