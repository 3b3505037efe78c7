//! Carries a [`Launch`](floodgate_engines::Launch) out, as the generator does, and keeps what came of it.

use floodgate_core::shard::Row;
use floodgate_engines::collector::{Collector, Settings};
use floodgate_engines::{Exit, Job, Output, Stop};
use floodgate_records::metric::{Builtin, Tags};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::net::UdpSocket;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Where JMeter is, or nothing but a line.
pub(super) fn home(variable: &str) -> Option<PathBuf> {
    let home = std::env::var_os(variable).map(PathBuf::from);
    if home.is_none() {
        println!("{variable} is not set: not run");
    }
    home
}

/// A test's folder, with the plan in a folder of it.
pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn new(plan: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("plans/plan.jmx", plan);
        folder
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// What came of a task.
pub(super) struct Ended {
    pub(super) exit: Exit,
    pub(super) said: String,
    pub(super) raw: Vec<u8>,
    pub(super) rows: Vec<Row>,
    pub(super) stopped: bool,
    pub(super) warnings: Vec<String>,
    pub(super) reader_warnings: Vec<String>,
    collector: Collector,
}

impl Ended {
    pub(super) fn total(&self, metric: Builtin) -> u64 {
        self.collector.total(metric) as u64
    }

    pub(super) fn count(&self, metric: &str) -> u64 {
        self.rows
            .iter()
            .filter(|row| row.key.metric == metric)
            .map(|row| row.count)
            .sum()
    }
}

/// Runs a task to its end, or until `enough` of its results says so.
pub(super) fn run(
    home: &Path,
    folder: &Folder,
    weights: &[u32],
    place: usize,
    target: &str,
    enough: impl Fn(&[u8], &Collector) -> bool,
) -> Ended {
    let scratch = tempfile::tempdir().unwrap();
    let port = target.rsplit(':').next().unwrap().to_owned();
    let parameters = BTreeMap::from([("port".to_owned(), port)]);
    let mut launch = floodgate_engines::jmeter::launch(&Job {
        folder: folder.0.path(),
        script: "plans/plan.jmx",
        scratch: scratch.path(),
        weights,
        place,
        target: Some(target),
        parameters: &parameters,
        max_duration: None,
        home: Some(home),
        refused: &[],
        cpus: None,
        memory: None,
    })
    .unwrap();
    let Output::Pipe(pipe) = &launch.output else {
        panic!("a pipe is expected");
    };
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    // Open for writing too, so that there is no end before JMeter has begun.
    let mut results = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32)
        .open(pipe)
        .unwrap();
    let log = std::fs::File::create(scratch.path().join("said")).unwrap();
    let mut child = Command::new(&launch.command[0])
        .args(&launch.command[1..])
        .envs(launch.env.iter().cloned())
        .current_dir(&launch.folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut collector = Collector::new(Settings {
        origin_ms: 1_700_000_000_000,
        max_series: 2_000,
        folding: Default::default(),
        tags: Tags::new(),
    });
    let (mut raw, mut piece) = (Vec::new(), vec![0; 1 << 16]);
    let (mut stopped, mut code) = (false, None);
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        match results.read(&mut piece) {
            Ok(length) => {
                launch
                    .reader
                    .push(&piece[..length], &mut collector)
                    .unwrap();
                raw.extend_from_slice(&piece[..length]);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if code.is_some() {
                    break;
                }
                code = child.try_wait().unwrap();
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => panic!("{error}"),
        }
        if !stopped && enough(&raw, &collector) {
            let Stop::Datagram { port, message } = launch.stop else {
                panic!("a datagram is expected");
            };
            let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
            socket
                .send_to(message.as_bytes(), ("127.0.0.1", port))
                .unwrap();
            stopped = true;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!(
                "JMeter did not end: {}",
                std::fs::read_to_string(scratch.path().join("said")).unwrap()
            );
        }
    }
    let reader_warnings = launch.reader.finish(&mut collector).unwrap();
    let mut rows = Vec::new();
    collector.finish(&mut rows);
    Ended {
        exit: (launch.exit)(code.unwrap().code().unwrap()),
        said: std::fs::read_to_string(scratch.path().join("said")).unwrap(),
        raw,
        rows,
        stopped,
        warnings: launch.warnings,
        reader_warnings,
        collector,
    }
}

/// Plans.
pub(super) mod plan {
    fn http(name: &str, path: &str, inner: &str) -> String {
        format!(
            r#"<HTTPSamplerProxy guiclass="HttpTestSampleGui" testclass="HTTPSamplerProxy" testname="{name}" enabled="true">
<elementProp name="HTTPsampler.Arguments" elementType="Arguments"><collectionProp name="Arguments.arguments"/></elementProp>
<stringProp name="HTTPSampler.domain">127.0.0.1</stringProp><stringProp name="HTTPSampler.port">${{__P(port)}}</stringProp>
<stringProp name="HTTPSampler.path">{path}</stringProp><stringProp name="HTTPSampler.method">GET</stringProp>
<boolProp name="HTTPSampler.follow_redirects">true</boolProp><boolProp name="HTTPSampler.use_keepalive">true</boolProp>
</HTTPSamplerProxy><hashTree>{inner}</hashTree>"#
        )
    }

    fn group(class: &str, threads: &str, loops: &str, inner: &str) -> String {
        format!(
            r#"<{class} guiclass="{class}Gui" testclass="{class}" testname="{class}" enabled="true">
<stringProp name="ThreadGroup.on_sample_error">continue</stringProp>
<elementProp name="ThreadGroup.main_controller" elementType="LoopController" guiclass="LoopControlPanel" testclass="LoopController">
<boolProp name="LoopController.continue_forever">false</boolProp><stringProp name="LoopController.loops">{loops}</stringProp></elementProp>
<stringProp name="ThreadGroup.num_threads">{threads}</stringProp><stringProp name="ThreadGroup.ramp_time">0</stringProp>
<boolProp name="ThreadGroup.scheduler">false</boolProp></{class}><hashTree>{inner}</hashTree>"#
        )
    }

    fn wrap(inner: &str) -> String {
        format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<jmeterTestPlan version="1.2" properties="2.8" jmeter="2.13"><hashTree>
<TestPlan guiclass="TestPlanGui" testclass="TestPlan" testname="P" enabled="true">
<elementProp name="TestPlan.user_defined_variables" elementType="Arguments"><collectionProp name="Arguments.arguments"/></elementProp>
</TestPlan><hashTree>{inner}</hashTree></hashTree></jmeterTestPlan>"#
        )
    }

    /// One request in a loop.
    pub(crate) fn simple(threads: u32, loops: &str) -> String {
        wrap(&group(
            "ThreadGroup",
            &threads.to_string(),
            loops,
            &http("home", "/", ""),
        ))
    }

    /// 300 requests of five threads, 100 a second.
    pub(crate) fn paced() -> String {
        let timer = r#"<ConstantThroughputTimer guiclass="TestBeanGUI" testclass="ConstantThroughputTimer" testname="pace" enabled="true">
<intProp name="calcMode">1</intProp><doubleProp><name>throughput</name><value>6000.0</value><savedValue>0.0</savedValue></doubleProp>
</ConstantThroughputTimer><hashTree/>"#;
        wrap(&group(
            "ThreadGroup",
            "5",
            "60",
            &(http("home", "/", "") + timer),
        ))
    }

    /// Data, redirects, a transaction, an assertion, a set-up.
    pub(crate) fn everything() -> String {
        let data = r#"<CSVDataSet guiclass="TestBeanGUI" testclass="CSVDataSet" testname="products" enabled="true">
<stringProp name="filename">../data/products.csv</stringProp><stringProp name="fileEncoding">UTF-8</stringProp>
<stringProp name="variableNames"></stringProp><stringProp name="delimiter">,</stringProp><boolProp name="quotedData">false</boolProp>
<boolProp name="recycle">false</boolProp><boolProp name="stopThread">true</boolProp><stringProp name="shareMode">shareMode.all</stringProp>
</CSVDataSet><hashTree/>"#;
        let assertion = r#"<ResponseAssertion guiclass="AssertionGui" testclass="ResponseAssertion" testname="is JSON" enabled="true">
<collectionProp name="Asserion.test_strings"><stringProp name="1">{</stringProp></collectionProp>
<stringProp name="Assertion.test_field">Assertion.response_data</stringProp><boolProp name="Assertion.assume_success">false</boolProp>
<intProp name="Assertion.test_type">16</intProp></ResponseAssertion><hashTree/>"#;
        let transaction = format!(
            r#"<TransactionController guiclass="TransactionControllerGui" testclass="TransactionController" testname="visit" enabled="true">
<boolProp name="TransactionController.parent">true</boolProp><boolProp name="TransactionController.includeTimers">false</boolProp>
</TransactionController><hashTree>{}</hashTree>"#,
            http("home", "/", "")
        );
        let inner = data.to_owned()
            + &http("product", "/api/products/${id}", assertion)
            + &http("redirect", "/redirect/2", "")
            + &transaction;
        wrap(
            &(group("SetupThreadGroup", "1", "1", &http("before", "/", ""))
                + &group("ThreadGroup", "${__P(threads,4)}", "5", &inner)),
        )
    }

    /// An ultimate thread group, and a group with a shaping timer, of two seconds each.
    pub(crate) fn plugins() -> String {
        let row = |cells: &[&str]| {
            let cells: String = cells
                .iter()
                .map(|cell| format!("<stringProp name=\"c\">{cell}</stringProp>"))
                .collect();
            format!("<collectionProp name=\"r\">{cells}</collectionProp>")
        };
        let forever = r#"<elementProp name="ThreadGroup.main_controller" elementType="LoopController" guiclass="LoopControlPanel" testclass="LoopController">
<boolProp name="LoopController.continue_forever">false</boolProp><intProp name="LoopController.loops">-1</intProp></elementProp>
<stringProp name="ThreadGroup.on_sample_error">continue</stringProp>"#;
        let pause = r#"<ConstantTimer guiclass="ConstantTimerGui" testclass="ConstantTimer" testname="pause" enabled="true">
<stringProp name="ConstantTimer.delay">50</stringProp></ConstantTimer><hashTree/>"#;
        let ultimate = format!(
            r#"<kg.apc.jmeter.threads.UltimateThreadGroup guiclass="kg.apc.jmeter.threads.UltimateThreadGroupGui" testclass="kg.apc.jmeter.threads.UltimateThreadGroup" testname="ultimate" enabled="true">
<collectionProp name="ultimatethreadgroupdata">{}</collectionProp>{forever}</kg.apc.jmeter.threads.UltimateThreadGroup><hashTree>{}{pause}</hashTree>"#,
            row(&["4", "0", "0", "2", "0"]),
            http("one", "/", "")
        );
        let timer = format!(
            r#"<kg.apc.jmeter.timers.VariableThroughputTimer guiclass="kg.apc.jmeter.timers.VariableThroughputTimerGui" testclass="kg.apc.jmeter.timers.VariableThroughputTimer" testname="shape" enabled="true">
<collectionProp name="load_profile">{}</collectionProp></kg.apc.jmeter.timers.VariableThroughputTimer><hashTree/>"#,
            row(&["40", "40", "2"])
        );
        let shaped = format!(
            r#"<kg.apc.jmeter.threads.UltimateThreadGroup guiclass="kg.apc.jmeter.threads.UltimateThreadGroupGui" testclass="kg.apc.jmeter.threads.UltimateThreadGroup" testname="shaped" enabled="true">
<collectionProp name="ultimatethreadgroupdata">{}</collectionProp>{forever}</kg.apc.jmeter.threads.UltimateThreadGroup><hashTree>{}{timer}</hashTree>"#,
            row(&["8", "0", "0", "2", "0"]),
            http("two", "/", "")
        );
        wrap(&(ultimate + &shaped))
    }
}
