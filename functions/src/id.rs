//! The id of a run: the same for every retry and redrive of a state machine's execution.

use chrono::DateTime;
use sha2::{Digest, Sha256};
use ulid::Ulid;

/// The id: the one that was asked for, else the execution's name if that is a ULID, else a ULID of the execution's start and
/// 80 bits of the SHA-256 of its ARN.
///
/// # Errors
/// A sentence about an id that is not a ULID.
pub(crate) fn execution_id(
    asked: Option<&str>,
    run_arn: &str,
    name: &str,
    started_ms: i64,
) -> Result<String, String> {
    if let Some(asked) = asked {
        return match Ulid::from_string(asked) {
            Ok(id) => Ok(id.to_string()),
            Err(problem) => Err(format!(
                "id {asked:?}: {problem}; a ULID has 26 digits and letters, or leave it out"
            )),
        };
    }
    if let Ok(id) = Ulid::from_string(name) {
        return Ok(id.to_string());
    }
    let hash = Sha256::digest(run_arn.as_bytes());
    let random = hash
        .iter()
        .take(10)
        .fold(0u128, |all, byte| all << 8 | u128::from(*byte));
    Ok(Ulid::from_parts(u64::try_from(started_ms).unwrap_or(0), random).to_string())
}

/// The name of an execution: the last part of its ARN.
pub(crate) fn name_of(run_arn: &str) -> &str {
    run_arn.rsplit(':').next().unwrap_or(run_arn)
}

/// Unix ms of a time as Step Functions writes it: `2026-11-22T01:02:03.456Z`.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.timestamp_millis())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:states:eu-west-1:1:execution:floodgate:nightly-7";

    #[test]
    fn an_id_is_a_function_of_the_execution() {
        let id = |asked, name| execution_id(asked, ARN, name, 1_700_000_000_000).unwrap();
        let ulid = "01JD7Q3W5Z8X9Y0A1B2C3D4E5F";
        assert_eq!(id(Some(ulid), "x"), ulid);
        assert_eq!(id(None, ulid), ulid);
        let derived = id(None, name_of(ARN));
        assert_eq!(derived, id(None, "nightly-7"));
        assert_eq!(
            Ulid::from_string(&derived).unwrap().timestamp_ms(),
            1_700_000_000_000
        );
        let other = execution_id(None, &format!("{ARN}8"), "nightly-78", 1_700_000_000_000);
        assert_ne!(other.unwrap(), derived);
        let bad = execution_id(Some("seven"), ARN, "x", 0).unwrap_err();
        assert!(bad.contains("\"seven\"") && bad.contains("26"), "{bad}");
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        assert_eq!(parse_time("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(
            parse_time("2023-11-14T22:13:20.000Z"),
            Some(1_700_000_000_000)
        );
        assert_eq!(
            parse_time("2024-02-29T12:00:00.5Z"),
            Some(1_709_208_000_500)
        );
        assert_eq!(
            parse_time("2023-11-14T22:13:20.123456+00:00"),
            Some(1_700_000_000_123)
        );
        assert_eq!(parse_time("yesterday"), None);
    }
}
