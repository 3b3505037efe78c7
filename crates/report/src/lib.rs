//! How the account of a run is shown: on a terminal, as a page, as Markdown, as JUnit XML for a pipeline, as JSON.
//!
//! Every function here is pure: it takes the record and the summary of an execution and gives text. Whether that text is
//! coloured, and how wide it may be, is decided once, by a [`Style`].

mod annotations;
mod badge;
mod comparison;
mod conclusion;
mod csv;
pub mod doctor;
mod drift;
mod estimate;
mod failures;
mod figure;
pub mod format;
mod html;
mod json;
mod junit;
mod markdown;
mod openmetrics;
mod page_files;
mod runs;
mod sparkline;
mod style;
mod terminal;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
mod trend;

pub use annotations::annotations;
pub use badge::badge;
pub use comparison::comparison;
pub use csv::trend_csv;
pub use estimate::estimate;
pub use failures::{failures, first_exchanges};
pub use html::{HtmlError, html};
pub use json::json;
pub use junit::{JunitError, junit};
pub use markdown::markdown;
pub use openmetrics::openmetrics;
pub use page_files::page_files;
pub use runs::runs;
pub use sparkline::{sparkline, sparkline_from_zero};
pub use style::Style;
pub use terminal::{requests_by, summary};
pub use trend::{trend, trend_by_run};
