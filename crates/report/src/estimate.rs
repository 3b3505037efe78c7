//! What a run in the cloud would take and cost.

use crate::style::Style;
use floodgate_records::estimate::Estimate;
use floodgate_records::printable::printable;
use std::fmt::Write as _;

/// The estimate as text: tasks, cost with what it is made of, and what was done.
pub fn estimate(estimate: &Estimate, _style: Style) -> String {
    let plain = |text: &str| printable(text).into_owned();
    let mut text = format!(
        "{}/{}: {} of {} vCPU and {} GiB ({}) in {}, for up to {} s\n",
        plain(&estimate.project),
        plain(&estimate.test),
        tasks(estimate.tasks),
        f64::from(estimate.cpu) / 1_024.0,
        f64::from(estimate.memory) / 1_024.0,
        plain(estimate.architecture.as_str()),
        plain(&estimate.regions.join(", ")),
        estimate.longest_s,
    );
    let usd = estimate.cost.estimate_usd.unwrap_or_default();
    let prices = plain(&estimate.cost.prices_of);
    let _ = writeln!(text, "estimated cost ${usd:.4}, list prices of {prices}");
    let mut items: Vec<_> = estimate.cost.items.iter().collect();
    items.sort_by(|a, b| b.usd.total_cmp(&a.usd));
    for item in items {
        let (what, region) = (plain(item.what.as_str()), plain(&item.region));
        let (quantity, unit) = (item.quantity, plain(item.unit.as_str()));
        let _ = writeln!(
            text,
            "  ${:.4}  {what}, {region}: {quantity:.2} {unit}",
            item.usd
        );
    }
    for warning in &estimate.warnings {
        let _ = writeln!(text, "warning: {}", plain(warning));
    }
    text.push_str(match estimate.registered {
        true => "registered: schedules and pipelines run this version from now on; nothing was started\n",
        false => "nothing was started\n",
    });
    text
}

fn tasks(number: u32) -> String {
    match number {
        1 => "1 task".into(),
        many => format!("{many} tasks"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_records::architecture::Architecture;
    use floodgate_records::cost::{Charge, ChargeUnit, Cost, CostItem};

    #[test]
    fn an_estimate_has_tasks_cost_and_warnings() {
        let item = |what: Charge, quantity, unit: ChargeUnit, usd| CostItem {
            what: what.into(),
            region: "eu-west-1".into(),
            quantity,
            unit: unit.into(),
            usd,
        };
        let mut known = Estimate {
            project: "shop".into(),
            test: "checkout".into(),
            tasks: 2,
            regions: vec!["eu-west-1".into()],
            architecture: Architecture::Arm64.into(),
            cpu: 1_024,
            memory: 2_048,
            longest_s: 630,
            cost: Cost {
                estimate_usd: Some(0.0154),
                items: vec![
                    item(
                        Charge::FargateMemoryArm64,
                        0.7833,
                        ChargeUnit::GbHours,
                        0.0028,
                    ),
                    item(
                        Charge::FargateVcpuArm64,
                        0.3917,
                        ChargeUnit::VcpuHours,
                        0.0127,
                    ),
                ],
                prices_of: "2026-11-01".into(),
                ..Cost::default()
            },
            warnings: vec!["a \u{1b}[31mquota".into()],
            ..Estimate::default()
        };
        insta::assert_snapshot!(estimate(&known, Style::PLAIN), @r"
        shop/checkout: 2 tasks of 1 vCPU and 2 GiB (arm64) in eu-west-1, for up to 630 s
        estimated cost $0.0154, list prices of 2026-11-01
          $0.0127  fargate vCPU arm64, eu-west-1: 0.39 vCPU-hours
          $0.0028  fargate memory arm64, eu-west-1: 0.78 GB-hours
        warning: a \u{1b}[31mquota
        nothing was started
        ");
        known.registered = true;
        assert!(estimate(&known, Style::PLAIN).contains("registered: schedules"));
    }
}
