//! `config/placement.json`: where tasks can run, and who may start how many.

use crate::error::{FunctionError, Result};
use crate::pattern::matches;
use crate::principal;
use floodgate_control::{TargetRules, json};
use floodgate_records::architecture::Architecture;
use floodgate_records::schedule::Overlap;
use floodgate_records::word::Words;
use floodgate_store::ObjectStore;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Its key in the bucket.
pub(crate) const KEY: &str = "config/placement.json";
/// How long tasks have from the start of the run to being ready, unless the placement says otherwise: Fargate takes a minute
/// or two to place a task and to load its image, and a thousand tasks a minute to be asked for.
const START_TIMEOUT: Duration = Duration::from_secs(300);
/// The capacity provider that can be interrupted.
pub(crate) const SPOT: &str = "FARGATE_SPOT";
/// The one that cannot.
pub(crate) const ON_DEMAND: &str = "FARGATE";

/// Where tasks can run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StackConfig {
    /// Version of this layout: 1.
    pub schema: u32,
    /// By name.
    pub regions: BTreeMap<String, RegionConfig>,
    /// What tasks run on.
    #[serde(default)]
    pub capacity: Capacity,
    /// For clusters that have no capacity providers, such as an emulator's: the launch type of tasks, which then have no network
    /// configuration of their own.
    #[serde(default)]
    pub launch_type: Option<String>,
    /// Rules by project; `*` for all others.
    #[serde(default)]
    pub projects: BTreeMap<String, ProjectRules>,
    /// The role of a project's tasks, as an ARN; `*` for all others. None where the task definition says it.
    #[serde(default)]
    pub task_roles: BTreeMap<String, String>,
    /// Secrets that every project's definitions may refer to: ARNs, in which `*` and `?` stand for others; none: nobody looks.
    #[serde(default)]
    pub secret_arns: Option<Vec<String>>,
    /// Where results of all runs go, or of some projects'.
    #[serde(default)]
    pub exports: Vec<StackExport>,
    /// Namespaces of CloudWatch that results may be exported to.
    #[serde(default)]
    pub cloudwatch_namespaces: Vec<String>,
    /// The namespace of CloudWatch that gets the figures of all runs; none: none.
    #[serde(default)]
    pub run_metrics_namespace: Option<String>,
    /// What schedules start, by their names.
    #[serde(default)]
    pub schedules: BTreeMap<String, ScheduledRun>,
    /// The image of each engine, as a digest.
    #[serde(default)]
    pub image_digest: BTreeMap<String, String>,
    /// The image of each engine that lies in a repository of the stack's own, with its tag or digest.
    #[serde(default)]
    pub images: BTreeMap<String, String>,
    /// The version of the module that wrote this.
    #[serde(default)]
    pub version: Option<String>,
    /// Tasks of an execution at most.
    #[serde(default = "many_tasks")]
    pub max_tasks_per_execution: u32,
    /// How long tasks have from the start of the run to being ready, in seconds.
    #[serde(default)]
    pub start_timeout_s: Option<u64>,
    /// Shards that one function merges at most; only tests need another bound than the built-in one.
    #[serde(default)]
    pub merge_shards: Option<u64>,
}

const fn many_tasks() -> u32 {
    1_000
}

/// A region's cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RegionConfig {
    /// ARN or name.
    pub cluster: String,
    /// By engine and architecture: family or ARN.
    #[serde(default)]
    pub task_definitions: BTreeMap<String, BTreeMap<String, String>>,
    /// By project, else `default`.
    #[serde(default)]
    pub networks: BTreeMap<String, Network>,
    /// vCPUs that may be used, instead of the answer of Service Quotas.
    #[serde(default)]
    pub vcpu_quota: Option<f64>,
}

/// A sink of the stack's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackExport {
    /// Its URL, without secrets.
    pub to: String,
    /// The secret that holds the password of the URL's user.
    #[serde(default)]
    pub password_secret_arn: Option<String>,
    /// The secret that holds a token.
    #[serde(default)]
    pub token_secret_arn: Option<String>,
    /// The projects whose runs it gets; none: all.
    #[serde(default)]
    pub projects: Option<Vec<String>>,
    /// Whether it gets them while they go on.
    #[serde(default)]
    pub live: bool,
}

/// What a schedule starts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ScheduledRun {
    /// The tenant.
    pub project: String,
    /// The test, whose newest version that is registered is run.
    pub test: String,
    /// A version instead.
    #[serde(default)]
    pub version: Option<String>,
    /// Overrides.
    #[serde(default)]
    pub parameters: Option<BTreeMap<String, Value>>,
    /// What `${env:NAME}` stands for.
    #[serde(default)]
    pub env: Option<BTreeMap<String, String>>,
    /// What becomes of a start while its last run goes on.
    #[serde(default)]
    pub overlap: Overlap,
    /// Windows in which nothing starts.
    #[serde(default)]
    pub blackouts: Vec<String>,
    /// Their time zone.
    #[serde(default = "utc")]
    pub timezone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// Where a task's network interface lies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Subnets.
    pub subnets: Vec<String>,
    /// Security groups.
    pub security_groups: Vec<String>,
    /// Whether a task gets a public address.
    #[serde(default)]
    pub assign_public_ip: bool,
}

