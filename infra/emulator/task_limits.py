"""CPU and memory of ECS tasks, as Fargate limits them.

A task has a cgroup with its limits, and its container one below it without any: inside, nothing of them can be seen. What can be
read is the task's metadata. MiniStack 1.5.33 has neither limits nor that part of the metadata.
"""

from __future__ import annotations

import atexit
import os
from pathlib import Path
from typing import Any

MOUNT = Path("/sys/fs/cgroup")
#: Of a CPU quota, in µs: the kernel's own default.
PERIOD_US = 100_000
#: Below it the task's cgroups lie; gone with this process.
GROUP = f"floodgate-{os.getpid()}"


def is_version_2() -> bool:
    return (MOUNT / "cgroup.controllers").exists()


def folders(name: str) -> list[Path]:
    """Where a cgroup of this name lies: one folder, or one a controller."""
    if is_version_2():
        return [MOUNT / name]
    return [MOUNT / controller / name for controller in ("cpu", "memory")]


def limit(name: str, vcpus: float, mib: float) -> str:
    """Makes a cgroup with these limits, given as one below the root; what Docker calls it as a parent."""
    quota, memory = int(vcpus * PERIOD_US), int(mib) << 20
    if is_version_2():
        (group,) = folders(name)
        group.mkdir(parents=True, exist_ok=True)
        for above in (MOUNT, *(MOUNT / part for part in list(Path(name).parents)[-2::-1])):
            (above / "cgroup.subtree_control").write_text("+cpu +memory")
        (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
        (group / "memory.max").write_text(str(memory))
    else:
        cpu, of_memory = folders(name)
        cpu.mkdir(parents=True, exist_ok=True)
        of_memory.mkdir(parents=True, exist_ok=True)
        (cpu / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (cpu / "cpu.cfs_quota_us").write_text(str(quota))
        (of_memory / "memory.limit_in_bytes").write_text(str(memory))
    return f"/{name}"


def remove(name: str) -> None:
    """Removes a cgroup once nothing is in it."""
    # Docker makes one of each controller that is mounted, limited or not.
    for folder in [MOUNT / name, *MOUNT.glob(f"*/{name}")]:
        try:
            folder.rmdir()
        except OSError:
            # Something still runs there, or it is gone.
            continue


def size(task: dict[str, Any], definition: dict[str, Any]) -> tuple[float, float]:
    """vCPUs and MiB of a task: what the call that started it asked for, else its definition's."""
    overrides = task.get("overrides") or {}

    def of(key: str) -> float:
        return float(overrides.get(key) or definition.get(key) or 0)

    return of("cpu") / 1024, of("memory")


def are_possible(docker: Any) -> bool:
    """Whether cgroups can be made here, and Docker takes one as a parent by its path."""
    try:
        driver = docker.info().get("CgroupDriver")
    except Exception:
        return False
    return driver == "cgroupfs" and all(os.access(folder.parent, os.W_OK) for folder in folders(GROUP))


def limit_tasks() -> None:
    """Lets MiniStack start its containers so."""
    from ministack.services import ecs, ecs_metadata

    sizes: dict[str, tuple[float, float]] = {}
    tasks: dict[str, dict[str, Any]] = {}
    made: dict[str, str] = {}
    start, register, arguments = ecs._start_task_worker, ecs_metadata.register_container, ecs._build_run_kwargs
    possible: list[bool] = []

    def started(task, definition, overrides, docker):
        if not possible:
            possible.append(are_possible(docker))
        sizes[task["taskArn"]], tasks[task["taskArn"]] = size(task, definition), task
        return start(task, definition, overrides, docker)

    def registered(token, task_arn, task_payload, container_payload):
        vcpus, mib = sizes.get(task_arn, (0, 0))
        if vcpus and mib:
            task_payload = task_payload | {"Limits": {"CPU": vcpus, "Memory": int(mib)}}
        return register(token, task_arn, task_payload=task_payload, container_payload=container_payload)

    def built(cdef, td, env, port_bindings, ecs_network, host_mode, task_id, task_arn, *rest):
        made_of = arguments(cdef, td, env, port_bindings, ecs_network, host_mode, task_id, task_arn, *rest)
        vcpus, mib = sizes.get(task_arn, (0, 0))
        if vcpus and mib and possible and possible[0]:
            # Only those of tasks that have ended: one that is about to start is empty as well.
            for other, name in list(made.items()):
                if tasks[other].get("lastStatus") == "STOPPED":
                    remove(name)
            name = f"{GROUP}/{task_id}"
            made_of["cgroup_parent"] = limit(name, vcpus, mib)
            made[task_arn] = name
        return made_of

    def all_gone() -> None:
        for name in made.values():
            remove(name)
        remove(GROUP)

    ecs._start_task_worker = started
    ecs_metadata.register_container = registered
    ecs._build_run_kwargs = built
    atexit.register(all_gone)
