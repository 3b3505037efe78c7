//! DESIGN's rules for modules.

use crate::module::{self, attribute, label, string};

const FILES: [&str; 5] = [
    "main.tf",
    "variables.tf",
    "outputs.tf",
    "versions.tf",
    "README.md",
];

#[test]
fn every_module_has_its_five_files() {
    for module in module::all() {
        for file in FILES {
            assert!(
                module.folder.join(file).is_file(),
                "{}: there is no {file}",
                module.name
            );
        }
    }
}

#[test]
fn every_variable_has_a_type_and_a_description() {
    for module in module::all() {
        for variable in module.blocks("variable") {
            let name = format!("{}: variable {}", module.name, label(variable, 0));
            assert!(attribute(variable, "type").is_some(), "{name} has no type");
            described(&name, attribute(variable, "description").and_then(string));
            for validation in variable
                .body()
                .blocks()
                .filter(|block| block.identifier() == "validation")
            {
                let message = attribute(validation, "error_message")
                    .and_then(string)
                    .unwrap_or_default();
                assert!(
                    message.contains(label(variable, 0)),
                    "{name}: the message does not name it: {message}"
                );
                assert!(
                    message.contains("${"),
                    "{name}: the message does not show the value: {message}"
                );
                assert!(
                    message.contains(": "),
                    "{name}: the message names no remedy: {message}"
                );
            }
        }
    }
}

#[test]
fn every_output_has_a_description() {
    for module in module::all() {
        for output in module.blocks("output") {
            described(
                &format!("{}: output {}", module.name, label(output, 0)),
                attribute(output, "description").and_then(string),
            );
        }
    }
}

fn described(name: &str, description: Option<String>) {
    let description = description.unwrap_or_default();
    assert!(
        description.trim_matches('"').trim_end().len() > 10,
        "{name} has no description"
    );
}

/// Resources without tags of their own in version 6 of the provider.
const WITHOUT_TAGS: &[&str] = &[
    "aws_apigatewayv2_integration",
    "aws_apigatewayv2_route",
    "aws_athena_prepared_statement",
    "aws_cloudwatch_event_target",
    "aws_dynamodb_table_item",
    "aws_ecr_lifecycle_policy",
    "aws_ecs_cluster_capacity_providers",
    "aws_glue_catalog_table",
    "aws_iam_role_policy",
    "aws_lambda_function_event_invoke_config",
    "aws_lambda_permission",
    "aws_route",
    "aws_route_table_association",
    "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy",
    "aws_s3_bucket_public_access_block",
    "aws_s3_bucket_server_side_encryption_configuration",
    "aws_s3_bucket_versioning",
    // It can, but ten at most.
    "aws_s3_object",
    "aws_scheduler_schedule",
    "aws_sns_topic_policy",
    "aws_sns_topic_subscription",
    "aws_sqs_queue_policy",
];

#[test]
fn whatever_can_have_tags_gets_them() {
    for module in module::all() {
        // Examples tag with the provider's default_tags, as their readers will.
        for resource in module
            .blocks("resource")
            .filter(|_| !module.name.starts_with("examples/"))
        {
            let (kind, name) = (label(resource, 0), label(resource, 1));
            let tags = attribute(resource, "tags").is_some();
            assert_eq!(
                tags,
                !WITHOUT_TAGS.contains(&kind),
                "{}: {kind}.{name} {}",
                module.name,
                if tags {
                    "has tags, and this test says it cannot"
                } else {
                    "has no tags"
                }
            );
        }
    }
}

#[test]
fn modules_know_one_provider_in_one_version() {
    let versions = module::read("terraform/versions.tf");
    for module in module::all() {
        assert_eq!(
            std::fs::read_to_string(module.folder.join("versions.tf")).expect("readable"),
            versions,
            "{}/versions.tf differs from the root's",
            module.name
        );
        for resource in module.blocks("resource").chain(module.blocks("data")) {
            assert!(
                label(resource, 0).starts_with("aws_"),
                "{}: {} needs another provider",
                module.name,
                label(resource, 0)
            );
        }
    }
}

#[test]
fn examples_default_to_files_that_are_made_here() {
    let root = module::Module::load(".");
    let engines = root
        .blocks("variable")
        .find(|block| label(block, 0) == "engines")
        .expect("the variable engines");
    let kind =
        hcl::format::to_string(attribute(engines, "type").expect("a type")).expect("printable");
    // `cargo xtask image` tags with the version of the workspace.
    let tag = format!(
        "tag           = optional(string, \"{}\")",
        env!("CARGO_PKG_VERSION")
    );
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(squeezed(&kind).contains(&squeezed(&tag)), "{kind}");
}
