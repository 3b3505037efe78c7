//! `${…}` in a plan, as far as it can be known before the run: parameters with their defaults, and user-defined variables.

use super::model::Plan;
use std::collections::{BTreeMap, BTreeSet};

/// Expressions within expressions.
const DEEPEST: u8 = 16;

/// Expressions that one text comes to.
const MOST_STEPS: u32 = 10_000;

/// What expressions are evaluated with.
#[derive(Clone, Debug, Default)]
pub(in crate::jmeter) struct Values {
    parameters: BTreeMap<String, String>,
    variables: BTreeMap<String, String>,
}

/// A piece of a text.
enum Piece<'a> {
    Text(&'a str),
    /// Between `${` and its `}`.
    Expression(&'a str),
}

/// Cuts a text into plain pieces and expressions; an expression without an end is plain.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let inner = &rest[start + 2..];
        let Some(end) = closing(inner) else {
            break;
        };
        if start > 0 {
            pieces.push(Piece::Text(&rest[..start]));
        }
        pieces.push(Piece::Expression(&inner[..end]));
        rest = &inner[end + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// Where the brace stands that closes what was opened before.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_u32;
    text.bytes().enumerate().find_map(|(at, byte)| {
        match byte {
            b'{' => open += 1,
            b'}' if open == 0 => return Some(at),
            b'}' => open -= 1,
            _ => {}
        }
        None
    })
}

/// The name and the arguments of a function call.
fn call(expression: &str) -> Option<(&str, Vec<String>)> {
    let (name, rest) = expression.trim().split_once('(')?;
    let inner = rest.trim_end().strip_suffix(')')?;
    let (mut arguments, mut now) = (Vec::new(), String::new());
    let (mut depth, mut escaped) = (0_i32, false);
    for c in inner.chars() {
        match c {
            // JMeter: a backslash keeps a comma from ending an argument.
            ',' if escaped => {
                now.pop();
                now.push(c);
            }
            ',' if depth == 0 => arguments.push(std::mem::take(&mut now)),
            c => {
                depth += match c {
                    '{' | '(' => 1,
                    '}' | ')' => -1,
                    _ => 0,
                };
                now.push(c);
            }
        }
        escaped = c == '\\';
    }
    arguments.push(now);
    Some((name.trim(), arguments))
}

/// The parameter that a call reads, and its default. Without one `__P` gives 1 and `__property` the name.
/// Source: <https://jmeter.apache.org/usermanual/functions.html#__P>.
fn parameter(expression: &str) -> Option<(String, Option<String>)> {
    let (name, arguments) = call(expression)?;
    let argument = |n: usize| arguments.get(n).map(|text| text.trim().to_owned());
    let default = match name {
        "__P" => argument(1),
        "__property" => argument(2),
        _ => return None,
    };
    Some((argument(0)?, default.filter(|text| !text.is_empty())))
}

impl Values {
    /// What is known of a plan that is run with these parameters.
    pub(in crate::jmeter) fn new(plan: &Plan, parameters: &BTreeMap<String, String>) -> Self {
        let mut values = Self {
            parameters: parameters.clone(),
            variables: BTreeMap::new(),
        };
        let definitions = plan
            .enabled()
            .filter(|(_, element)| matches!(element.class.as_str(), "TestPlan" | "Arguments"));
        for (_, element) in definitions {
            let mut name = None;
            for prop in &element.props {
                match prop.name.as_str() {
                    "Argument.name" => name = Some(prop.text.trim().to_owned()),
                    "Argument.value" => {
                        if let Some(name) = name.take() {
                            values.variables.insert(name, prop.text.clone());
                        }
                    }
                    _ => {}
                }
            }
        }
        values
    }

    /// The text with all expressions evaluated.
    ///
    /// # Errors
    /// The expression that cannot be known.
    pub(in crate::jmeter) fn evaluate(&self, text: &str) -> Result<String, String> {
        self.at_depth(text, 0, &mut 0)
    }

    fn at_depth(&self, text: &str, depth: u8, steps: &mut u32) -> Result<String, String> {
        let mut out = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Expression(expression) => {
                    let unknown = || format!("${{{expression}}}");
                    // Definitions that name one another many times must not take for ever, whatever they come to.
                    *steps += 1;
                    if depth >= DEEPEST || *steps > MOST_STEPS {
                        return Err(unknown());
                    }
                    let value = match parameter(expression) {
                        Some((name, default)) => {
                            let name = self.at_depth(&name, depth + 1, steps)?;
                            let without = || {
                                let is_p = expression.trim_start().starts_with("__P");
                                if is_p { "1".to_owned() } else { name.clone() }
                            };
                            match self.parameters.get(&name) {
                                Some(value) => value.clone(),
                                None => self.at_depth(
                                    &default.unwrap_or_else(without),
                                    depth + 1,
                                    steps,
                                )?,
                            }
                        }
                        None => {
                            let value =
                                self.variables.get(expression.trim()).ok_or_else(unknown)?;
                            self.at_depth(value, depth + 1, steps)?
                        }
                    };
                    out.push_str(&value);
                    // Definitions that double at each level must not fill the memory.
                    if out.len() > 1 << 20 {
                        return Err(unknown());
                    }
                }
            }
        }
        Ok(out)
    }

    /// A number in a value.
    ///
    /// # Errors
    /// What it is instead.
    pub(in crate::jmeter) fn number(&self, text: &str) -> Result<f64, String> {
        let value = self.evaluate(text)?;
        let number: f64 = value.trim().parse().map_err(|_| format!("{value:?}"))?;
        if number.is_finite() {
            Ok(number)
        } else {
            Err(format!("{value:?}"))
        }
    }

    /// A whole number of at least 0; JMeter reads what is not a number as 0.
    ///
    /// # Errors
    /// What it is instead.
    pub(in crate::jmeter) fn whole(&self, text: &str) -> Result<u64, String> {
        let value = self.evaluate(text)?;
        let value = value.trim();
        if value.is_empty() {
            return Ok(0);
        }
        match value.parse::<i64>() {
            Ok(number) => Ok(u64::try_from(number).unwrap_or(0)),
            Err(_) => Err(format!("{value:?}")),
        }
    }
}

