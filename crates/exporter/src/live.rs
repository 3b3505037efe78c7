//! Exports of a run that goes on, from the shards that its tasks write. What a sink does not take yet stays where it is, in the store; so the
//! memory that this takes does not depend on the sink.

use crate::merged::{Earlier, conclude, deliver};
use crate::told::Told;
use floodgate_control::{Stores, json};
use floodgate_core::shard::{Content, Shard, decode};
use floodgate_export::windows::Options;
use floodgate_export::{Delivery, Patience, Report, Run, Target, TargetError, Windows, schemes};
use floodgate_records::control::Start;
use floodgate_records::execution::Execution;
use floodgate_records::keys::{ExecutionKeys, OBSERVER};
use floodgate_records::plan::Plan;
use floodgate_records::summary::Summary;
use floodgate_store::ObjectStore;
use futures_util::stream::{self, StreamExt as _};
use std::sync::Arc;
use std::time::Duration;

/// While a run goes on, a sink may come back at any time.
pub const WHILE_RUNNING: Patience = Patience {
    batch: Duration::from_secs(10),
    first_pause: Duration::from_millis(250),
    longest_pause: Duration::from_secs(10),
    total: Duration::from_secs(100 * 365 * 86_400),
};
/// Shards that are read at the same time.
const AT_ONCE: usize = 16;

/// A run that goes on.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// Where its tasks write.
    pub stores: &'a Stores,
    /// Its record.
    pub execution: &'a Execution,
    /// Its tasks.
    pub plan: &'a Plan,
    /// Whether other systems are asked, too.
    pub observed: bool,
}

/// One export.
pub struct Live {
    told: Told,
    stores: Stores,
    keys: ExecutionKeys,
    options: Options,
    tasks: Vec<Shards>,
    is_started: bool,
    windows: Windows,
    delivery: Delivery,
    /// The sink has the windows that begin before, Unix ms.
    had_ms: i64,
    /// All windows that begin before have gone to the delivery, Unix ms.
    handed_over_ms: i64,
    delivered: Delivered,
}

/// How far an export has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The sink has all windows that begin before, Unix ms, but for what the report counts as lost.
    pub until_ms: i64,
    /// What became of them.
    pub report: Report,
}

/// The shards of a task.
struct Shards {
    task: u32,
    next: u32,
    /// The end of the last one that was read, Unix ms.
    end_ms: i64,
}

impl Live {
    /// Begins an export.
    ///
    /// # Errors
    /// A target that cannot be opened.
    pub fn open(
        target: &Target,
        source: &Source<'_>,
        patience: Patience,
    ) -> Result<Self, TargetError> {
        let execution = source.execution;
        let testid = target.option("testid").unwrap_or(&execution.id);
        let run = Run {
            execution: execution.clone(),
            testid: testid.to_owned(),
            live: true,
        };
        let sink = schemes::open(target, &run)?;
        let options = Options::of(target)?;
        let tasks = source.plan.tasks.iter().map(|task| task.index);
        let tasks = tasks.chain(source.observed.then_some(OBSERVER));
        Ok(Self {
            told: Told::new(target),
            stores: source.stores.clone(),
            keys: ExecutionKeys::new(&execution.project, &execution.id),
            windows: Windows::new(options.clone()),
            options,
            tasks: tasks.map(Shards::of).collect(),
            is_started: false,
            delivery: Delivery::new(sink, patience),
            had_ms: i64::MIN,
            handed_over_ms: i64::MIN,
            delivered: Delivered {
                until_ms: i64::MIN,
                report: Report::default(),
            },
        })
    }

    /// Goes on with an export that has [delivered](Self::delivered) what began before a time. That is read once more, since running totals
    /// and the bound on series depend on it, and not sent.
    #[must_use]
    pub fn after(mut self, until_ms: i64) -> Self {
        self.had_ms = until_ms;
        self.delivered.until_ms = until_ms;
        self
    }

    /// How far it has come. A sink that [takes nothing any more](Self::has_given_up) changes that no further.
    pub fn delivered(&self) -> &Delivered {
        &self.delivered
    }

    /// Whether the sink takes nothing any more.
    pub fn has_given_up(&self) -> bool {
        self.delivery.has_given_up()
    }

