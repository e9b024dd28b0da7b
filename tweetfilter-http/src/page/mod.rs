//! The page: hand-written modules, templates and styles, kept in the binary and served as they are.
//!
//! It speaks only to the API, with the token that its user gives it. Posts, names and filters reach the document as
//! text alone: the policy that is sent with it lets no string become a script or markup.

use std::sync::LazyLock;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest, Sha256};
use tower_http::compression::CompressionLayer;

/// No script but our own, no connection but to us, no markup from strings, no frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Address, type and content of each file.
const FILES: &[(&str, &str, &[u8])] = &[
    ("/", HTML, include_bytes!("assets/index.html")),
    ("/page/app.js", JS, include_bytes!("assets/app.js")),
    ("/page/icon.svg", SVG, include_bytes!("assets/icon.svg")),
    ("/page/model/api.js", JS, include_bytes!("assets/model/api.js")),
    ("/page/model/clock.js", JS, include_bytes!("assets/model/clock.js")),
    ("/page/model/columns.js", JS, include_bytes!("assets/model/columns.js")),
    ("/page/model/fields.js", JS, include_bytes!("assets/model/fields.js")),
    ("/page/model/form.js", JS, include_bytes!("assets/model/form.js")),
    ("/page/model/index.js", JS, include_bytes!("assets/model/index.js")),
    ("/page/model/kept.js", JS, include_bytes!("assets/model/kept.js")),
    ("/page/model/length.js", JS, include_bytes!("assets/model/length.js")),
    ("/page/model/live.js", JS, include_bytes!("assets/model/live.js")),
    ("/page/model/news.js", JS, include_bytes!("assets/model/news.js")),
    ("/page/model/operations.js", JS, include_bytes!("assets/model/operations.js")),
    ("/page/model/owners.js", JS, include_bytes!("assets/model/owners.js")),
    ("/page/model/remembered.js", JS, include_bytes!("assets/model/remembered.js")),
    ("/page/model/rows.js", JS, include_bytes!("assets/model/rows.js")),
    ("/page/model/search.js", JS, include_bytes!("assets/model/search.js")),
    ("/page/model/sets.js", JS, include_bytes!("assets/model/sets.js")),
    ("/page/model/store.js", JS, include_bytes!("assets/model/store.js")),
    ("/page/model/unsaved.js", JS, include_bytes!("assets/model/unsaved.js")),
    ("/page/model/withdrawn.js", JS, include_bytes!("assets/model/withdrawn.js")),
    ("/page/model/writing.js", JS, include_bytes!("assets/model/writing.js")),
    ("/page/style/base.css", CSS, include_bytes!("assets/style/base.css")),
    ("/page/style/filters.css", CSS, include_bytes!("assets/style/filters.css")),
    ("/page/style/kept.css", CSS, include_bytes!("assets/style/kept.css")),
    ("/page/style/status.css", CSS, include_bytes!("assets/style/status.css")),
    ("/page/style/timeline.css", CSS, include_bytes!("assets/style/timeline.css")),
    ("/page/views/access.js", JS, include_bytes!("assets/views/access.js")),
    ("/page/views/editor.js", JS, include_bytes!("assets/views/editor.js")),
    ("/page/views/exchange.js", JS, include_bytes!("assets/views/exchange.js")),
    ("/page/views/expiry.js", JS, include_bytes!("assets/views/expiry.js")),
    ("/page/views/feeds.js", JS, include_bytes!("assets/views/feeds.js")),
    ("/page/views/filters.js", JS, include_bytes!("assets/views/filters.js")),
    ("/page/views/focus.js", JS, include_bytes!("assets/views/focus.js")),
    ("/page/views/form.js", JS, include_bytes!("assets/views/form.js")),
    ("/page/views/heights.js", JS, include_bytes!("assets/views/heights.js")),
    ("/page/views/list.js", JS, include_bytes!("assets/views/list.js")),
    ("/page/views/notify.js", JS, include_bytes!("assets/views/notify.js")),
    ("/page/views/operations.js", JS, include_bytes!("assets/views/operations.js")),
    ("/page/views/plot.js", JS, include_bytes!("assets/views/plot.js")),
    ("/page/views/post.js", JS, include_bytes!("assets/views/post.js")),
    ("/page/views/preview.js", JS, include_bytes!("assets/views/preview.js")),
    ("/page/views/search.js", JS, include_bytes!("assets/views/search.js")),
    ("/page/views/sets.js", JS, include_bytes!("assets/views/sets.js")),
    ("/page/views/status.js", JS, include_bytes!("assets/views/status.js")),
    ("/page/views/template.js", JS, include_bytes!("assets/views/template.js")),
    ("/page/views/text.js", JS, include_bytes!("assets/views/text.js")),
    ("/page/views/timeline.js", JS, include_bytes!("assets/views/timeline.js")),
    ("/page/views/unknown.js", JS, include_bytes!("assets/views/unknown.js")),
    ("/page/views/why.js", JS, include_bytes!("assets/views/why.js")),
];