/// All parameters that a plan reads, with their defaults; of several defaults of one the first.
pub(in crate::jmeter) fn parameters(plan: &Plan) -> BTreeMap<String, Option<String>> {
    let mut found = BTreeMap::new();
    let texts = plan.enabled().flat_map(|(_, element)| {
        let own = std::iter::once(element.name.as_str());
        own.chain(element.props.iter().map(|prop| prop.text.as_str()))
    });
    for text in texts {
        collect(text, 0, &mut found);
    }
    found
}

/// The first arguments of these functions, wherever the plan calls them, as they stand.
pub(in crate::jmeter) fn arguments(plan: &Plan, functions: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let texts = plan.enabled().flat_map(|(_, element)| &element.props);
    for prop in texts {
        first_arguments(&prop.text, functions, 0, &mut found);
    }
    found
}

fn first_arguments(text: &str, functions: &[&str], depth: u8, found: &mut BTreeSet<String>) {
    if depth > DEEPEST {
        return;
    }
    for piece in pieces(text) {
        if let Piece::Expression(inner) = piece {
            if let Some((name, arguments)) = call(inner)
                && functions.contains(&name)
            {
                found.extend(arguments.into_iter().take(1));
            }
            first_arguments(inner, functions, depth + 1, found);
        }
    }
}

fn collect(text: &str, depth: u8, found: &mut BTreeMap<String, Option<String>>) {
    if depth > DEEPEST {
        return;
    }
    for piece in pieces(text) {
        if let Piece::Expression(inner) = piece {
            if let Some((name, default)) = parameter(inner)
                && !name.contains("${")
            {
                let known = found.entry(name).or_insert(None);
                if known.is_none() {
                    *known = default;
                }
            }
            collect(inner, depth + 1, found);
        }
    }
}
