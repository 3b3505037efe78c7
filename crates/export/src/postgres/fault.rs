//! What PostgreSQL refuses, and whether it may accept the same later.

use crate::sink::SinkError;
use floodgate_records::printable::printable;
use tokio_postgres::Error;
use tokio_postgres::error::{DbError, SqlState};

/// What the network refuses may work later.
pub(super) fn io(authority: &str, error: std::io::Error) -> SinkError {
    SinkError::again(format!("{authority} cannot be reached")).because(error)
}

/// A connection or a statement that was refused; `what` says which.
pub(super) fn refused(what: &str) -> impl Fn(Error) -> SinkError + '_ {
    move |error| sorted(what, error)
}

fn sorted(what: &str, error: Error) -> SinkError {
    let Some(answer) = error.as_db_error() else {
        return match error.to_string().contains("password missing") {
            true => SinkError::never(format!(
                "{what}: a password is wanted; FLOODGATE_POSTGRES_PASSWORD or PGPASSWORD gives it"
            )),
            false => SinkError::again(what).because(error),
        };
    };
    let code = answer.code();
    let said = format!("{what}: {}", said(answer));
    match fate(code) {
        Fate::Again => SinkError::again(said),
        Fate::Batch => SinkError::batch(said),
        Fate::Never => SinkError::never(format!("{said}{}", remedy(code))),
    }
}

/// Its message, made fit to be shown, with its code.
fn said(answer: &DbError) -> String {
    let code = answer.code().code();
    format!("{} ({code})", printable(answer.message()))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Again,
    Batch,
    Never,
}

/// By the classes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>: connection (08), rolled back (40), resources (53),
/// locks (55), shut down (57), the system below (58) pass; values (21 to 23) are of the batch; the rest stays.
fn fate(code: &SqlState) -> Fate {
    match code.code().get(..2) {
        Some("08" | "40" | "53" | "55" | "57" | "58" | "XX") => Fate::Again,
        Some("21" | "22" | "23") => Fate::Batch,
        _ => Fate::Never,
    }
}

fn remedy(code: &SqlState) -> &'static str {
    match code.code() {
        // Passwords and users.
        "28P01" | "28000" => "; FLOODGATE_POSTGRES_PASSWORD or PGPASSWORD gives the password",
        // No such database.
        "3D000" => "; create the database first, with createdb",
        // No right to do that.
        "42501" => {
            "; export as the owner of the schema floodgate, or grant CREATE on the database so that it can be made"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_shuts_down_may_come_back_and_a_wrong_password_stays_wrong() {
        for (code, expected) in [
            (SqlState::ADMIN_SHUTDOWN, Fate::Again),
            (SqlState::TOO_MANY_CONNECTIONS, Fate::Again),
            (SqlState::T_R_DEADLOCK_DETECTED, Fate::Again),
            (SqlState::DISK_FULL, Fate::Again),
            (SqlState::NUMERIC_VALUE_OUT_OF_RANGE, Fate::Batch),
            (SqlState::INVALID_PASSWORD, Fate::Never),
            (SqlState::INVALID_CATALOG_NAME, Fate::Never),
            (SqlState::UNDEFINED_TABLE, Fate::Never),
        ] {
            assert_eq!(fate(&code), expected, "{code:?}");
        }
    }
}
