//! Who started a run and from where, as far as the environment says.

use floodgate_records::execution::{Trigger, TriggerKind};

/// Variables that pipelines set: the page of the build, the revision, the branch, who. The first that is set counts.
const BUILD_URL: [&str; 3] = ["CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL"];
const COMMIT: [&str; 4] = ["GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT", "CIRCLE_SHA1"];
/// A pull request's own branch stands before that of its merge.
const BRANCH: [&str; 7] = [
    "GITHUB_HEAD_REF",
    "GITHUB_REF_NAME",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME",
    "CI_COMMIT_REF_NAME",
    "BRANCH_NAME",
    "GIT_BRANCH",
    "CIRCLE_BRANCH",
];
const PRINCIPAL: [&str; 5] = [
    "GITHUB_ACTOR",
    "GITLAB_USER_LOGIN",
    "LOGNAME",
    "USER",
    "USERNAME",
];

/// The trigger of a run that is started from here.
pub(crate) fn trigger(variable: impl Fn(&str) -> Option<String>) -> Trigger {
    let first = |names: &[&str]| {
        names
            .iter()
            .find_map(|n| variable(n).filter(|v| !v.is_empty()))
    };
    let github = || {
        let part = |name| first(&[name]);
        Some(format!(
            "{}/{}/actions/runs/{}",
            part("GITHUB_SERVER_URL")?,
            part("GITHUB_REPOSITORY")?,
            part("GITHUB_RUN_ID")?
        ))
    };
    let build_url = github().or_else(|| first(&BUILD_URL));
    let pipeline = build_url.is_some() || first(&["CI"]).is_some_and(|ci| ci != "false");
    Trigger {
        kind: match pipeline {
            true => TriggerKind::Pipeline,
            false => TriggerKind::Cli,
        }
        .into(),
        principal: first(&PRINCIPAL),
        build_url,
        commit: first(&COMMIT),
        branch: first(&BRANCH),
        ..Trigger::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Trigger {
        trigger(|name| {
            variables
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn a_pipeline_is_told_from_a_terminal() {
        let terminal = of(&[("USER", "ann"), ("CI", "false")]);
        assert_eq!(
            (terminal.kind.as_str(), terminal.principal.as_deref()),
            ("cli", Some("ann"))
        );
        let github = of(&[
            ("CI", "true"),
            ("GITHUB_SERVER_URL", "https://github.example"),
            ("GITHUB_REPOSITORY", "shop/web"),
            ("GITHUB_RUN_ID", "7"),
            ("GITHUB_SHA", "abc"),
            ("GITHUB_HEAD_REF", "faster"),
            ("GITHUB_REF_NAME", "7/merge"),
            ("GITHUB_ACTOR", "bob"),
            ("USER", "runner"),
        ]);
        assert_eq!(github.kind, TriggerKind::Pipeline);
        assert_eq!(
            github.build_url.as_deref(),
            Some("https://github.example/shop/web/actions/runs/7")
        );
        assert_eq!(
            (github.commit.as_deref(), github.principal.as_deref()),
            (Some("abc"), Some("bob"))
        );
        assert_eq!(github.branch.as_deref(), Some("faster"));
        assert_eq!(
            of(&[("CI_JOB_URL", "https://gitlab.example/1")]).kind,
            TriggerKind::Pipeline
        );
        assert_eq!(of(&[]).principal, None);
    }
}
