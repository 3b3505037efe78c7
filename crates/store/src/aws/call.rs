//! Single calls of services that no whole client is worth: signed, retried, and answered as JSON or XML.
//!
//! A generated client takes a minute to build and hundreds of kilobytes of a program; of Step Functions four calls are made, of IAM, Lambda,
//! SNS, SES and EventBridge one each. Signing and TLS are those of the SDK; the protocols are short:
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html> and
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>.

pub use super::service::{
    CLOUDWATCH, ECR, ECS, EVENTS, JsonService, QUOTAS, QueryService, RestService, SECRETS, SES,
    SNS, STATES,
};

use super::error::Chained;
use super::service::{IAM, LAMBDA};
use super::{ATTEMPTS, FIRST_PAUSE};
use crate::error::Cause;
use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::timeout;

/// All but what RFC 3986, section 2.3, says needs no escape.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// One try, its body included.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a call has no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The service said no.
    #[error("{message} ({code})")]
    Refused {
        /// Such as `AccessDeniedException`.
        code: String,
        /// In the service's words.
        message: String,
    },
    /// There are no credentials to sign it with.
    #[error("there are no credentials: {0}")]
    Credentials(#[source] Cause),
    /// It could not be reached, or did not answer.
    #[error("{url}: {source}")]
    Unreachable {
        /// Without its query, which may hold a signature.
        url: String,
        /// What was seen of it.
        source: Cause,
    },
    /// The request could not be signed.
    #[error("the request cannot be signed: {0}")]
    Unsigned(#[source] Cause),
    /// The answer does not hold what it should.
    #[error("the answer cannot be used: {0}")]
    Answer(#[source] Cause),
}

impl CallError {
    /// The code of a refusal; empty of anything else.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code, .. } => code,
            _ => "",
        }
    }

    /// Whether the service knows the caller and does not let them.
    pub fn is_denial(&self) -> bool {
        matches!(
            self.code(),
            "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation"
        )
    }

    /// Whether the same may succeed later.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Refused { code, .. } => {
                code.contains("Throttl")
                    || code == "TooManyRequestsException"
                    || code.starts_with("status 5")
                    || code == "ServerException"
                    || code == "ServiceException"
                    || code == "InternalFailure"
                    || code == "ServiceUnavailable"
            }
            Self::Credentials(_) | Self::Unsigned(_) => false,
            Self::Unreachable { .. } | Self::Answer(_) => true,
        }
    }
}

/// Makes the calls, with the credentials and the region of a configuration.
#[derive(Clone, Debug)]
pub struct Calls {
    connector: Arc<Connector>,
    credentials: Option<SharedCredentialsProvider>,
    region: String,
    /// Of an emulator, which stands for all services.
    endpoint: Option<String>,
}

enum Request<'a> {
    Signed(&'a Signed<'a>),
    /// What needs no signature of ours.
    Plain(&'a str),
}

