//! The policies of a stack and the resources that an emulator needs, as Terraform would render them.

use super::module::{attribute, label, walk};
use super::settle::{Settled, World, evaluated as evaluated_if_known, instances, settle};
use anyhow::{Context as _, Result, ensure};
use hcl::eval::{Context, Evaluate as _};
use hcl::expr::Expression;
use hcl::{Block, Body, Map, Value};
use serde::{Deserialize as _, Serialize};
use std::collections::BTreeMap;

/// All policies of a stack, and what else is made of it on an emulator.
#[derive(Debug, Default, Serialize)]
pub struct Rendering {
    /// By name.
    pub roles: BTreeMap<String, Role>,
    /// Policies to attach, by name.
    pub managed: BTreeMap<String, serde_json::Value>,
    /// Policies of buckets, by the bucket's name.
    pub buckets: BTreeMap<String, serde_json::Value>,
    /// By type and name, such as `aws_lambda_function` and `this["reap"]`: the arguments that are known before anything is applied, a
    /// list for nested blocks.
    pub resources: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
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
        let policy = KINDS.contains(&kind);
        if !policy && !EMULATED.contains(&kind) {
            continue;
        }
        let instances = instances(block, &settled.context)
            .with_context(|| format!("{}: how often is not known", what()))?;
        let made = instances.each(&settled.context, |key, context| match policy {
            true => add(block, context, into),
            false => {
                let key = key.map_or_else(String::new, |key| format!("[{key:?}]"));
                let of_kind = into.resources.entry(kind.to_owned()).or_default();
                let arguments = serde_json::to_value(arguments(block.body(), context))?;
                of_kind.insert(format!("{name}{key}"), arguments);
                Ok(())
            }
        });
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

/// Resources without which no run takes place, and that the emulator knows.
const EMULATED: [&str; 11] = [
    "aws_apigatewayv2_api",
    "aws_apigatewayv2_integration",
    "aws_apigatewayv2_route",
    "aws_apigatewayv2_stage",
    "aws_cloudwatch_event_rule",
    "aws_cloudwatch_event_target",
    "aws_dynamodb_table",
    "aws_lambda_function",
    "aws_lambda_permission",
    "aws_scheduler_schedule_group",
    "aws_sfn_state_machine",
];

/// The arguments of a block whose values are known; nested blocks are lists under their names.
fn arguments(body: &Body, context: &Context<'_>) -> Value {
    let known = body.attributes().filter_map(|argument| {
        let value = evaluated_if_known(argument.expr(), context)?;
        Some((argument.key().to_owned(), value))
    });
    let mut all: Map<String, Value> = known.collect();
    for block in body.blocks() {
        let (name, made) = match block.identifier() {
            "dynamic" => (label(block, 0), expanded(block, context)),
            name => (name, vec![arguments(block.body(), context)]),
        };
        let list = all
            .entry(name.to_owned())
            .or_insert_with(|| Value::Array(Vec::new()));
        if let Some(list) = list.as_array_mut() {
            list.extend(made);
        }
    }
    Value::Object(all)
}

/// The blocks that a `dynamic` one stands for.
fn expanded(block: &Block, context: &Context<'_>) -> Vec<Value> {
    let each = attribute(block, "for_each").and_then(|each| evaluated_if_known(each, context));
    let content = block
        .body()
        .blocks()
        .find(|inner| inner.identifier() == "content");
    let (Some(Value::Array(each)), Some(content)) = (each, content) else {
        return Vec::new();
    };
    let mut context = context.clone();
    let made = each.into_iter().map(|value| {
        let iterator = hcl::value!({ "key" = value, "value" = value });
        context.declare_var(label(block, 0), iterator);
        arguments(content.body(), &context)
    });
    made.collect()
}

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
