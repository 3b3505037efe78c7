//! What is a sum of other rows, and what only looks like one.

use super::tests::{count, read, sum};
use super::*;
use crate::jmeter::checks::Checks;
use proptest::prelude::*;
use std::fmt::Write as _;

const HEADER: &str = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect\n";

/// A request of the first thread: start, length, label, bytes received and sent.
fn row(start: u64, took: u64, label: &str, bytes: u64) -> String {
    format!(
        "{start},{took},{label},200,OK,G 1-1,text,true,,{bytes},{bytes},1,1,http://x/{label},{took},0,0\n"
    )
}

/// Requests, sums, and the words on sums of a file with these rows.
fn found(rows: &str) -> (u64, u64, Vec<String>) {
    let text = format!("{HEADER}{rows}");
    let (_, rows, warnings) = read(AnyReader::new(Options::default()), text.as_bytes(), 1 << 20);
    let told = warnings.into_iter().filter(|w| w.contains("are sums"));
    (
        count(&rows, "http_reqs", &[]),
        count(&rows, "group_duration", &[]),
        told.collect(),
    )
}

/// `page`, its two redirects, and then another sampler.
fn redirect(at: u64) -> String {
    [
        row(at, 30, "page", 300),
        row(at, 10, "page-0", 100),
        row(at + 12, 18, "page-1", 200),
        row(at + 30, 5, "next", 100),
    ]
    .concat()
}

#[test]
fn a_sum_is_told_with_its_name() {
    let (requests, sums, told) = found(&redirect(1_000));
    assert_eq!((requests, sums), (3, 1));
    assert!(told[0].starts_with("1 of the rows are sums"), "{told:?}");
    assert!(told[0].ends_with(": \"page\" 1"), "{told:?}");
}

#[test]
fn rows_within_one_another_are_requests_each() {
    let cases = [
        // Times are rounded: the second seems to lie within the first.
        row(1_000, 10, "a", 100) + &row(1_009, 0, "b", 100),
        // Two injectors had threads of the same names.
        row(1_000, 500, "a", 100) + &row(1_010, 20, "a", 100),
        row(1_000, 500, "a", 100) + &row(1_000, 20, "b", 100),
        // Each row twice.
        row(1_000, 50, "a", 100).repeat(2),
        // Samplers that somebody has numbered, all within the clock's grain.
        row(1_000, 0, "a", 100) + &row(1_000, 0, "a-0", 100),
        row(1_000, 1, "a", 100) + &row(1_001, 0, "a-0", 100),
        row(1_000, 2, "a", 150) + &row(1_000, 1, "a-0", 100),
    ];
    for rows in cases {
        assert_eq!(found(&rows), (2, 0, vec![]), "{rows}");
    }
    let three = row(1_000, 1, "a", 100) + &row(1_000, 0, "a-0", 100) + &row(1_000, 0, "a-1", 100);
    assert_eq!(found(&three).0, 3, "what they received does not add up");
}

/// Where the names leave a doubt, what was sent and received has to add up.
#[test]
fn a_short_sum_and_one_that_a_script_has_renamed_add_up() {
    let short = row(1_000, 1, "a", 300) + &row(1_000, 0, "a-0", 100) + &row(1_001, 0, "a-1", 200);
    assert_eq!(found(&short).0, 2);
    let renamed =
        row(1_000, 30, "Home", 300) + &row(1_000, 10, "a-0", 100) + &row(1_012, 18, "a-1", 200);
    assert_eq!(found(&renamed).0, 2);
    let other =
        row(1_000, 30, "Home", 301) + &row(1_000, 10, "a-0", 100) + &row(1_012, 18, "a-1", 200);
    assert_eq!(found(&other).0, 3);
}

/// `subresults.disable_renaming=true`, and the functional mode: parts have their URLs for labels.
#[test]
fn parts_that_are_not_numbered_are_known_by_their_urls_and_bytes() {
    let by_url = |start: u64, took: u64, path: &str, bytes: u64| {
        row(start, took, path, bytes)
            .replace(&format!(",{path},200"), &format!(",http://x/{path},200"))
    };
    let page = |bytes: u64| {
        row(1_000, 60, "page", bytes)
            + &by_url(1_000, 10, "page", 100)
            + &by_url(1_020, 10, "a.png", 50)
            + &by_url(1_022, 38, "b.png", 70)
    };
    assert_eq!(found(&page(220)).0, 3);
    assert_eq!(found(&page(221)).0, 4);
    let twice = by_url(1_000, 10, "page", 100).repeat(2);
    assert_eq!(found(&twice).0, 2);
}

