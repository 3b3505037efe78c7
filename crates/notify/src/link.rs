//! Where a reader finds the run.

use floodgate_records::execution::Execution;
use floodgate_store::aws::call::region_of;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// The variable with the address of the console, for definitions that name none.
pub const CONSOLE_URL: &str = "FLOODGATE_CONSOLE_URL";

/// What may stand in an address as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// An address for a reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What is there.
    pub title: String,
    /// `http://` or `https://`.
    pub url: String,
}

/// The links of a run: to the console, or wherever the definition says; to its state machine, on AWS; to the pipeline's page.
pub(crate) fn links(execution: &Execution, given: Option<&str>) -> Vec<Link> {
    let console = given.filter(|url| is_web(url)).map(|url| Link {
        title: "Run".to_owned(),
        url: of_run(execution, url),
    });
    let machine = execution.run_arn.as_deref().and_then(of_machine);
    let build = execution.trigger.build_url.as_deref();
    let build = build.filter(|url| is_web(url)).map(|url| Link {
        title: "Build".to_owned(),
        url: url.to_owned(),
    });
    [console, machine, build].into_iter().flatten().collect()
}

/// A page's address, for which there is more than one scheme that a reader must not be led to.
fn is_web(url: &str) -> bool {
    let plain =
        |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '<' | '>' | '"' | '|');
    (url.starts_with("https://") || url.starts_with("http://")) && url.chars().all(plain)
}

fn of_run(execution: &Execution, url: &str) -> String {
    let escaped = |text: &str| utf8_percent_encode(text, ESCAPED).to_string();
    let (project, id) = (escaped(&execution.project), escaped(&execution.id));
    let filled = url
        .replace("{project}", &project)
        .replace("{test}", &escaped(&execution.test))
        .replace("{execution}", &id);
    match filled == url {
        false => filled,
        // The console's own address of a run.
        true => format!("{}/#/runs/{project}/{id}", url.trim_end_matches('/')),
    }
}

/// The page of a state machine's execution in the AWS console.
fn of_machine(arn: &str) -> Option<Link> {
    let region = region_of(arn)?;
    let domain = match region.split('-').next()? {
        "cn" => "console.amazonaws.cn",
        _ if region.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        _ => "console.aws.amazon.com",
    };
    Some(Link {
        title: "State machine".to_owned(),
        url: format!(
            "https://{region}.{domain}/states/home?region={region}#/v2/executions/details/{arn}"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_run_and_nowhere_else() {
        let mut execution = Execution::created("01ID", "shop", "a b", 0);
        let urls = |execution: &Execution, given| {
            let links = links(execution, given);
            links.into_iter().map(|link| link.url).collect::<Vec<_>>()
        };
        assert_eq!(
            urls(&execution, Some("https://c.example/")),
            ["https://c.example/#/runs/shop/01ID"]
        );
        assert_eq!(
            urls(&execution, Some("https://g/?t={test}&id={execution}")),
            ["https://g/?t=a%20b&id=01ID"]
        );
        assert_eq!(urls(&execution, None), [""; 0]);
        execution.trigger.build_url = Some("javascript:alert(1)".into());
        assert_eq!(urls(&execution, Some("ftp://x")), [""; 0]);
        execution.trigger.build_url = Some("https://ci/1".into());
        execution.run_arn = Some("arn:aws:states:eu-west-1:1:execution:f:x".into());
        let all = urls(&execution, None);
        assert!(
            all[0].starts_with("https://eu-west-1.console.aws.amazon.com/states/home?"),
            "{all:?}"
        );
        assert_eq!(all[1], "https://ci/1");
    }
}
