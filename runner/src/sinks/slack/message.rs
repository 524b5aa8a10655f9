//! A story as Slack messages.
//!
//! Limits (docs.slack.dev, Block Kit reference): 50 blocks a message, 150 characters a header, 3,000 a section's text,
//! 10 elements a context. What all blocks may take together is not documented; 12,000 has room below where Slack
//! answers `msg_blocks_too_long`.

use marple_core::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::mrkdwn::{code, escape, link, plain, time};
use super::receipt::Part;
use crate::render::{Advice, Alerts, Mark, Quote, Story, width};

const HEADER: usize = 150;
const SECTION: usize = 3_000;
const BLOCKS: usize = 50;
const MESSAGE: usize = 12_000;

/// What is posted: blocks, and the text that telephones and screen readers are given.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) blocks: Vec<Value>,
}

impl Message {
    /// Changes when the message does: what is unchanged isn't sent again.
    pub(super) fn digest(&self) -> String {
        let hash = Sha256::digest(json!([self.text, self.blocks]).to_string());
        hex(hash.get(..8).unwrap_or(&hash))
    }
}

/// The message and what stands in its thread, in the order in which it is posted.
pub(super) fn compose(story: &Story) -> Vec<(Part, Message)> {
    let mut messages = vec![(Part::Incident, incident(story))];
    messages.extend(details(story).map(|message| (Part::Details, message)));
    messages.extend(alerts(story).map(|message| (Part::Alerts, message)));
    messages
}

fn incident(story: &Story) -> Message {
    let mut blocks = Blocks::default();
    blocks.header(&format!("{} {}", story.mark.emoji(), story.title));
    blocks.section(&opening(story));
    if let Some(first) = story.telling.first() {
        // The heading shares a block with the first quote: fewer gaps, less to scroll.
        blocks.section(&format!("*Evidence*\n{}", quoted(first, None, 1_000)));
        for (before, quote) in story.telling.iter().zip(story.telling.iter().skip(1)) {
            blocks.section(&quoted(quote, Some(before), 1_000));
        }
    }
    if let Some(first) = &story.first {
        blocks.section(&format!("*What to do*\n{}", advised(first)));
    }
    if story.chain.len() > 1 {
        let steps: Vec<String> = story
            .chain
            .iter()
            .enumerate()
            .map(|(number, step)| {
                let object = step.object.as_ref().map(|object| format!("*{}* ", escape(object, 120)));
                format!("{}. {}{}", number + 1, object.unwrap_or_default(), escape(&step.statement, 300))
            })
            .collect();
        blocks.section(&format!("*How it came about*\n{}", steps.join("\n")));
    }
    if let Some(unseen) = &story.unseen {
        blocks.context(&format!("*Not seen:* {}", escape(unseen, 1_500)));
    }
    blocks.context(&facts(story));
    Message { text: escape(&story.notification(), 1_000), blocks: blocks.list }
}

fn opening(story: &Story) -> String {
    let mut text = escape(&story.summary, 1_200);
    if let Some(cause) = &story.cause {
        text.push_str(&format!("\n*Cause* {}{}", escape(&cause.object, 250), escape(&cause.rest, 1_000)));
    }
    if let Some(impact) = &story.impact {
        text.push_str(&format!("\n*Impact* {}", escape(impact, 400)));
    }
    text
}

