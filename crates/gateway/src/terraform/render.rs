//! The policies of a stack, as Terraform would render them.

use super::module::{attribute, label, walk};
use super::settle::{Settled, World, instances, settle};
use anyhow::{Context as _, Result, ensure};
use hcl::eval::{Context, Evaluate as _};
use hcl::expr::Expression;
use hcl::{Block, Map, Value};
use serde::{Deserialize as _, Serialize};
use std::collections::BTreeMap;

/// All policies of a stack.
#[derive(Debug, Default, Serialize)]
pub struct Rendering {
    /// By name.
    pub roles: BTreeMap<String, Role>,
    /// Policies to attach, by name.
    pub managed: BTreeMap<String, serde_json::Value>,
    /// Policies of buckets, by the bucket's name.
    pub buckets: BTreeMap<String, serde_json::Value>,
}

/// A role with its inline policies.
#[derive(Debug, Default, Serialize)]
pub struct Role {
    /// Who may take it.
    pub trust: serde_json::Value,
    /// By name.
    pub policies: BTreeMap<String, serde_json::Value>,
}

/// Renders the root module's policies with these inputs.
///
/// # Errors
/// If a policy names something that is not known here.
pub fn render(inputs: &serde_json::Value, world: &World) -> Result<Rendering> {
    let inputs = Map::<String, Value>::deserialize(inputs)
        .with_context(|| format!("the inputs are {inputs}: take an object"))?;
    let mut rendering = Rendering::default();
    collect(&settle(".", &inputs, world), &mut rendering)?;
    ensure!(!rendering.roles.is_empty(), "no roles were found");
    Ok(rendering)
}

fn collect(settled: &Settled, into: &mut Rendering) -> Result<()> {
    for block in settled.module.blocks("resource") {
        let (kind, name) = (label(block, 0), label(block, 1));
        let what = || format!("{}: {kind}.{name}", settled.module.name);
        if !KINDS.contains(&kind) {
            continue;
        }
        let instances = instances(block, &settled.context)
            .with_context(|| format!("{}: how often is not known", what()))?;
        let made = instances.each(&settled.context, |_, context| add(block, context, into));
        made.into_iter()
            .collect::<Result<()>>()
            .with_context(what)?;
    }
    settled
        .children
        .values()
        .try_for_each(|child| collect(child, into))
}

const KINDS: [&str; 4] = [
    "aws_iam_role",
    "aws_iam_role_policy",
    "aws_iam_policy",
    "aws_s3_bucket_policy",
];

fn add(block: &Block, context: &Context<'_>, into: &mut Rendering) -> Result<()> {
    let text = |key: &str| {
        let value = evaluated(block, key, context)?;
        Ok::<_, anyhow::Error>(
            value
                .as_str()
                .with_context(|| format!("{key} is {value}"))?
                .to_owned(),
        )
    };
    let document = |key: &str| {
        let value = evaluated(block, key, context)?;
        serde_json::to_value(value).context("JSON")
    };
    match label(block, 0) {
        "aws_iam_role" => {
            let trust = document("assume_role_policy")?;
            into.roles.entry(text("name")?).or_default().trust = trust;
        }
        "aws_iam_role_policy" => {
            let role = into.roles.entry(text("role")?).or_default();
            role.policies.insert(text("name")?, document("policy")?);
        }
        "aws_iam_policy" => {
            into.managed.insert(text("name")?, document("policy")?);
        }
        _ => {
            into.buckets.insert(text("bucket")?, document("policy")?);
        }
    }
    Ok(())
}

fn evaluated(block: &Block, key: &str, context: &Context<'_>) -> Result<Value> {
    let expression = attribute(block, key).with_context(|| format!("there is no {key}"))?;
    let mut tries = false;
    walk(expression, &mut |inner| {
        tries |= matches!(inner, Expression::FuncCall(call) if ["try", "can"].contains(&call.name.name.as_str()));
    });
    ensure!(
        !tries,
        "{key} uses try or can, which are not evaluated here"
    );
    expression
        .evaluate(context)
        .map_err(|error| anyhow::anyhow!("{key}: {error}"))
}
