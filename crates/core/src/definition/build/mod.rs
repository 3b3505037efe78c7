//! From the tree to the [`Definition`], with the checks that need several values at once.
//!
//! The shape has been checked before. What does not fit it has been reported, and reads as absent here, so that one fault
//! is reported once and the search goes on.

mod flow;
mod http;
mod run;
mod scenario;
mod shown;
mod take;
mod unmatched;

use super::Resolver;
use super::fault::{Issue, Sink};
use super::keys::{ENGINES, grammar};
use super::model::{
    DataFormat, DataMode, DataSource, Definition, Engine, HttpOptions, OPEN_TARGET, RunOptions,
};
use super::shape::must_be_known;
use super::tree::Node;
use crate::keys::{DEFINITION_FILE, INSPECTION_FILE};
use std::collections::{BTreeMap, BTreeSet};

/// What the parts share.
struct Build<'a> {
    resolver: &'a dyn Resolver,
    sink: &'a mut Sink,
    files: BTreeSet<String>,
    engine: Engine,
    has_target: bool,
    data: Vec<DataSource>,
    /// The names of all data sources, those included whose file is open.
    sources: Vec<String>,
}

/// Builds the definition, and gives the files that it names. Only if `sink` has no errors then, it is a usable one.
pub(super) fn definition(
    root: &Node,
    resolver: &dyn Resolver,
    sink: &mut Sink,
) -> (Definition, Vec<String>) {
    let engine = match root.get("engine").and_then(Node::string).as_deref() {
        Some(name) if name == ENGINES[1] => Engine::K6,
        Some(name) if name == ENGINES[2] => Engine::Jmeter,
        Some(name) if name == ENGINES[3] => Engine::Gatling,
        _ => Engine::Http,
    };
    for key in ["engine", "script"] {
        if let Some(open) = root.get(key).filter(|node| node.is_open()) {
            sink.push(must_be_known(open));
        }
    }
    let has_target = root.get("target").is_some();
    let mut build = Build {
        resolver,
        sink,
        files: BTreeSet::new(),
        engine,
        has_target,
        data: Vec::new(),
        sources: Vec::new(),
    };
    for key in ["project", "test"] {
        if let Some(node) = root.get(key) {
            build.no_secret(node);
        }
    }
    build.data = build.data(root);
    let script = build.script(root);
    let script_files = build.script_files(root);
    let http = root.get("http").map_or_else(HttpOptions::default, |node| {
        build.http(node, &HttpOptions::default())
    });
    let scenarios = build.scenarios(root, &http);
    let run = root
        .get("run")
        .map_or_else(RunOptions::default, |node| build.run(node));
    build.fits_into(root, &scenarios, &run);
    let definition = Definition {
        project: root
            .get("project")
            .and_then(Node::string)
            .unwrap_or_else(|| "default".to_owned()),
        test: root.get("test").and_then(Node::string).unwrap_or_default(),
        target: root.get("target").and_then(target),
        engine,
        script,
        script_files,
        parameters: parameters(root),
        scenarios,
        thresholds: build.thresholds(root),
        baseline: root.get("baseline").map(run::baseline),
        run,
        http,
        tags: build.tags(root),
        notify: run::notify(root),
        contract: root
            .get("contract")
            .and_then(|node| node.get("openapi"))
            .and_then(|node| build.file(node)),
        data: build.data.clone(),
    };
    let files = build.files.into_iter().collect();
    unmatched::check(root, &definition, sink);
    (definition, files)
}

/// The target; [`OPEN_TARGET`] stands for one whose host is open.
fn target(node: &Node) -> Option<String> {
    let text = node.string()?;
    let authority = text
        .split_once("://")
        .map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    match node.is_open() && (authority.is_empty() || authority.contains("${")) {
        true => Some(OPEN_TARGET.to_owned()),
        false => grammar::target(&text).ok(),
    }
}

/// What the parameters stand for in this run.
fn parameters(root: &Node) -> BTreeMap<String, String> {
    let entries = root.get("parameters").map_or(&[][..], Node::entries);
    entries
        .iter()
        .filter_map(|entry| Some((entry.key.clone(), entry.value.text()?.into_owned())))
        .collect()
}