fn facts(story: &Story) -> String {
    let until = story.until.map(|until| format!(" to {}", time(until))).unwrap_or_default();
    let id = match &story.link {
        Some(address) => link(address, &story.id),
        None => escape(&story.id, 40),
    };
    let facts = [
        escape(&story.by, 300),
        escape(&story.count, 100),
        format!("since {}{until}", time(story.since)),
        format!("cluster {}", escape(&story.cluster, 200)),
        format!("incident {id}"),
    ];
    facts.into_iter().filter(|fact| !fact.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// The words under their source, which isn't named again where the quote before had the same.
fn quoted(quote: &Quote, before: Option<&Quote>, limit: usize) -> String {
    if before.is_some_and(|before| before.evidence == quote.evidence && before.verified == quote.verified) {
        return code(&quote.text, limit);
    }
    let source = match quote.source.as_str() {
        "" => quote.evidence.clone(),
        source => format!("{} · {}", escape(source, 300), quote.evidence),
    };
    let lost = if quote.verified { "" } else { " · *not found in the evidence*" };
    format!("{source}{lost}\n{}", code(&quote.text, limit))
}

fn advised(advice: &Advice) -> String {
    let command = advice.command.as_ref().map(|command| format!("\n{}", code(command, 1_900))).unwrap_or_default();
    format!("{} ({}){command}", escape(&advice.title, 800), advice.risk)
}

fn details(story: &Story) -> Option<Message> {
    let mut blocks = Blocks::default();
    blocks.list_under("What else can be done", story.others.iter().map(advised), 0);
    // What the message itself shows in full needs no second place.
    let untold: Vec<&Quote> = story.quotes.iter().filter(|quote| !story.telling.contains(quote)).collect();
    blocks.list_under("More evidence", untold.into_iter().map(|quote| quoted(quote, None, 1_500)), story.more_quotes);
    let ruled_out: Vec<String> = story.ruled_out.iter().map(|claim| format!("• {}", escape(claim, 700))).collect();
    blocks.lines_under("Ruled out", &ruled_out, 0);
    let text = format!("Details of incident {}", story.id);
    (!blocks.list.is_empty()).then_some(Message { text, blocks: blocks.list })
}

/// The alerts, where there are several: a single one is in the header already.
fn alerts(story: &Story) -> Option<Message> {
    let Alerts { lines, more } = &story.alerts;
    if story.mark == Mark::Merged || lines.len() < 2 {
        return None;
    }
    let lines: Vec<String> = lines
        .iter()
        .map(|(text, rule)| {
            let rule = rule.as_ref().map(|address| format!(" {}", link(address, "rule"))).unwrap_or_default();
            format!("• {}{rule}", escape(text, 400))
        })
        .collect();
    let mut blocks = Blocks::default();
    blocks.lines_under("Alerts", &lines, usize::try_from(*more).unwrap_or(usize::MAX));
    let text = format!("Alerts of incident {}: {}", story.id, story.count);
    Some(Message { text: escape(&text, 300), blocks: blocks.list })
}

/// Blocks of one message, never more or longer than Slack takes.
#[derive(Default)]
struct Blocks {
    list: Vec<Value>,
    used: usize,
}

impl Blocks {
    fn header(&mut self, text: &str) {
        let text = plain(text, HEADER);
        self.used += width(&text);
        self.list.push(json!({ "type": "header", "text": { "type": "plain_text", "text": text, "emoji": false } }));
    }

    /// Adds a section, where there is room for it.
    fn section(&mut self, text: &str) -> bool {
        let fits = self.fits(text);
        if fits {
            self.used += width(text);
            self.list.push(json!({ "type": "section", "text": mrkdwn(text) }));
        }
        fits
    }

    fn context(&mut self, text: &str) {
        if self.fits(text) {
            self.used += width(text);
            self.list.push(json!({ "type": "context", "elements": [mrkdwn(text)] }));
        }
    }

    /// Room for one more block is kept: for what says how much was left out.
    fn fits(&self, text: &str) -> bool {
        let size = width(text);
        size > 0 && size <= SECTION && self.used + size + 100 <= MESSAGE && self.list.len() + 1 < BLOCKS
    }

    /// Items, each in a section of its own.
    fn list_under(&mut self, heading: &str, items: impl Iterator<Item = String>, more: usize) {
        let mut left_out = more;
        let mut heading = Some(format!("*{heading}*\n"));
        for item in items {
            let text = format!("{}{item}", heading.as_deref().unwrap_or_default());
            if self.section(&text) { heading = None } else { left_out += 1 }
        }
        self.left_out(left_out);
    }

    /// Items of a line each, as many in a section as fit.
    fn lines_under(&mut self, heading: &str, lines: &[String], more: usize) {
        if lines.is_empty() {
            return;
        }
        let (mut text, mut held, mut left_out) = (format!("*{heading}*"), 0, more);
        for line in lines {
            if width(&text) + width(line) + 1 > SECTION {
                left_out += if self.section(&text) { 0 } else { held };
                (text, held) = (String::new(), 0);
            }
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
            held += 1;
        }
        left_out += if self.section(&text) { 0 } else { held };
        self.left_out(left_out);
    }

    fn left_out(&mut self, count: usize) {
        if count > 0 && self.list.len() < BLOCKS {
            let text = format!("and {count} more");
            self.used += width(&text);
            self.list.push(json!({ "type": "context", "elements": [mrkdwn(&text)] }));
        }
    }
}

fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}
