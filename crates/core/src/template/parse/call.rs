//! Functions with arguments.
//!
//! ```text
//! call     = NAME "(" [ argument { "," argument } ] ")"
//! argument = '"' template '"' | "'" template "'" | "${" expression "}" | expression | REFERENCE | INTEGER
//! ```
//! Within quotes `\` stands before a quote or itself. A reference (`secret:NAME`) is what it gives, never read again.

use super::{Builder, FUNCTIONS, MAX_RANDOM_STRING, REFERENCES, Token, expression_with, tokens};
use crate::syntax::SyntaxError;
use crate::template::{Call, Digits, Function, Template, Variable};
use crate::units::parse_duration;
use floodgate_records::printable::quoted;
use std::ops::Range;

/// How deep calls may nest.
const MOST_LEVELS: usize = 8;
/// The most arguments of a call.
const MOST_ARGUMENTS: usize = 64;
/// The farthest time from now in milliseconds: a century.
const FARTHEST_MS: i64 = 100 * 366 * 86_400_000;

/// What a reference among arguments gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// As it is written: `secret:NAME`.
    pub(crate) written: String,
    /// Its text; `None` if it is known only where the test runs.
    pub(crate) text: Option<String>,
    /// Whether that is a secret.
    pub(crate) secret: bool,
}

/// Who knows what references give.
pub(crate) struct References<'a> {
    find: &'a mut dyn FnMut(&str) -> Option<Given>,
    depth: usize,
    secret: bool,
}

impl<'a> References<'a> {
    pub(crate) fn new(find: &'a mut dyn FnMut(&str) -> Option<Given>) -> Self {
        Self {
            find,
            depth: 0,
            secret: false,
        }
    }

    /// What stands for a reference: a text, or something open. `None` if `text` is none, or nobody knows it.
    fn get(&mut self, text: &str) -> Option<Template> {
        let (kind, _) = text.split_once(':')?;
        let given = REFERENCES
            .contains(&kind)
            .then(|| (self.find)(text))
            .flatten()?;
        self.secret |= given.secret;
        let mut builder = Builder::default();
        match &given.text {
            Some(text) => builder.literal(text),
            None => builder.variable(Variable::Open(format!("${{{text}}}"))),
        }
        Some(builder.finish(text))
    }
}

/// The references among the arguments of a call, each as it is written.
pub(crate) fn references_of(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |written: &str| {
        found.push(written.to_owned());
        Some(Given {
            written: written.to_owned(),
            text: Some(String::new()),
            secret: false,
        })
    };
    // What else is wrong with it is reported where it is read.
    drop(expression_with(0, text, &mut References::new(&mut note)));
    found
}

/// How far an expression reaches: to the `}` that closes it. Those in quotes, and those of `${` within, do not.
pub(super) fn length(text: &str) -> Option<usize> {
    let first = text.find('}')?;
    if !text[..first].contains('(') {
        return Some(first);
    }
    let (mut quote, mut depth, mut escaped) = (None, 0_usize, false);
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '{') if before == '$' => depth += 1,
            (None, '}') if depth == 0 => return Some(at),
            (None, '}') => depth -= 1,
            _ => {}
        }
        before = c;
    }
    // A quote that is not closed would swallow the rest of the text.
    Some(first)
}

/// The arguments of a call with their places.
fn split(text: &str) -> Result<Vec<Range<usize>>, SyntaxError> {
    let (mut quote, mut depth, mut escaped, mut from) = (None, 0_usize, false, 0);
    let mut parts = Vec::new();
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some((_, _)), '\\') => escaped = true,
            (Some((open, _)), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some((c, at)),
            (None, '(' | '{') => depth += 1,
            (None, ')' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(from..at);
                from = at + 1;
            }
            _ => {}
        }
    }
    if let Some((open, at)) = quote {
        return Err(SyntaxError::new(
            at,
            format!("the quote {open} is not closed"),
        ));
    }
    if !parts.is_empty() || !text.trim().is_empty() {
        parts.push(from..text.len());
    }
    if parts.len() > MOST_ARGUMENTS {
        let problem = format!("{} arguments are too many", parts.len());
        return Err(SyntaxError::new(0, problem).allowed(format!("at most {MOST_ARGUMENTS}")));
    }
    let trimmed = parts.into_iter().map(|part| {
        let own = &text[part.clone()];
        let start = part.start + own.len() - own.trim_start().len();
        start..start + own.trim().len()
    });
    Ok(trimmed.collect())
}

