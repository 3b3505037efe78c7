//! The stack that `infra/emulator/deploy.py` has put onto the emulator.

use crate::execution::PROJECT;
use aws_config::{Region, SdkConfig};
use aws_sdk_sfn::config::{Credentials, SharedCredentialsProvider};
use floodgate_store::ObjectStore as _;
use floodgate_store::aws;
use floodgate_store::aws::call::Calls;
use floodgate_store::dynamodb::DynamoStore;
use floodgate_store::s3::S3Store;
use serde::Deserialize;
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;

/// The variable that names the JSON file which describes the emulator.
const EMULATOR: &str = "FLOODGATE_EMULATOR";

/// The emulator's.
const ACCOUNT: &str = "000000000000";

/// Who may do anything: what looks on, or prepares a test.
pub(crate) const ADMINISTRATOR: &str = "test";

/// One deployed stack, and what the runner of the tests' project reaches of it.
pub(crate) struct Stack {
    pub states: aws_sdk_sfn::Client,
    pub objects: S3Store,
    pub records: DynamoStore,
    /// Without bounds.
    pub administrator: Clients,
    pub ecs: aws_sdk_ecs::Client,
    /// Names and ARNs, as `deploy.py` gives them.
    names: Value,
}

/// The API of a stack, behind its gateway.
#[derive(Clone)]
pub(crate) struct Api {
    host: String,
    region: String,
    iam_prefix: String,
}

impl Api {
    /// The answer to a request that one of the stack's roles has signed, or that nobody has.
    pub(crate) async fn ask(
        &self,
        by: Option<&str>,
        (method, path): (&str, &str),
        (headers, body): (&[(&str, &str)], Value),
    ) -> (u16, Value) {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let (prefix, signature) = by.map_or(("", String::new()), |role| {
            let scope = format!("{}/20260101/{}/execute-api", self.key_of(role), self.region);
            let proof = "SignedHeaders=host, Signature=0";
            let header = format!(
                "authorization: AWS4-HMAC-SHA256 Credential={scope}/aws4_request, {proof}\r\n"
            );
            ("/iam", header)
        });
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        // Of HTTP/1.0, so that the answer is not cut into chunks.
        let request = format!(
            "{method} {prefix}{path} HTTP/1.0\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             {signature}{headers}\r\n{body}",
            self.host,
            body.len()
        );
        let answered = tokio::task::spawn_blocking(move || exchange(&request));
        let answer = answered.await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// The ARN of whoever has taken one of the roles, as records name it.
    pub(crate) fn caller(&self, name: &str) -> String {
        format!(
            "arn:aws:sts::{ACCOUNT}:assumed-role/{}/floodgate",
            self.key_of(name)
        )
    }

    fn key_of(&self, role: &str) -> String {
        format!("{}-{role}", self.iam_prefix)
    }
}

/// What the emulator answers to a request.
fn exchange(request: &str) -> String {
    let mut stream = TcpStream::connect(emulator_addr()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// What somebody reaches.
pub(crate) struct Clients {
    pub states: aws_sdk_sfn::Client,
    pub objects: S3Store,
    pub records: DynamoStore,
    pub secrets: aws_sdk_secretsmanager::Client,
}

/// One call of a function for a run.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Invocation {
    pub function: String,
    pub execution: String,
    /// Unix ms.
    pub began_ms: i64,
    pub billed_ms: u64,
    pub memory_mb: u32,
}

impl Stack {
    /// The one that is there from the start.
    pub(crate) async fn shared() -> Self {
        Self::of(emulator()["stack"].clone()).await
    }

    /// One more on the same emulator, for a test that disturbs others: with these arguments for `deploy.py`.
    pub(crate) async fn own(name: &str, arguments: &[&str]) -> Self {
        let emulator = emulator();
        let text = |key: &str| emulator[key].as_str().unwrap().to_owned();
        let deployed = Command::new(text("python"))
            .arg(text("deploy"))
            .args(["up", "--name", name])
            .args([
                "--endpoint",
                emulator["stack"]["endpoint"].as_str().unwrap(),
            ])
            .args(["--package", emulator["stack"]["package"].as_str().unwrap()])
            .args(["--image", &text("image"), "--gateway", &text("gateway")])
            .args(arguments)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&deployed.stderr);
        assert!(
            deployed.status.success(),
            "deploy.py {arguments:?}: {errors}"
        );
        Self::of(serde_json::from_slice(&deployed.stdout).unwrap()).await
    }

    /// The invocations of the stack's functions so far, as Lambda bills them.
    pub(crate) fn invocations(&self) -> Vec<Invocation> {
        let emulator = emulator();
        let text = |key: &str| emulator[key].as_str().unwrap().to_owned();
        let asked = Command::new(text("python"))
            .arg(text("deploy"))
            .args(["invocations", "--name", self.text("name")])
            .args(["--endpoint", self.text("endpoint")])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&asked.stderr);
        assert!(asked.status.success(), "deploy.py invocations: {errors}");
        serde_json::from_slice(&asked.stdout).unwrap()
    }

