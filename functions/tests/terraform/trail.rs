//! Who may write the audit trail: the functions that note something put entries, and nobody updates or deletes them.

use crate::stack::{ACCOUNT, STACK, read};
use floodgate_iam::{Caller, Decision, Policy, Request, decide};
use std::collections::BTreeSet;

const TABLE: &str = "arn:aws:dynamodb:eu-west-1:123456789012:table/fg";

/// The roles and policies of the stack that allow an action on an item of this partition, by the end of their names.
fn who_may(action: &str, partition: &str) -> BTreeSet<&'static str> {
    let roles = STACK.roles.iter();
    let roles = roles.map(|(name, role)| (name, role.policies.values().map(read).collect()));
    let managed = STACK.managed.iter();
    let managed = managed.map(|(name, policy)| (name, vec![read(policy)]));
    let all = roles.chain(managed);
    let may = all.filter(|(_, policies): &(_, Vec<Policy>)| {
        let caller = Caller::role(&format!("arn:aws:iam::{ACCOUNT}:role/somebody"), "ann");
        let asked = Request::new(caller, action, TABLE).with("dynamodb:LeadingKeys", partition);
        let outcome = decide(policies, &[], &asked).expect("a decision");
        outcome.decision == Decision::Allowed
    });
    may.map(|(name, _)| name.trim_start_matches("fg-eu-west-1-"))
        .collect()
}

#[test]
fn entries_are_put_by_functions_and_changed_by_nobody() {
    let of_shop = "AUDIT#shop";
    assert_eq!(
        who_may("dynamodb:PutItem", of_shop),
        ["api", "finish", "prepare", "reap"].into()
    );
    for action in [
        "dynamodb:UpdateItem",
        "dynamodb:DeleteItem",
        "dynamodb:BatchWriteItem",
        "dynamodb:PartiQLDelete",
        "dynamodb:PartiQLInsert",
        "dynamodb:PartiQLUpdate",
        "dynamodb:DeleteTable",
    ] {
        assert_eq!(who_may(action, of_shop), [].into(), "{action}");
    }
    let readers = who_may("dynamodb:Query", of_shop);
    let expected = ["api", "operator", "runner-shop"].into();
    assert_eq!(readers, expected, "whoever may read the trail of a project");
}

#[test]
fn whoever_notes_what_was_asked_for_writes_no_records() {
    let writers = who_may("dynamodb:PutItem", "PROJECT#shop");
    assert_eq!(
        writers,
        ["export", "finish", "prepare", "reap", "watch"].into()
    );
    assert_eq!(
        who_may("dynamodb:UpdateItem", "PROJECT#shop"),
        ["finish", "prepare", "reap"].into()
    );
    assert_eq!(who_may("dynamodb:DeleteItem", "PROJECT#shop"), [].into());
}
