"""Puts one Floodgate stack onto an emulated AWS, and takes it away again.

Roles, policies, the table, the functions, the state machines and the rule that calls reap are read from the Terraform code: `--gateway`
names the program that renders it. What is made here by hand is what differs on an emulator: the bucket without its settings, clusters
without a network, task definitions on the host's network, `config/placement.json` with the bounds of the tests, and the schedule.
Only loopback endpoints are accepted.

    deploy.py up   --endpoint http://127.0.0.1:4566 --bootstrap PATH --out stack.json
    deploy.py down --endpoint http://127.0.0.1:4566
    deploy.py logs --endpoint http://127.0.0.1:4566
    deploy.py invocations --endpoint http://127.0.0.1:4566
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
import subprocess
import sys
import time
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

FUNCTIONS = ("prepare", "launch", "watch", "merge", "finish", "reap", "notify", "export", "api")
#: The function that answers requests.
API = "api"
#: Seconds that a function may take: those of the tests are not optimised, and six runs share two processors.
TIMEOUT_S = 900
ACCOUNT = "000000000000"
#: Parts of a merge at a time: this machine has two processors.
MERGE_CONCURRENCY = 2


@dataclass(frozen=True)
class Options:
    """What is deployed, and where."""

    endpoint: str
    name: str
    region: str
    bootstrap: Path | None
    api_bootstrap: Path | None
    api_caller: list[str]
    package: str | None
    image: str
    engine: list[str]
    generator_s3: str | None
    launch_type: str
    project: list[str]
    schedule: str | None
    schedule_expression: str
    placement: str
    other_region: str | None
    gateway: Path | None
    secret: list[str]
    without: list[str]

    @property
    def iam_prefix(self) -> str:
        """What names of roles begin with: IAM knows no regions."""
        return f"{self.name}-{self.region}"

    @property
    def bucket(self) -> str:
        """Named as Terraform names it, and as `floodgate --cloud` expects it."""
        return f"{self.name}-{ACCOUNT}-{self.region}"


@dataclass(frozen=True)
class Stack:
    """Where everything is: what the tests, and `floodgate --cloud`, are given."""

    endpoint: str
    region: str
    name: str
    bucket: str
    table: str
    state_machine: str
    #: By project; "*" for those that have none of their own.
    state_machines: dict[str, str]
    cluster: str
    task_definition: str
    functions: dict[str, str]
    package: str
    #: The host of the API; `None` without one.
    api: str | None
    #: What names of roles and policies begin with.
    iam_prefix: str
    architecture: str


class Clients:
    """One client a service, all for the same endpoint."""

    def __init__(self, options: Options, region: str | None = None) -> None:
        self.region = region or options.region
        session = boto3.session.Session(
            aws_access_key_id="test", aws_secret_access_key="test", region_name=self.region
        )
        config = Config(
            retries={"max_attempts": 3}, connect_timeout=5, read_timeout=60, s3={"addressing_style": "path"}
        )

        def client(service: str) -> Any:
            return session.client(service, endpoint_url=options.endpoint, config=config)

        self.s3 = client("s3")
        self.dynamodb = client("dynamodb")
        self.iam = client("iam")
        self.functions = client("lambda")
        self.ecs = client("ecs")
        self.states = client("stepfunctions")
        self.events = client("events")
        self.scheduler = client("scheduler")
        self.logs = client("logs")
        self.secrets = client("secretsmanager")
        self.apis = client("apigatewayv2")


def already(error: ClientError) -> bool:
    """Whether a creation failed only because the thing is there."""
    code = error.response["Error"]["Code"]
    return any(word in code for word in ("Exist", "InUse", "Conflict", "AlreadyOwned"))


def create(call: Any, **arguments: Any) -> Any:
    """Creates something unless it is there already: `None` then."""
    try:
        return call(**arguments)
    except ClientError as error:
        if already(error):
            return None
        raise


def role_arn(options: Options, name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{options.iam_prefix}-{name}"


def task_roles(options: Options) -> dict[str, str]:
    """One a project, as Terraform names them."""
    return {
        project: role_arn(options, "generator" if project == "*" else f"generator_{project}")
        for project in options.project
    }


def secrets(clients: Clients, options: Options) -> dict[str, list[str]]:
    """The secrets of each project: their ARNs."""
    arns: dict[str, list[str]] = {project: [] for project in options.project}
    for given in options.secret:
        project, rest = given.split("/", 1)
        name, value = rest.split("=", 1)
        full = f"{options.name}/{project}/{name}"
        create(clients.secrets.create_secret, Name=full, SecretString=value)
        arns[project].append(clients.secrets.describe_secret(SecretId=full)["ARN"])
    return arns


def rendered(options: Options, architecture: str, secret_arns: dict[str, list[str]]) -> dict[str, Any]:
    """Roles, policies and resources as Terraform makes them."""
    if options.gateway is None:
        raise SystemExit("deploy: --gateway is missing: the program floodgate-gateway, built by cargo")
    scheduled = json.loads(options.schedule)["project"] if options.schedule else options.project[-1]
    inputs = {
        "name": options.name,
        "regions": {options.other_region: {}} if options.other_region else {},
        "projects": {project: {"secret_arns": arns} for project, arns in secret_arns.items()},
        # The role of schedules is there whether a schedule is or not: one may come with the next `up`.
        "schedules": {"nightly": {"expression": "rate(1 day)", "project": scheduled, "test": "any"}},
        "functions_package": "",
        "functions_architecture": architecture,
        "emulator_endpoint": options.endpoint,
        "merge_concurrency": MERGE_CONCURRENCY,
        # Whom it lets in stands in config/api.json, which a test writes.
        "api": {"package": "", "issuers": [], "iam": [], "requests_per_second": 20, "console_origins": []},
        # The topic, the bus and the identity are a test's to make.
        "notifications": {
            "topic_arns": [f"arn:aws:sns:{options.region}:{ACCOUNT}:{options.name}-notifications"],
            "event_bus_arns": [f"arn:aws:events:{options.region}:{ACCOUNT}:event-bus/{options.name}"],
            "ses_identity_arns": [f"arn:aws:ses:{options.region}:{ACCOUNT}:identity/mail.example"],
        },
    }
    command = [str(options.gateway), "render", "--inputs", json.dumps(inputs)]
    said = subprocess.run(
        [*command, "--account", ACCOUNT, "--region", options.region], check=True, stdout=subprocess.PIPE
    )
    return json.loads(said.stdout)


def lessened(options: Options, role: str, policy: dict[str, Any]) -> dict[str, Any]:
    """The policy of a role without what `--without` takes from it: a statement by its name, or resources by their end."""
    statements = policy["Statement"]
    for given in options.without:
        of_role, what = given.split(" ", 1)
        if role != f"{options.iam_prefix}-{of_role}":
            continue
        before = json.dumps(statements)
        statements = [
            statement | {"Resource": [arn for arn in statement["Resource"] if not arn.endswith(what)]}
            for statement in statements
            if statement.get("Sid") != what
        ]
        statements = [statement for statement in statements if statement["Resource"]]
        if json.dumps(statements) == before and what in json.dumps(policy):
            raise SystemExit(f"deploy: --without {given!r} takes nothing away")
    return policy | {"Statement": statements}


def roles(clients: Clients, options: Options, rendering: dict[str, Any]) -> None:
    """Every role with its policies, those to attach, and the bucket's."""
    for name, role in rendering["roles"].items():
        create(clients.iam.create_role, RoleName=name, AssumeRolePolicyDocument=json.dumps(role["trust"]))
        for policy, document in role["policies"].items():
            text = json.dumps(lessened(options, name, document))
            clients.iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=text)
    for name, document in rendering["managed"].items():
        unless_absent(clients.iam.delete_policy, PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/{name}")
        clients.iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))
    for name, document in rendering["buckets"].items():
        clients.s3.put_bucket_policy(Bucket=name, Policy=json.dumps(document))


