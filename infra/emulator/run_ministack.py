"""Runs MiniStack until it is told to stop, or until whoever started it is gone.

Where MiniStack falls short of AWS in something that the state machine uses, it is put right here; README.md says what.
"""

from __future__ import annotations

import sys

from callers import act_as_roles
from starter import end_with_starter
from task_limits import limit_tasks


def map_reads_jsonata() -> None:
    """A Distributed Map in JSONata: `Items`, `ItemReader.Arguments`, `MaxConcurrency`, `Output` and `Assign` are expressions.

    MiniStack 1.5.33 takes them for JSONPath, or leaves them out.
    """
    from ministack.services import stepfunctions as states

    plain = states._run_distributed_map

    def run(state, raw_input, effective, iterator, execution, ctx):
        if states._state_query_language(state, ctx) != "JSONata":
            return plain(state, raw_input, effective, iterator, execution, ctx)
        reader = dict(state.get("ItemReader") or {})
        if "Arguments" in reader:
            reader["Parameters"] = states._apply_jsonata_template(reader.pop("Arguments"), raw_input, ctx)
        if "Items" in state:
            effective = states._jsonata_state_field(state, "Items", "array", raw_input, ctx)
        if "MaxConcurrency" in state:
            most = states._jsonata_state_field(state, "MaxConcurrency", "number", raw_input, ctx)
            state = {**state, "MaxConcurrency": most}
        left_out = ("Items", "Output", "Assign")
        bare = {key: value for key, value in state.items() if key not in left_out}
        if reader:
            bare["ItemReader"] = reader
        results, following = plain(bare, raw_input, effective, iterator, execution, ctx)
        output = states._apply_jsonata_output(state, raw_input, ctx, result=results, default=results)
        states._apply_state_assign(state, raw_input, ctx, result=results)
        return output, following

    states._run_distributed_map = run


def main() -> None:
    end_with_starter()
    map_reads_jsonata()
    limit_tasks()
    act_as_roles()
    sys.argv = ["ministack"]
    from ministack.app import main as serve

    serve()


if __name__ == "__main__":
    main()