#[test]
fn redirects_of_embedded_resources_stand_two_deep() {
    let nested = [
        row(1_000, 75, "page", 440),
        row(1_000, 3, "page-0", 147),
        row(1_063, 10, "page-1", 68),
        row(1_073, 2, "page-2", 157),
        row(1_073, 1, "page-0", 89).replace("G 1-1", ""),
        row(1_074, 1, "page-1", 68),
        row(1_075, 0, "page-3", 68),
    ];
    let (requests, sums, _) = found(&nested.concat());
    assert_eq!((requests, sums), (5, 1));
}

/// JMeter hangs a failed preprocessor below the sample of its sampler, which has been sent all the same.
#[test]
fn a_sampler_of_another_protocol_with_a_part_is_a_sample_itself() {
    let rows = row(1_000, 8, "jdbc", 58) + &row(1_006, 2, "jdbc-0", 890);
    let rows = rows.lines().map(|line| {
        let mut fields: Vec<&str> = line.split(',').collect();
        fields[13] = "null";
        fields.join(",") + "\n"
    });
    let text = HEADER.to_owned() + &rows.collect::<String>();
    let xml = "<testResults><sample t=\"8\" ts=\"1000\" s=\"true\" lb=\"jdbc\" by=\"58\" tn=\"G 1-1\">\
        <sample t=\"2\" ts=\"1006\" s=\"true\" lb=\"jdbc-0\" by=\"890\" tn=\"G 1-1\"/></sample></testResults>";
    for text in [text.as_str(), xml] {
        let (_, rows, _) = read(AnyReader::new(Options::default()), text.as_bytes(), 64);
        assert_eq!(count(&rows, "samples", &[]), 2, "{text}");
        assert_eq!(count(&rows, "group_duration", &[]), 0, "{text}");
    }
}

#[test]
fn a_transaction_whose_assertion_fails_is_a_check_of_a_run() {
    let text = format!(
        "{HEADER}1000,30,buy,200,\"Number of samples in transaction : 1, number of failing samples : 0\",G 1-1,,false,too slow,0,0,1,1,null,0,0,0\n"
    );
    let options = Options {
        checks: Checks::from_iter([("buy", "fast")]),
        ..Options::default()
    };
    let (_, rows, _) = read(CsvReader::new(options), text.as_bytes(), 64);
    assert_eq!(sum(&rows, "checks", &[("check", "fast")]), (1, 0.0));
    assert_eq!(count(&rows, "group_duration", &[("group", "::buy")]), 1);
}

#[test]
fn a_last_row_without_a_line_break_counts_if_it_is_whole() {
    let text = format!("{HEADER}{}", redirect(1_000));
    let of = |text: &str| {
        let (_, rows, warnings) = read(AnyReader::new(Options::default()), text.as_bytes(), 100);
        let cut = warnings.iter().filter(|w| w.contains("within a record"));
        (count(&rows, "http_reqs", &[]), cut.count())
    };
    assert_eq!(of(text.trim_end()), (3, 0));
    assert_eq!(of(text.trim_end().strip_suffix(",0,0").unwrap()), (2, 1));
    assert_eq!(
        of(text.trim_end().strip_suffix("0").unwrap()),
        (3, 0),
        "the last field is empty"
    );
}

#[test]
fn marks_and_blanks_before_xml_are_passed_over() {
    let xml = "<testResults version=\"1.2\"><httpSample t=\"5\" ts=\"1000\" s=\"true\" lb=\"a\" rc=\"200\" tn=\"G 1-1\"/></testResults>";
    for head in ["", "\u{feff}", "\n \t", "\u{feff}\r\n"] {
        for piece in [1, 3, 1_000] {
            let text = format!("{head}{xml}");
            let (_, rows, _) = read(AnyReader::new(Options::default()), text.as_bytes(), piece);
            assert_eq!(count(&rows, "http_reqs", &[]), 1, "{head:?} {piece}");
        }
    }
}