def bucket(clients: Clients, options: Options) -> None:
    create(
        clients.s3.create_bucket,
        Bucket=options.bucket,
        CreateBucketConfiguration={"LocationConstraint": options.region},
    )


def table(clients: Clients, resources: dict[str, Any]) -> None:
    """The table of records."""
    made = resources["aws_dynamodb_table"]["this"]
    keys = {"HASH": made["hash_key"], "RANGE": made["range_key"]}
    create(
        clients.dynamodb.create_table,
        TableName=made["name"],
        BillingMode=made["billing_mode"],
        AttributeDefinitions=[
            {"AttributeName": attribute["name"], "AttributeType": attribute["type"]} for attribute in made["attribute"]
        ],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for kind, name in keys.items()],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index["name"],
                "KeySchema": [
                    {"AttributeName": key["attribute_name"], "KeyType": key["key_type"]} for key in index["key_schema"]
                ],
                "Projection": {"ProjectionType": index["projection_type"]},
            }
            for index in made["global_secondary_index"]
        ],
    )


def task_definition(clients: Clients, options: Options, architecture: str, engine: str, image: str) -> str:
    """The generator's of one engine, on the host's network so that its load stays on loopback; the ARN."""
    # The emulator itself sets AWS_ENDPOINT_URL in the container; that of one service goes before it.
    environment = [{"name": "AWS_REGION", "value": clients.region}]
    if options.generator_s3:
        environment.append({"name": "AWS_ENDPOINT_URL_S3", "value": options.generator_s3})
    registered = clients.ecs.register_task_definition(
        family=f"{options.name}-generator-{engine}-{architecture}",
        networkMode="host",
        cpu="1024",
        memory="2048",
        runtimePlatform={"cpuArchitecture": architecture.upper(), "operatingSystemFamily": "LINUX"},
        # Launch hands each task the role of its project.
        executionRoleArn=role_arn(options, "generator-execution"),
        containerDefinitions=[
            {
                "name": "generator",
                "image": image,
                "essential": True,
                "stopTimeout": 120,
                "environment": environment,
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": f"/floodgate/{options.name}/generator",
                        "awslogs-region": clients.region,
                        "awslogs-stream-prefix": engine,
                    },
                },
            }
        ],
    )
    return registered["taskDefinition"]["taskDefinitionArn"]


