//! The methods.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::blocks::check_blocks;
use super::house::check_house;
use super::request::{Refused, channel, metadata};
use super::state::{SlackFile, SlackMessage, State, Version};

type Answer = Result<Value, Refused>;

/// The text and blocks of a message, where Slack takes them.
fn said(state: &mut State, fields: &Map<String, Value>) -> Result<Version, Refused> {
    let text = match fields.get("text") {
        None => "",
        Some(Value::String(text)) => text,
        Some(_) => return Err(("invalid_arguments", "text must be a string".to_owned())),
    };
    let none = json!([]);
    let blocks = fields.get("blocks").unwrap_or(&none);
    if text.chars().count() > 40_000 {
        return Err(("msg_too_long", "text is longer than 40,000 characters".to_owned()));
    }
    let faults = check_blocks(blocks);
    if !faults.is_empty() {
        return Err(("invalid_blocks", faults.join("; ")));
    }
    if text.is_empty() && blocks.as_array().is_none_or(Vec::is_empty) {
        return Err(("no_text", "neither text nor blocks".to_owned()));
    }
    if text.is_empty() {
        state.violations.push("a message without the text that notifications show".to_owned());
    }
    state.violations.extend(check_house(text, blocks));
    Ok(Version { text: text.to_owned(), blocks: blocks.as_array().cloned().unwrap_or_default() })
}

/// Whether the channel takes another message now; else for how many seconds it doesn't.
pub(super) fn too_soon(state: &State, fields: &Map<String, Value>) -> Option<u64> {
    let name = fields.get("channel").and_then(Value::as_str)?;
    let left = state.interval?.checked_sub(state.last_post.get(name)?.elapsed())?;
    Some(left.as_secs().max(1))
}

pub(super) fn post(state: &mut State, fields: &Map<String, Value>) -> Answer {
    let channel = channel(state, fields)?;
    let said = said(state, fields)?;
    let metadata = metadata(fields)?;
    let thread_ts = match fields.get("thread_ts") {
        None => None,
        Some(ts) => {
            let ts = ts.as_str().unwrap_or_default();
            match state.message(&channel, ts) {
                Some(parent) if parent.thread_ts.is_none() => Some(ts.to_owned()),
                _ => return Err(("thread_not_found", format!("there is no message {ts:?} to answer"))),
            }
        }
    };
    let ts = state.next_ts();
    state.last_post.insert(channel.clone(), Instant::now());
    let message = SlackMessage {
        channel: channel.clone(),
        ts: ts.clone(),
        thread_ts,
        text: said.text,
        blocks: said.blocks,
        metadata,
        earlier: Vec::new(),
        ours: true,
    };
    let shown = json_of(&message, false);
    state.messages.push(message);
    Ok(json!({ "ok": true, "channel": channel, "ts": ts, "message": shown }))
}

pub(super) fn update(state: &mut State, fields: &Map<String, Value>) -> Answer {
    let channel = channel(state, fields)?;
    let said = said(state, fields)?;
    let metadata = metadata(fields)?;
    let ts = fields.get("ts").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(message) = state.message(&channel, &ts) else {
        return Err(("message_not_found", format!("there is no message {ts:?} in {channel}")));
    };
    if !message.ours {
        return Err(("cant_update_message", format!("{ts:?} is somebody else's message")));
    }
    let earlier = Version {
        text: std::mem::replace(&mut message.text, said.text),
        blocks: std::mem::replace(&mut message.blocks, said.blocks),
    };
    message.earlier.push(earlier);
    if metadata.is_some() {
        message.metadata = metadata;
    }
    Ok(json!({ "ok": true, "channel": channel, "ts": ts, "text": message.text }))
}

pub(super) fn upload_url(state: &mut State, fields: &Map<String, Value>) -> Answer {
    if !state.files_allowed {
        return Err(("missing_scope", "files:write".to_owned()));
    }
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
    let length = text("length").parse::<usize>().unwrap_or_default();
    if text("filename").is_empty() || length == 0 {
        return Err(("invalid_arguments", "filename and length are needed".to_owned()));
    }
    let id = format!("F{:010}", state.files.len() + 1);
    let address = format!("{}/{id}", state.upload);
    state.files.push(SlackFile { id: id.clone(), title: String::new(), length, content: Vec::new(), shown: None });
    Ok(json!({ "ok": true, "upload_url": address, "file_id": id }))
}