struct Signed<'a> {
    service: &'a str,
    region: &'a str,
    uri: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Calls {
    /// For the services of a configuration's region.
    pub fn new(config: &SdkConfig) -> Self {
        let tls = Provider::Rustls(CryptoMode::Ring);
        Self {
            connector: Arc::new(Connector::builder().tls_provider(tls).build()),
            credentials: config.credentials_provider(),
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            endpoint: config
                .endpoint_url()
                .map(|url| url.trim_end_matches('/').to_owned()),
        }
    }

    /// The same for another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        Self {
            region: region.to_owned(),
            ..self.clone()
        }
    }

    /// The same for the region that an ARN names; anything else is in the caller's.
    #[must_use]
    pub fn at(&self, arn: &str) -> Self {
        match region_of(arn) {
            Some(region) => self.in_region(region),
            None => self.clone(),
        }
    }

    /// Where an emulator is, if this is one.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// The region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Calls an action of a service.
    ///
    /// # Errors
    /// [`CallError`] after the last try.
    pub async fn json(
        &self,
        of: JsonService,
        action: &str,
        input: &Value,
    ) -> Result<Value, CallError> {
        let (region, domain) = (&self.region, domain(&self.region));
        let uri = match &self.endpoint {
            Some(endpoint) => format!("{endpoint}/"),
            None => format!("https://{}.{region}.{domain}/", of.host),
        };
        let call = Signed {
            service: of.name,
            region,
            uri,
            headers: vec![
                (
                    "content-type",
                    format!("application/x-amz-json-{}", of.version),
                ),
                ("x-amz-target", format!("{}.{action}", of.target)),
            ],
            body: input.to_string().into_bytes(),
        };
        let answer = self.call(&Request::Signed(&call)).await?;
        if answer.is_empty() {
            // An action without a result may say nothing.
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer).map_err(|error| CallError::Answer(error.into()))
    }

    /// Calls an action of IAM, which has one region a partition and answers in XML.
    ///
    /// # Errors
    /// [`CallError`] after the last try.
    pub async fn iam(&self, action: &str, input: &[(String, String)]) -> Result<String, CallError> {
        // https://docs.aws.amazon.com/general/latest/gr/iam-service.html
        let (region, host) = match self.region.as_str() {
            china if china.starts_with("cn-") => ("cn-north-1", "iam.cn-north-1.amazonaws.com.cn"),
            gov if gov.starts_with("us-gov-") => ("us-gov-west-1", "iam.us-gov.amazonaws.com"),
            _ => ("us-east-1", "iam.amazonaws.com"),
        };
        self.form(IAM, region, host, action, input).await
    }

    /// Calls an action of a service that takes forms.
    ///
    /// # Errors
    /// [`CallError`] after the last try.
    pub async fn query(
        &self,
        of: QueryService,
        action: &str,
        input: &[(String, String)],
    ) -> Result<String, CallError> {
        let (region, domain) = (&self.region, domain(&self.region));
        let host = format!("{}.{region}.{domain}", of.name);
        self.form(of, region, &host, action, input).await
    }

    async fn form(
        &self,
        of: QueryService,
        region: &str,
        host: &str,
        action: &str,
        input: &[(String, String)],
    ) -> Result<String, CallError> {
        let uri = match &self.endpoint {
            Some(endpoint) => format!("{endpoint}/"),
            None => format!("https://{host}/"),
        };
        let fixed = [("Action", action), ("Version", of.version)];
        let fixed = fixed.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let form = fixed.iter().chain(input);
        let escaped = |text| utf8_percent_encode(text, ESCAPED);
        let form: Vec<_> = form
            .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
            .collect();
        let call = Signed {
            service: of.name,
            region,
            uri,
            headers: vec![(
                "content-type",
                "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
            )],
            body: form.join("&").into_bytes(),
        };
        let answer = self.call(&Request::Signed(&call)).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Posts JSON to a path of a service.
    ///
    /// # Errors
    /// [`CallError`] after the last try.
    pub async fn post(
        &self,
        of: RestService,
        path: &str,
        input: &Value,
    ) -> Result<Value, CallError> {
        let answer = self.rest(of, path, None, input).await?;
        serde_json::from_slice(&answer).map_err(|error| CallError::Answer(error.into()))
    }

    /// Calls a function of Lambda by its name, and does not wait for what comes of it: Lambda keeps the call until the function takes it
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html>).
    ///
    /// # Errors
    /// [`CallError`] after the last try.
    pub async fn invoke_later(&self, function: &str, input: &Value) -> Result<(), CallError> {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let kind = ("x-amz-invocation-type", "Event".to_owned());
        self.rest(LAMBDA, &path, Some(kind), input).await.map(drop)
    }

    async fn rest(
        &self,
        of: RestService,
        path: &str,
        header: Option<(&'static str, String)>,
        input: &Value,
    ) -> Result<Bytes, CallError> {
        let (region, domain) = (&self.region, domain(&self.region));
        let uri = match &self.endpoint {
            Some(endpoint) => format!("{endpoint}{path}"),
            None => format!("https://{}.{region}.{domain}{path}", of.host),
        };
        let json = ("content-type", "application/json".to_owned());
        let call = Signed {
            service: of.name,
            region,
            uri,
            headers: [json].into_iter().chain(header).collect(),
            body: input.to_string().into_bytes(),
        };
        self.call(&Request::Signed(&call)).await
    }

    /// What lies at a URL that is signed already. An emulator gives hosts of AWS; what it has lies with itself.
    ///
    /// # Errors
    /// [`CallError`] after the last try.
    pub async fn get(&self, url: &str) -> Result<Bytes, CallError> {
        let path = url.splitn(4, '/').nth(3).unwrap_or_default();
        let url = match &self.endpoint {
            Some(endpoint) => format!("{endpoint}/{path}"),
            None => url.to_owned(),
        };
        self.call(&Request::Plain(&url)).await
    }

    /// Tries again what may pass.
    async fn call(&self, request: &Request<'_>) -> Result<Bytes, CallError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.once(request).await {
                Err(error) if error.may_pass() => {}
                done => return done,
            }
            tokio::time::sleep(pause.mul_f64(fastrand::f64())).await;
            pause *= 2;
        }
        self.once(request).await
    }

    async fn once(&self, request: &Request<'_>) -> Result<Bytes, CallError> {
        let request = match request {
            Request::Signed(call) => self.sign(call).await?,
            Request::Plain(url) => {
                HttpRequest::get(url).map_err(|error| CallError::Unsigned(error.into()))?
            }
        };
        self.send(request).await
    }

    async fn sign(&self, call: &Signed<'_>) -> Result<HttpRequest, CallError> {
        let missing = || CallError::Credentials("none are configured".into());
        let provider = self.credentials.as_ref().ok_or_else(missing)?;
        let credentials = provider.provide_credentials().await;
        let credentials =
            credentials.map_err(|error| CallError::Credentials(Chained(error).into()))?;
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(call.region)
            .name(call.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(unsigned)?
            .into();
        let headers = call
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let body = SignableBody::Bytes(&call.body);
        let signable = SignableRequest::new("POST", &call.uri, headers, body);
        let signed = signable.and_then(|signable| sign(signable, &parameters));
        let (instructions, _) = signed.map_err(unsigned)?.into_parts();
        let mut request = HttpRequest::new(SdkBody::from(call.body.clone()));
        let put = request.set_method("POST");
        put.map_err(unsigned)?;
        let put = request.set_uri(call.uri.as_str());
        put.map_err(unsigned)?;
        for (name, value) in &call.headers {
            request.headers_mut().insert(*name, value.clone());
        }
        for (name, value) in instructions.headers() {
            request
                .headers_mut()
                .insert(name.to_owned(), value.to_owned());
        }
        Ok(request)
    }

    async fn send(&self, request: HttpRequest) -> Result<Bytes, CallError> {
        let url = request
            .uri()
            .split('?')
            .next()
            .unwrap_or_default()
            .to_owned();
        let lost = |source: Cause| CallError::Unreachable {
            url: url.clone(),
            source,
        };
        let exchange = async {
            let answer = self.connector.call(request).await;
            let mut answer = answer.map_err(|error| lost(Chained(error).into()))?;
            let body = ByteStream::new(answer.take_body()).collect().await;
            let body = body.map_err(|error| lost(Chained(error).into()))?;
            let code = answer.headers().get("x-amzn-errortype").map(str::to_owned);
            Ok((answer.status().as_u16(), code, body.into_bytes()))
        };
        let late = || lost(format!("no answer within {} s", PATIENCE.as_secs()).into());
        let (status, code, body) = timeout(PATIENCE, exchange).await.map_err(|_| late())??;
        match status {
            200..300 => Ok(body),
            _ => Err(refusal(status, code.as_deref(), &body)),
        }
    }
}

