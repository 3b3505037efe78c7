//! Rows as lines of StatsD.

use crate::points::{Points, points};
use crate::row::Row;
use floodgate_records::metric::{MetricKind, SeriesKey};

/// Where tags go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TagStyle {
    /// `|#name:value,name:value`, as Datadog, Telegraf and others read.
    Datadog,
    /// Their values into the name, as parts: for servers without tags.
    Name,
    /// Nowhere: all series of a metric are one.
    None,
}

/// Writes rows as lines.
pub(super) struct Lines {
    prefix: String,
    testid: String,
    style: TagStyle,
}

impl Lines {
    pub(super) fn new(prefix: &str, testid: &str, style: TagStyle) -> Self {
        let kept = prefix.chars().map(|c| if is_plain(c) { c } else { '_' });
        Self {
            prefix: kept.collect(),
            testid: testid.to_owned(),
            style,
        }
    }

    /// Lines, each with its line feed. A counter is its sum, a gauge its last value, a rate two counters: samples that are not zero,
    /// and all samples. A trend is a timer: its points, each of which says for how many samples it stands.
    pub(super) fn of(&self, rows: &[Row], how: Points) -> Vec<String> {
        let mut lines = Vec::new();
        points(rows, how, |row, points| {
            let (name, tags) = self.name(&row.key);
            match row.key.kind {
                MetricKind::Counter => lines.push(format!("{name}:{}|c{tags}\n", row.sum)),
                // A number with a sign would change the gauge by it; none of ours is negative, but a script's may be.
                MetricKind::Gauge if row.sum < 0.0 => {
                    lines.push(format!("{name}:0|g{tags}\n"));
                    lines.push(format!("{name}:{}|g{tags}\n", row.sum));
                }
                MetricKind::Gauge => lines.push(format!("{name}:{}|g{tags}\n", row.sum)),
                MetricKind::Rate => {
                    lines.push(format!("{name}:{}|c{tags}\n", row.sum));
                    lines.push(format!("{name}_samples:{}|c{tags}\n", row.count));
                }
                MetricKind::Trend => {
                    let values = points.iter().map(|point| point.value);
                    let mut values: Vec<f64> = values.collect();
                    if values.is_empty() {
                        // Its share was less than a point; its samples are to be counted all the same.
                        values.push(row.mean());
                    }
                    let share = values.len() as f64 / row.count as f64;
                    let rate = if share < 1.0 {
                        format!("|@{share}")
                    } else {
                        String::new()
                    };
                    let line = |value| format!("{name}:{value}|ms{rate}{tags}\n");
                    lines.extend(values.into_iter().map(line));
                }
            }
        });
        lines
    }

    /// The name with its prefix, and what follows the type.
    fn name(&self, key: &SeriesKey) -> (String, String) {
        let mut name = format!("{}{}", self.prefix, plain(&key.metric));
        let tags = key.tags.0.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        match self.style {
            TagStyle::None => (name, String::new()),
            TagStyle::Name => {
                for (_, value) in tags {
                    // A point parts the levels of a name.
                    name = format!("{name}.{}", plain(value).replace('.', "_"));
                }
                (name, String::new())
            }
            TagStyle::Datadog => {
                let own = ("testid", self.testid.as_str());
                let own = key.tags.get("testid").is_none().then_some(own);
                let tags: Vec<_> = tags
                    .chain(own)
                    .map(|(k, v)| format!("{}:{}", plain(k), value(v)))
                    .collect();
                (name, format!("|#{}", tags.join(",")))
            }
        }
    }
}

/// Whether a character means nothing to a server.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect()
}

/// The value of a tag: anything but what ends it.
fn value(text: &str) -> String {
    let ends = |c: char| matches!(c, ',' | '|' | '#') || c.is_control();
    text.chars()
        .map(|c| if ends(c) { '_' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{key, row, trend};

    fn rows() -> Vec<Row> {
        let tags = [("name", "GET /a|b,c.x"), ("status", "200")];
        vec![
            row(&key("http_reqs", MetricKind::Counter, &tags), 1_000, 3, 3.0),
            row(
                &key("http_req_failed", MetricKind::Rate, &tags),
                1_000,
                3,
                1.0,
            ),
            trend(
                &key("http_req_duration", MetricKind::Trend, &tags),
                1_000,
                1,
                [1_500, 250],
            ),
            row(&key("balance", MetricKind::Gauge, &[]), 1_000, 1, -7.0),
        ]
    }

    fn lines(style: TagStyle) -> String {
        Lines::new("k6.", "7", style)
            .of(&rows(), Points::DEFAULT)
            .concat()
    }

    #[test]
    fn tags_go_where_they_are_wanted() {
        let expected = "\
            k6.http_reqs:3|c|#name:GET /a_b_c.x,status:200,testid:7\n\
            k6.http_req_failed:1|c|#name:GET /a_b_c.x,status:200,testid:7\n\
            k6.http_req_failed_samples:3|c|#name:GET /a_b_c.x,status:200,testid:7\n\
            k6.http_req_duration:0.25|ms|#name:GET /a_b_c.x,status:200,testid:7\n\
            k6.http_req_duration:1.5|ms|#name:GET /a_b_c.x,status:200,testid:7\n\
            k6.balance:0|g|#testid:7\n\
            k6.balance:-7|g|#testid:7\n";
        assert_eq!(lines(TagStyle::Datadog), expected);
        assert!(lines(TagStyle::Name).starts_with("k6.http_reqs.GET__a_b_c_x.200:3|c\n"));
        assert!(lines(TagStyle::None).starts_with("k6.http_reqs:3|c\nk6.http_req_failed:1|c\n"));
    }

    #[test]
    fn points_say_for_how_many_samples_they_stand() {
        let duration = key("d", MetricKind::Trend, &[]);
        let rows = [trend(&duration, 1_000, 1, (0..1_000).map(|v| v * 1_000))];
        let lines = Lines::new("", "", TagStyle::None).of(&rows, Points::PerSecond(10));
        assert_eq!(lines.len(), 10);
        assert!(
            lines.iter().all(|line| line.ends_with("|ms|@0.01\n")),
            "{lines:?}"
        );
        let few = [
            trend(&duration, 1_000, 1, [5]),
            trend(
                &key("d", MetricKind::Trend, &[("a", "b")]),
                1_000,
                1,
                0..999,
            ),
        ];
        let lines = Lines::new("", "", TagStyle::None).of(&few, Points::PerSecond(1));
        assert_eq!(lines.len(), 2, "{lines:?}");
    }
}
