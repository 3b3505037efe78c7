//! The AWS provider, built from the Go module proxy into a mirror in the user's cache.
//!
//! Terraform's registry is not reachable from everywhere, and the whole provider takes more than an hour of a core to
//! build. So only the services that the modules use are built in; the rest of the provider is untouched. `--full` builds
//! the provider as it is published.

use crate::repo;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MODULE: &str = "github.com/hashicorp/terraform-provider-aws";
/// A commit of the main branch: the proxy knows tags of the provider only up to version 1.60, since those after it do not
/// stand in the module's path.
const REVISION: &str = "v1.60.1-0.20260602190131-5f2286d6d836";
/// What `version/VERSION` says there.
const VERSION: &str = "6.47.1";
/// The list of services, one import and one call a service.
const SERVICES_FILE: &str = "internal/provider/sdkv2/service_packages_gen.go";
/// What the modules have resources or data of, `kms` for an example; and `organizations` and `s3control`, which the
/// services `meta` and `s3` call themselves.
const SERVICES: &[&str] = &[
    "apigatewayv2",
    "athena",
    "cloudwatch",
    "dynamodb",
    "ec2",
    "ecr",
    "ecs",
    "events",
    "glue",
    "iam",
    "kms",
    "lambda",
    "logs",
    "meta",
    "organizations",
    "s3",
    "s3control",
    "scheduler",
    "sfn",
    "sns",
    "sqs",
    "sts",
];

/// What stands in place of the names of services where all are built in.
const ALL: &str = "all";

/// Arguments of `cargo xtask terraform provider`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// With all services, as published; takes more than an hour
    #[arg(long)]
    full: bool,
    /// Packages that are compiled at a time
    #[arg(long, default_value_t = 2)]
    jobs: u16,
}

/// Builds it.
///
/// # Errors
/// If there is no Go, no proxy, or the build fails.
pub(crate) fn build(options: &Options) -> Result<()> {
    let go = repo::find_program("go", None)
        .context("there is no go, which builds the provider; install Go 1.25 or later")?;
    let cache = cache()?;
    let binary = binary(&cache);
    let folder = binary.parent().context("the program lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    let module = download(&go)?;
    let source = if options.full {
        module
    } else {
        let source = cache.join(format!("source-{VERSION}"));
        copy_needed(&module, &source)?;
        source
    };
    let status = Command::new(&go)
        .args([
            "build",
            "-ldflags=-s -w",
            &format!("-p={}", options.jobs),
            "-o",
        ])
        .arg(&binary)
        .arg(".")
        .current_dir(&source)
        .env("CGO_ENABLED", "0")
        .status()
        .context("run go build")?;
    ensure!(
        status.success(),
        "go build in {}: {status}",
        source.display()
    );
    let services = if options.full {
        ALL
    } else {
        &SERVICES.join(" ")
    };
    let list = services_file(&cache);
    fs::write(&list, services).with_context(|| format!("write {}", list.display()))?;
    println!("{}", binary.display());
    if let Some(file) = configuration()? {
        println!("export TF_CLI_CONFIG_FILE={}", file.display());
    }
    Ok(())
}

/// Terraform's configuration that takes the provider from the cache; `None` if it is not there, or was built for other services than
/// the modules use now.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn configuration() -> Result<Option<PathBuf>> {
    let cache = cache()?;
    let built = fs::read_to_string(services_file(&cache)).unwrap_or_default();
    if !binary(&cache).exists() || !(built == ALL || built == SERVICES.join(" ")) {
        return Ok(None);
    }
    let file = cache.join("terraformrc");
    fs::write(&file, configuration_text(&cache))
        .with_context(|| format!("write {}", file.display()))?;
    Ok(Some(file))
}

fn configuration_text(cache: &Path) -> String {
    // A path may have characters that mean something in HCL's strings; JSON's rules for them are the same.
    let path = serde_json::Value::from(cache.to_string_lossy().replace("${", "$${"));
    format!(
        "disable_checkpoint = true\n\nprovider_installation {{\n  filesystem_mirror {{\n    path    = {path}\n    include = [\"registry.terraform.io/hashicorp/aws\"]\n  }}\n}}\n"
    )
}

fn cache() -> Result<PathBuf> {
    let cache = repo::cache_dir()
        .context("there is neither XDG_CACHE_HOME nor HOME to keep the provider in")?;
    Ok(cache.join("terraform"))
}

/// What is built in: the names of services, or [`ALL`].
fn services_file(cache: &Path) -> PathBuf {
    cache.join(format!("services-{VERSION}"))
}

/// Where a mirror has the provider
/// (<https://developer.hashicorp.com/terraform/cli/config/config-file#filesystem_mirror>).
fn binary(cache: &Path) -> PathBuf {
    let arch = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "amd64"
    };
    cache
        .join(format!(
            "registry.terraform.io/hashicorp/aws/{VERSION}/linux_{arch}"
        ))
        .join(format!("terraform-provider-aws_v{VERSION}"))
}

/// Has Go fetch and verify the module; where it is.
fn download(go: &Path) -> Result<PathBuf> {
    let output = Command::new(go)
        .args(["mod", "download", "-json", &format!("{MODULE}@{REVISION}")])
        .output()
        .context("run go mod download")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "go mod download {MODULE}@{REVISION}: {}",
        said.trim()
    );
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let folder = PathBuf::from(
        answer["Dir"]
            .as_str()
            .context("go mod download names no folder")?,
    );
    let version = fs::read_to_string(folder.join("version/VERSION"))
        .context("read the provider's version")?;
    ensure!(
        version.trim() == VERSION,
        "the provider is {}, not {VERSION}: correct the constant",
        version.trim()
    );
    Ok(folder)
}

