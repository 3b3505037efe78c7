//! What to do about text that is not YAML. A scanner says where it gave up, which is often behind what has to be corrected.

use crate::definition::fault::Issue;
use crate::definition::place::{Mark, Path};

/// What scanners say, by a part of it, and the remedy.
const REMEDIES: [(&str, &str); 9] = [
    (
        "unknown anchor",
        "*NAME stands for what &NAME marks before it; put text that begins with * into quotes",
    ),
    (
        "must be followed by a valid YAML whitespace",
        "write a space after the \":\", not a tab",
    ),
    (
        "unprintable character",
        "remove it, or write it as \"\\x00\" in double quotes",
    ),
    (
        "while scanning a quoted scalar, found unexpected end",
        "close the quotes; a quote within them is written \\\" in \"…\" and '' in '…'",
    ),
    (
        "invalid Unicode character escape code",
        "write the character itself; \\ud800 to \\udfff are halves of one",
    ),
    (
        "unknown escape character",
        "write \\\\ for a backslash in double quotes, or put the text into single quotes",
    ),
    (
        "mapping values are not allowed",
        "put text that has \": \" in it into quotes; if it is a key, align it with the others",
    ),
    (
        "did not find expected key",
        "align the keys of a map, and put a list below a key of its own",
    ),
    (
        "illegal placement of ':'",
        "close the [ or { before this line",
    ),
];
const USUAL: &str =
    "put text that has any of [ ] { } , # & * ! | > % @ or \": \" in it into quotes";

/// The fault of text that a scanner refused at a mark, with the word that it has for it.
pub(super) fn explain(info: &str, mark: Mark, lines: &[(&str, bool)]) -> Issue {
    let at = |line: usize, column: usize, problem: &str| {
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let mark = Mark {
            line: small(line + 1),
            column: small(column + 1),
            width: 1,
            ..mark
        };
        Issue::new(mark, &Path::default(), problem)
    };
    let nul = |(line, _): &(&str, bool)| Some(line[..line.find('\0')?].chars().count());
    let nul = (lines.iter().enumerate()).find_map(|(n, line)| Some((n, nul(line)?)));
    if let Some((line, column)) = nul {
        let issue = at(line, column, "this is not YAML: here is a NUL character");
        return issue.hint("remove it; if all of the file has such, save it as UTF-8");
    }
    // Scanners report a tab where it stands, or in the line that it makes senseless. Within braces it is no indentation.
    let is_json = lines.iter().find(|(line, _)| !line.trim().is_empty());
    let is_json = is_json.is_some_and(|(line, _)| line.trim_start().starts_with(['{', '[']));
    let indent = |line: &str| {
        let column = line.len() - line.trim_start_matches(' ').len();
        line[column..].starts_with('\t').then_some(column)
    };
    let line = (mark.line as usize).saturating_sub(1);
    let behind = usize::from(info.contains("found a tab"));
    let near = line.saturating_sub(1)..=line + behind;
    let mut near = near.filter_map(|n| Some((n, indent(lines.get(n)?.0)?)));
    if let Some((line, column)) = near.next().filter(|_| !is_json) {
        return at(line, column, &format!("this is not YAML: {info}"))
            .hint("a line begins with a tab: YAML is indented with spaces");
    }
    let remedy = REMEDIES.iter().find(|(part, _)| info.contains(part));
    Issue::new(mark, &Path::default(), format!("this is not YAML: {info}"))
        .hint(remedy.map_or(USUAL, |(_, remedy)| remedy))
}
