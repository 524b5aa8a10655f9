//! Redacts a text that is too long to be held, stretch by stretch.
//!
//! What makes a value a secret may stand lines before it or behind it: the name over a list, the end of a key block, the
//! `kind` of a manifest. So a stretch is read together with what was before it and what comes next, and it ends where no
//! secret is, between two lines.

use super::cuts::Cuts;
use super::trigger::shows_a_secret;
use super::{Redactor, manifest};
use crate::toolbox::RedactStream;

/// How far is read around what is given, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// How much is given at a time, at least.
    step: usize,
    /// What was before, where a line stands behind it that begins something.
    behind: usize,
    /// What comes next; a key block ends within 64 KiB.
    ahead: usize,
    /// The longest object, both ways: what tells that it is a Secret may stand behind its values. API servers take objects
    /// of 1.5 MiB, written as YAML or JSON they may have some more.
    object: usize,
    /// The most that is held. A single secret that is longer is taken out in parts, and a longer line is cut.
    most: usize,
}

impl Default for Reach {
    fn default() -> Self {
        Self { step: 2 << 20, behind: 64 << 10, ahead: 192 << 10, object: 2 << 20, most: 8 << 20 }
    }
}

#[cfg(test)]
impl Reach {
    /// Enough for the secrets of tests.
    pub(super) const SMALL: Self = Self { step: 200, behind: 500, ahead: 500, object: 1_000, most: 2_500 };
}

/// What stands before all that follows a Secret's manifest, so that later values are known to be of one.
const SHOWN: &str = "kind: Secret\n";

/// Redacts a text stretch by stretch.
pub(super) struct Stream<'a> {
    redactor: &'a Redactor,
    reach: Reach,
    /// What is held: what was given already, and what is to come.
    raw: String,
    /// How much of that was given already.
    given: usize,
    /// At which length there is something to give.
    due: usize,
    /// Whether a Secret's manifest was seen.
    manifest: bool,
}

impl<'a> Stream<'a> {
    pub(super) const fn new(redactor: &'a Redactor, reach: Reach) -> Self {
        Self { redactor, reach, raw: String::new(), given: 0, due: 0, manifest: false }
    }

    /// Gives as much as can be told.
    fn step(&mut self, into: &mut String) {
        let Reach { step, most, .. } = self.reach;
        let held = self.raw.len() - self.given;
        let ahead = if manifest::has_values(&self.raw) { self.reach.object } else { self.reach.ahead };
        if held < step + ahead {
            self.due = self.given + step + ahead;
            return;
        }
        let limit = self.raw.floor_char_boundary(self.raw.len() - ahead);
        let lines = memchr::memchr_iter(b'\n', self.raw.as_bytes().get(self.given..limit).unwrap_or_default());
        let mut places: Vec<usize> = lines.map(|feed| self.given + feed + 1).collect();
        if places.is_empty() && held >= most {
            places.push(self.between_words(limit));
        }
        let last = places.last().copied();
        let mut cuts = Cuts::new(self.given, places);
        let clean = self.redactor.without(&self.raw, &mut cuts);
        let clean = clean.as_deref().unwrap_or(&self.raw);
        let half = self.given + step / 2;
        let good = cuts.places.iter().rev().find(|(place, _)| *place > half && self.begins_something(*place));
        if let Some((place, now)) = good.or(cuts.places.last()).copied() {
            into.push_str(clean.get(cuts.from..now).unwrap_or_default());
            self.go_on(place, None);
        } else if let Some(place) = last.filter(|_| held >= most) {
            self.cut(place, cuts.over_last, into);
        } else {
            self.due = self.raw.len() + step;
        }
    }

    /// Gives what is before a place that is within a secret. Of that, all is taken out.
    fn cut(&mut self, place: usize, within: Option<(usize, usize)>, into: &mut String) {
        let (mut given, mut up_to) = (Cuts::new(self.given, []), Cuts::new(place, []));
        let clean = self.redactor.without(&self.raw, &mut given);
        let _ = self.redactor.without(&self.raw, &mut up_to);
        let clean = clean.as_deref().unwrap_or(&self.raw);
        into.push_str(clean.get(given.from..up_to.from).unwrap_or_default());
        self.go_on(place, within);
    }

    /// The lines before the one at `from` under which it stands by its indentation, the nearest first: what a block is, of
    /// which there is more than is held.
    fn above(&self, from: usize) -> Vec<&str> {
        let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let mut column = indent(self.raw.get(from..).unwrap_or_default());
        let mut above = Vec::new();
        let mut before = self.raw.get(..from).unwrap_or_default().split_inclusive('\n').rev();
        while column > 0
            && let Some(line) = before.next()
        {
            if line.ends_with('\n')
                && line.len() <= self.reach.behind
                && !line.trim().is_empty()
                && indent(line) < column
            {
                column = indent(line);
                above.push(line);
            }
        }
        above
    }

    /// The last place before `limit` on its line where no word goes on, where one is near.
    fn between_words(&self, limit: usize) -> usize {
        let from = self.raw.floor_char_boundary(limit.saturating_sub(self.reach.behind).max(self.given));
        let near = self.raw.get(from..limit).unwrap_or_default();
        near.rfind([' ', ',']).map_or(limit, |blank| from + blank + 1)
    }

    /// Whether the line there goes on with nothing that was before, as an entry of a log.
    fn begins_something(&self, place: usize) -> bool {
        let first = self.raw.as_bytes().get(place);
        first.is_some_and(|first| first.is_ascii_alphanumeric() || matches!(first, b'[' | b'{' | b'=' | b'<' | b'('))
    }