/// Reads a call of a function; places are those in `arguments`, but for the name's.
pub(super) fn function(
    name: &str,
    arguments: &str,
    references: &mut References<'_>,
) -> Result<Variable, SyntaxError> {
    let fail = |problem: String, allowed: &str| Err(SyntaxError::new(0, problem).allowed(allowed));
    let plain = |variable, example: &str| {
        if arguments.is_empty() {
            Ok(variable)
        } else {
            fail(
                format!("{name}() takes no argument, not {}", quoted(arguments)),
                example,
            )
        }
    };
    match name {
        "uuid" => plain(Variable::Uuid, "uuid()"),
        "now" => plain(Variable::Now, "now()"),
        "isoNow" => plain(Variable::IsoNow, "isoNow()"),
        "randomInt" => random_int(arguments),
        "randomString" => match arguments.parse::<u32>() {
            Ok(length) if (1..=MAX_RANDOM_STRING).contains(&length) => {
                Ok(Variable::RandomString(length))
            }
            _ => Err(SyntaxError::new(
                0,
                format!("randomString takes a length, not {}", quoted(arguments)),
            )
            .allowed(format!("1 to {MAX_RANDOM_STRING}"))),
        },
        "dateAdd" => date_add(arguments),
        "base64" | "sha256" | "hmacSha256" | "jsonEscape" | "randomOf" => {
            call(name, arguments, references)
        }
        other => Err(
            SyntaxError::new(0, format!("unknown function {}", quoted(other)))
                .allowed(FUNCTIONS.join(", "))
                .nearest(other, FUNCTIONS.map(|f| f.split('(').next().unwrap_or(f))),
        ),
    }
}

fn random_int(arguments: &str) -> Result<Variable, SyntaxError> {
    let bounds = arguments
        .split_once(',')
        .and_then(|(low, high)| Some((low.trim().parse().ok()?, high.trim().parse().ok()?)));
    match bounds {
        Some((low, high)) if low <= high => Ok(Variable::RandomInt(low, high)),
        Some((low, high)) => Err(SyntaxError::new(
            0,
            format!("randomInt({low},{high}) has its bounds in the wrong order"),
        )
        .allowed("randomInt(LOW,HIGH)")),
        None => Err(SyntaxError::new(
            0,
            format!(
                "randomInt takes two 64-bit integers, not {}",
                quoted(arguments)
            ),
        )
        .allowed("randomInt(LOW,HIGH), both ends included")),
    }
}

