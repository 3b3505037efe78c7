//! Locals, resources and outputs of a module and of those that it calls, evaluated until nothing more becomes known.
//!
//! Terraform orders what depends on what; here everything is evaluated again and again, and what names something that is not known yet is
//! left for the next turn. What is never known (the content of a file, an attribute that only AWS gives) stays out, and fails where
//! a policy needs it.

use super::functions;
use super::module::{Module, attribute, label};
use hcl::eval::{Context, Evaluate as _};
use hcl::expr::{Expression, FuncCall};
use hcl::{Block, Map, Value};
use std::collections::BTreeMap;

/// More turns than any chain of references here is long.
const TURNS: usize = 16;

/// Where a stack is.
#[derive(Clone, Debug)]
pub struct World {
    /// 12 digits.
    pub account: String,
    /// The home region.
    pub region: String,
}

/// A module's block that is called once, or once a key.
pub(super) struct Settled {
    /// Its folder below `terraform`.
    pub(super) module: Module,
    pub(super) context: Context<'static>,
    /// The calls in it, by `name` or `name["key"]`.
    pub(super) children: BTreeMap<String, Settled>,
    outputs: Value,
}

/// The instances of a block: with `for_each`, `count`, or neither.
pub(super) enum Instances {
    One,
    Counted(u64),
    Keyed(Vec<(String, Value)>),
}

#[derive(Clone, Default, PartialEq)]
struct Evaluated {
    locals: Map<String, Value>,
    resources: Map<String, Value>,
    modules: Map<String, Value>,
}

/// Evaluates a module that is given these inputs.
pub(super) fn settle(name: &str, inputs: &Map<String, Value>, world: &World) -> Settled {
    let module = Module::load(name);
    let variables = variables(&module, inputs);
    let mut known = Evaluated::default();
    let mut children = BTreeMap::new();
    for _ in 0..TURNS {
        let context = context(&variables, &known, world);
        let before = known.clone();
        known.locals = locals(&module, &context);
        known.resources = resources(&module, &context, world);
        (known.modules, children) = calls(&module, &context, world);
        if known == before {
            break;
        }
    }
    let context = context(&variables, &known, world);
    let outputs = module.blocks("output").filter_map(|block| {
        let value = evaluated(attribute(block, "value")?, &context)?;
        Some((label(block, 0).to_owned(), value))
    });
    Settled {
        outputs: Value::Object(outputs.collect()),
        context,
        children,
        module,
    }
}

fn context(variables: &Map<String, Value>, known: &Evaluated, world: &World) -> Context<'static> {
    let mut context = Context::new();
    functions::declare(&mut context);
    let object = |map: &Map<String, Value>| Value::Object(map.clone());
    context.declare_var("var", object(variables));
    context.declare_var("local", object(&known.locals));
    context.declare_var("module", object(&known.modules));
    context.declare_var("path", hcl::value!({ "module" = ".", "root" = "." }));
    let (account, region) = (world.account.as_str(), world.region.as_str());
    context.declare_var(
        "data",
        hcl::value!({
            "aws_caller_identity" = { "current" = { "account_id" = account } },
            "aws_partition" = { "current" = { "partition" = "aws" } },
            "aws_region" = { "current" = { "region" = region } }
        }),
    );
    for (kind, named) in &known.resources {
        context.declare_var(kind.as_str(), named.clone());
    }
    context
}

/// The value of an expression, if all that it names is known.
pub(super) fn evaluated(expression: &Expression, context: &Context<'_>) -> Option<Value> {
    fallbacks(expression, context).evaluate(context).ok()
}

/// The expression with `try(…)` replaced by the first of its arguments that has a value, else by the last: functions are given values
/// here, and so cannot look whether there is one. What names a variable of a `for` has none. Policies do not use it, which
/// [`super::render()`] sees to.
fn fallbacks(expression: &Expression, context: &Context<'_>) -> Expression {
    let inner = |expression: &Expression| fallbacks(expression, context);
    match expression {
        Expression::FuncCall(call) if call.name.name.as_str() == "try" => {
            let mut each = call.args.iter().map(inner);
            let known = each.find(|argument| argument.evaluate(context).is_ok());
            known.unwrap_or_else(|| call.args.last().map_or(Expression::Null, inner))
        }
        Expression::FuncCall(call) => Expression::FuncCall(Box::new(FuncCall {
            args: call.args.iter().map(inner).collect(),
            ..(**call).clone()
        })),
        Expression::Array(items) => Expression::Array(items.iter().map(inner).collect()),
        Expression::Object(entries) => {
            let entries = entries.iter();
            Expression::Object(
                entries
                    .map(|(key, value)| (key.clone(), inner(value)))
                    .collect(),
            )
        }
        Expression::Parenthesis(one) => Expression::Parenthesis(Box::new(inner(one))),
        Expression::ForExpr(each) => {
            let mut each = each.clone();
            each.collection_expr = inner(&each.collection_expr);
            each.value_expr = inner(&each.value_expr);
            Expression::ForExpr(each)
        }
        Expression::Conditional(either) => {
            let mut either = either.clone();
            either.true_expr = inner(&either.true_expr);
            either.false_expr = inner(&either.false_expr);
            Expression::Conditional(either)
        }
        other => other.clone(),
    }
}

