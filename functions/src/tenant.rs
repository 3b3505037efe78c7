//! Whose runs a state machine starts. Who may start which one is IAM's business; a machine says of which project it is, so that no
//! input can name another's.

use crate::stack_config::StackConfig;
use floodgate_records::execution::PrincipalIs;

/// What a state machine is told instead of a project where it serves all that have none of their own.
const OTHERS: &str = "*";
/// What stands behind the project in the name of the machine that schedules start.
const SCHEDULED: &str = "scheduled";

/// Whose runs a state machine starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tenant {
    /// One project's.
    Project(String),
    /// Those of every project that has no machine of its own.
    Others,
}

impl Tenant {
    /// By the constant of a state machine's definition.
    pub(crate) fn of(constant: &str) -> Self {
        match constant {
            OTHERS | "" => Self::Others,
            project => Self::Project(project.to_owned()),
        }
    }

    /// By the ARN of an execution: the machines of a stack are `{stack}`, `{stack}_{project}`, and each with `_scheduled` behind it, where
    /// neither stacks nor projects have a low line. `base` is the ARN of the first. `None`: it is not a machine of the stack.
    pub(crate) fn of_execution(base: &str, run_arn: &str) -> Option<Self> {
        let machine = machine_of(run_arn);
        let rest = machine.strip_prefix(base)?;
        let mut parts = rest.split('_');
        let (first, project, kind) = (parts.next()?, parts.next(), parts.next());
        let known =
            first.is_empty() && kind.is_none_or(|kind| kind == SCHEDULED) && parts.next().is_none();
        known.then(|| Self::of(project.unwrap_or_default()))
    }

    /// Whether runs of a project are its own.
    ///
    /// # Errors
    /// A sentence about a project of somebody else's.
    pub(crate) fn check(&self, placement: &StackConfig, project: &str) -> Result<(), String> {
        match self {
            Self::Project(own) if own == project => Ok(()),
            Self::Project(own) => Err(format!(
                "this state machine starts runs of project {own:?} and not of {project:?}; start that of the project (terraform output state_machine_arns)"
            )),
            Self::Others if !placement.is_named(project) => Ok(()),
            Self::Others => Err(format!(
                "project {project:?} has a state machine of its own; start that one (terraform output state_machine_arns)"
            )),
        }
    }

    /// The one project, if it is one.
    pub(crate) fn project(&self) -> Option<&str> {
        match self {
            Self::Project(own) => Some(own),
            Self::Others => None,
        }
    }
}

/// The machine of an execution by their ARNs.
pub(crate) fn machine_of(run_arn: &str) -> String {
    let machine = run_arn
        .rsplit_once(':')
        .map_or(run_arn, |(machine, _)| machine);
    machine.replacen(":execution:", ":stateMachine:", 1)
}

/// Whether AWS vouches for who started an execution: the machine for schedules is EventBridge Scheduler's alone, by IAM; of any other
/// Step Functions does not tell who called.
pub(crate) fn vouched(is_scheduled: bool) -> PrincipalIs {
    match is_scheduled {
        true => PrincipalIs::Verified,
        false => PrincipalIs::Claimed,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::stack_config::ProjectRules;

    #[test]
    fn a_machine_says_of_which_project_it_is() {
        let base = "arn:aws:states:eu-west-1:1:stateMachine:fg";
        let of = |name: &str| {
            let arn = format!("arn:aws:states:eu-west-1:1:execution:{name}:run-1");
            Tenant::of_execution(base, &arn)
        };
        let shop = || Some(Tenant::Project("shop".into()));
        assert_eq!(of("fg"), Some(Tenant::Others));
        assert_eq!(of("fg__scheduled"), Some(Tenant::Others));
        assert_eq!(of("fg_shop"), shop());
        assert_eq!(of("fg_shop_scheduled"), shop());
        for other in [
            "fg-two",
            "fg-two_shop",
            "other",
            "fg_shop_x",
            "fg_shop_scheduled_y",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
        let arn = "arn:aws:states:eu-west-1:1:execution:fg_shop:run-1";
        assert_eq!(machine_of(arn), format!("{base}_shop"));
    }

    #[test]
    fn nobody_starts_another_projects_runs() {
        let rules = ("shop".to_owned(), ProjectRules::default());
        let placement = StackConfig {
            projects: [rules, ("*".to_owned(), ProjectRules::default())].into(),
            ..StackConfig::default()
        };
        let check = |constant: &str, project| Tenant::of(constant).check(&placement, project);
        assert_eq!(check("shop", "shop"), Ok(()));
        assert_eq!(check("*", "search"), Ok(()));
        assert!(check("shop", "search").unwrap_err().contains("\"search\""));
        assert!(check("*", "shop").unwrap_err().contains("of its own"));
        assert!(check("shop", "").is_err());
    }
}