def regional(clients: Clients, options: Options, architecture: str) -> dict[str, Any]:
    """A cluster and what runs in it, as `config/placement.json` names them."""
    create(clients.logs.create_log_group, logGroupName=f"/floodgate/{options.name}/generator")
    images = {"http": options.image} | dict(entry.split("=", 1) for entry in options.engine)
    definitions = {
        engine: {architecture: task_definition(clients, options, architecture, engine, image)}
        for engine, image in images.items()
    }
    return {
        "cluster": clients.ecs.create_cluster(clusterName=options.name)["cluster"]["clusterArn"],
        "task_definitions": definitions,
        "networks": {
            "default": {
                "subnets": ["subnet-00000000"],
                "security_groups": ["sg-00000000"],
                "assign_public_ip": False,
            }
        },
        "vcpu_quota": 4096,
    }


def placement(
    clients: Clients, options: Options, regions: dict[str, Any], secret_arns: dict[str, list[str]]
) -> None:
    """`config/placement.json`: where tasks may run, and who may start how many."""
    document = {
        "schema": 1,
        "regions": regions,
        "capacity": {"provider": "FARGATE", "fallback": True},
        "launch_type": options.launch_type,
        "projects": {
            project: {
                "max_tasks": 100,
                "max_cost_usd": None,
                "max_monthly_usd": 1e6,
                "principals": ["*"],
                "secret_arns": secret_arns[project],
            }
            for project in options.project
        },
        "task_roles": task_roles(options),
        "image_digest": {},
        "max_tasks_per_execution": 100,
    }
    if options.schedule:
        document["schedules"] = {"nightly": json.loads(options.schedule)}
    document |= json.loads(options.placement)
    body = json.dumps(document, indent=1).encode()
    clients.s3.put_object(Bucket=options.bucket, Key="config/placement.json", Body=body)


def package(clients: Clients, options: Options) -> str:
    """The zip of the functions, unless another stack has it: bucket/key."""
    if options.package:
        return options.package
    if options.bootstrap is None:
        raise SystemExit("deploy: --bootstrap is missing: the program of the functions, built by cargo")
    return packed(clients, options, options.bootstrap)


