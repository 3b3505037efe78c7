//! The console: pages that read the routes below `/v1` and draw what they say. They are part of the program.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

/// Path, type and text of each file.
const FILES: [(&str, &str, &str); 16] = [
    ("/", HTML, include_str!("../../../console/index.html")),
    (
        "/console/app.js",
        JS,
        include_str!("../../../console/app.js"),
    ),
    (
        "/console/api.js",
        JS,
        include_str!("../../../console/api.js"),
    ),
    (
        "/console/session.js",
        JS,
        include_str!("../../../console/session.js"),
    ),
    (
        "/console/sign-in.js",
        JS,
        include_str!("../../../console/sign-in.js"),
    ),
    (
        "/console/dom.js",
        JS,
        include_str!("../../../console/dom.js"),
    ),
    (
        "/console/runs.js",
        JS,
        include_str!("../../../console/runs.js"),
    ),
    (
        "/console/run.js",
        JS,
        include_str!("../../../console/run.js"),
    ),
    (
        "/console/live.js",
        JS,
        include_str!("../../../console/live.js"),
    ),
    (
        "/console/tests.js",
        JS,
        include_str!("../../../console/tests.js"),
    ),
    (
        "/console/versions.js",
        JS,
        include_str!("../../../console/versions.js"),
    ),
    (
        "/console/compare.js",
        JS,
        include_str!("../../../console/compare.js"),
    ),
    (
        "/console/interval.js",
        JS,
        include_str!("../../../console/interval.js"),
    ),
    (
        "/console/audit.js",
        JS,
        include_str!("../../../console/audit.js"),
    ),
    (
        "/console/shown.js",
        JS,
        include_str!("../../../console/shown.js"),
    ),
    (
        "/console/console.css",
        CSS,
        include_str!("../../../console/console.css"),
    ),
];

const HTML: &str = "text/html; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// Whether a path is that of a file: the same for everybody, and says nothing of what lies here.
pub(crate) fn is_page(path: &str) -> bool {
    let own = FILES.iter().any(|(own, ..)| *own == path);
    own || path.starts_with("/report/assets/") || path.starts_with("/report/vendor/")
}

/// Routes to the files, and to those of the report's page that the console draws with.
pub(crate) fn pages<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let of_report = floodgate_report::page_files();
    let files = FILES.into_iter().chain(of_report);
    files.fold(Router::new(), |router, (path, kind, text)| {
        let file = move || async move { ([(header::CONTENT_TYPE, kind)], text).into_response() };
        router.route(path, get(file))
    })
}
