//! What roles and policies of one project may do to another's: each action that any policy of the stack names on each thing of the other, by
//! the policies as Terraform renders them for a stack with two projects that are named.

use crate::stack::{ACCOUNT, STACK, read, secret_arn};
use floodgate_iam::{Caller, Decision, Policy, decide};
use floodgate_records::keys::{ExecutionKeys, buckets, definition_file};
use std::collections::BTreeSet;

const BUCKET: &str = "arn:aws:s3:::fg-123456789012-eu-west-1";
const TABLE: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/fg";
const STATES: &str = "arn:aws:states:eu-west-1:123456789012";
const ID: &str = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";

/// Those of a policy's owners that are bounded: to a project that is named, and to all that are not.
const OWN: [&str; 2] = ["shop", "*"];
/// The project that nobody of them may touch.
const OTHER: &str = "search";

/// One call, as IAM sees it.
#[derive(Clone, Debug)]
struct Request {
    action: String,
    resource: String,
    key: Option<(&'static str, String)>,
}

impl Request {
    fn of(action: &str, resource: &str) -> Self {
        Self {
            action: action.to_owned(),
            resource: resource.to_owned(),
            key: None,
        }
    }

    /// The same with a condition key.
    fn with(mut self, key: &'static str, value: &str) -> Self {
        self.key = Some((key, value.to_owned()));
        self
    }
}

/// Whether a role with these policies, and the bucket's, may do it.
fn allows(policies: &[Policy], request: &Request) -> bool {
    let caller = Caller::role(&format!("arn:aws:iam::{ACCOUNT}:role/somebody"), "ann");
    let mut asked = floodgate_iam::Request::new(caller, &request.action, &request.resource)
        .with("aws:SecureTransport", "true");
    if let Some((key, value)) = &request.key {
        asked = asked.with(key, value);
    }
    let bucket =
        Policy::of_resource(&STACK.buckets["fg-123456789012-eu-west-1"]).expect("a policy");
    let outcome = decide(policies, &[bucket], &asked).expect("a decision");
    outcome.decision == Decision::Allowed
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
fn runner(project: &str) -> Vec<Policy> {
    let name = if project == "*" { "all" } else { project };
    vec![read(&STACK.managed[&format!("fg-eu-west-1-runner-{name}")])]
}

/// The policies of the role of a project's generators.
fn generator(project: &str) -> Vec<Policy> {
    let end = if project == "*" {
        String::new()
    } else {
        format!("_{project}")
    };
    let role = &STACK.roles[&format!("fg-eu-west-1-generator{end}")];
    role.policies.values().map(read).collect()
}

/// Every action that a policy of the stack allows to anybody, and those of other services that come near.
fn every_action() -> BTreeSet<String> {
    let of_roles = STACK.roles.values().flat_map(|role| role.policies.values());
    let policies: Vec<Policy> = of_roles.chain(STACK.managed.values()).map(read).collect();
    let permissions = policies.iter().flat_map(Policy::permissions);
    let mut all: BTreeSet<String> = permissions
        .map(|(_, action, _)| action.to_owned())
        .collect();
    let others = OBJECT_ACTIONS
        .iter()
        .chain(&READS)
        .chain(&WRITES)
        .chain(&EXECUTION_ACTIONS);
    all.extend(others.map(|action| (*action).to_owned()));
    assert!(all.len() > 45, "{all:?}");
    all
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
        buckets(project, "checkout", "2026-11-29", ID),
        format!("notifications/{project}/msg_{ID}_ended_0.json"),
        format!("notifications/{project}/asked/ended_{ID}"),
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
const EXECUTION_ACTIONS: [&str; 4] = [
    "states:DescribeExecution",
    "states:StopExecution",
    "states:RedriveExecution",
    "states:GetExecutionHistory",
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
            (TABLE.to_owned(), format!("AUDIT#{project}")),
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
        for action in EXECUTION_ACTIONS {
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
fn denied(who: &str, policy: &[Policy], requests: &[Request]) {
    assert!(!requests.is_empty());
    let holes: Vec<_> = requests
        .iter()
        .filter(|request| allows(policy, request))
        .collect();
    assert!(holes.is_empty(), "{who} may do {holes:#?}");
}

#[track_caller]
fn allowed(who: &str, policy: &[Policy], requests: &[Request]) {
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
        let asked = format!("asked/ended_{ID}");
        let written = ["definition.json", "control/stop.json", asked.as_str()];
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
        allowed(&who, &policy, &records(&["dynamodb:Query"], own));
        let record = Request::of("dynamodb:GetItem", TABLE);
        let key = format!("PROJECT#{own}");
        allowed(&who, &policy, &[record.with("dynamodb:LeadingKeys", &key)]);
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
        Request::of(
            "secretsmanager:GetSecretValue",
            &secret_arn(project, "AbCdEf"),
        )
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
            &[
                of.plan(),
                of.summary(),
                of.merged(),
                of.start(),
                buckets(own, "checkout", "2026-11-29", ID),
            ]
            .map(|key| Request::of("s3:PutObject", &format!("{BUCKET}/{key}"))),
        );
    }
}

/// Everything of a project that has a name of its own: objects, records, state machines, executions, secrets, its generators' role.
fn things(project: &str) -> Vec<(String, Option<(&'static str, String)>)> {
    let mut all: Vec<(String, Option<(&'static str, String)>)> = Vec::new();
    let objects = keys(project)
        .into_iter()
        .map(|key| format!("{BUCKET}/{key}"));
    all.extend(objects.map(|object| (object, None)));
    for prefix in [
        "projects/PROJECT/",
        "projects/PROJECT/executions/",
        "projects/PROJECT/definitions/checkout/",
        "notifications/PROJECT/",
    ] {
        let prefix = prefix.replace("PROJECT", project);
        all.push((BUCKET.to_owned(), Some(("s3:prefix", prefix))));
    }
    let leading = |value: String| Some(("dynamodb:LeadingKeys", value));
    all.push((TABLE.to_owned(), leading(format!("PROJECT#{project}"))));
    all.push((TABLE.to_owned(), leading(format!("AUDIT#{project}"))));
    let of_test = leading(format!("TEST#{project}#checkout"));
    all.push((format!("{TABLE}/index/GSI1"), of_test));
    all.push((format!("{TABLE}/index/GSI2"), leading("EXEC".into())));
    for scheduled in [false, true] {
        all.push((machine(project, scheduled), None));
        all.push((execution(project, scheduled), None));
    }
    all.push((secret_arn(project, "AbCdEf"), None));
    let role = format!("arn:aws:iam::{ACCOUNT}:role/fg-eu-west-1-generator_{project}");
    all.push((role, None));
    all
}

/// What is there once for all projects, and nobody's but the functions'.
fn shared() -> Vec<(String, Option<(&'static str, String)>)> {
    let regional =
        |service: &str, rest: &str| format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:{rest}");
    let cluster = Some(("ecs:cluster", regional("ecs", "cluster/fg")));
    let mut all = vec![
        (format!("{BUCKET}/config/placement.json"), None),
        (
            regional("ecs", "task/fg/00000000000000000000000000000000"),
            cluster.clone(),
        ),
        (
            regional("ecs", "task-definition/fg-generator-http-x86_64:1"),
            cluster,
        ),
        (regional("sqs", "fg-dead-letters"), None),
        (
            format!("arn:aws:iam::{ACCOUNT}:role/fg-eu-west-1-generator-execution"),
            None,
        ),
    ];
    for function in [
        "prepare", "launch", "watch", "merge", "finish", "reap", "notify", "export",
    ] {
        all.push((regional("lambda", &format!("function:fg-{function}")), None));
        let group = regional(
            "logs",
            &format!("log-group:/floodgate/fg/{function}:log-stream:x"),
        );
        all.push((group, None));
    }
    all
}

/// No hole: whatever any policy allows to anybody, on whatever the other project has.
#[test]
fn no_action_of_any_role_reaches_another_project() {
    let everything: Vec<_> = things(OTHER).into_iter().chain(shared()).collect();
    let requests = |but: &[&str]| -> Vec<Request> {
        let actions = every_action();
        let actions = actions
            .iter()
            .filter(|action| !but.contains(&action.as_str()));
        let each = actions.flat_map(|action| {
            everything.iter().map(move |(resource, key)| Request {
                key: key.clone(),
                ..Request::of(action, resource)
            })
        });
        each.collect()
    };
    let all = requests(&[]);
    assert!(all.len() > 2_000, "{}", all.len());
    for project in OWN {
        denied(&format!("the runner of {project}"), &runner(project), &all);
        // A task is shown the names of all objects, so that it can tell absent ones from forbidden ones: terraform/modules/generator says why.
        let who = format!("a generator of {project}");
        denied(&who, &generator(project), &requests(&["s3:ListBucket"]));
    }
    // Nor does what serves all projects: the scheduler starts machines, and the agent signs in to pull images, and that is all.
    let role = |name: &str| -> Vec<Policy> {
        let role = &STACK.roles[&format!("fg-eu-west-1-{name}")];
        role.policies.values().map(read).collect()
    };
    let agent = requests(&["ecr:GetAuthorizationToken"]);
    denied("the execution role", &role("generator-execution"), &agent);
    let scheduler = requests(&["sqs:SendMessage", "states:StartExecution"]);
    denied("the scheduler", &role("schedules"), &scheduler);
}
