//! Options of `k6 run`.

use crate::engine::LoadOptions;

/// Where options of a load stand in a help text: k6 alone takes them.
pub const LOAD_OPTIONS_HEADING: &str = "Load of a k6 script, as for `k6 run`";

/// Options that say how much load a script makes, as the variables that mean the same to k6
/// (<https://grafana.com/docs/k6/latest/using-k6/k6-options/reference/>).
pub(super) fn variables(load: &LoadOptions) -> Vec<(&'static str, String)> {
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    let stages = (!load.stages.is_empty()).then(|| load.stages.join(","));
    let all = [
        ("K6_VUS", number(load.vus)),
        ("K6_DURATION", load.duration.clone()),
        ("K6_ITERATIONS", number(load.iterations)),
        ("K6_STAGES", stages),
        ("K6_RPS", number(load.rps)),
    ];
    let given = all.into_iter();
    given
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// What becomes of an option that k6's own `run` has and this one has not.
pub(super) fn instead_of(option: &str) -> Option<&'static str> {
    let option = option.split('=').next().unwrap_or_default();
    Some(match option {
        "--out" | "-o" => {
            "results stand in the folder of executions (--out DIR), and are shown by `floodgate show`"
        }
        "--summary-export"
        | "--summary-mode"
        | "--summary-trend-stats"
        | "--summary-time-unit"
        | "--no-summary" => "the summary is floodgate's: --json prints it",
        "--no-thresholds" => "thresholds in a definition stand in place of the script's",
        "--tag" => "a definition has tags",
        "--config" | "-c" => "write the options into the script, or into a definition",
        "--execution-segment" | "--execution-segment-sequence" => "--generators N divides the load",
        "--address" | "-a" | "--paused" | "--linger" | "-l" | "--profiling-enabled" => {
            "k6 is led over its API here, which is not for others"
        }
        "--max-redirects"
        | "--batch"
        | "--batch-per-host"
        | "--user-agent"
        | "--http-debug"
        | "--insecure-skip-tls-verify"
        | "--no-connection-reuse"
        | "--no-vu-connection-reuse"
        | "--dns"
        | "--block-hostnames"
        | "--blacklist-ip"
        | "--min-iteration-duration"
        | "--throw"
        | "-w"
        | "--discard-response-bodies"
        | "--local-ips"
        | "--system-tags"
        | "--console-output"
        | "--no-setup"
        | "--no-teardown"
        | "--setup-timeout"
        | "--teardown-timeout" => {
            "write it into the script's options, or set k6's variable, such as K6_USER_AGENT, where the script is packed"
        }
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn options_are_variables_or_have_a_word_on_them() {
        let load = LoadOptions {
            vus: Some(3),
            duration: Some("5s".into()),
            stages: vec!["1s:2".into(), "2s:0".into()],
            ..LoadOptions::default()
        };
        let expected = [
            ("K6_VUS", "3".to_owned()),
            ("K6_DURATION", "5s".to_owned()),
            ("K6_STAGES", "1s:2,2s:0".to_owned()),
        ];
        assert_eq!(variables(&load), expected);
        assert!(
            instead_of("--summary-export=x.json")
                .unwrap()
                .contains("--json")
        );
        assert_eq!(instead_of("--generators"), None);
    }
}
