"""In whose name things happen in MiniStack.

MiniStack 1.5.33 gives functions and tasks keys of nobody, and asks nobody when a service does something for another. Here the key
of a function or a task is the name of its role, by which the gateway before MiniStack (`crates/gateway`) knows it; and what Step Functions,
Scheduler, Lambda, API Gateway and the agent of ECS do in the name of a role is put to the gateway first.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import logging
import os
import threading
import time
import urllib.request
from typing import Any

#: URL of the gateway; without one nothing is changed.
GATEWAY = os.environ.get("FLOODGATE_GATEWAY", "")

logger = logging.getLogger("floodgate")


def refusal(role: str, action: str, resource: str) -> str | None:
    """Why a role may not do something; `None` if it may."""
    return ask({"role": role.rsplit("/", 1)[-1], "action": action, "resource": resource, "context": {}})


def refusal_of(service: str, action: str, resource: str, source: str) -> str | None:
    """The same of a service, which does it because of something of this account: the ARN of that."""
    account = source.split(":")[4]
    context = {"aws:SourceArn": source, "aws:SourceAccount": account}
    return ask({"service": f"{service}.amazonaws.com", "action": action, "resource": resource, "context": context})


def untrusting(service: str, role: str, source: str) -> str | None:
    """Why a service cannot take a role; `None` if it can."""
    return refusal_of(service, "sts:AssumeRole", role, source)


def ask(asked: dict[str, Any]) -> str | None:
    """Puts something to the gateway: why not."""
    request = urllib.request.Request(
        f"{GATEWAY}/_floodgate/authorize", json.dumps(asked).encode(), {"content-type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)["message"]
    except OSError as error:
        return f"the gateway does not answer: {error}"


def keys(role: str) -> dict[str, str]:
    """Credentials of a role."""
    return {
        "AWS_ACCESS_KEY_ID": role.rsplit("/", 1)[-1] or "nobody",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "",
    }


def arn(service: str, rest: str) -> str:
    from ministack.core.responses import get_account_id, get_region

    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{rest}"


def functions() -> None:
    """The execution role of a function: its keys, and its logs."""
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    def credentials(config: dict[str, Any]) -> dict[str, str]:
        role = config.get("Role", "")
        # A function whose role Lambda cannot take is not started; here it starts as nobody, who may do nothing.
        return keys("" if untrusting("lambda", role, config.get("FunctionArn", "")) else role)

    write = lambda_svc._emit_lambda_logs

    def written(func: dict[str, Any], *arguments: Any, **named: Any) -> None:
        config = func.get("config") or func
        name = config.get("FunctionName", "")
        group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}"
        if may_log(config.get("Role", ""), group):
            write(func, *arguments, **named)

    lambda_runtime.execution_credentials = credentials
    lambda_svc.execution_credentials = credentials
    lambda_svc._emit_lambda_logs = written


def may_log(role: str, group: str) -> bool:
    """As on AWS, whoever may not write logs loses them without a word."""
    stream = arn("logs", f"log-group:{group}:log-stream:all")
    return not any(refusal(role, action, stream) for action in ("logs:CreateLogStream", "logs:PutLogEvents"))


def tasks() -> None:
    """The role of a task: its keys, which it asks for where ECS has them, and the gateway in place of MiniStack itself."""
    from ministack.services import ecs, imds

    roles: dict[str, str] = {}
    by_path: dict[str, str] = {}
    start, register, answer = ecs._start_task_worker, ecs._register_metadata, imds.handle_request

    def taken(role: str, task: str) -> str:
        return "" if role and untrusting("ecs-tasks", role, task) else role

    def started(task, definition, overrides, docker):
        role = (task.get("overrides") or {}).get("taskRoleArn") or definition.get("taskRoleArn") or ""
        roles[task["taskArn"]] = taken(role, task["taskArn"])
        for container in definition.get("containerDefinitions", []):
            group = ((container.get("logConfiguration") or {}).get("options") or {}).get("awslogs-group")
            if group:
                may_log(taken(definition.get("executionRoleArn") or "", task["taskArn"]), group)
        return start(task, definition, overrides, docker)

    def registered(task_arn, cluster_arn, td, cdef, launch_type, env, *rest):
        token = register(task_arn, cluster_arn, td, cdef, launch_type, env, *rest)
        env["AWS_ENDPOINT_URL"] = GATEWAY
        path = "/v2/credentials/" + env["AWS_CONTAINER_CREDENTIALS_FULL_URI"].rsplit("/", 1)[-1]
        by_path[path] = roles.get(task_arn, "")
        return token

    async def answered(method, path, headers, body, query_params):
        if path not in by_path:
            return await answer(method, path, headers, body, query_params)
        own = keys(by_path[path])
        document = {
            "AccessKeyId": own["AWS_ACCESS_KEY_ID"],
            "SecretAccessKey": own["AWS_SECRET_ACCESS_KEY"],
            "Token": "test",
            "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 6 * 3600)),
            "RoleArn": by_path[path],
        }
        return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()

    ecs._start_task_worker = started
    ecs._register_metadata = registered
    imds.handle_request = answered


def state_machines() -> None:
    """The role of a state machine calls the functions, and starts the children of a Distributed Map."""
    from ministack.services import stepfunctions as states

    acting = contextvars.ContextVar("acting", default="")
    execute, call, run_map = states._execute_task, states._call_lambda, states._run_distributed_map

    def machine(execution: dict[str, Any]) -> tuple[str, str]:
        """ARN and role of that of an execution, of its parent's for a child."""
        own = execution["stateMachineArn"].split("/")[0]
        role = (states._state_machines.get(own) or {}).get("roleArn", "")
        return own, "" if own in untrusted(own, role) else role

    known: dict[tuple[str, str], set[str]] = {}

    def untrusted(own: str, role: str) -> set[str]:
        """The machine, if Step Functions cannot take its role: asked once a role, since each state of an execution needs it."""
        if (own, role) not in known:
            known[own, role] = {own} if untrusting("states", role, own) else set()
        return known[own, role]

    def allow(role: str, action: str, resource: str) -> None:
        why = refusal(role, action, resource)
        if why:
            # https://docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
            raise states._ExecutionError("Lambda.AWSLambdaException", why)

    def executed(state_def, raw_input, execution, ctx):
        acting.set(machine(execution)[1])
        return execute(state_def, raw_input, execution, ctx)

    def called(func_ref, event):
        function = func_ref if func_ref.startswith("arn:") else arn("lambda", f"function:{func_ref}")
        allow(acting.get(), "lambda:InvokeFunction", function)
        return call(func_ref, event)

    def mapped(state_def, raw_input, effective, iterator, execution, ctx):
        own, role = machine(execution)
        allow(role, "states:StartExecution", own)
        return run_map(state_def, raw_input, effective, iterator, execution, ctx)

    states._execute_task = executed
    states._call_lambda = called
    states._run_distributed_map = mapped


