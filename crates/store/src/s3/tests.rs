use super::*;
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A bucket of which only what lies below `projects/shop/` may be read and listed, as S3 answers to such a policy. `here` is
/// the only object; `hidden` is there too, and may not be read.
async fn bounded() -> (S3Store, Arc<AtomicUsize>) {
    let lists = Arc::new(AtomicUsize::new(0));
    let counted = lists.clone();
    let late = AtomicUsize::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let request = lines.next().unwrap().unwrap();
            while !lines.next().unwrap().unwrap().is_empty() {}
            let target = request.split(' ').nth(1).unwrap();
            let denied = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
            let listing = |keys: &str| {
                format!(
                    "<ListBucketResult><Name>b</Name><KeyCount>1</KeyCount>{keys}</ListBucketResult>"
                )
            };
            let (status, body) = match target.split_once('?') {
                Some((_, query)) if query.contains("prefix=projects%2Fshop%2Fhidden") => {
                    let key = "<Contents><Key>projects/shop/hidden</Key><Size>1</Size></Contents>";
                    (200, listing(key))
                }
                Some((_, query)) if query.contains("prefix=projects%2Fshop%2Flate") => {
                    let key = "<Contents><Key>projects/shop/late</Key><Size>1</Size></Contents>";
                    (200, listing(key))
                }
                // Written after it was first asked for.
                _ if target.starts_with("/b/projects/shop/late")
                    && late.fetch_add(1, Ordering::Relaxed) > 0 =>
                {
                    (200, "y".into())
                }
                Some((_, query)) if query.contains("prefix=projects%2Fshop%2F") => {
                    counted.fetch_add(1, Ordering::Relaxed);
                    (200, listing(""))
                }
                _ if target.starts_with("/b/projects/shop/here") => (200, "x".into()),
                _ => (403, denied.into()),
            };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes());
        }
    });
    let credentials = Credentials::new("test", "test", None, None, "test");
    let config = crate::aws::loader()
        .endpoint_url(format!("http://{at}"))
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .load()
        .await;
    (S3Store::new(&config, "b"), lists)
}

#[tokio::test]
async fn who_may_list_a_prefix_only_is_told_what_is_not_there() {
    let (store, lists) = bounded().await;
    let get = async |key: &str| store.get(key).await;
    assert_eq!(get("projects/shop/here").await.unwrap().unwrap(), "x");
    for _ in 0..3 {
        assert_eq!(get("projects/shop/missing").await.unwrap(), None);
    }
    // Who asks every few seconds is not to pay for a listing each time.
    assert_eq!(lists.load(Ordering::Relaxed), 1);
    assert_eq!(get("projects/shop/late").await.unwrap().unwrap(), "y");
    // What is there and may not be read, and what may not even be listed, is not an absence.
    for denied in ["projects/shop/hidden", "projects/other/x"] {
        let error = get(denied).await.unwrap_err();
        assert!(error.to_string().contains("AccessDenied"), "{error}");
    }
}

#[test]
fn a_large_write_over_a_slow_way_has_its_time() {
    assert!(slow(100_000).is_none());
    let bounds = slow(52_000_000).unwrap();
    let one = Duration::from_secs(30 + 203);
    assert_eq!(bounds.read_timeout(), Some(one));
    assert_eq!(bounds.operation_attempt_timeout(), Some(one));
    assert_eq!(bounds.operation_timeout(), Some(one * 3));
    assert_eq!(bounds.connect_timeout(), None, "as for all requests");
}
