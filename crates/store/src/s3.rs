//! Objects in an S3 bucket.
//!
//! What the store relies on: reads and listings after a write see it
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel>), a write is seen whole or not at all
//! (same place), and `If-None-Match: *` lets one of many writers create an object
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>). The client adds a checksum to each write,
//! which S3 checks, and checks those of what it reads.

mod absences;

use crate::aws::{Chained, code, store_error};
use crate::error::Cause;
use crate::keys::{check_key, check_prefix};
use crate::{ObjectInfo, ObjectStore, Result, StoreError};
use absences::Absences;
use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::Object;
use bytes::Bytes;
use floodgate_records::keys::is_raw;
use std::time::Duration;

/// Metadata by which a writer recognises its own object: when the answer to a conditional write is lost, the retry finds the
/// object there already.
const WRITER: &str = "floodgate-writer";
/// The tag of what the bucket's lifecycle may delete early; its rules know no pattern of keys, only prefixes and tags.
const RAW: &str = "floodgate=raw";
/// What a page is.
const PAGE: &str = "text/html; charset=utf-8";
/// How often a conditional write is tried that another request keeps getting in the way of, and a read whose body breaks off.
const TRIES: u32 = 6;
/// The first pause between two such tries, at most; each further one is up to twice as long.
const PAUSE: Duration = Duration::from_millis(50);

/// What a way to S3 from outside of AWS carries at least, in bytes a second.
const UPLINK: u64 = 256_000;
/// Writes of fewer bytes are in time anyway.
const SMALL: u64 = 1_000_000;

/// A bucket as a store. Clones share their connections.
#[derive(Clone, Debug)]
pub struct S3Store {
    client: Client,
    bucket: String,
    /// Whether large writes have the time that a slow way needs.
    outside: bool,
    absences: Absences,
}

impl S3Store {
    /// The store in a bucket in the configuration's region. Nothing is asked of S3 yet.
    pub fn new(config: &SdkConfig, bucket: impl Into<String>) -> Self {
        let config = aws_sdk_s3::config::Builder::from(config)
            // An emulator's host name has no sub-domains for buckets.
            .force_path_style(config.endpoint_url().is_some())
            .build();
        Self {
            client: Client::from_conf(config),
            bucket: bucket.into(),
            outside: false,
            absences: Absences::default(),
        }
    }

    /// The same for a machine outside of AWS: a large write may take the time that it needs at 256 kB/s. (A connection on which nothing moves
    /// any more is given up by the client all the same.)
    #[must_use]
    pub fn outside(mut self) -> Self {
        self.outside = true;
        self
    }

    /// The store in a bucket of another region than the configuration's: tasks of all regions write to one bucket.
    pub fn in_region(
        config: &SdkConfig,
        bucket: impl Into<String>,
        region: impl Into<String>,
    ) -> Self {
        let config = config.to_builder().region(Region::new(region.into()));
        Self::new(&config.build(), bucket)
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// How an object is named in errors.
    fn name(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    fn writing(&self, key: &str, data: Bytes) -> PutObjectFluentBuilder {
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .set_tagging(is_raw(key).then(|| RAW.to_owned()))
            // A browser shows what it is told to be a page.
            .set_content_type(key.ends_with(".html").then(|| PAGE.to_owned()))
            .body(ByteStream::from(data))
    }

    async fn write(
        &self,
        writing: PutObjectFluentBuilder,
        bytes: usize,
    ) -> std::result::Result<(), Box<SdkError<PutObjectError, HttpResponse>>> {
        let sent = match slow(bytes as u64).filter(|_| self.outside) {
            Some(timeouts) => {
                let config = aws_sdk_s3::config::Builder::new().timeout_config(timeouts);
                writing.customize().config_override(config).send().await
            }
            None => writing.send().await,
        };
        sent.map(|_| ()).map_err(Box::new)
    }

    /// Whether the object was written by the one that holds the token.
    async fn is_mine(&self, key: &str, token: &str) -> bool {
        let head = self.client.head_object().bucket(&self.bucket).key(key);
        // An answer that cannot be had proves nothing: then the object is somebody else's.
        head.send().await.is_ok_and(|head| {
            head.metadata()
                .is_some_and(|metadata| metadata.get(WRITER).is_some_and(|found| found == token))
        })
    }

    /// Whether a listing shows that there is no such object. Whoever may list only below a prefix is denied an object that is
    /// not there, since the request for it names no prefix
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>); asked for the prefix, S3 tells.
    async fn is_absent(&self, key: &str) -> bool {
        if self.absences.is_known(key) {
            return true;
        }
        let listing = self.client.list_objects_v2().bucket(&self.bucket);
        // The key itself comes before those that begin with it.
        let listed = listing.prefix(key).max_keys(1).send().await;
        let is_absent =
            listed.is_ok_and(|listed| listed.contents().iter().all(|o| o.key() != Some(key)));
        if is_absent {
            self.absences.learn(key);
        }
        is_absent
    }

    async fn read(&self, key: &str) -> std::result::Result<Option<Bytes>, Broken> {
        match self.read_once(key).await {
            Err(Broken::Request(error)) if code(&*error) == Some("AccessDenied") => {
                match self.is_absent(key).await {
                    true => Ok(None),
                    // It may have been written after the first request.
                    false => self.read_once(key).await,
                }
            }
            read => read,
        }
    }

    async fn read_once(&self, key: &str) -> std::result::Result<Option<Bytes>, Broken> {
        let reading = self.client.get_object().bucket(&self.bucket).key(key);
        let object = match reading.send().await {
            Ok(object) => object,
            Err(SdkError::ServiceError(error))
                if matches!(error.err(), GetObjectError::NoSuchKey(_)) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(Broken::Request(Box::new(error))),
        };
        // The client's own retries end where the body begins.
        match object.body.collect().await {
            Ok(body) => Ok(Some(body.into_bytes())),
            Err(error) => Err(Broken::Body(Box::new(Chained(error)))),
        }
    }
}

/// The bounds on a large write over a slow way.
fn slow(bytes: u64) -> Option<TimeoutConfig> {
    let one = Duration::from_secs(30 + bytes / UPLINK);
    (bytes >= SMALL).then(|| {
        TimeoutConfig::builder()
            // Until the answer begins: the body goes before.
            .read_timeout(one)
            .operation_attempt_timeout(one)
            .operation_timeout(one * 3)
            .build()
    })
}

/// How a read fails.
enum Broken {
    Request(Box<SdkError<GetObjectError, HttpResponse>>),
    Body(Cause),
}

#[async_trait]
impl ObjectStore for S3Store {
    async fn put(&self, key: &str, data: Bytes) -> Result<()> {
        check_key(key)?;
        let bytes = data.len();
        match self.write(self.writing(key, data), bytes).await {
            Ok(()) => Ok(()),
            Err(error) => Err(store_error("write", &self.name(key), *error)),
        }
    }

