//! What the double holds.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// A method of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// `chat.postMessage`
    Post,
    /// `chat.update`
    Update,
    /// `conversations.history`
    History,
    /// `conversations.replies`
    Replies,
    /// `files.getUploadURLExternal`
    UploadUrl,
    /// `files.completeUploadExternal`
    CompleteUpload,
}

impl Call {
    /// As Slack names it.
    pub const fn method(self) -> &'static str {
        match self {
            Self::Post => "chat.postMessage",
            Self::Update => "chat.update",
            Self::History => "conversations.history",
            Self::Replies => "conversations.replies",
            Self::UploadUrl => "files.getUploadURLExternal",
            Self::CompleteUpload => "files.completeUploadExternal",
        }
    }
}

/// How a request fails. Nothing is done unless it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429 with this `Retry-After`, in seconds.
    TooMany(u64),
    /// An HTTP status without an answer of Slack's.
    Status(u16),
    /// `ok: false` with this error.
    Refuse(&'static str),
    /// No answer ever.
    Hang,
    /// The connection is cut.
    Cut,
    /// Done, but the connection is cut before the answer.
    LoseAnswer,
    /// Done, but no answer ever.
    DoThenHang,
    /// Done, but answered with an HTTP status.
    DoThenStatus(u16),
}

/// What a message said at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// The text for notifications.
    pub text: String,
    /// The blocks.
    pub blocks: Vec<Value>,
}

/// A message as it is in a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct SlackMessage {
    /// The channel.
    pub channel: String,
    /// Its time and name.
    pub ts: String,
    /// The message under which it stands.
    pub thread_ts: Option<String>,
    /// The text for notifications.
    pub text: String,
    /// The blocks.
    pub blocks: Vec<Value>,
    /// Its metadata.
    pub metadata: Option<Value>,
    /// What it said before, earliest first.
    pub earlier: Vec<Version>,
    /// Whether the bot under test posted it.
    pub ours: bool,
}

/// A file, from the asking for its address on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackFile {
    /// Its name.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// How long it is to be.
    pub length: usize,
    /// What was uploaded.
    pub content: Vec<u8>,
    /// The channel and the message under which it is shown, once it is.
    pub shown: Option<(String, String)>,
}

impl SlackMessage {
    /// All that a reader sees of it, without markup of the blocks themselves.
    pub fn shown(&self) -> String {
        fn texts(value: &Value, into: &mut String) {
            match value {
                Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
                Value::Object(fields) => {
                    if let Some(Value::String(text)) = fields.get("text") {
                        into.push_str(text);
                        into.push('\n');
                    }
                    fields.values().for_each(|field| texts(field, into));
                }
                _ => {}
            }
        }
        let mut shown = String::new();
        self.blocks.iter().for_each(|block| texts(block, &mut shown));
        shown
    }
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) token: String,
    /// Known channels, and whether the bot is a member.
    pub(super) channels: BTreeMap<String, bool>,
    pub(super) history_allowed: bool,
    /// The least time between two posts to a channel.
    pub(super) interval: Option<Duration>,
    pub(super) last_post: BTreeMap<String, Instant>,
    pub(super) messages: Vec<SlackMessage>,
    /// Where the double's files are uploaded.
    pub(super) upload: String,
    pub(super) files: Vec<SlackFile>,
    /// Whether the bot may upload files.
    pub(super) files_allowed: bool,
    pub(super) faults: VecDeque<(Option<Call>, Fault)>,
    pub(super) calls: BTreeMap<Call, usize>,
    pub(super) violations: Vec<String>,
    last_ts: (u64, u32),
}

impl State {
    pub(super) fn new(token: &str, channel: &str) -> Self {
        Self {
            token: token.to_owned(),
            channels: BTreeMap::from([(channel.to_owned(), true)]),
            history_allowed: true,
            interval: None,
            last_post: BTreeMap::new(),
            messages: Vec::new(),
            upload: String::new(),
            files: Vec::new(),
            files_allowed: true,
            faults: VecDeque::new(),
            calls: BTreeMap::new(),
            violations: Vec::new(),
            last_ts: (0, 0),
        }
    }

    /// The next message's time: the present, later than all before.
    pub(super) fn next_ts(&mut self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        self.last_ts = (now.as_secs(), now.subsec_micros()).max((self.last_ts.0, self.last_ts.1 + 1));
        format!("{}.{:06}", self.last_ts.0, self.last_ts.1)
    }

    /// The fault that this call is to have.
    pub(super) fn fault(&mut self, call: Call) -> Option<Fault> {
        let at = self.faults.iter().position(|(only, _)| only.is_none_or(|only| only == call))?;
        self.faults.remove(at).map(|(_, fault)| fault)
    }

    pub(super) fn message(&mut self, channel: &str, ts: &str) -> Option<&mut SlackMessage> {
        self.messages.iter_mut().find(|message| message.channel == channel && message.ts == ts)
    }
}
