//! Links between the repository's documents lead somewhere.

use crate::repo;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Folders that hold what is made or installed.
const NOT_OURS: [&str; 4] = ["target", "node_modules", ".git", ".terraform"];

/// The documents below a folder, by their path from the root.
fn collect(folder: &Path, into: &mut BTreeMap<PathBuf, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let named = |names: &[&str]| {
            path.file_name()
                .is_some_and(|n| names.iter().any(|m| n == *m))
        };
        if path.is_dir() && !named(&NOT_OURS) {
            collect(&path, into);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            let text = std::fs::read_to_string(&path).unwrap();
            into.insert(path.strip_prefix(repo::root()).unwrap().to_owned(), text);
        }
    }
}

/// The lines outside of blocks of code.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut code = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    })
}

/// What headings can be linked by, as GitHub makes it, and anchors of a document's own.
fn anchors(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (_, line) in prose(text) {
        if let Some(own) = line.split("<a id=\"").nth(1) {
            found.extend(own.split('"').next().map(str::to_owned));
        }
        let Some(heading) = line.starts_with('#').then(|| line.trim_start_matches('#')) else {
            continue;
        };
        let slug: String = heading
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || "-_ ".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let same = found.iter().filter(|known| **known == slug).count();
        found.push(match same {
            0 => slug,
            n => format!("{slug}-{n}"),
        });
    }
    found
}

/// Targets of the links of a line.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let starts = line.split("](").skip(1);
    starts.filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

/// A path from a document's folder, from the root.
fn joined(document: &Path, path: &str) -> PathBuf {
    let mut whole = document.parent().unwrap().to_owned();
    for part in Path::new(path).components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
    }
    whole
}

#[test]
fn links_of_documents_lead_somewhere() {
    let mut documents = BTreeMap::new();
    collect(repo::root(), &mut documents);
    assert!(documents.len() > 50, "{}", documents.len());
    let (mut seen, mut broken) = (0, Vec::new());
    for (document, text) in &documents {
        for (number, line) in prose(text) {
            for target in targets(line).filter(|target| !target.contains(':')) {
                seen += 1;
                let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
                let to = match path {
                    "" => document.clone(),
                    path => joined(document, path),
                };
                let leads = match (documents.get(&to), anchor) {
                    (Some(text), anchor) if !anchor.is_empty() => {
                        anchors(text).iter().any(|known| known == anchor)
                    }
                    _ => repo::root().join(&to).exists(),
                };
                if !leads {
                    broken.push(format!("{}:{number}: {target}", document.display()));
                }
            }
        }
    }
    assert!(seen > 400, "{seen}");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
