//! Incidents as pages for a browser: made here whole, without a script, every text escaped.

mod evidence;
mod incident;
mod moment;

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

pub use evidence::evidence;
pub use incident::{IncidentPage, incident};

/// Reads well on a telephone in the dark: no contrast that dazzles, nothing that scrolls sideways but long lines of logs.
const STYLE: &str = include_str!("page.css");

/// What a browser may do with a page: show it, in its own style, and nothing else.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    )
});

/// The value of `Content-Security-Policy` for all pages.
pub fn policy() -> &'static str {
    &POLICY
}

/// The value of `Content-Security-Policy` for a drawing: its own style, and nothing else.
pub const fn drawing_policy() -> &'static str {
    "default-src 'none'; style-src 'unsafe-inline'; sandbox"
}

/// A page that only says something, as that a link has expired.
pub fn notice(heading: &str, text: &str) -> String {
    page(
        heading,
        &html! {
            h1 { (heading) }
            p { (text) }
        },
    )
}

fn page(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    }
    .into_string()
}

fn time(at: Timestamp) -> Markup {
    html! { time datetime=(format!("{at:.0}")) { (at.strftime("%Y-%m-%d %H:%M:%S UTC")) } }
}
