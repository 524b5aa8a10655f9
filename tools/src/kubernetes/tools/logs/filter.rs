//! Which lines of a log are shown.

use std::fmt::Write as _;

use regex::{Regex, RegexBuilder};

use crate::view::grouped;

/// Which lines of a log are shown.
pub(super) struct Filter {
    pattern: Option<Regex>,
    context: usize,
    last: usize,
    invert: bool,
}

impl Filter {
    /// Without a pattern all lines are shown. An error says what is wrong with the pattern.
    /// Of the lines that match only the last so many are shown.
    pub(super) fn new(pattern: Option<&str>, context: u32, last: Option<u32>, invert: bool) -> Result<Self, String> {
        let compiled = pattern.map(|pattern| {
            RegexBuilder::new(pattern).case_insensitive(true).size_limit(1 << 20).build().map_err(|error| {
                format!("argument `grep` is {pattern:?}, which is no regular expression: {error}; a literal bracket or parenthesis needs a backslash")
            })
        });
        let last = last.map_or(usize::MAX, |last| usize::try_from(last).unwrap_or(usize::MAX));
        Ok(Self { pattern: compiled.transpose()?, context: context.min(50) as usize, last, invert })
    }

    /// The lines that match, as `17: text`, with those around them, as `18- text`; gaps are `--`.
    pub(super) fn apply(&self, log: &str) -> String {
        let Some(pattern) = &self.pattern else {
            return if log.trim().is_empty() { "(the log is empty)\n".to_owned() } else { log.to_owned() };
        };
        let lines: Vec<&str> = log.lines().collect();
        let matching: Vec<usize> = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| pattern.is_match(line) != self.invert)
            .map(|(index, _)| index)
            .collect();
        let not = if self.invert { " does not" } else { "" };
        if matching.is_empty() {
            let verb = if self.invert { "do not match" } else { "match" };
            return format!("(none of {} lines {verb})\n", grouped(lines.len()));
        }
        let mut text = format!("({} of {} lines{not} match)\n", grouped(matching.len()), grouped(lines.len()))
            .replace("does not match", "that don't match");
        let earlier = matching.len().saturating_sub(self.last);
        if earlier > 0 {
            let _ = writeln!(text, "({} earlier left out)", grouped(earlier));
        }
        let mut next = 0;
        let mut matches = matching.iter().copied().skip(earlier).peekable();
        while let Some(at) = matches.next() {
            let from = at.saturating_sub(self.context).max(next);
            if self.context > 0 && next > 0 && from > next {
                text.push_str("--\n");
            }
            let to = matches.peek().map_or(lines.len(), |following| *following).min(at + self.context + 1);
            for (index, line) in lines.iter().enumerate().take(to).skip(from) {
                let mark = if index == at { ':' } else { '-' };
                let _ = writeln!(text, "{}{mark} {line}", index + 1);
            }
            next = to.max(at + 1);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "start\nconnect db\nERROR refused\nretry\nretry\nretry\nerror refused again\nend\n";

    fn shown(pattern: &str, context: u32, invert: bool) -> String {
        Filter::new(Some(pattern), context, None, invert).unwrap().apply(LOG)
    }

    #[test]
    fn of_what_matches_the_last_are_shown() {
        assert_eq!(
            Filter::new(Some("error"), 0, Some(1), false).unwrap().apply(LOG),
            "(2 of 8 lines match)\n(1 earlier left out)\n7: error refused again\n"
        );
    }

    #[test]
    fn matches_are_shown_with_their_numbers_and_surroundings() {
        assert_eq!(
            shown("error", 1, false),
            "(2 of 8 lines match)\n2- connect db\n3: ERROR refused\n4- retry\n--\n6- retry\n7: error refused again\n8- end\n"
        );
    }

    #[test]
    fn surroundings_that_overlap_are_shown_once() {
        assert_eq!(shown("refused", 3, false).lines().count(), 9);
        assert_eq!(
            shown("retry", 1, false),
            "(3 of 8 lines match)\n3- ERROR refused\n4: retry\n5: retry\n6: retry\n7- error refused again\n"
        );
    }

    #[test]
    fn what_does_not_match_is_shown_when_asked_for_and_nothing_is_said_to_be_nothing() {
        assert_eq!(shown("r", 0, true), "(2 of 8 lines that don't match)\n2: connect db\n8: end\n");
        assert_eq!(shown("panic", 2, false), "(none of 8 lines match)\n");
    }

    #[test]
    fn a_bad_pattern_is_told() {
        let fault = Filter::new(Some("a(b"), 0, None, false).err().unwrap();
        assert!(fault.contains("argument `grep` is \"a(b\"") && fault.contains("backslash"), "{fault}");
    }
}
