//! Samples of failures.

use super::*;

/// The samples of failures of a text: headlines, and whether there are times.
fn failures(reader: &mut dyn Reader, text: &str) -> Vec<String> {
    let mut into = collector();
    reader.push(text.as_bytes(), &mut into).unwrap();
    let (samples, _) = into.take_failures();
    let shown = samples
        .iter()
        .map(|sample| format!("{}|{}|{}", sample.scenario, sample.name, sample.headline()));
    shown.collect()
}

#[test]
fn failures_are_sampled_with_what_k6_tells_of_them() {
    let metric = |name: &str, kind: &str| {
        format!(
            r#"{{"type":"Metric","data":{{"name":"{name}","type":"{kind}"}},"metric":"{name}"}}"#
        )
    };
    let tags = r#"{"error":"dial: connection refused","error_code":"1212","method":"POST","name":"pay","scenario":"shop","status":"0","url":"http://x/pay?token=a"}"#;
    let check = r#"{"check":"is paid","group":"::cart","scenario":"shop"}"#;
    let lines = [
        metric("http_req_duration", "trend"),
        metric("http_req_failed", "rate"),
        metric("checks", "rate"),
        point("http_req_duration", "1.25", tags),
        point("http_req_failed", "1", tags),
        point("http_req_failed", "0", r#"{"name":"home","status":"200"}"#),
        point("checks", "1", check),
        point("checks", "0", check),
    ];
    let expected = [
        "shop|pay|POST http://x/pay?token=a: connection_refused after 1.2 ms (dial: connection refused)",
        "shop|::cart|::cart: is paid does not hold",
    ];
    assert_eq!(
        failures(&mut JsonReader::new(), &(lines.join("\n") + "\n")),
        expected
    );
    // The same in the shape that only a JSON parser takes.
    let spaced = lines.map(|line| line.replace("\":\"", "\": \"")).join("\n") + "\n";
    assert_eq!(failures(&mut JsonReader::new(), &spaced), expected);
    let csv = "metric_name,timestamp,metric_value,check,error,error_code,group,method,name,scenario,status,url,extra_tags,metadata\n\
               http_req_duration,1795328804,1.25,,,,,POST,pay,shop,503,http://x/pay,,\n\
               http_req_failed,1795328804,1,,,,,POST,pay,shop,503,http://x/pay,,\n\
               checks,1795328804,0,is paid,,,::cart,,,shop,,,,\n";
    let expected = [
        "shop|pay|POST http://x/pay: 503 after 1.2 ms",
        "shop|::cart|::cart: is paid does not hold",
    ];
    assert_eq!(
        failures(&mut CsvReader::new(BTreeMap::new()), csv),
        expected
    );
}

#[test]
fn the_first_failures_of_each_kind_are_sampled_and_no_more() {
    let metric = r#"{"type":"Metric","data":{"name":"http_req_failed","type":"rate"},"metric":"http_req_failed"}"#;
    let failed = |n: usize, status: u16| {
        let tags = format!(r#"{{"name":"a","status":"{status}","url":"http://x/{n}"}}"#);
        point("http_req_failed", "1", &tags)
    };
    let mut lines = vec![metric.to_owned()];
    lines.extend((0..50).flat_map(|n| [failed(n, 500), failed(n, 404)]));
    let found = failures(&mut JsonReader::new(), &(lines.join("\n") + "\n"));
    assert_eq!(found.len(), 20);
    assert_eq!(found[19], "|a|http://x/9: 404");
}