def packed(clients: Clients, options: Options, program: Path) -> str:
    """The zip with a program as `bootstrap`, in the bucket under its own hash: bucket/key."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        # A fixed date: the same program is the same package, and is unpacked once.
        entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
        entry.external_attr = 0o755 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, program.read_bytes())
    body = buffer.getvalue()
    key = f"config/functions-{hashlib.sha256(body).hexdigest()[:16]}.zip"
    clients.s3.put_object(Bucket=options.bucket, Key=key, Body=body)
    return f"{options.bucket}/{key}"


def functions(clients: Clients, resources: dict[str, Any], programs: dict[str, str]) -> dict[str, str]:
    """The functions: one program, told by a variable which of them it is; the API's is another."""
    arns = {}
    for made in resources["aws_lambda_function"].values():
        name, log = made["function_name"], made["logging_config"][0]
        variables = made["environment"][0]["variables"]
        function = variables.get("FLOODGATE_FUNCTION", API)
        program = programs.get(API if function == API else "all")
        if program is None:
            continue
        where, key = program.split("/", 1)
        code = {"S3Bucket": where, "S3Key": key}
        settings = {
            "Runtime": made["runtime"],
            "Handler": made["handler"],
            "Role": made["role"],
            "LoggingConfig": {"LogFormat": log["log_format"], "LogGroup": log["log_group"]},
            "Timeout": TIMEOUT_S,
            "MemorySize": made["memory_size"],
            "Environment": {"Variables": variables},
        }
        if create(
            clients.functions.create_function,
            FunctionName=name,
            Code=code,
            Architectures=made["architectures"],
            **settings,
        ) is None:
            clients.functions.update_function_code(FunctionName=name, **code)
            clients.functions.update_function_configuration(FunctionName=name, **settings)
        found = clients.functions.get_function(FunctionName=name)["Configuration"]
        arns[function] = found["FunctionArn"]
    return arns


def api(clients: Clients, options: Options, resources: dict[str, Any], function: str | None) -> str | None:
    """The gateway of the API, and roles that may call it; its host. `None` if its function is not there."""
    made = resources["aws_apigatewayv2_api"]["this"]
    name = made["name"]
    for old in clients.apis.get_apis()["Items"]:
        if old["Name"] == name:
            clients.apis.delete_api(ApiId=old["ApiId"])
    if function is None:
        return None
    gateway = clients.apis.create_api(Name=name, ProtocolType=made["protocol_type"])
    made = resources["aws_apigatewayv2_integration"]["this"]
    integration = clients.apis.create_integration(
        ApiId=gateway["ApiId"],
        IntegrationType=made["integration_type"],
        IntegrationUri=function,
        PayloadFormatVersion=made["payload_format_version"],
    )
    target = f"integrations/{integration['IntegrationId']}"
    routes = [made for key, made in resources["aws_apigatewayv2_route"].items() if key.startswith("this[")]
    for made in routes:
        clients.apis.create_route(
            ApiId=gateway["ApiId"],
            RouteKey=made["route_key"],
            AuthorizationType=made["authorization_type"],
            Target=target,
        )
    made = resources["aws_apigatewayv2_stage"]["this"]
    clients.apis.create_stage(ApiId=gateway["ApiId"], StageName=made["name"], AutoDeploy=made["auto_deploy"])
    # Terraform does not know the id beforehand, and neither does what renders it: there the name stands for it.
    for made in resources["aws_lambda_permission"].values():
        if f":{name}/" in made.get("source_arn", ""):
            made["source_arn"] = made["source_arn"].replace(f":{name}/", f":{gateway['ApiId']}/")
    callers(clients, options, f"arn:aws:execute-api:{options.region}:{ACCOUNT}:{gateway['ApiId']}/*/iam/*")
    return f"{gateway['ApiId']}.execute-api.localhost"


