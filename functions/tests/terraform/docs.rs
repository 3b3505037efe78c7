//! The tables of inputs and outputs in the READMEs.

use crate::module::{self, Module, attribute, label, string};
use hcl::Block;
use hcl::expr::Expression;
use std::fmt::Write as _;

const START: &str = "<!-- Written by `cargo xtask terraform docs` from here on; edit the descriptions in the code. -->";

#[test]
fn readmes_list_inputs_and_outputs() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    for module in module::all() {
        let file = module.folder.join("README.md");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let prose = text.split(START).next().unwrap_or_default().trim_end();
        let wanted = format!("{prose}\n\n{START}\n\n{}", tables(&module));
        if update {
            std::fs::write(&file, wanted).expect("writable");
        } else {
            assert_eq!(
                text,
                wanted,
                "{} is not up to date: cargo xtask terraform docs",
                file.display()
            );
        }
    }
}

fn tables(module: &Module) -> String {
    let mut text = "## Inputs\n\n| Name | Type | Default | |\n|---|---|---|---|\n".to_owned();
    for variable in sorted(module, "variable") {
        let default = attribute(variable, "default")
            .map_or_else(|| "required".to_owned(), |value| code(&written(value)));
        let _ = writeln!(
            text,
            "| `{}` | {} | {default} | {} |",
            label(variable, 0),
            code(&kind(attribute(variable, "type"))),
            description(variable)
        );
    }
    text.push_str("\n## Outputs\n\n| Name | |\n|---|---|\n");
    for output in sorted(module, "output") {
        let _ = writeln!(text, "| `{}` | {} |", label(output, 0), description(output));
    }
    text
}

fn sorted<'a>(module: &'a Module, kind: &'a str) -> Vec<&'a Block> {
    let mut blocks: Vec<_> = module.blocks(kind).collect();
    // What has to be given stands first.
    blocks.sort_by_key(|block| {
        (
            attribute(block, "default").is_some(),
            label(block, 0).to_owned(),
        )
    });
    blocks
}

/// A type in one line: objects with their attributes, but those of objects inside without.
fn kind(expression: Option<&Expression>) -> String {
    expression.map(written).unwrap_or_default()
}

fn written(expression: &Expression) -> String {
    let mut buffer = hcl::format::Formatter::builder().compact(true).build_vec();
    hcl::format::Format::format(expression, &mut buffer).expect("printable");
    let text = String::from_utf8(buffer.into_inner()).expect("UTF-8");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

fn description(block: &Block) -> String {
    let text = attribute(block, "description")
        .and_then(string)
        .unwrap_or_default();
    let text = text
        .trim()
        .trim_start_matches("<<-EOT")
        .trim_end_matches("EOT");
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}
