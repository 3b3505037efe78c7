//! PostgreSQL.

use super::servers::{self, Server, psql};
use super::{export, run, times};
use crate::export::server::installed;
use crate::support::*;
use floodgate_records::summary::Summary;
use std::path::PathBuf;

pub struct Database {
    programs: PathBuf,
    server: Server,
}

impl Database {
    pub fn open() -> Option<Self> {
        let programs = installed("FLOODGATE_POSTGRES")?;
        let server = servers::postgres(&programs);
        let database = Self { programs, server };
        database.sql_in("postgres", "CREATE DATABASE results");
        Some(database)
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/results", self.server.port)
    }

    #[track_caller]
    fn sql_in(&self, database: &str, sql: &str) -> String {
        psql(&self.programs, &self.server, database, sql)
            .unwrap_or_else(|why| panic!("{sql}: {why}"))
    }

    #[track_caller]
    pub fn sql(&self, sql: &str) -> String {
        self.sql_in("results", sql)
    }

    #[track_caller]
    fn number(&self, sql: &str) -> f64 {
        let found = self.sql(sql);
        found.parse().unwrap_or_else(|_| panic!("{sql}: {found}"))
    }

    /// All rows of all tables.
    fn everything(&self) -> String {
        let tables = [
            "projects",
            "tests",
            "executions",
            "thresholds",
            "series",
            "windows",
            "totals",
            "quantiles",
            "migrations",
        ];
        let all = tables.map(|table| {
            self.sql(&format!(
                "SELECT t FROM floodgate.{table} AS t ORDER BY t::text"
            ))
        });
        all.join("\n--\n")
    }
}

/// Counts exactly, quantiles as the summary has them.
fn agrees(database: &Database, summary: &Summary) {
    let id = &summary.execution;
    let requests = value(summary, "http_reqs", "count");
    let of_run = format!("FROM floodgate.series_windows WHERE execution = '{id}' AND metric = ");
    assert_eq!(
        database.number(&format!("SELECT sum(sum) {of_run}'http_reqs'")),
        requests
    );
    assert_eq!(
        database.number(&format!("SELECT sum(count) {of_run}'http_req_duration'")),
        requests
    );
    assert_eq!(
        database.number(&format!(
            "SELECT requests FROM floodgate.runs WHERE execution = '{id}'"
        )),
        requests
    );
    let failed = summary.requests.iter().map(|r| r.failed).sum::<u64>() as f64;
    assert_eq!(
        database.number(&format!("SELECT sum(sum) {of_run}'http_req_failed'")),
        failed
    );
    for (q, ms) in times(summary) {
        let column = format!("p{}", (q * 100.0).round());
        let stored = database.number(&format!(
            "SELECT {column} FROM floodgate.run_quantiles WHERE execution = '{id}' AND metric = 'http_req_duration' AND name = ''"
        ));
        assert_eq!(stored, ms, "{column}");
        let p = q * 100.0;
        let exact = database.number(&format!(
            "SELECT value FROM floodgate.percentile({p}, of_test => 'pages') WHERE execution = '{id}'"
        ));
        assert_eq!(exact, ms, "{column}");
        let coarse = database.number(&format!(
            "SELECT max(value) FROM floodgate.percentile_over_time('{id}', {p}, step_s => 1e9)"
        ));
        assert!(
            coarse >= ms && coarse <= ms * (1.0 + 1.0 / 64.0),
            "{coarse} {ms}"
        );
    }
    for request in &summary.requests {
        let name = request.name.replace('\'', "''");
        let (count, p95) = (
            request.count as f64,
            request.times["http_req_duration"]["p(95)"],
        );
        let row = database.sql(&format!(
            "SELECT count, p95 FROM floodgate.run_quantiles
             WHERE execution = '{id}' AND metric = 'http_req_duration' AND name = '{name}'"
        ));
        assert_eq!(row, format!("{count}|{p95}"), "{name}");
    }
    let thresholds = database.sql(&format!(
        "SELECT outcome FROM floodgate.thresholds JOIN floodgate.runs USING (run)
         WHERE execution = '{id}' AND key = 'http_req_duration' AND aggregate = 'p(95)'"
    ));
    assert_eq!(thresholds, "passed");
}

#[test]
fn runs_stand_in_postgresql_once_and_as_they_were() {
    let Some(database) = Database::open() else {
        return;
    };
    let bench = Bench::new();
    let runs = [40, 60].map(|iterations| run(&bench, "e2e", iterations));
    for summary in &runs {
        export(&bench, summary, &database.url());
    }
    let first = database.everything();
    for summary in &runs {
        agrees(&database, summary);
        export(&bench, summary, &database.url());
    }
    assert_eq!(database.everything(), first, "exported twice");

    let last = database.sql(
        "SELECT execution FROM floodgate.run_quantiles
         WHERE test = 'pages' AND metric = 'http_req_duration' AND name = 'page' AND nth <= 10 ORDER BY nth",
    );
    let newest_first = format!("{}\n{}", runs[1].execution, runs[0].execution);
    assert_eq!(last, newest_first);
    let by_tag = database.sql(
        r#"SELECT sum(count) FROM floodgate.percentile(95, wanted => '{"status": "404"}', by_tag => 'name', latest => 1)"#,
    );
    assert_eq!(by_tag, "7");
    super::dashboards::postgres(&|sql| database.sql(sql), &runs[1]);

    database.sql(&format!(
        "DELETE FROM floodgate.executions WHERE id = '{}'",
        runs[0].execution
    ));
    for table in ["windows", "totals", "quantiles", "thresholds"] {
        let runs = database.sql(&format!(
            "SELECT count(DISTINCT run) FROM floodgate.{table}"
        ));
        assert_eq!(runs, "1", "{table}");
    }
}

