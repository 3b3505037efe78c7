"""Runs infra/sql in DuckDB on an execution folder, and reads its files with pyarrow. Prints JSON."""

import json
import pathlib
import sys

import duckdb
import pyarrow.parquet

folder, sql, asked = sys.argv[1], pathlib.Path(sys.argv[2]), json.loads(sys.argv[3])
base, head = asked["runs"]
db = duckdb.connect()
db.execute("SET VARIABLE floodgate = ?", [folder])
db.execute((sql / "duckdb.sql").read_text())


def rows(query, parameters=()):
    # Times need a package that nothing else here does.
    query = f"SELECT COLUMNS(lambda name: name <> 'started_ms') FROM ({query})"
    found = db.execute(query, list(parameters))
    names = [column[0] for column in found.description]
    return [dict(zip(names, row)) for row in found.fetchall()]


out = {"percentiles": [], "prepared": []}
for p in asked["percentiles"]:
    everything = rows("FROM percentile(?::DOUBLE)", [p])
    by_name = rows("FROM percentile(?::DOUBLE, by_tag := 'name')", [p])
    one = rows("FROM percentile(?::DOUBLE, wanted := MAP {'name': 'page', 'status': '200'})", [p])
    out["percentiles"].append({"p": p, "all": everything, "by_name": by_name, "one": one})
out["error_rate"] = rows("FROM error_rate()")
out["by_status"] = rows("FROM throughput(by_tag := 'status')")
out["throughput"] = rows("FROM throughput()")
out["compared"] = rows("FROM compare_runs(?, ?)", [base, head])
out["unexpected"] = rows("FROM error_rate(wanted := MAP {'expected_response': 'false'})")

# What Athena has: the same rows with the day as a column.
db.execute("CREATE TABLE kept AS FROM buckets")
db.execute("DROP VIEW buckets")
db.execute("CREATE VIEW buckets AS SELECT *, strftime(started_ms, '%Y-%m-%d') AS day FROM kept")
project, test, day = asked["project"], asked["test"], "2026-01-01"
athena = {path.stem: path.read_text() for path in (sql / "athena").glob("*.sql")}
for p in asked["percentiles"]:
    for name in ["", "page"]:
        parameters = [p, project, test, day, "http_req_duration", name]
        out["prepared"].append({"p": p, "name": name, "rows": rows(athena["percentile"], parameters)})
out["prepared_error_rate"] = rows(athena["error_rate"], [project, test, day])
out["prepared_throughput"] = rows(athena["throughput"], [project, test, day])
out["prepared_compared"] = rows(
    athena["compare_runs"], [base, head, project, test, day, "http_req_duration"]
)
out["other_project"] = rows(athena["throughput"], ["another", test, day])

out["arrow"] = {}
for run in asked["runs"]:
    merged = f"{folder}/projects/{project}/executions/{run}/merged.parquet"
    by_arrow = pyarrow.parquet.read_table(merged).to_pylist()
    by_duckdb = rows("SELECT count(*) AS n FROM read_parquet(?)", [merged])[0]["n"]
    assert len(by_arrow) == by_duckdb, (len(by_arrow), by_duckdb)
    table = next(pathlib.Path(folder).glob(f"projects/*/buckets/*/*/{run}.parquet"))
    buckets = pyarrow.parquet.read_table(table).to_pylist()
    out["arrow"][run] = {
        "merged": sum(row["sum"] for row in by_arrow if row["metric"] == "http_reqs"),
        "buckets": sum(row["sum"] or 0 for row in buckets if row["metric"] == "http_reqs"),
        "in_buckets": sum(row["count"] for row in buckets if row["metric"] == "http_req_duration"),
    }
print(json.dumps(out, default=str))