def callers(clients: Clients, options: Options, routes: str) -> None:
    """Roles of whoever signs requests for these routes."""
    anybody = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    trust = {"Version": "2012-10-17", "Statement": [anybody]}
    invoke = {"Sid": "CallApi", "Effect": "Allow", "Action": ["execute-api:Invoke"], "Resource": [routes]}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [invoke]})
    for caller in options.api_caller:
        name = f"{options.iam_prefix}-{caller}"
        create(clients.iam.create_role, RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        clients.iam.put_role_policy(RoleName=name, PolicyName="api", PolicyDocument=policy)


def permissions(clients: Clients, resources: dict[str, Any], arns: dict[str, str]) -> None:
    """Which services may call which function."""
    for made in resources["aws_lambda_permission"].values():
        if made["function_name"].endswith("-api") and API not in arns:
            continue
        which = {"FunctionName": made["function_name"].rsplit(":", 1)[-1], "StatementId": made["statement_id"]}
        unless_absent(clients.functions.remove_permission, **which)
        clients.functions.add_permission(
            **which, Action=made["action"], Principal=made["principal"], SourceArn=made["source_arn"]
        )


#: What Terraform calls the state machine of a project's schedules, after the project.
SCHEDULED = "/scheduled"


def state_machines(clients: Clients, options: Options, resources: dict[str, Any]) -> dict[str, str]:
    """The state machines by project, that of the schedule with [`SCHEDULED`] after it, if there is one: their ARNs."""
    arns = {}
    for key, made in resources["aws_sfn_state_machine"].items():
        project = key.removeprefix('this["').removesuffix('"]')
        if project.endswith(SCHEDULED) and not options.schedule:
            continue
        name, definition, role = made["name"], made["definition"], made["role_arn"]
        arn = f"arn:aws:states:{options.region}:{ACCOUNT}:stateMachine:{name}"
        if create(
            clients.states.create_state_machine, name=name, definition=definition, roleArn=role, type=made["type"]
        ) is None:
            clients.states.update_state_machine(stateMachineArn=arn, definition=definition, roleArn=role)
        arns[project] = arn
    return arns


def rule(clients: Clients, resources: dict[str, Any]) -> None:
    """An execution that ends without a verdict of its own is reaped."""
    made = resources["aws_cloudwatch_event_rule"]["ended"]
    clients.events.put_rule(Name=made["name"], EventPattern=json.dumps(made["event_pattern"]), State="ENABLED")
    target = resources["aws_cloudwatch_event_target"]["reap"]
    transformer = target["input_transformer"][0]
    clients.events.put_targets(
        Rule=target["rule"],
        Targets=[
            {
                "Id": target["target_id"],
                "Arn": target["arn"],
                "InputTransformer": {
                    "InputPathsMap": transformer["input_paths"],
                    "InputTemplate": transformer["input_template"],
                },
            }
        ],
    )


def schedule(clients: Clients, options: Options, machine: str) -> None:
    """A schedule that starts a run by its name, in the stack's group, which its role trusts."""
    create(clients.scheduler.create_schedule_group, Name=options.name)
    arguments = {
        "Name": "nightly",
        "GroupName": options.name,
        "ScheduleExpression": options.schedule_expression,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": machine,
            "RoleArn": role_arn(options, "schedules"),
            "Input": json.dumps({"schedule": "nightly"}),
        },
    }
    if create(clients.scheduler.create_schedule, **arguments) is None:
        clients.scheduler.update_schedule(**arguments)


def up(options: Options) -> Stack:
    """Creates what is missing and brings the rest up to date."""
    clients = Clients(options)
    architecture = host_architecture()
    bucket(clients, options)
    secret_arns = secrets(clients, options)
    rendering = rendered(options, architecture, secret_arns)
    resources = rendering["resources"]
    table(clients, resources)
    roles(clients, options, rendering)
    home = regional(clients, options, architecture)
    regions = {options.region: home}
    if options.other_region:
        regions[options.other_region] = regional(Clients(options, options.other_region), options, architecture)
    placement(clients, options, regions, secret_arns)
    programs = {"all": package(clients, options)}
    if options.api_bootstrap:
        programs[API] = packed(clients, options, options.api_bootstrap)
    arns = functions(clients, resources, programs)
    host = api(clients, options, resources, arns.get(API))
    permissions(clients, resources, arns)
    machines = state_machines(clients, options, resources)
    rule(clients, resources)
    of_schedules = [arn for project, arn in machines.items() if project.endswith(SCHEDULED)]
    if of_schedules:
        schedule(clients, options, of_schedules[0])
    of_callers = {project: arn for project, arn in machines.items() if not project.endswith(SCHEDULED)}
    return Stack(
        endpoint=options.endpoint,
        region=options.region,
        name=options.name,
        bucket=options.bucket,
        table=options.name,
        state_machine=of_callers[options.project[0]],
        state_machines=of_callers,
        cluster=home["cluster"],
        task_definition=home["task_definitions"]["http"][architecture],
        functions=arns,
        package=programs["all"],
        api=host,
        iam_prefix=options.iam_prefix,
        architecture=architecture,
    )


