//! `--set NAME=VALUE`.

use super::fault::{Issue, Sink};
use super::keys::{DEFINITION, root as keys};
use super::place::{Mark, Path};
use super::tree::{Content, Core, Entry, Kind, Node, Scalar};
use super::yaml;
use crate::syntax::nearest;
use floodgate_records::printable::quoted;

/// `--set NAME=VALUE`: the name of a parameter that the definition declares below `parameters`, or the path of a value,
/// such as `scenarios.browse.rate`. Values are read as YAML if they begin with `[`, `{` or a quote, else as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides(pub Vec<(String, String)>);

/// Before the name of a parameter, whatever dots that has in it.
const PARAMETERS: &str = "parameters.";
/// A path has no more parts than a definition has levels.
const MAX_PARTS: usize = yaml::MAX_DEPTH;

/// Changes the tree; what cannot be set is a fault.
pub(super) fn apply(root: &mut Node, overrides: &Overrides, sink: &mut Sink) {
    for (name, text) in &overrides.0 {
        let source = sink.source(&format!("--set {name}"), text);
        if let Err(issue) = set(root, name, text, source, sink) {
            sink.push(*issue);
        }
    }
}

/// Puts a value that stands in the definition itself in the place of another.
pub(super) fn put(root: &mut Node, name: &str, mut value: Node) -> Result<(), String> {
    let parameter = name.strip_prefix(PARAMETERS).unwrap_or(name);
    if let Some(entry) = declared(root, parameter) {
        keep_type(&entry.value, &mut value)?;
        entry.value = value;
        return Ok(());
    }
    walk(root, name, value, 0)
}

fn set(
    root: &mut Node,
    name: &str,
    text: &str,
    source: u16,
    sink: &mut Sink,
) -> Result<(), Box<Issue>> {
    let fail = |problem: String| Issue::new(Mark::start(source), &Path::default(), problem);
    let mut value = value(text, source, sink)?;
    let parameter = name.strip_prefix(PARAMETERS).unwrap_or(name);
    if let Some(entry) = declared(root, parameter) {
        keep_type(&entry.value, &mut value).map_err(|problem| Box::new(fail(problem)))?;
        entry.value = value;
        return Ok(());
    }
    if parameter != name || is_for_script(root, name) {
        add_parameter(root, parameter, value);
        return Ok(());
    }
    let top = top(name);
    if DEFINITION.key(top).is_none() && root.get(top).is_none() {
        let parameters = keys::PARAMETERS.entries(root);
        let declared: Vec<&str> = parameters.iter().map(|entry| entry.key.as_str()).collect();
        let list = if declared.is_empty() {
            String::new()
        } else {
            format!("a parameter ({}), or ", declared.join(", "))
        };
        let mut known = declared;
        for key in DEFINITION.names() {
            known.push(key);
        }
        return Err(Box::new(
            fail(format!("there is no parameter and no key {}", quoted(top)))
                .allowed(format!(
                    "{list}the path of a value, such as scenarios.NAME.rate"
                ))
                .nearest(top, known),
        ));
    }
    walk(root, name, value, 0).map_err(|problem| {
        Box::new(
            fail(format!("{} cannot be set: {problem}", quoted(name)))
                .allowed("a path such as scenarios.NAME.rate or scenarios.NAME.flow.0.get"),
        )
    })
}

/// The key at the beginning of a path.
fn top(name: &str) -> &str {
    name.split(['.', '[']).next().unwrap_or(name)
}

/// A parameter of this name that the definition has.
fn declared<'a>(root: &'a mut Node, name: &str) -> Option<&'a mut Entry> {
    let Kind::Map(entries) = &mut root.kind else {
        return None;
    };
    let parameters = entries
        .iter_mut()
        .find(|entry| entry.key == keys::PARAMETERS.key.name)?;
    let Kind::Map(parameters) = &mut parameters.value.kind else {
        return None;
    };
    parameters.iter_mut().find(|entry| entry.key == name)
}

/// Whether a name can only be meant for the script: a script reads what names it likes, and a definition does not have to list
/// them. A path that begins with a misspelt key is none.
fn is_for_script(root: &Node, name: &str) -> bool {
    let top = top(name);
    let is_key = |key: &str| DEFINITION.key(key).is_some() || root.get(key).is_some();
    let misspelt = || top != name && nearest(top, DEFINITION.names()).is_some();
    keys::SCRIPT.is_given(root) && !is_key(top) && !misspelt()
}

/// Adds a parameter that the definition does not have.
fn add_parameter(root: &mut Node, name: &str, value: Node) {
    let Kind::Map(entries) = &mut root.kind else {
        return;
    };
    let entry = |key: &str, value: Node| Entry {
        key: key.to_owned(),
        key_mark: value.mark,
        value,
    };
    let place = entries
        .iter_mut()
        .find(|entry| entry.key == keys::PARAMETERS.key.name);
    match place.map(|place| &mut place.value.kind) {
        Some(Kind::Map(parameters)) => parameters.push(entry(name, value)),
        // What stands there instead is a fault of the definition's, and told as one.
        Some(_) => {}
        None => {
            let map = Node {
                mark: value.mark,
                path: Path::default(),
                kind: Kind::Map(vec![entry(name, value)]),
            };
            entries.push(entry(keys::PARAMETERS.key.name, map));
        }
    }
}

