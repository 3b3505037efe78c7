//! What `floodgate init` writes.

/// A commented definition to start from; `name` becomes the test's name, with everything but `a-z`, `0-9` and `-` replaced.
pub fn starter(name: &str) -> String {
    let slug: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .skip_while(|c| *c == '-')
        .take(63)
        .collect();
    let slug = slug.trim_end_matches('-');
    STARTER.replace("TEST", if slug.is_empty() { "my-test" } else { slug })
}

const STARTER: &str = r#"# A Floodgate test definition. Check it with `floodgate validate FILE`, run it with `floodgate run FILE`.
# `floodgate schema` prints the JSON Schema, for completion in an editor.
version: 1
test: "TEST"

# What may differ from run to run: `floodgate run FILE --set rate=50`. Also: ${env:NAME}, ${env:NAME:-default}, ${secret:NAME}.
parameters:
  target: http://127.0.0.1:8080
  rate: 20

# The base URL that paths below are joined to.
target: ${param:target}

scenarios:
  browse:
    # Iterations start at a fixed rate, whether the target keeps up or not (k6's executors, with k6's options).
    # Others: ramping-arrival-rate, constant-vus, ramping-vus, shared-iterations, per-vu-iterations.
    executor: constant-arrival-rate
    rate: ${param:rate}
    timeUnit: 1s
    duration: 30s
    preAllocatedVUs: 10
    maxVUs: 50
    # What one iteration does, step after step.
    flow:
      - get: /
        name: home # the tag in reports and thresholds
        checks:
          - status == 200
          - duration < 800ms
      - think: 100ms..300ms
      # - post: /api/orders
      #   name: order
      #   json: { sku: A-1, user: "${vu}" }
      #   extract: { order: $.id } # then "${order}" in later steps
      #   checks: [status == 201]

# What must hold, or the run fails (exit code 99). Bare numbers of times are milliseconds.
thresholds:
  http_req_failed: rate<0.01
  http_req_duration: [p(95)<500, p(99)<1200]
  "http_req_duration{name:home}": p(95)<400

run:
  max_duration: 5m
"#;
