//! An incident in a terminal, told as in a chat.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Advice, Mark, Quote, Story, View};

const NARROWEST: usize = 40;
const WIDEST: usize = 110;

/// The incident as lines of at most `width` columns (held between 40 and 110), with colours where `colour` is set.
/// Commands and quotes are not wrapped: they are there to be copied.
pub fn terminal(view: &View, width: usize, colour: bool) -> String {
    let story = Story::of(view);
    let mut page = Page { text: String::new(), width: width.clamp(NARROWEST, WIDEST), colour };
    page.opening(&story);
    page.evidence("Evidence", &story.telling);
    if let Some(first) = &story.first {
        page.heading("What to do");
        page.advice(first);
    }
    if !story.chain.is_empty() {
        page.heading("How it came about");
        for (number, step) in story.chain.iter().enumerate() {
            let object = step.object.as_ref().map(|object| format!("{} ", page.paint(Paint::Bold, object)));
            page.hanging(&format!("{}. ", number + 1), &format!("{}{}", object.unwrap_or_default(), step.statement));
        }
    }
    page.footer(&story);
    page.thread(&story);
    page.text
}

#[derive(Clone, Copy)]
enum Paint {
    Red,
    Yellow,
    Green,
    Blue,
    Bold,
    Dim,
}

impl Paint {
    const fn code(self) -> &'static str {
        match self {
            Self::Red => "1;31",
            Self::Yellow => "1;33",
            Self::Green => "1;32",
            Self::Blue => "1;34",
            Self::Bold => "1",
            Self::Dim => "2",
        }
    }
}

struct Page {
    text: String,
    width: usize,
    colour: bool,
}

impl Page {
    fn paint(&self, paint: Paint, text: &str) -> String {
        if self.colour && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", paint.code())
        } else {
            text.to_owned()
        }
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn opening(&mut self, story: &Story) {
        let paint = match story.mark {
            Mark::Critical => Paint::Red,
            Mark::Warning => Paint::Yellow,
            Mark::Info | Mark::Merged => Paint::Blue,
            Mark::NoFault | Mark::Resolved => Paint::Green,
        };
        // The mark takes two columns and a space.
        for (number, words) in wrap(&story.title, self.width - 3).iter().enumerate() {
            let mark = if number == 0 { story.mark.emoji() } else { "  " };
            let words = self.paint(paint, words);
            self.line(&format!("{mark} {words}"));
        }
        let rule = self.paint(Paint::Dim, &"─".repeat(self.width));
        self.line(&rule);
        for part in story.summary.lines() {
            self.hanging("", part);
        }
        if let Some(cause) = &story.cause {
            let object = self.paint(Paint::Bold, &cause.object);
            self.line("");
            self.hanging("Cause   ", &format!("{object}{}", cause.rest));
        }
        if let Some(impact) = &story.impact {
            self.hanging("Impact  ", impact);
        }
    }

    fn heading(&mut self, text: &str) {
        let text = self.paint(Paint::Bold, text);
        self.line("");
        self.line(&text);
    }

    fn evidence(&mut self, heading: &str, quotes: &[Quote]) {
        if quotes.is_empty() {
            return;
        }
        self.heading(heading);
        let mut before: Option<&Quote> = None;
        for quote in quotes {
            let again = before.replace(quote).is_some_and(|before| before.evidence == quote.evidence);
            let lost = if quote.verified { "" } else { "  not found in the evidence" };
            let source = format!("{} [{}]", quote.source, quote.evidence);
            let source = self.paint(Paint::Dim, source.trim_start());
            let lost = self.paint(Paint::Yellow, lost);
            if !again || !quote.verified {
                self.line(&format!("  {source}{lost}"));
            }
            let bar = self.paint(Paint::Dim, if again && quote.verified { "┆" } else { "│" });
            for words in quote.text.lines() {
                self.line(&format!("  {bar} {words}"));
            }
        }
    }

    fn advice(&mut self, advice: &Advice) {
        let risk = self.paint(Paint::Dim, &format!("({})", advice.risk));
        self.hanging("→ ", &format!("{} {risk}", advice.title));
        for (number, words) in advice.command.iter().flat_map(|command| command.lines()).enumerate() {
            let words = self.paint(Paint::Green, words);
            self.line(&format!("    {} {words}", if number == 0 { "$" } else { " " }));
        }
    }

    fn footer(&mut self, story: &Story) {
        self.line("");
        let until = story.until.map(|until| format!(" to {}", clock(until))).unwrap_or_default();
        let facts = [
            story.by.clone(),
            story.count.clone(),
            format!("since {}{until}", clock(story.since)),
            format!("cluster {}", story.cluster),
            format!("incident {}", story.id),
        ];
        let facts: Vec<String> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
        for words in wrap(&facts.join(" · "), self.width) {
            let words = self.paint(Paint::Dim, &words);
            self.line(&words);
        }
        if let Some(link) = &story.link {
            let link = self.paint(Paint::Dim, link);
            self.line(&link);
        }
        if let Some(unseen) = &story.unseen {
            let label = self.paint(Paint::Yellow, "Not seen");
            self.hanging("", &format!("{label}: {unseen}"));
        }
    }

    /// What a chat holds in the thread.
    fn thread(&mut self, story: &Story) {
        if !story.others.is_empty() {
            self.heading("What else can be done");
            for advice in &story.others {
                self.advice(advice);
            }
        }
        let untold: Vec<Quote> = story.quotes.iter().filter(|quote| !story.telling.contains(quote)).cloned().collect();
        self.evidence("More evidence", &untold);
        if !story.ruled_out.is_empty() {
            self.heading("Ruled out");
            for claim in &story.ruled_out {
                self.hanging("- ", claim);
            }
        }
        if story.alerts.lines.len() > 1 {
            self.heading("Alerts");
            for (alert, _) in &story.alerts.lines {
                self.hanging("- ", alert);
            }
            if story.alerts.more > 0 {
                self.line(&format!("  and {} more", story.alerts.more));
            }
        }
    }

    /// A paragraph after a label, whose further lines stand under its first.
    fn hanging(&mut self, label: &str, text: &str) {
        let indent = label.chars().count();
        for (number, words) in wrap(text, self.width - indent).iter().enumerate() {
            let before = if number == 0 { label.to_owned() } else { " ".repeat(indent) };
            self.line(&format!("{before}{words}"));
        }
    }
}

/// Lines of at most `width` columns, broken at spaces; a longer word stands alone. Colour codes take no room.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut room) = (String::new(), width);
    for word in text.split(' ') {
        let columns = columns(word);
        if !line.is_empty() && columns + 1 > room {
            lines.push(std::mem::take(&mut line));
            room = width;
        }
        if !line.is_empty() {
            line.push(' ');
            room = room.saturating_sub(1);
        }
        line.push_str(word);
        room = room.saturating_sub(columns);
    }
    lines.push(line);
    lines
}

fn columns(word: &str) -> usize {
    let mut count = 0;
    let mut in_code = false;
    for c in word.chars() {
        match (in_code, c) {
            (false, '\u{1b}') => in_code = true,
            (true, 'm') => in_code = false,
            (true, _) => {}
            (false, _) => count += 1,
        }
    }
    count
}

/// A time for people anywhere: UTC, and said so.
fn clock(at: Timestamp) -> String {
    let mut text = String::new();
    let zoned = at.to_zoned(TimeZone::UTC);
    // Writing into a string can't fail; an unprintable time would leave it empty.
    let _ = write!(text, "{}", zoned.strftime("%Y-%m-%d %H:%M UTC"));
    text
}