fn unsigned(error: impl Into<Cause>) -> CallError {
    CallError::Unsigned(error.into())
}

/// What a service that refuses says: JSON with `__type`, XML with `Code`, or only a status.
fn refusal(status: u16, header: Option<&str>, body: &[u8]) -> CallError {
    let text = String::from_utf8_lossy(body);
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let of_json = |key: &str| json[key].as_str().map(str::to_owned);
    let code = of_json("__type")
        .or_else(|| header.map(str::to_owned))
        .or_else(|| element(&text, "Code").map(str::to_owned))
        .unwrap_or_else(|| format!("status {status}"));
    // `com.amazonaws.ecr#Code`, `Code:http://…`
    let code = code.rsplit('#').next().unwrap_or_default();
    let code = code.split(':').next().unwrap_or_default().to_owned();
    let message = of_json("message")
        .or_else(|| of_json("Message"))
        .or_else(|| element(&text, "Message").map(str::to_owned))
        .unwrap_or_else(|| "no message".to_owned());
    CallError::Refused { code, message }
}

/// The text of the first element of a name, in XML that has neither attributes there nor comments: as services of AWS write it.
pub fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    Some(inner)
}

/// The region in an ARN: not every service's has one.
pub fn region_of(arn: &str) -> Option<&str> {
    let mut fields = arn.strip_prefix("arn:")?.split(':');
    fields.nth(2).filter(|region| !region.is_empty())
}