/// Copies what is built, with the list of services cut down.
fn copy_needed(module: &Path, source: &Path) -> Result<()> {
    if source.exists() {
        fs::remove_dir_all(source).with_context(|| format!("remove {}", source.display()))?;
    }
    fs::create_dir_all(source).with_context(|| format!("create {}", source.display()))?;
    for part in [
        "main.go", "go.mod", "go.sum", "internal", "names", "version",
    ] {
        copy(&module.join(part), &source.join(part))?;
    }
    let file = source.join(SERVICES_FILE);
    let list = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    fs::write(&file, cut_down(&list)?).with_context(|| format!("write {}", file.display()))
}

/// The list of services with only those that are needed.
fn cut_down(list: &str) -> Result<String> {
    let mut kept = 0;
    let mut text = String::new();
    for line in list.lines() {
        let import = line
            .split_once("/internal/service/")
            .and_then(|(_, rest)| rest.strip_suffix('"'));
        let call = line.trim().strip_suffix(".ServicePackage(ctx),");
        let service = import.or(call);
        if service.is_some_and(|service| !SERVICES.contains(&service)) {
            continue;
        }
        kept += usize::from(service.is_some());
        text.push_str(line);
        text.push('\n');
    }
    let wanted = 2 * SERVICES.len();
    if kept != wanted {
        bail!(
            "{SERVICES_FILE} names {kept} imports and calls of the services that are needed, not {wanted}"
        );
    }
    Ok(text)
}

/// Copies a file or a folder, without tests; what comes from Go's cache may not be written, the copy may.
fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to).with_context(|| format!("create {}", to.display()))?;
        for entry in fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
            let name = entry?.file_name();
            let shown = name.to_string_lossy();
            if shown != "testdata" && !shown.ends_with("_test.go") {
                copy(&from.join(&name), &to.join(&name))?;
            }
        }
        return Ok(());
    }
    let contents = fs::read(from).with_context(|| format!("read {}", from.display()))?;
    fs::write(to, contents).with_context(|| format!("write {}", to.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The service of a resource or data source, without the prefix `aws_`; those of EC2 and some others have no name in common.
    fn service(kind: &str) -> &str {
        match kind {
            "cloudwatch_log_group" => "logs",
            kind if kind.starts_with("cloudwatch_event_") => "events",
            "cloudwatch_metric_alarm" => "cloudwatch",
            "caller_identity" => "sts",
            "partition" | "region" => "meta",
            "availability_zones"
            | "default_security_group"
            | "eip"
            | "internet_gateway"
            | "nat_gateway"
            | "route"
            | "route_table"
            | "route_table_association"
            | "security_group"
            | "subnet" => "ec2",
            kind if kind == "vpc" || kind.starts_with("vpc_") => "ec2",
            kind => kind.split('_').next().unwrap(),
        }
    }

    #[test]
    fn all_services_that_the_modules_use_are_built_in() {
        fn collect(folder: &Path, kinds: &mut std::collections::BTreeSet<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    collect(&path, kinds);
                } else if path.extension().is_some_and(|ending| ending == "tf") {
                    let text = fs::read_to_string(&path).unwrap();
                    let named = text.lines().filter_map(|line| {
                        let rest = line.strip_prefix("resource ");
                        let rest = rest.or_else(|| line.strip_prefix("data "))?;
                        rest.strip_prefix("\"aws_")?.split('"').next()
                    });
                    kinds.extend(named.map(str::to_owned));
                }
            }
        }
        let mut kinds = std::collections::BTreeSet::new();
        collect(&repo::root().join("terraform"), &mut kinds);
        assert!(kinds.len() > 40, "{kinds:?}");
        for kind in &kinds {
            let service = service(kind);
            assert!(
                SERVICES.contains(&service),
                "aws_{kind} needs the service {service}"
            );
        }
    }

    #[test]
    fn only_needed_services_are_left() {
        let mut list = "import (\n\t\"context\"\n".to_owned();
        for service in SERVICES.iter().chain(&["quicksight"]) {
            list += &format!("\t\"{MODULE}/internal/service/{service}\"\n");
        }
        list += ")\nfunc f() {\n";
        for service in SERVICES.iter().chain(&["quicksight"]) {
            list += &format!("\t\t{service}.ServicePackage(ctx),\n");
        }
        list += "}\n";
        let cut = cut_down(&list).unwrap();
        assert!(
            cut.contains("\"context\"") && cut.contains("/s3\"") && cut.contains("\t\tsfn."),
            "{cut}"
        );
        assert!(!cut.contains("quicksight"), "{cut}");
        let error = cut_down("import (\n)\n").unwrap_err().to_string();
        assert!(error.contains("names 0"), "{error}");
    }

    #[test]
    fn what_is_built_from_is_copied_into_a_folder_that_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let (module, source) = (folder.path().join("module"), folder.path().join("source"));
        for file in [
            "main.go",
            "go.mod",
            "go.sum",
            "names/a.go",
            "version/VERSION",
        ] {
            let file = module.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "x").unwrap();
        }
        let list = module.join(SERVICES_FILE);
        fs::create_dir_all(list.parent().unwrap()).unwrap();
        let services = SERVICES.iter().map(|service| {
            format!(
                "\t\"{MODULE}/internal/service/{service}\"\n\t\t{service}.ServicePackage(ctx),\n"
            )
        });
        fs::write(&list, services.collect::<String>()).unwrap();
        copy_needed(&module, &source).unwrap();
        assert!(source.join("main.go").exists() && source.join(SERVICES_FILE).exists());
    }

    #[test]
    fn paths_are_quoted_for_hcl() {
        let text = configuration_text(Path::new("/home/o\"hara/${x}"));
        assert!(text.contains(r#""/home/o\"hara/$${x}""#), "{text}");
    }
}
