//! No circle of files: what is below never names what is above it. A module and its own children are one room.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A path of names below a crate's root.
type Names = Vec<String>;

/// What one file says.
#[derive(Default)]
struct File {
    /// What each name stands for that it brings into scope.
    imports: BTreeMap<String, Names>,
    /// All that it names in this crate.
    named: BTreeSet<Names>,
    /// All that is defined here.
    defines: BTreeSet<String>,
}

/// A file's text without comments and without its tests, which stand at its end.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let end = text
        .find("#[cfg(test)]\n#[allow")
        .or_else(|| text.find("#[cfg(test)]\nmod tests"));
    let lines = text[..end.unwrap_or(text.len())].lines();
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The files of a crate by module, from its root on.
fn files(root: &Path) -> BTreeMap<Names, String> {
    let (mut all, mut open) = (BTreeMap::new(), vec![(Names::new(), root.to_owned())]);
    while let Some((module, path)) = open.pop() {
        let text = code(&path);
        let folder = match path.file_stem().unwrap().to_str() {
            Some("lib" | "main" | "mod") => path.with_file_name(""),
            _ => path.with_extension(""),
        };
        for line in text.lines().filter_map(|line| line.strip_suffix(';')) {
            if let Some((_, name)) = line
                .split_once("mod ")
                .filter(|(before, _)| before.is_empty() || before.starts_with("pub"))
            {
                let (beside, below) = (
                    folder.join(format!("{name}.rs")),
                    folder.join(name).join("mod.rs"),
                );
                let child = [module.clone(), vec![name.to_owned()]].concat();
                open.push((child, if beside.exists() { beside } else { below }));
            }
        }
        all.insert(module, text);
    }
    all
}

/// `a::{b, c::d as e}` spelled out: each path with the name that it gets.
fn spelled_out(tree: &str, before: &str, into: &mut Vec<(String, String)>) {
    let Some((head, rest)) = tree.split_once('{') else {
        let (path, name) = tree
            .split_once(" as ")
            .unwrap_or((tree, tree.rsplit("::").next().unwrap_or(tree)));
        let path = format!("{before}{}", path.trim());
        let path = path.strip_suffix("::self").unwrap_or(&path);
        let name = if name.trim() == "self" {
            path.rsplit("::").next().unwrap_or(path)
        } else {
            name.trim()
        };
        return into.push((path.to_owned(), name.to_owned()));
    };
    let (mut depth, mut from, before) = (0, 0, format!("{before}{}", head.trim()));
    let inner = &rest[..rest.rfind('}').unwrap_or(rest.len())];
    for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if c == ',' && depth == 0 {
            let each = inner[from..at].trim();
            from = at + 1;
            if !each.is_empty() {
                spelled_out(each, &before, into);
            }
        }
    }
}

/// A path below the crate's root; nothing where it leads elsewhere.
fn absolute(
    module: &Names,
    path: &str,
    imports: &BTreeMap<String, Names>,
    known: &BTreeMap<Names, String>,
) -> Option<Names> {
    let mut path: Vec<String> = path.split("::").map(str::to_owned).collect();
    let mut base = module.clone();
    let child = [module.clone(), vec![path[0].clone()]].concat();
    match path[0].as_str() {
        "crate" => base = Names::new(),
        "self" => {}
        "super" => drop(base.pop()),
        _ if known.contains_key(&child) => base = child,
        first => base = imports.get(first)?.clone(),
    }
    path.remove(0);
    while path.first().is_some_and(|name| name == "super") {
        base.pop();
        path.remove(0);
    }
    Some([base, path].concat())
}

fn file(module: &Names, text: &str, known: &BTreeMap<Names, String>) -> File {
    const DEFINING: [&str; 8] = [
        "fn",
        "struct",
        "enum",
        "trait",
        "type",
        "const",
        "static",
        "macro_rules",
    ];
    let mut file = File::default();
    let mut uses = Vec::new();
    for (at, _) in text
        .match_indices("use ")
        .filter(|(at, _)| *at == 0 || text[..*at].ends_with(['\n', ' ']))
    {
        spelled_out(
            text[at + 4..].split(';').next().unwrap_or(""),
            "",
            &mut uses,
        );
    }
    for (path, name) in &uses {
        let Some(path) = absolute(module, path, &file.imports, known) else {
            continue;
        };
        file.imports.insert(name.clone(), path.clone());
        file.named.insert(path);
    }
    let words: Vec<&str> = text
        .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'))
        .filter(|word| !word.is_empty())
        .collect();
    let defined = words.windows(2).filter(|pair| DEFINING.contains(&pair[0]));
    file.defines = defined
        .map(|pair| pair[1].trim_end_matches(':').to_owned())
        .collect();
    // Behind `in` stands who may see something.
    let inline = words
        .windows(2)
        .filter(|pair| pair[1].contains("::") && pair[0] != "in");
    let inline: Vec<_> = inline
        .filter_map(|pair| absolute(module, pair[1].trim_matches(':'), &file.imports, known))
        .collect();
    file.named.extend(inline);
    file
}

/// The module that defines what a path names, behind what others pass on.
fn home(path: &[String], all: &BTreeMap<Names, File>, depth: usize) -> Option<Names> {
    let length = (0..=path.len())
        .rev()
        .find(|&length| all.contains_key(&path[..length]))?;
    let (module, rest) = path.split_at(length);
    let here = Some(module.to_vec());
    let Some(name) = rest.first().filter(|name| *name != "*" && depth > 0) else {
        return here;
    };
    let file = &all[module];
    if file.defines.contains(name) {
        return here;
    }
    if let Some(behind) = file.imports.get(name) {
        return home(behind, all, depth - 1);
    }
    here
}

/// Modules that name each other, by whatever way round.
fn circles(root: &Path) -> Vec<String> {
    let texts = files(root);
    let all: BTreeMap<Names, File> = texts
        .iter()
        .map(|(module, text)| (module.clone(), file(module, text, &texts)))
        .collect();
    let below: BTreeMap<&Names, BTreeSet<Names>> = all
        .iter()
        .map(|(module, file)| {
            let homes = file.named.iter().filter_map(|path| home(path, &all, 8));
            (
                module,
                homes.filter(|home| !module.starts_with(home)).collect(),
            )
        })
        .collect();
    let reached = |from: &Names| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(module) = open.pop() {
            let new = below[&module]
                .iter()
                .filter(|to| seen.insert((*to).clone()));
            open.extend(new.cloned().collect::<Vec<_>>());
        }
        seen
    };
    let reach: BTreeMap<&Names, BTreeSet<Names>> =
        all.keys().map(|module| (module, reached(module))).collect();
    let arrows = below
        .iter()
        .flat_map(|(from, to)| to.iter().map(|to| (*from, to)));
    let in_circles = arrows.filter(|(from, to)| reach[to].contains(*from));
    in_circles
        .map(|(from, to)| {
            format!(
                "{}: {} names {}",
                root.display(),
                from.join("::"),
                to.join("::")
            )
        })
        .collect()
}

#[test]
fn no_files_name_each_other() {
    let root = crate::repo::root();
    let crates = std::fs::read_dir(root.join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let packages = crates.chain(["functions", "generator", "xtask"].map(|name| root.join(name)));
    let roots =
        packages.flat_map(|package| ["src/lib.rs", "src/main.rs"].map(|file| package.join(file)));
    let found: Vec<_> = roots
        .filter(|root| root.exists())
        .flat_map(|root| circles(&root))
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}
