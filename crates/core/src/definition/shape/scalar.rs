//! Whether a scalar fits its shape, and what is said if not.

use super::{Grammar, NameRule, Shape};
use crate::definition::fault::{Issue, Sink};
use crate::definition::tree::{Content, Core, Kind, Node, Piece, Scalar};
use crate::syntax::SyntaxError;
use floodgate_records::printable::quoted;

pub(super) fn check(shape: &Shape, node: &Node, scalar: &Scalar, sink: &mut Sink) {
    if matches!(scalar.content, Content::Broken) {
        return;
    }
    if let Shape::Text(text) = shape
        && text.template
    {
        // Templates are read where they are used, since what they may name depends on the place.
        sink.extend(as_text(node, scalar, &scalar.raw, text.max));
        return;
    }
    let Some(text) = scalar.text() else {
        sink.push(template_misplaced(node, scalar));
        return;
    };
    if scalar.is_open() {
        // It is what fits here, and is looked at where it is known.
        return;
    }
    // A number or a boolean that a reference gives may stand in quotes.
    let core = match scalar.is_resolved() {
        true => Core::of(&text),
        false => scalar.core(),
    };
    sink.extend(match shape {
        Shape::Choice(words) => choice(node, &text, words),
        Shape::Grammar(_) if core == Core::Null && !scalar.is_resolved() => Some(
            node.issue("must have a value, is empty")
                .allowed(shape.said()),
        ),
        Shape::Grammar(grammar) => by_grammar(node, scalar, &text, grammar),
        Shape::Text(shape) => as_text(node, scalar, &text, shape.max).or_else(|| {
            let error = shape.names.and_then(|names| name(names, &text).err())?;
            Some(hide(node, scalar, error))
        }),
        _ => (!fits(shape, &core)).then(|| no_match(node, shape)),
    });
}

/// Whether a number or a switch is one, and within its bounds.
#[allow(clippy::cast_precision_loss)]
fn fits(shape: &Shape, core: &Core) -> bool {
    match (shape, core) {
        (Shape::Integer { min, max }, Core::Integer(value)) => {
            (i128::from(*min)..=i128::from(*max)).contains(value)
        }
        (Shape::Number { min, max }, Core::Integer(value)) => {
            (*min..=*max).contains(&(*value as f64))
        }
        (Shape::Number { min, max }, Core::Float(value)) => (*min..=*max).contains(value),
        (Shape::Boolean, Core::Boolean(_)) => true,
        _ => false,
    }
}

fn choice(node: &Node, text: &str, words: &[&'static str]) -> Option<Issue> {
    (!words.contains(&text)).then(|| {
        node.issue(format!("{} is not known", node.shown()))
            .allowed(words.join(", "))
            .nearest(text, words.iter().copied())
    })
}

fn by_grammar(node: &Node, scalar: &Scalar, text: &str, grammar: &Grammar) -> Option<Issue> {
    if let Err(error) = (grammar.check)(text) {
        return Some(hide(node, scalar, error));
    }
    let doubt = (grammar.doubt)(text).filter(|_| !scalar.is_secret())?;
    Some(node.issue(doubt).warning())
}

/// Whether a name is let through.
pub(super) fn name(names: NameRule, name: &str) -> Result<(), SyntaxError> {
    if let Some((_, why)) = names.reserved.iter().find(|(own, _)| *own == name) {
        let problem = format!("the name {} is reserved", quoted(name));
        let error = SyntaxError::new(0, problem).allowed("another name");
        return Err(error.hint(*why));
    }
    match names.take(name) {
        true => Ok(()),
        false => Err(SyntaxError::whole(name, "is not a valid name here").allowed(names.said)),
    }
}

/// A fault of an open value that decides how others are read.
pub(in crate::definition) fn must_be_known(node: &Node) -> Issue {
    let problem = format!(
        "what {} stands for must be known here, since the rest depends on it",
        node.shown()
    );
    node.issue(problem)
        .hint("give it a value, or a default: ${env:NAME:-DEFAULT}")
}

/// Reports a value of another kind, unless it has been reported.
pub(super) fn mismatch(node: &Node, shape: &Shape, sink: &mut Sink) {
    let broken = |scalar: &Scalar| matches!(scalar.content, Content::Broken);
    if !node.scalar().is_some_and(broken) {
        sink.push(no_match(node, shape));
    }
}

/// What a shape wants, in a few words; none where they would be many.
fn kind(shape: &Shape) -> Option<&'static str> {
    match shape {
        Shape::Integer { min, max } if min < max => Some("a whole number"),
        Shape::Number { .. } => Some("a number"),
        Shape::Text(_) => Some("text"),
        Shape::List { .. } => Some("a list"),
        Shape::Map { .. } | Shape::Object(_) | Shape::Tagged { .. } | Shape::Leading(_) => {
            Some("a map")
        }
        // What is allowed says it as shortly.
        _ => None,
    }
}

