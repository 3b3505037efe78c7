//! Those functions of Terraform that the modules use where policies depend on them.

use super::module::read;
use hcl::eval::{Context, FuncArgs, FuncDef, ParamType};
use hcl::{Map, Value};
use regex::Regex;
use sha2::{Digest as _, Sha256};

type Made = Result<Value, String>;
type Function = fn(FuncArgs) -> Made;

/// Declares them all.
pub(super) fn declare(context: &mut Context<'_>) {
    let all: [(&str, Function); 23] = [
        ("coalesce", |args| coalesce(&args.into_values())),
        ("concat", |args| concat(&args.into_values())),
        ("contains", |args| {
            Ok(list(&args[0])?.contains(&args[1]).into())
        }),
        ("distinct", |args| distinct(&args[0])),
        ("endswith", |args| {
            Ok(text(&args[0])?.ends_with(text(&args[1])?).into())
        }),
        // The package is not there where policies are rendered, and none depends on it.
        ("filebase64sha256", |_| Ok("".into())),
        ("templatefile", |args| {
            templatefile(text(&args[0])?, map(&args[1])?)
        }),
        ("flatten", |args| flatten(&args[0])),
        ("join", |args| join(&args[0], &args[1])),
        // What is encoded is looked into here.
        ("jsonencode", |args| Ok(args[0].clone())),
        ("keys", |args| {
            Ok(sorted(&args[0])?.into_iter().map(|(key, _)| key).collect())
        }),
        ("length", |args| length(&args[0])),
        ("merge", |args| merge(&args.into_values())),
        ("replace", |args| {
            replace(text(&args[0])?, text(&args[1])?, text(&args[2])?)
        }),
        ("setsubtract", |args| subtract(&args[0], &args[1])),
        ("sha256", |args| {
            Ok(hex(&Sha256::digest(text(&args[0])?)).into())
        }),
        ("sort", |args| sort(&args[0])),
        ("substr", |args| {
            substr(text(&args[0])?, number(&args[1])?, number(&args[2])?)
        }),
        ("tomap", |args| Ok(args[0].clone())),
        ("toset", |args| distinct(&args[0])),
        ("trimsuffix", |args| {
            trimmed(text(&args[0])?, text(&args[1])?)
        }),
        ("values", |args| {
            Ok(sorted(&args[0])?
                .into_iter()
                .map(|(_, value)| value)
                .collect())
        }),
        ("lower", |args| Ok(text(&args[0])?.to_lowercase().into())),
    ];
    for (name, made) in all {
        let function = FuncDef::builder()
            .variadic_param(ParamType::Any)
            .build(made);
        context.declare_func(name, function);
    }
}

fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value
        .as_array()
        .ok_or_else(|| format!("{value} is not a list"))
}

fn map(value: &Value) -> Result<&Map<String, Value>, String> {
    value
        .as_object()
        .ok_or_else(|| format!("{value} is not an object"))
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is not text"))
}

fn number(value: &Value) -> Result<usize, String> {
    let whole = value.as_u64().and_then(|n| usize::try_from(n).ok());
    whole.ok_or_else(|| format!("{value} is not a valid number"))
}

fn sorted(value: &Value) -> Result<Vec<(Value, Value)>, String> {
    let mut entries: Vec<_> = map(value)?.iter().collect();
    entries.sort_by_key(|(key, _)| key.as_str());
    let pairs = entries.into_iter();
    Ok(pairs
        .map(|(key, value)| (Value::from(key.as_str()), value.clone()))
        .collect())
}

fn coalesce(values: &[Value]) -> Made {
    let given = |value: &&Value| !value.is_null() && value.as_str() != Some("");
    let found = values.iter().find(given);
    found
        .cloned()
        .ok_or_else(|| "coalesce: nothing but null".into())
}

fn concat(values: &[Value]) -> Made {
    let mut all = Vec::new();
    for value in values {
        all.extend(list(value)?.iter().cloned());
    }
    Ok(all.into())
}

fn distinct(value: &Value) -> Made {
    let mut all: Vec<Value> = Vec::new();
    for item in list(value)? {
        if !all.contains(item) {
            all.push(item.clone());
        }
    }
    Ok(all.into())
}

fn flatten(value: &Value) -> Made {
    fn collect(value: &Value, into: &mut Vec<Value>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            other => into.push(other.clone()),
        }
    }
    let mut all = Vec::new();
    collect(value, &mut all);
    Ok(all.into())
}

fn join(between: &Value, items: &Value) -> Made {
    let items: Result<Vec<_>, _> = list(items)?.iter().map(text).collect();
    Ok(items?.join(text(between)?).into())
}

fn length(value: &Value) -> Made {
    Ok(match value {
        Value::Array(items) => items.len(),
        Value::Object(entries) => entries.len(),
        other => text(other)?.chars().count(),
    }
    .into())
}

fn merge(values: &[Value]) -> Made {
    let mut all = Map::new();
    for value in values {
        all.extend(map(value)?.clone());
    }
    Ok(Value::Object(all))
}

fn replace(text: &str, what: &str, with: &str) -> Made {
    // Between slashes it is a regular expression.
    let expression = what
        .strip_prefix('/')
        .and_then(|rest| rest.strip_suffix('/'));
    Ok(match expression {
        Some(expression) => {
            let expression = Regex::new(expression).map_err(|error| error.to_string())?;
            expression.replace_all(text, with).into_owned().into()
        }
        None => text.replace(what, with).into(),
    })
}

/// A file of this repository; modules name it by the way to its root. Of templates only placeholders are known.
fn templatefile(path: &str, values: &Map<String, Value>) -> Made {
    let mut text = read(path.trim_start_matches("./").trim_start_matches("../"));
    for (name, value) in values {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        text = text.replace(&format!("${{{name}}}"), &value);
    }
    match text.split_once("${") {
        None => Ok(text.into()),
        Some((_, rest)) => {
            let name = rest.split('}').next().unwrap_or_default();
            Err(format!("{path}: no value for ${{{name}}}"))
        }
    }
}

fn subtract(from: &Value, less: &Value) -> Made {
    let less = list(less)?;
    let rest = list(from)?.iter().filter(|item| !less.contains(item));
    Ok(rest.cloned().collect())
}

fn sort(value: &Value) -> Made {
    let mut items: Vec<&str> = list(value)?.iter().map(text).collect::<Result<_, _>>()?;
    items.sort_unstable();
    Ok(items.into_iter().map(Value::from).collect())
}

fn substr(text: &str, from: usize, length: usize) -> Made {
    Ok(text
        .chars()
        .skip(from)
        .take(length)
        .collect::<String>()
        .into())
}

fn trimmed(text: &str, suffix: &str) -> Made {
    Ok(text.strip_suffix(suffix).unwrap_or(text).into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
