//! Tokens that can be told by their beginning, from their vendors' documents.

use super::source::LONG;
use super::{Source, Span};

/// What the rest of a token is made of.
#[derive(Clone, Copy)]
enum Body {
    /// Capitals and digits.
    Capitals,
    /// Letters and digits.
    Letters,
    /// Letters, digits, `_` and `-`.
    Words,
    /// The same with dots.
    Dotted,
    /// The same with `=` `+` `/`.
    Base64,
}

impl Body {
    const fn has(self, byte: u8) -> bool {
        match self {
            Self::Capitals => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Letters => byte.is_ascii_alphanumeric(),
            Self::Words => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Dotted => Self::Words.has(byte) || byte == b'.',
            Self::Base64 => Self::Dotted.has(byte) || matches!(byte, b'+' | b'/' | b'='),
        }
    }
}

/// A kind of token.
struct Token {
    prefix: &'static str,
    kind: &'static str,
    body: Body,
    /// The least length of the body.
    least: usize,
}

const fn token(prefix: &'static str, kind: &'static str, body: Body, least: usize) -> Token {
    Token { prefix, kind, body, least }
}

/// Longer prefixes stand before the shorter ones that they begin with.
const TOKENS: &[Token] = &[
    token("AKIA", "aws-key-id", Body::Capitals, 16),
    token("ASIA", "aws-key-id", Body::Capitals, 16),
    token("ABIA", "aws-key-id", Body::Capitals, 16),
    token("ACCA", "aws-key-id", Body::Capitals, 16),
    token("ghp_", "github-token", Body::Letters, 30),
    token("gho_", "github-token", Body::Letters, 30),
    token("ghu_", "github-token", Body::Letters, 30),
    token("ghs_", "github-token", Body::Dotted, 30),
    token("ghr_", "github-token", Body::Letters, 30),
    token("github_pat_", "github-token", Body::Words, 40),
    token("glpat-", "gitlab-token", Body::Dotted, 16),
    token("gldt-", "gitlab-token", Body::Dotted, 16),
    token("glrt-", "gitlab-token", Body::Dotted, 16),
    token("glrtr-", "gitlab-token", Body::Dotted, 16),
    token("glcbt-", "gitlab-token", Body::Dotted, 16),
    token("glptt-", "gitlab-token", Body::Dotted, 16),
    token("glft-", "gitlab-token", Body::Dotted, 16),
    token("glimt-", "gitlab-token", Body::Dotted, 16),
    token("glagent-", "gitlab-token", Body::Dotted, 16),
    token("gloas-", "gitlab-token", Body::Dotted, 16),
    token("glsoat-", "gitlab-token", Body::Dotted, 16),
    token("xoxa-", "slack-token", Body::Dotted, 10),
    token("xoxb-", "slack-token", Body::Dotted, 10),
    token("xoxc-", "slack-token", Body::Dotted, 10),
    token("xoxd-", "slack-token", Body::Base64, 10),
    token("xoxe-", "slack-token", Body::Dotted, 10),
    token("xoxe.", "slack-token", Body::Dotted, 10),
    token("xoxo-", "slack-token", Body::Dotted, 10),
    token("xoxp-", "slack-token", Body::Dotted, 10),
    token("xoxr-", "slack-token", Body::Dotted, 10),
    token("xoxs-", "slack-token", Body::Dotted, 10),
    token("xapp-", "slack-token", Body::Dotted, 10),
    token("sk_live_", "stripe-key", Body::Letters, 10),
    token("sk_test_", "stripe-key", Body::Letters, 10),
    token("rk_live_", "stripe-key", Body::Letters, 10),
    token("rk_test_", "stripe-key", Body::Letters, 10),
    token("whsec_", "webhook-secret", Body::Base64, 16),
    token("AIza", "google-key", Body::Words, 35),
    token("ya29.", "google-token", Body::Dotted, 20),
    token("GOCSPX-", "google-secret", Body::Words, 20),
    token("1//0", "google-token", Body::Words, 30),
    token("sk-", "api-key", Body::Words, 20),
    token("xai-", "api-key", Body::Letters, 30),
    token("gsk_", "api-key", Body::Letters, 30),
    token("pplx-", "api-key", Body::Letters, 30),
    token("hf_", "api-key", Body::Letters, 30),
    token("r8_", "api-key", Body::Letters, 30),
    token("npm_", "npm-token", Body::Letters, 30),
    token("pypi-", "pypi-token", Body::Words, 50),
    token("rubygems_", "api-key", Body::Letters, 40),
    token("dckr_pat_", "docker-token", Body::Words, 20),
    token("dckr_oat_", "docker-token", Body::Words, 20),
    token("dop_v1_", "digitalocean-token", Body::Letters, 40),
    token("doo_v1_", "digitalocean-token", Body::Letters, 40),
    token("dor_v1_", "digitalocean-token", Body::Letters, 40),
    token("SG.", "sendgrid-key", Body::Dotted, 40),
    token("shpat_", "shopify-token", Body::Letters, 32),
    token("shpca_", "shopify-token", Body::Letters, 32),
    token("shppa_", "shopify-token", Body::Letters, 32),
    token("shpss_", "shopify-token", Body::Letters, 32),
    token("hvs.", "vault-token", Body::Words, 20),
    token("hvb.", "vault-token", Body::Words, 20),
    token("hvr.", "vault-token", Body::Words, 20),
    token("glsa_", "grafana-token", Body::Words, 30),
    token("glc_", "grafana-token", Body::Base64, 30),
    token("eyJrIjoi", "grafana-token", Body::Base64, 30),
    token("eyJhdXRocyI6", "docker-login", Body::Base64, 8),
    token("NRAK-", "newrelic-key", Body::Letters, 20),
    token("sntrys_", "sentry-token", Body::Base64, 30),
    token("sntryu_", "sentry-token", Body::Letters, 30),
    token("lin_api_", "api-key", Body::Letters, 30),
    token("ntn_", "api-key", Body::Letters, 40),
    token("figd_", "api-key", Body::Words, 30),
    token("PMAK-", "api-key", Body::Words, 50),
    token("pul-", "pulumi-token", Body::Letters, 40),
    token("dapi", "databricks-token", Body::Letters, 32),
    token("pscale_", "planetscale-token", Body::Dotted, 30),
    token("sbp_", "supabase-token", Body::Letters, 40),
    token("tskey-", "tailscale-key", Body::Words, 15),
    token("ATATT3", "atlassian-token", Body::Base64, 50),
    token("ATCTT3", "atlassian-token", Body::Base64, 50),
    token("ATBB", "bitbucket-token", Body::Letters, 28),
    token("sq0atp-", "square-token", Body::Words, 22),
    token("sq0csp-", "square-token", Body::Words, 40),
    token("dp.pt.", "doppler-token", Body::Letters, 40),
    token("dp.st.", "doppler-token", Body::Dotted, 40),
    token("AGE-SECRET-KEY-1", "age-key", Body::Capitals, 50),
    token("eyJ", "jwt", Body::Dotted, 30),
];

