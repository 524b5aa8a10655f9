//! What Slack's errors mean (docs.slack.dev, the error tables of `chat.postMessage`, `chat.update`,
//! `conversations.history`).

use std::time::Duration;

use crate::render::{bounded, one_line};
use crate::sinks::SinkError;

/// What an error asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The message to be changed isn't there, or isn't ours, or may not be changed any more: a new one is posted.
    Gone,
    /// The blocks are refused: the text alone may get through.
    Layout,
    /// The app lacks a scope.
    Scope,
    /// Nothing was done; later it may be.
    Later,
    /// Something may have been done.
    Unclear,
    /// The credentials or the channel; a person must act.
    Settings(&'static str),
    /// Anything else.
    Permanent,
}

const TOKEN: &str = "set `token` to the bot token on the app's page OAuth & Permissions";
const CHANNEL: &str = "check `channel`, and invite the app to it with /invite";
const SCOPE: &str = "add the scope to the app's bot token scopes and install the app again";
const POLICY: &str = "a rule of the workspace forbids it; ask its administrator";

pub(super) fn meaning(code: &str) -> Refusal {
    match code {
        "message_not_found" | "cant_update_message" | "edit_window_closed" | "thread_not_found" => Refusal::Gone,
        "msg_too_long"
        | "msg_blocks_too_long"
        | "invalid_blocks"
        | "invalid_blocks_format"
        | "no_text"
        | "markdown_text_conflict"
        | "block_mismatch" => Refusal::Layout,
        "missing_scope" => Refusal::Scope,
        "ratelimited"
        | "rate_limited"
        | "message_limit_exceeded"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org"
        | "update_failed" => Refusal::Later,
        "fatal_error" | "internal_error" => Refusal::Unclear,
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "not_allowed_token_type"
        | "org_login_required"
        | "two_factor_setup_required" => Refusal::Settings(TOKEN),
        "channel_not_found" | "not_in_channel" | "is_archived" | "is_inactive" => Refusal::Settings(CHANNEL),
        "no_permission" => Refusal::Settings(SCOPE),
        "access_denied"
        | "accesslimited"
        | "team_access_not_granted"
        | "ekm_access_denied"
        | "enterprise_is_restricted"
        | "restricted_action"
        | "restricted_action_read_only_channel"
        | "restricted_action_thread_only_channel"
        | "restricted_action_non_threadable_channel"
        | "restricted_action_thread_locked" => Refusal::Settings(POLICY),
        _ => Refusal::Permanent,
    }
}

/// An `ok: false` as the outbox takes it.
pub(super) fn error(method: &str, code: &str, needed: Option<&str>) -> SinkError {
    let needed = needed.map(|scope| format!(" (it needs {})", bounded(&one_line(scope), 80))).unwrap_or_default();
    let reason = format!("Slack refused {method}: {}{needed}", bounded(&one_line(code), 80));
    let later = |after| SinkError::Retry { reason: reason.clone(), after, maybe_sent: false };
    match meaning(code) {
        Refusal::Later if code.starts_with("rate") => later(Some(Duration::from_secs(30))),
        Refusal::Later => later(None),
        Refusal::Unclear => SinkError::unanswered(reason),
        Refusal::Settings(fix) => SinkError::Settings { reason, fix: fix.to_owned() },
        Refusal::Scope => SinkError::Settings { reason, fix: SCOPE.to_owned() },
        Refusal::Gone | Refusal::Layout | Refusal::Permanent => SinkError::Permanent { reason },
    }
}
