//! All series of a run, from its start to its end.

use crate::series::Series;
use crate::source::Source;
use bytes::Bytes;
use floodgate_core::definition::model::ObserveSpec;
use floodgate_core::shard::{Content, FLUSH_INTERVAL_MS, ShardMeta, Sources, encode};
use floodgate_records::control::Start;
use floodgate_records::keys::{ExecutionKeys, OBSERVER};
use floodgate_records::observed::Observed;
use floodgate_store::{ObjectStore, json};
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;

/// How long after its time a value is first asked for: clocks differ, and what was just measured is not everywhere yet.
const LAG_MS: i64 = 1_000;
/// The time that a shard covers.
const SHARD_MS: i64 = FLUSH_INTERVAL_MS as i64;

/// Asks other systems, and writes what they tell.
pub struct Observer {
    objects: Arc<dyn ObjectStore>,
    keys: ExecutionKeys,
    execution: String,
    specs: Vec<ObserveSpec>,
    series: Vec<Series>,
    /// The common start, Unix ms, once it is known.
    start_ms: Option<i64>,
    /// When the load ended, Unix ms, once it is known.
    end_ms: Option<i64>,
    /// The next shard.
    seq: u32,
    account: Observed,
}

impl Observer {
    /// For an execution of a project; nothing is asked before its start.
    pub fn new(
        specs: &[ObserveSpec],
        objects: Arc<dyn ObjectStore>,
        project: &str,
        execution: &str,
    ) -> Self {
        Self {
            objects,
            keys: ExecutionKeys::new(project, execution),
            execution: execution.to_owned(),
            specs: specs.to_vec(),
            series: Vec::new(),
            start_ms: None,
            end_ms: None,
            seq: 0,
            account: Observed::default(),
        }
    }

    /// Says when the load ended, Unix ms: no later values are asked for.
    /// Whoever waits for the last ones does not wait for a source's rest, or for values that it will not have.
    pub fn end_at(&mut self, end_ms: i64) {
        self.end_ms = Some(end_ms);
        self.series.iter_mut().for_each(Series::hurry);
    }

    /// How long after the end somebody may have to wait for the last values.
    pub fn patience(&self) -> Duration {
        let paces = self.specs.iter().map(|spec| Source::pace_of(&spec.source));
        let longest = paces.map(|pace| pace.late_ms).max();
        Duration::from_millis(longest.unwrap_or_default().unsigned_abs())
    }

    /// Whether all values up to the end have come, or been given up. Before the end is said, they have not.
    pub fn is_settled(&self) -> bool {
        let end_ms = self.end_ms;
        end_ms.is_some_and(|end| self.series.iter().all(|series| series.is_settled(end)))
    }

    /// Asks for what is due, and writes the shards that are complete. It is to be called about once a second.
    pub async fn step(&mut self, now_ms: i64) {
        let Some(start_ms) = self.started().await else {
            return;
        };
        let until_ms = (now_ms - LAG_MS).min(self.end_ms.unwrap_or(i64::MAX));
        let asked = self.series.iter_mut();
        join_all(asked.map(|series| series.ask(until_ms, now_ms))).await;
        for series in &mut self.series {
            series.give_up_late(now_ms, &mut self.account);
            if self.end_ms.is_some() {
                series.give_up_hopeless(&mut self.account);
            }
        }
        loop {
            let until_ms = start_ms + i64::from(self.seq + 1) * SHARD_MS;
            let is_over = self.end_ms.is_some_and(|end| until_ms > end);
            let is_whole = self.series.iter().all(|series| series.is_settled(until_ms));
            if is_over || !is_whole || !self.write(start_ms, until_ms).await {
                return;
            }
        }
    }

    /// Gives up what has not come, and writes the rest and the account.
    ///
    /// # Errors
    /// What the store refuses: a sentence. Values that are not written are missing.
    pub async fn close(mut self) -> Result<(), String> {
        let end_ms = self.end_ms.unwrap_or(i64::MAX);
        for series in &mut self.series {
            series.give_up(i64::MAX, &mut self.account);
        }
        if let Some(start_ms) = self.start_ms {
            loop {
                let until_ms = start_ms + i64::from(self.seq + 1) * SHARD_MS;
                if self.series.iter().all(Series::is_empty) {
                    break;
                }
                if !self.write(start_ms, until_ms.min(end_ms)).await {
                    return Err("what other systems told could not be written".to_owned());
                }
            }
        }
        let key = self.keys.observed();
        let account = json::put_compact(self.objects.as_ref(), &key, &self.account);
        account.await.map_err(|error| error.to_string())
    }

    /// The common start, once all tasks are ready.
    async fn started(&mut self) -> Option<i64> {
        if self.start_ms.is_none() {
            let start = json::get::<Start>(self.objects.as_ref(), &self.keys.start()).await;
            let start_ms = start.ok().flatten()?.start_ms;
            self.start_ms = Some(start_ms);
            for spec in &self.specs {
                match Series::new(spec, start_ms) {
                    Ok(series) => self.series.push(series),
                    Err(why) => self.account.note(&spec.metric, why),
                }
            }
        }
        self.start_ms
    }

    /// Writes a shard of what came up to a time; `false` if the store refuses it.
    async fn write(&mut self, start_ms: i64, until_ms: i64) -> bool {
        let rows: Vec<_> = self
            .series
            .iter()
            .flat_map(|series| series.rows(until_ms))
            .collect();
        let meta = ShardMeta {
            content: Content::Shard,
            execution: self.execution.clone(),
            segment: String::new(),
            sources: Sources::one(OBSERVER, self.seq),
            start_ms: start_ms + i64::from(self.seq) * SHARD_MS,
            end_ms: until_ms,
        };
        let key = self.keys.shard(OBSERVER, self.seq);
        let Ok(shard) = encode(&meta, &rows) else {
            return false;
        };
        if self.objects.put(&key, Bytes::from(shard)).await.is_err() {
            return false;
        }
        for series in &mut self.series {
            series.forget(until_ms);
        }
        self.seq += 1;
        true
    }
}