/// What tasks run on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// `FARGATE` or `FARGATE_SPOT`.
    pub provider: String,
    /// Whether tasks that find no interruptible capacity run on `FARGATE`.
    #[serde(default)]
    pub fallback: bool,
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            provider: ON_DEMAND.into(),
            fallback: false,
        }
    }
}

/// What a project may do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProjectRules {
    /// Tasks of an execution at most.
    #[serde(default)]
    pub max_tasks: Option<u32>,
    /// US dollars of an execution at most.
    #[serde(default)]
    pub max_cost_usd: Option<f64>,
    /// US dollars of a calendar month (UTC) at most.
    #[serde(default)]
    pub max_monthly_usd: Option<f64>,
    /// VU hours of an execution at most.
    #[serde(default)]
    pub max_vu_hours: Option<f64>,
    /// VU hours of a calendar month (UTC) at most.
    #[serde(default)]
    pub max_monthly_vu_hours: Option<f64>,
    /// Who may start it; `*` in a name stands for any characters. A role's ARN stands for its sessions.
    #[serde(default = "everybody")]
    pub principals: Vec<String>,
    /// What its load may be sent to, as [`floodgate_core::targets`] reads it; none: anything.
    #[serde(default)]
    pub allowed_targets: Option<Vec<String>>,
    /// Engines that may run although they cannot be kept to that list.
    #[serde(default)]
    pub unconfined_engines: Vec<String>,
    /// Secrets that its definitions may refer to, beside [`StackConfig::secret_arns`].
    #[serde(default)]
    pub secret_arns: Vec<String>,
}

fn everybody() -> Vec<String> {
    vec!["*".into()]
}

impl StackConfig {
    /// Where a run goes that names no region: the home region, or the first one where the stack has no generators at home.
    pub fn default_region(&self, home: &str) -> Option<&str> {
        let found = self.regions.get_key_value(home);
        let (region, _) = found.or_else(|| self.regions.first_key_value())?;
        Some(region)
    }

    /// Reads it.
    ///
    /// # Errors
    /// One that is missing or cannot be read.
    pub async fn load(objects: &dyn ObjectStore) -> Result<Self> {
        let Some(placement) = json::get::<Self>(objects, KEY).await? else {
            return Err(FunctionError::errored(format!(
                "{KEY}: not found in the bucket; apply the Terraform module, which writes it"
            )));
        };
        if placement.schema != 1 {
            return Err(FunctionError::errored(format!(
                "{KEY}: has layout {}, this program reads 1; apply the Terraform module of the same version",
                placement.schema
            )));
        }
        Ok(placement)
    }

    /// The rules of a project; none: nobody may start it.
    pub fn rules(&self, project: &str) -> Option<&ProjectRules> {
        self.projects
            .get(project)
            .or_else(|| self.projects.get("*"))
    }

    /// Whether a project has rules, and so a state machine and a role, of its own.
    pub fn is_named(&self, project: &str) -> bool {
        project != "*" && self.projects.contains_key(project)
    }

    /// The role of a project's tasks.
    pub fn task_role(&self, project: &str) -> Option<&String> {
        let own = self.task_roles.get(project);
        own.or_else(|| self.task_roles.get("*").filter(|_| !self.is_named(project)))
    }

    /// Whether definitions of a project may refer to a secret.
    pub fn may_read(&self, project: &str, secret_arn: &str) -> bool {
        let Some(shared) = &self.secret_arns else {
            return true;
        };
        let own = self.rules(project).map(|rules| &rules.secret_arns);
        let mut patterns = shared.iter().chain(own.into_iter().flatten());
        patterns.any(|pattern| matches(pattern, secret_arn))
    }

    /// The stack's own sinks for runs of a project.
    pub fn exports_of(&self, project: &str) -> impl Iterator<Item = &StackExport> {
        let gets = move |export: &&StackExport| match &export.projects {
            Some(projects) => projects.iter().any(|named| named == project),
            None => true,
        };
        self.exports.iter().filter(gets)
    }

    /// A region's cluster.
    ///
    /// # Errors
    /// One that the stack does not have.
    pub fn region(&self, region: &str) -> Result<&RegionConfig> {
        self.regions.get(region).ok_or_else(|| {
            let known: Vec<&str> = self.regions.keys().map(String::as_str).collect();
            FunctionError::invalid(format!(
                "run.regions: this stack has no region {region:?}; it has {}",
                known.join(", ")
            ))
        })
    }

