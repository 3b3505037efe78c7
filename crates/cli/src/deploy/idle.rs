//! What a stack costs while no run is on. Nothing is looked at here.

use floodgate_core::cost::prices;
use std::collections::BTreeMap;

/// US dollars a month for each resource of a type that costs whether it is used or not, in us-east-1; other regions are up to a half
/// dearer. From memory of the pages, as of 2026-11:
/// <https://aws.amazon.com/cloudwatch/pricing/> (an alarm of one metric; the account's first ten are free),
/// <https://aws.amazon.com/vpc/pricing/> (a NAT gateway, 0.045 an hour of 730; its public address, 0.005 an hour), <https://aws.amazon.com/kms/pricing/>.
const FIXED: [(&str, &str, f64); 4] = [
    ("aws_cloudwatch_metric_alarm", "alarm", 0.10),
    ("aws_nat_gateway", "NAT gateway", 32.85),
    ("aws_eip", "public address", 3.65),
    ("aws_kms_key", "key", 1.00),
];
/// US dollars a month for a GB of images: <https://aws.amazon.com/ecr/pricing/>, from memory as well.
const IMAGES_GB: f64 = 0.10;
/// The same for the table with point-in-time recovery: <https://aws.amazon.com/dynamodb/pricing/>.
const TABLE_GB: f64 = 0.45;

/// What it costs, a line each, of so many resources by type.
pub(super) fn lines(resources: &BTreeMap<String, usize>, region: &str) -> Vec<String> {
    let counted = FIXED.iter().filter_map(|(kind, name, usd)| {
        let count = *resources.get(*kind)?;
        let plural = match (count, *name) {
            (1, _) => "",
            (_, "public address") => "es",
            _ => "s",
        };
        Some((count as f64 * usd, format!("{count} {name}{plural}")))
    });
    let counted: Vec<_> = counted.collect();
    let sum: f64 = counted.iter().map(|(usd, _)| usd).sum();
    let parts: Vec<_> = counted
        .iter()
        .map(|(usd, what)| format!("{what} ${usd:.2}"))
        .collect();
    let fixed = match parts.is_empty() {
        true => "while idle: storage only".to_owned(),
        false => format!(
            "while idle: about ${sum:.2} a month ({}), plus storage",
            parts.join(", ")
        ),
    };
    let bucket = prices::of(region).s3_gb_month;
    let stored = format!(
        "storage per GB-month: results ${bucket:.3}, images ${IMAGES_GB:.2}, records ${TABLE_GB:.2}; the cost of a run is shown before and after it"
    );
    vec![fixed, stored]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_costs_is_told() {
        let of = |resources: &[(&str, usize)]| {
            let resources = resources.iter().map(|(kind, n)| ((*kind).to_owned(), *n));
            lines(&resources.collect(), "eu-west-1").remove(0)
        };
        assert_eq!(
            of(&[("aws_lambda_function", 6)]),
            "while idle: storage only"
        );
        assert_eq!(
            of(&[
                ("aws_cloudwatch_metric_alarm", 7),
                ("aws_eip", 2),
                ("aws_nat_gateway", 1)
            ]),
            "while idle: about $40.85 a month (7 alarms $0.70, 1 NAT gateway $32.85, 2 public addresses $7.30), plus storage"
        );
    }
}
