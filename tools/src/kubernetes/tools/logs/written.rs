//! Logs as text: the whole for the evidence, and a view with the errors first and then the end.

use std::fmt::Write as _;
use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;

use super::Source;
use super::spilled::Spilled;
use crate::kubernetes::LookError;
use crate::kubernetes::clock::Clock;
use crate::kubernetes::logs::{Line, Taken, Templates};
use crate::view::{self, Limits, cut, grouped};

/// Characters of all logs together that a model is shown, and of one at least.
const SHOWN: usize = 8_000;
const SHOWN_OF_ONE: usize = 1_500;

/// How many statements of errors are told, and how many letters of one.
const ERRORS: usize = 8;
const LETTERS: usize = 240;

/// More of a log's end is shown than of its start.
const HEAD: usize = 20;

/// Lines that are looked at to see whether the program writes the time itself.
const SAMPLE: usize = 20;

static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\d{1,2}:\d{2}|\b\d{10,13}\b").ok());

/// A log that was read, or why it was not.
pub(super) struct Log<'a> {
    pub(super) source: Source,
    pub(super) taken: Result<Taken, LookError>,
    /// Its lines before those that were taken, where they are too many.
    pub(super) spilled: Option<Spilled<'a>>,
}

/// How logs are written.
#[derive(Clone, Copy)]
pub(super) struct Style<'a> {
    /// Whether only some lines were asked for: then they are told with their number.
    pub(super) selective: bool,
    /// Whether lines around those are told too.
    pub(super) context: bool,
    /// As `match`, or `don't match`.
    pub(super) verb: &'a str,
    pub(super) now: Timestamp,
    pub(super) clock: Clock,
}

/// The whole, and the view of it.
#[derive(Default)]
pub(super) struct Written {
    pub(super) sections: Vec<Section>,
    pub(super) view: String,
}

/// One log, or several that are merged.
#[derive(Default)]
pub(super) struct Section {
    /// What is said of it.
    pub(super) head: String,
    pub(super) lines: String,
}

impl Written {
    pub(super) fn content(&self) -> String {
        self.sections.iter().flat_map(|section| [section.head.as_str(), section.lines.as_str()]).collect()
    }

    /// A line that is in both.
    pub(super) fn line(&mut self, line: &str) {
        if self.sections.last().is_none_or(|section| !section.lines.is_empty()) {
            self.sections.push(Section::default());
        }
        let head = self.sections.last_mut().map(|section| &mut section.head);
        for text in head.into_iter().chain([&mut self.view]) {
            text.push_str(line);
            text.push('\n');
        }
    }

    /// Each log under its heading, a section each.
    pub(super) fn apart(&mut self, logs: &[Log<'_>], style: Style<'_>) {
        let most = (SHOWN / logs.len().max(1)).max(SHOWN_OF_ONE);
        for log in logs {
            self.sections.push(Section::default());
            self.line(&format!("=== {}", log.source.heading));
            match &log.taken {
                Err(error) => self.line(&format!("({error})")),
                Ok(taken) => {
                    let mut lines = Lines::of(&taken.lines.iter(), style);
                    let mut body = String::new();
                    taken.lines.iter().for_each(|line| lines.write(line, &mut body));
                    self.log(&[log], &taken.errors, &body, most, style);
                    // The evidence gets these lines behind those that were not held.
                    if let Some(section) = self.sections.last_mut().filter(|_| log.spilled.is_some()) {
                        section.lines = String::new();
                    }
                }
            }
        }
    }

    /// All logs in the order of time, each line with whose it is.
    pub(super) fn merged(&mut self, logs: &[Log<'_>], style: Style<'_>) {
        for log in logs {
            let count = match &log.taken {
                Ok(taken) => format!("{} lines", grouped(taken.read)),
                Err(error) => error.to_string(),
            };
            self.line(&format!("=== {}: {count}", log.source.heading));
        }
        let read: Vec<(&Source, &Taken)> =
            logs.iter().filter_map(|log| Some((&log.source, log.taken.as_ref().ok()?))).collect();
        let stamp = Stamp::of(&read.iter().flat_map(|(_, taken)| taken.lines.iter()), style.now);
        let mut errors = Templates::default();
        let mut lines: Vec<(Option<Timestamp>, usize, &Line, String)> = Vec::new();
        for (index, (source, taken)) in read.iter().enumerate() {
            errors.merge(&taken.errors);
            let mut at = None;
            let tag = tag(source, logs);
            for line in &taken.lines {
                // A line without a time belongs to the one before it.
                at = line.at.or(at);
                lines.push((at, index, line, tag.clone()));
            }
        }
        lines.sort_by_key(|(at, index, line, _)| (*at, *index, line.number));
        let mut body = String::new();
        for (_, _, line, tag) in &lines {
            let mark = if line.wanted { ':' } else { '-' };
            let _ = writeln!(body, "{}{tag}{mark} {}", stamp.before(line), line.text);
        }
        let read: Vec<&Log<'_>> = logs.iter().filter(|log| log.taken.is_ok()).collect();
        self.log(&read, &errors, &body, SHOWN, style);
    }

    /// The notes on what was read, the errors where not all is shown, and the lines.
    fn log(&mut self, logs: &[&Log<'_>], errors: &Templates, body: &str, most: usize, style: Style<'_>) {
        for note in notes(logs, style) {
            self.line(&note);
        }
        let body = view::plain(body);
        let limits = Limits { characters: most, head: HEAD, ..Limits::default() };
        let shown = view::bounded(&body, limits);
        let spilled: u64 = taken(logs).map(|taken| taken.spilled).sum();
        let partial = shown.len() < body.len() || taken(logs).any(|taken| taken.left_out > 0) || spilled > 0;
        if partial && errors.total() > 0 {
            let ranked = errors.ranked();
            let count = grouped(errors.total());
            self.line(&format!("errors and warnings, {count} lines, by what they say:"));
            for error in ranked.iter().take(ERRORS) {
                let when = error.last.map(|at| format!(", last {}", style.clock.when(at))).unwrap_or_default();
                let example = view::plain(&error.example).replace('\n', " ");
                self.line(&format!("  {}×{when}: {}", error.count, cut(&example, LETTERS)));
            }
            if ranked.len() > ERRORS {
                self.line(&format!(
                    "  … {} more statements left out; level=warning shows them …",
                    ranked.len() - ERRORS
                ));
            }
            self.line("the lines:");
        }
        if spilled > 0 {
            let spilled = grouped(spilled);
            self.view += &format!("… {spilled} earlier lines left out …\n");
        }
        if let Some(section) = self.sections.last_mut() {
            section.lines += &body;
        }
        self.view += &shown;
    }
}

/// Writes lines of one log.
pub(super) struct Lines<'a> {
    style: Style<'a>,
    stamp: Stamp,
    /// The number of the last one.
    last: Option<u64>,
}

impl<'a> Lines<'a> {
    /// As they are written that begin with these.
    pub(super) fn of<'l>(lines: &(impl Iterator<Item = &'l Line> + Clone), style: Style<'a>) -> Self {
        Self { style, stamp: Stamp::of(lines, style.now), last: None }
    }

