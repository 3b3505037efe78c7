//! Runs: started.

use crate::caller::Caller;
use crate::extract::{Body, Path};
use crate::problem::{BodyRefusals, Problem, Refusals};
use crate::service::Service;
use crate::starter::{RunOrder, RunWhat, StartError};
use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use floodgate_control::budget::not_halted;
use floodgate_control::json;
use floodgate_control::schedules::{MAX_GENERATORS, newest_version};
use floodgate_policy::Action;
use floodgate_records::execution::{Trigger, TriggerKind};
use floodgate_records::keys::start_by_key;
use floodgate_records::printable::hex;
use floodgate_store::StoreError;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Characters of a key at most.
const LONGEST_KEY: usize = 200;

/// A run that is to be started: a definition, or a test that has run before.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Start {
    /// The definition: YAML or JSON as text, or an object. Its project has to be that of the path; it can name no files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = definition)]
    definition: Option<Definition>,
    /// In its place, a test on record, with its files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test: Option<String>,
    /// Its version, a SHA-256; that of its newest run if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// Overrides of the definition by path, as `--set` has them: `{"scenarios.browse.rate": "50"}`.
    #[serde(default)]
    parameters: BTreeMap<String, String>,
    /// What `${env:NAME}` stands for. It is not kept by itself, but stands in results wherever the definition puts it: refer to secrets instead.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Processes that share the load, 1 to 256.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 256)]
    generators: u32,
    /// The commit that it is for.
    #[serde(default)]
    commit: Option<String>,
    /// The branch that it is for.
    #[serde(default)]
    branch: Option<String>,
    /// The pipeline's page.
    #[serde(default)]
    build_url: Option<String>,
}

/// A definition: YAML or JSON as text, or an object.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Definition {
    Text(String),
    Tree(Map<String, Value>),
}

fn definition() -> Schema {
    let of = |kind| ObjectBuilder::new().schema_type(kind);
    let kinds = [Type::String, Type::Object, Type::Null];
    let either = kinds
        .into_iter()
        .fold(OneOfBuilder::new(), |all, kind| all.item(of(kind)));
    either.into()
}

impl<'de> Deserialize<'de> for Definition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Given;
        impl<'de> Visitor<'de> for Given {
            type Value = Definition;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a definition: YAML or JSON as text, or an object")
            }

            fn visit_str<E>(self, text: &str) -> Result<Definition, E> {
                Ok(Definition::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Definition, A::Error> {
                Map::deserialize(MapAccessDeserializer::new(map)).map(Definition::Tree)
            }
        }
        deserializer.deserialize_any(Given)
    }
}

pub(crate) const fn one() -> u32 {
    1
}

/// A run that was started.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Started {
    /// ULID.
    execution: String,
    /// Its project.
    project: String,
    /// Where it is shown.
    url: String,
    /// Where its verdict will be.
    verdict: String,
}

/// What is kept of a start that has a key.
#[derive(Debug, Deserialize, Serialize)]
struct Kept {
    execution: String,
    request: String,
    at_ms: i64,
    /// Whether nothing was started: then the key is free for another request.
    #[serde(default)]
    refused: bool,
}

/// Starts a run. With the header `idempotency-key`, said again it is the same run: 201 with its id.
#[utoipa::path(post, path = "/v1/projects/{project}/executions", operation_id = "startRun", tag = "runs",
    params(("project" = String, Path), ("idempotency-key" = Option<String>, Header, description = "up to 200 characters")),
    request_body = Start, responses((status = 201, body = Started), Refusals, BodyRefusals), security(("token" = ["tester"])))]
pub(crate) async fn start(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(project): Path<String>,
    headers: HeaderMap,
    Body(start): Body<Start>,
) -> Result<Response, Problem> {
    caller.may(Action::StartRuns, &project)?;
    let starter = service.starter.as_ref().ok_or_else(|| {
        let told = "runs can't be started here: floodgate serve starts them";
        Problem::new(StatusCode::CONFLICT, told)
    })?;
    start.check()?;
    not_halted(&service.stores, &project).await?;
    let what = service.what(&project, &start).await?;
    let key = key(&caller, &project, &headers)?;
    // Of several at once with the same key the first starts the run, and the others find it.
    let _turn = match &key {
        Some(place) => Some(service.starts.of(place).await),
        None => None,
    };
    let kept = service.kept(key.as_deref(), &start).await?;
    let id = kept.execution.clone();
    let known = async || service.stores.records.get(Some(&project), &id).await;
    let mut replayed = known().await?.is_some();
    if !replayed {
        let order = start.order(&caller, (id.clone(), project.clone()), what);
        if let Err(error) = starter.start(order).await {
            // Another process over the same folder was faster.
            replayed = known().await?.is_some();
            if !replayed {
                if let (Some(place), false) = (&key, matches!(error, StartError::Failed(_))) {
                    let refused = Kept {
                        refused: true,
                        ..kept
                    };
                    service.keep(place, &refused).await?;
                }
                return Err(error.into());
            }
        }
    }
    let url = format!("/v1/projects/{project}/executions/{id}");
    let location = HeaderValue::from_str(&url)
        .map_err(|_| Problem::missing(format!("no project {project:?} here")))?;
    let started = Started {
        verdict: format!("{url}/verdict"),
        url,
        execution: id,
        project,
    };
    let mut response = (StatusCode::CREATED, Json(started)).into_response();
    response.headers_mut().insert(LOCATION, location);
    if replayed {
        let name = HeaderName::from_static("idempotency-replayed");
        let headers = response.headers_mut();
        headers.insert(name, HeaderValue::from_static("true"));
    }
    Ok(response)
}

