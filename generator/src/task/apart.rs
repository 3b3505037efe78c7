//! Work in a thread of its own, with a runtime for what cannot leave it.

use std::thread::Builder;
use tokio::runtime::LocalOptions;
use tokio::sync::oneshot;

/// Does it, and gives what came of it. Who drops the future cuts it off.
///
/// # Errors
/// What the work says, or what keeps it from being done.
pub(super) async fn apart<T, W, F>(name: &str, work: W) -> Result<T, String>
where
    T: Send + 'static,
    W: FnOnce() -> F + Send + 'static,
    F: Future<Output = Result<T, String>>,
{
    let (alive, cut_off) = oneshot::channel::<()>();
    let (done, end) = oneshot::channel();
    let thread = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default());
        let outcome = match runtime {
            Ok(runtime) => runtime.block_on(async {
                tokio::select! {
                    outcome = work() => outcome,
                    _ = cut_off => Err("it was cut off".to_owned()),
                }
            }),
            Err(error) => Err(format!("no runtime: {error}")),
        };
        // Nobody waits for it any more where it was cut off.
        drop(done.send(outcome));
    };
    Builder::new()
        .name(name.to_owned())
        .spawn(thread)
        .map_err(|error| format!("no thread: {error}"))?;
    let outcome = end.await;
    drop(alive);
    outcome.unwrap_or_else(|_| Err("its thread ended".to_owned()))
}