def schedules() -> None:
    """The role of a schedule starts the state machine, and EventBridge calls a function that lets it."""
    from ministack.services import eventbridge

    invoke = eventbridge._invoke_target

    def why_not(target: dict[str, Any], source: str) -> str | None:
        role, what = target.get("RoleArn", ""), target.get("Arn", "")
        if ":stateMachine:" in what and role:
            # `schedule/GROUP/NAME`: what a role trusts is the group.
            group = source.replace(":schedule/", ":schedule-group/").rsplit("/", 1)[0]
            return untrusting("scheduler", role, group) or refusal(role, "states:StartExecution", what)
        if ":function:" in what:
            return refusal_of("events", "lambda:InvokeFunction", what, source)
        return None

    def invoked(target, event, rule, *rest):
        def unless_refused() -> None:
            why = why_not(target, rule.get("Arn", ""))
            if why:
                logger.error("%s is not called: %s", target.get("Arn"), why)
            else:
                invoke(target, event, rule, *rest)

        # The gateway asks MiniStack for the function's policy, and this may be the thread that answers. Account and region are in the context.
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(unless_refused,), daemon=True).start()

    eventbridge._invoke_target = invoked


def apis() -> None:
    """Whoever signs a request for an API is the role that the key names, and API Gateway calls a function that lets it."""
    from ministack.core import iam_evaluator
    from ministack.services import apigateway

    identity, invoke = iam_evaluator.resolve_caller_identity, apigateway._invoke_lambda_proxy

    def caller(key: str) -> dict[str, Any] | None:
        known = identity(key)
        if known or not key:
            return known
        account = arn("sts", "").split(":")[4]
        return {
            "accessKey": key,
            "accountId": account,
            "userArn": f"arn:aws:sts::{account}:assumed-role/{key}/floodgate",
            "userId": f"{key}:floodgate",
            "session": None,
        }

    async def invoked(integration, api_id, stage, path, method, *rest, **named):
        function = apigateway._extract_lambda_ref_from_integration_uri(integration.get("integrationUri", ""))
        source = arn("execute-api", f"{api_id}/{stage}/{method}{path}")
        # In a thread: the gateway asks MiniStack for the function's policy, and this one answers.
        why = await asyncio.to_thread(refusal_of, "apigateway", "lambda:InvokeFunction", function, source)
        if why:
            logger.error("%s is not called: %s", function, why)
            return 500, {"Content-Type": "application/json"}, b'{"message":"Internal Server Error"}'
        return await invoke(integration, api_id, stage, path, method, *rest, **named)

    iam_evaluator.resolve_caller_identity = caller
    apigateway._invoke_lambda_proxy = invoked


def act_as_roles() -> None:
    """All of that, if there is a gateway."""
    if GATEWAY:
        functions()
        tasks()
        state_machines()
        schedules()
        apis()
