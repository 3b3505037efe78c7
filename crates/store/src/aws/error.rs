//! What an error of a service means to a store.

use crate::StoreError;
#[cfg(not(feature = "s3"))]
use aws_sdk_dynamodb as sdk;
#[cfg(feature = "s3")]
use aws_sdk_s3 as sdk;
use sdk::config::http::HttpResponse;
use sdk::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;
use std::fmt;

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList>,
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
const THROTTLING: [&str; 9] = [
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
];
/// Temporary in spite of a status below 500.
const TEMPORARY: [&str; 5] = [
    "RequestTimeout",
    "RequestTimeoutException",
    "OperationAborted",
    "ConditionalRequestConflict",
    "TransactionConflictException",
];
const NO_PERMISSION: &str = "allow the action on it in the role's policy; a missing object is denied too unless s3:ListBucket \
     is allowed on the bucket";
const NO_CREDENTIALS: &str = "give credentials: a role, a profile (AWS_PROFILE) or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
const BAD_CREDENTIALS: &str = "renew the credentials";
const NO_BUCKET: &str =
    "the bucket does not exist: create it, or correct its name (FLOODGATE_BUCKET)";
const NO_TABLE: &str = "the table or one of its indexes does not exist: create it, or correct its name (FLOODGATE_TABLE) and the \
     region (AWS_REGION)";
const WRONG_REGION: &str = "the bucket is in another region: correct FLOODGATE_BUCKET_REGION";
const WRONG_CLOCK: &str = "set this machine's clock";
const NO_REMEDY: &str = "no retry will help";

/// An error of a service as one of the store. What the retries of the client did not cure is still
/// [temporary](StoreError::is_temporary) if time alone may cure it.
pub(crate) fn store_error<E>(
    operation: &'static str,
    key: &str,
    error: SdkError<E, HttpResponse>,
) -> StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let key = key.to_owned();
    match &error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            answered(operation, key, status, service.err().meta())
        }
        SdkError::ConstructionFailure(_) => StoreError::Refused {
            operation,
            key,
            code: "request".to_owned(),
            message: Chained(&error).to_string(),
            remedy: "correct the configuration, such as AWS_REGION",
        },
        SdkError::DispatchFailure(failure) if failure.is_user() => StoreError::Refused {
            operation,
            key,
            code: "request".to_owned(),
            message: Chained(&error).to_string(),
            remedy: "correct the endpoint (AWS_ENDPOINT_URL)",
        },
        _ => unanswered(operation, key, error),
    }
}

/// The service's code, if it gave one.
pub(crate) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    match error {
        SdkError::ServiceError(service) => service.err().code(),
        _ => None,
    }
}

fn answered(
    operation: &'static str,
    key: String,
    status: u16,
    meta: &sdk::error::ErrorMetadata,
) -> StoreError {
    let code = meta
        .code()
        .map_or_else(|| format!("status {status}"), str::to_owned);
    let message = match (meta.message(), meta.extra("aws_request_id")) {
        (message, Some(id)) => format!("{}, request {id}", message.unwrap_or("no message")),
        (message, None) => message.unwrap_or("no message").to_owned(),
    };
    if THROTTLING.contains(&code.as_str()) || status == 429 {
        return StoreError::Throttled {
            operation,
            key,
            code,
            message,
        };
    }
    if status >= 500 || TEMPORARY.contains(&code.as_str()) {
        return StoreError::Unavailable {
            operation,
            key,
            source: format!("{message} ({code})").into(),
        };
    }
    let denied = |remedy| (true, remedy);
    let refused = |remedy| (false, remedy);
    let (is_denial, remedy) = match code.as_str() {
        "AccessDenied" | "AccessDeniedException" | "AllAccessDisabled" => denied(NO_PERMISSION),
        "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "InvalidToken"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => denied(BAD_CREDENTIALS),
        "RequestTimeTooSkewed" => refused(WRONG_CLOCK),
        "NoSuchBucket" => refused(NO_BUCKET),
        "ResourceNotFoundException" => refused(NO_TABLE),
        "PermanentRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => refused(WRONG_REGION),
        _ if status == 301 => refused(WRONG_REGION),
        _ if status == 403 => denied(NO_PERMISSION),
        _ => refused(NO_REMEDY),
    };
    if is_denial {
        StoreError::Denied {
            operation,
            key,
            code,
            message,
            remedy,
        }
    } else {
        StoreError::Refused {
            operation,
            key,
            code,
            message,
            remedy,
        }
    }
}

/// No answer, or none that could be read: the network, the service, or credentials that could not be had.
fn unanswered<E>(operation: &'static str, key: String, error: E) -> StoreError
where
    E: Error + Send + Sync + 'static,
{
    let error = Chained(error);
    let message = error.to_string();
    // The chain of credential providers has no code for "none of us has any". Everything else that goes wrong with it, such
    // as a metadata service that does not answer, may pass.
    let none = [
        "no providers in chain provided credentials",
        "the credential provider was not enabled",
    ];
    if none.iter().any(|none| message.contains(none)) {
        return StoreError::Denied {
            operation,
            key,
            code: "credentials".to_owned(),
            message,
            remedy: NO_CREDENTIALS,
        };
    }
    StoreError::Unavailable {
        operation,
        key,
        source: Box::new(error),
    }
}

/// An error that tells its causes in one line: the client's own first line ("dispatch failure") says nothing.
#[derive(Debug)]
pub struct Chained<E>(pub E);

impl<E: Error> fmt::Display for Chained<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut source = self.0.source();
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            if !text.ends_with(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            source = cause.source();
        }
        f.write_str(&text)
    }
}

impl<E: Error> Error for Chained<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
