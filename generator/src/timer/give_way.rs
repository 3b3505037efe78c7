//! Letting others go first.

use std::task::Poll;

/// Lets all tasks that are ready go first, and nothing else: `tokio::task::yield_now` waits for the reactor, too.
///
/// A closed loop does so between an answer and its next request. VUs whose answers have come then read them all before the
/// first of them sends, and the kernel does with fewer wake-ups and warmer caches.
pub async fn give_way() {
    let mut gave = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut gave, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
