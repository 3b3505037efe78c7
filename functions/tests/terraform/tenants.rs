//! Tenants against each other: whoever runs for one project, by every action, on what is another's. The policies are evaluated as they are
//! written in the modules, for a stack with two projects that are named.

use crate::iam::{Request, allows};
use crate::module::{Module, attribute, reference};
use floodgate_core::keys::{ExecutionKeys, definition_file};
use hcl::Value;
use hcl::eval::{Context, Evaluate, FuncArgs, FuncDef, ParamType};

const BUCKET: &str = "arn:aws:s3:::bucket";
const TABLE: &str = "arn:aws:dynamodb:eu-west-1:1:table/fg";
const STATES: &str = "arn:aws:states:eu-west-1:1";
const ID: &str = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";

/// Those of a policy's owners that are bounded: to a project that is named, and to all that are not.
const OWN: [&str; 2] = ["shop", "*"];
/// The project that nobody of them may touch.
const OTHER: &str = "search";

type Made = Result<Value, String>;

fn list(value: &Value) -> Result<&Vec<Value>, String> {
    value
        .as_array()
        .ok_or_else(|| format!("{value} is no list"))
}

fn flat(value: &Value, into: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| flat(item, into)),
        other => into.push(other.clone()),
    }
}

/// The functions of Terraform that the policies use.
fn functions(context: &mut Context<'_>) {
    let mut declare = |name: &str, made: fn(FuncArgs) -> Made| {
        let function = FuncDef::builder()
            .variadic_param(ParamType::Any)
            .build(made);
        context.declare_func(name, function);
    };
    declare("concat", |args| {
        let mut all = Vec::new();
        for argument in args.variadic_args() {
            all.extend(list(argument)?.iter().cloned());
        }
        Ok(Value::Array(all))
    });
    declare("flatten", |args| {
        let mut all = Vec::new();
        args.variadic_args()
            .for_each(|argument| flat(argument, &mut all));
        Ok(Value::Array(all))
    });
    declare("merge", |args| {
        let mut all = hcl::Map::new();
        for argument in args.variadic_args() {
            let entries = argument.as_object().ok_or("merge: no object")?;
            all.extend(entries.clone());
        }
        Ok(Value::Object(all))
    });
    declare("jsonencode", |args| Ok(args[0].clone()));
    declare("sort", |args| Ok(args[0].clone()));
    declare("keys", |args| {
        let entries = args[0].as_object().ok_or("keys: no object")?;
        Ok(Value::Array(
            entries.keys().cloned().map(Value::String).collect(),
        ))
    });
    declare("values", |args| {
        let entries = args[0].as_object().ok_or("values: no object")?;
        Ok(Value::Array(entries.values().cloned().collect()))
    });
    declare("length", |args| Ok(Value::from(list(&args[0])?.len())));
    declare("setsubtract", |args| {
        let less = list(&args[1])?;
        let rest = list(&args[0])?.iter().filter(|item| !less.contains(item));
        Ok(Value::Array(rest.cloned().collect()))
    });
}

/// The `policy` of a resource for one of its keys, with these variables and these locals.
fn policy(
    module: &str,
    kind: &str,
    name: &str,
    variables: &Value,
    locals: &[&str],
    each: (&str, Value),
) -> Value {
    let module = Module::load(module);
    let mut context = Context::new();
    functions(&mut context);
    context.declare_var("var", variables.clone());
    let (key, value) = each;
    context.declare_var("each", hcl::value!({ "key" = key, "value" = value }));
    // In this order: each may name those before it.
    let mut known = hcl::Map::new();
    for local in locals {
        context.declare_var("local", Value::Object(known.clone()));
        let value = module.local(local).evaluate(&context);
        known.insert(
            (*local).to_owned(),
            value.unwrap_or_else(|error| panic!("local.{local}: {error}")),
        );
    }
    context.declare_var("local", Value::Object(known));
    let expression = attribute(module.resource(kind, name), "policy").expect("a policy");
    assert!(reference(expression, "data").is_none(), "{name}");
    let policy = expression.evaluate(&context);
    policy.unwrap_or_else(|error| panic!("{kind}.{name}: {error}"))
}

fn machine(project: &str, scheduled: bool) -> String {
    let project = if project == "*" { "" } else { project };
    match (project, scheduled) {
        ("", false) => format!("{STATES}:stateMachine:fg"),
        (project, false) => format!("{STATES}:stateMachine:fg_{project}"),
        (project, true) => format!("{STATES}:stateMachine:fg_{project}_scheduled"),
    }
}

fn execution(project: &str, scheduled: bool) -> String {
    let machine = machine(project, scheduled);
    format!("{}:{ID}", machine.replace(":stateMachine:", ":execution:"))
}