fn date_add(arguments: &str) -> Result<Variable, SyntaxError> {
    const ALLOWED: &str = "dateAdd(1d), dateAdd(-2h, \"%Y-%m-%d\")";
    let parts = split(arguments)?;
    let text = |part: &Range<usize>| unquoted(&arguments[part.clone()]);
    let (offset, format) = match parts.as_slice() {
        [offset] => (text(offset), None),
        [offset, format] => (text(offset), Some(text(format))),
        _ => return Err(count("dateAdd", parts.len(), ALLOWED)),
    };
    let (sign, time) = match offset.strip_prefix('-') {
        Some(time) => (-1, time),
        None => (1, offset.strip_prefix('+').unwrap_or(&offset)),
    };
    let ms = parse_duration(time)
        .map_err(|_| SyntaxError::new(0, format!("{} is not a time", quoted(&offset))))
        .map(|duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
        .map_err(|error| error.allowed(ALLOWED))?;
    if ms > FARTHEST_MS {
        return Err(
            SyntaxError::new(0, format!("{} is too far away", quoted(&offset)))
                .allowed("at most 36600d"),
        );
    }
    if let Some(format) = &format {
        let mut items = chrono::format::StrftimeItems::new(format);
        if items.any(|item| item == chrono::format::Item::Error) {
            return Err(SyntaxError::new(
                0,
                format!("{} is not a format of times", quoted(format)),
            )
            .allowed("%Y, %m, %d, %H, %M, %S, %s and others of strftime"));
        }
    }
    let ms = sign * ms;
    Ok(Variable::DateAdd { ms, format })
}

fn call(
    name: &str,
    arguments: &str,
    references: &mut References<'_>,
) -> Result<Variable, SyntaxError> {
    if references.depth >= MOST_LEVELS {
        return Err(SyntaxError::new(0, "functions are nested too deeply")
            .allowed(format!("at most {MOST_LEVELS} levels")));
    }
    references.depth += 1;
    let outer = std::mem::take(&mut references.secret);
    let parts = split(arguments)?;
    let given = parts.iter().map(|part| {
        argument(&arguments[part.clone()], references).map_err(|error| error.within(part.clone()))
    });
    let mut given = given.collect::<Result<Vec<_>, _>>()?;
    let secret = references.secret;
    references.secret |= outer;
    references.depth -= 1;
    let function = match name {
        "base64" if given.len() == 1 => Function::Base64,
        "jsonEscape" if given.len() == 1 => Function::JsonEscape,
        "sha256" => Function::Sha256(digits(&mut given, 1)?),
        "hmacSha256" => Function::HmacSha256(digits(&mut given, 2)?),
        "randomOf" if !given.is_empty() => Function::RandomOf,
        _ => return Err(count(name, given.len(), usage(name))),
    };
    Ok(Variable::Call(Box::new(Call {
        function,
        arguments: given,
        secret,
    })))
}

fn usage(name: &str) -> &'static str {
    let example = FUNCTIONS.iter().find(|f| f.split('(').next() == Some(name));
    example.copied().unwrap_or_default()
}

fn count(name: &str, given: usize, allowed: &str) -> SyntaxError {
    SyntaxError::new(0, format!("{name} does not take {given} arguments")).allowed(allowed)
}

/// Takes the last argument of a hash, if it says how the digits are written.
fn digits(arguments: &mut Vec<Template>, texts: usize) -> Result<Digits, SyntaxError> {
    let name = if texts == 1 { "sha256" } else { "hmacSha256" };
    if arguments.len() == texts {
        return Ok(Digits::Hex);
    }
    let last = arguments.pop().filter(|_| arguments.len() == texts);
    match last.as_ref().map(|last| (last.as_literal(), last)) {
        Some((Some("hex"), _)) => Ok(Digits::Hex),
        Some((Some("base64"), _)) => Ok(Digits::Base64),
        Some((_, other)) => Err(SyntaxError::new(
            0,
            format!("{name} does not write {}", quoted(&other.source)),
        )
        .allowed("\"hex\", \"base64\"")),
        None => Err(count(name, arguments.len() + 1, usage(name))),
    }
}

fn argument(text: &str, references: &mut References<'_>) -> Result<Template, SyntaxError> {
    if text.is_empty() {
        return Err(SyntaxError::new(0, "an argument is missing"));
    }
    if text.starts_with(['"', '\'']) {
        return template(&unquoted(text), references);
    }
    let inner = text
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let inner = inner.unwrap_or(text).trim();
    if let Some(given) = references.get(inner) {
        return Ok(given);
    }
    if !inner.is_empty() && inner.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(Template::literal(inner));
    }
    let mut builder = Builder::default();
    builder.variable(expression_with(0, inner, references)?);
    Ok(builder.finish(text))
}

/// A text with `${…}` in it.
fn template(text: &str, references: &mut References<'_>) -> Result<Template, SyntaxError> {
    let mut builder = Builder::default();
    for token in tokens(text)? {
        match token {
            Token::Literal(text) => builder.literal(text),
            Token::Expression { at, text } => match references.get(text.trim()) {
                Some(given) => match given.as_literal() {
                    Some(text) => builder.literal(text),
                    None => given.variables().cloned().for_each(|v| builder.variable(v)),
                },
                None => builder.variable(expression_with(at, text, references)?),
            },
        }
    }
    Ok(builder.finish(text))
}

