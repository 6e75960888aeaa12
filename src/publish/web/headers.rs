//! Headers: what a browser is told to keep from others, and how a request shows that it comes from a page of ours.
//!
//! In: answers on their way out, requests on their way in. Out: answers with every header, a verdict. Invariants: no page of ours
//! is framed, runs a foreign script or asks anybody else for anything; a request without a word of where it comes from comes from
//! elsewhere.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;

/// An answer with the headers that keep a browser to itself; what set its own policy keeps it.
pub(super) fn with_headers(mut answer: Response, is_network: bool) -> Response {
    let headers = answer.headers_mut();
    for (name, value) in SECURITY_HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if is_network {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    answer
}

/// Whether a request that changes something was sent by a page of ours: the browser says so, and no page can say it for it.
pub(super) fn is_of_our_page(headers: &HeaderMap, is_network: bool) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = text(header::HOST).unwrap_or_default();
    let own = format!("{}://{host}", if is_network { "https" } else { "http" });
    let site = text(HeaderName::from_static("sec-fetch-site"));
    match (text(header::ORIGIN), site) {
        (Some("null") | None, Some(site)) => site == "same-origin",
        (Some(origin), site) => !host.is_empty() && origin == own && site.is_none_or(|site| site == "same-origin"),
        (None, None) => false,
    }
}

/// Longest time for a request and its answer: a year of figures takes a few seconds.
pub(super) const REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// Policy of a page that is only read, and brings its own style and pictures with it.
pub(super) const POLICY_OF_READING: &str = "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Referrers stay with us, and so does the origin of a form: without a referrer browsers would call it "null".
const SECURITY_HEADERS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn is_ours(headers: &[(&'static str, &'static str)]) -> bool {
        let pairs =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        is_of_our_page(&pairs.collect(), true)
    }

    #[test]
    fn only_a_page_of_this_very_host_changes_anything() {
        let host = ("host", "shop.example:8443");
        assert!(is_ours(&[host, ("origin", "https://shop.example:8443")]));
        assert!(is_ours(&[host, ("origin", "null"), ("sec-fetch-site", "same-origin")]));
        for foreign in [
            &[host][..],
            &[host, ("origin", "https://evil.example")],
            &[host, ("origin", "http://shop.example:8443")],
            &[host, ("origin", "https://shop.example")],
            &[host, ("origin", "null")],
            &[host, ("origin", "null"), ("sec-fetch-site", "cross-site")],
            &[host, ("origin", "https://shop.example:8443"), ("sec-fetch-site", "same-site")],
            &[("origin", "https://")],
        ] {
            assert!(!is_ours(foreign), "{foreign:?}");
        }
    }
}