fn variables(module: &Module, inputs: &Map<String, Value>) -> Map<String, Value> {
    let empty = Context::new();
    let each = module.blocks("variable").filter_map(|block| {
        let name = label(block, 0);
        let default = || evaluated(attribute(block, "default")?, &empty);
        let value = inputs.get(name).cloned().or_else(default)?;
        let value = match attribute(block, "type") {
            Some(of_type) => with_defaults(of_type, value),
            None => value,
        };
        Some((name.to_owned(), value))
    });
    each.collect()
}

/// A value with what `optional(type, default)` fills in.
fn with_defaults(of_type: &Expression, value: Value) -> Value {
    let Expression::FuncCall(call) = of_type else {
        return value;
    };
    let Some(inner) = call.args.first() else {
        return value;
    };
    match (call.name.name.as_str(), value) {
        ("optional", value) => with_defaults(inner, value),
        ("list" | "set", Value::Array(items)) => {
            let items = items.into_iter();
            items.map(|item| with_defaults(inner, item)).collect()
        }
        ("map", Value::Object(entries)) => {
            let entries = entries.into_iter();
            Value::Object(
                entries
                    .map(|(key, value)| (key, with_defaults(inner, value)))
                    .collect(),
            )
        }
        ("object", Value::Object(mut given)) => {
            for (key, of_type) in super::module::object(inner) {
                let value = given.get(&key).cloned().or_else(|| default_of(of_type));
                if let Some(value) = value {
                    given.insert(key, with_defaults(of_type, value));
                }
            }
            Value::Object(given)
        }
        (_, value) => value,
    }
}

/// That of `optional(type, default)`; null for `optional(type)`.
fn default_of(of_type: &Expression) -> Option<Value> {
    let Expression::FuncCall(call) = of_type else {
        return None;
    };
    if call.name.name.as_str() != "optional" {
        return None;
    }
    match call.args.get(1) {
        Some(default) => evaluated(default, &Context::new()),
        None => Some(Value::Null),
    }
}

fn locals(module: &Module, context: &Context<'_>) -> Map<String, Value> {
    let all = module.locals().into_iter();
    all.filter_map(|(name, expression)| Some((name.to_owned(), evaluated(expression, context)?)))
        .collect()
}

/// How often a block stands for something; `None` while that is not known.
pub(super) fn instances(block: &Block, context: &Context<'_>) -> Option<Instances> {
    if let Some(count) = attribute(block, "count") {
        return Some(Instances::Counted(evaluated(count, context)?.as_u64()?));
    }
    let Some(each) = attribute(block, "for_each") else {
        return Some(Instances::One);
    };
    let keyed = match evaluated(each, context)? {
        Value::Object(entries) => entries.into_iter().collect(),
        Value::Array(items) => {
            let items = items.into_iter();
            items
                .filter_map(|item| Some((item.as_str()?.to_owned(), item.clone())))
                .collect()
        }
        _ => return None,
    };
    Some(Instances::Keyed(keyed))
}