def host_architecture() -> str:
    import platform

    return "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"


def down(options: Options) -> None:
    """Stops what runs and deletes what would start more; data goes with the emulator."""
    clients = Clients(options)
    # First what would start something, then what runs.
    for call, arguments in (
        (clients.scheduler.delete_schedule, {"Name": "nightly", "GroupName": options.name}),
        (clients.events.remove_targets, {"Rule": f"{options.name}-ended", "Ids": ["reap"]}),
        (clients.events.delete_rule, {"Name": f"{options.name}-ended"}),
    ):
        unless_absent(call, **arguments)
    for machine in own_machines(clients, options):
        running = unless_absent(clients.states.list_executions, stateMachineArn=machine, statusFilter="RUNNING")
        for execution in (running or {}).get("executions", []):
            unless_absent(clients.states.stop_execution, executionArn=execution["executionArn"], cause="teardown")
        unless_absent(clients.states.delete_state_machine, stateMachineArn=machine)
    while tasks := (unless_absent(clients.ecs.list_tasks, cluster=options.name) or {}).get("taskArns"):
        for task in tasks:
            unless_absent(clients.ecs.stop_task, cluster=options.name, task=task, reason="teardown")
        time.sleep(0.1)
    for which in FUNCTIONS:
        unless_absent(clients.functions.delete_function, FunctionName=f"{options.name}-{which}")


def own_machines(clients: Clients, options: Options) -> list[str]:
    """ARNs of the stack's state machines, whatever projects it was put up with."""
    found = clients.states.get_paginator("list_state_machines").paginate()
    every = [machine for page in found for machine in page["stateMachines"]]
    return [
        machine["stateMachineArn"]
        for machine in every
        if machine["name"] == options.name or machine["name"].startswith(f"{options.name}_")
    ]


