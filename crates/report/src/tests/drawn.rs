//! Figures of runs that never took place, the same each time.

use floodgate_records::figures::{
    Axis, DefinitionText, ErrorFigures, Figures, GeneratorFigures, GroupFigures, HeatMap,
    LoadFigures, NameFigures, Point, Quantiles, TaskFigures, TimeFigures,
};
use floodgate_records::summary::Summary;

/// Numbers that look like chance (Numerical Recipes' generator).
struct Chance(u32);

impl Chance {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(self.0 >> 8) / f64::from(1 << 24)
    }
}

/// The figures of a run of so many seconds, with the names, codes and tasks of a summary. A slow stretch is in its middle, and a second in
/// which nothing came back.
pub(super) fn figures(summary: &Summary, seconds: u32) -> Figures {
    let slots = |length: u32| Axis {
        slot_s: length,
        slots: seconds.div_ceil(length),
    };
    let fine = slots(seconds.div_ceil(Figures::MAX_FINE));
    let coarse = slots(seconds.div_ceil(Figures::MAX_COARSE).max(10));
    let by_name = slots(seconds.div_ceil(Figures::MAX_BY_NAME));
    let mut chance = Chance(7);
    let slow = |slot: u32, axis: Axis| {
        let at = f64::from(slot) / f64::from(axis.slots);
        if (0.55..0.7).contains(&at) { 3.0 } else { 1.0 }
    };
    let requests: Vec<u64> = (0..fine.slots)
        .map(|slot| {
            let ramp = (f64::from(slot) / 30.0).min(1.0);
            (500.0 * ramp + 20.0 * chance.next()) as u64
        })
        .collect();
    let failed: Vec<u64> = (0..fine.slots)
        .map(|slot| {
            if slow(slot, fine) > 1.0 {
                (9.0 * chance.next()) as u64
            } else {
                0
            }
        })
        .collect();
    let mut times = |axis: Axis, middle: f64| {
        let mut all = Quantiles::default();
        for slot in 0..axis.slots {
            let gone = slot == axis.slots / 3;
            let base = middle * slow(slot, axis) * (0.9 + 0.2 * chance.next());
            let us = |factor: f64| (!gone).then_some((base * factor * 1e3) as u64);
            all.count.push(if gone {
                0
            } else {
                500 * u64::from(axis.slot_s)
            });
            all.p50.push(us(1.0));
            all.p90.push(us(2.9));
            all.p95.push(us(4.7));
            all.p99.push(us(11.0));
            all.max.push(us(18.0 + 30.0 * chance.next()));
        }
        all
    };
    let distribution = |middle: f64| {
        let mut points: Vec<Point> = Vec::new();
        let mut left = 1.0_f64;
        while left > 1e-5 {
            points.push(Point(
                1.0 - left,
                (middle * 1e3 * left.recip().powf(0.45)) as u64,
            ));
            left /= 1.3;
        }
        points.push(Point(1.0, (middle * 1e3 * 1e5_f64.powf(0.46)) as u64));
        points
    };
    let response = times(fine, 41.0);
    let service = times(coarse, 40.0);
    let lag = times(coarse, 0.031);
    let name_times: Vec<_> = summary
        .requests
        .iter()
        .map(|_| times(by_name, 60.0))
        .collect();
    let names = summary
        .requests
        .iter()
        .filter(|r| r.names == 1)
        .zip(name_times);
    let names = names
        .take(Figures::MAX_NAMES)
        .map(|(r, times)| NameFigures {
            name: r.name.clone(),
            metric: "http_req_response_time".into(),
            requests: (0..by_name.slots)
                .map(|slot| 250 * u64::from((seconds - slot * by_name.slot_s).min(by_name.slot_s)))
                .collect(),
            failed: vec![u64::from(r.failed > 0); by_name.slots as usize],
            times,
        });
    let names: Vec<_> = names.collect();
    let heat = HeatMap {
        metric: "http_req_response_time".into(),
        axis: by_name,
        edges_us: (0..=40)
            .map(|n| (1 << (n / 4 + 10)) + ((n % 4) << (n / 4 + 8)))
            .collect(),
        columns: (0..by_name.slots)
            .map(|slot| {
                let middle = if slow(slot, by_name) > 1.0 {
                    26.0
                } else {
                    20.0
                };
                let count = |bin: u32| {
                    let far = (f64::from(bin) - middle) / 4.0;
                    (800.0 * (-far * far).exp()) as u64
                };
                (0..40)
                    .map(|bin| (bin, count(bin)))
                    .filter(|(_, n)| *n > 0)
                    .collect()
            })
            .collect(),
    };
    let share = |of: f64| {
        (0..fine.slots)
            .map(|n| Some((of + f64::from(n % 7) * 0.01).min(1.0)))
            .collect()
    };
    let per_slot = |n: u64| vec![n * u64::from(fine.slot_s); fine.slots as usize];
    Figures {
        schema: Figures::SCHEMA,
        execution: summary.execution.clone(),
        start_ms: summary.started_ms.unwrap_or_default(),
        seconds: seconds.into(),
        fine,
        coarse,
        by_name,
        load: LoadFigures {
            planned: Some(per_slot(250)),
            started: Some(
                (0..coarse.slots)
                    .map(|slot| {
                        let left = seconds - slot * coarse.slot_s;
                        249 * u64::from(left.min(coarse.slot_s))
                    })
                    .collect(),
            ),
            completed: requests.iter().map(|n| n / 2).collect(),
            dropped: failed.clone(),
            sent: requests.iter().map(|n| n * 160).collect(),
            received: requests.iter().map(|n| n * 12_200).collect(),
            requests,
            failed: failed.clone(),
        },
        times: [
            ("http_req_response_time", true, response),
            ("http_req_duration", false, service),
        ]
        .map(|(metric, fine, slots)| TimeFigures {
            metric: metric.into(),
            fine,
            slots,
            distribution: distribution(if fine { 41.0 } else { 40.0 }),
        })
        .into(),
        errors: summary
            .errors
            .keys()
            .map(|code| ErrorFigures {
                code: Some(code.clone()),
                codes: 1,
                count: failed.clone(),
            })
            .collect(),
        generators: GeneratorFigures {
            vus: (0..fine.slots)
                .map(|n| Some(f64::from(n.min(60)) * 2.5))
                .collect(),
            vus_max: vec![Some(173.0); fine.slots as usize],
            cpu: share(0.24),
            tasks: summary
                .generators
                .iter()
                .map(|g| TaskFigures {
                    task: g.task,
                    cpu: share(g.cpu_mean),
                })
                .collect(),
            more_tasks: 0,
            lag,
        },
        heat: Some(heat),
        more_names: summary.requests.iter().map(|r| r.names).sum::<u64>() - names.len() as u64,
        names,
        groups: vec![GroupFigures {
            name: "::check-out".into(),
            count: 1_200,
            med: 88.1,
            p95: 240.0,
            p99: 612.4,
            max: 1_798.0,
        }],
        more_groups: 0,
        definition: Some(DefinitionText {
            json: "{\n  \"version\": 1,\n  \"target\": \"https://staging.shop.example\"\n}".into(),
            cut: false,
        }),
    }
}
