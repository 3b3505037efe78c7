//! Sources of each kind, and what becomes of them.

use super::*;

#[track_caller]
fn snapshot(file: &str, options: &Options<'_>) -> Converted {
    let made = converted(&fixture(file), options);
    insta::assert_snapshot!(file.replace('.', "_"), made.text);
    made
}

#[test]
fn a_recording_of_chrome() {
    let made = snapshot("chrome-shop.har", &named("chrome shop"));
    assert_eq!(made.format, Format::Har);
    for secret in ["correct horse", "YW5u", "dark"] {
        assert!(!made.text.contains(secret), "{secret}");
    }
}

#[test]
fn a_recording_of_firefox() {
    let made = snapshot("firefox-forms.har", &named("forms"));
    for secret in [
        "s3cr",
        "b1946ac92492d2347c6235b4d2611184",
        "c4ca4238a0b923820dcc509a6f75849b",
        "8f14e45fceea167a5a36dedd4bea2543",
        "k-0123456789abcdef",
        "Zx81",
    ] {
        assert!(!made.text.contains(secret), "{secret}");
    }
    assert_eq!(made.files.len(), 1);
    assert_eq!(made.files[0].1, b"waves\nand salt");
}

#[test]
fn a_recording_of_charles() {
    let made = snapshot("charles-api.har", &named("items"));
    assert!(!made.text.contains("pss-word-1") && !made.text.contains("pa:ss"));
    assert_eq!(made.files[0].1, (0..40).collect::<Vec<u8>>());
    assert!(
        made.notes
            .iter()
            .any(|note| note.contains("entry 5 is left out: it has no request")),
        "{:?}",
        made.notes
    );
    assert!(
        made.notes
            .iter()
            .any(|note| note.contains("entry 6 is left out: its URL")),
        "{:?}",
        made.notes
    );
}

#[test]
fn a_recording_of_playwright_without_think_times() {
    snapshot(
        "playwright-blog.har",
        &Options {
            think: false,
            ..named("blog")
        },
    );
}

#[test]
fn without_files_what_needs_one_is_left_out_and_named() {
    let made = converted(
        &fixture("charles-api.har"),
        &Options {
            files: false,
            ..named("x")
        },
    );
    assert!(
        made.files.is_empty()
            && made
                .text
                .contains("with --out FILE it is written beside the definition"),
        "{}",
        made.text
    );
}

#[test]
fn hosts_are_chosen_and_assets_kept() {
    let options = Options {
        hosts: vec!["metrics.example".into(), "127.0.0.1".into()],
        keep_static: true,
        ..named("x")
    };
    let made = converted(&fixture("chrome-shop.har"), &options);
    for part in [
        "target: https://metrics.example",
        "host_127_0_0_1_18080: http://127.0.0.1:18080",
        "get: ${param:host_127_0_0_1_18080}/style.css",
        "post: /collect?v=2&tid=UA-1",
    ] {
        assert!(made.text.contains(part), "{part}\n{}", made.text);
    }
    let none = convert(
        &fixture("chrome-shop.har")[..],
        &Options {
            hosts: vec!["other".into()],
            ..named("x")
        },
    );
    assert_eq!(
        none.unwrap_err().to_string(),
        "no request goes to \"other\"; the hosts are 127.0.0.1:18080, metrics.example"
    );
}

#[test]
fn commands_of_people() {
    let exists = |path: &str| matches!(path, "cat.jpg" | "data.bin");
    let made = snapshot(
        "commands.sh",
        &Options {
            exists: &exists,
            ..named("commands")
        },
    );
    assert_eq!(made.format, Format::Curl);
    for secret in ["it's secret", "hunter22", "abcdef1234567890"] {
        assert!(!made.text.contains(secret), "{secret}");
    }
}

#[test]
fn commands_that_chrome_copied() {
    for file in ["chrome-bash.txt", "chrome-cmd.txt"] {
        let made = snapshot(file, &named("cart"));
        assert!(!made.text.contains("4f1f9c2d8a"), "{}", made.text);
    }
}

#[test]
fn line_ends_of_windows_say_the_same() {
    for file in ["chrome-cmd.txt", "chrome-bash.txt", "library.yaml"] {
        let unix = String::from_utf8(fixture(file)).unwrap();
        let windows = unix.replace('\n', "\r\n");
        assert_eq!(
            converted(windows.as_bytes(), &named("x")).text,
            converted(unix.as_bytes(), &named("x")).text,
            "{file}"
        );
    }
}

#[test]
fn documents_of_3_0_and_3_1() {
    assert_eq!(
        snapshot("library.yaml", &named("library")).format,
        Format::OpenApi
    );
    snapshot("events.json", &named("events"));
    let made = converted(
        &fixture("library.yaml"),
        &Options {
            hosts: vec!["localhost:9000".into()],
            ..named("x")
        },
    );
    assert!(
        made.text.contains("target: http://localhost:9000/v1"),
        "{}",
        made.text
    );
}

#[test]
fn json_and_yaml_say_the_same() {
    let text = fixture("events.json");
    let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
    // Braces behind a comment are YAML.
    let yaml = format!("# a comment\n{value}\nopenapi: x").replace("\nopenapi: x", "");
    let options = Options {
        format: Some(Format::OpenApi),
        ..named("events")
    };
    assert_eq!(
        converted(yaml.as_bytes(), &options).text,
        converted(&text, &options).text
    );
}
