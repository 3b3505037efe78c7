//! Handing rows to a sink, whatever it does: batches, retries, and an account of what it did not take.

use crate::row::Row;
use crate::sink::{Accepted, End, Sink, SinkError};
use floodgate_records::printable::printable;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long a sink is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long one batch may take before it counts as not taken.
    pub batch: Duration,
    /// Pause before the second try; it doubles with each further one.
    pub first_pause: Duration,
    /// The longest pause, also if the other side asks for a longer one.
    pub longest_pause: Duration,
    /// How long after its first try a batch is tried once more, for the last time; then it is given up, and the export with it.
    pub total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            batch: Duration::from_secs(10),
            first_pause: Duration::from_millis(250),
            longest_pause: Duration::from_secs(10),
            total: Duration::from_secs(60),
        }
    }
}

/// What became of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows that the sink took.
    pub taken: u64,
    /// Rows that it did not take: refused, or given up.
    pub lost: u64,
    /// Batches that were tried again.
    pub retries: u64,
    /// Why, if anything was lost: the first reason of each kind, a sentence each.
    pub problems: Vec<String>,
}

impl Report {
    /// Whether the sink took everything.
    pub fn is_complete(&self) -> bool {
        self.lost == 0 && self.problems.is_empty()
    }
}

/// Reasons that are kept.
const MAX_PROBLEMS: usize = 5;
/// Characters of a reason at most: it may be a page that some server sends.
const MAX_PROBLEM: usize = 300;

/// Rows of a batch, from which on it is handed over: a few hundred kB in most forms.
pub const BATCH_ROWS: usize = 5_000;

/// A sink with an account.
///
/// Its futures can be dropped: nothing is lost by that, and a batch that was on its way is the next to be tried.
pub struct Delivery {
    sink: Box<dyn Sink>,
    patience: Patience,
    report: Report,
    /// Rows that wait, and how many of them are the batch that has been tried.
    queue: Vec<Row>,
    tried: Option<usize>,
    given_up: bool,
}

impl Delivery {
    /// Nothing is delivered yet.
    pub fn new(sink: Box<dyn Sink>, patience: Patience) -> Self {
        Self {
            sink,
            patience,
            report: Report::default(),
            queue: Vec::new(),
            tried: None,
            given_up: false,
        }
    }

    /// Waits longer or shorter from now on.
    pub fn set_patience(&mut self, patience: Patience) {
        self.patience = patience;
    }

    /// Whether the sink is not asked any more: what follows is counted as lost.
    pub fn has_given_up(&self) -> bool {
        self.given_up
    }

    /// What became of it so far; rows that wait are in neither number.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Keeps rows, by rising start of their windows, until [`Self::flush`]; all rows of a start have to be in one call.
    pub fn push(&mut self, rows: Vec<Row>) {
        self.queue.extend(rows);
    }

    /// Tells the sink of rows that the other side has already. Nothing may wait to be handed over.
    pub fn skip(&mut self, rows: &[Row]) {
        self.sink.skip(rows);
    }

    /// Hands over full batches of what has been pushed.
    pub async fn flush(&mut self) {
        self.hand_over(BATCH_ROWS).await;
    }

    /// Hands over everything that has been pushed.
    pub async fn flush_all(&mut self) {
        self.hand_over(1).await;
    }

    /// Hands over the rest and ends the export.
    pub async fn finish(mut self, mut end: End<'_>) -> Report {
        self.flush_all().await;
        if !self.given_up {
            end.complete = self.report.lost == 0;
            // What is refused here are no rows of the run.
            let _ = self.attempt(Step::Finish(&end)).await;
        }
        self.report
    }

    /// Hands over batches as long as so many rows wait.
    async fn hand_over(&mut self, least: usize) {
        while !self.queue.is_empty() && (self.queue.len() >= least || self.given_up) {
            if self.given_up {
                self.report.lost += self.queue.len() as u64;
                self.queue.clear();
                return;
            }
            // A batch that has been tried is tried again as it was, whatever has come since.
            let batch = self.tried.unwrap_or_else(|| first_batch(&self.queue));
            self.tried = Some(batch);
            let taken = self.attempt(Step::Push(batch)).await;
            let rows = batch as u64;
            let refused = taken.map_or(rows, |refused| refused.min(rows));
            self.report.taken += rows - refused;
            self.report.lost += refused;
            self.queue.drain(..batch);
            self.tried = None;
        }
    }

