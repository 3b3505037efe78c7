//! Statements of policies, wherever they stand in the modules.

use crate::module::{self, Module, object, reference, string, walk};
use hcl::expr::Expression;
use std::collections::BTreeSet;

/// One statement.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) effect: String,
    pub(crate) actions: BTreeSet<String>,
    /// Texts and references as they are written.
    pub(crate) resources: Vec<String>,
    pub(crate) conditional: bool,
}

/// The statements in an expression; `local.…` is followed.
pub(crate) fn statements(module: &Module, expression: &Expression) -> Vec<Statement> {
    let mut found = Vec::new();
    walk(expression, &mut |inner| {
        found.extend(statement(module, inner));
        if let Some(fragment) =
            reference(inner, "local").and_then(|name| module.locals().get(name).copied())
            && !matches!(
                fragment,
                Expression::TemplateExpr(_) | Expression::String(_)
            )
        {
            found.extend(statements(module, fragment));
        }
    });
    found
}

fn statement(module: &Module, expression: &Expression) -> Option<Statement> {
    let entries = object(expression);
    let action = entries.get("Action")?;
    Some(Statement {
        effect: entries
            .get("Effect")
            .and_then(|effect| string(effect))
            .unwrap_or_default(),
        actions: texts(module, action).into_iter().collect(),
        resources: entries
            .get("Resource")
            .map(|resource| texts(module, resource))
            .unwrap_or_default(),
        conditional: entries.contains_key("Condition"),
    })
}

/// A list of texts, or one text; what is computed is given as it is written.
fn texts(module: &Module, expression: &Expression) -> Vec<String> {
    match expression {
        Expression::Array(items) => items.iter().flat_map(|item| texts(module, item)).collect(),
        _ => {
            let local =
                reference(expression, "local").and_then(|name| module.locals().get(name).copied());
            let text = local.and_then(string).or_else(|| string(expression));
            vec![text.unwrap_or_else(|| {
                hcl::format::to_string(expression)
                    .expect("printable")
                    .trim()
                    .to_owned()
            })]
        }
    }
}

/// Every statement in every module, with the module's name.
fn everywhere() -> Vec<(String, Statement)> {
    let mut found = Vec::new();
    for module in module::all() {
        for expression in module.expressions() {
            walk(expression, &mut |inner| {
                found.extend(
                    statement(&module, inner).map(|statement| (module.name.clone(), statement)),
                );
            });
        }
    }
    found
}

#[test]
fn no_statement_allows_actions_by_wildcard() {
    let all = everywhere();
    assert!(all.len() > 40, "only {} statements found", all.len());
    for (module, statement) in all {
        assert!(!statement.actions.is_empty(), "{module}: {statement:?}");
        if statement.effect == "Deny" {
            continue;
        }
        assert_eq!(statement.effect, "Allow", "{module}: {statement:?}");
        for action in &statement.actions {
            let (service, operation) = action.split_once(':').unwrap_or_default();
            assert!(
                !service.is_empty()
                    && operation.chars().all(char::is_alphanumeric)
                    && !operation.is_empty(),
                "{module}: {action:?} is not one action"
            );
        }
    }
}

/// Actions that have no resource to name; the comment beside each says where AWS says so.
const WITHOUT_RESOURCE: &[&str] = &[
    "cloudwatch:PutMetricData",
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
    "ecr:GetAuthorizationToken",
    "ecs:ListTasks",
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
    "servicequotas:GetServiceQuota",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
];

#[test]
fn every_resource_is_named_where_there_is_one_to_name() {
    for (module, statement) in everywhere() {
        if statement.effect == "Deny" {
            continue;
        }
        let everything = statement.resources.iter().any(|resource| resource == "*");
        let nameless = statement
            .actions
            .iter()
            .all(|action| WITHOUT_RESOURCE.contains(&action.as_str()));
        assert_eq!(
            everything,
            everything && nameless,
            "{module}: {statement:?}"
        );
        // The cluster is the only bound that ListTasks knows.
        assert!(
            !statement.actions.contains("ecs:ListTasks") || statement.conditional,
            "{module}: {statement:?}"
        );
        // And the namespace the only one that PutMetricData knows.
        assert!(
            !statement.actions.contains("cloudwatch:PutMetricData") || statement.conditional,
            "{module}: {statement:?}"
        );
    }
}