    pub(super) fn write(&mut self, line: &Line, into: &mut String) {
        // A mark between lines that don't follow one another.
        if self.style.context && self.last.is_some_and(|last| line.number > last + 1) {
            into.push_str("--\n");
        }
        self.last = Some(line.number);
        // Writing to a string can't fail.
        if self.style.selective {
            let _ = write!(into, "{}{} ", line.number, if line.wanted { ':' } else { '-' });
        }
        let _ = writeln!(into, "{}{}", self.stamp.before(line), line.text);
    }
}

fn taken<'l>(logs: &[&'l Log<'_>]) -> impl Iterator<Item = &'l Taken> {
    logs.iter().filter_map(|log| log.taken.as_ref().ok())
}

/// What was read, what of it is left out, and how to get it.
fn notes(logs: &[&Log<'_>], style: Style<'_>) -> Vec<String> {
    let sum = |of: fn(&Taken) -> u64| grouped(taken(logs).map(of).sum::<u64>());
    let any = |of: fn(&Taken) -> u64| taken(logs).any(|taken| of(taken) > 0);
    let mut notes = Vec::new();
    let (read, wanted) = (any(|taken| taken.read), any(|taken| taken.wanted));
    if !read {
        notes.push("(the log is empty)".to_owned());
    } else if style.selective && !wanted {
        notes.push(format!("(none of {} lines {})", sum(|taken| taken.read), style.verb));
    } else if style.selective {
        let (wanted, read) = (sum(|taken| taken.wanted), sum(|taken| taken.read));
        notes.push(format!("({wanted} of {read} lines {})", style.verb));
    }
    if any(|taken| taken.left_out) {
        notes.push(format!(
            "({} earlier lines with {} bytes left out; `tail`, `since` with `until`, `grep` or `level` show them)",
            sum(|taken| taken.left_out),
            sum(|taken| taken.left_out_bytes)
        ));
    }
    for taken in taken(logs) {
        if let Some(why) = &taken.stopped {
            let on = taken.last.map(|at| format!("; go on with since={at:.0}")).unwrap_or_default();
            let bytes = grouped(taken.bytes);
            notes.push(format!("(only the first {bytes} bytes were read: {why}{on})"));
        }
    }
    for since in logs.iter().filter_map(|log| log.spilled.as_ref()?.full_since()) {
        notes.push(format!("(there is no more room for evidence: since={since:.0} shows what is not kept)"));
    }
    notes
}

/// Whose line it is: the pod, and its container and run where several are read.
fn tag(source: &Source, logs: &[Log<'_>]) -> String {
    let request = &source.request;
    let several = logs.iter().any(|log| {
        let other = &log.source.request;
        (&other.namespace, &other.pod) == (&request.namespace, &request.pod) && other.container != request.container
    });
    let container = request.container.as_ref().filter(|_| several);
    let container = container.map(|container| format!("/{container}")).unwrap_or_default();
    let previous = if request.previous { " (previous)" } else { "" };
    format!("{}{container}{previous}", request.pod)
}

/// The time before a line, where the program doesn't write it itself.
struct Stamp(Option<&'static str>);

impl Stamp {
    fn of<'a>(lines: &(impl Iterator<Item = &'a Line> + Clone), now: Timestamp) -> Self {
        let sample = || lines.clone().filter(|line| !line.text.is_empty()).take(SAMPLE);
        let dated = |line: &&Line| {
            let end = line.text.floor_char_boundary(80);
            TIME.as_ref().is_some_and(|time| time.is_match(line.text.get(..end).unwrap_or_default()))
        };
        if sample().filter(dated).count() * 2 >= sample().count().max(1) {
            return Self(None);
        }
        let day = |at: Timestamp| at.strftime("%F").to_string();
        let today = lines.clone().filter_map(|line| line.at).min().is_none_or(|first| day(first) == day(now));
        Self(Some(if today { "%H:%M:%S " } else { "%m-%d %H:%M:%S " }))
    }

    fn before(&self, line: &Line) -> String {
        self.0.zip(line.at).map(|(format, at)| at.strftime(format).to_string()).unwrap_or_default()
    }
}
