//! Project, test, execution and thresholds.

use super::copy::timestamp;
use super::fault::refused;
use super::json::without_nul;
use super::keys::Keys;
use crate::sink::{End, SinkError};
use floodgate_records::execution::Execution;
use floodgate_records::summary::Summary;
use serde_json::{Value, json};
use tokio_postgres::Transaction;

/// Columns of the table that stand in the record, as `jsonb_to_record` takes them.
const COLUMNS: &str = "status text, reasons text[], engine text, target text, version text, created_at timestamptz,
    started_at timestamptz, ended_at timestamptz, duration_s double precision, tasks integer, trigger text, principal text,
    commit_sha text, branch text, build_url text, requests bigint, iterations bigint, dropped_iterations bigint, complete boolean,
    summary jsonb";

/// Makes a run known, or finds it again.
pub(super) async fn begin(
    transaction: &Transaction<'_>,
    execution: &Execution,
    testid: &str,
) -> Result<Keys, SinkError> {
    let failed = refused("executions");
    let row = transaction
        .query_one(
            "INSERT INTO floodgate.projects (name) VALUES ($1)
             ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id",
            &[&execution.project],
        )
        .await
        .map_err(&failed)?;
    let project: i32 = row.try_get(0).map_err(&failed)?;
    let row = transaction
        .query_one(
            "INSERT INTO floodgate.tests (project, name) VALUES ($1, $2)
             ON CONFLICT (project, name) DO UPDATE SET name = excluded.name RETURNING id",
            &[&project, &execution.test],
        )
        .await
        .map_err(&failed)?;
    let test: i32 = row.try_get(0).map_err(&failed)?;
    let names = names();
    let sql = format!(
        "INSERT INTO floodgate.executions (project, test, id, testid, {names})
         SELECT $1::integer, $2::integer, $3::text, $4::text, r.* FROM jsonb_to_record($5::text::jsonb) AS r ({COLUMNS})
         ON CONFLICT (id) DO UPDATE SET project = $1, test = $2, testid = $4, ({names}) = ROW({})
         RETURNING run",
        excluded()
    );
    let record = record(execution, None, None).to_string();
    let row = transaction
        .query_one(&sql, &[&project, &test, &execution.id, &testid, &record])
        .await
        .map_err(&failed)?;
    let run = row.try_get(0).map_err(&failed)?;
    Ok(Keys { run, project })
}

/// Writes the final record and its thresholds.
pub(super) async fn end(
    transaction: &Transaction<'_>,
    keys: Keys,
    end: &End<'_>,
) -> Result<(), SinkError> {
    let sql = format!(
        "UPDATE floodgate.executions SET ({}) = (SELECT r.* FROM jsonb_to_record($2::text::jsonb) AS r ({COLUMNS})) WHERE run = $1",
        names()
    );
    let record = record(end.execution, end.summary, Some(end.complete)).to_string();
    let failed = refused("executions");
    transaction
        .execute(&sql, &[&keys.run, &record])
        .await
        .map_err(failed)?;
    let failed = refused("thresholds");
    transaction
        .execute(
            "DELETE FROM floodgate.thresholds WHERE run = $1",
            &[&keys.run],
        )
        .await
        .map_err(&failed)?;
    transaction
        .execute(
            "INSERT INTO floodgate.thresholds (run, position, project, key, expression, aggregate, operator, target, observed, outcome)
             SELECT $1::integer, position, $2::integer, key, expression, aggregate, operator, target, observed, outcome
             FROM jsonb_to_recordset($3::text::jsonb) AS r (
                 position integer, key text, expression text, aggregate text, operator text, target double precision,
                 observed double precision, outcome text
             )",
            &[&keys.run, &keys.project, &thresholds(end.execution).to_string()],
        )
        .await
        .map_err(&failed)?;
    Ok(())
}

/// The names of [`COLUMNS`].
fn names() -> String {
    let names = COLUMNS
        .split(',')
        .filter_map(|c| c.split_whitespace().next());
    names.collect::<Vec<_>>().join(", ")
}

fn excluded() -> String {
    let names = names();
    let all: Vec<_> = names
        .split(", ")
        .map(|name| format!("excluded.{name}"))
        .collect();
    all.join(", ")
}

fn record(execution: &Execution, summary: Option<&Summary>, complete: Option<bool>) -> Value {
    let applied = execution.applied.as_ref();
    let trigger = &execution.trigger;
    without_nul(json!({
        "status": execution.status.as_str(),
        "reasons": execution.reasons,
        "engine": execution.engine.as_str(),
        "target": execution.target,
        "version": execution.version,
        "created_at": timestamp(execution.created_ms),
        "started_at": execution.started_ms.map(timestamp),
        "ended_at": execution.ended_ms.map(timestamp),
        "duration_s": summary.map(|s| s.duration_s),
        "tasks": execution.infrastructure.tasks,
        "trigger": trigger.kind.as_str(),
        "principal": trigger.principal,
        "commit_sha": trigger.commit,
        "branch": trigger.branch,
        "build_url": trigger.build_url,
        "requests": applied.map(|a| a.http_reqs),
        "iterations": applied.map(|a| a.iterations),
        "dropped_iterations": applied.map(|a| a.dropped_iterations),
        "complete": complete,
        "summary": summary.and_then(|s| serde_json::to_value(s).ok()),
    }))
}

fn thresholds(execution: &Execution) -> Value {
    let all = execution.thresholds.iter().zip(0..);
    let all = all.map(|(one, position)| {
        json!({
            "position": position,
            "key": one.key,
            "expression": one.expression,
            "aggregate": one.aggregate,
            "operator": one.operator.as_str(),
            "target": one.target,
            "observed": one.observed,
            "outcome": one.outcome,
        })
    });
    without_nul(all.collect())
}
