//! Images in Elastic Container Registry: whether one is there, and for which processors.

use super::call::{CallError, Calls, ECR};
use serde_json::{Value, json};

/// What an image may lie under: an index of several, or one alone.
const MANIFESTS: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// An image by its name: `123456789012.dkr.ecr.eu-west-1.amazonaws.com/floodgate/generator-http:0.1.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageName {
    /// The account that the registry is of.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Without the registry in front.
    pub repository: String,
    /// A tag, or a digest.
    pub reference: String,
}

impl ImageName {
    /// `None` of an image that lies in no registry of ECR.
    pub fn parse(text: &str) -> Option<Self> {
        let (registry, path) = text.split_once('/')?;
        let (account, host) = registry.split_once(".dkr.ecr.")?;
        let (region, domain) = host.split_once('.')?;
        let is_account = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        if !is_account || !domain.starts_with("amazonaws.com") {
            return None;
        }
        let (repository, reference) = path.split_once('@').or_else(|| path.rsplit_once(':'))?;
        Some(Self {
            account: account.to_owned(),
            region: region.to_owned(),
            repository: repository.to_owned(),
            reference: reference.to_owned(),
        })
    }
}

/// An image that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Its digest.
    pub digest: String,
    /// Processors that it is for, as Docker names them: `amd64`, `arm64`.
    pub architectures: Vec<String>,
}

/// A login to a registry, for twelve hours.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// `AWS`.
    pub user: String,
    /// A token.
    pub password: String,
    /// The registry's host.
    pub registry: String,
}

/// Looks for an image; `None` if it, or its repository, is not there.
///
/// # Errors
/// [`CallError`], also if it is there and its processors cannot be told.
pub async fn find(calls: &Calls, name: &ImageName) -> Result<Option<Image>, CallError> {
    let calls = calls.in_region(&name.region);
    let id = match name.reference.starts_with("sha256:") {
        true => json!({"imageDigest": name.reference}),
        false => json!({"imageTag": name.reference}),
    };
    let input = json!({
        "registryId": name.account,
        "repositoryName": name.repository,
        "imageIds": [id],
        "acceptedMediaTypes": MANIFESTS,
    });
    let answer = match calls.json(ECR, "BatchGetImage", &input).await {
        Err(error) if error.code() == "RepositoryNotFoundException" => return Ok(None),
        answer => answer?,
    };
    let Some(found) = answer["images"].get(0) else {
        let failure = &answer["failures"][0];
        return match failure["failureCode"].as_str() {
            Some("ImageNotFound" | "ImageTagDoesNotMatchDigest") | None => Ok(None),
            Some(code) => Err(CallError::Refused {
                code: code.to_owned(),
                message: failure["failureReason"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned(),
            }),
        };
    };
    let manifest = found["imageManifest"].as_str().unwrap_or_default();
    let manifest: Value = serde_json::from_str(manifest).unwrap_or_default();
    let architectures = match platforms(&manifest) {
        Some(architectures) => architectures,
        None => vec![architecture(&calls, name, &manifest).await?],
    };
    Ok(Some(Image {
        digest: found["imageId"]["imageDigest"]
            .as_str()
            .unwrap_or_default()
            .to_owned(),
        architectures,
    }))
}

/// The processors of an index; `None` of one image alone. What attests something has the platform `unknown`
/// (<https://docs.docker.com/build/metadata/attestations/attestation-storage/>).
fn platforms(manifest: &Value) -> Option<Vec<String>> {
    let parts = manifest["manifests"].as_array()?.iter();
    let platforms = parts.filter(|part| part["platform"]["os"] == "linux");
    let names = platforms.filter_map(|part| part["platform"]["architecture"].as_str());
    Some(names.map(str::to_owned).collect())
}

/// The processor of one image, which its configuration names (<https://github.com/opencontainers/image-spec/blob/main/config.md>).
async fn architecture(
    calls: &Calls,
    name: &ImageName,
    manifest: &Value,
) -> Result<String, CallError> {
    let unknown = |what: &str| CallError::Answer(format!("its {what} cannot be told").into());
    let digest = manifest["config"]["digest"].as_str();
    let digest = digest.ok_or_else(|| unknown("configuration"))?;
    let input = json!({
        "registryId": name.account,
        "repositoryName": name.repository,
        "layerDigest": digest,
    });
    let answer = calls.json(ECR, "GetDownloadUrlForLayer", &input).await?;
    let url = answer["downloadUrl"]
        .as_str()
        .ok_or_else(|| unknown("place"))?;
    let configuration: Value =
        serde_json::from_slice(&calls.get(url).await?).map_err(|_| unknown("configuration"))?;
    let architecture = configuration["architecture"].as_str();
    Ok(architecture.ok_or_else(|| unknown("processor"))?.to_owned())
}

/// A login to the registry of the caller's account in a region.
///
/// # Errors
/// [`CallError`], also if the answer has no token.
pub async fn login(calls: &Calls) -> Result<Login, CallError> {
    let answer = calls.json(ECR, "GetAuthorizationToken", &json!({})).await?;
    let given = &answer["authorizationData"][0];
    let token = given["authorizationToken"].as_str().unwrap_or_default();
    let registry = given["proxyEndpoint"].as_str().unwrap_or_default();
    let registry = registry
        .trim_start_matches("https://")
        .trim_end_matches('/');
    let decoded = decoded(token);
    let (user, password) = decoded
        .as_deref()
        .and_then(|text| text.split_once(':'))
        .filter(|_| !registry.is_empty())
        .ok_or_else(|| CallError::Answer("it has no token".into()))?;
    Ok(Login {
        user: user.to_owned(),
        password: password.to_owned(),
        registry: registry.to_owned(),
    })
}

fn decoded(token: &str) -> Option<String> {
    let bytes = aws_smithy_types::base64::decode(token).ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_of_ecr_are_taken_apart() {
        let registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        let name = ImageName::parse(&format!("{registry}/floodgate/generator-http:0.1.0")).unwrap();
        assert_eq!(
            (name.account.as_str(), name.region.as_str()),
            ("123456789012", "eu-west-1")
        );
        assert_eq!(
            (name.repository.as_str(), name.reference.as_str()),
            ("floodgate/generator-http", "0.1.0")
        );
        let name = ImageName::parse(&format!("{registry}.cn/x@sha256:ab")).unwrap();
        assert_eq!(
            (name.repository.as_str(), name.reference.as_str()),
            ("x", "sha256:ab")
        );
        for other in [
            "floodgate-generator:dev",
            "ghcr.io/a/b:1",
            "1.dkr.ecr.x.amazonaws.com/a:b",
            "127.0.0.1:5000/a:b",
        ] {
            assert_eq!(ImageName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn an_index_names_its_processors() {
        let index = json!({"manifests": [
            {"platform": {"os": "linux", "architecture": "arm64"}},
            {"platform": {"os": "linux", "architecture": "amd64"}},
            {"platform": {"os": "unknown", "architecture": "unknown"}},
        ]});
        assert_eq!(platforms(&index).unwrap(), ["arm64", "amd64"]);
        assert_eq!(platforms(&json!({"config": {}})), None);
    }

    #[test]
    fn a_login_is_user_and_password() {
        assert_eq!(decoded("QVdTOnRva2Vu").as_deref(), Some("AWS:token"));
        assert_eq!(decoded("%"), None);
    }
}
