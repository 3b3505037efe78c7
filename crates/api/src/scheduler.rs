//! Starts runs by the clock. Whoever calls [`Scheduler::tick`] now and then brings the time.

use crate::starter::{RunOrder, RunWhat, StartError, Starter};
use floodgate_control::schedules::{
    load_schedules, load_state, newest_version, note_skip, principal_of, remember, save_state,
    times,
};
use floodgate_control::{Result, Stores, Trail, Who, stop_by_person};
use floodgate_policy::schedule::{Situation, Start, decide};
use floodgate_records::execution::{PrincipalIs, Trigger, TriggerKind};
use floodgate_records::schedule::{Schedule, ScheduleState, ScheduledStart};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use ulid::Ulid;

/// How late a run may start whose time came while nobody was there, or while there was no room: what is later is left out, as EventBridge
/// does it in the cloud.
const LATEST_MS: i64 = 3_600_000;
/// How long a start waits for the end of the last run.
const PATIENCE_MS: i64 = 24 * 3_600_000;

/// Starts runs by the clock.
pub struct Scheduler {
    stores: Stores,
    starter: Arc<dyn Starter>,
}

/// What a tick did with a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticked {
    /// The project and the name of the schedule.
    pub schedule: (String, String),
    /// The run that was started, or why none was.
    pub what: std::result::Result<String, String>,
}

impl Scheduler {
    /// Over these stores; `starter` starts what is due.
    pub fn new(stores: Stores, starter: Arc<dyn Starter>) -> Self {
        Self { stores, starter }
    }

    /// Looks after all schedules once; says what was started or left out, and what stands in the way of a schedule. One that is damaged stands in
    /// nobody else's way.
    ///
    /// # Errors
    /// Schedules that cannot be listed.
    pub async fn tick(&self, now_ms: i64) -> Result<Vec<Ticked>> {
        let mut all = Vec::new();
        for schedule in load_schedules(&self.stores, None).await? {
            let what = match self.look_after(&schedule, now_ms).await {
                Ok(None) => continue,
                Ok(Some(what)) => what,
                Err(error) => Err(error.to_string()),
            };
            all.push(Ticked {
                schedule: (schedule.project, schedule.name),
                what,
            });
        }
        Ok(all)
    }

    /// `None`: there was nothing to do.
    async fn look_after(
        &self,
        schedule: &Schedule,
        now_ms: i64,
    ) -> Result<Option<std::result::Result<String, String>>> {
        let Schedule { project, name, .. } = schedule;
        let times = times(schedule)?;
        let mut state = load_state(&self.stores, project, name).await?;
        if schedule.paused {
            // What was due meanwhile is not made up for: changed_ms says from when on.
            if state.waiting_ms.take().is_some() {
                save_state(&self.stores, schedule, &state).await?;
            }
            return Ok(None);
        }
        // What was due before it was written as it is now is nothing of its.
        let handled = state.due_ms.max(schedule.changed_ms);
        let recent = handled.max(now_ms - LATEST_MS);
        let due = match times.table.latest(recent, now_ms) {
            Some(due) => due.at_ms,
            None => match times.table.next_after(handled).filter(|at| *at <= now_ms) {
                Some(at_ms) => {
                    state.due_ms = now_ms;
                    let why = "nobody was there to start it within an hour of its time";
                    return self.leave_out(schedule, state, (at_ms, now_ms), why).await;
                }
                None => match state.waiting_ms {
                    Some(due_ms) => due_ms,
                    None => return Ok(None),
                },
            },
        };
        let is_new = Some(due) != state.waiting_ms;
        state.due_ms = state.due_ms.max(due);
        if is_new && state.waiting_ms.is_some() {
            let why = "another start of it waits already";
            return self.leave_out(schedule, state, (due, now_ms), why).await;
        }
        let going_on = self.going_on(schedule, &state).await?;
        let situation = Situation {
            paused: false,
            blackout: times.blackouts.at(now_ms),
            going_on: going_on.as_ref().map(|run| run.id.as_str()),
        };
        match decide(schedule.overlap, situation) {
            Start::Now => self.start(schedule, state, (due, now_ms)).await,
            Start::Skip(why) => {
                state.waiting_ms = None;
                self.leave_out(schedule, state, (due, now_ms), &why).await
            }
            Start::Wait | Start::Replace if now_ms - due > PATIENCE_MS => {
                state.waiting_ms = None;
                let why = "its last run went on for a day after its time";
                self.leave_out(schedule, state, (due, now_ms), why).await
            }
            start => {
                if let (Start::Replace, true, Some(run)) = (start, is_new, &going_on) {
                    let by = principal_of(name);
                    let by = Who {
                        name: &by,
                        is: Some(PrincipalIs::Verified),
                    };
                    stop_by_person(&self.stores, run, by, Trail::Here, now_ms).await?;
                }
                if is_new {
                    state.waiting_ms = Some(due);
                    save_state(&self.stores, schedule, &state).await?;
                }
                Ok(None)
            }
        }
    }

