//! Places elsewhere: URLs of webhooks, names on AWS.

use super::grammar;
use crate::definition::shape::{Grammar, Shape};
use crate::syntax::{SyntaxError, quoted};

pub(in crate::definition::keys) static WEB_URL: Shape = Shape::Grammar(Grammar {
    pattern: Some("^https?://"),
    ..grammar(web_url, "a URL that begins with http:// or https://")
});

fn web_url(text: &str) -> Result<(), SyntaxError> {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match host {
        Some(rest)
            if !rest.is_empty()
                && !rest.starts_with('/')
                && !text.contains(char::is_whitespace) =>
        {
            Ok(())
        }
        _ => Err(SyntaxError::new(0, format!("{} is no URL", quoted(text)))
            .allowed("a URL that begins with http:// or https://")),
    }
}

pub(in crate::definition::keys) static ARN: Shape = Shape::Grammar(Grammar {
    pattern: Some("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:.+$"),
    ..grammar(
        |text| {
            let parts: Vec<_> = text.splitn(6, ':').collect();
            match parts.as_slice() {
                ["arn", partition, "sns", region, account, topic]
                    if partition.starts_with("aws")
                        && !region.is_empty()
                        && account.len() == 12
                        && account.bytes().all(|b| b.is_ascii_digit())
                        && !topic.is_empty() =>
                {
                    Ok(())
                }
                _ => Err(
                    SyntaxError::new(0, format!("{} is no SNS topic", quoted(text)))
                        .allowed("arn:aws:sns:REGION:ACCOUNT:TOPIC"),
                ),
            }
        },
        "the ARN of an SNS topic",
    )
});

pub(in crate::definition::keys) static AWS_REGION: Shape = Shape::Grammar(Grammar {
    pattern: Some("^[a-z]{2,3}(-[a-z]+)+-[0-9]{1,2}$"),
    ..grammar(
        |text| {
            let parts: Vec<_> = text.split('-').collect();
            let (last, head) = parts
                .split_last()
                .map_or(("", &[][..]), |(last, head)| (*last, head));
            let words = head.len() >= 2
                && head
                    .iter()
                    .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase()));
            if words
                && (1..=2).contains(&last.len())
                && (2..=3).contains(&head[0].len())
                && last.bytes().all(|b| b.is_ascii_digit())
            {
                Ok(())
            } else {
                Err(
                    SyntaxError::new(0, format!("{} is no AWS region", quoted(text)))
                        .allowed("a region such as eu-west-1"),
                )
            }
        },
        "an AWS region such as eu-west-1",
    )
});
