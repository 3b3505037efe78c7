//! What a machine's figures mean for a generator on it. Nothing is looked at here.

use super::machine::{Folder, Machine};
use floodgate_records::manifest::LimitSource;
use floodgate_report::doctor::{Area, Check, State};
use floodgate_report::format::count;

/// Open files that every command needs at least, as `limits` checks at its beginning.
const LEAST_FILES: u64 = 64;
/// Connections that a usual test has at a time: each is an open file.
const MANY_CONNECTIONS: u64 = 10_000;
/// How long a port stays taken after its connection was closed (`TCP_TIMEWAIT_LEN` of the kernel).
const TIME_WAIT_S: u64 = 60;
/// Tracked connections that many new ones a second fill up: at 1,000 a second, two minutes of `nf_conntrack_tcp_timeout_time_wait`.
const MANY_TRACKED: u64 = 131_072;
/// The smallest task of Fargate has half of it; a generator itself takes 64 MiB.
const LITTLE_MEMORY: u64 = 512 << 20;
/// A run of some minutes writes some megabytes: with less than this its results may not fit.
const NO_ROOM: u64 = 100_000_000;
/// A long run with many series, and samples of engines before they are shards.
const LITTLE_ROOM: u64 = 1_000_000_000;

/// All that there is to say.
pub(super) fn machine(machine: &Machine) -> Vec<Check> {
    vec![
        version(),
        processors(machine),
        memory(machine),
        open_files(machine.open_files),
        ports(machine.ports),
        closed_connections(machine),
        tracked(machine.tracking),
        room(&machine.folder),
    ]
}

fn ok(name: &str, found: impl Into<String>) -> Check {
    Check::ok(Area::Here, name, found)
}

fn version() -> Check {
    ok(
        "floodgate",
        format!("{}, with the native engine", env!("CARGO_PKG_VERSION")),
    )
}

fn source(source: LimitSource) -> &'static str {
    match source {
        LimitSource::Machine => "the machine's",
        LimitSource::Cgroup => "by the control group",
        LimitSource::TaskMetadata => "by the task's metadata",
        LimitSource::Requested => "as the run asked for",
    }
}

fn processors(machine: &Machine) -> Check {
    let cpus = machine.limits.cpus;
    let found = ok(
        "processors",
        format!("{} ({})", number(cpus), source(machine.limits.cpus_from)),
    );
    if cpus >= 1.0 {
        return found;
    }
    found.but(
        State::Warning,
        "less than one saturates early: give the container more (docker run --cpus), or the test less load",
    )
}

