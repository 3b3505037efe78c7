//! The contract: responses held against an OpenAPI document before the load and during it.

use crate::support::*;
use floodgate_records::status::Status;
use floodgate_records::summary::Summary;
use floodgate_testserver::{Config, TestServer};

const HEAD: &str = "version: 1\ntest: t\nproject: p\n";

/// A document of the shop, in which products have this type of id.
fn document(id: &str) -> String {
    format!(
        "openapi: 3.0.3
servers: [{{url: 'https://shop.example/api'}}]
paths:
  /products:
    get:
      responses:
        200:
          content:
            application/json:
              schema: {{type: object, required: [products], properties: {{products: {{type: array, items: {{$ref: '#/components/schemas/Product'}}}}}}}}
  /products/{{id}}:
    get: {{responses: {{200: {{content: {{application/json: {{schema: {{$ref: '#/components/schemas/Product'}}}}}}}}}}}}
  /checkout:
    post: {{responses: {{201: {{content: {{application/json: {{}}}}}}}}}}
components:
  schemas:
    Product: {{type: object, required: [id, name], properties: {{id: {{type: {id}}}, name: {{type: string}}}}}}
"
    )
}

const FLOW: &str = "[{get: /api/products, name: all, extract: {id: '$.products[0].id'}}, {get: '/api/products/${id}', name: one}]";

fn definition(url: &str, more: &str, flow: &str) -> String {
    format!(
        "{HEAD}target: {url}\n{more}\nscenarios:\n  s: {{ executor: shared-iterations, vus: 2, iterations: 4, flow: {flow} }}\n"
    )
}

fn run(bench: &Bench, target: &TestServer, more: &str, flow: &str, args: &[&str]) -> Summary {
    bench.run(&definition(&target.url(), more, flow), args).1
}

#[test]
fn a_target_that_keeps_its_contract_is_loaded() {
    for generators in ["1", "2"] {
        let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
        bench.write("api.yaml", &document("integer"));
        let more = "contract: {openapi: api.yaml}";
        let flow = FLOW.replace("name: one}", "name: one}, {get: /bytes/1}");
        let summary = run(&bench, &target, more, &flow, &["--generators", generators]);
        assert_eq!(summary.status, Status::Passed, "{:?}", summary.reasons);
        // Once before the load, and in none of its metrics.
        assert_eq!(target.counters().path("/api/products"), 5);
        assert_eq!(value(&summary, "http_reqs", "count"), 12.0);
        let said = format!("{:?}", summary.warnings);
        assert!(
            said.contains("GET /bytes/1 is no operation of api.yaml"),
            "{said}"
        );
    }
}

#[test]
fn a_difference_ends_the_run_before_any_load() {
    for generators in ["1", "2"] {
        let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
        bench.write("api.yaml", &document("string"));
        let more = "contract: {openapi: api.yaml}\nsetup: [{get: /bytes/7}]\nteardown: [{get: /bytes/9}]\nrun: {tolerance: 50%}";
        let definition = definition(&target.url(), more, FLOW);
        let (ended, summary) = bench.run(&definition, &["--generators", generators]);
        ended.expect(97);
        assert_eq!(summary.status, Status::Errored);
        assert!(
            summary.reasons[0].contains("does not keep the contract api.yaml"),
            "{:?}",
            summary.reasons
        );
        let one = "GET /products/{id}: $.id: expected a string, got 1";
        assert!(
            summary.reasons.iter().any(|r| r == one),
            "{:?}",
            summary.reasons
        );
        let many = "GET /products: $.products[0].id: expected a string, got 1, and so 19 more";
        assert!(
            summary.reasons.iter().any(|r| r == many),
            "{:?}",
            summary.reasons
        );
        // One call each, and what setup made is cleaned up.
        for path in ["/api/products", "/api/products/1", "/bytes/7", "/bytes/9"] {
            assert_eq!(target.counters().path(path), 1, "{path} {generators}");
        }
    }
}

#[test]
fn nothing_that_was_checked_is_no_pass() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    bench.write("api.yaml", &document("integer"));
    let more = "contract: {openapi: api.yaml}";
    let summary = run(&bench, &target, more, "[{get: /bytes/1}]", &[]);
    assert_eq!(summary.status, Status::Errored);
    let said = format!("{:?}", summary.reasons);
    assert!(
        said.contains("no request is an operation of it (GET /bytes/1)"),
        "{said}"
    );
    // Nor is what could not be reached, or was cut short.
    let flow = "[{get: /api/products, extract: {id: $.nowhere}}, {get: '/api/products/${id}'}]";
    let summary = run(&bench, &target, more, flow, &[]);
    let said = format!("{:?}", summary.reasons);
    assert!(said.contains("scenario s ended early"), "{said}");
    let closed = definition("http://127.0.0.1:9/api", more, "[{get: /products}]");
    let said = format!("{:?}", bench.run(&closed, &[]).1.reasons);
    assert!(
        said.contains("GET /products: expected a response, got connection_refused"),
        "{said}"
    );
}

#[test]
fn responses_of_the_load_are_sampled() {
    let (bench, target) = (Bench::new(), TestServer::start(Config::service()).unwrap());
    // The first order that is made is the check's, so that the others differ.
    let document = document("integer").replace(
        "application/json: {}",
        "application/json: {schema: {properties: {order: {enum: [o-1]}}}}",
    );
    bench.write("api.yaml", &document);
    let more = "contract: {openapi: api.yaml, sample: 50%}\nthresholds: {'checks{check:contract}': rate==1}";
    let flow = "[{post: /api/checkout, name: order, json: {sku: a}}]";
    let summary = run(&bench, &target, more, flow, &["--generators", "1"]);
    assert_eq!(summary.status, Status::Failed, "{:?}", summary.reasons);
    assert_eq!(value(&summary, "http_req_failed", "rate"), 0.0);
    let shown = bench.floodgate(&["show", &summary.execution, "--failures"]);
    let said = format!("{}{}", shown.stdout(), shown.stderr());
    assert!(
        said.contains(r#"$.order: expected one of ["o-1"]"#),
        "{said}"
    );
}

#[test]
fn a_broken_document_is_a_fault_with_its_place() {
    let bench = Bench::new();
    let broken = document("integer").replace("schemas/Product'}}}}}}", "schemas/Nothing'}}}}}}");
    assert_ne!(broken, document("integer"));
    bench.write("api.yaml", &broken);
    let more = "contract: {openapi: api.yaml}";
    bench.write("t.yaml", &definition("http://127.0.0.1:9", more, FLOW));
    let ended = bench.floodgate(&["validate", "t.yaml"]);
    ended.expect(104);
    let place = "#/paths/~1products~1{id}/get/responses/200/content/application~1json/schema: the reference \"#/components/schemas/Nothing\" leads nowhere";
    assert!(ended.stderr().contains(place), "{}", ended.stderr());
    let line = definition("http://127.0.0.1:9", more, FLOW);
    let line = line.lines().position(|line| line == more).unwrap() + 1;
    let own = format!("t.yaml:{line}:21: contract.openapi: api.yaml: #/paths");
    assert!(ended.stderr().contains(&own), "{}", ended.stderr());
}
