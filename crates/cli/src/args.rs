//! Options that several commands share.

use floodgate_engines::{LOAD_OPTIONS_HEADING, LoadOptions};
use floodgate_store::{StoreError, check_name};
use std::path::PathBuf;

/// Where executions are kept.
#[derive(Clone, Debug, clap::Args)]
pub struct OutArgs {
    /// Folder of definitions, shards, summaries and records
    #[arg(
        long,
        value_name = "DIR",
        default_value = ".floodgate",
        env = "FLOODGATE_OUT",
        hide_env_values = true
    )]
    pub out: PathBuf,
}

/// Where a run is, if not on this machine.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct CloudArgs {
    /// Use the stack on AWS instead of this machine
    #[arg(long, help_heading = "Cloud")]
    pub cloud: bool,
    /// Name of the stack [default: from .floodgate/cloud.json]
    #[arg(
        long,
        value_name = "NAME",
        env = "FLOODGATE_STACK",
        hide_env_values = true,
        help_heading = "Cloud"
    )]
    pub stack: Option<String>,
    /// Home region of the stack [default: from .floodgate/cloud.json, AWS_REGION or the profile]
    #[arg(long, value_name = "REGION", help_heading = "Cloud")]
    pub region: Option<String>,
    /// The bucket
    #[arg(long, env = "FLOODGATE_BUCKET", hide = true)]
    pub bucket: Option<String>,
    /// The table
    #[arg(long, env = "FLOODGATE_TABLE", hide = true)]
    pub table: Option<String>,
    /// The state machine's ARN
    #[arg(long, env = "FLOODGATE_STATE_MACHINE", hide = true)]
    pub state_machine: Option<String>,
}

/// Which stack is meant.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct StackArgs {
    /// Name of the stack [default: from .floodgate/cloud.json, else floodgate]
    #[arg(
        long,
        value_name = "NAME",
        env = "FLOODGATE_STACK",
        hide_env_values = true
    )]
    pub stack: Option<String>,
    /// Home region [default: from .floodgate/cloud.json, AWS_REGION or the profile]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Location of the Terraform state: a folder, or s3://BUCKET/KEY [default: that of the last deployment, else below the user's data folder]
    #[arg(long, value_name = "DIR|URL")]
    pub state: Option<String>,
}

/// The project of a definition that names none.
pub const DEFAULT_PROJECT: &str = "default";

/// A project's or a test's name on the command line: what it names is a folder.
///
/// # Errors
/// What cannot be one.
pub(crate) fn name(text: &str) -> std::result::Result<String, String> {
    match check_name(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(StoreError::BadKey { problem, .. }) => Err(format!("it {problem}; {NAMES}")),
        Err(error) => Err(error.to_string()),
    }
}

/// What projects and tests are called.
const NAMES: &str = "names have 1 to 63 of a-z, 0-9 and -";

/// Whose executions are meant.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ProjectArgs {
    /// Only executions of this project; no other is accessed
    #[arg(long, value_name = "NAME", value_parser = name)]
    pub project: Option<String>,
}

/// Whose executions are meant, and where they are.
#[derive(Clone, Debug, clap::Args)]
pub struct PlaceArgs {
    /// Whose executions.
    #[command(flatten)]
    pub project: ProjectArgs,
    /// Where executions are kept.
    #[command(flatten)]
    pub out: OutArgs,
    /// Where they ran.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Files that tell of a run beside what is printed.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ReportArgs {
    /// Also write the verdict as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Also write the verdict as Markdown, for the comment of a pull request
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Also write the report, one HTML page
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Also write the main figures as OpenMetrics text, for GitLab's metrics report
    #[arg(long, value_name = "FILE")]
    pub openmetrics: Option<PathBuf>,
    /// Also write a badge, an SVG picture
    #[arg(long, value_name = "FILE")]
    pub badge: Option<PathBuf>,
}

impl ReportArgs {
    /// Whether any is asked for.
    pub fn any(&self) -> bool {
        let all = [
            &self.junit,
            &self.markdown,
            &self.html,
            &self.openmetrics,
            &self.badge,
        ];
        all.into_iter().any(Option::is_some)
    }
}

/// How results and progress are shown.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct ShowArgs {
    /// Print only the summary, as JSON
    #[arg(long)]
    pub json: bool,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// What `${env:NAME}` stands for.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct EnvArgs {
    /// Set ${env:NAME} for a definition, or a variable for a script; overrides the environment; repeatable
    #[arg(long = "env", short = 'e', value_name = "NAME=VALUE")]
    pub env: Vec<String>,
    /// Read NAME=VALUE lines from a file; --env takes precedence
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
}

/// Parameters of a script, in the words of its tool.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ScriptArgs {
    /// Set a parameter of a script, as JMeter's -J and Gatling's -D do; repeatable
    #[arg(short = 'J', visible_short_alias = 'D', value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
}

/// Where they stand in the help.
const LOAD: &str = LOAD_OPTIONS_HEADING;

/// How much load a script makes, in place of what it says itself.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct LoadArgs {
    /// VUs
    #[arg(help_heading = LOAD, short = 'u', long, value_name = "N")]
    pub vus: Option<u64>,
    /// Duration
    #[arg(help_heading = LOAD, short = 'd', long, value_name = "TIME")]
    pub duration: Option<String>,
    /// Iterations, shared by the VUs
    #[arg(help_heading = LOAD, short = 'i', long, value_name = "N")]
    pub iterations: Option<u64>,
    /// Ramp to a number of VUs within a time; repeatable
    #[arg(help_heading = LOAD, long = "stage", value_name = "TIME:N")]
    pub stages: Vec<String>,
    /// Maximum requests per second, over all VUs
    #[arg(help_heading = LOAD, long, value_name = "N")]
    pub rps: Option<u64>,
}

impl LoadArgs {
    /// As engines take them.
    pub fn options(&self) -> LoadOptions {
        LoadOptions {
            vus: self.vus,
            duration: self.duration.clone(),
            iterations: self.iterations,
            stages: self.stages.clone(),
            rps: self.rps,
        }
    }
}
