//! Real servers, each in a folder of its own, until they are dropped.

use crate::export::server::free_port;
use crate::support::eventually;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a server has to end in its own way.
const TO_END: Duration = Duration::from_secs(5);

/// A server that runs.
pub struct Server {
    child: Child,
    pub port: u16,
    dir: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // PostgreSQL's own word for ending at once; the others know it, too.
        crate::support::signal(self.child.id(), "INT");
        let begun = Instant::now();
        while begun.elapsed() < TO_END {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // Kafka may look for another broker that takes its place, for minutes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start(dir: tempfile::TempDir, port: u16, command: &mut Command) -> Server {
    let log = std::fs::File::create(dir.path().join("log")).unwrap();
    let child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    Server { child, port, dir }
}

impl Server {
    /// Waits until a path is answered with 200.
    fn ready(self, path: &str) -> Self {
        eventually("the server is ready", || {
            self.get(path).is_some_and(|(status, _)| status == 200)
        });
        self
    }

    /// What is answered to a path.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        get(self.port, path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The value of an instant query, if there is one; of several the sum.
    pub fn promql(&self, query: &str, time_s: f64) -> Option<f64> {
        let answer = self.promql_all(query, time_s);
        let values = answer
            .iter()
            .map(|one| one["value"][1].as_str().unwrap().parse::<f64>().unwrap());
        let values: Vec<f64> = values.collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    pub fn promql_all(&self, query: &str, time_s: f64) -> Vec<serde_json::Value> {
        let path = format!("/api/v1/query?time={time_s}&query={}", encoded(query));
        let (status, body) = self.get(&path).unwrap();
        assert_eq!(status, 200, "{query}: {body}");
        let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        answer["data"]["result"].as_array().unwrap().clone()
    }
}

/// What a server on this machine answers to a path.
pub fn get(port: u16, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

/// Percent-encoded, all but letters and digits.
pub fn encoded(text: &str) -> String {
    let byte = |b: u8| match b.is_ascii_alphanumeric() {
        true => char::from(b).to_string(),
        false => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}

pub fn prometheus(program: &Path) -> Server {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    // The series of one run are exported after it, and some of them twice.
    let config = "storage:\n  tsdb:\n    out_of_order_time_window: 1h\n";
    std::fs::write(dir.path().join("config.yml"), config).unwrap();
    let mut command = Command::new(program);
    command
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .arg(format!(
            "--config.file={}",
            dir.path().join("config.yml").display()
        ))
        .arg(format!(
            "--storage.tsdb.path={}",
            dir.path().join("data").display()
        ))
        .args([
            "--web.enable-remote-write-receiver",
            "--enable-feature=native-histograms",
        ]);
    start(dir, port, &mut command).ready("/-/ready")
}

pub fn victoria(program: &Path) -> Server {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let mut command = Command::new(program);
    command
        .arg(format!("-httpListenAddr=127.0.0.1:{port}"))
        .arg(format!(
            "-storageDataPath={}",
            dir.path().join("data").display()
        ))
        .args([
            "-retentionPeriod=1y",
            "-search.latencyOffset=0s",
            "-memory.allowedBytes=256MB",
        ]);
    start(dir, port, &mut command).ready("/health")
}

/// A Collector that writes what it gets into the file `got.json`.
pub fn collector(program: &Path) -> Server {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let got = dir.path().join("got.json");
    let config = format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}}}\n\
         exporters: {{file: {{path: '{}', flush_interval: 100ms}}}}\n\
         service:\n  telemetry: {{metrics: {{level: none}}}}\n  pipelines: {{metrics: {{receivers: [otlp], exporters: [file]}}}}\n",
        got.display()
    );
    std::fs::write(dir.path().join("config.yml"), config).unwrap();
    let mut command = Command::new(program);
    command.arg(format!(
        "--config={}",
        dir.path().join("config.yml").display()
    ));
    listens(start(dir, port, &mut command))
}

/// A Collector by one of our recipes, with these variables.
pub fn by_recipe(program: &Path, recipe: &Path, variables: &[(&str, String)]) -> Server {
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    let mut command = Command::new(program);
    command
        .arg(format!("--config={}", recipe.display()))
        .env("OTLP_LISTEN", format!("127.0.0.1:{port}"))
        .envs(variables.iter().map(|(name, value)| (name, value)));
    listens(start(dir, port, &mut command))
}

