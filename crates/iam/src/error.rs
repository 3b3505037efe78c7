//! What is wrong with a policy.

/// Why a policy, or a request by it, cannot be judged.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// An element that is not known, or not allowed where it stands.
    #[error("{0} may not stand in {1}")]
    Element(String, &'static str),
    /// One that has to be there.
    #[error("a statement has no {0}: {1}")]
    Missing(&'static str, String),
    /// A value of another form.
    #[error("{0} is {1}: take {2}")]
    Form(&'static str, String, &'static str),
    /// A condition operator that is not known here.
    #[error("the condition operator {0:?} is not known here")]
    Operator(String),
    /// A policy variable that AWS would refuse.
    #[error("a policy variable in {0:?} is not ${{service:key}} or ${{service:key, 'default'}}")]
    Variable(String),
    /// A key with several values is compared by an operator for one.
    #[error(
        "{key} has {values} values, and {operator} is for one: take ForAnyValue or ForAllValues"
    )]
    Several {
        /// The condition key.
        key: String,
        /// As the policy has it.
        operator: String,
        /// How many.
        values: usize,
    },
}