    async fn of(names: Value) -> Self {
        let text = |key: &str| names[key].as_str().unwrap().to_owned();
        let config = sdk_config(&text("endpoint"), &text("region"), ADMINISTRATOR).await;
        let ecs = aws_sdk_ecs::Client::new(&config);
        let runner = clients(&names, &format!("{}-runner-{PROJECT}", text("iam_prefix"))).await;
        Self {
            states: runner.states,
            objects: runner.objects,
            records: runner.records,
            administrator: clients(&names, ADMINISTRATOR).await,
            ecs,
            names,
        }
    }

    /// The API, which lets these in. Its function reads that when it is called first.
    pub(crate) async fn api(&self, iam: Value) -> Api {
        let settings = serde_json::json!({
            "schema": 1, "requests_per_second": 1_000, "iam": iam, "state_machines": self.names["state_machines"],
        });
        let settings = settings.to_string().into_bytes().into();
        let objects = &self.administrator.objects;
        objects.put("config/api.json", settings).await.unwrap();
        Api {
            host: self.text("api").to_owned(),
            region: self.text("region").to_owned(),
            iam_prefix: self.iam_prefix().to_owned(),
        }
    }

    /// The ARN of one of the stack's roles.
    pub(crate) fn role(&self, name: &str) -> String {
        format!("arn:aws:iam::{ACCOUNT}:role/{}", self.key_of(name))
    }

    /// What whoever has one of the stack's roles or policies reaches: `runner-all`, `operator`. With `~refused` after it no refusal is a
    /// fault.
    pub(crate) async fn as_caller(&self, role: &str) -> Clients {
        clients(&self.names, &self.key_of(role)).await
    }

    fn key_of(&self, role: &str) -> String {
        format!("{}-{role}", self.text("iam_prefix"))
    }

    /// Whether a service may do something by itself because of `source`, an ARN, as the policies have it. With `~refused` after its name no
    /// refusal is a fault.
    pub(crate) fn lets(&self, service: &str, action: &str, resource: &str, source: &str) -> bool {
        let account = source.split(':').nth(4).unwrap();
        let asked = serde_json::json!({
            "service": service, "action": action, "resource": resource,
            "context": {"aws:SourceArn": source, "aws:SourceAccount": account},
        })
        .to_string();
        let head = format!(
            "POST /_floodgate/authorize HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            asked.len()
        );
        let answer = exchange(&format!("{head}{asked}"));
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str::<Value>(body).unwrap_or_else(|e| panic!("{e}: {answer}"))["allowed"]
            == true
    }

    /// What the names of its roles begin with.
    pub(crate) fn iam_prefix(&self) -> &str {
        self.text("iam_prefix")
    }

    /// The ARN of one of its functions.
    pub(crate) fn function(&self, name: &str) -> &str {
        self.names["functions"][name].as_str().unwrap()
    }