    /// The schedule's last run, if it goes on.
    async fn going_on(
        &self,
        schedule: &Schedule,
        state: &ScheduleState,
    ) -> Result<Option<floodgate_records::execution::Execution>> {
        let Some(id) = &state.execution else {
            return Ok(None);
        };
        let found = self.stores.records.get(Some(&schedule.project), id).await?;
        Ok(found.filter(|run| run.id == *id && !run.status.is_final()))
    }

    async fn leave_out(
        &self,
        schedule: &Schedule,
        mut state: ScheduleState,
        (due_ms, at_ms): (i64, i64),
        why: &str,
    ) -> Result<Option<std::result::Result<String, String>>> {
        let start = ScheduledStart {
            due_ms,
            at_ms,
            execution: None,
            why: Some(why.to_owned()),
        };
        remember(&mut state, start);
        save_state(&self.stores, schedule, &state).await?;
        let told = format!("schedule {}: {why}", schedule.name);
        note_skip(&self.stores, schedule, &told, at_ms).await?;
        Ok(Some(Err(why.to_owned())))
    }

    async fn start(
        &self,
        schedule: &Schedule,
        mut state: ScheduleState,
        (due_ms, at_ms): (i64, i64),
    ) -> Result<Option<std::result::Result<String, String>>> {
        let Some(what) = self.what(schedule).await? else {
            state.waiting_ms = None;
            let why = format!("test {:?} has not run here yet", schedule.test);
            return self.leave_out(schedule, state, (due_ms, at_ms), &why).await;
        };
        let id = id_of(schedule, due_ms);
        // Cut off before this is written, the next one asks for the same id again, which starts one run only.
        match self.starter.start(order(schedule, &id, what)).await {
            Ok(()) => {
                (state.execution, state.waiting_ms) = (Some(id.clone()), None);
                let start = ScheduledStart {
                    due_ms,
                    at_ms,
                    execution: Some(id.clone()),
                    why: None,
                };
                remember(&mut state, start);
                save_state(&self.stores, schedule, &state).await?;
                Ok(Some(Ok(id)))
            }
            Err(StartError::Busy(_)) if at_ms - due_ms < LATEST_MS => {
                if state.waiting_ms.replace(due_ms) != Some(due_ms) {
                    save_state(&self.stores, schedule, &state).await?;
                }
                Ok(None)
            }
            Err(error) => {
                state.waiting_ms = None;
                let why = error.to_string();
                self.leave_out(schedule, state, (due_ms, at_ms), &why).await
            }
        }
    }

    /// The version that is run; `None` if the test has none here.
    async fn what(&self, schedule: &Schedule) -> Result<Option<RunWhat>> {
        let Schedule { project, test, .. } = schedule;
        let version = match &schedule.version {
            Some(version) => Some(version.clone()),
            None => newest_version(&self.stores, project, test).await?,
        };
        Ok(version.map(|version| RunWhat::Version {
            test: test.clone(),
            version,
        }))
    }
}

