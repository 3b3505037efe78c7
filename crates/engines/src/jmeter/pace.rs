//! How often throughput timers let each sampler go, and what coordinated omission hides when it takes longer.
//!
//! A throughput timer gives a thread a start every so often: its *expected interval*. A sample that takes longer keeps the thread from
//! its next starts, which are never sent and never measured. The results tell how long a sample took and how many threads there
//! were; so the response times of the starts that were left out can be estimated by the method of HdrHistogram
//! ([`recordSingleValueWithExpectedInterval`](https://github.com/HdrHistogram/HdrHistogram/blob/HdrHistogram-2.2.2/src/main/java/org/HdrHistogram/AbstractHistogram.java)):
//! a value *v* longer than the interval *i* stands for further ones of *v − i*, *v − 2i* and so on, down to *i*. They stand in series of their
//! own, with the tag `corrected` = [`CORRECTED`].

use super::figures::Figures;
use super::plan::{Element, Group, Plan, Values, is_sampler};
use std::collections::BTreeMap;

/// How response times are estimated here: the value of the tag `corrected`.
pub(super) const CORRECTED: &str = "expected_interval";

/// More than this is not recorded for one sample: then the interval is taken as longer.
const MOST: u64 = 100_000;

/// The threads that share a timer's rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Threads {
    /// Each has a rate of its own.
    Own,
    /// Those of the group.
    Group,
    /// All that run.
    All,
}

/// Starts a second.
#[derive(Clone, Debug, PartialEq)]
enum Rate {
    Constant(f64),
    /// From, to, and for how many seconds.
    Profile(Vec<[f64; 3]>),
}

/// One sampler's pace.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pace {
    threads: Threads,
    rate: Rate,
}

/// The paces of a plan's samplers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Paces {
    /// By group and label.
    samplers: BTreeMap<(String, String), Pace>,
}

impl Paces {
    /// Of a plan as a task runs it, with its share of the rates.
    pub(super) fn of(plan: &Plan, values: &Values) -> Self {
        let groups: Vec<_> = Group::all(plan).iter().map(|group| group.number).collect();
        let timers: Vec<_> = plan
            .enabled()
            .filter_map(|(_, element)| Some((element.parent?, Pace::of(element, values)?)))
            .collect();
        let mut samplers = BTreeMap::new();
        for (number, sampler) in plan.enabled().filter(|(_, e)| is_sampler(&e.class)) {
            let above: Vec<usize> = plan.above(number).collect();
            // Timers in the scope of a sampler add their pauses up: the slowest decides.
            let in_scope = |parent: &usize| *parent == number || above.contains(parent);
            let slowest = timers
                .iter()
                .filter(|(parent, _)| in_scope(parent))
                .map(|(_, pace)| pace)
                .min_by(|a, b| a.rate.least().total_cmp(&b.rate.least()));
            let group = above.iter().find(|above| groups.contains(above));
            if let (Some(pace), Some(&group)) = (slowest, group) {
                let group = plan.elements[group].name.clone();
                samplers.insert((group, sampler.name.clone()), pace.clone());
            }
        }
        Self { samplers }
    }

    /// The pace of a sampler by the name of its group and its label.
    pub(super) fn get(&self, group: &str, label: &str) -> Option<&Pace> {
        if self.samplers.is_empty() {
            return None;
        }
        self.samplers.get(&(group.to_owned(), label.to_owned()))
    }
}

