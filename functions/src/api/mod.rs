//! The API behind API Gateway: the router of `floodgate serve`, over the stack's bucket and table.
//!
//! Who asks is found out in one of two ways, and never from what a request says of itself: a JWT is checked by the router, as on one
//! machine; below `/iam` the gateway has checked a signature (SigV4) and tells the caller's ARN. What a run is made of is written where
//! only this function may write, so that the name in its record is proven.

mod gateway;
mod serve;
mod settings;
mod starter;

pub use gateway::behind_gateway;
pub use serve::{main, router_of, routes};
pub use settings::{IamRule, Settings, SettingsError};
pub use starter::Machines;
