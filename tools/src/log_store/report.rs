//! What was found, as people and models read it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::{Timestamp, tz::TimeZone};

use super::{Counts, Entry, Found, Search};
use crate::kubernetes::clock::length;
use crate::view::grouped;

/// What was found, all of it: how much and when, the oldest lines, the newest.
pub(super) fn told(found: &Found, search: &Search, start: Option<Timestamp>, language: &str) -> String {
    let clock = Clock::new(search);
    let total = found.counts.as_ref().map(Counts::total);
    let rows = total.unwrap_or(found.rows.len() as u64);
    let what = if total.is_some() { "line" } else { "row" };
    let what = if rows == 1 { what.to_owned() } else { format!("{what}s") };
    let mut text = format!("{} {what} from {:.0} to {:.0}", grouped(rows), search.from, search.to);
    if let Some(start) = start {
        let _ = write!(text, "; the incident began {start:.0}");
    }
    text.push('\n');
    if let Some(counts) = found.counts.as_ref().filter(|counts| !counts.each.is_empty()) {
        text += &over_time(counts, search, &clock);
    }
    let _ = writeln!(text, "{language}: {}", found.query);
    for row in &found.rows {
        let _ = writeln!(text, "{row}");
    }
    let sources: BTreeSet<&str> = found.oldest.iter().chain(&found.newest).map(|entry| entry.source.as_str()).collect();
    let one = sources.len() == 1;
    if let Some(only) = sources.first().filter(|only| one && !only.is_empty()) {
        let _ = writeln!(text, "all from {only}");
    }
    write(&mut text, &found.oldest, !one, &clock);
    let between = total.unwrap_or_default().saturating_sub((found.oldest.len() + found.newest.len()) as u64);
    if between > 0 && !found.newest.is_empty() {
        let what = if found.oldest.is_empty() { "older lines" } else { "lines in between" };
        let _ = writeln!(text, "… {} {what} not read; narrow it, or move `until` …", grouped(between));
    }
    write(&mut text, &found.newest, !one, &clock);
    text
}

fn write(text: &mut String, entries: &[Entry], with_source: bool, clock: &Clock) {
    for entry in entries {
        let source =
            if with_source && !entry.source.is_empty() { format!(" {}:", entry.source) } else { String::new() };
        // What follows in an entry of several lines belongs to it.
        let line = entry.line.trim_end().replace('\n', "\n  ");
        let _ = writeln!(text, "{}{source} {line}", clock.exact(entry.at));
    }
}

/// How many lines there are in each stretch of time: when it began, and whether it goes on.
fn over_time(counts: &Counts, search: &Search, clock: &Clock) -> String {
    let mut parts = Vec::new();
    let mut next = search.from;
    for (at, count) in &counts.each {
        if next < *at {
            let earlier = parts.is_empty();
            parts.push(if earlier {
                format!("none before {}", clock.told(*at))
            } else {
                format!("none until {}", clock.told(*at))
            });
        }
        parts.push(format!("{} {}", clock.told(*at), grouped(*count)));
        next = at.checked_add(counts.step).unwrap_or(*at);
    }
    if next < search.to {
        parts.push(format!("none from {} on", clock.told(next)));
    }
    let step = length(i64::try_from(counts.step.as_secs()).unwrap_or(i64::MAX));
    format!("each {step}: {}\n", parts.join(", "))
}

/// Times as short as they stay clear, in UTC.
struct Clock {
    days: bool,
    seconds: bool,
}

impl Clock {
    fn new(search: &Search) -> Self {
        let hours = (search.to.as_second() - search.from.as_second()) / 3_600;
        Self { days: hours >= 20, seconds: !search.step().as_secs().is_multiple_of(60) }
    }

    /// A stretch's start.
    fn told(&self, at: Timestamp) -> String {
        let format = match (self.days, self.seconds) {
            (true, _) => "%m-%dT%H:%M",
            (false, true) => "%H:%M:%S",
            (false, false) => "%H:%M",
        };
        at.to_zoned(TimeZone::UTC).strftime(format).to_string()
    }

    /// A line's time, with milliseconds.
    fn exact(&self, at: Timestamp) -> String {
        let format = if self.days { "%m-%dT%H:%M:%S%.3f" } else { "%H:%M:%S%.3f" };
        at.to_zoned(TimeZone::UTC).strftime(format).to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Wanted;
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn entry(time: &str, source: &str, line: &str) -> Entry {
        Entry { at: at(&format!("2026-01-02T{time}Z")), source: source.to_owned(), line: line.to_owned() }
    }

    fn search() -> Search {
        let (from, to) = (at("2026-01-02T02:45:00Z"), at("2026-01-02T03:10:00Z"));
        Search { wanted: Wanted::Query("{}".to_owned()), from, to, limit: 2 }
    }

    #[test]
    fn it_is_told_when_it_began_and_what_came_first_and_last() {
        let each = [("02:58", 1), ("02:59", 40), ("03:00", 1_200), ("03:05", 1)];
        let each = each.map(|(time, count)| (at(&format!("2026-01-02T{time}:00Z")), count)).to_vec();
        let found = Found {
            query: "{app=\"cart\"}".to_owned(),
            counts: Some(Counts { each, step: Duration::from_mins(1) }),
            oldest: vec![entry("02:58:59.5", "cart-1/app", "first")],
            newest: vec![
                entry("03:05:00.123456", "cart-1/app", "panic: x\n\tat main"),
                entry("03:05:01", "cart-2/app", "last\n"),
            ],
            rows: vec![],
        };
        assert_eq!(
            told(&found, &search(), Some(at("2026-01-02T03:00:00Z")), "LogQL"),
            "1,242 lines from 2026-01-02T02:45:00Z to 2026-01-02T03:10:00Z; the incident began 2026-01-02T03:00:00Z\n\
             each 60s: none before 02:58, 02:58 1, 02:59 40, 03:00 1,200, none until 03:05, 03:05 1, none from 03:06 on\n\
             LogQL: {app=\"cart\"}\n\
             02:58:59.500 cart-1/app: first\n\
             … 1,239 lines in between not read; narrow it, or move `until` …\n\
             03:05:00.123 cart-1/app: panic: x\n  \tat main\n\
             03:05:01.000 cart-2/app: last\n"
        );
    }

    #[test]
    fn one_source_is_named_once_and_nothing_is_said_to_be_nothing() {
        let counts = Counts { each: vec![(at("2026-01-02T02:45:00Z"), 1)], step: Duration::from_mins(1) };
        let mut found = Found {
            query: "q".to_owned(),
            counts: Some(counts),
            oldest: vec![],
            newest: vec![entry("02:45:01", "cart-1/app", "only")],
            rows: vec![],
        };
        assert_eq!(
            told(&found, &search(), None, "LogsQL"),
            "1 line from 2026-01-02T02:45:00Z to 2026-01-02T03:10:00Z\neach 60s: 02:45 1, none from 02:46 on\nLogsQL: q\n\
             all from cart-1/app\n02:45:01.000 only\n"
        );
        found.counts = Some(Counts { each: vec![], step: Duration::from_mins(1) });
        found.newest.clear();
        assert_eq!(
            told(&found, &search(), None, "LogsQL"),
            "0 lines from 2026-01-02T02:45:00Z to 2026-01-02T03:10:00Z\nLogsQL: q\n"
        );
    }
}
