//! An emulator to test with: each test has a bucket or a table of its own in it.

use aws_config::{Region, SdkConfig};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use floodgate_store::aws;
use floodgate_store::dynamodb::DynamoStore;
use floodgate_store::s3::S3Store;

const REGION: &str = "eu-west-1";

/// Where the emulator is. When there is none, this says which test is left out.
pub(crate) fn endpoint(test: &str) -> Option<String> {
    let endpoint = std::env::var("FLOODGATE_TEST_ENDPOINT").ok();
    if endpoint.is_none() {
        eprintln!("left out: {test}, since FLOODGATE_TEST_ENDPOINT names no emulator");
    }
    endpoint
}

/// What the stores are configured with everywhere, but for the place and the keys.
pub(crate) async fn config(endpoint: &str) -> SdkConfig {
    aws::loader()
        .endpoint_url(endpoint)
        .region(Region::new(REGION))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "test", "test", None, None, "test",
        )))
        .load()
        .await
}

fn unique(what: &str) -> String {
    format!("floodgate-{what}-{:016x}", fastrand::u64(..))
}

/// A store in a new bucket.
pub(crate) async fn bucket(endpoint: &str) -> S3Store {
    let config = config(endpoint).await;
    let name = unique("bucket");
    let client = aws_sdk_s3::Client::from_conf(
        aws_sdk_s3::config::Builder::from(&config)
            .force_path_style(true)
            .build(),
    );
    let region = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::from(REGION))
        .build();
    let creating = client
        .create_bucket()
        .bucket(&name)
        .create_bucket_configuration(region);
    creating.send().await.unwrap();
    S3Store::new(&config, name)
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    let key = KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(kind);
    key.build().unwrap()
}

fn index(name: &str) -> GlobalSecondaryIndex {
    let all = Projection::builder().projection_type(ProjectionType::All);
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .key_schema(key(&format!("{name}PK"), KeyType::Hash))
        .key_schema(key(&format!("{name}SK"), KeyType::Range))
        .projection(all.build())
        .build()
        .unwrap()
}

/// A store in a new table.
pub(crate) async fn table(endpoint: &str) -> DynamoStore {
    let config = config(endpoint).await;
    let name = unique("table");
    let client = aws_sdk_dynamodb::Client::new(&config);
    let attributes = ["PK", "SK", "GSI1PK", "GSI1SK", "GSI2PK", "GSI2SK"].map(|name| {
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S);
        attribute.build().unwrap()
    });
    let creating = client
        .create_table()
        .table_name(&name)
        .set_attribute_definitions(Some(attributes.to_vec()))
        .key_schema(key("PK", KeyType::Hash))
        .key_schema(key("SK", KeyType::Range))
        .global_secondary_indexes(index("GSI1"))
        .global_secondary_indexes(index("GSI2"))
        .billing_mode(BillingMode::PayPerRequest);
    creating.send().await.unwrap();
    DynamoStore::new(&config, name)
}
