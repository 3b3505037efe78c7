//! SNS, EventBridge and SES: one call each, with the credentials of whoever runs this.

use crate::email::words;
use crate::notice::Notice;
use crate::refusal::Refusal;
use crate::text;
use floodgate_records::notify::Email;
use floodgate_store::aws::call::{CallError, Calls, EVENTS, SES, SNS};
use serde_json::{Value, json};

/// Characters of a subject in SNS, which are ASCII
/// (<https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>).
const SUBJECT: usize = 100;

/// A permission or a topic that is being put up may be there later. `what` is the input of the Terraform module that gives it: it stands
/// first, since what AWS says of a denial is long, and messages are cut.
fn refused(error: &CallError, what: &str) -> Refusal {
    match error {
        CallError::Unsigned(_) => Refusal::never(error.to_string()),
        // SNS has a code of its own.
        error if error.is_denial() || error.code() == "AuthorizationError" => {
            Refusal::again(format!(
                "lets this sender send nothing (that of a stack: see notifications.{what} of the Terraform module): {error}"
            ))
        }
        error => Refusal::again(error.to_string()),
    }
}

fn body(notice: &Notice) -> String {
    json!(notice.message).to_string()
}

/// Publishes to a topic: programs get the JSON document, people who subscribed by e-mail its text.
pub(crate) async fn publish(calls: &Calls, topic: &str, notice: &Notice) -> Result<(), Refusal> {
    let data = &notice.message.data;
    let subject = format!(
        "Floodgate: {}/{} {}",
        data.project,
        data.test,
        data.status.as_str()
    );
    let plain = |c: &char| c.is_ascii_graphic() || *c == ' ';
    let subject: String = subject.chars().filter(plain).take(SUBJECT - 1).collect();
    let by_protocol = json!({"default": body(notice), "email": text::plain(&notice.message)});
    let mut input = vec![
        ("TopicArn".to_owned(), topic.to_owned()),
        ("Subject".to_owned(), subject),
        ("Message".to_owned(), by_protocol.to_string()),
        ("MessageStructure".to_owned(), "json".to_owned()),
    ];
    let attributes = [
        ("id", notice.id.as_str()),
        ("type", &notice.message.kind),
        ("status", data.status.as_str()),
        ("project", &data.project),
        ("test", &data.test),
    ];
    let attributes = attributes.iter().filter(|(_, value)| !value.is_empty());
    for (n, (name, value)) in (1..).zip(attributes) {
        let place = format!("MessageAttributes.entry.{n}");
        input.push((format!("{place}.Name"), (*name).to_owned()));
        input.push((format!("{place}.Value.DataType"), "String".to_owned()));
        input.push((format!("{place}.Value.StringValue"), (*value).to_owned()));
    }
    let published = calls.at(topic).query(SNS, "Publish", &input).await;
    published
        .map(drop)
        .map_err(|error| refused(&error, "topic_arns"))
}

/// Puts an event: source `floodgate`, the notice's type as its detail type.
pub(crate) async fn put_event(calls: &Calls, bus: &str, notice: &Notice) -> Result<(), Refusal> {
    let detail = json!({"id": notice.id, "type": notice.message.kind, "timestamp": notice.message.timestamp,
        "data": notice.message.data});
    let entry = json!({
        "Source": "floodgate",
        "DetailType": notice.message.kind,
        "Detail": detail.to_string(),
        "EventBusName": bus,
    });
    let (calls, input) = (calls.at(bus), json!({"Entries": [entry]}));
    let answer = calls.json(EVENTS, "PutEvents", &input).await;
    let answer = answer.map_err(|error| refused(&error, "event_bus_arns"))?;
    if answer["FailedEntryCount"].as_u64() == Some(0) {
        return Ok(());
    }
    let failed = &answer["Entries"][0];
    let said = |key: &str| failed[key].as_str().unwrap_or("nothing").to_owned();
    let (code, message) = (said("ErrorCode"), said("ErrorMessage"));
    Err(Refusal::again(format!(
        "did not take the event: {message} ({code})"
    )))
}

/// Sends an e-mail by SES.
pub(crate) async fn send_mail(
    calls: &Calls,
    email: &Email,
    notice: &Notice,
) -> Result<(), Refusal> {
    let (subject, text) = words(&notice.message);
    let utf8 = |data: String| json!({"Data": data, "Charset": "UTF-8"});
    let header = |name: &str, value: &str| json!({"Name": name, "Value": value});
    let headers: [Value; 2] = [
        header("Auto-Submitted", "auto-generated"),
        header("X-Floodgate-Id", &notice.id),
    ];
    let input = json!({
        "FromEmailAddress": email.from,
        "Destination": {"ToAddresses": email.to},
        "Content": {"Simple": {
            "Subject": utf8(subject),
            "Body": {"Text": utf8(text)},
            "Headers": headers,
        }},
    });
    let sent = calls.post(SES, "/v2/email/outbound-emails", &input).await;
    sent.map(drop)
        .map_err(|error| refused(&error, "ses_identity_arns"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_names_what_would_allow_it() {
        let denied = |code: &str| CallError::Refused {
            code: code.into(),
            message: "not you".into(),
        };
        for code in ["AuthorizationError", "AccessDeniedException"] {
            let refusal = refused(&denied(code), "topic_arns");
            assert!(!refusal.is_final());
            assert!(
                refusal.to_string().contains("notifications.topic_arns"),
                "{refusal}"
            );
        }
        let other = refused(&denied("Throttling"), "topic_arns");
        assert_eq!(other.to_string(), "not you (Throttling)");
    }
}
