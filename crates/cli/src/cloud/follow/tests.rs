use super::*;
use crate::cloud::tests::{ID, Scripted, environment, loaded, stores};
use async_trait::async_trait;
use bytes::Bytes;
use floodgate_control::{PlanOptions, Refusal, finish, prepare, read_stop, refuse};
use floodgate_records::audit::Action;
use floodgate_records::control::{Start, StopReason};
use floodgate_records::execution::Trigger;
use floodgate_records::keys::ExecutionKeys;
use floodgate_records::status::Status;
use floodgate_store::{ObjectInfo, ObjectStore, StoreError};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn follow_of<'a>(
    stores: &'a Stores,
    machine: &'a Scripted,
    env: &'a Environment,
) -> Follow<'a, Scripted> {
    Follow {
        stores,
        machine,
        id: ID,
        project: Some("shop".into()),
        env,
        by: "arn:aws:iam::1:user/ann",
        show: ShowArgs {
            json: false,
            quiet: true,
        },
        pace: Duration::from_millis(1),
    }
}

/// What Prepare does there.
async fn prepared(stores: &Stores, folder: &Path) -> floodgate_control::Prepared {
    let env = environment(&["PATH_OF_IT=cart"], folder);
    let test = loaded(&env, &[]);
    let mut options = PlanOptions::local(2, None);
    options.env = [("PATH_OF_IT".to_owned(), "cart".to_owned())].into();
    prepare(stores, ID, &test.package(), Trigger::default(), &options, 1)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_run_is_followed_from_before_its_record_to_its_summary() {
    let folder = tempfile::tempdir().unwrap();
    let stores = stores(folder.path());
    let machine = Scripted::default();
    // Whoever attaches needs no values: the plan has them.
    let env = environment(&[], folder.path());
    let mut at = At::new(follow_of(&stores, &machine, &env));
    assert!(at.step().await.unwrap().is_none());
    assert!(at.view.is_none());

    let prepared = prepared(&stores, folder.path()).await;
    assert!(at.step().await.unwrap().is_none());
    assert!(at.observer.is_some() && at.view.is_some());

    let keys = ExecutionKeys::new("shop", ID);
    let start = serde_json::to_vec(&Start { start_ms: now_ms() }).unwrap();
    stores
        .objects
        .put(&keys.start(), start.into())
        .await
        .unwrap();
    assert!(at.step().await.unwrap().is_none());

    let env = environment(&["PATH_OF_IT=cart"], folder.path());
    let definition = load_stored(&stores, &prepared.plan, &env).await.unwrap();
    finish(&stores, &prepared.plan, &definition, &[], &[], now_ms())
        .await
        .unwrap();
    let ended = at.step().await.unwrap().unwrap();
    // No task ever reported.
    assert_eq!(ended.execution.status, Status::Errored);
    assert_eq!(ended.summary.unwrap().execution, ID);
}

#[tokio::test]
async fn a_wish_to_stop_is_ordered_as_soon_as_there_is_a_run_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let stores = stores(folder.path());
    let machine = Scripted::default();
    let env = environment(&[], folder.path());
    let mut at = At::new(follow_of(&stores, &machine, &env));
    at.stop_wanted = true;
    assert!(at.step().await.unwrap().is_none());
    assert!(!at.ordered);
    prepared(&stores, folder.path()).await;
    assert!(at.step().await.unwrap().is_none());
    assert!(at.ordered);
    let keys = ExecutionKeys::new("shop", ID);
    let stop = read_stop(stores.objects.as_ref(), &keys).await.unwrap();
    let stop = stop.unwrap();
    assert_eq!(
        (stop.reason, stop.by.as_str()),
        (StopReason::Person, "arn:aws:iam::1:user/ann")
    );
    assert!(at.step().await.unwrap().is_none());
    let again = read_stop(stores.objects.as_ref(), &keys).await.unwrap();
    assert_eq!(again, Some(stop));
    // Nothing is written but the order: a runner may write no records.
    let trail = stores.records.audit_trail("shop").await.unwrap();
    assert!(trail.iter().all(|e| e.action != Action::Abort), "{trail:?}");
}