fn number(cpus: f64) -> String {
    let text = format!("{cpus:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The engines whose virtual machine needs more memory.
fn of_java() -> String {
    floodgate_engines::registry::labels("or", |facts| facts.needs_java)
}

fn memory(machine: &Machine) -> Check {
    let Some(bytes) = machine.limits.memory else {
        return ok("memory", "cannot be read").but(
            State::Unknown,
            format!("see that 512 MiB are free, and 1 GiB for {}", of_java()),
        );
    };
    let from = source(machine.limits.memory_from);
    let found = ok("memory", format!("{} ({from})", size(bytes)));
    if bytes >= LITTLE_MEMORY {
        return found;
    }
    found.but(
        State::Warning,
        format!(
            "512 MiB are the least for many virtual users, 1 GiB for {}: raise the limit",
            of_java()
        ),
    )
}

fn open_files(allowed: u64) -> Check {
    let found = ok("open files", count(allowed));
    let raise = |n: u64| {
        format!(
            "each connection needs one: raise the hard limit (`ulimit -Hn {n}`, LimitNOFILE, --ulimit nofile={n})"
        )
    };
    match allowed {
        0..LEAST_FILES => found.but(State::Blocked, raise(MANY_CONNECTIONS + LEAST_FILES)),
        few if few < MANY_CONNECTIONS + LEAST_FILES => {
            let most = few - LEAST_FILES;
            let remedy = format!(
                "no more than about {} connections at a time; {}",
                count(most),
                raise(MANY_CONNECTIONS + LEAST_FILES)
            );
            found.but(State::Warning, remedy)
        }
        _ => found,
    }
}

/// How many connections to one address and port there can be at a time.
fn ports(range: Option<(u16, u16)>) -> Check {
    let Some((first, last)) = range else {
        return ok("local ports", "cannot be read").but(
            State::Unknown,
            "connections to one address are bounded by the local ports: see what the system has",
        );
    };
    let ports = u64::from(last - first) + 1;
    let found = ok(
        "local ports",
        format!(
            "{} ({first} to {last}): connections to one address at a time",
            count(ports)
        ),
    );
    if ports >= MANY_CONNECTIONS {
        return found;
    }
    found.but(
        State::Warning,
        "widen the range: sysctl -w net.ipv4.ip_local_port_range='15000 64999'",
    )
}

/// What a port that was closed a moment ago means for tests that open a connection for each request.
fn closed_connections(machine: &Machine) -> Check {
    let name = "closed connections";
    let (Some(reuse), Some((first, last))) = (machine.time_wait_reuse, machine.ports) else {
        return ok(name, "net.ipv4.tcp_tw_reuse cannot be read").but(
            State::Unknown,
            "tests without kept connections may run out of local ports: see how long the system keeps those that were closed",
        );
    };
    let rate = (u64::from(last - first) + 1) / TIME_WAIT_S;
    if reuse == 1 {
        return ok(name, "their ports are used again after a second");
    }
    let loopback = if reuse == 2 { ", but on loopback" } else { "" };
    let found = ok(
        name,
        format!(
            "hold their ports for {TIME_WAIT_S} s{loopback}: lastingly {} new ones a second to one address",
            count(rate)
        ),
    );
    let remedy = "only for tests without kept connections: sysctl -w net.ipv4.tcp_tw_reuse=1, or more generators on other machines";
    match reuse {
        2 => Check {
            remedy: Some(remedy.into()),
            ..found
        },
        _ => found.but(State::Warning, remedy),
    }
}

fn tracked(tracking: Option<Option<(u64, u64)>>) -> Check {
    let name = "tracked connections";
    let (now, most) = match tracking {
        Some(Some(table)) => table,
        Some(None) => return ok(name, "none: no firewall keeps a table of them"),
        None => {
            return ok(name, "net.netfilter.nf_conntrack_max cannot be read").but(
                State::Unknown,
                "where a firewall keeps a table of connections, a full one drops packets: see the host's",
            );
        }
    };
    let found = ok(name, format!("{} of at most {}", count(now), count(most)));
    if most >= MANY_TRACKED && now < most / 2 {
        return found;
    }
    found.but(
        State::Warning,
        "a full table drops packets, which looks like a slow target: sysctl -w net.netfilter.nf_conntrack_max=1048576",
    )
}

fn room(folder: &Folder) -> Check {
    let shown = folder.named.display();
    let elsewhere = "make room, or name another folder with --out DIR or FLOODGATE_OUT";
    if !folder.writable {
        return ok("results", format!("{shown} cannot be written")).but(
            State::Blocked,
            "name a folder that can be written with --out DIR or FLOODGATE_OUT",
        );
    }
    let Some(free) = folder.free else {
        return ok("results", format!("the room in {shown} cannot be read"))
            .but(State::Unknown, "see that a gigabyte is free there");
    };
    let found = ok("results", format!("{} free for {shown}", size(free)));
    match free {
        0..NO_ROOM => found.but(State::Blocked, elsewhere),
        NO_ROOM..LITTLE_ROOM => found.but(State::Warning, elsewhere),
        _ => found,
    }
}

/// `1.5 GiB`.
fn size(bytes: u64) -> String {
    let of =
        |unit: u64, name: &str| format!("{} {name}", number(round(bytes as f64 / unit as f64)));
    match bytes {
        0..0x4000_0000 => of(1 << 20, "MiB"),
        _ => of(1 << 30, "GiB"),
    }
}

/// To one digit behind the point.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use floodgate_generator::limits::TaskLimits;

    fn good() -> Machine {
        Machine {
            limits: TaskLimits {
                cpus: 2.0,
                cpus_from: LimitSource::Machine,
                memory: Some(8 << 30),
                memory_from: LimitSource::Cgroup,
                blind: false,
            },
            open_files: 1_048_576,
            ports: Some((32_768, 60_999)),
            time_wait_reuse: Some(2),
            tracking: Some(Some((10, 262_144))),
            folder: Folder {
                named: ".floodgate".into(),
                writable: true,
                free: Some(5_000_000_000),
            },
        }
    }

    /// The states of all checks that are not fine, by name.
    fn told(of: &Machine) -> Vec<(String, State)> {
        let checks = machine(of).into_iter();
        let told = checks.filter(|check| check.state != State::Ok);
        told.map(|check| {
            assert!(check.remedy.is_some(), "{check:?}");
            (check.name, check.state)
        })
        .collect()
    }

    #[test]
    fn a_good_machine_is_fine() {
        assert_eq!(told(&good()), []);
        let text: Vec<_> = machine(&good())
            .into_iter()
            .map(|check| check.found)
            .collect();
        assert!(
            text.contains(&"8 GiB (by the control group)".to_owned()),
            "{text:?}"
        );
        assert!(text.contains(&"1,048,576".to_owned()), "{text:?}");
    }

    #[test]
    fn each_limit_is_told_with_its_remedy() {
        let told_of = |change: &dyn Fn(&mut Machine)| {
            let mut machine = good();
            change(&mut machine);
            told(&machine)
        };
        let one = |name: &str, state| vec![(name.to_owned(), state)];
        let warned = |name: &str| one(name, State::Warning);
        assert_eq!(told_of(&|m| m.limits.cpus = 0.25), warned("processors"));
        assert_eq!(
            told_of(&|m| m.limits.memory = Some(256 << 20)),
            warned("memory")
        );
        assert_eq!(told_of(&|m| m.open_files = 1_024), warned("open files"));
        assert_eq!(
            told_of(&|m| m.open_files = 63),
            one("open files", State::Blocked)
        );
        assert_eq!(
            told_of(&|m| m.ports = Some((1, 100))),
            warned("local ports")
        );
        let name = "closed connections";
        assert_eq!(told_of(&|m| m.time_wait_reuse = Some(0)), warned(name));
        let full = |m: &mut Machine| m.tracking = Some(Some((200_000, 262_144)));
        assert_eq!(told_of(&full), warned("tracked connections"));
        assert_eq!(
            told_of(&|m| m.folder.free = Some(500_000_000)),
            warned("results")
        );
        let blocked = one("results", State::Blocked);
        assert_eq!(told_of(&|m| m.folder.free = Some(1)), blocked);
        assert_eq!(told_of(&|m| m.folder.writable = false), blocked);
    }

    #[test]
    fn what_cannot_be_read_is_not_fine() {
        let mut machine = good();
        (machine.ports, machine.time_wait_reuse) = (None, None);
        (machine.tracking, machine.limits.memory, machine.folder.free) = (None, None, None);
        let told = told(&machine);
        assert_eq!(told.len(), 5, "{told:?}");
        assert!(told.iter().all(|(_, state)| *state == State::Unknown));
    }
}