def unless_absent(call: Any, **arguments: Any) -> Any:
    """The answer; `None` when what it is about is not there."""
    try:
        return call(**arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if "NotFound" in code or "DoesNotExist" in code or code == "NoSuchEntity":
            return None
        raise


def logs(options: Options) -> None:
    """Prints what the functions and the generators have logged, oldest first."""
    clients = Clients(options)
    lines: list[tuple[int, str, str]] = []
    for group in clients.logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        if options.name not in name:
            continue
        for page in clients.logs.get_paginator("filter_log_events").paginate(logGroupName=name):
            lines.extend((event["timestamp"], name, event["message"]) for event in page["events"])
    for at, name, message in sorted(lines):
        print(at, name.rsplit("/", 1)[-1], message.rstrip())


def invocations(options: Options) -> None:
    """Prints the invocations of the functions as Lambda bills them, oldest first: each has a stream of its own in the log."""
    clients = Clients(options)
    found: list[dict[str, Any]] = []
    for group in clients.logs.describe_log_groups()["logGroups"]:
        name = group["logGroupName"]
        if not name.startswith(f"/floodgate/{options.name}/"):
            continue
        streams: dict[str, list[dict[str, Any]]] = {}
        for page in clients.logs.get_paginator("filter_log_events").paginate(logGroupName=name):
            for event in page["events"]:
                streams.setdefault(event["logStreamName"], []).append(event)
        for events in streams.values():
            found.extend(invocation(name.rsplit("/", 1)[-1], events))
    print(json.dumps(sorted(found, key=lambda one: one["began_ms"]), indent=1))


#: The line that Lambda ends an invocation with: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
REPORT = re.compile(r"^REPORT .*\bBilled Duration: (\d+) ms\s+Memory Size: (\d+) MB")


def invocation(function: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a stream says of its invocation; nothing unless it has been billed and was about a run."""
    billed = next(filter(None, (REPORT.match(event["message"]) for event in events)), None)
    lines = (json.loads(event["message"]) for event in events if event["message"].startswith("{"))
    execution = next((line["execution"] for line in lines if "execution" in line), None)
    if billed is None or execution is None:
        return []
    billed_ms, memory_mb = map(int, billed.groups())
    return [
        {
            "function": function,
            "execution": execution,
            "began_ms": events[-1]["timestamp"] - billed_ms,
            "billed_ms": billed_ms,
            "memory_mb": memory_mb,
        }
    ]


def executions(options: Options) -> None:
    """Prints the executions of the state machines, oldest first."""
    clients = Clients(options)

    def ms(moment: Any) -> int | None:
        return moment and round(moment.timestamp() * 1000)

    listed = [
        execution
        for machine in own_machines(clients, options)
        for execution in clients.states.list_executions(stateMachineArn=machine)["executions"]
    ]
    found = [
        {
            "name": execution["name"],
            "arn": execution["executionArn"],
            "status": execution["status"],
            "start_ms": ms(execution["startDate"]),
            "stop_ms": ms(execution.get("stopDate")),
        }
        for execution in listed
    ]
    print(json.dumps(sorted(found, key=lambda execution: execution["start_ms"]), indent=1))


def arguments() -> tuple[str, Options, Path | None]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("up", "down", "logs", "invocations", "executions"))
    parser.add_argument("--endpoint", required=True, help="such as http://127.0.0.1:4566")
    parser.add_argument("--name", default="floodgate", help="the stack's name")
    parser.add_argument("--region", default="eu-west-1")
    parser.add_argument("--bootstrap", type=Path, help="the program floodgate-functions")
    parser.add_argument("--api-bootstrap", type=Path, help="the program floodgate-api; without it there is no API")
    parser.add_argument("--api-caller", action="append", default=[], metavar="ROLE", help="a role that may call the API")
    parser.add_argument("--package", help="bucket/key of the zip, when another stack has put it there")
    parser.add_argument("--image", default="floodgate-generator:dev")
    parser.add_argument("--engine", action="append", default=[], metavar="ENGINE=IMAGE", help="one more engine")
    parser.add_argument("--generator-s3", help="where generators find S3 instead: a proxy that injects faults")
    parser.add_argument("--launch-type", default="EC2", help="host networking needs EC2")
    parser.add_argument("--project", action="append", help="one with a state machine of its own, or * for all others")
    parser.add_argument("--schedule", help="what a schedule starts, as JSON: project, test, and so on")
    parser.add_argument("--schedule-expression", default="rate(1 minute)")
    parser.add_argument("--placement", default="{}", help="keys of config/placement.json to replace, as JSON")
    parser.add_argument("--other-region", help="one more region that generators run in")
    parser.add_argument("--gateway", type=Path, help="the program floodgate-gateway, which renders the Terraform code")
    parser.add_argument("--secret", action="append", default=[], metavar="PROJECT/NAME=VALUE", help="a project's secret")
    parser.add_argument(
        "--without", action="append", default=[], metavar="ROLE SID|RESOURCE", help="take a permission from a role"
    )
    parser.add_argument("--out", type=Path, help="file for the stack's names; standard output without")
    given = vars(parser.parse_args())
    action, out = given.pop("action"), given.pop("out")
    given["project"] = given["project"] or ["*", "cloud"]
    host = urlsplit(given["endpoint"]).hostname
    if host not in ("127.0.0.1", "localhost", "::1"):
        parser.error(f"--endpoint {given['endpoint']}: an emulator on this machine is wanted, such as http://127.0.0.1:4566")
    return action, Options(**given), out


def main() -> None:
    action, options, out = arguments()
    if action == "down":
        down(options)
    elif action == "logs":
        logs(options)
    elif action == "invocations":
        invocations(options)
    elif action == "executions":
        executions(options)
    else:
        text = json.dumps(asdict(up(options)), indent=1)
        if out:
            out.write_text(text + "\n")
        else:
            print(text)


if __name__ == "__main__":
    try:
        main()
    except ClientError as error:
        sys.exit(f"deploy: {error}")