pub(super) fn complete_upload(state: &mut State, fields: &Map<String, Value>) -> Answer {
    let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let named = Map::from_iter([("channel".to_owned(), Value::String(text("channel_id")))]);
    let (channel, thread) = (channel(state, &named)?, text("thread_ts"));
    if state.message(&channel, &thread).is_none() {
        return Err(("thread_not_found", format!("there is no message {thread:?}")));
    }
    let files: Vec<Value> = serde_json::from_str(&text("files")).unwrap_or_default();
    if files.is_empty() {
        return Err(("invalid_arguments", "files must be an array of at least one".to_owned()));
    }
    for named in &files {
        let id = named["id"].as_str().unwrap_or_default();
        let Some(file) = state.files.iter_mut().find(|file| file.id == id) else {
            return Err(("file_not_found", format!("there is no file {id:?}")));
        };
        if file.content.len() != file.length {
            return Err(("file_upload_size_mismatch", format!("{} bytes of {}", file.content.len(), file.length)));
        }
        named["title"].as_str().unwrap_or_default().clone_into(&mut file.title);
        file.shown = Some((channel.clone(), thread.clone()));
    }
    Ok(json!({ "ok": true, "files": files }))
}

/// `conversations.history`, newest first, or with a thread `conversations.replies`, oldest first.
pub(super) fn read(state: &mut State, fields: &Map<String, Value>, replies: bool) -> Answer {
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let channel = channel(state, fields)?;
    if !state.history_allowed {
        return Err(("missing_scope", String::new()));
    }
    let limit = text("limit").map_or(Ok(100), str::parse::<usize>).unwrap_or_default();
    if !(1..=999).contains(&limit) {
        return Err(("invalid_limit", "limit is not between 1 and 999".to_owned()));
    }
    let oldest = text("oldest").map_or(Ok(0.0), str::parse::<f64>);
    let Ok(oldest) = oldest else { return Err(("invalid_ts_oldest", "oldest is no time".to_owned())) };
    let thread = text("ts");
    if replies && thread.is_none_or(|ts| state.message(&channel, ts).is_none()) {
        return Err(("thread_not_found", format!("there is no message {thread:?}")));
    }
    let mut seen: Vec<&SlackMessage> = state
        .messages
        .iter()
        .filter(|message| message.channel == channel && message.ts.parse::<f64>().unwrap() >= oldest)
        .filter(|message| match (replies, thread) {
            (true, Some(thread)) => message.ts == thread || message.thread_ts.as_deref() == Some(thread),
            _ => message.thread_ts.is_none(),
        })
        .collect();
    if !replies {
        seen.reverse();
    }
    let from = match text("cursor") {
        None => 0,
        Some(cursor) => match cursor.strip_prefix("from-").and_then(|from| from.parse().ok()) {
            Some(from) => from,
            None => return Err(("invalid_cursor", format!("{cursor:?} is no cursor"))),
        },
    };
    let with_metadata = text("include_all_metadata") == Some("true");
    let page: Vec<Value> = seen.iter().skip(from).take(limit).map(|message| json_of(message, with_metadata)).collect();
    let end = from + page.len();
    let cursor = if end < seen.len() { format!("from-{end}") } else { String::new() };
    Ok(json!({
        "ok": true,
        "messages": page,
        "has_more": !cursor.is_empty(),
        "response_metadata": { "next_cursor": cursor },
    }))
}

fn json_of(message: &SlackMessage, with_metadata: bool) -> Value {
    let mut shown = json!({
        "type": "message",
        "ts": message.ts,
        "text": message.text,
        "blocks": message.blocks,
    });
    if let Some(thread) = &message.thread_ts {
        shown["thread_ts"] = json!(thread);
    }
    if let (true, Some(metadata)) = (with_metadata, &message.metadata) {
        shown["metadata"] = metadata.clone();
    }
    shown
}