fn no_match(node: &Node, shape: &Shape) -> Issue {
    let core = node.scalar().map(|scalar| match scalar.is_resolved() {
        true => scalar.text().map_or(Core::Text, |text| Core::of(&text)),
        false => scalar.core(),
    });
    let is_kind = match (shape, &core) {
        (Shape::Integer { .. }, Some(Core::Integer(_))) => true,
        (Shape::Number { .. }, Some(core)) => core.is_number(),
        (Shape::List { .. }, _) => matches!(node.kind, Kind::List(_)),
        _ => false,
    };
    let shown = node.shown();
    let problem = match kind(shape) {
        _ if core == Some(Core::Null) => "must have a value, is empty".to_owned(),
        Some("a list") if is_kind => "the list is empty".to_owned(),
        Some(_) if is_kind => format!("{shown} is out of range"),
        Some(kind) => format!("{shown} is not {kind}"),
        None => format!("{shown} is not valid here"),
    };
    let issue = node.issue(problem).allowed(shape.said());
    let quoted_number = matches!(
        shape,
        Shape::Integer { .. } | Shape::Number { .. } | Shape::Boolean
    ) && node.scalar().is_some_and(|scalar| {
        !scalar.plain && !scalar.is_resolved() && Core::of(&scalar.raw) != Core::Text
    });
    match quoted_number {
        true => issue.hint("write it without quotes"),
        false => issue,
    }
}

/// What is wrong with a scalar where text belongs.
fn as_text(node: &Node, scalar: &Scalar, text: &str, max: usize) -> Option<Issue> {
    let allowed = match scalar.core() {
        Core::Text | Core::Boolean(_) => None,
        Core::Integer(value) if value.to_string() == scalar.raw => None,
        Core::Null => Some("text; \"\" is the empty one"),
        Core::Integer(_) | Core::Float(_) | Core::Huge | Core::Unusable => Some(
            "text; put it into quotes, since YAML reads this as a number and may write it in another way",
        ),
    };
    let too_long = || {
        let issue = node.issue(format!("{} bytes are too long", text.len()));
        issue.allowed(format!("at most {max} bytes"))
    };
    match allowed {
        Some(allowed) => Some(
            node.issue(format!("must be text, is {}", node.shown()))
                .allowed(allowed),
        ),
        None => (text.len() > max).then(too_long),
    }
}

/// An error in a text that holds a secret must not show it.
pub(in crate::definition) fn hide(node: &Node, scalar: &Scalar, error: SyntaxError) -> Issue {
    if scalar.is_secret() {
        let issue = node.issue(format!("the value of {} is not valid here", scalar.shown()));
        let is_part =
            !(scalar.raw.starts_with("${") && scalar.raw.find('}') == Some(scalar.raw.len() - 1));
        let issue = match is_part {
            true => issue.hint(
                "look for quotes and other signs in the secret that mean something in this text",
            ),
            false => issue.hint("correct the secret"),
        };
        return match error.allowed {
            Some(allowed) => issue.allowed(allowed),
            None => issue,
        };
    }
    if scalar.is_resolved() {
        let problem = format!("{} (from {})", error.problem, quoted(&scalar.raw));
        return Issue::syntax(node.mark, &node.path, SyntaxError { problem, ..error });
    }
    node.syntax(error)
}

fn template_misplaced(node: &Node, scalar: &Scalar) -> Issue {
    let at = match &scalar.content {
        Content::Pieces(pieces) => pieces.iter().find_map(|piece| match piece {
            Piece::Expression { at, text, .. } => Some((*at, text.as_str())),
            _ => None,
        }),
        _ => None,
    };
    let (at, text) = at.unwrap_or((2, ""));
    let known = crate::template::REFERENCES
        .map(|prefix| format!("${{{prefix}:…}}"))
        .join(", ");
    node.syntax(
        SyntaxError::new(
            at.saturating_sub(2)..at + text.len() + 1,
            format!("${{{text}}} cannot stand here, where nothing changes from request to request"),
        )
        .allowed(format!("{known}, and $${{ for a literal ${{")),
    )
}