    async fn put_new(&self, key: &str, data: Bytes) -> Result<()> {
        check_key(key)?;
        let token = token();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let writing = self
                .writing(key, data.clone())
                .if_none_match("*")
                .metadata(WRITER, &token);
            let Err(error) = self.write(writing, data.len()).await else {
                return Ok(());
            };
            match code(&error) {
                Some("PreconditionFailed") if self.is_mine(key, &token).await => return Ok(()),
                Some("PreconditionFailed") => {
                    return Err(StoreError::Exists {
                        key: key.to_owned(),
                    });
                }
                // Another request for the same key is under way; which one wins is known when both are over.
                Some("ConditionalRequestConflict") if attempt < TRIES => pause(attempt).await,
                _ => return Err(store_error("write", &self.name(key), *error)),
            }
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>> {
        check_key(key)?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.read(key).await {
                Ok(found) => return Ok(found),
                Err(Broken::Request(error)) => {
                    return Err(store_error("read", &self.name(key), *error));
                }
                Err(Broken::Body(_)) if attempt < TRIES => pause(attempt).await,
                Err(Broken::Body(source)) => {
                    return Err(StoreError::Unavailable {
                        operation: "read",
                        key: self.name(key),
                        source,
                    });
                }
            }
        }
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>> {
        check_prefix(prefix)?;
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .into_paginator()
            .send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| store_error("list", &self.name(prefix), error))?;
            found.extend(
                page.contents
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(info),
            );
        }
        // S3 lists general purpose buckets in this order, but not every kind of bucket.
        found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    async fn delete(&self, key: &str) -> Result<()> {
        check_key(key)?;
        let deleting = self.client.delete_object().bucket(&self.bucket).key(key);
        match deleting.send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(store_error("delete", &self.name(key), error)),
        }
    }
}

/// An object in a listing. Those that others have put into the bucket under keys that no store of ours takes, such as a
/// console's markers of folders, are left out.
fn info(object: Object) -> Option<ObjectInfo> {
    let key = object.key?;
    check_key(&key).ok()?;
    Some(ObjectInfo {
        size: u64::try_from(object.size.unwrap_or(0)).unwrap_or(0),
        modified_ms: object
            .last_modified
            .and_then(|at| at.to_millis().ok())
            .unwrap_or(0),
        version: object.e_tag.unwrap_or_default(),
        key,
    })
}

/// 128 random bits, in hex.
fn token() -> String {
    format!("{:032x}", fastrand::u128(..))
}

/// Waits for a random time below a bound that doubles with each try.
async fn pause(attempt: u32) {
    tokio::time::sleep(PAUSE.mul_f64(f64::from(1 << attempt.min(6)) * fastrand::f64())).await;
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
