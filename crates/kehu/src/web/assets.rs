//! The browser files inside the binary: stylesheets, scripts and icons, made by `build.rs`.
//! Every address carries the digest of its content, so browsers may keep a file for ever.

use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};

struct Asset {
    name: &'static str,
    url: &'static str,
    media_type: &'static str,
    etag: &'static str,
    plain: &'static [u8],
    br: &'static [u8],
    gzip: &'static [u8],
}

const ASSETS: &[Asset] = &include!(concat!(env!("OUT_DIR"), "/assets_table.rs"));

/// The content security policy every page must be sent with; nothing in our templates or scripts needs more.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; form-action 'self'; \
     frame-ancestors 'none'; base-uri 'none'";

/// The address of an embedded file by its plain name (`app.css`, `icons.svg`), for templates.
/// An unknown name gives an address that answers 404; a test checks the names used in templates.
pub fn url(name: &str) -> &'static str {
    ASSETS.iter().find(|asset| asset.name == name).map_or("/assets/unknown", |asset| asset.url)
}

/// Answers `/assets/{*path}`: brotli or gzip by `Accept-Encoding`, 304 by `If-None-Match`, 404 for names of
/// another build.
pub async fn serve(Path(path): Path<String>, headers: HeaderMap) -> Response<Body> {
    let found = ASSETS.iter().find(|asset| asset.url.strip_prefix("/assets/") == Some(path.as_str()));
    let Some(asset) = found else {
        return with_status(StatusCode::NOT_FOUND);
    };
    let mut answer = if is_known(&headers, asset.etag) {
        with_status(StatusCode::NOT_MODIFIED)
    } else {
        with_content(asset, &headers)
    };
    let fields = answer.headers_mut();
    fields.insert(header::ETAG, HeaderValue::from_static(asset.etag));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    fields.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    answer
}

fn with_content(asset: &Asset, headers: &HeaderMap) -> Response<Body> {
    let (encoding, bytes) = if accepts(headers, "br") {
        (Some("br"), asset.br)
    } else if accepts(headers, "gzip") {
        (Some("gzip"), asset.gzip)
    } else {
        (None, asset.plain)
    };
    let mut answer = Response::new(Body::from(Bytes::from_static(bytes)));
    let fields = answer.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Some(encoding) = encoding {
        fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    answer
}

fn with_status(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// Whether the client takes this coding; `q=0` refuses it (RFC 9110, section 12.5.3).
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|part| {
            let mut pieces = part.split(';').map(str::trim);
            let named = pieces.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
            let refused =
                pieces.filter_map(|piece| piece.strip_prefix("q=")).any(|q| q.parse() == Ok(0.0_f32));
            named && !refused
        })
    })
}

fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let sent = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    sent.flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::{Path as FilePath, PathBuf};

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    fn file_of(name: &str) -> Path<String> {
        Path(url(name).trim_start_matches("/assets/").to_owned())
    }

    #[tokio::test]
    async fn chooses_the_coding_the_client_takes() {
        for (sent, expected) in [
            ("gzip, deflate, br", Some("br")),
            ("gzip;q=0.8, BR;q=0", Some("gzip")),
            ("br;q=0, gzip;q=0.0", None),
            ("identity", None),
        ] {
            let answer = serve(file_of("app.css"), headers(header::ACCEPT_ENCODING, sent)).await;
            let coding = answer.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap());
            assert_eq!(coding, expected, "{sent}");
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/css; charset=utf-8");
            assert_eq!(answer.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert!(answer.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        }
    }

    #[tokio::test]
    async fn answers_304_to_a_known_tag_and_404_to_another_build() {
        let etag = ASSETS[0].etag;
        let known = serve(file_of(ASSETS[0].name), headers(header::IF_NONE_MATCH, etag)).await;
        assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
        let other = serve(file_of(ASSETS[0].name), headers(header::IF_NONE_MATCH, "\"0\"")).await;
        assert_eq!(other.status(), StatusCode::OK);
        for path in ["app.0000000000000000.css", "../Cargo.toml", ""] {
            let missing = serve(Path(path.to_owned()), HeaderMap::new()).await;
            assert_eq!(missing.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    /// With charts, as on the workbench; a page's own html is some kilobytes more.
    #[test]
    fn first_page_fits_250_kilobytes() {
        let first = ["tabler.css", "app.css", "htmx.js", "app.js", "icons.svg", "favicon.svg", "echarts.js"];
        let found: Vec<usize> =
            ASSETS.iter().filter(|asset| first.contains(&asset.name)).map(|asset| asset.br.len()).collect();
        let total: usize = found.iter().sum();
        assert!(found.len() == first.len() && total <= 235_000, "{total} bytes of {found:?}");
    }

    fn templates(folder: &FilePath, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { templates(&path, found) } else { found.push(path) }
        }
    }

    /// The words between `start` and the next double quote, wherever they occur.
    fn quoted<'a>(text: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
        text.split(start).skip(1).filter_map(|rest| rest.split('"').next())
    }

    #[test]
    fn templates_name_only_files_and_icons_we_have() {
        let sprite =
            std::str::from_utf8(ASSETS.iter().find(|asset| asset.name == "icons.svg").unwrap().plain)
                .unwrap();
        let mut files = Vec::new();
        templates(FilePath::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates")), &mut files);
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for name in quoted(&text, "assets::url(\"") {
                assert_ne!(url(name), "/assets/unknown", "{name} in {}", file.display());
            }
            for start in ["icon(\"", "icon=\"", "icon: \""] {
                // A name that a handler gives cannot be seen here.
                for name in quoted(&text, start).filter(|name| !name.is_empty() && !name.contains("{{")) {
                    assert!(
                        sprite.contains(&format!("<symbol id=\"{name}\" ")),
                        "icon {name} in {}",
                        file.display()
                    );
                }
            }
        }
    }

    /// The policy forbids inline styles and scripts; a browser would drop them silently.
    #[test]
    fn templates_have_no_inline_style_or_script() {
        let mut files = Vec::new();
        templates(FilePath::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates")), &mut files);
        // Mails, printed forms and reports of files are read without a server.
        let is_page = |file: &&PathBuf| {
            !file.iter().any(|part| part == "emails" || part == "print" || part == "analyze")
        };
        for file in files.iter().filter(is_page) {
            let text = fs::read_to_string(file).unwrap();
            for forbidden in [" style=\"", "<style", " onclick=", " onchange=", " hx-on", "javascript:"] {
                assert!(!text.contains(forbidden), "{forbidden} in {}", file.display());
            }
            for script in text.split("<script").skip(1) {
                let tag = script.split('>').next().unwrap();
                assert!(
                    tag.contains(" src=") || tag.contains("application/json"),
                    "script in {}",
                    file.display()
                );
            }
        }
    }
}
