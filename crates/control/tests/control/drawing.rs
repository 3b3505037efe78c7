use crate::support::*;
use floodgate_control::{load_figures, load_summary};
use floodgate_records::figures::Figures;
use floodgate_records::status::Status;

/// A run of two tasks that ran to their end, with something in the way of its figures.
async fn complete<'a>(folder: &'a Folder, in_the_way: bool) -> (Run<'a>, Option<String>, Status) {
    let mut run = folder
        .run(ID, definition(&[("http_reqs", "count==100")]), 2)
        .await;
    run.start().await;
    run.complete(0, Load::GOOD).await;
    run.complete(1, Load::GOOD).await;
    run.step(START + 10_000).await;
    if in_the_way {
        let key = format!("{}/in-the-way", run.keys.figures());
        run.put(&key, "a file").await;
    }
    let finished = run.finish(START + 11_000).await;
    (run, finished.undrawn, finished.execution.status)
}

#[tokio::test]
async fn figures_add_up_to_the_summary() {
    let folder = Folder::new();
    let (run, undrawn, status) = complete(&folder, false).await;
    assert_eq!((undrawn, status), (None, Status::Passed));
    let stores = &folder.stores;
    let execution = stores.records.get(None, ID).await.unwrap().unwrap();
    let summary = load_summary(stores, &execution.project, ID).await.unwrap();
    let summary = summary.unwrap();
    let figures = load_figures(stores, &execution, &summary).await.unwrap();
    let sum = |of: &[u64]| of.iter().sum::<u64>();
    assert_eq!(sum(&figures.load.requests), summary.applied.http_reqs);
    assert_eq!(sum(&figures.load.requests), 100);
    for time in &figures.times {
        let values = &summary.metrics[&time.metric].values;
        assert_eq!(sum(&time.slots.count) as f64, values["count"]);
        let most = time.slots.max.iter().flatten().max().unwrap();
        assert_eq!(*most as f64 / 1e3, values["max"]);
    }
    // Computed again they are the same, and are written again; what is stored here of the definition has no schedule.
    let key = run.keys.figures();
    stores.objects.delete(&key).await.unwrap();
    for _ in ["gone", "damaged"] {
        let mut again = load_figures(stores, &execution, &summary).await.unwrap();
        let written = stores.objects.get(&key).await.unwrap().unwrap();
        assert_eq!(serde_json::from_slice::<Figures>(&written).unwrap(), again);
        again.load.planned.clone_from(&figures.load.planned);
        assert_eq!(again, figures);
        let cut = written.slice(..written.len() / 2);
        stores.objects.put(&key, cut).await.unwrap();
    }
}

#[tokio::test]
async fn figures_that_cannot_be_written_change_no_verdict() {
    let folder = Folder::new();
    let (run, undrawn, status) = complete(&folder, true).await;
    assert_eq!(status, Status::Passed);
    assert!(undrawn.unwrap().contains("figures.json"));
    assert!(run.exists(&run.keys.summary()).await);
}