#[tokio::test]
async fn a_refused_run_ends_with_its_record_and_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let stores = stores(folder.path());
    let env = environment(&[], folder.path());
    let machine = Scripted::default();
    let refusal = Refusal {
        id: ID.into(),
        project: "shop".into(),
        error: "Floodgate.InvalidDefinition".into(),
        reason: "two faults".into(),
        ..Refusal::default()
    };
    refuse(&stores, refusal, 1).await.unwrap();
    let ended = At::new(follow_of(&stores, &machine, &env))
        .step()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(ended.execution.exit_code(), 104);
    let said = crate::outcome::without_summary(&ended.execution);
    assert!(
        said.ends_with("(Floodgate.InvalidDefinition), nothing was started:\ntwo faults"),
        "{said}"
    );
}

#[tokio::test]
async fn a_run_that_fails_before_its_record_ends_with_the_cause_and_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let stores = stores(folder.path());
    let env = environment(&[], folder.path());
    let machine = Scripted::default();
    let failed = Some(Stand::Failed {
        error: "Floodgate.InvalidDefinition".into(),
        cause: "two faults".into(),
    });
    machine.stands.borrow_mut().extend([failed.clone(), failed]);
    let mut at = At::new(follow_of(&stores, &machine, &env));
    // The record may be on its way: only the second look counts.
    assert!(at.step().await.unwrap().is_none());
    let error = at.step().await.unwrap_err();
    assert_eq!(error.exit_code(), 104);
    assert_eq!(
        error.to_string(),
        format!("execution {ID} ended without a verdict: two faults (Floodgate.InvalidDefinition)")
    );
}

#[tokio::test]
async fn an_id_that_nobody_knows_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let stores = stores(folder.path());
    let env = environment(&[], folder.path());
    let machine = Scripted::default();
    machine.stands.borrow_mut().push_back(None);
    let error = At::new(follow_of(&stores, &machine, &env))
        .step()
        .await
        .unwrap_err();
    assert_eq!(error.exit_code(), 104);
}

/// A store that cannot be reached while that is wanted.
struct Flaky {
    inner: Arc<dyn ObjectStore>,
    down: Arc<AtomicBool>,
}

impl Flaky {
    fn up(&self, key: &str) -> floodgate_store::Result<()> {
        if self.down.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable {
                operation: "read",
                key: key.into(),
                source: "connection refused".into(),
            });
        }
        Ok(())
    }
}

#[async_trait]
impl ObjectStore for Flaky {
    async fn put(&self, key: &str, data: Bytes) -> floodgate_store::Result<()> {
        self.up(key)?;
        self.inner.put(key, data).await
    }
    async fn put_new(&self, key: &str, data: Bytes) -> floodgate_store::Result<()> {
        self.up(key)?;
        self.inner.put_new(key, data).await
    }
    async fn get(&self, key: &str) -> floodgate_store::Result<Option<Bytes>> {
        self.up(key)?;
        self.inner.get(key).await
    }
    async fn list(&self, prefix: &str) -> floodgate_store::Result<Vec<ObjectInfo>> {
        self.up(prefix)?;
        self.inner.list(prefix).await
    }
    async fn delete(&self, key: &str) -> floodgate_store::Result<()> {
        self.up(key)?;
        self.inner.delete(key).await
    }
}

#[tokio::test]
async fn a_lost_connection_is_waited_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut stores = stores(folder.path());
    prepared(&stores, folder.path()).await;
    let down = Arc::new(AtomicBool::new(true));
    stores.objects = Arc::new(Flaky {
        inner: stores.objects.clone(),
        down: down.clone(),
    });
    let env = environment(&[], folder.path());
    let machine = Scripted::default();
    let mut at = At::new(follow_of(&stores, &machine, &env));
    at.stop_wanted = true;
    for _ in 0..3 {
        let error = at.step().await.unwrap_err();
        assert!(error.is_temporary(), "{error}");
        at.disconnected(&error);
        assert!(at.lost && !at.ordered);
    }
    down.store(false, Ordering::Relaxed);
    assert!(at.step().await.unwrap().is_none());
    at.connected();
    assert!(!at.lost && at.ordered && at.observer.is_some());
}
