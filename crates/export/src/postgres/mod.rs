//! PostgreSQL, with what TimescaleDB adds where it is there.
//!
//! Each batch is one transaction; what it writes replaces what an earlier try has written, so that a batch sent twice leaves the same rows
//! as once. A run that is exported again keeps its number and loses its old windows first. At the end come the final record, thresholds,
//! and buckets and quantiles of the run as a whole.

mod connect;
mod copy;
mod fault;
mod json;
mod keys;
mod migrate;
mod record;
mod series;
mod totals;
mod windows;

use crate::row::Row;
use crate::sink::{Accepted, End, Run, Sink, SinkError};
use crate::target::{Scheme, Target, TargetError};
use async_trait::async_trait;
use connect::Address;
use fault::refused;
use floodgate_records::execution::Execution;
use keys::Keys;
use std::collections::HashSet;
use tokio_postgres::Client;

/// `postgres://USER@HOST:PORT/DB`.
pub(crate) static SCHEME: Scheme = Scheme {
    names: &["postgres", "postgresql"],
    tls_names: &[],
    shown: "postgres://USER@HOST:PORT/DB",
    default_port: Some(5432),
    options: &["sslmode", "sslrootcert"],
    password_env: &["FLOODGATE_POSTGRES_PASSWORD", "PGPASSWORD"],
    token_env: &[],
    again_is_the_same: true,
    serves: false,
    open,
};

fn open(target: &Target, run: &Run) -> Result<Box<dyn Sink>, TargetError> {
    Ok(Box::new(Postgres {
        address: Address::of(target).map_err(|problem| TargetError::new(&target.url, problem))?,
        execution: run.execution.clone(),
        testid: run.testid.clone(),
        replaces: !run.live,
        session: None,
        series: HashSet::new(),
    }))
}

/// The sink.
struct Postgres {
    address: Address,
    execution: Execution,
    testid: String,
    /// Whether windows of an earlier export are to be deleted first.
    replaces: bool,
    /// Taken out while it is used: one that an error or a time-out left in the middle is not used again.
    session: Option<Session>,
    /// Series that stand in the table.
    series: HashSet<i64>,
}

/// A connection, and what stands for the run in the tables.
struct Session {
    client: Client,
    keys: Keys,
}

impl Postgres {
    async fn session(&mut self) -> Result<Session, SinkError> {
        match self.session.take() {
            Some(session) if !session.client.is_closed() => Ok(session),
            _ => self.begin().await,
        }
    }

    /// Connects, migrates, and makes the run known.
    async fn begin(&mut self) -> Result<Session, SinkError> {
        let mut client = self.address.connect().await?;
        let transaction = client.transaction().await.map_err(refused("begin"))?;
        migrate::migrate(&transaction).await?;
        let keys = record::begin(&transaction, &self.execution, &self.testid).await?;
        if self.replaces {
            windows::delete(&transaction, keys).await?;
        }
        transaction.commit().await.map_err(refused("commit"))?;
        windows::prepare(&client).await?;
        self.replaces = false;
        Ok(Session { client, keys })
    }
}

#[async_trait]
impl Sink for Postgres {
    async fn push(&mut self, rows: &[Row]) -> Result<Accepted, SinkError> {
        let mut session = self.session().await?;
        let project = &self.execution.project;
        let transaction = session.client.transaction().await;
        let transaction = transaction.map_err(refused("begin"))?;
        let added = series::add(
            &transaction,
            session.keys,
            rows.iter()
                .map(|row| (series::id(project, &row.key), &*row.key)),
            &self.series,
        )
        .await?;
        windows::write(&transaction, session.keys, project, rows).await?;
        transaction.commit().await.map_err(refused("commit"))?;
        self.series.extend(added);
        self.session = Some(session);
        Ok(Accepted::ALL)
    }

    async fn finish(&mut self, end: &End<'_>) -> Result<Accepted, SinkError> {
        let mut session = self.session().await?;
        let transaction = session.client.transaction().await;
        let transaction = transaction.map_err(refused("begin"))?;
        record::end(&transaction, session.keys, end).await?;
        if let Some(all) = end.totals {
            let project = &end.execution.project;
            let keys = all.0.keys().map(|key| (series::id(project, key), &**key));
            series::add(&transaction, session.keys, keys, &self.series).await?;
            totals::write(&transaction, session.keys, project, all).await?;
        }
        transaction.commit().await.map_err(refused("commit"))?;
        Ok(Accepted::ALL)
    }
}