#[test]
fn xml_says_true_in_any_case_and_nothing_in_it_vanishes() {
    let sample = |s: &str| {
        format!("<httpSample t=\"5\" ts=\"1000\" s=\"{s}\" lb=\"a\" rc=\"200\" tn=\"G 1-1\"/>")
    };
    let fields = "<saveConfig><label>true</label></saveConfig><responseCode>500</responseCode><label>b</label>\
        <timeStamp>1020</timeStamp><startTime>1000</startTime><elapsedTime>20</elapsedTime><success>False</success><threadName>G 1-1</threadName>";
    let xml = format!(
        "<testResults>{}{}{}<a.b.WithSubs>{fields}</a.b.WithSubs><a.b.WithSubs><label>c</label><success>true</success></a.b.WithSubs>\
         <strange/><a.b.HTTPSampleResult t=\"5\" ts=\"1000\" s=\"true\" lb=\"d\" rc=\"200\" tn=\"G 1-1\"><java.net.URL>http://x/</java.net.URL></a.b.HTTPSampleResult></testResults>",
        sample("True"),
        sample("TRUE"),
        sample("false"),
    );
    for piece in [7, 10_000] {
        let (_, rows, warnings) = read(AnyReader::new(Options::default()), xml.as_bytes(), piece);
        assert_eq!(sum(&rows, "http_req_failed", &[]), (4, 1.0));
        assert_eq!(
            sum(&rows, "sample_failed", &[("name", "b"), ("scenario", "G")]),
            (1, 1.0)
        );
        assert_eq!(
            sum(&rows, "sample_duration", &[("status", "500")]),
            (1, 20_000.0)
        );
        let said: Vec<_> = warnings
            .iter()
            .filter(|w| w.contains(" elements "))
            .collect();
        assert_eq!(
            said,
            [
                "1 elements of other classes are read as samples without a URL: a.b.WithSubs 1",
                "2 elements are not known samples and are left out: a.b.WithSubs 1, strange 1"
            ]
        );
    }
}

#[test]
fn xml_names_the_place_of_what_is_no_number() {
    for (attribute, expected) in [
        ("t=\"-5\"", "t is \"-5\", not a number of at least 0"),
        ("t=\"1e999\"", "t is \"1e999\""),
        (
            "t=\"99999999999\"",
            "t is 99999999999, not a time of at most a year",
        ),
        ("by=\"NaN\"", "by is \"NaN\""),
        (
            "ts=\"99999999999999\"",
            "ts is 99999999999999, not Unix time",
        ),
    ] {
        let xml = format!("<testResults><sample ts=\"1\" {attribute}/></testResults>");
        let mut all = crate::Collector::new(crate::collector::Settings {
            origin_ms: 0,
            max_series: 10,
            folding: Default::default(),
            tags: floodgate_records::metric::Tags::new(),
        });
        let error = AnyReader::new(Options::default())
            .push(xml.as_bytes(), &mut all)
            .unwrap_err();
        let error = error.to_string();
        assert!(
            error.starts_with("byte 13: ") && error.contains(expected),
            "{error}"
        );
    }
}

/// Files of injectors whose threads have the same names, put together in any of the ways that people do.
fn merged(files: &[Vec<String>], how: u8) -> String {
    let mut rows: Vec<&String> = files.iter().flatten().collect();
    match how {
        0 => {}
        // By their times, in the order of the files where these are the same.
        1 => rows.sort_by_key(|row| row.split(',').next().map(str::to_owned)),
        // `sort`, which compares whole lines.
        _ => rows.sort(),
    }
    rows.into_iter().fold(String::new(), |mut all, row| {
        let _ = write!(all, "{row}");
        all
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn merged_files_hold_what_each_of_them_does(starts in prop::collection::vec((0_u64..40, 1_u64..60), 1..4), how in 0_u8..3) {
        let file = |(offset, gap): &(u64, u64)| -> Vec<String> {
            let all: String = (0..5).map(|n| redirect(100_000 + offset + n * (40 + gap))).collect();
            all.lines().map(|line| format!("{line}\n")).collect()
        };
        let files: Vec<_> = starts.iter().map(file).collect();
        let (requests, sums, _) = found(&merged(&files, how));
        let tasks = files.len() as u64;
        prop_assert_eq!((requests, sums), (15 * tasks, 5 * tasks));
    }
}