/// The value that a text stands for.
fn value(text: &str, source: u16, sink: &mut Sink) -> Result<Node, Box<Issue>> {
    if text.starts_with(['[', '{', '"', '\'']) && !text.starts_with("${") {
        return yaml::read(text, source, sink);
    }
    if text.len() > yaml::MAX_SCALAR {
        let issue = Issue::new(
            Mark::start(source),
            &Path::default(),
            format!("a value of {} bytes is too long", text.len()),
        );
        return Err(Box::new(
            issue.allowed(format!("at most {} bytes", yaml::MAX_SCALAR)),
        ));
    }
    let width = u32::try_from(text.chars().count())
        .unwrap_or(u32::MAX)
        .max(1);
    let inset = (!text.contains(['\n', '\r'])).then_some(0);
    // Empty is the empty text rather than null, which nothing takes.
    let scalar = Scalar {
        raw: text.to_owned(),
        plain: !text.is_empty(),
        content: Content::AsWritten,
    };
    Ok(Node {
        mark: Mark {
            width,
            inset,
            ..Mark::start(source)
        },
        path: Path::default(),
        kind: Kind::Scalar(scalar),
    })
}

/// A parameter keeps the type of its default, so that `--set zip=01234` is text where the default is.
fn keep_type(default: &Node, value: &mut Node) -> Result<(), String> {
    let Kind::Scalar(value) = &mut value.kind else {
        return Err("a parameter is text, a number, true or false".to_owned());
    };
    let expected = default.scalar().map_or(Core::Text, Scalar::core);
    let said = match (expected, value.core()) {
        (expected, given) if expected.is_number() && given.is_number() => return Ok(()),
        (Core::Boolean(_), Core::Boolean(_)) => return Ok(()),
        (expected, _) if expected.is_number() && !value.raw.contains("${") => "a number",
        (Core::Boolean(_), _) if !value.raw.contains("${") => "true or false",
        _ => {
            value.plain = false;
            return Ok(());
        }
    };
    Err(format!(
        "{} is not {said}, as the parameter's default is",
        quoted(&value.raw)
    ))
}

/// Follows a path and puts the value at its end; maps on the way are made, so that a key can be added.
fn walk(node: &mut Node, path: &str, value: Node, depth: usize) -> Result<(), String> {
    if depth > MAX_PARTS {
        return Err("the path is too long".to_owned());
    }
    let mark = node.mark;
    match &mut node.kind {
        Kind::Map(entries) => {
            // Keys may have dots in them: the longest that fits is meant.
            let fits = |key: &str| {
                path == key
                    || path
                        .strip_prefix(key)
                        .is_some_and(|rest| rest.starts_with('.'))
            };
            let longest = entries
                .iter()
                .enumerate()
                .filter(|(_, entry)| fits(&entry.key))
                .max_by_key(|(_, entry)| entry.key.len());
            if let Some((index, entry)) = longest {
                let rest = path[entry.key.len()..].strip_prefix('.').map(str::to_owned);
                let entry = &mut entries[index];
                return match rest {
                    Some(rest) => walk(&mut entry.value, &rest, value, depth + 1),
                    None => {
                        entry.value = value;
                        Ok(())
                    }
                };
            }
            let (key, rest) = path
                .split_once('.')
                .map_or((path, None), |(key, rest)| (key, Some(rest)));
            if key.is_empty() {
                return Err("a part of the path is empty".to_owned());
            }
            let key_mark = value.mark;
            let mut added = Node {
                mark: key_mark,
                path: Path::default(),
                kind: Kind::Map(Vec::new()),
            };
            match rest {
                Some(rest) => walk(&mut added, rest, value, depth + 1)?,
                None => added = value,
            }
            entries.push(Entry {
                key: key.to_owned(),
                key_mark,
                value: added,
            });
            Ok(())
        }
        Kind::List(items) => {
            let (index, rest) = path
                .split_once('.')
                .map_or((path, None), |(index, rest)| (index, Some(rest)));
            let count = items.len();
            let item = index
                .parse()
                .ok()
                .and_then(|index: usize| items.get_mut(index));
            let item = item.ok_or_else(|| {
                format!(
                    "{} is not an index of a list of {count} (the first is 0)",
                    quoted(index)
                )
            })?;
            match rest {
                Some(rest) => walk(item, rest, value, depth + 1),
                None => {
                    *item = value;
                    Ok(())
                }
            }
        }
        Kind::Scalar(_) => Err(format!(
            "{} leads into a value that has no parts (line {})",
            quoted(path),
            mark.line
        )),
    }
}