    /// Tries until it is taken or given up; the rows that were refused.
    async fn attempt(&mut self, step: Step<'_>) -> Result<u64, ()> {
        let begun = Instant::now();
        let mut pause = self.patience.first_pause;
        loop {
            let one = self.patience.batch;
            let asked = match step {
                Step::Push(rows) => timeout(one, self.sink.push(&self.queue[..rows])).await,
                Step::Finish(end) => timeout(one, self.sink.finish(end)).await,
            };
            let (why, after) = match asked {
                Ok(Ok(accepted)) => return Ok(self.refused(accepted)),
                Ok(Err(error @ SinkError::Batch { .. })) => {
                    self.note(&error.told());
                    return Err(());
                }
                Ok(Err(error @ SinkError::Never { .. })) => {
                    self.note(&error.told());
                    self.given_up = true;
                    return Err(());
                }
                Ok(Err(error)) => {
                    let after = match &error {
                        SinkError::Again { after, .. } => *after,
                        _ => None,
                    };
                    (error.told(), after)
                }
                Err(_) => (format!("did not take a batch within {one:?}"), None),
            };
            let left = self.patience.total.saturating_sub(begun.elapsed());
            if left.is_zero() {
                let seconds = begun.elapsed().as_secs();
                self.note(&format!("{why}; given up after {seconds} s"));
                self.given_up = true;
                return Err(());
            }
            // Whoever asks for more time than is left gets what is left.
            let wait = after.unwrap_or(pause).min(self.patience.longest_pause);
            self.report.retries += 1;
            sleep(wait.min(left)).await;
            pause = (pause * 2).min(self.patience.longest_pause);
        }
    }

    fn refused(&mut self, accepted: Accepted) -> u64 {
        let mut rows = 0u64;
        for refused in accepted.refused {
            rows = rows.saturating_add(refused.rows);
            self.note(&format!("refused rows: {}", refused.why));
        }
        rows
    }

    /// Keeps a reason; what the other side says is shown as text, and not at any length.
    fn note(&mut self, problem: &str) {
        let whole = printable(problem);
        let mut text: String = whole.chars().take(MAX_PROBLEM).collect();
        if text.len() < whole.len() {
            text.push('…');
        }
        if self.report.problems.len() < MAX_PROBLEMS && !self.report.problems.contains(&text) {
            self.report.problems.push(text);
        }
    }
}

/// How many rows are the first batch: all rows of a start belong to one.
fn first_batch(queue: &[Row]) -> usize {
    let Some(last) = queue.get(BATCH_ROWS - 1) else {
        return queue.len();
    };
    let more = queue[BATCH_ROWS..].iter();
    BATCH_ROWS + more.take_while(|row| row.time_ms == last.time_ms).count()
}