impl Pace {
    /// Of a throughput timer; `None` of another element, and where its rate is not known before the run.
    fn of(timer: &Element, values: &Values) -> Option<Self> {
        let number = |name: &str| values.number(timer.text(name)).ok();
        let (threads, rate) = match timer.class.as_str() {
            "ConstantThroughputTimer" => {
                // `calcMode`: one thread, all, those of the group, then the last two with one schedule for all.
                let threads = match timer.text("calcMode") {
                    "" | "0" => Threads::Own,
                    "1" | "3" => Threads::All,
                    "2" | "4" => Threads::Group,
                    _ => return None,
                };
                (threads, Rate::Constant(number("throughput")? / 60.0))
            }
            "PreciseThroughputTimer" => {
                let period = number("throughputPeriod")?;
                (
                    Threads::Group,
                    Rate::Constant(number("throughput")? / period),
                )
            }
            // jpgc: Throughput Shaping Timer.
            "VariableThroughputTimer" => {
                let mut rows = Vec::new();
                for row in timer.rows("load_profile") {
                    let mut cells = row.iter().map(|prop| values.number(&prop.text).ok());
                    rows.push([cells.next()??, cells.next()??, cells.next()??]);
                }
                (Threads::All, Rate::Profile(rows))
            }
            _ => return None,
        };
        rate.is_possible().then_some(Self { threads, rate })
    }

    /// The time between two starts of a thread, in µs, for a sample so many ms after the first one.
    fn interval_us(&self, figures: &Figures, since_ms: i64) -> Option<u64> {
        let threads = match self.threads {
            Threads::Own => 1,
            Threads::Group => figures.group_threads?,
            Threads::All => figures.all_threads?,
        };
        let rate = self.rate.at(since_ms as f64 / 1_000.0)?;
        let interval = threads as f64 * 1e6 / rate;
        // The cast saturates.
        (interval.is_finite() && interval >= 1.0).then_some(interval as u64)
    }

    /// The response times in µs of the starts that a sample kept its thread from.
    pub(super) fn omitted(
        &self,
        figures: &Figures,
        since_ms: i64,
    ) -> impl Iterator<Item = u64> + use<> {
        let took_us = figures.elapsed_ms.saturating_mul(1_000);
        let interval = self
            .interval_us(figures, since_ms)
            .map_or(u64::MAX, |interval| interval.max(took_us / MOST));
        (1..=took_us / interval.max(1))
            .map(move |n| took_us - n * interval)
            .take_while(move |&left| left >= interval)
    }
}

impl Rate {
    fn is_possible(&self) -> bool {
        match self {
            Self::Constant(rate) => rate.is_finite() && *rate > 0.0,
            Self::Profile(rows) => rows.iter().flatten().all(|n| n.is_finite() && *n >= 0.0),
        }
    }

