//! Lists the Terraform modules, so that the program can bring them along: whoever has nothing else can deploy.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?)
        .join("../..")
        .canonicalize()?;
    let mut files = vec![PathBuf::from("infra/state-machine.asl.json")];
    // Statements that a module prepares.
    let statements = root.join("infra/sql/athena");
    println!("cargo:rerun-if-changed={}", statements.display());
    for file in sorted(&statements)? {
        files.push(file.strip_prefix(&root)?.to_owned());
    }
    let modules = sorted(&root.join("terraform/modules"))?;
    for folder in std::iter::once(root.join("terraform")).chain(modules) {
        println!("cargo:rerun-if-changed={}", folder.display());
        let code = sorted(&folder)?.into_iter();
        let code = code.filter(|file| file.extension().is_some_and(|end| end == "tf"));
        for file in code {
            files.push(file.strip_prefix(&root)?.to_owned());
        }
    }
    let mut text = String::from("pub(super) const FILES: &[(&str, &str)] = &[\n");
    for file in files {
        let full = root.join(&file);
        println!("cargo:rerun-if-changed={}", full.display());
        writeln!(text, "    ({file:?}, include_str!({full:?})),")?;
    }
    text.push_str("];\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("module.rs"), text)?;
    Ok(())
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths = entries.collect::<Result<Vec<_>, std::io::Error>>()?;
    paths.sort();
    Ok(paths)
}