    /// Hands over what all tasks have written by now; whether anything new was there. Its future can be dropped: the next step goes on.
    pub async fn step(&mut self) -> bool {
        if !self.is_started {
            let objects = self.stores.objects.as_ref();
            let start: Option<Start> = json::get(objects, &self.keys.start())
                .await
                .unwrap_or_default();
            let Some(start) = start else {
                return false;
            };
            self.is_started = true;
            self.windows = Windows::new(Options {
                origin_ms: start.start_ms,
                ..self.options.clone()
            });
        }
        let is_news = self.read().await;
        self.hand_over().await;
        is_news
    }

    /// Hands over the rest of a run that is finished.
    pub async fn finish(
        mut self,
        execution: &Execution,
        summary: Option<&Summary>,
        patience: Patience,
    ) -> Told {
        self.delivery.set_patience(patience);
        // The merged file has these, too.
        self.windows.forget_open();
        let earlier = Earlier::Left(self.handed_over_ms);
        let (windows, delivery) = (&mut self.windows, &mut self.delivery);
        let mut told = self.told;
        match deliver(&self.stores, execution, windows, earlier, delivery).await {
            Ok(true) => {}
            Ok(false) => told.broken = Some("nothing was merged".to_owned()),
            Err(error) => told.broken = Some(error.to_string()),
        }
        told.folded = self.windows.folded();
        told.report = conclude(&self.stores, execution, summary, self.delivery).await;
        told
    }

    /// Ends it where it is.
    pub fn give_up(self, why: &str) -> Told {
        let mut told = self.told;
        told.broken = Some(why.to_owned());
        told.report = self.delivery.report().clone();
        told
    }

    /// Reads a shard of each task if it is there; whether one was. A future that is dropped has taken none.
    async fn read(&mut self) -> bool {
        let behind = self.tasks.iter().map(|task| task.next).min().unwrap_or(0);
        // Those ahead wait for the others: what is not read takes no memory.
        let due = self.tasks.iter_mut().filter(|task| task.next <= behind);
        let (due, reading): (Vec<_>, Vec<_>) = due
            .map(|task| {
                let key = self.keys.shard(task.task, task.next);
                (task, shard(self.stores.objects.clone(), key))
            })
            .unzip();
        let read: Vec<_> = stream::iter(reading).buffered(AT_ONCE).collect().await;
        let mut is_news = false;
        for (task, shard) in due.into_iter().zip(read) {
            let Some(shard) = shard else {
                continue;
            };
            task.next += 1;
            task.end_ms = shard.meta.end_ms;
            shard.rows.iter().for_each(|row| self.windows.add(row));
            is_news = true;
        }
        is_news
    }

    /// Hands over the windows that all tasks have reported, one at a time.
    async fn hand_over(&mut self) {
        let complete_ms = self.tasks.iter().map(|task| task.end_ms).min();
        let complete_ms = complete_ms.unwrap_or(i64::MIN);
        let is_complete = |start: &i64| *start < complete_ms;
        while let Some(start_ms) = self.windows.first_open().filter(is_complete) {
            // Rows of a decoded shard are sound.
            let Ok(rows) = self.windows.close(start_ms + 1) else {
                return;
            };
            self.handed_over_ms = start_ms + 1;
            if start_ms < self.had_ms {
                self.delivery.skip(&rows);
                continue;
            }
            self.delivery.push(rows);
            self.delivery.flush().await;
        }
        self.handed_over_ms = self.handed_over_ms.max(complete_ms);
        self.delivery.flush_all().await;
        if !self.delivery.has_given_up() {
            self.delivered = Delivered {
                until_ms: self.handed_over_ms.max(self.had_ms),
                report: self.delivery.report().clone(),
            };
        }
    }
}

impl Shards {
    fn of(task: u32) -> Self {
        Self {
            task,
            next: 0,
            end_ms: i64::MIN,
        }
    }
}

/// What cannot be read now may be later; if not, the merged windows at the end are what there is.
async fn shard(objects: Arc<dyn ObjectStore>, key: String) -> Option<Shard> {
    let bytes = objects.get(&key).await.ok().flatten()?;
    let shard = decode(&bytes).ok()?;
    (shard.meta.content == Content::Shard).then_some(shard)
}
