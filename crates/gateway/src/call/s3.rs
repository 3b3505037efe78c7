//! S3 (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>).

use super::request::{Call, Check, Unknown};
use http::Method;
use percent_encoding::percent_decode_str;
use std::net::IpAddr;

/// Bucket and key; empty where the request names none.
fn place(call: &Call<'_>) -> (String, String) {
    let path = percent_decode_str(call.path.trim_start_matches('/')).decode_utf8_lossy();
    let host = call.header("host").unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    // `bucket.s3.eu-west-1.amazonaws.com`, and an emulator's `bucket.localhost`.
    let in_host = match host.split_once('.') {
        Some((bucket, rest)) if host.parse::<IpAddr>().is_err() => {
            let is_service = rest.starts_with("s3.") || rest == "localhost";
            is_service.then(|| bucket.to_owned())
        }
        _ => None,
    };
    match in_host {
        Some(bucket) => (bucket, path.into_owned()),
        None => match path.split_once('/') {
            Some((bucket, key)) => (bucket.to_owned(), key.to_owned()),
            None => (path.into_owned(), String::new()),
        },
    }
}

fn arn(bucket: &str, key: &str) -> String {
    match key {
        "" => format!("arn:aws:s3:::{bucket}"),
        key => format!("arn:aws:s3:::{bucket}/{key}"),
    }
}

pub(super) fn checks(call: &Call<'_>) -> Result<Vec<Check>, Unknown> {
    let (bucket, key) = place(call);
    if bucket.is_empty() {
        return match *call.method {
            Method::GET => Ok(vec![Check::of("s3:ListAllMyBuckets", "*")]),
            _ => Err(call.unknown()),
        };
    }
    if key.is_empty() {
        return of_bucket(call, &bucket);
    }
    of_object(call, &arn(&bucket, &key))
}

/// Parts of a bucket or of an object that are asked for by a bare word in the query.
fn part<'c>(call: &'c Call<'_>) -> Option<&'c str> {
    const PARTS: [&str; 8] = [
        "acl",
        "delete",
        "location",
        "policy",
        "tagging",
        "uploads",
        "versioning",
        "versions",
    ];
    let mut names = call.query.iter().map(|(name, _)| name.as_str());
    names.find(|name| PARTS.contains(name))
}

fn of_bucket(call: &Call<'_>, bucket: &str) -> Result<Vec<Check>, Unknown> {
    let of = |action: &str| Check::of(action, &arn(bucket, ""));
    let plain = call
        .query
        .iter()
        .all(|(name, _)| LISTING.contains(&name.as_str()));
    Ok(vec![match (call.method, part(call)) {
        (&Method::GET, None) if plain => listing(call, of("s3:ListBucket")),
        (&Method::HEAD, None) if plain => of("s3:ListBucket"),
        (&Method::GET, Some("versions")) => listing(call, of("s3:ListBucketVersions")),
        (&Method::GET, Some("location")) => of("s3:GetBucketLocation"),
        (&Method::GET, Some("policy")) => of("s3:GetBucketPolicy"),
        (&Method::PUT, Some("policy")) => of("s3:PutBucketPolicy"),
        (&Method::GET, Some("acl")) => of("s3:GetBucketAcl"),
        (&Method::GET, Some("versioning")) => of("s3:GetBucketVersioning"),
        (&Method::GET, Some("uploads")) => listing(call, of("s3:ListBucketMultipartUploads")),
        (&Method::POST, Some("delete")) => return deletions(call, bucket),
        (&Method::PUT, None) if call.query.is_empty() => of("s3:CreateBucket"),
        (&Method::DELETE, None) if call.query.is_empty() => of("s3:DeleteBucket"),
        _ => return Err(call.unknown()),
    }])
}

/// What a listing may say, of both versions of it.
const LISTING: [&str; 10] = [
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "list-type",
    "marker",
    "max-keys",
    "prefix",
    "start-after",
    "x-id",
];

fn listing(call: &Call<'_>, mut check: Check) -> Check {
    for name in ["prefix", "delimiter", "max-keys"] {
        if let Some(value) = call.parameter(name) {
            check = check.with(&format!("s3:{name}"), value);
        }
    }
    check
}