/// What is asked of a sink.
#[derive(Clone, Copy)]
enum Step<'a> {
    /// Takes so many of the rows that wait.
    Push(usize),
    Finish(&'a End<'a>),
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::sink::Refused;
    use crate::testing::counters;
    use async_trait::async_trait;
    use floodgate_records::execution::Execution;
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    /// What a sink of a test does with a batch.
    enum Does {
        Take,
        Again(Option<Duration>),
        Hang,
        Refuse(u64),
        Batch,
        Never,
    }

    #[derive(Clone, Default)]
    struct Scripted {
        script: Arc<Mutex<VecDeque<Does>>>,
        taken: Arc<Mutex<Vec<Row>>>,
        ends: Arc<Mutex<Vec<bool>>>,
    }

    impl Scripted {
        fn of(script: impl IntoIterator<Item = Does>) -> Self {
            let script = Arc::new(Mutex::new(script.into_iter().collect()));
            Self {
                script,
                ..Self::default()
            }
        }

        async fn next(&self) -> Result<Accepted, SinkError> {
            let next = self.script.lock().unwrap().pop_front();
            match next {
                None | Some(Does::Take) => Ok(Accepted::ALL),
                Some(Does::Again(after)) => Err(SinkError::Again {
                    what: "is full".into(),
                    after,
                    source: None,
                }),
                Some(Does::Hang) => std::future::pending().await,
                Some(Does::Refuse(rows)) => Ok(Accepted {
                    refused: vec![Refused {
                        rows,
                        why: "odd \u{1b}[31m".into(),
                    }],
                }),
                Some(Does::Batch) => Err(SinkError::batch("answered 400")),
                Some(Does::Never) => Err(SinkError::never("answered 401; set the token")),
            }
        }
    }

    #[async_trait]
    impl Sink for Scripted {
        async fn push(&mut self, rows: &[Row]) -> Result<Accepted, SinkError> {
            let accepted = self.next().await?;
            self.taken.lock().unwrap().extend_from_slice(rows);
            Ok(accepted)
        }

        async fn finish(&mut self, end: &End<'_>) -> Result<Accepted, SinkError> {
            let accepted = self.next().await?;
            self.ends.lock().unwrap().push(end.complete);
            Ok(accepted)
        }
    }

    async fn deliver(sink: &Scripted, rows: Vec<Row>) -> Report {
        let mut delivery = Delivery::new(Box::new(sink.clone()), Patience::default());
        delivery.push(rows);
        delivery.flush().await;
        let execution = Execution::created("id", "p", "t", 0);
        let end = End {
            execution: &execution,
            summary: None,
            totals: None,
            complete: false,
        };
        delivery.finish(end).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_sink_that_is_down_slow_and_full_gets_every_row_once() {
        let hour = Some(Duration::from_secs(3_600));
        let sink = Scripted::of([
            Does::Again(None),
            Does::Hang,
            Does::Again(hour),
            Does::Take,
            Does::Again(None),
        ]);
        let rows = counters(12_000);
        let report = deliver(&sink, rows.clone()).await;
        assert_eq!((report.taken, report.lost, report.retries), (12_000, 0, 4));
        assert!(report.is_complete());
        assert_eq!(*sink.taken.lock().unwrap(), rows);
        assert_eq!(*sink.ends.lock().unwrap(), [true]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sink_that_stays_down_is_given_up_in_time_and_nothing_is_hidden() {
        let sink = Scripted::of((0..1_000).map(|_| Does::Again(None)));
        let begun = Instant::now();
        let report = deliver(&sink, counters(12_000)).await;
        assert_eq!(begun.elapsed(), Patience::default().total);
        assert_eq!((report.taken, report.lost), (0, 12_000));
        assert_eq!(report.problems.len(), 1, "{report:?}");
        assert!(
            report.problems[0].contains("is full; given up after"),
            "{report:?}"
        );
        assert!(sink.ends.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_sink_that_asks_for_more_time_than_is_left_gets_what_is_left() {
        let patience = Patience {
            total: Duration::from_secs(3),
            ..Patience::default()
        };
        for script in [
            vec![Does::Again(Some(Duration::from_secs(4)))],
            vec![Does::Again(Some(Duration::from_secs(3_600)))],
            vec![
                Does::Again(Some(Duration::from_secs(2))),
                Does::Again(Some(Duration::from_secs(2))),
            ],
        ] {
            let tries = script.len() as u64;
            let sink = Scripted::of(script);
            let mut delivery = Delivery::new(Box::new(sink.clone()), patience);
            delivery.push(counters(7));
            let begun = Instant::now();
            delivery.flush_all().await;
            let report = delivery.report();
            assert_eq!((report.taken, report.lost), (7, 0), "{report:?}");
            assert_eq!(
                (report.retries, begun.elapsed()),
                (tries, Duration::from_secs(3))
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_is_counted_and_the_rest_goes_on() {
        let sink = Scripted::of([Does::Refuse(7), Does::Batch, Does::Take]);
        let report = deliver(&sink, counters(3 * BATCH_ROWS as u64)).await;
        let lost = 7 + BATCH_ROWS as u64;
        assert_eq!(
            (report.taken, report.lost),
            (3 * BATCH_ROWS as u64 - lost, lost)
        );
        assert_eq!(
            report.problems,
            ["refused rows: odd \\u{1b}[31m", "answered 400"]
        );
        assert_eq!(*sink.ends.lock().unwrap(), [false]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sink_that_will_never_take_anything_is_asked_once() {
        let sink = Scripted::of([Does::Never]);
        let report = deliver(&sink, counters(3 * BATCH_ROWS as u64)).await;
        assert_eq!((report.taken, report.lost), (0, 3 * BATCH_ROWS as u64));
        assert_eq!(report.problems, ["answered 401; set the token"]);
        assert!(sink.taken.lock().unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_delivery_that_is_interrupted_goes_on_with_the_same_batch() {
        let sink = Scripted::of([Does::Again(None), Does::Hang]);
        let mut delivery = Delivery::new(Box::new(sink.clone()), Patience::default());
        let rows = counters(200);
        delivery.push(rows[..150].to_vec());
        let interrupted = timeout(Duration::from_secs(1), delivery.flush_all()).await;
        assert!(interrupted.is_err());
        delivery.push(rows[150..].to_vec());
        delivery.flush_all().await;
        assert_eq!(*sink.taken.lock().unwrap(), rows);
        assert_eq!(delivery.report().taken, 200);
    }

    #[test]
    fn a_start_is_never_parted() {
        let mut rows = counters(2 * BATCH_ROWS as u64);
        for row in &mut rows[BATCH_ROWS - 10..BATCH_ROWS + 5] {
            row.time_ms = -1;
        }
        assert_eq!(first_batch(&rows), BATCH_ROWS + 5);
        assert_eq!(first_batch(&rows[..100]), 100);
    }
}
