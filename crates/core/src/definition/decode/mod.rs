//! From the tree to the [`Definition`], with the checks that need several values at once.
//!
//! The shape has been checked before. What does not fit it has been reported, and reads as absent here, so that one fault
//! is reported once and the search goes on.

mod body;
mod capacity;
mod context;
mod contract;
mod control;
mod data;
mod executor;
mod export;
mod flow;
mod http;
mod notify;
mod observe;
mod once;
mod over_time;
mod record;
mod retry;
mod run;
mod sample_tags;
mod scenario;
mod template;
mod threshold;
mod tier;
mod turns;
mod unmatched;

use super::fault::{Issue, Sink};
use super::field::Value;
use super::keys::{DEFINITION, places, root};
use super::model::{Definition, HttpOptions, OPEN_TARGET, RunOptions};
use super::resolve::Resolver;
use super::shape::scalar::must_be_known;
use super::tree::Node;
use context::Decoder;
use floodgate_records::engine::Engine;
use sample_tags::TagsOfSamples;
use std::collections::{BTreeMap, BTreeSet};

/// Builds the definition, and gives the files that it names. Only if `sink` has no errors then, it is a usable one.
pub(super) fn definition(
    root: &Node,
    resolver: &dyn Resolver,
    sink: &mut Sink,
) -> (Definition, Vec<String>) {
    let decisive = [root::ENGINE.place(root), root::SCRIPT.place(root)];
    for open in decisive.into_iter().flatten().filter(|node| node.is_open()) {
        sink.push(must_be_known(open));
    }
    let mut decoder = Decoder {
        resolver,
        sink,
        files: BTreeSet::new(),
        engine: match root::ENGINE.place(root) {
            Some(node) => Engine::read(node),
            None if DEFINITION.means(root, root::ENGINE.key.name) => None,
            None => Some(root::ENGINE.unless_given()),
        },
        has_target: DEFINITION.means(root, root::TARGET.key.name),
        sources: Vec::new(),
        given: Vec::new(),
        more_given: false,
        metrics: BTreeMap::new(),
        more_sources: false,
        tags_of_samples: TagsOfSamples::default(),
    };
    for key in [root::PROJECT, root::TEST] {
        if let Some(node) = key.place(root) {
            decoder.no_secret(node);
        }
    }
    let data = decoder.data(root);
    let script = decoder.script(root);
    let script_files = decoder.script_files(root);
    let http = HttpOptions::default();
    let http = match root::HTTP.place(root) {
        Some(node) => decoder.http(node, &http),
        None => http,
    };
    let (setup, scope) = decoder.once(root, root::SETUP);
    decoder.more_given = scope.more;
    decoder.given = scope.into_locals();
    let (teardown, _) = decoder.once(root, root::TEARDOWN);
    let scenarios = decoder.scenarios(root, &http);
    decoder.unique_names(root);
    let run = root::RUN
        .place(root)
        .map_or_else(RunOptions::default, |node| decoder.run(node));
    let capacity = decoder.capacity(root, &scenarios);
    let observe = decoder.observed(root);
    decoder.observed_is_judged_at_the_end(root, &observe);
    let course = decoder.course(root, &scenarios);
    let warmup = course.warmup;
    let mut thresholds = decoder.thresholds(root, &course);
    thresholds.extend(decoder.objectives(root, &course));
    let scenarios = decoder.in_turns(root, scenarios);
    if capacity.is_none() {
        decoder.fits_into(root, &scenarios, &run);
    }
    let definition = Definition {
        project: root::PROJECT.or_default(root),
        test: root::TEST.of(root).unwrap_or_default(),
        target: root::TARGET.place(root).and_then(target),
        against: root::AGAINST.place(root).and_then(target),
        engine: decoder.engine.unwrap_or(root::ENGINE.unless_given()),
        script,
        script_files,
        parameters: parameters(root),
        setup,
        teardown,
        scenarios,
        data,
        warmup,
        thresholds,
        baseline: root::BASELINE
            .place(root)
            .map(|node| decoder.baseline(node)),
        capacity,
        tier: decoder.tier(root),
        run,
        http,
        tags: decoder.tags(root, root::TAGS),
        observe,
        export: decoder.exports(root),
        notify: decoder.notifications(root),
        contract: root::CONTRACT
            .place(root)
            .and_then(|node| decoder.contract(node)),
    };
    decoder.unmatched(root);
    (definition, decoder.files.into_iter().collect())
}

/// The target; [`OPEN_TARGET`] stands for one whose host is open.
fn target(node: &Node) -> Option<String> {
    let text = node.string()?;
    let authority = text
        .split_once("://")
        .map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    match node.is_open() && (authority.is_empty() || authority.contains("${")) {
        true => Some(OPEN_TARGET.to_owned()),
        false => places::target(&text).ok(),
    }
}

/// What the parameters stand for in this run.
fn parameters(root: &Node) -> BTreeMap<String, String> {
    let entries = root::PARAMETERS.entries(root).iter();
    entries
        .filter_map(|entry| Some((entry.key.clone(), entry.value.string()?)))
        .collect()
}

impl Decoder<'_> {
    /// The script of an external engine.
    fn script(&mut self, root: &Node) -> Option<String> {
        let node = root::SCRIPT.place(root);
        match (self.engine.map(Engine::runs_scripts), node) {
            (Some(false), Some(node)) => {
                let issue = node.issue("the engine http runs a flow, not a script");
                self.sink
                    .push(issue.hint("remove script, or write engine: k6, jmeter or gatling"));
            }
            (Some(true), None) if !DEFINITION.means(root, root::SCRIPT.key.name) => {
                let place = root
                    .entry(root::ENGINE.key.name)
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

    /// What the script reads.
    fn script_files(&mut self, root: &Node) -> Vec<String> {
        let Some(list) = root::FILES.place(root) else {
            return Vec::new();
        };
        if self.engine == Some(Engine::Http) {
            let issue = list.issue("the engine http reads no files beside those under data");
            self.sink
                .push(issue.hint("name data files under data, bodies in their step"));
            return Vec::new();
        }
        let items = list.items().iter();
        items.filter_map(|node| self.file(node)).collect()
    }
}