    /// The lowest rate of all times.
    fn least(&self) -> f64 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Profile(rows) => rows
                .iter()
                .flat_map(|[from, to, _]| [*from, *to])
                .fold(f64::INFINITY, f64::min),
        }
    }

    /// At a time in seconds; `None` where a profile asks for nothing.
    fn at(&self, second: f64) -> Option<f64> {
        let rows = match self {
            Self::Constant(rate) => return Some(*rate),
            Self::Profile(rows) => rows,
        };
        let mut begin = 0.0;
        for [from, to, length] in rows {
            if second < begin + length {
                let share = ((second - begin) / length).max(0.0);
                return Some(from + (to - from) * share).filter(|rate| *rate > 0.0);
            }
            begin += length;
        }
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn paces(timers: &str) -> Paces {
        let text = format!(
            r#"<jmeterTestPlan version="1.2" jmeter="5.6.3"><hashTree><TestPlan testname="P" enabled="true"/><hashTree>
            <ThreadGroup testname="g" enabled="true"><stringProp name="ThreadGroup.num_threads">2</stringProp></ThreadGroup><hashTree>
            <HTTPSamplerProxy testname="home" enabled="true"/><hashTree/>{timers}
            </hashTree>
            <ThreadGroup testname="other" enabled="true"><stringProp name="ThreadGroup.num_threads">2</stringProp></ThreadGroup><hashTree>
            <HTTPSamplerProxy testname="home" enabled="true"/><hashTree/>
            </hashTree>
            </hashTree></hashTree></jmeterTestPlan>"#
        );
        let plan = Plan::parse(text.as_bytes()).unwrap();
        let values = Values::new(&plan, &BTreeMap::new());
        Paces::of(&plan, &values)
    }

    fn timer(class: &str, values: &[(&str, &str)]) -> String {
        let props: String = values
            .iter()
            .map(|(name, value)| format!(r#"<stringProp name="{name}">{value}</stringProp>"#))
            .collect();
        format!(r#"<{class} testname="t" enabled="true">{props}</{class}><hashTree/>"#)
    }

    fn sample(elapsed_ms: u64) -> Figures {
        Figures {
            elapsed_ms,
            group_threads: Some(5),
            all_threads: Some(10),
            ..Figures::default()
        }
    }

    fn omitted(timers: &str, since_ms: i64, elapsed_ms: u64) -> Vec<u64> {
        let paces = paces(timers);
        assert_eq!(paces.get("other", "home"), None, "not in its scope");
        let pace = paces.get("g", "home").unwrap();
        pace.omitted(&sample(elapsed_ms), since_ms)
            .map(|us| us / 1_000)
            .collect()
    }

    #[test]
    fn each_timer_says_how_long_a_thread_should_wait() {
        let constant = |mode: &str| {
            let values = [("throughput", "600.0"), ("calcMode", mode)];
            timer("ConstantThroughputTimer", &values)
        };
        // Ten a second for each thread, for ten threads, for the five of the group.
        assert_eq!(omitted(&constant("0"), 0, 350), [250, 150]);
        assert_eq!(omitted(&constant("1"), 0, 3_500), [2_500, 1_500]);
        assert_eq!(omitted(&constant("4"), 0, 1_600), [1_100, 600]);
        let precise = timer(
            "PreciseThroughputTimer",
            &[("throughput", "100"), ("throughputPeriod", "10")],
        );
        assert_eq!(omitted(&precise, 0, 1_600), [1_100, 600]);
        // As long as the interval or shorter: nothing is left out. HdrHistogram's rule asks for a whole interval more.
        assert_eq!(omitted(&precise, 0, 500), [0; 0]);
        assert_eq!(omitted(&precise, 0, 999), [0; 0]);
        assert_eq!(omitted(&precise, 0, 1_000), [500]);
    }

    #[test]
    fn a_shaping_timer_goes_by_time() {
        let row = |from: u32, to: u32, seconds: u32| {
            format!(
                r#"<collectionProp name="r"><stringProp name="a">{from}</stringProp><stringProp name="b">{to}</stringProp><stringProp name="c">{seconds}</stringProp></collectionProp>"#
            )
        };
        let class = "kg.apc.jmeter.timers.VariableThroughputTimer";
        let shaping = format!(
            r#"<{class} testname="t" enabled="true"><collectionProp name="load_profile">{}{}</collectionProp></{class}><hashTree/>"#,
            row(0, 200, 10),
            row(100, 100, 10)
        );
        // Ten threads: at 5 s 100 a second, at 15 s too, then nothing.
        assert_eq!(omitted(&shaping, 5_000, 300), [200, 100]);
        assert_eq!(omitted(&shaping, 15_000, 300), [200, 100]);
        assert_eq!(omitted(&shaping, 25_000, 300), [0; 0]);
        assert_eq!(omitted(&shaping, 0, 300), [0; 0]);
    }

    #[test]
    fn the_slowest_timer_decides_and_impossible_rates_are_none() {
        let constant =
            |throughput: &str| timer("ConstantThroughputTimer", &[("throughput", throughput)]);
        let both = constant("600") + &constant("60");
        assert_eq!(omitted(&both, 0, 3_500), [2_500, 1_500]);
        for throughput in ["0", "-1", "${unknown}", "NaN"] {
            assert_eq!(
                paces(&constant(throughput)),
                Paces::default(),
                "{throughput}"
            );
        }
        // A sample of a year at a thousand a second does not take a year to add up.
        let all = paces(&constant("60000"));
        let year = 366 * 24 * 3_600 * 1_000;
        let count = all
            .get("g", "home")
            .unwrap()
            .omitted(&sample(year), 0)
            .count();
        assert!(count as u64 <= MOST, "{count}");
        let last = all
            .get("g", "home")
            .unwrap()
            .omitted(&sample(u64::MAX), i64::MAX);
        assert!(last.count() as u64 <= MOST);
    }
}