/// The policy of whoever starts runs of a project.
fn runner(project: &str) -> serde_json::Value {
    let all = ["*", OTHER, "shop"];
    let machines: hcl::Map<String, Value> = all
        .iter()
        .map(|p| ((*p).to_owned(), Value::from(machine(p, false))))
        .collect();
    let executions = |p: &str| {
        let of = |scheduled| Value::from(execution(p, scheduled).replace(ID, "*"));
        Value::Array(vec![of(false), of(true)])
    };
    let executions: hcl::Map<String, Value> = all
        .iter()
        .map(|p| ((*p).to_owned(), executions(p)))
        .collect();
    let variables = hcl::value!({
        "name" = "fg", "iam_prefix" = "fg", "projects" = ["*", OTHER, "shop"], "bucket_arn" = BUCKET, "table_arn" = TABLE,
        "kms_key_arn" = null, "tags" = {}, "state_machine_arns" = machines, "execution_arns" = executions
    });
    let locals = ["prefix", "named", "key_statements", "list_all_runs"];
    let each = (project, Value::from(project));
    json(policy(
        "modules/access",
        "aws_iam_policy",
        "runner",
        &variables,
        &locals,
        each,
    ))
}

/// The policy of the role of a project's generators.
fn generator(project: &str) -> serde_json::Value {
    let secrets = |project: &str| {
        let arn = format!("arn:aws:secretsmanager:eu-west-1:1:secret:{project}/token-??????");
        hcl::value!({ "secret_arns" = [arn] })
    };
    let projects = hcl::value!({ "*" = (secrets("rest")), "search" = (secrets(OTHER)), "shop" = (secrets("shop")) });
    let own = projects.as_object().expect("an object")[project].clone();
    let variables = hcl::value!({
        "name" = "fg", "iam_prefix" = "fg", "projects" = projects, "bucket_arn" = BUCKET, "kms_key_arn" = null,
        "secret_kms_key_arns" = ["arn:aws:kms:eu-west-1:1:key/secrets"]
    });
    let locals = ["named", "parts", "task_statements"];
    let each = (project, own);
    json(policy(
        "modules/generator",
        "aws_iam_role_policy",
        "task",
        &variables,
        &locals,
        each,
    ))
}

fn json(policy: Value) -> serde_json::Value {
    serde_json::to_value(policy).expect("JSON")
}

/// Every key that belongs to a project.
fn keys(project: &str) -> Vec<String> {
    let of = ExecutionKeys::new(project, ID);
    vec![
        of.plan(),
        of.ready(0),
        of.start(),
        of.setup(),
        of.stop(),
        of.watch(),
        of.placed(),
        of.merge_parts(),
        of.live(0),
        of.shard(0, 1),
        of.manifest(0),
        of.failures(),
        of.merged(),
        of.summary(),
        definition_file(project, "checkout", "abc", "definition.json"),
    ]
}

const OBJECT_ACTIONS: [&str; 6] = [
    "s3:GetObject",
    "s3:PutObject",
    "s3:PutObjectTagging",
    "s3:DeleteObject",
    "s3:GetObjectVersion",
    "s3:PutObjectAcl",
];
const READS: [&str; 4] = [
    "dynamodb:GetItem",
    "dynamodb:BatchGetItem",
    "dynamodb:Query",
    "dynamodb:Scan",
];
const WRITES: [&str; 5] = [
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:PartiQLUpdate",
];

fn objects(project: &str) -> Vec<Request> {
    let each = keys(project).into_iter().flat_map(|key| {
        OBJECT_ACTIONS.map(|action| Request::of(action, &format!("{BUCKET}/{key}")))
    });
    each.collect()
}

fn lists(prefixes: &[&str]) -> Vec<Request> {
    let list = |prefix: &&str| Request::of("s3:ListBucket", BUCKET).with("s3:prefix", prefix);
    prefixes.iter().map(list).collect()
}

fn records(actions: &[&str], project: &str) -> Vec<Request> {
    let mut all = Vec::new();
    for action in actions {
        for (table, key) in [
            (TABLE.to_owned(), format!("PROJECT#{project}")),
            (
                format!("{TABLE}/index/GSI1"),
                format!("TEST#{project}#checkout"),
            ),
        ] {
            all.push(Request::of(action, &table).with("dynamodb:LeadingKeys", &key));
        }
    }
    all
}

fn executions(project: &str) -> Vec<Request> {
    let mut all = Vec::new();
    for scheduled in [false, true] {
        all.push(Request::of(
            "states:StartExecution",
            &machine(project, scheduled),
        ));
        for action in [
            "states:DescribeExecution",
            "states:StopExecution",
            "states:RedriveExecution",
            "states:GetExecutionHistory",
        ] {
            all.push(Request::of(action, &execution(project, scheduled)));
        }
    }
    all
}

/// What is another project's, or nobody's but the functions'.
fn others() -> Vec<Request> {
    let prefix = format!("projects/{OTHER}/");
    let deeper = format!("projects/{OTHER}/executions/{ID}/");
    let mut all = objects(OTHER);
    all.extend(lists(&[
        "",
        "p",
        "projects",
        "projects/",
        "config/",
        &prefix,
        &deeper,
    ]));
    all.extend(records(&READS, OTHER));
    all.extend(records(&WRITES, OTHER));
    all.extend(executions(OTHER));
    let all_runs = format!("{TABLE}/index/GSI2");
    for action in READS.iter().chain(&WRITES) {
        all.push(Request::of(action, &all_runs).with("dynamodb:LeadingKeys", "EXEC"));
    }
    for action in OBJECT_ACTIONS {
        all.push(Request::of(
            action,
            &format!("{BUCKET}/config/placement.json"),
        ));
    }
    all.push(Request::of("dynamodb:Scan", TABLE));
    all.push(Request::of("s3:ListBucket", BUCKET));
    all
}

