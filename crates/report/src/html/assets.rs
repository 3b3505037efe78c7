//! The script, the style sheet and the data of the page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use floodgate_records::capacity::CapacitySummary;
use floodgate_records::figures::Figures;
use floodgate_records::printable::printable;
use floodgate_records::summary::Summary;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

const UPLOT: &str = include_str!("vendor/uplot/uPlot.iife.min.js");
/// Modules in the order in which they need each other.
const MODULES: [&str; 10] = [
    include_str!("assets/format.js"),
    include_str!("assets/theme.js"),
    include_str!("assets/axes.js"),
    include_str!("assets/values.js"),
    include_str!("assets/chart.js"),
    include_str!("assets/heat.js"),
    include_str!("assets/distribution.js"),
    include_str!("assets/charts.js"),
    include_str!("assets/tables.js"),
    include_str!("assets/page.js"),
];

/// All modules as one: each line that imports goes, and the word `export`.
pub(super) static SCRIPT: LazyLock<String> = LazyLock::new(|| {
    let mut script = format!("{}\n", UPLOT.trim_end());
    for module in MODULES {
        for line in module.lines().filter(|line| !line.starts_with("import ")) {
            script += line.strip_prefix("export ").unwrap_or(line);
            script.push('\n');
        }
    }
    script
});

pub(super) static STYLE: LazyLock<String> = LazyLock::new(|| {
    let uplot = include_str!("vendor/uplot/uPlot.min.css");
    format!("{uplot}\n{}", include_str!("assets/page.css"))
});

/// Nothing is loaded, sent or run but what is in the page.
pub(super) static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(&SCRIPT),
        hash(&STYLE)
    )
});

/// What the script reads.
#[derive(Serialize)]
struct Data<'a> {
    figures: &'a Figures,
    /// Steps and interval of a search.
    #[serde(skip_serializing_if = "Option::is_none")]
    capacity: Option<&'a CapacitySummary>,
}

/// The data as JSON that can stand in a script element.
pub(super) fn data(summary: &Summary, figures: &Figures) -> serde_json::Result<String> {
    let figures = shown(figures);
    let json = serde_json::to_string(&Data {
        figures: &figures,
        capacity: summary.capacity.as_ref(),
    })?;
    // Of these only strings can have any.
    let json = json.replace('<', "\\u003c").replace('>', "\\u003e");
    Ok(json.replace('&', "\\u0026"))
}

/// The figures with texts that can be shown, and without what the page has elsewhere.
fn shown(figures: &Figures) -> Figures {
    let mut figures = figures.clone();
    let own = |text: &mut String| *text = printable(text).into_owned();
    for name in &mut figures.names {
        own(&mut name.name);
    }
    for code in figures.errors.iter_mut().filter_map(|e| e.code.as_mut()) {
        own(code);
    }
    figures.groups.clear();
    figures.definition = None;
    figures
}
