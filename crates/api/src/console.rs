//! The console: pages that read the routes below `/v1` and draw what they say. They are part of the program.

use axum::Router;
use axum::http::{Uri, header};
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

/// The same files for a server of files anywhere, such as a bucket: their paths below its folder, and their texts. The pages read the API
/// at this address, whose server must allow it ([`crate::Access::from_pages_at`]).
///
/// # Errors
/// What is not the address of an API.
pub fn console_files(api: &str) -> Result<Vec<(&'static str, String)>, BadAddress> {
    let uri = api.parse::<Uri>().ok();
    let is_web = |uri: &Uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    };
    if !uri.is_some_and(|uri| is_web(&uri) && uri.query().is_none()) || api.contains('#') {
        return Err(BadAddress(api.to_owned()));
    }
    let place = escaped(&format!("{}/v1", api.trim_end_matches('/')));
    let of_report = floodgate_report::page_files();
    let files = FILES.into_iter().chain(of_report);
    let files = files
        .map(|(path, kind, text)| match (path, kind) {
            ("/", _) => {
                let text = text
                    .replace("=\"/report/", "=\"report/")
                    .replace("=\"/console/", "=\"console/")
                    .replace(API, &format!("name=\"api\" content=\"{place}\""));
                ("index.html", text)
            }
            (path, JS) => (
                &path[1..],
                text.replace("from \"/report/", "from \"../report/"),
            ),
            (path, _) => (&path[1..], text.to_owned()),
        })
        .collect();
    Ok(files)
}

/// Not the address of an API.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0:?} is not the address of an API: give one such as https://api.example")]
pub struct BadAddress(String);

/// Where the first page says where the API is.
const API: &str = "name=\"api\" content=\"/v1\"";

/// Text as the value of an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_api_has_an_address() {
        for api in [
            "",
            "api.example",
            "ftp://api.example",
            "https://",
            "https://a/?b",
            "https://a/#b",
        ] {
            let told = console_files(api).unwrap_err().to_string();
            assert!(told.contains("such as https://api.example"), "{told}");
        }
    }

    #[test]
    fn files_for_elsewhere_find_each_other_and_the_api() {
        let files = console_files("https://api.example/").unwrap();
        let text_of = |wanted: &str| {
            files
                .iter()
                .find(|(path, _)| *path == wanted)
                .map(|(_, text)| text)
        };
        let index = text_of("index.html")
            .map(String::as_str)
            .unwrap_or_default();
        assert!(
            index.contains("name=\"api\" content=\"https://api.example/v1\""),
            "{index}"
        );
        for (path, text) in &files {
            let rooted = ["=\"/report", "=\"/console", "from \"/"]
                .iter()
                .any(|start| text.contains(start));
            assert!(!rooted && !path.starts_with('/'), "{path}");
        }
        assert!(
            text_of("console/app.js")
                .is_some_and(|text| text.contains("from \"../report/assets/theme.js\""))
        );
        assert!(text_of("report/assets/theme.js").is_some());
    }
}
