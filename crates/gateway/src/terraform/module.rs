//! Modules of Terraform as parsed HCL.

use hcl::expr::{Expression, TraversalOperator};
use hcl::{Block, Body};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A folder with `*.tf` in it.
pub struct Module {
    /// `.`, `modules/storage`, `examples/minimal`.
    pub name: String,
    /// Where it lies.
    pub folder: PathBuf,
    bodies: Vec<Body>,
}

/// The repository's root.
///
/// # Panics
/// If this package has moved.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("the package lies in the workspace")
        .to_owned()
}

/// A file of the repository.
///
/// # Panics
/// If it cannot be read.
pub fn read(path: &str) -> String {
    let file = repository().join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The root module, the modules and the examples.
///
/// # Panics
/// If one cannot be read or is not HCL.
pub fn all() -> Vec<Module> {
    let mut names = vec![".".to_owned()];
    for kind in ["modules", "examples"] {
        let folder = repository().join("terraform").join(kind);
        let mut inside: Vec<_> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("readable").file_name())
            .map(|name| format!("{kind}/{}", name.to_string_lossy()))
            .collect();
        inside.sort();
        names.extend(inside);
    }
    names.iter().map(|name| Module::load(name)).collect()
}

impl Module {
    /// Parses every file of `terraform/{name}`.
    ///
    /// # Panics
    /// If one cannot be read or is not HCL.
    pub fn load(name: &str) -> Self {
        let folder = repository().join("terraform").join(name);
        let mut files: Vec<_> = std::fs::read_dir(&folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("readable").path())
            .filter(|file| file.extension().is_some_and(|extension| extension == "tf"))
            .collect();
        files.sort();
        let bodies = files.iter().map(|file| {
            let text = std::fs::read_to_string(file).expect("readable");
            hcl::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
        });
        Self {
            name: name.to_owned(),
            bodies: bodies.collect(),
            folder,
        }
    }

    /// Top-level blocks of a kind, in the order of the text.
    pub fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        let blocks = self.bodies.iter().flat_map(Body::blocks);
        blocks.filter(move |block| block.identifier() == kind)
    }

    /// All locals.
    pub fn locals(&self) -> BTreeMap<&str, &Expression> {
        let attributes = self
            .blocks("locals")
            .flat_map(|block| block.body().attributes());
        attributes
            .map(|attribute| (attribute.key(), attribute.expr()))
            .collect()
    }

    /// A local.
    ///
    /// # Panics
    /// If there is none of this name.
    pub fn local(&self, name: &str) -> &Expression {
        self.locals()
            .get(name)
            .unwrap_or_else(|| panic!("{}: there is no local.{name}", self.name))
    }

    /// The one resource of this type and name.
    ///
    /// # Panics
    /// If there is none.
    pub fn resource(&self, kind: &str, name: &str) -> &Block {
        self.blocks("resource")
            .find(|block| label(block, 0) == kind && label(block, 1) == name)
            .unwrap_or_else(|| panic!("{}: there is no {kind}.{name}", self.name))
    }

    /// Every expression at the top of an attribute, nested blocks included.
    pub fn expressions(&self) -> Vec<&Expression> {
        fn collect<'a>(body: &'a Body, found: &mut Vec<&'a Expression>) {
            found.extend(body.attributes().map(hcl::Attribute::expr));
            for block in body.blocks() {
                collect(block.body(), found);
            }
        }
        let mut found = Vec::new();
        for body in &self.bodies {
            collect(body, &mut found);
        }
        found
    }
}

/// A block's label.
pub fn label(block: &Block, index: usize) -> &str {
    block
        .labels()
        .get(index)
        .map_or("", hcl::BlockLabel::as_str)
}

/// A block's attribute.
pub fn attribute<'a>(block: &'a Block, key: &str) -> Option<&'a Expression> {
    let mut attributes = block.body().attributes();
    attributes
        .find(|attribute| attribute.key() == key)
        .map(hcl::Attribute::expr)
}

/// What an object has under its keys; no keys if it is none.
pub fn object(expression: &Expression) -> BTreeMap<String, &Expression> {
    match expression {
        Expression::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.to_string(), value))
            .collect(),
        _ => BTreeMap::new(),
    }
}

/// The keys of an object.
pub fn keys(expression: &Expression) -> Vec<String> {
    object(expression).into_keys().collect()
}

/// The text of a string; `None` for all else.
pub fn string(expression: &Expression) -> Option<String> {
    match expression {
        Expression::String(text) => Some(text.clone()),
        Expression::TemplateExpr(template) => Some(template.to_string()),
        _ => None,
    }
}

/// The name in `{root}.{name}`, such as `local.statements`.
pub fn reference<'a>(expression: &'a Expression, root: &str) -> Option<&'a str> {
    let Expression::Traversal(traversal) = expression else {
        return None;
    };
    let Expression::Variable(variable) = &traversal.expr else {
        return None;
    };
    match traversal.operators.first() {
        Some(TraversalOperator::GetAttr(name)) if variable.as_str() == root => Some(name.as_str()),
        _ => None,
    }
}

/// Calls `visit` with an expression and all that are inside of it.
pub fn walk<'a>(expression: &'a Expression, visit: &mut impl FnMut(&'a Expression)) {
    visit(expression);
    match expression {
        Expression::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Expression::Object(entries) => entries.iter().for_each(|(key, value)| {
            if let hcl::expr::ObjectKey::Expression(key) = key {
                walk(key, visit);
            }
            walk(value, visit);
        }),
        Expression::Traversal(traversal) => {
            walk(&traversal.expr, visit);
            for operator in &traversal.operators {
                if let TraversalOperator::Index(index) = operator {
                    walk(index, visit);
                }
            }
        }
        Expression::FuncCall(call) => call.args.iter().for_each(|argument| walk(argument, visit)),
        Expression::Parenthesis(inner) => walk(inner, visit),
        Expression::Conditional(conditional) => {
            for part in [
                &conditional.cond_expr,
                &conditional.true_expr,
                &conditional.false_expr,
            ] {
                walk(part, visit);
            }
        }
        Expression::ForExpr(each) => {
            let parts = [
                Some(&each.collection_expr),
                each.key_expr.as_ref(),
                Some(&each.value_expr),
                each.cond_expr.as_ref(),
            ];
            parts
                .into_iter()
                .flatten()
                .for_each(|part| walk(part, visit));
        }
        Expression::Operation(operation) => match &**operation {
            hcl::expr::Operation::Unary(unary) => walk(&unary.expr, visit),
            hcl::expr::Operation::Binary(binary) => {
                walk(&binary.lhs_expr, visit);
                walk(&binary.rhs_expr, visit);
            }
        },
        _ => {}
    }
}
