//! The report of a run: one page that needs no network.
//!
//! All figures are computed before, in Rust; tables are written here, and charts are drawn by the page's script from one JSON document. The same
//! data gives the same bytes.

mod assets;
mod model;
mod sections;

use crate::conclusion::{Conclusion, conclusion};
use crate::format::{span, utc};
use askama::Template;
use assets::{SCRIPT, STYLE, data};
use floodgate_records::execution::{Execution, TriggerKind};
use floodgate_records::figures::Figures;
use floodgate_records::summary::Summary;
use model::{Cell, Part, Section, Text};

/// Why a page could not be written.
#[derive(Debug, thiserror::Error)]
pub enum HtmlError {
    /// A part of it has no form in HTML.
    #[error("report page: {0}")]
    Template(#[from] askama::Error),
    /// The figures have no form in JSON.
    #[error("report page: figures: {0}")]
    Figures(#[from] serde_json::Error),
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    title: Text,
    tone: &'static str,
    head: Text,
    test: Text,
    target: Option<Text>,
    reasons: Vec<Text>,
    facts: Text,
    execution: Text,
    tiles: Vec<sections::Tile>,
    sections: Vec<Section>,
    policy: &'a str,
    style: &'a str,
    script: &'a str,
    data: String,
}

/// The page, complete.
///
/// # Errors
/// None for records that this program wrote.
pub fn html(
    execution: &Execution,
    summary: &Summary,
    figures: &Figures,
) -> Result<String, HtmlError> {
    let Conclusion {
        tone,
        head,
        reasons,
    } = conclusion(execution, summary);
    let test = match execution.trigger.kind == TriggerKind::Hit {
        true => TriggerKind::Hit.to_string(),
        false => format!("{}/{}", summary.project, summary.test),
    };
    let facts = [
        summary.started_ms.map(utc),
        (summary.duration_s > 0.0).then(|| span(summary.duration_s)),
        Some(summary.execution.clone()),
    ];
    let facts: Vec<_> = facts.into_iter().flatten().collect();
    let page = Page {
        title: Text::of(format!("{head} · {test}")),
        tone: Cell::default().toned(tone).tone,
        head: Text::of(head),
        test: Text::of(test),
        target: execution.target.as_ref().map(Text::of),
        reasons: reasons.iter().map(Text::of).collect(),
        facts: Text::of(facts.join(" · ")),
        execution: Text::of(&summary.execution),
        tiles: sections::tiles(summary),
        sections: sections::all(execution, summary, figures),
        policy: &assets::POLICY,
        style: &STYLE,
        script: &SCRIPT,
        data: data(summary, figures)?,
    };
    Ok(page.render()?)
}