/// Keys in the body of a deletion of many.
fn deletions(call: &Call<'_>, bucket: &str) -> Result<Vec<Check>, Unknown> {
    let document = crate::xml::parse(call.body).map_err(Unknown)?;
    let objects = document.all("Object");
    let each = objects.map(|object| {
        let version = object.text("VersionId");
        let action = if version.is_empty() {
            "s3:DeleteObject"
        } else {
            "s3:DeleteObjectVersion"
        };
        Check::of(action, &arn(bucket, object.text("Key")))
    });
    Ok(each.collect())
}

/// What a request for an object may say beside the parts.
const OF_OBJECT: [&str; 4] = ["partNumber", "uploadId", "versionId", "x-id"];

fn of_object(call: &Call<'_>, arn: &str) -> Result<Vec<Check>, Unknown> {
    let mut names = call.query.iter().map(|(name, _)| name.as_str());
    let part_of_it = part(call).unwrap_or_default();
    if !names.all(|name| OF_OBJECT.contains(&name) || name == part_of_it) {
        return Err(call.unknown());
    }
    let has = |name: &str| call.parameter(name).is_some();
    let versioned = |action: &str| {
        let end = if has("versionId") { "Version" } else { "" };
        Check::of(&format!("s3:{action}{end}"), arn)
    };
    // In parts, an object is written by PutObject; so is the upload begun and ended.
    let one = match (call.method, part(call), has("uploadId")) {
        (&Method::GET | &Method::HEAD, None, false) => versioned("GetObject"),
        (&Method::GET, Some("tagging"), _) => versioned("GetObjectTagging"),
        (&Method::PUT, Some("tagging"), _) => versioned("PutObjectTagging"),
        (&Method::GET, Some("acl"), _) => versioned("GetObjectAcl"),
        (&Method::PUT, Some("acl"), _) => versioned("PutObjectAcl"),
        (&Method::DELETE, None, false) => versioned("DeleteObject"),
        (&Method::DELETE, None, true) => Check::of("s3:AbortMultipartUpload", arn),
        (&Method::GET, None, true) => Check::of("s3:ListMultipartUploadParts", arn),
        (&Method::PUT, None, _)
        | (&Method::POST, Some("uploads"), _)
        | (&Method::POST, None, true) => {
            return written(call, arn);
        }
        _ => return Err(call.unknown()),
    };
    Ok(vec![one])
}

/// A write, and what its headers need besides.
fn written(call: &Call<'_>, arn: &str) -> Result<Vec<Check>, Unknown> {
    let mut all = vec![Check::of("s3:PutObject", arn)];
    if let Some(source) = call.header("x-amz-copy-source") {
        let source = percent_decode_str(source.trim_start_matches('/')).decode_utf8_lossy();
        let object = source
            .split_once('?')
            .map_or(&*source, |(object, _)| object);
        all.push(Check::of("s3:GetObject", &format!("arn:aws:s3:::{object}")));
    }
    if let Some(tags) = call.header("x-amz-tagging") {
        let mut tagging = Check::of("s3:PutObjectTagging", arn);
        for (key, value) in url::form_urlencoded::parse(tags.as_bytes()) {
            tagging = tagging.with(&format!("s3:RequestObjectTag/{key}"), &value);
            tagging = tagging.with("s3:RequestObjectTagKeys", &key);
        }
        all[0].context.clone_from(&tagging.context);
        all.push(tagging);
    }
    let names = call.headers.keys().map(http::HeaderName::as_str);
    if names
        .into_iter()
        .any(|name| name == "x-amz-acl" || name.starts_with("x-amz-grant-"))
    {
        let acl = call.header("x-amz-acl").unwrap_or_default();
        all.push(Check::of("s3:PutObjectAcl", arn).with("s3:x-amz-acl", acl));
    }
    // No product of ours names a key of KMS, and then one more permission would be needed.
    match call.header("x-amz-server-side-encryption-aws-kms-key-id") {
        Some(_) => Err(call.unknown()),
        None => Ok(all),
    }
}

/// Whoever may not list the bucket gets 403 for an object that is not there. A look at an object names no prefix, so a condition on
/// `s3:prefix` does not hold.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
pub(super) fn needed_to_see_absence(call: &Call<'_>) -> Option<Check> {
    let (bucket, key) = place(call);
    let is_look = matches!(*call.method, Method::GET | Method::HEAD);
    (is_look && !key.is_empty()).then(|| Check::of("s3:ListBucket", &arn(&bucket, "")))
}
