//! Policy documents, read strictly.

use crate::condition::Condition;
use crate::error::Error;
use crate::form::{object, texts};
use crate::pattern;
use serde_json::{Map, Value};

/// What a statement does where it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It permits.
    Allow,
    /// It forbids, whatever else permits.
    Deny,
}

/// A policy document.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) statements: Vec<Statement>,
}

/// What a policy belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Identity,
    Resource,
    Trust,
}

/// Which values fit: some, or all but some.
#[derive(Clone, Debug)]
pub(crate) enum Which {
    These(Vec<String>),
    AllBut(Vec<String>),
}

#[derive(Clone, Debug)]
pub(crate) struct Statement {
    pub(crate) sid: String,
    pub(crate) effect: Effect,
    pub(crate) actions: Which,
    pub(crate) resources: Which,
    /// Callers of a resource's policy, each an entry of [`principals`]; `None` in an identity's.
    pub(crate) principals: Option<Which>,
    pub(crate) conditions: Vec<Condition>,
}

impl Policy {
    /// A managed or an inline policy.
    ///
    /// # Errors
    /// For anything that AWS would refuse, and for what is not known here.
    pub fn of_identity(document: &Value) -> Result<Self, Error> {
        Self::read(document, Kind::Identity)
    }

    /// The policy of a resource, such as a bucket's.
    ///
    /// # Errors
    /// As [`Policy::of_identity`].
    pub fn of_resource(document: &Value) -> Result<Self, Error> {
        Self::read(document, Kind::Resource)
    }

    /// The policy of a role that says who may take it. It names no resource: that is the role.
    ///
    /// # Errors
    /// As [`Policy::of_identity`].
    pub fn of_trust(document: &Value) -> Result<Self, Error> {
        Self::read(document, Kind::Trust)
    }

    /// The permissions in it: for each that allows, its name with one of its actions and one of its resources, as they are written.
    pub fn permissions(&self) -> Vec<(&str, &str, &str)> {
        let allowing = self.statements.iter().filter(|s| s.effect == Effect::Allow);
        let all = allowing.flat_map(|statement| {
            let pairs = statement.actions.written().iter().flat_map(|action| {
                let resources = statement.resources.written().iter();
                resources.map(move |resource| (action.as_str(), resource.as_str()))
            });
            pairs.map(|(action, resource)| (statement.sid.as_str(), action, resource))
        });
        all.collect()
    }

    fn read(document: &Value, kind: Kind) -> Result<Self, Error> {
        let entries = object(document, "a policy", &["Version", "Id", "Statement"])?;
        // In the version before it, variables are text.
        if entries.get("Version").and_then(Value::as_str) != Some("2012-10-17") {
            let version = entries.get("Version").unwrap_or(&Value::Null);
            return Err(Error::Form(
                "Version",
                version.to_string(),
                "\"2012-10-17\"",
            ));
        }
        let statements = match entries.get("Statement") {
            Some(Value::Array(items)) => items.iter().collect(),
            Some(one @ Value::Object(_)) => vec![one],
            other => {
                let found = other.unwrap_or(&Value::Null).to_string();
                return Err(Error::Form("Statement", found, "a statement or a list"));
            }
        };
        let statements = statements.into_iter();
        let read = statements.map(|statement| Statement::read(statement, kind));
        Ok(Self {
            statements: read.collect::<Result<_, _>>()?,
        })
    }
}

const ELEMENTS: [&str; 9] = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

impl Statement {
    fn read(value: &Value, kind: Kind) -> Result<Self, Error> {
        let entries = object(value, "a statement", &ELEMENTS)?;
        let effect = match entries.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            other => {
                let found = format!("{other:?}");
                return Err(Error::Form("Effect", found, "Allow or Deny"));
            }
        };
        let which =
            |these: &'static str, but: &'static str| match (entries.get(these), entries.get(but)) {
                (Some(these_are), None) => Ok(Which::These(texts(these, these_are)?)),
                (None, Some(but_are)) => Ok(Which::AllBut(texts(but, but_are)?)),
                (None, None) => Err(Error::Missing(these, value.to_string())),
                (Some(_), Some(_)) => Err(Error::Element(
                    but.to_owned(),
                    "a statement that has the other",
                )),
            };
        let actions = which("Action", "NotAction")?;
        for action in actions.written() {
            if action != "*" && action.split(':').count() != 2 {
                return Err(Error::Form("Action", action.clone(), "service:Operation"));
            }
        }
        let names_some = entries.contains_key("Resource") || entries.contains_key("NotResource");
        let resources = match kind {
            Kind::Trust if names_some => {
                let name = "Resource".to_owned();
                return Err(Error::Element(
                    name,
                    "a policy that says who may take a role",
                ));
            }
            Kind::Trust => Which::These(vec!["*".to_owned()]),
            _ => which("Resource", "NotResource")?,
        };
        for resource in resources.written() {
            pattern::check(resource)?;
            if resource != "*" && resource.split(':').count() < 6 {
                return Err(Error::Form("Resource", resource.clone(), "an ARN or *"));
            }
        }
        let sid = entries.get("Sid").and_then(Value::as_str);
        Ok(Self {
            sid: sid.unwrap_or_default().to_owned(),
            effect,
            actions,
            resources,
            principals: principals_of(entries, kind != Kind::Identity)?,
            conditions: match entries.get("Condition") {
                Some(conditions) => Condition::read_all(conditions)?,
                None => Vec::new(),
            },
        })
    }
}

impl Which {
    /// As the policy has them.
    pub(crate) fn written(&self) -> &[String] {
        match self {
            Self::These(values) | Self::AllBut(values) => values,
        }
    }
}

fn principals_of(entries: &Map<String, Value>, of_resource: bool) -> Result<Option<Which>, Error> {
    let found = match (entries.get("Principal"), entries.get("NotPrincipal")) {
        (Some(these), None) => Some(Which::These(principals(these)?)),
        (None, Some(but)) => Some(Which::AllBut(principals(but)?)),
        (None, None) => None,
        (Some(_), Some(_)) => {
            let name = "NotPrincipal".to_owned();
            return Err(Error::Element(name, "a statement that has the other"));
        }
    };
    match (found, of_resource) {
        (None, true) => Err(Error::Missing("Principal", format!("{entries:?}"))),
        (Some(_), false) => {
            let name = "Principal".to_owned();
            Err(Error::Element(name, "a policy of an identity"))
        }
        (found, _) => Ok(found),
    }
}

/// `*`, ARNs, accounts, and names of services.
fn principals(value: &Value) -> Result<Vec<String>, Error> {
    if value == "*" {
        return Ok(vec!["*".to_owned()]);
    }
    let kinds = object(value, "Principal", &["AWS", "Service"])?;
    let mut all = Vec::new();
    for value in kinds.values() {
        all.extend(texts("Principal", value)?);
    }
    Ok(all)
}