#[track_caller]
fn denied(who: &str, policy: &serde_json::Value, requests: &[Request]) {
    assert!(!requests.is_empty());
    let holes: Vec<_> = requests
        .iter()
        .filter(|request| allows(policy, request))
        .collect();
    assert!(holes.is_empty(), "{who} may do {holes:#?}");
}

#[track_caller]
fn allowed(who: &str, policy: &serde_json::Value, requests: &[Request]) {
    let gaps: Vec<_> = requests
        .iter()
        .filter(|request| !allows(policy, request))
        .collect();
    assert!(gaps.is_empty(), "{who} may not do {gaps:#?}");
}

#[test]
fn runners_of_one_project_can_do_nothing_to_another() {
    for project in OWN {
        denied(
            &format!("the runner of {project}"),
            &runner(project),
            &others(),
        );
    }
    // A name that only begins alike is another project's, too.
    let shopping = "shopping";
    let mut alike = objects(shopping);
    alike.extend(records(&READS, shopping));
    alike.extend(executions(shopping));
    alike.extend(lists(&["projects/shopping/", "projects/shop"]));
    denied("the runner of shop", &runner("shop"), &alike);
    // Nor do runs of those that have no machine of their own belong to it.
    denied("the runner of shop", &runner("shop"), &executions("*"));
    denied(
        "the runner of the others",
        &runner("*"),
        &executions("shop"),
    );
}

#[test]
fn runners_write_no_records_and_nothing_but_definitions_and_orders_to_stop() {
    for project in OWN {
        let own = if project == "*" { "small" } else { project };
        let policy = runner(project);
        let who = format!("the runner of {project}");
        denied(&who, &policy, &records(&WRITES, own));
        let written = ["definition.json", "control/stop.json"];
        let (may, may_not): (Vec<_>, Vec<_>) = keys(own)
            .into_iter()
            .map(|key| Request::of("s3:PutObject", &format!("{BUCKET}/{key}")))
            .partition(|request| written.iter().any(|end| request.resource.ends_with(end)));
        assert_eq!(may.len(), written.len());
        allowed(&who, &policy, &may);
        denied(&who, &policy, &may_not);
        denied(
            &who,
            &policy,
            &[Request::of(
                "states:StartExecution",
                &machine(project, true),
            )],
        );
        // What is left of the matrix is not empty by mistake.
        let reads = keys(own).into_iter();
        let reads: Vec<_> = reads
            .map(|key| Request::of("s3:GetObject", &format!("{BUCKET}/{key}")))
            .collect();
        allowed(&who, &policy, &reads);
        allowed(
            &who,
            &policy,
            &records(&["dynamodb:GetItem", "dynamodb:Query"], own),
        );
        allowed(
            &who,
            &policy,
            &lists(&[&format!("projects/{own}/executions/")]),
        );
        allowed(
            &who,
            &policy,
            &[
                Request::of("states:StartExecution", &machine(project, false)),
                Request::of("states:StopExecution", &execution(project, false)),
                Request::of("states:DescribeExecution", &execution(project, true)),
            ],
        );
    }
}

#[test]
fn generators_of_one_project_reach_nothing_of_another() {
    let secret = |project: &str| {
        let arn = format!("arn:aws:secretsmanager:eu-west-1:1:secret:{project}/token-AbCdEf");
        Request::of("secretsmanager:GetSecretValue", &arn)
    };
    for project in OWN {
        let policy = generator(project);
        let who = format!("a generator of {project}");
        let mut all = objects(OTHER);
        all.extend(executions(OTHER));
        all.extend(executions(project));
        all.extend(records(&READS, project));
        all.extend(records(&WRITES, project));
        all.push(secret(OTHER));
        all.push(Request::of(
            "s3:GetObject",
            &format!("{BUCKET}/config/placement.json"),
        ));
        denied(&who, &policy, &all);
        let (own, its) = if project == "*" {
            ("small", "rest")
        } else {
            (project, project)
        };
        let of = ExecutionKeys::new(own, ID);
        allowed(
            &who,
            &policy,
            &[
                secret(its),
                Request::of("s3:GetObject", &format!("{BUCKET}/{}", of.plan())),
                Request::of("s3:PutObject", &format!("{BUCKET}/{}", of.shard(0, 1))),
            ],
        );
        // Nor may it judge itself.
        denied(
            &who,
            &policy,
            &[of.plan(), of.summary(), of.merged(), of.start()]
                .map(|key| Request::of("s3:PutObject", &format!("{BUCKET}/{key}"))),
        );
    }
}
