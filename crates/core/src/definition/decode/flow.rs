//! The steps of a flow.

use super::context::Decoder;
use super::template::Scope;
use crate::check::{Check, Subject};
use crate::definition::keys::grammar::{extractor, statuses};
use crate::definition::keys::step;
use crate::definition::keys::times::think;
use crate::definition::mask::without_credentials;
use crate::definition::model::{Extractor, OnMissing, RequestStep, Step};
use crate::definition::tree::{Entry, Node};
use crate::template::{Part, Template};
use serde_json_path::JsonPath;

impl Default for OnMissing {
    /// What the key declares.
    fn default() -> Self {
        step::ON_MISSING.unless_given()
    }
}

impl Decoder<'_> {
    /// One step.
    pub(super) fn step(&mut self, node: &Node, scope: &mut Scope) -> Option<Step> {
        if let Some(time) = step::THINK.place(node) {
            let (min, max) = think(&time.text()?).ok()?;
            return Some(Step::Think { min, max });
        }
        if let Some(name) = step::GROUP.place(node) {
            let steps = self.inner(node, scope);
            return Some(Step::Group {
                name: self.shown(name)?,
                steps,
            });
        }
        if let Some(set) = step::SET.place(node) {
            let mut assignments = Vec::new();
            for entry in set.entries() {
                assignments.extend(
                    self.template(&entry.value, scope)
                        .map(|template| (entry.key.clone(), template)),
                );
                // Known from here on even if its value is wrong, or each use of it would be a fault too.
                self.set_by_step(entry, scope);
            }
            return Some(Step::Set(assignments));
        }
        let methods = &step::METHODS;
        let is_request =
            methods.iter().any(|key| key.is_given(node)) || step::REQUEST.is_given(node);
        if !is_request && Self::is_control(node) {
            return self.control(node, scope);
        }
        let request = self.request(node, scope);
        scope.answered = true;
        for entry in step::EXTRACT.entries(node) {
            self.set_by_step(entry, scope);
        }
        request.map(|request| Step::Request(Box::new(request)))
    }

    fn request(&mut self, node: &Node, scope: &Scope) -> Option<RequestStep> {
        let short = step::METHODS
            .into_iter()
            .find_map(|method| Some((method.key.name, method.place(node)?)));
        let (method, url) = match (short, step::REQUEST.place(node)) {
            (Some((method, url)), _) => (Some(method.to_owned()), Some(url)),
            (None, Some(line)) => (step::METHOD.of(line), step::URL.place(line)),
            (None, None) => return None,
        };
        let url = url.and_then(|url| self.url(url, scope));
        // Everything is looked at before the first thing that is missing ends it.
        let params = step::PARAMS.place(node);
        let params = params.map(|params| self.fields(params, scope));
        let headers = self.headers(step::HEADERS.entries(node), scope);
        let body = self.body(node, scope);
        let auth = step::AUTH
            .place(node)
            .and_then(|auth| self.auth(auth, scope));
        let checks = step::CHECKS.items(node).iter();
        let checks = checks.filter_map(|node| self.check(node)).collect();
        let extract = self.extract(step::EXTRACT.entries(node));
        let record = self.recorded(node);
        let retry = self.retry(node);
        let expected = step::EXPECT.place(node).map_or(&[][..], Node::one_or_more);
        let useless = step::ON_MISSING.place(node);
        let extracts = step::REQUEST_TABLE.means(node, step::EXTRACT.key.name);
        if let Some(place) = useless.filter(|_| !extracts) {
            let issue = place.issue("onMissing has no effect without extract");
            self.sink.push(issue.hint("remove it").warning());
        }
        let url = url?;
        Some(RequestStep {
            method: method?.to_ascii_uppercase(),
            name: step::NAME
                .place(node)
                .and_then(|name| self.shown(name))
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| without_credentials(&url.source)),
            url,
            params: params.unwrap_or_default(),
            headers,
            body,
            auth,
            timeout: step::TIMEOUT.of(node),
            max_redirects: step::MAX_REDIRECTS.of(node),
            expected_statuses: expected
                .iter()
                .filter_map(|item| statuses(&item.text()?).ok())
                .collect(),
            tags: self.tags(node, step::TAGS),
            checks,
            extract,
            on_missing: step::ON_MISSING.or_default(node),
            retry,
            record,
        })
    }

    fn url(&mut self, node: &Node, scope: &Scope) -> Option<Template> {
        let template = self.template(node, scope)?;
        let first = match template.parts.first() {
            Some(Part::Literal(text)) => text.to_ascii_lowercase(),
            Some(Part::Variable(_)) => return Some(template),
            None => String::new(),
        };
        let is_absolute = first.starts_with("http://") || first.starts_with("https://");
        if !is_absolute && !first.starts_with('/') {
            let issue = node.issue(format!(
                "the URL {} is neither absolute nor a path",
                node.shown()
            ));
            self.sink.push(
                issue.allowed("a path of the target that begins with /, or http://… or https://…"),
            );
        } else if !is_absolute && !self.has_target {
            let issue = node.issue(format!(
                "{} is a path, and the definition has no target to join it to",
                node.shown()
            ));
            self.sink
                .push(issue.hint("add target: http://HOST, or write the whole URL"));
        }
        let odd = |text: &String| text.contains(|c: char| c.is_whitespace() || c.is_control());
        if template
            .parts
            .iter()
            .any(|part| matches!(part, Part::Literal(text) if odd(text)))
        {
            let issue = node.issue(format!(
                "the URL {} has a space or a control character in it",
                node.shown()
            ));
            self.sink.push(
                issue.hint("write %20 for a space, or use params, which are encoded for you"),
            );
        }
        Some(template)
    }

    /// Fields of a query or a form: a name with a list is sent as often as the list is long.
    pub(super) fn fields(&mut self, node: &Node, scope: &Scope) -> Vec<(String, Template)> {
        let mut fields = Vec::new();
        for entry in node.entries() {
            for value in entry.value.one_or_more() {
                fields.extend(
                    self.template(value, scope)
                        .map(|template| (entry.key.clone(), template)),
                );
            }
        }
        fields
    }

    fn extract(&mut self, entries: &[Entry]) -> Vec<(String, Extractor)> {
        let mut extract = Vec::new();
        for entry in entries {
            let text = entry.value.text();
            let Some(from) = text.and_then(|text| extractor(&text).ok()) else {
                continue;
            };
            if let Extractor::JsonPath(path) = &from {
                self.no_length(&entry.value, path);
            }
            extract.push((entry.key.clone(), from));
        }
        extract
    }

    fn check(&mut self, node: &Node) -> Option<Check> {
        let mut check = Check::parse(&node.text()?).ok()?;
        // The name is a tag: it shows what is written, never what a secret became.
        if let Some(scalar) = node.scalar() {
            check.name.clone_from(&scalar.raw);
        }
        self.look_at(node, &check);
        Some(check)
    }

    /// Doubts a check of a length, and looks for the file that it compares with.
    pub(super) fn look_at(&mut self, node: &Node, check: &Check) {
        if let Some(file) = check.file() {
            self.named_file(node, file);
        }
        if let Subject::JsonPath(path) = &check.subject {
            self.no_length(node, path);
        }
    }

    /// A JSONPath has no lengths (RFC 9535): `.length` is a member of that name.
    pub(super) fn no_length(&mut self, node: &Node, path: &JsonPath) {
        let path = path.to_string();
        let list = ["length", "size", "count"].iter().find_map(|word| {
            let by_name = path.strip_suffix(&format!("['{word}']"));
            let list = by_name.or_else(|| path.strip_suffix(&format!(".{word}")))?;
            Some((list, word))
        });
        if let Some((list, word)) = list {
            let problem = format!("{word} is a member of that name, not how many items a list has");
            let issue = node.issue(problem).hint(format!(
                "for at least one item write {list}[0] exists, for at least three {list}[2] exists"
            ));
            self.sink.push(issue.warning());
        }
    }
}