impl Build<'_> {
    /// The path of a file, which has to exist.
    fn file(&mut self, node: &Node) -> Option<String> {
        let path = self.shown(node).filter(|path| is_inside(path))?;
        if node.is_open() {
            return None;
        }
        if [DEFINITION_FILE, INSPECTION_FILE].contains(&path.as_str()) {
            let issue = node.issue(format!("{} is the name of a file of ours", node.shown()));
            self.sink
                .push(issue.hint("call the file otherwise: both are stored in one folder"));
        }
        if !self.resolver.file_exists(&path) {
            let issue = node.issue(format!("the file {} does not exist", node.shown()));
            self.sink
                .push(issue.hint("paths start from the definition's folder"));
        }
        self.files.insert(path.clone());
        Some(path)
    }

    fn script(&mut self, root: &Node) -> Option<String> {
        let node = root.get("script");
        match (self.engine, node) {
            (Engine::Http, Some(node)) => {
                let issue = node.issue("the engine http runs a flow, not a script");
                self.sink
                    .push(issue.hint("remove script, or write engine: k6, jmeter or gatling"));
            }
            (Engine::K6 | Engine::Jmeter | Engine::Gatling, None) => {
                let place = root
                    .entry("engine")
                    .map_or((root.mark, &root.path), |entry| {
                        (entry.key_mark, &entry.value.path)
                    });
                self.sink.push(
                    Issue::new(
                        place.0,
                        place.1,
                        "this engine runs a script, and the key \"script\" is missing",
                    )
                    .allowed("script: FILE"),
                );
            }
            _ => {}
        }
        node.and_then(|node| self.file(node))
    }

    fn script_files(&mut self, root: &Node) -> Vec<String> {
        let Some(list) = root.get("files") else {
            return Vec::new();
        };
        if self.engine == Engine::Http {
            let issue = list.issue("the engine http reads no files beside those under data");
            self.sink
                .push(issue.hint("name data files under data, bodies in their step"));
            return Vec::new();
        }
        let items = list.items().iter();
        items.filter_map(|node| self.file(node)).collect()
    }

    fn data(&mut self, root: &Node) -> Vec<DataSource> {
        let mut sources: Vec<DataSource> = Vec::new();
        for node in root.get("data").map_or(&[][..], Node::items) {
            let Some(file_node) = node.get("file") else {
                continue;
            };
            let name = node
                .get("name")
                .and_then(Node::string)
                .unwrap_or_else(|| "data".to_owned());
            let is_second = self.sources.contains(&name);
            if !is_second {
                self.sources.push(name.clone());
            }
            let Some(file) = self.file(file_node) else {
                continue;
            };
            let extension = file
                .rsplit_once('.')
                .map(|(_, extension)| extension.to_ascii_lowercase());
            let format = match (
                node.get("format").and_then(Node::string).as_deref(),
                extension.as_deref(),
            ) {
                (Some("csv"), _) | (None, Some("csv")) => DataFormat::Csv {
                    delimiter: node
                        .get("delimiter")
                        .and_then(|node| grammar::delimiter(&node.text()?).ok())
                        .unwrap_or(b','),
                },
                (None, Some("tsv")) if node.get("delimiter").is_none() => {
                    DataFormat::Csv { delimiter: b'\t' }
                }
                (Some("jsonl"), _) | (None, Some("jsonl" | "ndjson")) => DataFormat::Jsonl,
                (Some(_), _) => continue,
                (None, _) => {
                    let issue = file_node.issue(format!(
                        "the name {} does not tell the format",
                        file_node.shown()
                    ));
                    self.sink
                        .push(issue.hint("add format: csv or format: jsonl"));
                    continue;
                }
            };
            if let Some(place) = node
                .get("delimiter")
                .filter(|_| format == DataFormat::Jsonl)
            {
                let issue = place.issue("delimiter has no effect on jsonl, which has none");
                self.sink.push(issue.hint("remove it").warning());
            }
            let mode = match node.get("mode").and_then(Node::string).as_deref() {
                Some("unique") => DataMode::Unique,
                Some("random") => DataMode::Random,
                _ => DataMode::Sequential,
            };
            if is_second {
                let place = node.get("name").unwrap_or(node);
                let issue = place.issue(format!("there are two data sources called \"{name}\""));
                self.sink.push(issue.hint("give each a name of its own"));
                continue;
            }
            sources.push(DataSource {
                name,
                file,
                format,
                mode,
            });
        }
        sources
    }
}

/// Whether a path stays in the definition's folder; what does not has been reported.
fn is_inside(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    !path.starts_with('/')
        && !path.contains(['\\', ':'])
        && path.split('/').all(|part| !part.is_empty() && part != "..")
}
