//! The schema, brought up to what this version writes.

use super::fault::refused;
use crate::sink::SinkError;
use tokio_postgres::Transaction;

/// Each is run once, in this order; what has been released is never changed.
const MIGRATIONS: [&str; 2] = [
    include_str!("sql/0001_schema.sql"),
    include_str!("sql/0002_access.sql"),
];
/// What TimescaleDB adds, where it is there.
const TIMESCALE: &str = include_str!("sql/timescale.sql");
/// The schema of this version.
const VERSION: i32 = MIGRATIONS.len() as i32;
/// The oldest server: views with the rights of whoever reads them came with it.
const OLDEST: (i32, &str) = (150_000, "15");
/// The lock that whoever migrates holds to the end of the transaction: "floodgat" as a number.
const LOCK: i64 = 0x666c_6f6f_6467_6174;

/// Migrates, if there is anything to do. A database that is up to date takes one query, and no right to create anything.
///
/// # Errors
/// [`SinkError::Never`] for a server that is too old, a schema of a later version, and rights that are missing.
pub(super) async fn migrate(transaction: &Transaction<'_>) -> Result<(), SinkError> {
    let failed = refused("schema floodgate");
    let server = number(
        transaction,
        "SELECT current_setting('server_version_num')::integer",
    )
    .await?;
    if server < OLDEST.0 {
        let (_, oldest) = OLDEST;
        return Err(SinkError::never(format!(
            "PostgreSQL {}.{} is too old: {oldest} or later is needed",
            server / 10_000,
            server % 10_000
        )));
    }
    let found = version(transaction).await?;
    if found == VERSION {
        return Ok(());
    }
    if found > VERSION {
        return Err(SinkError::never(format!(
            "the schema floodgate has version {found}, this program knows {VERSION}: export with a newer one"
        )));
    }
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await
        .map_err(&failed)?;
    transaction
        .batch_execute(
            "CREATE SCHEMA IF NOT EXISTS floodgate;
             CREATE TABLE IF NOT EXISTS floodgate.migrations (
                 version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now()
             )",
        )
        .await
        .map_err(&failed)?;
    // Another export may have migrated while this one waited for the lock.
    let found = version(transaction).await?;
    let due = MIGRATIONS
        .iter()
        .zip(1..)
        .filter(|&(_, version)| version > found);
    for (sql, version) in due {
        transaction.batch_execute(sql).await.map_err(&failed)?;
        transaction
            .execute(
                "INSERT INTO floodgate.migrations (version) VALUES ($1)",
                &[&version],
            )
            .await
            .map_err(&failed)?;
    }
    let extension = "SELECT count(*)::integer FROM pg_extension WHERE extname = 'timescaledb'";
    if number(transaction, extension).await? > 0 {
        transaction
            .batch_execute(TIMESCALE)
            .await
            .map_err(&failed)?;
    }
    Ok(())
}

/// The version that stands in the database; 0 without the schema.
async fn version(transaction: &Transaction<'_>) -> Result<i32, SinkError> {
    let is_there = "SELECT count(*)::integer FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                    WHERE n.nspname = 'floodgate' AND c.relname = 'migrations'";
    if number(transaction, is_there).await? == 0 {
        return Ok(0);
    }
    number(
        transaction,
        "SELECT coalesce(max(version), 0) FROM floodgate.migrations",
    )
    .await
}

async fn number(transaction: &Transaction<'_>, sql: &str) -> Result<i32, SinkError> {
    let row = transaction.query_one(sql, &[]).await;
    let row = row.map_err(refused("schema floodgate"))?;
    row.try_get(0).map_err(refused("schema floodgate"))
}