/// A text without the quotes around it, and without the `\` before quotes and itself.
fn unquoted(text: &str) -> String {
    let inner = ['"', '\'']
        .into_iter()
        .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote));
    let Some(inner) = inner else {
        return text.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut characters = inner.chars().peekable();
    while let Some(c) = characters.next() {
        match (c, characters.peek()) {
            ('\\', Some('\\' | '"' | '\'')) => plain.extend(characters.next()),
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::template::Part;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Variable, SyntaxError> {
        let mut find = |written: &str| {
            Some(Given {
                written: written.to_owned(),
                text: Some(format!("<{written}>")),
                secret: written.starts_with("secret"),
            })
        };
        expression_with(0, text, &mut References::new(&mut find))
    }

    fn called(text: &str) -> Call {
        match read(text) {
            Ok(Variable::Call(call)) => *call,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn arguments_are_names_texts_calls_and_references() {
        let call = called("hmacSha256(secret:key, \"${vu}:${secret:id}, it's\", 'base64')");
        assert_eq!(call.function, Function::HmacSha256(Digits::Base64));
        assert!(call.secret);
        assert_eq!(call.arguments[0].as_literal(), Some("<secret:key>"));
        assert_eq!(
            call.arguments[1].parts,
            [
                Part::Variable(Variable::Vu),
                Part::Literal(":<secret:id>, it's".into())
            ]
        );
        let outer = called("base64(sha256(${env:A:-x, y}))");
        assert!(!outer.secret);
        let [Part::Variable(Variable::Call(inner))] = outer.arguments[0].parts.as_slice() else {
            panic!("{outer:?}")
        };
        assert_eq!(inner.arguments[0].as_literal(), Some("<env:A:-x, y>"));
        let random = called("randomOf(red, 'blue', 7, data.colour)");
        assert_eq!(random.arguments.len(), 4);
        assert_eq!(
            called("jsonEscape(\"a \\\" } b\")").arguments[0].as_literal(),
            Some("a \" } b")
        );
    }

    #[test]
    fn a_secret_marks_the_calls_around_it_and_no_others() {
        let call = called("randomOf(base64(secret:a), base64(vu))");
        assert!(call.secret);
        let marks = call.arguments.iter().flat_map(Template::variables);
        let marks: Vec<_> = marks
            .map(|variable| matches!(variable, Variable::Call(call) if call.secret))
            .collect();
        assert_eq!(marks, [true, false]);
    }

    #[test]
    fn times_from_now_are_read() {
        for (text, ms, format) in [
            ("dateAdd(1d)", 86_400_000, None),
            ("dateAdd(-90m)", -5_400_000, None),
            (
                "dateAdd(+1s, \"%Y-%m-%d\")",
                1_000,
                Some("%Y-%m-%d".to_owned()),
            ),
        ] {
            assert_eq!(read(text).unwrap(), Variable::DateAdd { ms, format });
        }
    }

    #[test]
    fn refuses_with_words() {
        let deep = format!("{}vu{}", "base64(".repeat(9), ")".repeat(9));
        for (text, part) in [
            ("base64()", "base64 does not take 0 arguments"),
            ("base64(vu, task)", "base64 does not take 2 arguments"),
            ("sha256(vu, \"octal\")", "sha256 does not write \"octal\""),
            ("hmacSha256(vu)", "hmacSha256 does not take 1 arguments"),
            ("base64(\"x)", "the quote \" is not closed"),
            ("base64(vu,)", "an argument is missing"),
            ("base64(a b)", "\"a b\" is not a valid name"),
            ("base64(sah256(vu))", "unknown function \"sah256\""),
            ("dateAdd(soon)", "\"soon\" is not a time"),
            ("dateAdd(1d, \"%Q\")", "is not a format of times"),
            ("dateAdd(40000d)", "too far away"),
            ("dateAdd()", "dateAdd does not take 0 arguments"),
            (deep.as_str(), "nested too deeply"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn references_are_found_wherever_they_stand() {
        assert_eq!(
            references_of("hmacSha256(secret:a, \"x ${env:B} ${base64(param:c)}\")"),
            ["secret:a", "env:B", "param:c"]
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[a-z0-9(),'\"\\\\${}:. ]{0,40}") {
            drop(read(&format!("base64({text})")));
            drop(tokens(&format!("${{f({text}")));
            drop(references_of(&text));
        }
    }
}
