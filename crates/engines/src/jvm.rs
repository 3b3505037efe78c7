//! How a JVM is told what its task may use. Left alone it takes the limits of the cgroup that it sees, or the whole machine.

use crate::launch::Job;
use std::ffi::OsString;

/// What a task needs beside its heap, whatever it does: the supervisor (64 MiB and shards that wait), and of the JVM its own code, classes
/// and compiled methods. JMeter 5.6.3 on Java 17 took 163 MiB in all with a heap of 96 MiB, sending 800 requests a second from 20 threads.
const BASE_BYTES: u64 = 256 << 20;
/// The smallest heap that is worth a try.
const LEAST_HEAP_BYTES: u64 = 96 << 20;
/// Where the user may say how large the heap is; the JVM reads these itself.
const VARIABLES: [&str; 3] = ["JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"];

/// The options for a heap of a share of the task's memory, and for its processors.
pub(crate) fn options(job: &Job<'_>, heap_percent: u32) -> Vec<OsString> {
    let given = VARIABLES.map(|name| std::env::var(name).unwrap_or_default());
    sized(job.memory, job.processors(), heap_percent, &given.join(" "))
        .into_iter()
        .map(OsString::from)
        .collect()
}

/// The same where the user has given these options, which go before ours.
fn sized(memory: Option<u64>, processors: Option<u32>, percent: u32, given: &str) -> Vec<String> {
    let says = |words: [&str; 3]| words.iter().any(|word| given.contains(word));
    let mut options = Vec::new();
    if !says(["-Xmx", "MaxRAM", "MaxHeapSize"]) {
        options.push(match memory {
            Some(memory) => format!("-Xmx{}m", heap(memory, percent) >> 20),
            None => format!("-XX:MaxRAMPercentage={percent}"),
        });
    }
    if let Some(processors) = processors
        && !given.contains("ActiveProcessorCount")
    {
        options.push(format!("-XX:ActiveProcessorCount={processors}"));
    }
    options
}

/// Bytes of heap in so much memory: a share of what the rest leaves.
fn heap(memory: u64, percent: u32) -> u64 {
    let left = memory.saturating_sub(BASE_BYTES);
    (left.saturating_mul(percent.into()) / 100).max(LEAST_HEAP_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn heap_and_processors_are_those_of_the_task() {
        let of = |memory, processors| sized(memory, processors, 50, "");
        let quarter = ["-Xmx128m", "-XX:ActiveProcessorCount=1"];
        assert_eq!(of(Some(GIB / 2), Some(1)), quarter);
        assert_eq!(of(Some(2 * GIB), None), ["-Xmx896m"]);
        assert_eq!(of(None, None), ["-XX:MaxRAMPercentage=50"]);
    }

    #[test]
    fn what_the_user_says_goes_first() {
        let of = |given| sized(Some(2 * GIB), Some(2), 65, given);
        assert_eq!(of("-Xmx1g"), ["-XX:ActiveProcessorCount=2"]);
        assert_eq!(
            of("-XX:MaxRAMPercentage=80 -XX:ActiveProcessorCount=4"),
            [""; 0]
        );
        assert_eq!(of("-Dusers=5").len(), 2);
    }

    #[test]
    fn the_heap_leaves_room_for_the_rest() {
        for mib in [512, 1_024, 2_048, 8_192, 122_880] {
            let rest = mib - (heap(mib << 20, 65) >> 20);
            assert!(
                rest >= 256 + (mib - 256) * 35 / 100,
                "{mib} MiB: {rest} MiB"
            );
        }
        assert_eq!(heap(0, 65), LEAST_HEAP_BYTES);
    }
}