impl From<StartError> for Problem {
    fn from(error: StartError) -> Self {
        let status = match &error {
            StartError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            StartError::Busy(_) | StartError::Refused(_) => StatusCode::CONFLICT,
            StartError::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

fn unprocessable(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
}

impl Start {
    fn check(&self) -> Result<(), Problem> {
        let told = match (&self.definition, &self.test, &self.version) {
            (Some(_), None, None) | (None, Some(_), _) => None,
            (Some(_), None, Some(_)) => Some(
                "version: it is that of a test on record, and a definition is given: leave one of them out",
            ),
            (Some(_), Some(_), _) => Some("definition and test are given: leave one of them out"),
            (None, None, _) => Some("give a definition, or name a test on record"),
        };
        if let Some(told) = told {
            return Err(unprocessable(told));
        }
        if !(1..=MAX_GENERATORS).contains(&self.generators) {
            let problem = format!(
                "generators: {} is not a valid number; from 1 to {MAX_GENERATORS}",
                self.generators
            );
            return Err(unprocessable(problem));
        }
        let texts = [&self.commit, &self.branch, &self.build_url];
        let mut texts = texts.into_iter().flatten();
        if texts.any(|text| text.len() > 1_000 || text.chars().any(char::is_control)) {
            let told = "commit, branch and build_url: one line of up to 1,000 bytes each";
            return Err(unprocessable(told));
        }
        Ok(())
    }

    fn order(self, caller: &Caller, (id, project): (String, String), what: RunWhat) -> RunOrder {
        RunOrder {
            id,
            project,
            what,
            parameters: self.parameters,
            environment: self.environment,
            generators: self.generators,
            trigger: Trigger {
                kind: TriggerKind::Api.into(),
                principal: Some(caller.name.clone()),
                principal_is: caller.is,
                build_url: self.build_url,
                commit: self.commit,
                branch: self.branch,
            },
        }
    }
}

impl Service {
    /// What is run.
    async fn what(&self, project: &str, start: &Start) -> Result<RunWhat, Problem> {
        if let Some(definition) = &start.definition {
            return Ok(RunWhat::Definition(match definition {
                Definition::Text(text) => text.clone(),
                Definition::Tree(tree) => Value::Object(tree.clone()).to_string(),
            }));
        }
        let test = start.test.clone().unwrap_or_default();
        let version = match &start.version {
            Some(version) => version.clone(),
            None => {
                let newest = newest_version(&self.stores, project, &test).await?;
                newest.ok_or_else(|| unprocessable(format!("no test {test:?} has run here yet")))?
            }
        };
        Ok(RunWhat::Version { test, version })
    }

    /// What is kept of a start: its run is a new one, or that which the same key has got before.
    async fn kept(&self, place: Option<&str>, start: &Start) -> Result<Kept, Problem> {
        let request =
            serde_json::to_vec(start).map_err(|error| unprocessable(error.to_string()))?;
        let new = Kept {
            execution: ulid::Ulid::generate().to_string(),
            request: hex(Sha256::digest(request)),
            at_ms: (self.now_ms)(),
            refused: false,
        };
        let Some(place) = place else {
            return Ok(new);
        };
        let objects = self.stores.objects.as_ref();
        let bytes = json::bytes(place, &new).map_err(floodgate_control::ControlError::from)?;
        match objects.put_new(place, bytes).await {
            Ok(()) => return Ok(new),
            Err(StoreError::Exists { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let why = "it stood there a moment ago";
        let before: Kept = json::need(objects, place.to_owned(), why).await?;
        let is_same = before.request == new.request;
        if !is_same && !before.refused {
            let told = "idempotency-key: another request had this key; choose another one";
            return Err(unprocessable(told));
        }
        if !before.refused {
            return Ok(before);
        }
        let again = match is_same {
            // One run only: whatever became of it since, an id starts no second one.
            true => Kept {
                refused: false,
                ..before
            },
            false => new,
        };
        self.keep(place, &again).await?;
        Ok(again)
    }

    async fn keep(&self, place: &str, kept: &Kept) -> Result<(), Problem> {
        let bytes = json::bytes(place, kept).map_err(floodgate_control::ControlError::from)?;
        Ok(self.stores.objects.put(place, bytes).await?)
    }
}

/// Where what is kept of a start with a key lies; `None` without one.
fn key(caller: &Caller, project: &str, headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get(KEY) else {
        return Ok(None);
    };
    let is_plain = |key: &&str| (1..=LONGEST_KEY).contains(&key.len());
    let key = (key.to_str().ok().filter(is_plain))
        .ok_or_else(|| Problem::bad("idempotency-key: write 1 to 200 characters of ASCII"))?;
    // Of each caller their own: nobody finds out what another one has started.
    let name = hex(Sha256::digest(format!("{}\n{key}", caller.name)));
    Ok(Some(start_by_key(project, &name)))
}
