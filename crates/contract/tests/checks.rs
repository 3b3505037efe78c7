//! What is held against a document, keyword by keyword.

#![allow(clippy::unwrap_used)]

use floodgate_contract::{Contract, Response};

struct Answer {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: &'static str,
}

impl Response for Answer {
    fn status(&self) -> u16 {
        self.status
    }
    fn header(&self, name: &str) -> Option<&[u8]> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_bytes())
    }
    fn body(&self) -> &[u8] {
        self.body.as_bytes()
    }
}

const JSON: (&str, &str) = ("Content-Type", "application/json; charset=utf-8");

fn json(body: &'static str) -> Answer {
    Answer {
        status: 200,
        headers: vec![JSON],
        body,
    }
}

fn contract(document: &str) -> Contract {
    Contract::read("api.yaml", document.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

/// A document with one operation, whose 200 has a body of this schema.
fn with_schema(version: &str, schema: &str) -> Contract {
    contract(&format!(
        "openapi: {version}
paths:
  /a:
    get:
      responses:
        '200': {{content: {{application/json: {{schema: {schema}}}}}}}
components:
  schemas:
    Cat: {{type: object, required: [kind, lives], properties: {{kind: {{type: string}}, lives: {{type: integer}}}}}}
    Dog: {{type: object, required: [kind], properties: {{kind: {{type: string}}, barks: {{type: boolean}}}}}}
    Secret: {{type: string, writeOnly: true}}
    Node: {{type: object, properties: {{value: {{type: integer}}, next: {{$ref: '#/components/schemas/Node'}}}}}}
"
    ))
}

/// The differences of a response, without the operation's name.
fn differences(contract: &Contract, answer: &Answer) -> Vec<String> {
    let operation = contract.find("GET", "/a", &[]).unwrap();
    let differences = operation.differences(answer);
    let lines = differences.iter().map(ToString::to_string);
    lines
        .map(|line| line.strip_prefix("GET /a: ").unwrap().to_owned())
        .collect()
}

#[track_caller]
fn check(version: &str, schema: &str, fits: &[&'static str], wrong: &[(&'static str, &str)]) {
    let contract = with_schema(version, schema);
    for body in fits {
        assert_eq!(
            differences(&contract, &json(body)),
            [""; 0],
            "{schema} {body}"
        );
    }
    for (body, says) in wrong {
        assert_eq!(
            differences(&contract, &json(body)),
            [*says],
            "{schema} {body}"
        );
    }
}

#[test]
fn schemas_of_both_versions() {
    check(
        "3.0.3",
        "{type: string, nullable: true, enum: [a, b]}",
        &[r#""a""#, "null"],
        &[(r#""c""#, r#"$: expected one of ["a","b",null], got "c""#)],
    );
    check(
        "3.0.3",
        "{nullable: true, allOf: [{$ref: '#/components/schemas/Dog'}]}",
        &["null", r#"{"kind": "dog"}"#],
        &[("{}", "$.kind: expected a value, got none")],
    );
    check(
        "3.0.3",
        "{type: number, minimum: 1, exclusiveMinimum: true, maximum: 5, exclusiveMaximum: false}",
        &["1.5", "5"],
        &[
            ("1", "$: expected more than 1, got 1"),
            ("6", "$: expected at most 5, got 6"),
        ],
    );
    check(
        "3.1.0",
        "{type: [string, 'null'], exclusiveMinimum: 3, maxLength: 2}",
        &["null", r#""ab""#],
        &[
            ("7", r"$: expected null or a string, got 7"),
            (r#""abc""#, r#"$: expected at most 2 characters, got "abc""#),
        ],
    );
    check(
        "3.1.0",
        "{type: object, properties: {'a b': {items: {type: integer, format: int32}}}, additionalProperties: false}",
        &[r#"{"a b": [1, 2]}"#],
        &[
            (
                r#"{"a b": [1, "x"]}"#,
                r#"$["a b"][1]: expected an integer, got "x""#,
            ),
            (
                r#"{"a b": [3000000000]}"#,
                r#"$["a b"][0]: expected at most 2147483647, got 3000000000"#,
            ),
            (r#"{"c": 1}"#, "$: expected no further properties, got c"),
        ],
    );
}

#[test]
fn references_lead_round_and_round() {
    check(
        "3.0.0",
        "{$ref: '#/components/schemas/Node', type: string}",
        &[r#"{"value": 1, "next": {"next": {"value": 2}}}"#],
        &[(
            r#"{"next": {"next": {"value": "x"}}}"#,
            r#"$.next.next.value: expected an integer, got "x""#,
        )],
    );
}

#[test]
fn what_only_requests_have_is_not_required() {
    check(
        "3.0.0",
        "{type: object, required: [id, password, pin], properties: {id: {type: integer}, password: {type: string, writeOnly: true}, pin: {$ref: '#/components/schemas/Secret'}}}",
        &[r#"{"id": 1}"#],
        &[("{}", "$.id: expected a value, got none")],
    );
}

#[test]
fn a_discriminator_chooses() {
    let refs = "oneOf: [{$ref: '#/components/schemas/Cat'}, {$ref: '#/components/schemas/Dog'}]";
    check(
        "3.0.0",
        &format!(
            "{{{refs}, discriminator: {{propertyName: kind, mapping: {{cat: '#/components/schemas/Cat', dog: Dog}}}}}}"
        ),
        // Without the discriminator, the first would be a dog as well.
        &[r#"{"kind": "cat", "lives": 9}"#, r#"{"kind": "dog"}"#],
        &[
            (r#"{"kind": "cat"}"#, "$.lives: expected a value, got none"),
            (
                r#"{"kind": "cow"}"#,
                r#"$.kind: expected one of ["cat","dog"], got "cow""#,
            ),
            (r"{}", "$.kind: expected a value, got none"),
        ],
    );
    check(
        "3.1.0",
        &format!("{{{refs}, discriminator: {{propertyName: kind}}}}"),
        &[r#"{"kind": "Cat", "lives": 9}"#],
        &[(
            r#"{"kind": "Dog", "barks": 1}"#,
            "$.barks: expected a boolean, got 1",
        )],
    );
    // Of schemas of other kinds the one of the value's kind is told of.
    check(
        "3.1.0",
        "{oneOf: [{type: string}, {type: object, required: [id]}]}",
        &[r#""x""#, r#"{"id": 1}"#],
        &[
            ("{}", "$.id: expected a value, got none"),
            ("7", "$: expected what fits exactly one of 2 schemas, got 7"),
        ],
    );
}

#[test]
fn formats_and_patterns() {
    check(
        "3.1.0",
        "{type: string, format: date-time}",
        &[r#""2026-11-30T03:20:00Z""#],
        &[(
            r#""yesterday""#,
            r#"$: expected the format date-time, got "yesterday""#,
        )],
    );
    check(
        "3.0.0",
        "{type: string, format: my-own, pattern: '^(?!x)[a-z]+$'}",
        &[r#""ab""#],
        &[(
            r#""xa""#,
            r#"$: expected what matches /^(?!x)[a-z]+$/, got "xa""#,
        )],
    );
}

const RESPONSES: &str = "openapi: 3.0.0
paths:
  /a:
    get:
      responses:
        200:
          headers:
            X-Rate: {required: true, schema: {type: integer, maximum: 10}}
            X-Ids: {schema: {type: array, items: {type: integer}}}
            X-Any: {description: anything}
          content:
            application/json: {schema: {type: object}}
            text/*: {}
        4XX: {content: {application/problem+json: {schema: {type: object, required: [title]}}}}
        204: {description: nothing}
    head:
      responses: {200: {content: {application/json: {schema: {type: object}}}}}
";

fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> Answer {
    Answer {
        status,
        headers: headers.to_vec(),
        body,
    }
}

#[test]
fn status_headers_and_content_type() {
    let contract = contract(RESPONSES);
    let rate = ("x-rate", "7");
    for (given, says) in [
        (answer(200, &[JSON, rate], "{}"), &[][..]),
        (
            answer(200, &[("content-type", "text/plain"), rate], "hi"),
            &[],
        ),
        (answer(204, &[], ""), &[]),
        (
            answer(500, &[], ""),
            &["status: expected 200, 204, 4XX, got 500"],
        ),
        (
            answer(200, &[JSON], "{}"),
            &["header X-Rate: expected a value, got none"],
        ),
        (
            answer(200, &[JSON, ("X-Rate", "lots"), ("X-Ids", "1, 2")], "{}"),
            &[r#"header X-Rate: expected an integer, got "lots""#],
        ),
        (
            answer(200, &[JSON, ("X-Rate", "11")], "{}"),
            &["header X-Rate: expected at most 10, got 11"],
        ),
        (
            answer(200, &[("Content-Type", "image/png"), rate], "…"),
            &["content type: expected application/json, text/*, got image/png"],
        ),
        (
            answer(200, &[rate], ""),
            &["content type: expected application/json, text/*, got none"],
        ),
        (
            answer(200, &[JSON, rate], " "),
            &["body: expected JSON, got nothing"],
        ),
        (
            answer(200, &[JSON, rate], "<h1>\u{1b}[2J"),
            &[r"body: expected JSON, got <h1>\u{1b}[2J (expected value at line 1 column 1)"],
        ),
        (
            answer(404, &[("Content-Type", "application/problem+json")], "{}"),
            &["$.title: expected a value, got none"],
        ),
    ] {
        assert_eq!(differences(&contract, &given), says, "{}", given.body);
    }
    let head = contract.find("HEAD", "/a", &[]).unwrap();
    assert!(head.differences(&answer(200, &[], "")).is_empty());
}

#[test]
fn operations_are_found_below_servers_and_targets() {
    let contract = contract(
        "openapi: 3.1.0
servers: [{url: 'https://api.example/v1/'}]
paths:
  /pets/{id}: {get: {}, delete: {}}
  /pets/mine: {get: {}}
  /pets/{id}/{part}: {get: {}}
  /old: {servers: [{url: /v0}], get: {}}
",
    );
    let find = |method: &str, path: &str, bases: &[&str]| {
        contract.find(method, path, bases).map(|o| o.name())
    };
    for (method, path, bases, name) in [
        ("GET", "/v1/pets/7", &[][..], Some("GET /pets/{id}")),
        ("GET", "/v1/pets/mine", &[], Some("GET /pets/mine")),
        ("DELETE", "/v1/pets/mine", &[], Some("DELETE /pets/{id}")),
        ("GET", "/pets/7", &[], None),
        ("GET", "/pets/7", &["/"], Some("GET /pets/{id}")),
        (
            "GET",
            "/test/api/pets/7",
            &["/test/api"],
            Some("GET /pets/{id}"),
        ),
        ("GET", "/v0/old", &[], Some("GET /old")),
        ("GET", "/v1/old", &[], None),
        ("POST", "/v1/pets/7", &[], None),
        ("GET", "/v1/pets/7/name/first", &[], None),
    ] {
        assert_eq!(
            find(method, path, bases).as_deref(),
            name,
            "{method} {path}"
        );
    }
}

#[test]
fn what_is_confidential_is_not_shown() {
    check(
        "3.1.0",
        "{properties: {token: {type: integer}, user: {type: integer}}}",
        &[],
        &[(
            r#"{"token": "abc"}"#,
            "$.token: expected an integer, got ***",
        )],
    );
}

#[test]
fn faults_of_a_document_have_places() {
    let fault = |text: &str| {
        let error = Contract::read("api.yaml", text.as_bytes()).unwrap_err();
        error.to_string()
    };
    for (text, says) in [
        ("{", "api.yaml"),
        ("a: [", "api.yaml:2:1: this is not YAML"),
        (
            "a: 1",
            "api.yaml: the document has no key openapi; give an OpenAPI 3.0 or 3.1 document",
        ),
        ("swagger: '2.0'", "is OpenAPI 2 (Swagger); convert it"),
        (
            "openapi: 3.2.0",
            "OpenAPI \"3.2.0\" is not supported; 3.0 and 3.1 are",
        ),
        ("openapi: 3.1.0", "api.yaml: #: the document has no paths"),
        (
            "openapi: 3.1.0\npaths: {}",
            "api.yaml: #/paths: there are no operations",
        ),
        (
            "openapi: 3.1.0\npaths: {a: {get: {}}}",
            "#/paths/a: a path begins with /",
        ),
        (
            "openapi: 3.1.0\npaths: {/a: {get: {responses: {20: {}}}}}",
            "#/paths/~1a/get/responses/20: \"20\" is not a valid status; allowed: 100 to 599, 1XX to 5XX, default",
        ),
        (
            "openapi: 3.1.0\npaths: {/a: {get: {responses: {200: {$ref: '#/components/responses/No'}}}}}",
            "#/paths/~1a/get/responses/200: the reference \"#/components/responses/No\" leads nowhere",
        ),
        (
            "",
            "api.yaml: the document is empty; give an OpenAPI 3.0 or 3.1 document",
        ),
        ("\u{feff}# nothing\n---\n", "the document is empty"),
        (
            "openapi: 3.1.0\npaths: {/a: {get: {responses: {200: {$ref: '#/components/responses/A'}}}}}\ncomponents: {responses: {A: {$ref: '#/components/responses/B'}, B: {$ref: '#/components/responses/A'}}}",
            "#/components/responses/B: the reference \"#/components/responses/A\" leads to itself",
        ),
    ] {
        assert!(fault(text).contains(says), "{text}: {}", fault(text));
    }
    for (version, schemas, says) in [
        (
            "3.0.3",
            "{A: {$ref: '#/components/schemas/A'}}",
            "#/components/schemas/A: the reference",
        ),
        (
            "3.1.0",
            "{A: {$ref: '#/components/schemas/B'}, B: {$ref: '#/components/schemas/A'}}",
            "#/components/schemas/B: the reference",
        ),
    ] {
        let text = format!(
            "openapi: {version}\npaths: {{/a: {{get: {{responses: {{200: {{description: x, content: {{application/json: {{schema: {{$ref: '#/components/schemas/A'}}}}}}}}}}}}}}}}\ncomponents: {{schemas: {schemas}}}\n"
        );
        assert!(fault(&text).contains(says), "{}", fault(&text));
        assert!(fault(&text).contains("leads to itself"), "{}", fault(&text));
    }
    for (schema, says) in [
        (
            "{$ref: 'other.yaml#/A'}",
            "leads out of the document; bundle it",
        ),
        ("{type: strin}", "the schema is not valid"),
        (
            "{properties: {a: {pattern: '('}}}",
            "the schema is not valid",
        ),
        ("7", "a schema is a map"),
    ] {
        let contract = with_schema("3.1.0", schema);
        let faults = contract
            .find("GET", "/a", &[])
            .unwrap()
            .compile()
            .unwrap_err();
        let said = faults[0].to_string();
        assert!(
            said.starts_with("#/paths/~1a/get/responses/200/content/"),
            "{said}"
        );
        assert!(said.contains(says), "{schema}: {said}");
        // What cannot be checked does not hold.
        assert_eq!(differences(&contract, &json("{}")).len(), 1);
    }
    // A fault stands where the user wrote it, not where it was put together.
    let contract = with_schema("3.1.0", "{properties: {a/b: {items: {pattern: '('}}}}");
    let faults = contract.find("GET", "/a", &[]).unwrap().compile();
    let place = "/schema/properties/a~1b/items/pattern: the schema is not valid";
    let said = faults.unwrap_err()[0].to_string();
    assert!(said.contains(place), "{said}");
}
