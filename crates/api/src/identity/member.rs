//! Who has a role in a project.

use floodgate_policy::Role;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Who has a role in a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Member {
    /// A name, or the issuer whose identities are meant.
    pub(crate) principal: String,
    /// The role.
    #[schema(value_type = String)]
    pub(crate) role: Role,
    /// By what.
    pub(crate) via: Via,
    /// What the claims of an identity have to be.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) when: BTreeMap<String, String>,
    /// When it ends, Unix ms; `null` if it doesn't.
    pub(crate) expires_ms: Option<i64>,
}

/// By what somebody has a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Via {
    /// A token of the list.
    Token,
    /// An identity whose claims hold.
    Oidc,
    /// They own where the runs lie.
    Owner,
}