    /// Lets go of what need not be read again. What follows a place within a secret is read behind the beginning of that.
    fn go_on(&mut self, place: usize, within: Option<(usize, usize)>) {
        let Reach { behind, object, .. } = self.reach;
        let most = if self.begins_something(place) && within.is_none() { behind } else { object };
        let end = within.map_or(place, |(start, end)| {
            let end = end.min(place).min(start + behind);
            self.raw.get(start..end).and_then(|text| text.rfind('\n')).map_or(start, |feed| start + feed + 1)
        });
        let from = self.raw.floor_char_boundary(end.saturating_sub(most));
        // From a line's start on, where there is one.
        let from = match self.raw.get(from..end).and_then(|text| text.find('\n')) {
            Some(feed) if from > 0 => from + feed + 1,
            _ => from,
        };
        self.manifest = self.manifest || shows_a_secret(&self.raw);
        let mut held = String::with_capacity(self.raw.len() - place + (end - from) + SHOWN.len());
        if self.manifest {
            held.push_str(SHOWN);
        }
        held.extend(self.above(from).into_iter().rev());
        held.push_str(self.raw.get(from..end).unwrap_or_default());
        self.given = held.len();
        held.push_str(self.raw.get(place..).unwrap_or_default());
        self.raw = held;
        self.due = self.given + self.reach.step + self.reach.ahead;
    }
}

impl RedactStream for Stream<'_> {
    fn push(&mut self, text: &str, into: &mut String) {
        let mut rest = text;
        while !rest.is_empty() {
            // No more is held than is wanted at once, however much comes.
            let room = self.reach.step.max(1).min(rest.len());
            let (some, more) = rest.split_at(rest.ceil_char_boundary(room));
            rest = more;
            self.raw.push_str(some);
            if self.raw.len() >= self.due {
                self.step(into);
            }
        }
    }

    fn end(&mut self, into: &mut String) {
        let mut cuts = Cuts::new(self.given, []);
        let clean = self.redactor.without(&self.raw, &mut cuts);
        let clean = clean.as_deref().unwrap_or(&self.raw);
        into.push_str(clean.get(cuts.from..).unwrap_or_default());
        self.raw.clear();
        (self.given, self.due) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::Redact as _;
    use crate::redact::RedactConfig;

    fn redactor() -> Redactor {
        let key = Some(marple_core::Secret::new("test"));
        Redactor::new(&RedactConfig { key, ..RedactConfig::default() }).unwrap()
    }

    const MOST: usize = Reach::SMALL.most + Reach::SMALL.object + 2 * Reach::SMALL.step;

    fn streamed(redactor: &Redactor, text: &str, piece: usize) -> String {
        let mut stream = Stream::new(redactor, Reach::SMALL);
        let mut clean = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (some, more) = rest.split_at(rest.ceil_char_boundary(piece.min(rest.len())));
            stream.push(some, &mut clean);
            rest = more;
        }
        stream.end(&mut clean);
        clean
    }

    #[test]
    fn what_tells_of_a_secret_may_stand_behind_it_and_far_before() {
        let filling = "2026-01-02T03:04:05Z INFO started in 5 ms\n".repeat(12);
        let secret = format!("apiVersion: v1\ndata:\n  any: {}\nkind: Secret\n", "QUJD".repeat(30));
        let later = format!("{}data:\n  other: {}\n", filling.repeat(5), "REVG".repeat(9));
        let text = format!("{filling}{secret}{later}");
        let redactor = redactor();
        for piece in [7, 100, 10_000] {
            let clean = streamed(&redactor, &text, piece);
            assert_eq!(clean, redactor.redact(&text));
            assert!(!clean.contains("QUJD") && !clean.contains("REVG"), "{clean}");
        }
    }

    #[test]
    fn a_secret_that_is_longer_than_all_that_is_held_does_not_pass() {
        let redactor = redactor();
        let lines = |line: &str| format!("{line}\n").repeat(400);
        let texts = [
            format!("-----BEGIN RSA PRIVATE KEY-----\n{}", lines("MIIEpAIBAAKCAQEAhunter2")),
            format!("-----BEGIN RSA PRIVATE KEY-----{}", "MIIEpAIBAAKCAQEAhunter2".repeat(400)),
            format!("a: 1\npassword: |\n{}b: 2\n", lines("  all of hunter2 is secret")),
            format!("kind: Secret\nstringData:\n{}type: Opaque\n", lines("  name: hunter2")),
            format!("{{\n  \"kind\": \"Secret\",\n  \"stringData\": {{\n{}", lines("    \"name\": \"hunter2\",")),
            format!("- kind: Secret\n  stringData:\n    name: |\n{}  type: Opaque\n", lines("      is hunter2")),
        ];
        for text in &texts {
            for piece in [50, 100_000] {
                let clean = streamed(&redactor, text, piece);
                assert!(!clean.contains("hunter2"), "{clean}");
            }
        }
    }

    #[test]
    fn a_line_that_is_longer_than_all_that_is_held_is_cut_between_words() {
        let redactor = redactor();
        let text = "word, password=hunter2 and more ".repeat(500);
        for piece in [50, 100_000] {
            assert_eq!(streamed(&redactor, &text, piece), redactor.redact(&text));
        }
    }

    #[test]
    fn no_more_is_held_than_is_said() {
        let redactor = redactor();
        let mut stream = Stream::new(&redactor, Reach::SMALL);
        let mut clean = String::new();
        for text in ["x".repeat(20_000), "data: {\n".repeat(3_000), "-----BEGIN PRIVATE KEY-----A".repeat(900)] {
            for piece in text.as_bytes().chunks(100) {
                stream.push(std::str::from_utf8(piece).unwrap(), &mut clean);
                assert!(stream.raw.len() <= MOST, "{}", stream.raw.len());
            }
        }
    }
}