    /// The architecture that all of these regions offer for an engine; ARM comes first, since it costs less.
    ///
    /// # Errors
    /// An engine that one of them does not have.
    pub fn architecture(&self, engine: &str, regions: &[String]) -> Result<Architecture> {
        for &architecture in Architecture::ALL {
            let mut offered = true;
            for region in regions {
                let of_engine = self.region(region)?.task_definitions.get(engine);
                offered &= of_engine.is_some_and(|d| d.contains_key(architecture.as_str()));
            }
            if offered {
                return Ok(architecture);
            }
        }
        Err(FunctionError::errored(format!(
            "engine {engine}: there is no task definition for one architecture in all of {}; add the engine to the stack",
            regions.join(", ")
        )))
    }

    /// How long tasks have from the start of the run to being ready.
    pub fn start_timeout(&self) -> Duration {
        self.start_timeout_s
            .map_or(START_TIMEOUT, Duration::from_secs)
    }
}

impl RegionConfig {
    /// The network of a project's tasks.
    pub fn network(&self, project: &str) -> Option<&Network> {
        self.networks
            .get(project)
            .or_else(|| self.networks.get("default"))
    }
}

impl ProjectRules {
    /// What its load may be sent to.
    pub fn targets(&self) -> TargetRules {
        TargetRules {
            allowed_targets: self.allowed_targets.clone(),
            unconfined_engines: self.unconfined_engines.clone(),
        }
    }

    /// Whether somebody may start runs; nobody known may only where everybody may.
    pub fn allows(&self, principal: Option<&str>) -> bool {
        let of = principal.unwrap_or("");
        let mut named = self.principals.iter();
        named.any(|pattern| principal::is_named(pattern, of))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_matched_by_pattern() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("*", "anybody", true),
            ("ann", "ann", true),
            ("ann", "anna", false),
            ("arn:*:role/ci-*", "arn:aws:iam::1:role/ci-main", true),
            ("arn:*:role/ci-*", "arn:aws:iam::1:role/admin", false),
            ("*-ci", "x-ci-ci", true),
            ("secret:shop/token-??????", "secret:shop/token-AbCdEf", true),
            ("secret:shop/token-??????", "secret:shop/token-AbCde", false),
            ("secret:shop/*", "secret:shopping/x", false),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
        }
        let rules = ProjectRules {
            max_tasks: None,
            max_cost_usd: None,
            max_monthly_usd: None,
            max_vu_hours: None,
            max_monthly_vu_hours: None,
            principals: vec!["ann".into()],
            ..ProjectRules::default()
        };
        assert!(!rules.allows(None));
    }

    #[test]
    fn secrets_and_roles_are_a_projects_own() {
        let rules = |arn: &str| ProjectRules {
            secret_arns: vec![arn.into()],
            ..ProjectRules::default()
        };
        let placement = StackConfig {
            projects: [("a".into(), rules("s:a/*")), ("*".into(), rules("s:x"))].into(),
            secret_arns: Some(vec!["s:all-??".into()]),
            task_roles: [("*".into(), "role".into())].into(),
            ..StackConfig::default()
        };
        assert!(placement.may_read("a", "s:a/token") && placement.may_read("a", "s:all-01"));
        assert!(!placement.may_read("a", "s:x") && !placement.may_read("b", "s:a/token"));
        assert!(placement.may_read("b", "s:x"));
        // A project that is named never falls back to the role of those that are not.
        assert_eq!(placement.task_role("a"), None);
        assert_eq!(placement.task_role("b").map(String::as_str), Some("role"));
    }

    #[test]
    fn arm_is_chosen_where_all_regions_have_it() {
        let region = |architectures: &[&str]| RegionConfig {
            task_definitions: BTreeMap::from([(
                "http".into(),
                architectures
                    .iter()
                    .map(|a| ((*a).into(), "family".into()))
                    .collect(),
            )]),
            ..RegionConfig::default()
        };
        let placement = StackConfig {
            regions: BTreeMap::from([
                ("a".into(), region(&["arm64", "x86_64"])),
                ("b".into(), region(&["x86_64"])),
            ]),
            ..StackConfig::default()
        };
        let of = |regions: &[&str]| {
            let regions: Vec<String> = regions.iter().map(|r| (*r).into()).collect();
            placement.architecture("http", &regions)
        };
        assert_eq!(of(&["a"]).unwrap(), Architecture::Arm64);
        assert_eq!(of(&["a", "b"]).unwrap(), Architecture::X86_64);
        assert!(of(&["c"]).unwrap_err().to_string().contains("it has a, b"));
        assert!(placement.architecture("other", &["a".into()]).is_err());
    }

    #[test]
    fn a_run_without_a_region_goes_to_the_home_region() {
        let none = StackConfig::default();
        assert_eq!(none.default_region("a"), None);
        let regions = ["a", "b"].map(|name| (name.into(), RegionConfig::default()));
        let placement = StackConfig {
            regions: BTreeMap::from(regions),
            ..StackConfig::default()
        };
        assert_eq!(placement.default_region("b"), Some("b"));
        assert_eq!(placement.default_region("c"), Some("a"));
    }
}
