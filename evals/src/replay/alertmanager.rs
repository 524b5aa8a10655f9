//! The Alertmanager API of a recorded cluster: its alerts.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use regex::Regex;
use serde_json::{Value, json};

use crate::bundle::Bundle;
use crate::json::text;

/// The API of `bundle`.
pub(super) fn router(bundle: &Arc<Bundle>) -> Router {
    Router::new()
        .route("/-/healthy", get("OK"))
        .route("/-/ready", get("OK"))
        .route("/api/v2/alerts", get(alerts))
        .route("/api/v2/silences", get(|| async { Json(json!([])) }))
        .fallback(|| async {
            (StatusCode::NOT_FOUND, Json(json!("this part of the API is not served over a recorded incident")))
        })
        .with_state(Arc::clone(bundle))
}

async fn alerts(State(bundle): State<Arc<Bundle>>, RawQuery(query): RawQuery) -> Response {
    let url = reqwest::Url::parse(&format!("http://alertmanager/?{}", query.unwrap_or_default()));
    let filters = url.iter().flat_map(reqwest::Url::query_pairs).filter(|(name, _)| name == "filter");
    let mut matchers = Vec::new();
    for (_, filter) in filters {
        match Matcher::parse(&filter) {
            Some(matcher) => matchers.push(matcher),
            None => {
                return (StatusCode::BAD_REQUEST, Json(json!(format!("bad matcher format: {filter}")))).into_response();
            }
        }
    }
    let found: Vec<&Value> = bundle
        .alertmanager
        .alerts
        .iter()
        .filter(|alert| matchers.iter().all(|matcher| matcher.matches(alert)))
        .collect();
    Json(found).into_response()
}

/// A matcher of labels, as `severity=~"warning|critical"`.
struct Matcher {
    name: String,
    pattern: Regex,
    wanted: bool,
}

impl Matcher {
    fn parse(text: &str) -> Option<Self> {
        let at = text.find(['=', '!'])?;
        let (name, rest) = text.split_at(at);
        let (operator, value) =
            ["=~", "!~", "!=", "="].into_iter().find_map(|one| Some((one, rest.strip_prefix(one)?)))?;
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        let pattern = if operator.ends_with('~') { value.to_owned() } else { regex::escape(value) };
        let pattern = Regex::new(&format!("^(?:{pattern})$")).ok()?;
        Some(Self { name: name.trim().to_owned(), pattern, wanted: operator.starts_with('=') })
    }

    fn matches(&self, alert: &Value) -> bool {
        let labels = alert.get("labels").unwrap_or(&Value::Null);
        self.pattern.is_match(text(labels, &format!("/{}", self.name))) == self.wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matchers_select_alerts_by_their_labels() {
        let alert = json!({"labels": {"alertname": "TargetDown", "severity": "warning"}});
        for (filter, expected) in [
            ("alertname=TargetDown", true),
            ("alertname=\"TargetDown\"", true),
            ("severity=~\"warning|critical\"", true),
            ("severity!~\"warn.*\"", false),
            ("namespace!=\"shop\"", true),
            ("severity=\"warn\"", false),
        ] {
            assert_eq!(Matcher::parse(filter).unwrap().matches(&alert), expected, "{filter}");
        }
        assert!(Matcher::parse("alertname").is_none());
    }
}