    /// Tasks that run in the stack's cluster of another region.
    pub(crate) async fn running_in(&self, region: &str) -> usize {
        let config = sdk_config(self.text("endpoint"), region, ADMINISTRATOR).await;
        let ecs = aws_sdk_ecs::Client::new(&config);
        let listed = ecs.list_tasks().cluster(self.text("name")).send().await;
        listed.unwrap().task_arns().len()
    }

    fn text(&self, key: &str) -> &str {
        self.names[key].as_str().unwrap()
    }

    /// That of the tests' own project, or of all projects that have none.
    pub(crate) fn state_machine(&self) -> &str {
        self.machine_of(PROJECT)
    }

    /// The state machine that starts runs of a project.
    pub(crate) fn machine_of(&self, project: &str) -> &str {
        let machines = &self.names["state_machines"];
        let own = machines.get(project).or_else(|| machines.get("*"));
        own.and_then(Value::as_str).unwrap()
    }

    /// The state machine of the stack's schedule.
    pub(crate) fn scheduled(&self) -> String {
        format!("{}_scheduled", self.state_machine())
    }

    /// What Terraform gives out, for `.floodgate/cloud.json`.
    pub(crate) fn outputs(&self) -> Value {
        let of = |name: &str| serde_json::json!({ "value": self.names[name] });
        serde_json::json!({
            "stack": of("name"),
            "region": of("region"),
            "bucket": of("bucket"),
            "table": of("table"),
            "state_machine_arns": of("state_machines"),
        })
    }

    pub(crate) fn cluster(&self) -> &str {
        self.text("cluster")
    }

    /// What `floodgate --cloud` finds the stack by, in the name of a role or a policy of it.
    pub(crate) fn environment(&self, role: &str) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT_URL", self.text("endpoint").into()),
            ("AWS_REGION", self.text("region").into()),
            ("AWS_ACCESS_KEY_ID", self.key_of(role)),
            ("AWS_SECRET_ACCESS_KEY", "test".into()),
            ("FLOODGATE_STACK", self.text("name").into()),
        ]
    }
}

/// Calls of an emulator by whoever may do anything.
pub(crate) async fn calls(stack: &Stack) -> Calls {
    let (endpoint, region) = (stack.text("endpoint"), stack.text("region"));
    Calls::new(&sdk_config(endpoint, region, ADMINISTRATOR).await)
}

/// Where the emulator listens, for a proxy before it.
pub(crate) fn emulator_addr() -> SocketAddr {
    let emulator = emulator();
    let endpoint = emulator["stack"]["endpoint"].as_str().unwrap();
    endpoint.trim_start_matches("http://").parse().unwrap()
}

async fn clients(names: &Value, key: &str) -> Clients {
    let text = |key: &str| names[key].as_str().unwrap().to_owned();
    let config = sdk_config(&text("endpoint"), &text("region"), key).await;
    Clients {
        states: aws_sdk_sfn::Client::new(&config),
        objects: S3Store::new(&config, text("bucket")),
        records: DynamoStore::new(&config, text("table")),
        secrets: aws_sdk_secretsmanager::Client::new(&config),
    }
}

/// Clients' configuration for an emulator, with this access key.
pub(crate) async fn sdk_config(endpoint: &str, region: &str, key: &str) -> SdkConfig {
    aws::loader()
        .endpoint_url(endpoint)
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            key, "test", None, None, "test",
        )))
        .load()
        .await
}

/// Whether the stack has the image of an engine.
pub(crate) fn has_engine(name: &str) -> bool {
    let images = emulator()["engines"].as_array().cloned();
    let mut images = images.unwrap_or_default().into_iter();
    images.any(|image| {
        image
            .as_str()
            .is_some_and(|i| i.starts_with(&format!("{name}=")))
    })
}

fn emulator() -> Value {
    let path = std::env::var_os(EMULATOR).map(PathBuf::from);
    let path =
        path.unwrap_or_else(|| panic!("{EMULATOR} is not set: run `cargo xtask test --cloud`"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