/// What names a version of each file.
static TAGS: LazyLock<Vec<HeaderValue>> =
    LazyLock::new(|| FILES.iter().map(|(_, _, content)| tag(content)).collect());

/// The page's files, to be merged with the API's routes.
pub fn app() -> Router {
    let mut router = Router::new();
    for (number, (path, ..)) in FILES.iter().enumerate() {
        router = router.route(path, get(move |headers: HeaderMap| async move { file(number, &headers) }));
    }
    router.layer(CompressionLayer::new())
}

fn file(number: usize, headers: &HeaderMap) -> Response {
    let (path, kind, kept) = FILES[number];
    let from_disk = from_disk(path);
    let (tag, content) = match from_disk {
        Some(read) => (tag(&read), read.into()),
        None => (TAGS[number].clone(), axum::body::Bytes::from_static(kept)),
    };
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|known| weakly(known) == weakly(&tag));
    let headers = [
        (header::ETAG, tag),
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        // It is asked each time, and mostly answered that nothing has changed: a new server brings a new page.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    if known {
        (StatusCode::NOT_MODIFIED, headers).into_response()
    } else {
        (headers, content).into_response()
    }
}

/// A tag without the mark that it is weak: who compresses may put it there, and who asks leave it out.
fn weakly(tag: &HeaderValue) -> &[u8] {
    let tag = tag.as_bytes();
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// A weak tag: the file may be sent as it is, or compressed.
fn tag(content: &[u8]) -> HeaderValue {
    let digest = Sha256::digest(content);
    let name: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::try_from(format!("W/\"{name}\"")).unwrap_or(HeaderValue::from_static("W/\"\""))
}

/// In debug builds, the file of the folder that `TWEETFILTER_PAGE_FOLDER` names: a change shows without a build.
fn from_disk(path: &str) -> Option<Vec<u8>> {
    if !cfg!(debug_assertions) {
        return None;
    }
    let folder = std::env::var_os("TWEETFILTER_PAGE_FOLDER")?;
    let name = if path == "/" { "index.html" } else { path.strip_prefix("/page/")? };
    std::fs::read(std::path::Path::new(&folder).join(name)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that lies beside the others but is not served would be missed only in a browser.
    #[test]
    fn every_asset_is_served() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/page/assets");
        let mut open = vec![folder.clone()];
        let mut found = Vec::new();
        while let Some(next) = open.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                    continue;
                }
                let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
                found.push(if name == "index.html" { "/".to_owned() } else { format!("/page/{name}") });
            }
        }
        found.sort();
        let mut served: Vec<_> = FILES.iter().map(|(path, ..)| (*path).to_owned()).collect();
        served.sort();
        assert_eq!(found, served);
    }

    /// One that is not is found only when another that imports it was read, and the page waits for it.
    #[test]
    fn every_module_is_loaded_ahead() {
        let html = std::str::from_utf8(FILES[0].2).unwrap();
        for (path, kind, _) in FILES {
            assert!(*kind != JS || html.contains(&format!("=\"{path}\"")), "{path}");
        }
    }

    /// Ways by which a string would become markup or a script, and styles that the policy forbids.
    #[test]
    fn assets_use_no_sink() {
        let sinks = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "setHTMLUnsafe",
            "srcdoc",
            "createContextualFragment",
            "DOMParser",
            " style=\"",
            " onclick=",
            "javascript:",
        ];
        for (path, _, content) in FILES {
            let text = std::str::from_utf8(content).unwrap();
            for sink in sinks {
                assert!(!text.contains(sink), "{path} has {sink}");
            }
        }
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let first = file(0, &HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        let weak = first.headers()[header::ETAG].to_str().unwrap();
        let exact = weak.strip_prefix("W/").expect("who compresses may change its bytes");
        for (known, status) in [
            (weak, StatusCode::NOT_MODIFIED),
            (exact, StatusCode::NOT_MODIFIED),
            ("\"another\"", StatusCode::OK),
        ] {
            let headers =
                HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_str(known).unwrap())]);
            assert_eq!(file(0, &headers).status(), status, "{known}");
        }
    }
}
