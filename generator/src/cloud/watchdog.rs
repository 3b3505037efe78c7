//! The end of the process for certain: a thread of its own, which needs neither S3 nor a runtime that still turns.

use super::ending::{AFTER_DEADLINE, FAILURE};
use crate::clock::unix_ms;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How often the clock is looked at: it may be set, and the machine may sleep.
const LOOK: Duration = Duration::from_secs(1);

/// An order to stop.
struct Order {
    by: &'static str,
    grace: Duration,
}

/// Gives the order to stop at the deadline or when told to, and ends the process some time later if it is still there.
#[derive(Clone, Debug)]
pub struct Watchdog(Sender<Order>);

struct Thread {
    deadline_ms: i64,
    grace: Duration,
    stop: watch::Sender<Option<String>>,
    orders: Receiver<Order>,
    /// When the process ends, and after whose order.
    end: Option<(Instant, &'static str)>,
}

impl Watchdog {
    /// Starts the thread. `stop` is told who gave the order; the deadline is in Unix ms.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn start(deadline_ms: i64, stop: watch::Sender<Option<String>>) -> std::io::Result<Self> {
        Self::with_grace(deadline_ms, AFTER_DEADLINE, stop)
    }

    /// The same with another time between the deadline and the end.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub fn with_grace(
        deadline_ms: i64,
        grace: Duration,
        stop: watch::Sender<Option<String>>,
    ) -> std::io::Result<Self> {
        let (sender, orders) = channel();
        let mut thread = Thread {
            deadline_ms,
            grace,
            stop,
            orders,
            end: None,
        };
        std::thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || thread.run())?;
        Ok(Self(sender))
    }

    /// Stops the task, and the process when `grace` has passed. Only the first order counts.
    pub fn stop(&self, by: &'static str, grace: Duration) {
        // The thread ends only with the process.
        let _ = self.0.send(Order { by, grace });
    }
}

impl Thread {
    fn run(&mut self) {
        loop {
            let now = Instant::now();
            if let Some((end, by)) = self.end
                && now >= end
            {
                tracing::error!(
                    "still there long after {by}: ended by force; what S3 does not have is lost"
                );
                std::process::exit(i32::from(FAILURE));
            }
            let left_ms = u64::try_from(self.deadline_ms - unix_ms()).unwrap_or(0);
            if left_ms == 0 {
                self.order("deadline", self.grace);
            }
            let until_end = self
                .end
                .map_or(LOOK, |(end, _)| end.saturating_duration_since(now));
            let until_deadline = if left_ms == 0 {
                LOOK
            } else {
                Duration::from_millis(left_ms)
            };
            match self
                .orders
                .recv_timeout(LOOK.min(until_end).min(until_deadline))
            {
                Ok(Order { by, grace }) => self.order(by, grace),
                Err(RecvTimeoutError::Timeout) => {}
                // Whoever could give orders is gone; the deadline stays.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(LOOK.min(until_end)),
            }
        }
    }

    fn order(&mut self, by: &'static str, grace: Duration) {
        let end = Instant::now() + grace;
        match self.end {
            // A later order may only bring the end nearer.
            Some((first, first_by)) => self.end = Some((first.min(end), first_by)),
            None => {
                self.end = Some((end, by));
                tracing::info!("{by}: stopping");
                self.stop.send_replace(Some(by.to_owned()));
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::environment::Level;
    use std::process::Command;

    const CHILD: &str = "FLOODGATE_TEST_WATCHDOG_CHILD";

    /// Does nothing but as the child of the tests below: a process that hangs.
    #[test]
    fn child() {
        let Ok(mode) = std::env::var(CHILD) else {
            return;
        };
        super::super::log::begin(Level::Info, None);
        let (stop, _stopped) = watch::channel(None);
        let far = unix_ms() + 3_600_000;
        let grace = Duration::from_millis(200);
        let _kept = if mode == "deadline" {
            Watchdog::with_grace(unix_ms() + 100, grace, stop).unwrap()
        } else {
            let watchdog = Watchdog::with_grace(far, grace, stop).unwrap();
            watchdog.stop("SIGTERM", grace);
            // A second order must not give it more time.
            watchdog.stop("SIGINT", Duration::from_secs(3_600));
            watchdog
        };
        loop {
            std::thread::park();
        }
    }

    #[test]
    fn a_process_that_hangs_is_ended() {
        for (mode, by) in [("deadline", "deadline"), ("signal", "SIGTERM")] {
            let mut child = Command::new(std::env::current_exe().unwrap());
            child
                .args(["--exact", "cloud::watchdog::tests::child", "--nocapture"])
                .env(CHILD, mode);
            let output = child.output().unwrap();
            assert_eq!(output.status.code(), Some(97), "{output:?}");
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(
                said.contains(&format!("still there long after {by}")),
                "{said}"
            );
        }
    }

    #[test]
    fn the_deadline_and_orders_stop_the_task_first() {
        let hour = Duration::from_secs(3_600);
        let (stop, stopped) = watch::channel(None);
        let _dog = Watchdog::with_grace(unix_ms() - 1, hour, stop).unwrap();
        assert_eq!(told(stopped), "deadline");
        let (stop, stopped) = watch::channel(None);
        let dog = Watchdog::with_grace(unix_ms() + 3_600_000, hour, stop).unwrap();
        dog.stop("SIGINT", hour);
        dog.stop("SIGTERM", hour);
        assert_eq!(told(stopped), "SIGINT");
    }

    fn told(mut stopped: watch::Receiver<Option<String>>) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let told = runtime.block_on(stopped.wait_for(Option::is_some)).unwrap();
        told.clone().unwrap()
    }
}