impl Instances {
    /// What is made of each, with `each` set.
    pub(super) fn each<T>(
        &self,
        context: &Context<'static>,
        mut made: impl FnMut(Option<&str>, &Context<'static>) -> T,
    ) -> Vec<T> {
        match self {
            Self::One => vec![made(None, context)],
            Self::Counted(0) => Vec::new(),
            Self::Counted(_) => vec![made(Some("0"), context)],
            Self::Keyed(all) => {
                let mut context = context.clone();
                let all = all.iter();
                all.map(|(key, value)| {
                    let (key, value) = (key.as_str(), value.clone());
                    context.declare_var("each", hcl::value!({ "key" = key, "value" = value }));
                    made(Some(key), &context)
                })
                .collect()
            }
        }
    }

    /// As references to it find it: a value, a list or an object.
    fn gathered(&self, values: Vec<(Option<String>, Value)>) -> Value {
        match self {
            Self::One => values
                .into_iter()
                .next()
                .map_or(Value::Null, |(_, value)| value),
            Self::Counted(_) => values.into_iter().map(|(_, value)| value).collect(),
            Self::Keyed(_) => {
                let keyed = values.into_iter();
                Value::Object(
                    keyed
                        .filter_map(|(key, value)| Some((key?, value)))
                        .collect(),
                )
            }
        }
    }
}

/// By type: what other code refers to.
fn resources(module: &Module, context: &Context<'static>, world: &World) -> Map<String, Value> {
    let mut all: Map<String, Value> = Map::new();
    for block in module.blocks("resource") {
        let kind = label(block, 0);
        let Some(instances) = instances(block, context) else {
            continue;
        };
        let made = instances.each(context, |key, context| {
            Some((key.map(str::to_owned), attributes(block, context, world)?))
        });
        let made: Option<Vec<_>> = made.into_iter().collect();
        if let Some(made) = made {
            let named = all
                .entry(kind.to_owned())
                .or_insert_with(|| Value::Object(Map::new()));
            if let Some(named) = named.as_object_mut() {
                named.insert(label(block, 1).to_owned(), instances.gathered(made));
            }
        }
    }
    all
}

/// Name and ARN of a resource, if its type is one that policies name.
fn attributes(block: &Block, context: &Context<'_>, world: &World) -> Option<Value> {
    let text = |key: &str| {
        evaluated(attribute(block, key)?, context)?
            .as_str()
            .map(str::to_owned)
    };
    let kind = label(block, 0);
    let key = match kind {
        "aws_s3_bucket" => "bucket",
        "aws_lambda_function" => "function_name",
        "aws_ecs_task_definition" => "family",
        _ => "name",
    };
    let (name, account) = (text(key)?, &world.account);
    let region = text("region").unwrap_or_else(|| world.region.clone());
    let regional =
        |service: &str, rest: &str| format!("arn:aws:{service}:{region}:{account}:{rest}{name}");
    let arn = match kind {
        // APIs get an id of letters and digits; here the name takes its place.
        "aws_apigatewayv2_api" => format!("arn:aws:apigateway:{region}::/apis/{name}"),
        "aws_cloudwatch_event_rule" => regional("events", "rule/"),
        "aws_cloudwatch_log_group" => regional("logs", "log-group:"),
        "aws_dynamodb_table" => regional("dynamodb", "table/"),
        "aws_ecr_repository" => regional("ecr", "repository/"),
        "aws_ecs_cluster" => regional("ecs", "cluster/"),
        "aws_ecs_task_definition" => regional("ecs", "task-definition/"),
        "aws_iam_policy" => format!("arn:aws:iam::{account}:policy/{name}"),
        "aws_iam_role" => format!("arn:aws:iam::{account}:role/{name}"),
        "aws_lambda_function" => regional("lambda", "function:"),
        "aws_s3_bucket" => format!("arn:aws:s3:::{name}"),
        "aws_scheduler_schedule_group" => regional("scheduler", "schedule-group/"),
        "aws_sfn_state_machine" => regional("states", "stateMachine:"),
        "aws_sqs_queue" => regional("sqs", ""),
        _ => return None,
    };
    let url = format!("https://sqs.{region}.amazonaws.com/{account}/{name}");
    let (name, arn) = (name.as_str(), arn.as_str());
    let mut known =
        hcl::value!({ "arn" = arn, "id" = name, "name" = name, "url" = (url.as_str()) });
    let entries = known.as_object_mut()?;
    entries.insert(key.to_owned(), name.into());
    if kind == "aws_apigatewayv2_api" {
        let prefix = format!("arn:aws:execute-api:{region}:{account}:{name}");
        entries.insert("execution_arn".to_owned(), prefix.into());
    }
    Some(known)
}

type Calls = (Map<String, Value>, BTreeMap<String, Settled>);

fn calls(module: &Module, context: &Context<'static>, world: &World) -> Calls {
    let (mut outputs, mut children) = (Map::new(), BTreeMap::new());
    for block in module.blocks("module") {
        let name = label(block, 0);
        let source = attribute(block, "source").and_then(super::module::string);
        // `./modules/storage` of the root and `../network` of a module.
        let folder = source.unwrap_or_default();
        let folder = folder
            .trim_start_matches("./modules/")
            .trim_start_matches("../");
        let Some(instances) = instances(block, context) else {
            continue;
        };
        let made = instances.each(context, |key, context| {
            let given = block.body().attributes().filter_map(|argument| {
                Some((
                    argument.key().to_owned(),
                    evaluated(argument.expr(), context)?,
                ))
            });
            let child = settle(&format!("modules/{folder}"), &given.collect(), world);
            (key.map(str::to_owned), child)
        });
        let mut values = Vec::new();
        for (key, child) in made {
            values.push((key.clone(), child.outputs.clone()));
            let key = key.map_or_else(String::new, |key| format!("[{key:?}]"));
            children.insert(format!("{name}{key}"), child);
        }
        outputs.insert(name.to_owned(), instances.gathered(values));
    }
    (outputs, children)
}
