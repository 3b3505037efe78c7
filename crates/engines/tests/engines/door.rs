//! Engines are named behind the crate's door, and nowhere in the programs before it.

use floodgate_engines::registry::script_engines;
use std::fs;
use std::path::{Path, PathBuf};

/// Crates that ask the registry.
const BEFORE: [&str; 4] = [
    "crates/cli/src",
    "crates/control/src",
    "functions/src",
    "generator/src",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Whether a text has a word, alone or as a part of a name such as `options_of_WORD`.
fn names(text: &str, word: &str) -> bool {
    let apart = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
    text.match_indices(word).any(|(at, _)| {
        apart(text[..at].chars().next_back()) && apart(text[at + word.len()..].chars().next())
    })
}

#[test]
fn no_program_names_an_engine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let words: Vec<_> = script_engines()
        .map(|engine| engine.facts().engine.as_str())
        .collect();
    let mut read = 0;
    let mut places = Vec::new();
    for folder in BEFORE {
        let mut files = Vec::new();
        sources(&root.join(folder), &mut files);
        for file in files {
            read += 1;
            let text = fs::read_to_string(&file).unwrap();
            // Comments may say which engine a rule is there for, and clap makes help texts of them.
            let code = text.lines().zip(1..);
            let code = code.filter(|(line, _)| !line.trim_start().starts_with("//"));
            for (line, number) in code {
                let lower = line.to_ascii_lowercase();
                if words.iter().any(|word| names(&lower, word)) {
                    places.push(format!("{}:{number}: {}", file.display(), line.trim()));
                }
            }
        }
    }
    assert!(read > 100, "{read} files: were the folders moved?");
    assert!(
        places.is_empty(),
        "ask floodgate_engines::registry instead:\n{}",
        places.join("\n")
    );
}

#[test]
fn a_name_is_told_from_what_only_looks_like_one() {
    for text in ["engine::k6", "\"k6\"", "options_of_k6", "k6_vus"] {
        assert!(names(text, "k6"), "{text}");
    }
    for text in ["mk6", "k65", ""] {
        assert!(!names(text, "k6"), "{text}");
    }
}
