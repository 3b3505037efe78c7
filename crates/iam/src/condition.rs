//! Conditions of statements
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>).

use crate::error::Error;
use crate::form::texts;
use crate::pattern::{self, Token};
use crate::request::Request;
use chrono::DateTime;
use serde_json::Value;
use std::cmp::Ordering;
use std::net::IpAddr;

/// One operator on one key.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    operator: Operator,
    key: String,
    values: Vec<String>,
}

#[derive(Clone, Debug)]
struct Operator {
    /// As the policy has it.
    written: String,
    /// `None` for `Null`.
    compare: Option<Compare>,
    /// `…Not…`: no value of the policy may fit.
    negated: bool,
    if_exists: bool,
    set: Option<Set>,
}

/// How the values of a key that may have several are taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Any,
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compare {
    Text,
    TextIgnoringCase,
    Like,
    /// `ArnEquals` is `ArnLike`.
    Arn,
    Bool,
    Ip,
    Number(Order),
    Date(Order),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn holds(self, ordering: Option<Ordering>) -> bool {
        match self {
            Self::Equal => ordering == Some(Ordering::Equal),
            Self::Less => ordering == Some(Ordering::Less),
            Self::LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => ordering == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

impl Operator {
    fn read(written: &str) -> Result<Self, Error> {
        let (set, rest) = match written.split_once(':') {
            Some(("ForAnyValue", rest)) => (Some(Set::Any), rest),
            Some(("ForAllValues", rest)) => (Some(Set::All), rest),
            _ => (None, written),
        };
        let (rest, if_exists) = match rest.strip_suffix("IfExists") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let (compare, negated) = match rest {
            "StringEquals" => (Compare::Text, false),
            "StringNotEquals" => (Compare::Text, true),
            "StringEqualsIgnoreCase" => (Compare::TextIgnoringCase, false),
            "StringNotEqualsIgnoreCase" => (Compare::TextIgnoringCase, true),
            "StringLike" => (Compare::Like, false),
            "StringNotLike" => (Compare::Like, true),
            "ArnEquals" | "ArnLike" => (Compare::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Compare::Arn, true),
            "Bool" => (Compare::Bool, false),
            "IpAddress" => (Compare::Ip, false),
            "NotIpAddress" => (Compare::Ip, true),
            "Null" if set.is_none() && !if_exists => {
                return Ok(Self {
                    written: written.to_owned(),
                    compare: None,
                    negated: false,
                    if_exists,
                    set,
                });
            }
            _ => ordered(rest).ok_or_else(|| Error::Operator(written.to_owned()))?,
        };
        Ok(Self {
            written: written.to_owned(),
            compare: Some(compare),
            negated,
            if_exists,
            set,
        })
    }
}

/// `Numeric…` and `Date…`.
fn ordered(name: &str) -> Option<(Compare, bool)> {
    let (make, order): (fn(Order) -> Compare, _) = match name.strip_prefix("Numeric") {
        Some(order) => (Compare::Number, order),
        None => (Compare::Date, name.strip_prefix("Date")?),
    };
    let (order, negated) = match order {
        "Equals" => (Order::Equal, false),
        "NotEquals" => (Order::Equal, true),
        "LessThan" => (Order::Less, false),
        "LessThanEquals" => (Order::LessOrEqual, false),
        "GreaterThan" => (Order::Greater, false),
        "GreaterThanEquals" => (Order::GreaterOrEqual, false),
        _ => return None,
    };
    Some((make(order), negated))
}

impl Condition {
    pub(crate) fn read_all(value: &Value) -> Result<Vec<Self>, Error> {
        let object = |value: &Value| match value {
            Value::Object(entries) => Ok(entries.clone()),
            _ => Err(Error::Form("Condition", value.to_string(), "an object")),
        };
        let mut all = Vec::new();
        for (operator, keys) in object(value)? {
            let operator = Operator::read(&operator)?;
            for (key, values) in object(&keys)? {
                if !key.contains(':') {
                    return Err(Error::Form("a condition key", key, "service:key"));
                }
                let values = texts("a condition's value", &values)?;
                for value in &values {
                    pattern::check(value)?;
                    operator.check(value)?;
                }
                all.push(Self {
                    operator: operator.clone(),
                    key,
                    values,
                });
            }
        }
        Ok(all)
    }

    /// Whether it holds; `None` if a variable in it is not to be had, so that the statement does not apply.
    pub(crate) fn holds(&self, request: &Request) -> Result<Option<bool>, Error> {
        let operator = &self.operator;
        let given = request.values(&self.key);
        let Some(compare) = operator.compare else {
            let wanted = self.values.iter().any(|value| value == "true");
            return Ok(Some(given.is_empty() == wanted));
        };
        let mut patterns = Vec::new();
        for value in &self.values {
            match pattern::resolved(value, request) {
                Some(pattern) => patterns.push(pattern),
                None => return Ok(None),
            }
        }
        if given.is_empty() {
            let alone = operator.negated && operator.set.is_none();
            let without = operator.if_exists || operator.set == Some(Set::All) || alone;
            return Ok(Some(without));
        }
        // Several values of the policy are alternatives; of a negated operator, none may fit.
        let one = |value: &String| {
            let fits = patterns.iter().any(|pattern| compare.fits(pattern, value));
            fits != operator.negated
        };
        match operator.set {
            Some(Set::Any) => Ok(Some(given.iter().any(one))),
            Some(Set::All) => Ok(Some(given.iter().all(one))),
            None if given.len() > 1 => Err(Error::Several {
                key: self.key.clone(),
                operator: operator.written.clone(),
                values: given.len(),
            }),
            None => Ok(Some(given.iter().all(one))),
        }
    }
}

impl Operator {
    /// Refuses a value that could never fit.
    fn check(&self, value: &str) -> Result<(), Error> {
        if value.contains("${") {
            return Ok(());
        }
        let wrong = |wanted| Err(Error::Form("a condition's value", value.to_owned(), wanted));
        let is_bool = matches!(value, "true" | "false");
        match self.compare {
            None | Some(Compare::Bool) if !is_bool => wrong("true or false"),
            Some(Compare::Arn) if value.split(':').count() < 6 => wrong("an ARN"),
            Some(Compare::Ip) if network(value).is_none() => wrong("an address or a network"),
            Some(Compare::Number(_)) if value.parse::<f64>().is_err() => wrong("a number"),
            Some(Compare::Date(_)) if moment(value).is_none() => {
                wrong("a date of ISO 8601, or seconds")
            }
            _ => Ok(()),
        }
    }
}

impl Compare {
    fn fits(self, pattern: &[Token], value: &str) -> bool {
        match self {
            Self::Like => pattern::fits(pattern, value),
            Self::Text => text(pattern) == value,
            Self::TextIgnoringCase => text(pattern).to_lowercase() == value.to_lowercase(),
            Self::Arn => arn_fits(pattern, value),
            Self::Bool => text(pattern).eq_ignore_ascii_case(value),
            Self::Ip => {
                let address = value.parse().ok();
                let found = network(&text(pattern)).zip(address);
                found.is_some_and(|(network, address)| is_in(network, address))
            }
            Self::Number(order) => {
                let numbers = value.parse::<f64>().ok().zip(text(pattern).parse().ok());
                order.holds(numbers.and_then(|(given, wanted)| given.partial_cmp(&wanted)))
            }
            Self::Date(order) => {
                let moments = moment(value).zip(moment(&text(pattern)));
                order.holds(moments.map(|(given, wanted)| given.cmp(&wanted)))
            }
        }
    }
}

/// What was written, for operators that know no wildcards.
fn text(pattern: &[Token]) -> String {
    let character = |token: &Token| match token {
        Token::Exactly(c) => *c,
        Token::One => '?',
        Token::Any => '*',
    };
    pattern.iter().map(character).collect()
}

/// Each of the six parts of an ARN is compared by itself.
fn arn_fits(pattern: &[Token], value: &str) -> bool {
    let parts: Vec<&str> = value.splitn(6, ':').collect();
    let patterns: Vec<&[Token]> = pattern
        .splitn(6, |token| *token == Token::Exactly(':'))
        .collect();
    let both = patterns.iter().zip(&parts);
    parts.len() == 6
        && patterns.len() == 6
        && both
            .into_iter()
            .all(|(pattern, part)| pattern::fits(pattern, part))
}

/// Unix ms of a date of ISO 8601, or of seconds since 1970.
fn moment(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds * 1_000);
    }
    let date = DateTime::parse_from_rfc3339(text).ok();
    let midnight = || DateTime::parse_from_rfc3339(&format!("{text}T00:00:00Z")).ok();
    Some(date.or_else(midnight)?.timestamp_millis())
}

/// An address and the bits of it that count.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address.parse().ok()?, Some(bits.parse().ok()?)),
        None => (text.parse().ok()?, None),
    };
    let all = if matches!(address, IpAddr::V4(_)) {
        32
    } else {
        128
    };
    let bits = bits.unwrap_or(all);
    (bits <= all).then_some((address, bits))
}

fn is_in((network, bits): (IpAddr, u32), address: IpAddr) -> bool {
    let (network, address, unused) = match (network, address) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            (u128::from(a.to_bits()), u128::from(b.to_bits()), 32 - bits)
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128 - bits),
        _ => return false,
    };
    // Shifting out all bits of a number is not defined.
    unused == 128 || network >> unused == address >> unused
}
