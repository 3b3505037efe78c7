//! The emulator behind.

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// A body that is there, or one that passes through.
pub(crate) type Body = BoxBody<Bytes, hyper::Error>;

/// A whole body.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed()
}

/// The emulator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upstream(pub(crate) SocketAddr);

impl Upstream {
    /// Sends a request on as it is, but for what belongs to the connection.
    pub(crate) async fn send(self, mut request: Request<Body>) -> Result<Response<Incoming>> {
        let headers = request.headers_mut();
        for name in [
            "connection",
            "keep-alive",
            "expect",
            "te",
            "upgrade",
            "proxy-connection",
        ] {
            headers.remove(name);
        }
        let stream = TcpStream::connect(self.0).await;
        let stream = stream.with_context(|| format!("connect to the emulator at {}", self.0))?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            // Whoever waits for the answer is told.
            let _ = connection.await;
        });
        sender
            .send_request(request)
            .await
            .context("ask the emulator")
    }

    /// Asks something in the gateway's own name: the answer's body.
    async fn ask(
        self,
        service: &str,
        region: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<(StatusCode, Bytes)> {
        let scope = format!("test/20260101/{region}/{service}/aws4_request");
        let signed =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let mut request = Request::post("/").header("host", self.0.to_string());
        request = request.header("authorization", signed);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.send(request.body(whole(body))?).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        Ok((status, body))
    }

    /// A call of a service that speaks JSON; null if it is refused, since then the caller's own will be, too.
    pub(crate) async fn json(
        self,
        service: &str,
        region: &str,
        target: &str,
        body: &Value,
    ) -> Result<Value> {
        let headers = [
            ("x-amz-target", target),
            ("content-type", "application/x-amz-json-1.1"),
        ];
        let (status, body) = self
            .ask(service, region, &headers, body.to_string())
            .await?;
        if !status.is_success() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).with_context(|| format!("the answer to {target}"))
    }

    /// Roles and policies of the account.
    pub(crate) async fn authorization_details(self, region: &str) -> Result<Bytes> {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let body = "Action=GetAccountAuthorizationDetails&Version=2010-05-08".to_owned();
        let (status, body) = self.ask("iam", region, &headers, body).await?;
        if !status.is_success() {
            bail!(
                "GetAccountAuthorizationDetails: {status}: {}",
                String::from_utf8_lossy(&body)
            );
        }
        Ok(body)
    }

    /// The policy of a bucket; `None` if it has none.
    pub(crate) async fn bucket_policy(self, bucket: &str, region: &str) -> Result<Option<Value>> {
        self.get("s3", region, &format!("/{bucket}?policy")).await
    }

    /// The policy of a function; `None` if it has none.
    pub(crate) async fn function_policy(self, name: &str, region: &str) -> Result<Option<Value>> {
        let path = format!("/2015-03-31/functions/{name}/policy");
        let answer = self.get("lambda", region, &path).await?;
        let text = answer.as_ref().and_then(|answer| answer["Policy"].as_str());
        let policy = text.map(serde_json::from_str).transpose();
        policy.with_context(|| format!("the policy of the function {name}"))
    }

    /// Looks at something; `None` if it is not there.
    async fn get(self, service: &str, region: &str, path: &str) -> Result<Option<Value>> {
        let scope = format!("test/20260101/{region}/{service}/aws4_request");
        let signed =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let request = Request::get(path)
            .header("host", self.0.to_string())
            .header("authorization", signed);
        let answer = self.send(request.body(whole(Bytes::new()))?).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            _ if status.is_success() => Ok(Some(
                serde_json::from_slice(&body).with_context(|| path.to_owned())?,
            )),
            _ => bail!("{path}: {status}"),
        }
    }
}
