//! What the page draws with, as files: for other pages that draw the same charts.

use std::sync::LazyLock;

const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// The script as a module: modules import it so.
static UPLOT: LazyLock<String> = LazyLock::new(|| {
    let script = include_str!("html/vendor/uplot/uPlot.iife.min.js");
    format!("{script}\nexport default uPlot;\n")
});

/// Path, media type and text of each file. Paths are such that the modules find one another.
pub fn page_files() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        ("/report/vendor/uplot/uPlot.js", JS, UPLOT.as_str()),
        (
            "/report/vendor/uplot/uPlot.min.css",
            CSS,
            include_str!("html/vendor/uplot/uPlot.min.css"),
        ),
        (
            "/report/assets/page.css",
            CSS,
            include_str!("html/assets/page.css"),
        ),
        (
            "/report/assets/format.js",
            JS,
            include_str!("html/assets/format.js"),
        ),
        (
            "/report/assets/theme.js",
            JS,
            include_str!("html/assets/theme.js"),
        ),
        (
            "/report/assets/axes.js",
            JS,
            include_str!("html/assets/axes.js"),
        ),
        (
            "/report/assets/values.js",
            JS,
            include_str!("html/assets/values.js"),
        ),
        (
            "/report/assets/chart.js",
            JS,
            include_str!("html/assets/chart.js"),
        ),
    ]
}