fn order(schedule: &Schedule, id: &str, what: RunWhat) -> RunOrder {
    RunOrder {
        id: id.to_owned(),
        project: schedule.project.clone(),
        what,
        parameters: schedule.parameters.clone(),
        environment: schedule.environment.clone(),
        generators: schedule.generators,
        trigger: Trigger {
            kind: TriggerKind::Schedule.into(),
            principal: Some(principal_of(&schedule.name)),
            principal_is: PrincipalIs::Verified,
            ..Trigger::default()
        },
    }
}

/// One and the same for a schedule and a time, so that two services over one folder start one run.
fn id_of(schedule: &Schedule, due_ms: i64) -> String {
    let Schedule { project, name, .. } = schedule;
    let digest = Sha256::digest(format!("{project}/{name}/{due_ms}"));
    let mut random = [0; 16];
    random.copy_from_slice(&digest[..16]);
    let time = due_ms.max(0).unsigned_abs();
    Ulid::from_parts(time, u128::from_be_bytes(random)).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use floodgate_control::schedules::save_schedule;
    use floodgate_records::execution::Execution;
    use floodgate_records::schedule::Overlap;
    use floodgate_records::status::Status;
    use floodgate_store::RecordStore as _;
    use floodgate_store::local::LocalStore;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    /// A Monday, 00:00 UTC.
    const MONDAY: i64 = 1_764_547_200_000;
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;

    /// Puts a run on record, as the real one does.
    struct Recording {
        store: Arc<LocalStore>,
        orders: Mutex<Vec<RunOrder>>,
        busy: AtomicBool,
    }

    #[async_trait]
    impl Starter for Recording {
        async fn start(&self, order: RunOrder) -> std::result::Result<(), StartError> {
            if self.busy.load(Ordering::Relaxed) {
                return Err(StartError::Busy("1 run goes on here".into()));
            }
            let run = Execution::created(&order.id, &order.project, "home", MONDAY);
            self.store.create(&run).await.unwrap();
            self.orders.lock().unwrap().push(order);
            Ok(())
        }
    }

    struct Bench {
        _dir: tempfile::TempDir,
        store: Arc<LocalStore>,
        starter: Arc<Recording>,
        scheduler: Scheduler,
        stores: Stores,
    }

    impl Bench {
        async fn new(overlap: Overlap) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let store = Arc::new(LocalStore::open(dir.path()).unwrap());
            let stores = Stores {
                objects: store.clone(),
                records: store.clone(),
            };
            let starter = Arc::new(Recording {
                store: store.clone(),
                orders: Mutex::default(),
                busy: AtomicBool::new(false),
            });
            let bench = Self {
                _dir: dir,
                scheduler: Scheduler::new(stores.clone(), starter.clone()),
                store,
                starter,
                stores,
            };
            let mut earlier = Execution::created("01JD0000000000000000000001", "shop", "home", 1);
            (earlier.version, earlier.status) = ("ab".repeat(32), Status::Passed);
            bench.store.create(&earlier).await.unwrap();
            bench.write(|schedule| schedule.overlap = overlap).await;
            bench
        }

        /// Hourly, but for what is changed.
        async fn write(&self, change: impl FnOnce(&mut Schedule)) {
            let mut schedule = Schedule {
                schema: Schedule::SCHEMA,
                name: "hourly".into(),
                project: "shop".into(),
                test: "home".into(),
                generators: 1,
                expression: "cron(0 * * * ? *)".into(),
                timezone: "UTC".into(),
                by: "ann".into(),
                created_ms: MONDAY,
                changed_ms: MONDAY,
                ..Schedule::default()
            };
            change(&mut schedule);
            save_schedule(&self.stores, &schedule, "ann").await.unwrap();
        }

        async fn tick(&self, now_ms: i64) -> Vec<std::result::Result<String, String>> {
            let ticked = self.scheduler.tick(now_ms).await.unwrap();
            ticked.into_iter().map(|ticked| ticked.what).collect()
        }

        fn started(&self) -> Vec<String> {
            let orders = self.starter.orders.lock().unwrap();
            orders.iter().map(|order| order.id.clone()).collect()
        }

        async fn end(&self, id: &str) {
            let mut run = self.store.get(Some("shop"), id).await.unwrap().unwrap();
            run.status = Status::Passed;
            self.store.update(&run, &Status::OPEN).await.unwrap();
        }

        async fn state(&self) -> ScheduleState {
            load_state(&self.stores, "shop", "hourly").await.unwrap()
        }
    }

    #[tokio::test]
    async fn what_is_due_starts_once_in_the_name_of_its_schedule() {
        let bench = Bench::new(Overlap::Skip).await;
        assert_eq!(bench.tick(MONDAY + HOUR - 1).await, []);
        let started = bench.tick(MONDAY + HOUR + 400).await;
        let [Ok(id)] = &started[..] else {
            panic!("{started:?}");
        };
        for later in [0, 1_000, HOUR - 500] {
            assert_eq!(bench.tick(MONDAY + HOUR + 400 + later).await, [], "{later}");
        }
        let orders = bench.starter.orders.lock().unwrap().clone();
        assert_eq!((orders.len(), &orders[0].id), (1, id));
        let trigger = &orders[0].trigger;
        assert_eq!(trigger.kind.as_str(), "schedule");
        assert_eq!(trigger.principal.as_deref(), Some("schedule/hourly"));
        let RunWhat::Version { test, version } = &orders[0].what else {
            panic!("{orders:?}");
        };
        assert_eq!((test.as_str(), version), ("home", &"ab".repeat(32)));
        assert_eq!(bench.state().await.last[0].execution.as_ref(), Some(id));
        assert_eq!(
            Ulid::from_string(id).unwrap().timestamp_ms(),
            (MONDAY + HOUR).unsigned_abs()
        );
    }

    #[tokio::test]
    async fn whoever_was_away_starts_at_most_one_and_none_that_is_late() {
        let bench = Bench::new(Overlap::Skip).await;
        bench
            .write(|s| s.expression = "cron(0/10 * * * ? *)".into())
            .await;
        let started = bench.tick(MONDAY + 9 * HOUR + 5 * MINUTE).await;
        assert!(matches!(&started[..], [Ok(_)]), "{started:?}");
        assert_eq!(bench.tick(MONDAY + 9 * HOUR + 6 * MINUTE).await, []);
        assert_eq!(bench.state().await.last.len(), 1);

        let bench = Bench::new(Overlap::Skip).await;
        bench
            .write(|s| s.expression = "cron(0 2 * * ? *)".into())
            .await;
        let late = bench.tick(MONDAY + 9 * HOUR).await;
        assert!(
            matches!(&late[..], [Err(why)] if why.contains("within an hour")),
            "{late:?}"
        );
        assert_eq!(bench.tick(MONDAY + 9 * HOUR + 1_000).await, []);
        assert_eq!(bench.started(), [""; 0]);
        let started = bench.tick(MONDAY + 26 * HOUR).await;
        assert!(matches!(&started[..], [Ok(_)]), "{started:?}");
        let trail = bench.store.audit_trail("shop").await.unwrap();
        let skipped = trail
            .iter()
            .find(|entry| entry.action.as_str() == "skip")
            .unwrap();
        assert_eq!(skipped.principal, "schedule/hourly");
        assert!(
            skipped
                .outcome
                .starts_with("schedule hourly: nobody was there")
        );
    }

    #[tokio::test]
    async fn while_the_last_run_goes_on_each_policy_does_what_it_says() {
        let (second, third) = (MONDAY + 2 * HOUR, MONDAY + 3 * HOUR);
        let bench = Bench::new(Overlap::Skip).await;
        bench.tick(MONDAY + HOUR).await;
        let skipped = bench.tick(second).await;
        assert!(
            matches!(&skipped[..], [Err(why)] if why.contains("goes on")),
            "{skipped:?}"
        );
        assert_eq!(bench.tick(second + 1_000).await, []);
        bench.end(&bench.started()[0]).await;
        assert_eq!(bench.tick(second + 2_000).await, [], "it was left out");
        assert!(bench.tick(third).await[0].is_ok());

        for overlap in [Overlap::Queue, Overlap::Replace] {
            let bench = Bench::new(overlap).await;
            bench.tick(MONDAY + HOUR).await;
            let first = bench.started()[0].clone();
            assert_eq!(bench.tick(second).await, [], "it waits");
            let key = format!("projects/shop/executions/{first}/control/stop.json");
            let stop = floodgate_store::ObjectStore::get(bench.store.as_ref(), &key).await;
            assert_eq!(stop.unwrap().is_some(), overlap == Overlap::Replace);
            let more = bench.tick(third).await;
            assert!(
                matches!(&more[..], [Err(why)] if why.contains("waits already")),
                "{more:?}"
            );
            bench.end(&first).await;
            assert!(bench.tick(third + 1_000).await[0].is_ok());
            assert_eq!(bench.tick(third + 2_000).await, []);
            assert_eq!(bench.started().len(), 2);
        }
    }

    #[tokio::test]
    async fn a_window_and_a_pause_leave_starts_out() {
        let bench = Bench::new(Overlap::Queue).await;
        let window = "daily 00:30-01:30".to_owned();
        bench.write(|s| s.blackouts = vec![window.clone()]).await;
        let skipped = bench.tick(MONDAY + HOUR).await;
        assert!(
            matches!(&skipped[..], [Err(why)] if why.contains(&window)),
            "{skipped:?}"
        );
        bench.write(|s| s.paused = true).await;
        assert_eq!(bench.tick(MONDAY + 2 * HOUR).await, []);
        // It goes on from when it was resumed.
        bench
            .write(|s| s.changed_ms = MONDAY + 2 * HOUR + MINUTE)
            .await;
        assert_eq!(bench.tick(MONDAY + 2 * HOUR + 2 * MINUTE).await, []);
        assert!(bench.tick(MONDAY + 3 * HOUR).await[0].is_ok());
    }

    #[tokio::test]
    async fn without_room_it_waits_and_without_a_test_it_says_so() {
        let bench = Bench::new(Overlap::Skip).await;
        bench.starter.busy.store(true, Ordering::Relaxed);
        assert_eq!(bench.tick(MONDAY + HOUR).await, []);
        assert_eq!(bench.tick(MONDAY + HOUR + MINUTE).await, []);
        bench.starter.busy.store(false, Ordering::Relaxed);
        assert!(bench.tick(MONDAY + HOUR + 2 * MINUTE).await[0].is_ok());

        let bench = Bench::new(Overlap::Skip).await;
        bench.write(|s| s.test = "unheard-of".into()).await;
        let none = bench.tick(MONDAY + HOUR).await;
        assert!(
            matches!(&none[..], [Err(why)] if why.contains("has not run here")),
            "{none:?}"
        );
        assert_eq!(bench.tick(MONDAY + HOUR + 1_000).await, []);
    }

    #[tokio::test]
    async fn one_that_is_damaged_stands_in_nobodys_way() {
        let bench = Bench::new(Overlap::Skip).await;
        let damaged = Schedule {
            name: "damaged".into(),
            project: "shop".into(),
            expression: "never".into(),
            timezone: "UTC".into(),
            ..Schedule::default()
        };
        let json = serde_json::to_vec(&damaged).unwrap();
        let key = "schedules/shop/damaged/schedule.json";
        let objects = &bench.stores.objects;
        objects.put(key, json.into()).await.unwrap();
        let ticked = bench.tick(MONDAY + HOUR).await;
        assert!(
            matches!(&ticked[..], [Err(why), Ok(_)] if why.contains("never")),
            "{ticked:?}"
        );
    }
}
