//! Whether policies allow a call, by AWS's documented evaluation logic
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>): a denial that fits wins, else a permission
//! that fits, else nothing. Caller and resource are of one account, without permission boundaries, session policies or policies of an
//! organisation; there a permission in either the identity's or the resource's policy is enough.
//!
//! It is for tests, so it is strict: an element, an operator or a form that it does not know is an error, and never a silent answer.
//!
//! ```
//! use floodgate_iam::{Caller, Decision, Policy, Request, decide};
//!
//! let policy = Policy::of_identity(&serde_json::json!({
//!     "Version": "2012-10-17",
//!     "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/projects/*"}]
//! }))?;
//! let caller = Caller::role("arn:aws:iam::123456789012:role/ci", "ann");
//! let request = Request::new(caller, "s3:GetObject", "arn:aws:s3:::b/projects/shop/plan.json");
//! assert_eq!(decide(&[policy], &[], &request)?.decision, Decision::Allowed);
//! # Ok::<(), floodgate_iam::Error>(())
//! ```

mod condition;
mod error;
mod evaluate;
mod form;
mod pattern;
mod policy;
mod request;

pub use error::Error;
pub use evaluate::{Decision, Fit, Outcome, decide};
pub use pattern::like;
pub use policy::{Effect, Policy};
pub use request::{Caller, Request};