/// The beginnings of all tokens.
pub(super) fn prefixes() -> impl Iterator<Item = &'static str> {
    TOKENS.iter().map(|token| token.prefix)
}

/// The token that begins there.
pub(super) fn find(source: &Source<'_>, at: usize) -> Option<Span> {
    let rest = source.rest(at).as_bytes();
    let token = TOKENS.iter().find(|token| rest.starts_with(token.prefix.as_bytes()))?;
    let start = at + token.prefix.len();
    let end = source.skip(start, |byte| token.body.has(byte));
    // A sentence's full stop is no part of it.
    let end = source.skip_back(end, end - start, |byte| byte == b'.').max(start);
    let body = source.slice(start, end);
    // What has no digit was written by a person. Not at length; and base64 is not to be looked through at each slash in it.
    let long = matches!(token.body, Body::Base64) && body.len() > LONG;
    let made = token.kind == "jwt" || long || body.bytes().any(|byte| byte.is_ascii_digit());
    if body.len() < token.least || !made {
        return None;
    }
    if token.kind == "jwt" && !is_jwt(source.slice(at, end)) {
        return None;
    }
    Some(Span::new(at, end, token.kind))
}

/// Whether it has the parts of RFC 7519: header, payload and signature, or the five of an encrypted one.
fn is_jwt(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    matches!(parts.len(), 2 | 3 | 5) && parts.iter().take(2).all(|part| part.len() >= 10)
}

/// Telegram's `<8 to 10 digits>:AA<33>`; `at` is the colon.
pub(super) fn telegram(source: &Source<'_>, at: usize) -> Option<Span> {
    let start = source.skip_back(at, 11, |byte| byte.is_ascii_digit());
    let end = source.skip(at + 1, |byte| Body::Words.has(byte));
    ((8..=10).contains(&(at - start)) && end - at == 36).then(|| Span::new(start, end, "telegram-token"))
}

/// A password's hash in the form of `crypt`: it can be tried against guesses. Its cost and salt go with it.
pub(super) fn hash(source: &Source<'_>, at: usize) -> Option<Span> {
    let end = source.skip(at, |byte| Body::Base64.has(byte) || matches!(byte, b'$' | b','));
    (end - at >= 40).then(|| Span::new(at, end, "password-hash"))
}

/// The path of a chat's webhook URL, which is all that one needs to post there; `at` is where the path begins.
pub(super) fn webhook(source: &Source<'_>, at: usize) -> Option<Span> {
    let end = source.skip(at, |byte| Body::Words.has(byte) || byte == b'/');
    (end - at >= 20).then(|| Span::new(at, end, "webhook"))
}
