#![allow(clippy::unwrap_used)]

use super::*;
use http::{HeaderMap, HeaderName, HeaderValue};

const ACCOUNT: &str = "000000000000";

/// The permissions that a request needs.
fn asked(
    (method, target): (&Method, &str),
    service: &str,
    headers: &[(&str, &str)],
    body: &str,
    answer: Value,
) -> Result<Vec<Check>, Unknown> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        })
        .collect();
    let call = Call {
        method,
        path,
        query: url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect(),
        headers: &headers,
        body: body.as_bytes(),
        service,
        region: "eu-west-1",
        account: ACCOUNT,
    };
    call.question()?;
    call.checks(&answer)
}

fn s3(
    method: &Method,
    target: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Vec<(String, String)> {
    let host: &[(&str, &str)] = &[("host", "127.0.0.1:4566")];
    let checks = asked(
        (method, target),
        "s3",
        &[host, headers].concat(),
        body,
        Value::Null,
    );
    let checks = checks.unwrap_or_else(|unknown| panic!("{unknown:?}"));
    checks
        .into_iter()
        .map(|check| (check.action, check.resource))
        .collect()
}

fn json(service: &str, operation: &str, body: Value, answer: Value) -> Result<Vec<Check>, Unknown> {
    let target = format!("Service_1.{operation}");
    let headers = [("x-amz-target", target.as_str())];
    asked(
        (&Method::POST, "/"),
        service,
        &headers,
        &body.to_string(),
        answer,
    )
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn objects_of_s3_are_named_by_path_or_by_host() {
    let (get, put, post, delete) = (&Method::GET, &Method::PUT, &Method::POST, &Method::DELETE);
    let object = "arn:aws:s3:::b/a/x y";
    for (method, target, action) in [
        (get, "/b/a/x%20y?x-id=GetObject", "s3:GetObject"),
        (&Method::HEAD, "/b/a/x%20y", "s3:GetObject"),
        (get, "/b/a/x%20y?versionId=1", "s3:GetObjectVersion"),
        (put, "/b/a/x%20y?x-id=PutObject", "s3:PutObject"),
        (post, "/b/a/x%20y?uploads", "s3:PutObject"),
        (put, "/b/a/x%20y?partNumber=1&uploadId=u", "s3:PutObject"),
        (post, "/b/a/x%20y?uploadId=u", "s3:PutObject"),
        (delete, "/b/a/x%20y?uploadId=u", "s3:AbortMultipartUpload"),
        (get, "/b/a/x%20y?uploadId=u", "s3:ListMultipartUploadParts"),
        (delete, "/b/a/x%20y?x-id=DeleteObject", "s3:DeleteObject"),
        (get, "/b/a/x%20y?tagging", "s3:GetObjectTagging"),
        (put, "/b/a/x%20y?acl", "s3:PutObjectAcl"),
    ] {
        assert_eq!(
            s3(method, target, &[], ""),
            pairs(&[(action, object)]),
            "{method} {target}"
        );
    }
    let by_host = asked(
        (get, "/a"),
        "s3",
        &[("host", "b.s3.eu-west-1.amazonaws.com")],
        "",
        Value::Null,
    );
    assert_eq!(by_host.unwrap()[0].resource, "arn:aws:s3:::b/a");
}

#[test]
fn a_write_needs_what_its_headers_say_too() {
    let object = "arn:aws:s3:::b/k";
    assert_eq!(
        s3(
            &Method::PUT,
            "/b/k",
            &[("x-amz-tagging", "floodgate=raw")],
            ""
        ),
        pairs(&[("s3:PutObject", object), ("s3:PutObjectTagging", object)])
    );
    assert_eq!(
        s3(
            &Method::PUT,
            "/b/k",
            &[("x-amz-copy-source", "/other/a%20b?versionId=1")],
            ""
        ),
        pairs(&[
            ("s3:PutObject", object),
            ("s3:GetObject", "arn:aws:s3:::other/a b")
        ])
    );
    assert_eq!(
        s3(&Method::PUT, "/b/k", &[("x-amz-acl", "public-read")], ""),
        pairs(&[("s3:PutObject", object), ("s3:PutObjectAcl", object)])
    );
    let body = "<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key><VersionId>1</VersionId></Object></Delete>";
    assert_eq!(
        s3(&Method::POST, "/b?delete", &[], body),
        pairs(&[
            ("s3:DeleteObject", "arn:aws:s3:::b/a&b"),
            ("s3:DeleteObjectVersion", "arn:aws:s3:::b/c")
        ])
    );
}

#[test]
fn a_listing_tells_its_prefix_if_it_has_one() {
    let list = |target: &str| {
        let host = [("host", "127.0.0.1")];
        asked((&Method::GET, target), "s3", &host, "", Value::Null)
            .unwrap()
            .remove(0)
    };
    let check = list("/b/?list-type=2&prefix=projects%2Fshop%2F&delimiter=%2F&max-keys=1");
    assert_eq!(
        (check.action.as_str(), check.resource.as_str()),
        ("s3:ListBucket", "arn:aws:s3:::b")
    );
    let keys = pairs(&[
        ("s3:prefix", "projects/shop/"),
        ("s3:delimiter", "/"),
        ("s3:max-keys", "1"),
    ]);
    assert_eq!(check.context, keys);
    assert_eq!(list("/b?list-type=2").context, []);
    // To learn that an object is not there is to list, without a prefix.
    let headers = HeaderMap::new();
    let call = |method: &'static Method| Call {
        method,
        path: "/b/k",
        query: Vec::new(),
        headers: &headers,
        body: b"",
        service: "s3",
        region: "eu-west-1",
        account: ACCOUNT,
    };
    let needed = call(&Method::GET).needed_to_see_absence();
    assert_eq!(needed, Some(Check::of("s3:ListBucket", "arn:aws:s3:::b")));
    assert_eq!(call(&Method::PUT).needed_to_see_absence(), None);
}

#[test]
fn what_is_not_known_is_no_permission() {
    let host = [("host", "127.0.0.1")];
    for (method, target) in [
        (&Method::GET, "/b?lifecycle"),
        (&Method::PUT, "/b/k?retention"),
        (&Method::GET, "/b/k?uploads&attributes"),
        (&Method::POST, "/b/k"),
        (&Method::PUT, "/"),
    ] {
        let checks = asked((method, target), "s3", &host, "", Value::Null);
        assert!(checks.is_err(), "{method} {target}: {checks:?}");
    }
    assert!(json("ecs", "CreateCluster", serde_json::json!({}), Value::Null).is_err());
    assert!(
        json(
            "states",
            "DeleteStateMachine",
            serde_json::json!({}),
            Value::Null
        )
        .is_err()
    );
    assert!(
        json(
            "secretsmanager",
            "PutSecretValue",
            serde_json::json!({}),
            Value::Null
        )
        .is_err()
    );
    assert!(json("kms", "Decrypt", serde_json::json!({}), Value::Null).is_err());
}

fn table() -> Value {
    let schema = |hash: &str, range: &str| {
        serde_json::json!([
            {"AttributeName": range, "KeyType": "RANGE"},
            {"AttributeName": hash, "KeyType": "HASH"}
        ])
    };
    serde_json::json!({"Table": {
        "TableArn": "arn:aws:dynamodb:eu-west-1:000000000000:table/fg",
        "KeySchema": schema("PK", "SK"),
        "GlobalSecondaryIndexes": [{"IndexName": "GSI1", "KeySchema": schema("GSI1PK", "GSI1SK")}]
    }})
}

fn dynamodb(operation: &str, body: Value) -> Vec<(String, String, Vec<String>)> {
    let checks = json("dynamodb", operation, body, table()).unwrap();
    let each = checks.into_iter().map(|check| {
        assert!(
            check
                .context
                .iter()
                .all(|(key, _)| key == "dynamodb:LeadingKeys")
        );
        let keys = check.context.into_iter().map(|(_, value)| value);
        let resource = check
            .resource
            .replace("arn:aws:dynamodb:eu-west-1:000000000000:table/", "");
        (check.action, resource, keys.collect())
    });
    each.collect()
}

fn one(action: &str, resource: &str, keys: &[&str]) -> (String, String, Vec<String>) {
    let keys = keys.iter().map(|key| (*key).to_owned());
    (
        format!("dynamodb:{action}"),
        resource.to_owned(),
        keys.collect(),
    )
}

#[test]
fn leading_keys_are_those_of_the_table_or_of_its_index() {
    use serde_json::json as j;
    let key = j!({"PK": {"S": "PROJECT#shop"}, "SK": {"S": "EXEC#1"}});
    let of = |operation: &str, rest: Value| {
        let mut body = j!({"TableName": "fg"});
        body.as_object_mut()
            .unwrap()
            .extend(rest.as_object().unwrap().clone());
        dynamodb(operation, body)
    };
    assert_eq!(
        of("GetItem", j!({"Key": key})),
        [one("GetItem", "fg", &["PROJECT#shop"])]
    );
    assert_eq!(
        of("PutItem", j!({"Item": key})),
        [one("PutItem", "fg", &["PROJECT#shop"])]
    );
    let query = j!({
        "KeyConditionExpression": "begins_with(SK, :sk) AND #p = :pk",
        "ExpressionAttributeNames": {"#p": "PK"},
        "ExpressionAttributeValues": {":pk": {"S": "PROJECT#shop"}, ":sk": {"S": "EXEC#"}}
    });
    assert_eq!(of("Query", query), [one("Query", "fg", &["PROJECT#shop"])]);
    let query = j!({
        "IndexName": "GSI1",
        "KeyConditionExpression": "GSI1PK = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "TEST#shop#a"}}
    });
    assert_eq!(
        of("Query", query),
        [one("Query", "fg/index/GSI1", &["TEST#shop#a"])]
    );
    assert_eq!(of("Scan", j!({})), [one("Scan", "fg", &[])]);
    let parts = j!({"TransactItems": [
        {"Put": {"TableName": "fg", "Item": key}},
        {"ConditionCheck": {"TableName": "fg", "Key": {"PK": {"S": "PROJECT#search"}}}}
    ]});
    let both = [
        one("PutItem", "fg", &["PROJECT#shop"]),
        one("ConditionCheckItem", "fg", &["PROJECT#search"]),
    ];
    assert_eq!(dynamodb("TransactWriteItems", parts), both);
    let batch = j!({"RequestItems": {"fg": [
        {"PutRequest": {"Item": key}},
        {"DeleteRequest": {"Key": {"PK": {"S": "PROJECT#search"}}}}
    ]}});
    let whole = [one(
        "BatchWriteItem",
        "fg",
        &["PROJECT#shop", "PROJECT#search"],
    )];
    assert_eq!(dynamodb("BatchWriteItem", batch), whole);
    let odd = j!({"TableName": "fg", "KeyConditionExpression": "SK = :sk", "ExpressionAttributeValues": {":sk": {"S": "x"}}});
    assert!(
        json("dynamodb", "Query", odd, table()).is_err(),
        "no value of the partition key"
    );
}

#[test]
fn a_task_is_run_with_tags_and_roles_that_are_handed_on() {
    use serde_json::json as j;
    let definition = "arn:aws:ecs:eu-west-1:000000000000:task-definition/fg-generator-http:3";
    let body = j!({
        "cluster": "fg",
        "taskDefinition": "fg-generator-http",
        "overrides": {"taskRoleArn": "arn:aws:iam::000000000000:role/shop"},
        "tags": [{"key": "floodgate:project", "value": "shop"}]
    });
    let answer = j!({"taskDefinition": {
        "taskDefinitionArn": definition,
        "taskRoleArn": "arn:aws:iam::000000000000:role/nobody",
        "executionRoleArn": "arn:aws:iam::000000000000:role/execution"
    }});
    let checks = json("ecs", "RunTask", body, answer).unwrap();
    let of = |check: &Check| (check.action.clone(), check.resource.clone());
    let roles = ["shop", "execution"].map(|role| format!("arn:aws:iam::000000000000:role/{role}"));
    let task = "arn:aws:ecs:eu-west-1:000000000000:task/fg/00000000000000000000000000000000";
    assert_eq!(
        checks.iter().map(of).collect::<Vec<_>>(),
        pairs(&[
            ("ecs:RunTask", definition),
            ("ecs:TagResource", task),
            ("iam:PassRole", &roles[0]),
            ("iam:PassRole", &roles[1]),
        ])
    );
    let has = |check: &Check, key: &str, value: &str| {
        check.context.contains(&(key.to_owned(), value.to_owned()))
    };
    let cluster = "arn:aws:ecs:eu-west-1:000000000000:cluster/fg";
    assert!(
        has(&checks[0], "ecs:cluster", cluster)
            && has(&checks[0], "aws:TagKeys", "floodgate:project")
    );
    assert!(has(&checks[1], "ecs:CreateAction", "RunTask"));
    assert!(has(
        &checks[2],
        "iam:PassedToService",
        "ecs-tasks.amazonaws.com"
    ));
    let both = json(
        "ecs",
        "DescribeTasks",
        j!({"cluster": "fg", "tasks": ["1", task]}),
        Value::Null,
    );
    let both = both.unwrap();
    assert_eq!(
        both[0].resource,
        "arn:aws:ecs:eu-west-1:000000000000:task/fg/1"
    );
    assert_eq!(both[1].resource, task);
    assert!(has(&both[1], "ecs:cluster", cluster));
}

#[test]
fn secrets_are_named_by_their_whole_arn_where_there_is_one() {
    use serde_json::json as j;
    let whole = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:shop/token-AbCdEf";
    let of = |answer: Value| {
        let checks = json(
            "secretsmanager",
            "GetSecretValue",
            j!({"SecretId": "shop/token"}),
            answer,
        );
        checks.unwrap().remove(0).resource
    };
    assert_eq!(of(j!({"ARN": whole})), whole);
    assert_eq!(of(Value::Null), whole.trim_end_matches("-AbCdEf"));
}

#[test]
fn receivers_of_notifications_are_named_by_their_arns() {
    use serde_json::json as j;
    let of = |service: &str, name: &str| format!("arn:aws:{service}:eu-west-1:{ACCOUNT}:{name}");
    let entries = j!({"Entries": [{"EventBusName": "load"}, {}]});
    let checks = json("events", "PutEvents", entries, Value::Null).unwrap();
    let buses: Vec<_> = checks.iter().map(|check| check.resource.clone()).collect();
    let own = ["event-bus/load", "event-bus/default"].map(|name| of("events", name));
    assert_eq!(buses, own);
    let headers = HeaderMap::new();
    let checks = |service: &str, path: &str, body: &str| {
        let call = Call {
            method: &Method::POST,
            path,
            query: Vec::new(),
            headers: &headers,
            body: body.as_bytes(),
            service,
            region: "eu-west-1",
            account: ACCOUNT,
        };
        call.checks(&Value::Null)
    };
    let topic = of("sns", "load-tests");
    let form = format!("Action=Publish&TopicArn={}", topic.replace(':', "%3A"));
    let published = checks("sns", "/", &form).unwrap();
    assert_eq!(published[0].action, "sns:Publish");
    assert_eq!(published[0].resource, topic);
    let mail = j!({"FromEmailAddress": "floodgate@example.com"}).to_string();
    let sent = checks("ses", "/v2/email/outbound-emails", &mail).unwrap();
    assert_eq!(sent[0].resource, of("ses", "identity/example.com"));
    assert!(checks("ses", "/v2/email/identities", &mail).is_err());
    assert!(checks("sns", "/", "Action=Subscribe").is_err());
}

#[test]
fn an_api_is_named_by_its_host() {
    let of = |host: &str| {
        let (method, target) = (&Method::PUT, "/iam/v1/tests?a=b");
        asked(
            (method, target),
            "execute-api",
            &[("host", host)],
            "",
            Value::Null,
        )
    };
    let checks = of("0a1b2c3d.execute-api.localhost:4566").unwrap();
    assert_eq!(checks[0].action, "execute-api:Invoke");
    let arn = "arn:aws:execute-api:eu-west-1:000000000000:0a1b2c3d/$default/PUT/iam/v1/tests";
    assert_eq!(checks[0].resource, arn);
    assert!(of("127.0.0.1:4566").is_err());
}

/// Each in the form that the service's client takes for a refusal.
#[test]
fn refusals_speak_the_protocol_of_their_service() {
    let headers = HeaderMap::new();
    let answer = |service: &str, method: &Method| {
        let call = Call {
            method,
            path: "/",
            query: Vec::new(),
            headers: &headers,
            body: b"",
            service,
            region: "eu-west-1",
            account: ACCOUNT,
        };
        let response = refused(&call, "a < b");
        (response.status().as_u16(), response.into_body())
    };
    let (status, body) = answer("s3", &Method::GET);
    assert!(
        status == 403 && body.contains("<Code>AccessDenied</Code><Message>a &lt; b<"),
        "{body}"
    );
    assert_eq!(answer("s3", &Method::HEAD), (403, String::new()));
    let (status, body) = answer("dynamodb", &Method::POST);
    assert!(
        status == 400 && body.contains("#AccessDeniedException") && body.contains("a < b"),
        "{body}"
    );
    let (status, body) = answer("ecs", &Method::POST);
    assert!(
        status == 400 && body.contains("\"AccessDeniedException\""),
        "{body}"
    );
    let (status, body) = answer("execute-api", &Method::POST);
    assert_eq!((status, body.as_str()), (403, r#"{"Message":"a < b"}"#));
    let (status, body) = answer("sts", &Method::POST);
    assert!(
        status == 403 && body.contains("<Code>AccessDenied</Code>"),
        "{body}"
    );
}
