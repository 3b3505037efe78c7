//! Which stack is meant, and what its parts are called.
//!
//! Each part is taken from the first that names it: its flag or environment variable; the file `cloud.json` in the folder of
//! executions, which may be exactly what `terraform output -json` prints; the names that the Terraform modules give
//! the parts of a stack.

use super::machine::Caller;
use crate::args::CloudArgs;
use crate::error::{Cause, CliError, Result};
use floodgate_store::aws::call::region_of;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

/// The file in the folder of executions.
pub(crate) const CONNECTION: &str = "cloud.json";

/// What is said of the stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) stack: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) bucket: Option<String>,
    pub(crate) table: Option<String>,
    pub(crate) state_machine: Option<String>,
    /// By project; `*` for those that have none of their own.
    pub(crate) state_machines: BTreeMap<String, String>,
}

/// The parts of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) bucket: String,
    pub(crate) table: String,
    /// ARNs, the likeliest first.
    pub(crate) state_machines: Vec<String>,
}

impl Named {
    /// From the arguments and the file.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(crate) fn find(args: &CloudArgs, out: &Path) -> Result<Self> {
        let given = |value: &Option<String>| value.clone().filter(|v| !v.is_empty());
        let said = Self {
            stack: given(&args.stack),
            region: given(&args.region),
            bucket: given(&args.bucket),
            table: given(&args.table),
            state_machine: given(&args.state_machine),
            state_machines: BTreeMap::new(),
        };
        let file = Self::read(&out.join(CONNECTION))?;
        Ok(said.or(file).with_region_of_arn())
    }

    fn read(path: &Path) -> Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unreadable(path, error)),
        };
        Self::parse(&text).map_err(|problem| unreadable(path, problem))
    }

    /// What a file says.
    ///
    /// # Errors
    /// Why it is no such file.
    pub(crate) fn parse(text: &str) -> std::result::Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let object = value.as_object().ok_or("is not a JSON object")?;
        // `terraform output -json` wraps each value.
        let text = |names: &[&str]| {
            let found = names.iter().find_map(|name| object.get(*name))?;
            let found = found.get("value").unwrap_or(found);
            found.as_str().map(str::to_owned)
        };
        let map = |names: &[&str]| {
            let found = names.iter().find_map(|name| object.get(*name));
            let found = found.map(|found| found.get("value").unwrap_or(found));
            let entries = found.and_then(Value::as_object).into_iter().flatten();
            let texts =
                entries.filter_map(|(key, arn)| Some((key.clone(), arn.as_str()?.to_owned())));
            texts.collect()
        };
        Ok(Self {
            stack: text(&["stack", "name"]),
            region: text(&["region"]),
            bucket: text(&["bucket"]),
            table: text(&["table"]),
            state_machine: text(&["state_machine", "state_machine_arn"]),
            state_machines: map(&["state_machines", "state_machine_arns"]),
        })
    }

    /// Options take precedence over the file; a file about another stack is ignored.
    fn or(self, file: Self) -> Self {
        if self.stack.is_some() && self.stack != file.stack {
            return self;
        }
        Self {
            stack: self.stack.or(file.stack),
            region: self.region.or(file.region),
            bucket: self.bucket.or(file.bucket),
            table: self.table.or(file.table),
            // One that is said is the only one.
            state_machines: match &self.state_machine {
                Some(_) => BTreeMap::new(),
                None => file.state_machines,
            },
            state_machine: self.state_machine.or(file.state_machine),
        }
    }

    /// A state machine's ARN names its region.
    fn with_region_of_arn(mut self) -> Self {
        if self.region.is_none() {
            let any = self.state_machines.values().next();
            let arn = self.state_machine.as_ref().or(any);
            let arn = arn.map(String::as_str).unwrap_or_default();
            self.region = region_of(arn).map(str::to_owned);
        }
        self
    }
}

impl Place {
    /// Completes what is said by the names that the Terraform modules give.
    ///
    /// # Errors
    /// [`CliError::Usage`] if no stack is named and a part is missing.
    pub(crate) fn of(
        named: Named,
        project: Option<&str>,
        region: &str,
        caller: &Caller,
    ) -> Result<Self> {
        let stack = named.stack.as_deref();
        let part = |given: Option<String>, what: &str, by_convention: &dyn Fn(&str) -> String| {
            given.or_else(|| stack.map(by_convention)).ok_or_else(|| {
                CliError::usage(format!(
                    "no stack given, so its {what} is unknown: pass --stack NAME, set FLOODGATE_STACK, or write \
                     .floodgate/{CONNECTION} with terraform output -json > .floodgate/{CONNECTION}"
                ))
            })
        };
        let Caller {
            partition, account, ..
        } = caller;
        Ok(Self {
            state_machines: match of_project(&named.state_machines, project) {
                known if !known.is_empty() => known,
                _ => {
                    let said = named.state_machine.is_some();
                    let first = part(named.state_machine, "state machine", &|name| {
                        format!("arn:{partition}:states:{region}:{account}:stateMachine:{name}")
                    })?;
                    // A project's own is called by both names.
                    let own = project
                        .filter(|_| !said)
                        .map(|own| format!("{first}_{own}"));
                    own.into_iter().chain([first]).collect()
                }
            },
            bucket: part(named.bucket, "bucket", &|name| {
                format!("{name}-{account}-{region}")
            })?,
            table: part(named.table, "table", &|name| name.to_owned())?,
        })
    }
}

/// The machine of a project as a file knows it; all of them, where the project is not known.
fn of_project(machines: &BTreeMap<String, String>, project: Option<&str>) -> Vec<String> {
    match project {
        Some(project) => {
            let own = machines.get(project).or_else(|| machines.get("*"));
            own.into_iter().cloned().collect()
        }
        None => machines.values().cloned().collect(),
    }
}

fn unreadable(path: &Path, cause: impl Into<Cause>) -> CliError {
    let remedy = format!(
        "write it again with terraform output -json > {}",
        path.display()
    );
    CliError::read(path, cause, Some(remedy))
}
