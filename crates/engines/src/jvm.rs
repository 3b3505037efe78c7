//! How a JVM is told what its task may use, and what its last words mean. Left alone it takes the limits of the cgroup that it sees, or the
//! whole machine.

use crate::job::Job;
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

/// Why a JVM could not run what it was given, in a sentence with the remedy, out of one line that it said; `None` if the line tells no such
/// thing. Of a class that is missing, `remedy` says what is to be done.
pub(crate) fn cause(line: &str, remedy: &str) -> Option<String> {
    let after = |words: &str| line.split_once(words).map(|(_, rest)| rest.trim());
    if let Some(option) =
        after("Unrecognized option: ").or_else(|| after("Unrecognized VM option "))
    {
        return Some(format!(
            "Java does not know the option {option}: take it out of {}",
            VARIABLES.join(", ")
        ));
    }
    if let Some(jar) = after("Invalid or corrupt jarfile ") {
        return Some(format!(
            "{jar} is not a readable jar: it is damaged or truncated; copy or build it again"
        ));
    }
    if line.contains("zip END header not found") || line.contains("ZipException: ") {
        return Some(
            "a jar cannot be read: it is damaged or truncated; copy or build it again".into(),
        );
    }
    for words in [
        "Too small maximum heap",
        "Could not reserve enough space for",
        "Invalid maximum heap size",
    ] {
        if line.contains(words) {
            let line = line.trim().trim_start_matches("Error: ");
            return Some(format!(
                "Java cannot start with the heap that it is given ({line}): see -Xmx in {}",
                VARIABLES.join(", ")
            ));
        }
    }
    newer(line).or_else(|| {
        let class = missing(line)?;
        Some(format!(
            "the class {class} is not on the class path: {remedy}"
        ))
    })
}

/// A class that a newer Java made than the one that runs: versions of class files are those of Java plus 44 (JVMS 17 §4.1).
fn newer(line: &str) -> Option<String> {
    let (class, rest) =
        line.split_once(" has been compiled by a more recent version of the Java Runtime")?;
    let versions = rest.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    let versions = versions.filter_map(|word| word.parse::<f64>().ok());
    let mut versions = versions
        .map(|version| version as u32)
        .filter(|version| *version > 44);
    let (needed, here) = (versions.next()? - 44, versions.next()? - 44);
    let class = class
        .rsplit(' ')
        .next()
        .unwrap_or_default()
        .replace('/', ".");
    Some(format!(
        "{class} was compiled for Java {needed}, and this is Java {here}: set JAVA_HOME to a newer one, or compile with --release {here}"
    ))
}

/// A class that was not found. What has blanks is a sentence: a class that is there, and could not be made ready.
fn missing(line: &str) -> Option<String> {
    let errors = ["NoClassDefFoundError: ", "ClassNotFoundException: "];
    let named = errors.iter().find_map(|error| line.split_once(error));
    let name = named?.1.trim();
    (!name.is_empty() && !name.contains(' ')).then(|| name.replace('/', "."))
}

/// Whether a line is a frame of a stack trace: all that tells something stands before the first.
pub fn is_frame(line: &str) -> bool {
    let line = line.trim();
    let more = || {
        line.strip_prefix("... ")
            .is_some_and(|rest| rest.ends_with(" more"))
    };
    // Log4j puts the jar behind it: `~[?:?]`.
    line.starts_with("at ") && line.contains('(') && line.ends_with([')', ']']) || more()
}

/// What a stack trace comes to: the innermost cause, with the place in the code that threw it.
pub(crate) fn innermost(said: &str) -> Option<String> {
    let mut frame = None;
    for line in said.lines().rev() {
        if is_frame(line) {
            if line.trim().starts_with("at ") {
                frame = Some(line.trim());
            }
            continue;
        }
        let Some(cause) = line.trim().strip_prefix("Caused by: ") else {
            // What the helper says comes after the trace.
            if frame.is_some() {
                return None;
            }
            continue;
        };
        let (class, message) = cause.split_once(": ").unwrap_or((cause, ""));
        let class = class.rsplit('.').next().unwrap_or(class);
        let message = if message.is_empty() {
            String::new()
        } else {
            format!(": {message}")
        };
        let place = frame.map_or_else(String::new, |frame| format!(" ({frame})"));
        return Some(format!("{class}{message}{place}"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_jvm_says_is_told_in_a_sentence() {
        let of = |line: &str| cause(line, "add its jar").unwrap_or_default();
        for (line, told) in [
            (
                "Unrecognized option: -Xfoo",
                "does not know the option -Xfoo",
            ),
            (
                "Error: Invalid or corrupt jarfile /x/a.jar",
                "/x/a.jar is not a readable jar",
            ),
            (
                "java.util.zip.ZipException: zip END header not found",
                "damaged or truncated",
            ),
            (
                "Too small maximum heap",
                "(Too small maximum heap): see -Xmx",
            ),
            (
                "java.lang.UnsupportedClassVersionError: shop/Buy has been compiled by a more recent version of the Java Runtime (class \
                 file version 61.0), this version of the Java Runtime only recognizes class file versions up to 52.0",
                "shop.Buy was compiled for Java 17, and this is Java 8: set JAVA_HOME",
            ),
            (
                "Caused by: java.lang.NoClassDefFoundError: shop/Util",
                "the class shop.Util is not on the class path: add its jar",
            ),
        ] {
            assert!(of(line).contains(told), "{line}: {}", of(line));
        }
        for line in [
            "java.lang.NoClassDefFoundError: Could not initialize class shop.Util",
            "floodgate: several simulations",
            "",
        ] {
            assert_eq!(of(line), "");
        }
    }

    #[test]
    fn frames_are_told_from_words() {
        for line in [
            "\tat java.base/java.util.zip.ZipFile.<init>(ZipFile.java:180)",
            "at java.base/java.net.URLClassLoader.findClass(URLClassLoader.java:445) ~[?:?]",
            "\t... 13 more",
        ] {
            assert!(is_frame(line), "{line}");
        }
        for line in ["at least one", "Caused by: x", "... and so on", ""] {
            assert!(!is_frame(line), "{line}");
        }
    }

    #[test]
    fn the_innermost_cause_counts() {
        let said = "java.lang.reflect.InvocationTargetException\n\tat a.B.c(B.java:1)\nCaused by: java.lang.NullPointerException: o is null\n\t\
                    at Boom.<init>(Boom.java:2)\n\tat a.D.e(D.java:7)\n\t... 13 more\n";
        assert_eq!(
            innermost(said).as_deref(),
            Some("NullPointerException: o is null (at Boom.<init>(Boom.java:2))")
        );
        assert_eq!(innermost("java.lang.X: y\n\tat a.B.c(B.java:1)\n"), None);
        assert_eq!(innermost(""), None);
    }

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