#[test]
fn a_role_sees_the_projects_that_it_was_admitted_to() {
    let Some(database) = Database::open() else {
        return;
    };
    let bench = Bench::new();
    for project in ["ours", "theirs"] {
        export(&bench, &run(&bench, project, 3), &database.url());
    }
    database.sql(
        "CREATE ROLE team; CREATE ROLE ann IN ROLE team; SELECT floodgate.admit('team', 'ours')",
    );
    database.sql("CREATE ROLE stranger; SELECT floodgate.admit('stranger', 'future')");
    let sees = |role: &str, what: &str| database.sql(&format!("SET ROLE {role}; SELECT {what}"));
    for (what, all, ours) in [
        (
            "string_agg(name, ',' ORDER BY name) FROM floodgate.projects",
            "future,ours,theirs",
            "ours",
        ),
        (
            "string_agg(DISTINCT project, ',' ORDER BY project) FROM floodgate.runs",
            "ours,theirs",
            "ours",
        ),
        (
            "string_agg(DISTINCT project, ',' ORDER BY project) FROM floodgate.series_windows",
            "ours,theirs",
            "ours",
        ),
        (
            "string_agg(DISTINCT project, ',' ORDER BY project) FROM floodgate.run_quantiles",
            "ours,theirs",
            "ours",
        ),
        (
            "string_agg(project, ',' ORDER BY project) FROM floodgate.percentile(50)",
            "ours,theirs",
            "ours",
        ),
        ("count(DISTINCT project) FROM floodgate.series", "2", "1"),
        ("count(DISTINCT project) FROM floodgate.totals", "2", "1"),
        (
            "count(DISTINCT project) FROM floodgate.executions",
            "2",
            "1",
        ),
    ] {
        assert_eq!(database.sql(&format!("SELECT {what}")), all, "{what}");
        for role in ["team", "ann"] {
            assert_eq!(sees(role, what), ours, "{role}: {what}");
        }
    }
    assert_eq!(
        sees("stranger", "count(*) FROM floodgate.series_windows"),
        "0"
    );
    for refused in [
        "SELECT * FROM floodgate.windows",
        "SELECT * FROM floodgate.members",
        "DELETE FROM floodgate.executions",
        "SELECT floodgate.admit('ann', 'theirs')",
    ] {
        let why = psql(
            &database.programs,
            &database.server,
            "results",
            &format!("SET ROLE ann; {refused}"),
        );
        assert!(why.unwrap_err().contains("permission denied"), "{refused}");
    }
    database.sql("SELECT floodgate.dismiss('team', 'ours')");
    assert_eq!(sees("ann", "count(*) FROM floodgate.runs"), "0");
}

#[test]
fn what_postgresql_refuses_is_said_with_its_remedy() {
    let Some(database) = Database::open() else {
        return;
    };
    let bench = Bench::new();
    let summary = run(&bench, "e2e", 3);
    let to = |url: &str, password: &str| {
        let setting = format!("export FLOODGATE_POSTGRES_PASSWORD='{password}'");
        let ended = bench
            .spawn_limited(&setting, &["export", &summary.execution, "--to", url])
            .end();
        assert_ne!(ended.code(), Some(0));
        ended.stderr()
    };
    let url = database.url();
    let wrong = to(&url, "hunter2");
    assert!(
        wrong.contains("28P01") && wrong.contains("FLOODGATE_POSTGRES_PASSWORD"),
        "{wrong}"
    );
    assert!(!wrong.contains("hunter2"), "{wrong}");
    let missing = to(&url.replace("results", "nothing"), servers::PASSWORD);
    assert!(
        missing.contains("3D000") && missing.contains("createdb"),
        "{missing}"
    );
    let encrypted = to(&format!("{url}?sslmode=require"), servers::PASSWORD);
    assert!(encrypted.contains("has no TLS"), "{encrypted}");
    database.sql("CREATE ROLE reader LOGIN PASSWORD 'reader'");
    let reader = to(&url.replace("postgres@", "reader@"), "reader");
    assert!(
        reader.contains("42501") && reader.contains("grant CREATE"),
        "{reader}"
    );
    let newer = "CREATE SCHEMA floodgate; CREATE TABLE floodgate.migrations (version integer);
                 INSERT INTO floodgate.migrations VALUES (999)";
    database.sql(newer);
    let newer = to(&url, servers::PASSWORD);
    assert!(
        newer.contains("has version 999") && newer.contains("newer one"),
        "{newer}"
    );
}
