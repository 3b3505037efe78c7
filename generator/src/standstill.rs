//! Standstills: times in which this process, or the machine under it, did not get to run.
//!
//! A process that is stopped, a machine that is paused or asleep, or a thread that is starved sends nothing and measures
//! nothing. A closed loop does not notice: its requests only end later, or were never sent. So somebody who is to look at
//! fixed intervals measures how late the looks come.

use rustix::process::Pid;
use std::fs;
use std::time::Duration;

/// The longest standstill, from looks that are due at fixed intervals.
#[derive(Clone, Copy, Debug)]
pub struct Standstills {
    every: Duration,
    last: Duration,
    longest: Duration,
}

impl Standstills {
    /// From `now` on there is to be a look every so often; times are those of [`crate::clock::boot_time`].
    pub const fn since(now: Duration, every: Duration) -> Self {
        Self {
            every,
            last: now,
            longest: Duration::ZERO,
        }
    }

    /// Waiting for the next look begins now: what was done since the last one is not a standstill.
    pub const fn begin(&mut self, now: Duration) {
        self.last = now;
    }

    /// One look.
    pub fn look(&mut self, now: Duration) {
        let late = now.saturating_sub(self.last).saturating_sub(self.every);
        self.longest = self.longest.max(late);
        self.last = now;
    }

    /// The longest time by which a look was late.
    pub const fn longest(&self) -> Duration {
        self.longest
    }
}

/// The longest time in which another process was stopped by a signal or a debugger, from looks at its state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stops {
    since: Option<Duration>,
    longest: Duration,
}

impl Stops {
    /// One look at `now`, which found it stopped or not.
    pub fn look(&mut self, now: Duration, stopped: bool) {
        if let Some(since) = self.since {
            self.longest = self.longest.max(now.saturating_sub(since));
        }
        self.since = stopped.then(|| self.since.unwrap_or(now));
    }

    /// The longest time in which it was stopped, to the interval of the looks.
    pub const fn longest(&self) -> Duration {
        self.longest
    }
}

/// Whether a process is stopped; `false` if it has ended.
pub fn is_stopped(process: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
    stat.is_ok_and(|stat| says_stopped(&stat))
}

/// The state stands behind the name, which may hold anything but is in parentheses: `T` is stopped, `t` by a debugger
/// (<https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>).
fn says_stopped(stat: &str) -> bool {
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| rest.trim_start().starts_with(['T', 't']))
}

/// A duration as a manifest has it.
pub fn as_us(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_look_in_time_is_no_standstill_and_a_late_one_is_as_long_as_it_is_late() {
        let mut seen = Standstills::since(ms(1_000), ms(20));
        for now in [1_005, 1_025, 1_025, 1_045] {
            seen.look(ms(now));
        }
        assert_eq!(seen.longest(), ms(0));
        seen.look(ms(6_065));
        seen.look(ms(6_185));
        assert_eq!(seen.longest(), ms(5_000), "the longest, not the last");
        seen.begin(ms(20_000));
        seen.look(ms(20_021));
        assert_eq!(seen.longest(), ms(5_000), "what is done between two waits");
    }

    #[test]
    fn a_process_that_is_stopped_again_is_counted_anew() {
        let mut seen = Stops::default();
        for (now, stopped) in [(0, false), (50, true), (100, true), (150, false)] {
            seen.look(ms(now), stopped);
        }
        assert_eq!(seen.longest(), ms(100));
        for (now, stopped) in [(200, true), (250, false), (300, true), (500, true)] {
            seen.look(ms(now), stopped);
        }
        assert_eq!(seen.longest(), ms(200), "one that lasts counts as well");
    }

    #[test]
    fn the_state_is_read_past_any_name() {
        assert!(says_stopped("7 (a) S 1 2) T 1 2 3"));
        assert!(says_stopped("7 (x) t 1"));
        assert!(!says_stopped("7 (T) S 1 2 3"));
        assert!(!says_stopped(""));
    }
}
