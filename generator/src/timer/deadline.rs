//! Futures that end at a deadline, or with the order to stop.

use super::precise::{Sleep, Timer};
use super::stop::StopSignal;
use crate::clock::Nanos;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// Runs `future` until `deadline` at most; `None` if the deadline came first. The deadline is registered once for
/// however many times the future is polled.
pub async fn until<F: Future>(deadline: &mut Deadline, future: F) -> Option<F::Output> {
    let mut future = std::pin::pin!(future);
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        if deadline.poll(cx).is_ready() {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    })
    .await
}

/// A deadline of a task that outlives many futures of that task, or the order to stop now.
#[derive(Debug)]
pub struct Deadline {
    sleep: Sleep,
    stop: Rc<StopSignal>,
    listener: Option<usize>,
}

impl Deadline {
    /// At `at`, or when `stop` is given.
    pub fn new(timer: &Rc<Timer>, at: Nanos, stop: &Rc<StopSignal>) -> Self {
        Self {
            sleep: timer.sleep_until(at),
            stop: Rc::clone(stop),
            listener: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.stop.is_given() {
            return Poll::Ready(());
        }
        if self.listener.is_none() {
            self.listener = Some(self.stop.listen(cx.waker()));
        }
        Pin::new(&mut self.sleep).poll(cx)
    }

    /// Waits for it.
    pub async fn passed(&mut self) {
        std::future::poll_fn(|cx| self.poll(cx)).await;
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        if let Some(listener) = self.listener {
            self.stop.forget(listener);
        }
    }
}
