//! What AWS documents, case by case: the page of each group is named above it.
#![allow(clippy::unwrap_used, missing_docs)]

use floodgate_iam::Decision::{Allowed, DeniedExplicitly, DeniedImplicitly};
use floodgate_iam::{Caller, Decision, Error, Policy, Request, decide};
use serde_json::{Value, json};

const ROLE: &str = "arn:aws:iam::123456789012:role/teams/ci";
const OBJECT: &str = "arn:aws:s3:::b/projects/shop/x";

fn caller() -> Caller {
    Caller::role(ROLE, "ann")
}

fn get() -> Request {
    Request::new(caller(), "s3:GetObject", OBJECT)
}

fn policy(statements: Value) -> Policy {
    Policy::of_identity(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
}

fn of_resource(statements: Value) -> Policy {
    Policy::of_resource(&json!({"Version": "2012-10-17", "Statement": statements})).unwrap()
}

/// With an identity that may do everything under a condition.
fn under(condition: &Value, request: &Request) -> Decision {
    let policy = policy(
        json!([{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}]),
    );
    decide(&[policy], &[], request).unwrap().decision
}

#[track_caller]
fn holds(condition: Value, request: &Request) {
    assert_eq!(under(&condition, request), Allowed, "{condition}");
}

#[track_caller]
fn fails(condition: Value, request: &Request) {
    assert_eq!(under(&condition, request), DeniedImplicitly, "{condition}");
}

fn allow(action: &str, resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": action, "Resource": resource})
}

fn deny(action: &str, resource: &str) -> Value {
    json!({"Effect": "Deny", "Action": action, "Resource": resource})
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
#[test]
fn a_denial_wins_wherever_it_stands_and_silence_denies() {
    let all = |policies: &[Policy], of_resource: &[Policy]| {
        decide(policies, of_resource, &get()).unwrap().decision
    };
    let (yes, no) = (
        allow("s3:*", "*"),
        deny("s3:GetObject", "arn:aws:s3:::b/projects/*"),
    );
    assert_eq!(all(&[], &[]), DeniedImplicitly);
    assert_eq!(all(&[policy(json!([yes]))], &[]), Allowed);
    assert_eq!(all(&[policy(json!([yes, no]))], &[]), DeniedExplicitly);
    assert_eq!(all(&[policy(json!([no, yes]))], &[]), DeniedExplicitly);
    assert_eq!(
        all(&[policy(json!([no])), policy(json!([yes]))], &[]),
        DeniedExplicitly
    );
    assert_eq!(all(&[policy(json!([no]))], &[]), DeniedExplicitly);
    assert_eq!(
        all(&[policy(json!([allow("s3:PutObject", "*")]))], &[]),
        DeniedImplicitly
    );
    // Of one account: either policy is enough, and either can forbid.
    let everybody = |effect: &str| {
        of_resource(
            json!([{"Effect": effect, "Principal": "*", "Action": "s3:*", "Resource": "*"}]),
        )
    };
    assert_eq!(all(&[], &[everybody("Allow")]), Allowed);
    assert_eq!(
        all(&[policy(json!([yes]))], &[everybody("Deny")]),
        DeniedExplicitly
    );
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html, …_notaction.html, …_notresource.html
#[test]
fn actions_know_no_case_and_resources_do() {
    let decided = |statement: Value| {
        decide(&[policy(json!([statement]))], &[], &get())
            .unwrap()
            .decision
    };
    assert_eq!(decided(allow("S3:getOBJECT", OBJECT)), Allowed);
    assert_eq!(decided(allow("s3:Get*", OBJECT)), Allowed);
    assert_eq!(decided(allow("s3:GetObjec?", OBJECT)), Allowed);
    assert_eq!(
        decided(allow("s3:GetObject", "arn:aws:s3:::b/Projects/*")),
        DeniedImplicitly
    );
    assert_eq!(
        decided(allow("s3:GetObject", "arn:aws:s3:::b/projects/shop")),
        DeniedImplicitly
    );
    assert_eq!(
        decided(json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})),
        Allowed
    );
    let but = json!({"Effect": "Allow", "NotAction": ["s3:*", "iam:*"], "Resource": "*"});
    assert_eq!(decided(but), DeniedImplicitly);
    let but =
        |resource: &str| json!({"Effect": "Allow", "Action": "s3:*", "NotResource": resource});
    assert_eq!(decided(but("arn:aws:s3:::b/config/*")), Allowed);
    assert_eq!(decided(but("arn:aws:s3:::b/projects/*")), DeniedImplicitly);
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
#[test]
fn principals_are_everybody_an_account_a_role_or_its_session() {
    let decided = |element: &str, principal: Value, request: &Request| {
        let statement =
            json!([{"Effect": "Allow", element: principal, "Action": "*", "Resource": "*"}]);
        decide(&[], &[of_resource(statement)], request)
            .unwrap()
            .decision
    };
    let session = "arn:aws:sts::123456789012:assumed-role/ci/ann";
    assert_eq!(caller().arn, session);
    for one in [
        "*",
        "123456789012",
        "arn:aws:iam::123456789012:root",
        ROLE,
        session,
    ] {
        assert_eq!(
            decided("Principal", json!({"AWS": ["1", one]}), &get()),
            Allowed,
            "{one}"
        );
        let but = json!({"AWS": [one]});
        assert_eq!(
            decided("NotPrincipal", but, &get()),
            DeniedImplicitly,
            "{one}"
        );
    }
    for other in [
        "arn:aws:iam::123456789012:role/ci",
        "210987654321",
        "events.amazonaws.com",
    ] {
        assert_eq!(
            decided("Principal", json!({"AWS": other}), &get()),
            DeniedImplicitly,
            "{other}"
        );
    }
    let events = Request::new(
        Caller::service("events.amazonaws.com"),
        "sqs:SendMessage",
        "*",
    );
    let service = json!({"Service": "events.amazonaws.com"});
    assert_eq!(decided("Principal", service.clone(), &events), Allowed);
    assert_eq!(decided("Principal", service, &get()), DeniedImplicitly);
    assert_eq!(
        decided("Principal", json!({"AWS": "123456789012"}), &events),
        DeniedImplicitly
    );
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
#[test]
fn operators_and_keys_are_joined_by_and_values_by_or_and_negated_ones_by_nor() {
    let request = get()
        .with("aws:PrincipalTag/team", "shop")
        .with("s3:prefix", "a/b");
    let (team, prefix) = ("aws:PrincipalTag/team", "s3:prefix");
    holds(
        json!({"StringEquals": {team: ["x", "shop"]}, "StringLike": {prefix: "a/*"}}),
        &request,
    );
    fails(
        json!({"StringEquals": {team: ["x", "shop"]}, "StringLike": {prefix: "b/*"}}),
        &request,
    );
    fails(
        json!({"StringEquals": {team: "shop", prefix: "a"}}),
        &request,
    );
    holds(json!({"StringNotEquals": {team: ["x", "y"]}}), &request);
    fails(json!({"StringNotEquals": {team: ["x", "shop"]}}), &request);
    // Keys know no case, values do.
    holds(
        json!({"StringEquals": {"AWS:principaltag/TEAM": "shop"}}),
        &request,
    );
    fails(json!({"StringEquals": {team: "Shop"}}), &request);
    holds(json!({"StringEqualsIgnoreCase": {team: "SHOP"}}), &request);
    fails(
        json!({"StringNotEqualsIgnoreCase": {team: "SHOP"}}),
        &request,
    );
    // Wildcards are StringLike's alone.
    fails(json!({"StringEquals": {team: "sho*"}}), &request);
    fails(json!({"StringNotLike": {team: "sho?"}}), &request);
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
#[test]
fn of_a_key_that_is_not_there_only_negated_operators_and_if_exists_hold() {
    let key = "aws:PrincipalTag/none";
    for (operator, value) in [
        ("StringEquals", "x"),
        ("StringLike", "*"),
        ("ArnLike", "arn:*:*:*:*:*"),
        ("Bool", "true"),
        ("IpAddress", "0.0.0.0/0"),
        ("NumericLessThan", "9"),
        ("DateGreaterThan", "1970-01-01"),
    ] {
        fails(json!({operator: {key: value}}), &get());
        holds(json!({format!("{operator}IfExists"): {key: value}}), &get());
    }
    for (operator, value) in [
        ("StringNotEquals", "x"),
        ("StringNotLike", "*"),
        ("ArnNotEquals", "arn:*:*:*:*:*"),
        ("NotIpAddress", "0.0.0.0/0"),
        ("NumericNotEquals", "9"),
        ("DateNotEquals", "1970-01-01"),
    ] {
        holds(json!({operator: {key: value}}), &get());
    }
    holds(json!({"Null": {key: "true"}}), &get());
    fails(json!({"Null": {key: false}}), &get());
    fails(json!({"Null": {key: "true"}}), &get().with(key, "x"));
    // With a value, IfExists is the operator without it.
    fails(
        json!({"StringEqualsIfExists": {key: "x"}}),
        &get().with(key, "y"),
    );
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
#[test]
fn sets_are_all_or_any_of_the_values_in_the_request() {
    let keys = |values: &[&str]| {
        values
            .iter()
            .fold(get(), |request, value| request.with("aws:TagKeys", value))
    };
    let all = |values: Value| json!({"ForAllValues:StringEquals": {"aws:TagKeys": values}});
    let any = |values: Value| json!({"ForAnyValue:StringEquals": {"aws:TagKeys": values}});
    holds(all(json!(["a", "b"])), &keys(&["a"]));
    holds(all(json!(["a", "b"])), &keys(&["b", "a"]));
    fails(all(json!(["a", "b"])), &keys(&["a", "c"]));
    holds(all(json!(["a"])), &get());
    holds(any(json!(["a", "b"])), &keys(&["a", "c"]));
    fails(any(json!(["a", "b"])), &keys(&["c"]));
    fails(any(json!(["a"])), &get());
    let not = |set: &str| json!({format!("{set}:StringNotLike"): {"aws:TagKeys": ["a*"]}});
    holds(not("ForAllValues"), &keys(&["b", "c"]));
    fails(not("ForAllValues"), &keys(&["b", "a1"]));
    holds(not("ForAnyValue"), &keys(&["b", "a1"]));
    fails(not("ForAnyValue"), &keys(&["a1"]));
    fails(not("ForAnyValue"), &get());
    // Without a set operator, what AWS does is not documented.
    let policy = policy(json!([{"Effect": "Allow", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:TagKeys": "a"}}}]));
    let error = decide(&[policy], &[], &keys(&["a", "b"])).unwrap_err();
    assert!(error.to_string().contains("has 2 values"), "{error}");
}

#[test]
fn arns_are_compared_part_by_part_and_equals_is_like() {
    let cluster = "arn:aws:ecs:eu-west-1:123456789012:cluster/floodgate";
    let request = get().with("ecs:cluster", cluster);
    for operator in ["ArnLike", "ArnEquals"] {
        let of = |pattern: &str| json!({operator: {"ecs:cluster": pattern}});
        holds(of("arn:aws:ecs:*:123456789012:cluster/floodgate"), &request);
        holds(of("arn:aws:ecs:*:*:cluster/*"), &request);
        fails(
            of("arn:aws:ecs:us-*:123456789012:cluster/floodgate"),
            &request,
        );
        // A star does not reach over a colon into the next part.
        fails(of("arn:*:123456789012:cluster/floodgate:*:*"), &request);
        fails(of("arn:aws:ecs:*:123456789012:cluster/flood"), &request);
    }
    fails(
        json!({"ArnNotLike": {"ecs:cluster": "arn:aws:ecs:*:*:*"}}),
        &request,
    );
    // For texts it does.
    holds(
        json!({"StringLike": {"ecs:cluster": "arn:*/floodgate"}}),
        &request,
    );
}

#[test]
fn numbers_dates_addresses_and_booleans() {
    let request = get()
        .with("s3:max-keys", "10")
        .with("aws:CurrentTime", "2026-11-29T12:00:00Z")
        .with("aws:SourceIp", "10.1.2.3")
        .with("aws:VpcSourceIp", "2001:db8::7")
        .with("aws:SecureTransport", "true");
    let number =
        |operator: &str, value: &str| json!({format!("Numeric{operator}"): {"s3:max-keys": value}});
    holds(number("Equals", "10.0"), &request);
    holds(number("LessThanEquals", "10"), &request);
    fails(number("LessThan", "10"), &request);
    // As text it would be less.
    holds(number("GreaterThan", "9"), &request);
    fails(number("NotEquals", "10"), &request);
    let date = |operator: &str, value: &str| json!({format!("Date{operator}"): {"aws:CurrentTime": value}});
    holds(date("LessThan", "2026-11-29T14:00:00+01:00"), &request);
    holds(date("Equals", "1795953600"), &request);
    holds(date("GreaterThanEquals", "2026-11-29"), &request);
    fails(date("GreaterThan", "2027-01-01"), &request);
    holds(
        json!({"IpAddress": {"aws:SourceIp": ["192.0.2.0/24", "10.0.0.0/8"]}}),
        &request,
    );
    fails(
        json!({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        &request,
    );
    fails(json!({"IpAddress": {"aws:SourceIp": "10.1.2.4"}}), &request);
    fails(json!({"IpAddress": {"aws:SourceIp": "::/0"}}), &request);
    holds(
        json!({"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
        &request,
    );
    holds(
        json!({"IpAddress": {"aws:VpcSourceIp": ["2001:db8::/32", "::/0"]}}),
        &request,
    );
    holds(json!({"Bool": {"aws:SecureTransport": true}}), &request);
    fails(json!({"Bool": {"aws:SecureTransport": "false"}}), &request);
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
#[test]
fn variables_stand_in_resources_and_conditions() {
    let decided = |statement: Value, request: &Request| {
        decide(&[policy(json!([statement]))], &[], request)
            .unwrap()
            .decision
    };
    let of = allow(
        "s3:GetObject",
        "arn:aws:s3:::b/projects/${aws:PrincipalTag/team}/*",
    );
    let tagged = |team: &str| get().with("aws:PrincipalTag/team", team);
    assert_eq!(decided(of.clone(), &tagged("shop")), Allowed);
    assert_eq!(decided(of.clone(), &tagged("search")), DeniedImplicitly);
    assert_eq!(decided(of.clone(), &get()), DeniedImplicitly);
    // What a tag says is not a pattern.
    assert_eq!(decided(of, &tagged("*")), DeniedImplicitly);
    let condition = json!({"StringLike": {"s3:prefix": "${aws:PrincipalTag/team}/*"}});
    holds(
        condition.clone(),
        &tagged("shop").with("s3:prefix", "shop/x"),
    );
    fails(condition, &tagged("shop").with("s3:prefix", "search/x"));
    // A statement with a variable that the request does not have does not apply, whichever way it would have gone.
    fails(
        json!({"StringNotEquals": {"s3:prefix": "${aws:PrincipalTag/team}"}}),
        &get(),
    );
    let but = json!({"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::b/${aws:PrincipalTag/team}/*"});
    assert_eq!(decided(but, &get()), DeniedImplicitly);
}

#[test]
fn what_fitted_is_told() {
    let policy = policy(json!([
        {"Sid": "Read", "Effect": "Allow", "Action": ["s3:PutObject", "s3:Get*"], "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::b/*"]},
        {"Sid": "Not", "Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"},
    ]));
    let all = [
        ("Read", "s3:PutObject", "arn:aws:s3:::a"),
        ("Read", "s3:PutObject", "arn:aws:s3:::b/*"),
        ("Read", "s3:Get*", "arn:aws:s3:::a"),
        ("Read", "s3:Get*", "arn:aws:s3:::b/*"),
    ];
    assert_eq!(policy.permissions(), all);
    let outcome = decide(&[policy], &[], &get()).unwrap();
    let [fit] = outcome.fits.as_slice() else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        (fit.sid.as_str(), fit.action.as_str(), fit.resource.as_str()),
        all[3]
    );
}

#[test]
fn what_is_not_known_is_refused() {
    let statement = |change: Value| {
        let mut whole = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"});
        for (key, value) in change.as_object().unwrap() {
            whole[key] = value.clone();
        }
        json!({"Version": "2012-10-17", "Statement": whole})
    };
    assert!(Policy::of_identity(&statement(json!({}))).is_ok());
    for (change, says) in [
        (json!({"Effect": "allow"}), "Allow or Deny"),
        (
            json!({"Actions": "s3:GetObject"}),
            "Actions may not stand in a statement",
        ),
        (
            json!({"NotAction": "s3:GetObject"}),
            "NotAction may not stand",
        ),
        (json!({"Action": []}), "an empty list"),
        (
            json!({"Action": {"s3": "GetObject"}}),
            "a text or a list of texts",
        ),
        (json!({"Action": "GetObject"}), "service:Operation"),
        (json!({"Resource": []}), "an empty list"),
        (json!({"Resource": "b/*"}), "an ARN or *"),
        (
            json!({"Resource": "arn:aws:s3:::b/${username}"}),
            "a policy variable",
        ),
        (
            json!({"Principal": "*"}),
            "Principal may not stand in a policy of an identity",
        ),
        (
            json!({"Condition": {"StringMatches": {"a:b": "c"}}}),
            "\"StringMatches\" is not known",
        ),
        (
            json!({"Condition": {"ForAllValues:Null": {"a:b": "true"}}}),
            "is not known",
        ),
        (
            json!({"Condition": {"NullIfExists": {"a:b": "true"}}}),
            "is not known",
        ),
        (
            json!({"Condition": {"ForSome:StringLike": {"a:b": "c"}}}),
            "is not known",
        ),
        (
            json!({"Condition": {"Bool": {"a:b": "yes"}}}),
            "true or false",
        ),
        (
            json!({"Condition": {"NumericEquals": {"a:b": "ten"}}}),
            "a number",
        ),
        (
            json!({"Condition": {"DateEquals": {"a:b": "tomorrow"}}}),
            "a date",
        ),
        (
            json!({"Condition": {"IpAddress": {"a:b": "10.0.0.0/33"}}}),
            "an address",
        ),
        (
            json!({"Condition": {"ArnLike": {"a:b": "cluster/x"}}}),
            "an ARN",
        ),
        (
            json!({"Condition": {"StringLike": {"prefix": "x"}}}),
            "service:key",
        ),
        (json!({"Condition": {"StringLike": "x"}}), "an object"),
    ] {
        let error = Policy::of_identity(&statement(change.clone())).unwrap_err();
        assert!(error.to_string().contains(says), "{change}: {error}");
    }
    let old = json!({"Version": "2008-10-17", "Statement": []});
    assert!(matches!(
        Policy::of_identity(&old),
        Err(Error::Form("Version", ..))
    ));
    let unknown = json!({"Version": "2012-10-17", "Statement": [], "Note": ""});
    assert!(matches!(
        Policy::of_identity(&unknown),
        Err(Error::Element(..))
    ));
    // Nor is a policy of a resource one without principals, or with those of a kind that is not told apart here.
    let error = Policy::of_resource(&statement(json!({}))).unwrap_err();
    assert!(error.to_string().contains("no Principal"), "{error}");
    let error =
        Policy::of_resource(&statement(json!({"Principal": {"CanonicalUser": "x"}}))).unwrap_err();
    assert!(error.to_string().contains("CanonicalUser"), "{error}");
}

/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-services>: who may take a role.
#[test]
fn a_role_is_taken_by_the_services_that_its_trust_names() {
    let trust = |statement: Value| {
        Policy::of_trust(&json!({"Version": "2012-10-17", "Statement": [statement]}))
    };
    let statement = json!({"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:ecs:*:123456789012:*"}}});
    let taking = |service: &str, source: &str| {
        let request = Request::new(Caller::service(service), "sts:AssumeRole", ROLE);
        let request = request.with("aws:SourceArn", source);
        let trust = trust(statement.clone()).unwrap();
        decide(&[], &[trust], &request).unwrap().decision
    };
    let task = "arn:aws:ecs:eu-west-1:123456789012:task/a/b";
    assert_eq!(taking("ecs-tasks.amazonaws.com", task), Allowed);
    assert_eq!(taking("lambda.amazonaws.com", task), DeniedImplicitly);
    let foreign = task.replace("123456789012", "111111111111");
    assert_eq!(
        taking("ecs-tasks.amazonaws.com", &foreign),
        DeniedImplicitly
    );
    let mut with_resource = statement.clone();
    with_resource["Resource"] = json!(ROLE);
    assert!(trust(with_resource).is_err(), "the role is the resource");
    let mut of_nobody = statement.clone();
    of_nobody.as_object_mut().unwrap().remove("Principal");
    assert!(trust(of_nobody).is_err());
}
