//! The roles that somebody has, and what follows from them.

use crate::action::Action;
use crate::role::Role;
use std::collections::BTreeMap;

/// The roles that somebody has, by project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grants(Held);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Held {
    /// By project.
    Roles(BTreeMap<String, Role>),
    /// All that there is: of whoever owns the folder or the account that it lies in.
    Owner,
}

/// Which projects somebody may ask about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// All that there are.
    All,
    /// These, in the order of their names.
    These(Vec<&'a str>),
}

/// What [`decide`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may be done.
    Allowed,
    /// It may not: the role in this project is less than what it takes.
    Forbidden {
        /// What they have.
        has: Role,
        /// What it takes.
        needs: Role,
    },
    /// For them there is no such project.
    Unseen,
}

impl Grants {
    /// Roles by project. In every other project they are nobody.
    pub fn of(roles: impl IntoIterator<Item = (String, Role)>) -> Self {
        Self(Held::Roles(roles.into_iter().collect()))
    }

    /// Whoever owns the folder or has the account's permissions: the console of one machine, the command line. No token and no identity
    /// provider gives this.
    pub const fn owner() -> Self {
        Self(Held::Owner)
    }

    /// One more role; of two in the same project the greater one counts.
    pub fn add(&mut self, project: impl Into<String>, role: Role) {
        if let Held::Roles(roles) = &mut self.0 {
            let held = roles.entry(project.into()).or_insert(role);
            *held = role.max(*held);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        matches!(&self.0, Held::Roles(roles) if roles.is_empty())
    }

    /// The role in a project.
    pub fn role(&self, project: &str) -> Option<Role> {
        match &self.0 {
            Held::Owner => Some(Role::Admin),
            Held::Roles(roles) => roles.get(project).copied(),
        }
    }

    /// The projects in which there is a role.
    pub fn scope(&self) -> Scope<'_> {
        match &self.0 {
            Held::Owner => Scope::All,
            Held::Roles(roles) => Scope::These(roles.keys().map(String::as_str).collect()),
        }
    }
}

/// Whether somebody with these roles may do this in that project.
///
/// ```
/// use floodgate_policy::{Action, Decision, Grants, Role, decide};
///
/// let ann = Grants::of([("shop".to_owned(), Role::Tester)]);
/// assert_eq!(decide(&ann, Action::StartRuns, "shop"), Decision::Allowed);
/// assert_eq!(decide(&ann, Action::ReadRuns, "bank"), Decision::Unseen);
/// ```
pub fn decide(grants: &Grants, action: Action, project: &str) -> Decision {
    let needs = action.needs();
    match grants.role(project) {
        None => Decision::Unseen,
        Some(has) if has >= needs => Decision::Allowed,
        Some(has) => Decision::Forbidden { has, needs },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use floodgate_records::word::Words as _;

    /// What the issue of each role is, written out: not derived from what is tested.
    const VIEWER: &str = "read runs, read tests, read thresholds, read baselines, read members, read audit, read spend, read schedules";
    const TESTER: &str = "define tests, start runs, abort runs";
    const ADMIN: &str = "change thresholds, change baselines, change members, change budgets and halt the project, change schedules";

    fn may(role: Role, action: Action) -> bool {
        let lists = match role {
            Role::Viewer => vec![VIEWER],
            Role::Tester => vec![VIEWER, TESTER],
            Role::Admin => vec![VIEWER, TESTER, ADMIN],
        };
        let mut all = lists.iter().flat_map(|list| list.split(", "));
        all.any(|name| name == action.as_str())
    }

    #[test]
    fn every_action_by_every_role_in_own_and_foreign_projects() {
        let mut looked_at = 0;
        for &role in Role::ALL {
            let grants = Grants::of([("own".to_owned(), role)]);
            for &action in Action::ALL {
                let decided = decide(&grants, action, "own");
                let what = format!("{role}: {action}");
                match may(role, action) {
                    true => assert_eq!(decided, Decision::Allowed, "{what}"),
                    false => assert_eq!(
                        decided,
                        Decision::Forbidden {
                            has: role,
                            needs: action.needs()
                        },
                        "{what}"
                    ),
                }
                for foreign in ["foreign", "", "OWN", "own ", "own/x", "*"] {
                    let decided = decide(&grants, action, foreign);
                    assert_eq!(decided, Decision::Unseen, "{what} in {foreign:?}");
                }
                assert_eq!(decide(&Grants::owner(), action, "any"), Decision::Allowed);
                assert_eq!(decide(&Grants::of([]), action, "own"), Decision::Unseen);
                looked_at += 1;
            }
        }
        assert_eq!(looked_at, 3 * 16);
    }

    #[test]
    fn a_role_in_one_project_is_none_in_another_and_the_greater_of_two_counts() {
        let mut grants = Grants::of([
            ("shop".to_owned(), Role::Admin),
            ("bank".to_owned(), Role::Viewer),
        ]);
        grants.add("bank", Role::Tester);
        grants.add("shop", Role::Viewer);
        assert_eq!(grants.role("bank"), Some(Role::Tester));
        assert_eq!(grants.role("shop"), Some(Role::Admin));
        assert_eq!(grants.scope(), Scope::These(vec!["bank", "shop"]));
        let refused = decide(&grants, Action::ChangeBaselines, "bank");
        let expected = Decision::Forbidden {
            has: Role::Tester,
            needs: Role::Admin,
        };
        assert_eq!(refused, expected);
        assert!(!grants.is_empty() && Grants::of([]).is_empty() && !Grants::owner().is_empty());
    }
}