/// The domain that the hosts of a region lie in (<https://docs.aws.amazon.com/general/latest/gr/rande.html>).
pub fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use aws_config::Region;
    use aws_credential_types::Credentials;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    #[test]
    fn refusals_are_told_in_every_form() {
        let told =
            |status, header, body: &str| refusal(status, header, body.as_bytes()).to_string();
        let json =
            "{\"__type\":\"com.amazonaws.ecr#AccessDeniedException\",\"message\":\"not you\"}";
        assert_eq!(told(400, None, json), "not you (AccessDeniedException)");
        let xml = "<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>nobody</Message></Error></ErrorResponse>";
        assert_eq!(told(404, None, xml), "nobody (NoSuchEntity)");
        assert_eq!(told(400, Some("X:http://y"), "{}"), "no message (X)");
        assert!(refusal(503, None, b"").may_pass());
        assert!(!refusal(400, None, json.as_bytes()).may_pass());
    }

    #[test]
    fn forms_and_elements() {
        assert_eq!(
            utf8_percent_encode("arn:aws:s3:::b/*", ESCAPED).to_string(),
            "arn%3Aaws%3As3%3A%3A%3Ab%2F%2A"
        );
        assert_eq!(element("<a><b>x</b><b>y</b></a>", "b"), Some("x"));
        assert_eq!(element("<a>", "a"), None);
    }

    #[test]
    fn an_arn_may_name_a_region() {
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-AbCdEf";
        assert_eq!(region_of(arn), Some("eu-west-1"));
        assert_eq!(region_of("arn:aws:s3:::bucket"), None);
        assert_eq!(region_of("api/token"), None);
    }

    /// A server that answers the first request with 503 and the next with this; what it was asked is given back.
    async fn server(second: &'static str) -> (Calls, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in ["503 Busy\r\ncontent-length: 0\r\n\r\n", second] {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut text = String::new();
                while !text.ends_with("{\"a\":1}") {
                    let mut piece = [0; 4_096];
                    let read = stream.read(&mut piece).await.unwrap();
                    text.push_str(&String::from_utf8_lossy(&piece[..read]));
                }
                asked.push(text.to_lowercase());
                let text = format!("HTTP/1.1 {answer}");
                stream.write_all(text.as_bytes()).await.unwrap();
            }
            asked
        });
        let credentials = Credentials::new("key", "secret", None, None, "test");
        let config = super::super::loader()
            .endpoint_url(url)
            .region(Region::new("eu-west-1"))
            .credentials_provider(credentials)
            .load()
            .await;
        (Calls::new(&config), asked)
    }

    #[tokio::test]
    async fn a_call_is_signed_and_tried_again() {
        let answer = "200 OK\r\ncontent-length: 8\r\nconnection: close\r\n\r\n{\"b\": 2}";
        let (calls, asked) = server(answer).await;
        let answer = calls.json(ECR, "Do", &serde_json::json!({"a": 1})).await;
        assert_eq!(answer.unwrap()["b"], 2);
        for text in asked.await.unwrap() {
            assert!(
                text.contains("x-amz-target: amazonec2containerregistry_v20150921.do"),
                "{text}"
            );
            assert!(
                text.contains("credential=key/") && text.contains("/eu-west-1/ecr/"),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn a_function_that_is_called_later_answers_nothing() {
        let answer = "202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let (calls, asked) = server(answer).await;
        let input = serde_json::json!({"a": 1});
        calls.invoke_later("fg-notify", &input).await.unwrap();
        for text in asked.await.unwrap() {
            assert!(
                text.starts_with("post /2015-03-31/functions/fg-notify/invocations "),
                "{text}"
            );
            assert!(text.contains("x-amz-invocation-type: event"), "{text}");
            assert!(text.contains("/eu-west-1/lambda/"), "{text}");
            let signed = text
                .lines()
                .find(|line| line.starts_with("authorization: "));
            assert!(signed.unwrap().contains("x-amz-invocation-type"), "{text}");
        }
    }
}