/// Waits for a Collector.
fn listens(server: Server) -> Server {
    // It takes posts only, and says so as soon as it is there.
    eventually("the collector is ready", || {
        let answer = server.get("/v1/metrics");
        answer.is_some_and(|(status, _)| status == 405)
    });
    server
}

/// A broker of Kafka that is its own controller.
pub fn kafka(jars: &Path) -> Server {
    let (dir, port, controller) = (tempfile::tempdir().unwrap(), free_port(), free_port());
    let properties = format!(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.bootstrap.servers=127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\ncontroller.listener.names=CONTROLLER\n\
         log.dirs={}\noffsets.topic.replication.factor=1\n",
        dir.path().join("data").display()
    );
    let config = dir.path().join("server.properties");
    std::fs::write(&config, properties).unwrap();
    let id = "MkU3OEVBNTcwNTJENDM2Qg";
    let format = java(jars, "kafka.tools.StorageTool")
        .args(["format", "--standalone", "-t", id, "-c"])
        .arg(&config)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&format.stderr).into_owned();
    assert!(format.status.success(), "{said}");
    let mut command = java(jars, "kafka.Kafka");
    let server = start(dir, port, command.arg(&config));
    crate::export::server::listening(port);
    server
}

/// All messages of the only partition of a topic, a line each.
pub fn consumed(jars: &Path, broker: &Server, topic: &str) -> String {
    let tool = |class: &str, arguments: &[&str]| {
        let output = java(jars, class)
            .args(["--bootstrap-server", &format!("127.0.0.1:{}", broker.port)])
            .args(["--topic", topic])
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{class}: {said}");
        String::from_utf8(output.stdout).unwrap()
    };
    // TOPIC:PARTITION:OFFSET
    let end = tool("org.apache.kafka.tools.GetOffsetShell", &[]);
    let number = end.trim().rsplit(':').next().unwrap();
    let all = [
        "--partition",
        "0",
        "--offset",
        "earliest",
        "--max-messages",
        number,
    ];
    tool("org.apache.kafka.tools.consumer.ConsoleConsumer", &all)
}

/// A program of these jars, of little memory and soon started.
fn java(jars: &Path, class: &str) -> Command {
    let mut command = Command::new("java");
    command
        .args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg("-cp")
        .arg(jars.join("*"))
        .arg(class)
        .stdin(Stdio::null());
    command
}

/// The password of the user `postgres` of a test's server.
pub const PASSWORD: &str = "not secret";

pub fn postgres(programs: &Path) -> Server {
    use std::os::unix::fs::PermissionsExt;
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port());
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let (data, password) = (dir.path().join("data"), dir.path().join("password"));
    std::fs::create_dir(&data).unwrap();
    std::fs::write(&password, PASSWORD).unwrap();
    let user = unprivileged();
    for path in [&data, &password] {
        std::os::unix::fs::chown(path, user, user).unwrap();
    }
    let as_user = |program: &str| {
        let mut command = Command::new(programs.join(program));
        command.arg("-D").arg(&data).current_dir(dir.path());
        if let Some(user) = user {
            command.uid(user).gid(user);
        }
        command
    };
    let made = as_user("initdb")
        .args([
            "-U",
            "postgres",
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ])
        .arg(format!("--pwfile={}", password.display()))
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let mut command = as_user("postgres");
    command
        .args(["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
        .args([
            "-c",
            "unix_socket_directories=",
            "-c",
            &format!("port={port}"),
        ]);
    let server = start(dir, port, &mut command);
    eventually("the server is ready", || {
        psql(programs, &server, "postgres", "SELECT 1").is_ok()
    });
    server
}

/// Whom root lets run PostgreSQL, which refuses to run as root. `None`: this is somebody else already.
fn unprivileged() -> Option<u32> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let of = |name: &str| {
        let mut lines = users.lines().map(|line| line.split(':'));
        lines.find_map(|mut fields| {
            (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
        })
    };
    Some(of("postgres").or_else(|| of("nobody")).unwrap_or(65_534))
}

/// What a statement returns: a line a row, values parted by `|`.
pub fn psql(programs: &Path, server: &Server, database: &str, sql: &str) -> Result<String, String> {
    let output = Command::new(programs.join("psql"))
        .args([
            "-X",
            "-A",
            "-t",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
        ])
        .args(["-p", &server.port.to_string(), "-d", database, "-c", sql])
        .env("PGPASSWORD", PASSWORD)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)
            .unwrap()
            .trim_end()
            .to_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
