//! Whether a request is such as Slack takes, whatever its method.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method};
use serde_json::{Map, Value};

use super::state::{Call, State};

/// Slack's error, and what is wrong in words.
pub(super) type Refused = (&'static str, String);

pub(super) fn authorised(state: &State, headers: &HeaderMap) -> Result<(), Refused> {
    let Some(given) = headers.get(AUTHORIZATION) else {
        return Err(("not_authed", "no Authorization header".to_owned()));
    };
    if given.to_str().ok() == Some(&format!("Bearer {}", state.token)) {
        return Ok(());
    }
    Err(("invalid_auth", "the bearer token is another".to_owned()))
}

/// The arguments of a writing method: a JSON object.
pub(super) fn body(method: &Method, headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refused> {
    if method != Method::POST {
        return Err(("invalid_arguments", format!("a writing method was called by {method}")));
    }
    let given = headers.get(CONTENT_TYPE).and_then(|given| given.to_str().ok()).unwrap_or_default();
    if !given.eq_ignore_ascii_case("application/json; charset=utf-8") {
        return Err(("invalid_post_type", format!("the content type is {given:?}, not JSON with charset=utf-8")));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(("json_not_object", "the body is no JSON object".to_owned())),
        Err(error) => Err(("invalid_json", format!("the body is no JSON: {error}"))),
    }
}

/// The arguments of a method of files: a form.
pub(super) fn form(method: &Method, headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Refused> {
    let given = headers.get(CONTENT_TYPE).and_then(|given| given.to_str().ok()).unwrap_or_default();
    if method != Method::POST || !given.starts_with("application/x-www-form-urlencoded") {
        return Err(("invalid_arguments", format!("{method} with the content type {given:?}, not POST of a form")));
    }
    let address = format!("http://double/?{}", String::from_utf8_lossy(body));
    let address = reqwest::Url::parse(&address).map_err(|error| ("invalid_form_data", error.to_string()))?;
    Ok(address.query_pairs().map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect())
}

/// The arguments of a reading method: its query.
pub(super) fn query(method: &Method, query: &[(String, String)]) -> Result<Map<String, Value>, Refused> {
    if method != Method::GET {
        return Err(("invalid_arguments", format!("a reading method was called by {method}")));
    }
    Ok(query.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect())
}

pub(super) fn known(call: Call, fields: &Map<String, Value>) -> Result<(), Refused> {
    let known: &[&str] = match call {
        Call::Post => &[
            "channel",
            "text",
            "blocks",
            "thread_ts",
            "metadata",
            "mrkdwn",
            "parse",
            "link_names",
            "unfurl_links",
            "unfurl_media",
            "reply_broadcast",
        ],
        Call::Update => &["channel", "ts", "text", "blocks", "metadata", "parse", "link_names"],
        Call::History => &["channel", "oldest", "latest", "inclusive", "include_all_metadata", "limit", "cursor"],
        Call::Replies => &["channel", "ts", "oldest", "latest", "inclusive", "include_all_metadata", "limit", "cursor"],
        Call::UploadUrl => &["filename", "length", "alt_txt", "snippet_type"],
        Call::CompleteUpload => &["files", "channel_id", "thread_ts", "initial_comment", "channels", "blocks"],
    };
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(("invalid_arguments", format!("{} has no argument {name:?}", call.method()))),
        None => Ok(()),
    }
}

/// The bot may speak and listen in the channel.
pub(super) fn channel(state: &State, fields: &Map<String, Value>) -> Result<String, Refused> {
    let name = fields.get("channel").and_then(Value::as_str).unwrap_or_default();
    match state.channels.get(name) {
        None => Err(("channel_not_found", format!("there is no channel {name:?}"))),
        Some(false) => Err(("not_in_channel", format!("the bot is no member of {name:?}"))),
        Some(true) => Ok(name.to_owned()),
    }
}

pub(super) fn metadata(fields: &Map<String, Value>) -> Result<Option<Value>, Refused> {
    let Some(metadata) = fields.get("metadata") else { return Ok(None) };
    let invalid = |what: &str| Err(("invalid_metadata_format", what.to_owned()));
    let Some(given) = metadata.as_object() else { return invalid("metadata must be an object") };
    if let Some(name) = given.keys().find(|name| !["event_type", "event_payload"].contains(&name.as_str())) {
        return invalid(&format!("metadata has no field {name:?}"));
    }
    let kind = given.get("event_type").and_then(Value::as_str).unwrap_or_default();
    if kind.is_empty() || kind.len() > 255 || !kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return invalid("event_type must be 1 to 255 letters, digits and _");
    }
    let Some(payload) = given.get("event_payload").and_then(Value::as_object) else {
        return invalid("event_payload must be an object");
    };
    let scalar = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    if let Some((name, _)) = payload.iter().find(|(_, value)| !scalar(value)) {
        return invalid(&format!("event_payload.{name} must be a string, a number or a boolean"));
    }
    if metadata.to_string().len() > 8_000 {
        return Err(("metadata_too_large", "metadata is longer than 8,000 characters".to_owned()));
    }
    Ok(Some(metadata.clone()))
}
