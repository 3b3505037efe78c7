//! Targets whose capacity is known by construction, in simulated time.

use fastrand::Rng;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A target.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// `servers` that each serve `mu` a second with exponential times, one queue in the order of arrival; arrivals are a Poisson process.
    /// Capacity: the rate at which the 95th percentile of the response time is `limit_s`.
    Queue {
        servers: u32,
        mu: f64,
        limit_s: f64,
        /// How often a second the target stands still for 100 ms.
        pauses: f64,
    },
    /// A bucket of `burst` tokens that fills with `rate` a second; what finds none is refused. Arrivals are evenly spaced, as ours are.
    /// Capacity: the rate at which 1 % is refused.
    Bucket { rate: f64, burst: f64 },
}

/// How long a pause is, in s.
const PAUSE_S: f64 = 0.1;

impl Target {
    /// The load at which the threshold just holds in the long run.
    pub(crate) fn capacity(&self) -> f64 {
        match *self {
            Self::Bucket { rate, .. } => rate / 0.99,
            Self::Queue {
                servers,
                mu,
                limit_s,
                pauses: _,
            } => {
                let (mut low, mut high) = (0.0, f64::from(servers) * mu);
                for _ in 0..100 {
                    let middle = f64::midpoint(low, high);
                    match slower_than(middle, servers, mu, limit_s) < 0.05 {
                        true => low = middle,
                        false => high = middle,
                    }
                }
                low
            }
        }
    }

    /// Whether the threshold holds in a step of `settle_s` and `judged_s` at a load, from an idle target on.
    pub(crate) fn step(&self, load: f64, (settle_s, judged_s): (f64, f64), rng: &mut Rng) -> bool {
        match *self {
            Self::Bucket { rate, burst } => {
                let (mut tokens, mut refused, mut all) = (burst, 0_u32, 0_u32);
                for n in 0..((settle_s + judged_s) * load) as u32 {
                    tokens = (tokens + rate / load).min(burst);
                    let judged = f64::from(n) >= settle_s * load;
                    all += u32::from(judged);
                    if tokens >= 1.0 {
                        tokens -= 1.0;
                    } else {
                        refused += u32::from(judged);
                    }
                }
                f64::from(refused) < 0.01 * f64::from(all)
            }
            Self::Queue {
                servers,
                mu,
                limit_s,
                pauses,
            } => {
                let exponential = |rng: &mut Rng, rate: f64| -(1.0 - rng.f64()).ln() / rate;
                let mut free: BinaryHeap<Reverse<u64>> = (0..servers).map(|_| Reverse(0)).collect();
                let mut pause = if pauses > 0.0 {
                    exponential(rng, pauses)
                } else {
                    f64::INFINITY
                };
                let (mut now, mut slow, mut all) = (0.0, 0_u32, 0_u32);
                loop {
                    now += exponential(rng, load);
                    if now >= settle_s + judged_s {
                        return f64::from(slow) < 0.05 * f64::from(all);
                    }
                    let Some(Reverse(at)) = free.pop() else {
                        return false;
                    };
                    let mut start = now.max(at as f64 * 1e-9);
                    while pause + PAUSE_S < start {
                        pause += exponential(rng, pauses);
                    }
                    if pause <= start {
                        start = pause + PAUSE_S;
                    }
                    let end = start + exponential(rng, mu);
                    free.push(Reverse((end * 1e9) as u64));
                    if (settle_s..settle_s + judged_s).contains(&end) {
                        all += 1;
                        slow += u32::from(end - now > limit_s);
                    }
                }
            }
        }
    }
}

/// The share of responses that take longer than `t` in an M/M/c queue: Erlang's C, and the convolution of waiting and service (Gross et
/// al., "Fundamentals of Queueing Theory", 4th ed., §2.3).
fn slower_than(lambda: f64, servers: u32, mu: f64, t: f64) -> f64 {
    let c = f64::from(servers);
    let offered = lambda / mu;
    if offered >= c {
        return 1.0;
    }
    // Erlang B by recursion, then C.
    let b = (1..=servers).fold(1.0, |b, n| offered * b / (f64::from(n) + offered * b));
    let rho = offered / c;
    let waits = b / (1.0 - rho * (1.0 - b));
    let drain = c * mu - lambda;
    let no_wait = (1.0 - waits) * (-mu * t).exp();
    let wait = match (drain - mu).abs() < 1e-9 * mu {
        true => (1.0 + mu * t) * (-mu * t).exp(),
        false => (drain * (-mu * t).exp() - mu * (-drain * t).exp()) / (drain - mu),
    };
    no_wait + waits * wait
}
