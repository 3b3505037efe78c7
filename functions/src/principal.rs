//! Who a caller is to a list of principals: a session of a role stands for its role.
//!
//! AWS tells of an assumed role `arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`, without the role's path
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns>); administrators know it as
//! `arn:aws:iam::ACCOUNT:role/PATH/NAME`. Names of roles are unique in an account whatever their paths are.

use crate::pattern::matches;

/// Whether a pattern, in which `*` stands for any characters and `?` for one, names the caller.
pub(crate) fn is_named(pattern: &str, caller: &str) -> bool {
    if matches(pattern, caller) {
        return true;
    }
    role_of(caller).is_some_and(|role| match without_path(pattern) {
        Some(pattern) => matches(&pattern, &role),
        None => matches(pattern, &role),
    })
}

/// The role of a session, without its path.
fn role_of(session: &str) -> Option<String> {
    let (service, account, resource) = arn(session)?;
    let (name, session_name) = resource.strip_prefix("assumed-role/")?.split_once('/')?;
    let whole = !name.is_empty() && !session_name.is_empty() && !session_name.contains('/');
    let partition = service.strip_suffix(":sts:")?;
    whole.then(|| format!("{partition}:iam::{account}:role/{name}"))
}

/// A pattern of one role by its full name, without the path. A name with `*` or `?` keeps it: roles elsewhere would fit, too, and a session
/// does not tell where its role lies.
fn without_path(pattern: &str) -> Option<String> {
    let (service, account, resource) = arn(pattern)?;
    let (_, name) = resource.strip_prefix("role/")?.rsplit_once('/')?;
    let sole = service.ends_with(":iam:") && !name.is_empty() && !name.contains(['*', '?']);
    sole.then(|| format!("{service}:{account}:role/{name}"))
}

/// `arn:PARTITION:SERVICE:`, account and resource of an ARN without a region.
fn arn(text: &str) -> Option<(&str, &str, &str)> {
    let (service, rest) = text.split_once("::")?;
    let (account, resource) = rest.split_once(':')?;
    let service_end = service.len() + 1;
    (service.starts_with("arn:") && service.matches(':').count() == 2)
        .then(|| (&text[..service_end], account, resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_its_role() {
        let session = "arn:aws:sts::1:assumed-role/ci/build-7";
        for (pattern, fits) in [
            ("arn:aws:iam::1:role/ci", true),
            ("arn:aws:iam::1:role/teams/shop/ci", true),
            ("arn:aws:iam::1:role/*/ci", true),
            ("arn:aws:iam::1:role/*", true),
            ("arn:*:role/c*", true),
            ("arn:aws:sts::1:assumed-role/ci/*", true),
            ("arn:aws:sts::1:assumed-role/ci/build-7", true),
            ("arn:aws:sts::1:assumed-role/ci/build-8", false),
            ("arn:aws:iam::1:role/ci/build-7", false),
            ("arn:aws:iam::1:role/c", false),
            ("arn:aws:iam::2:role/ci", false),
            ("arn:aws-cn:iam::1:role/ci", false),
            ("arn:aws:iam::1:user/ci", false),
            // A role of another path would fit as well.
            ("arn:aws:iam::1:role/teams/*", false),
            ("arn:aws:iam::1:role/teams/c*", false),
            ("ci", false),
        ] {
            assert_eq!(is_named(pattern, session), fits, "{pattern}");
        }
    }

    #[test]
    fn what_only_looks_like_a_session_is_no_role() {
        for caller in [
            "",
            "arn:aws:iam::1:user/ci",
            "arn:aws:sts::1:federated-user/ci",
            "arn:aws:sts::1:assumed-role/ci",
            "arn:aws:sts::1:assumed-role/ci/",
            "arn:aws:sts::1:assumed-role//x",
            "arn:aws:sts::1:assumed-role/ci/x/y",
            "arn:aws:iam::1:assumed-role/ci/x",
            "assumed-role/ci/x",
        ] {
            assert!(!is_named("arn:aws:iam::1:role/ci", caller), "{caller}");
        }
    }
}
