//! What errors say, however often and with whatever numbers they say it.

use std::collections::HashMap;

use jiff::Timestamp;

use super::level::Level;
use crate::view::normalised;

/// The most templates that are told apart; further ones are counted together.
const TEMPLATES: usize = 200;

/// Letters of an example that are kept.
const EXAMPLE: usize = 400;

/// Lines of one statement of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) level: Option<Level>,
    pub(crate) count: u64,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Option<Timestamp>,
    /// The line that came first.
    pub(crate) example: String,
    /// In which order they first came.
    order: usize,
}

/// The templates of the lines of a log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Templates {
    known: HashMap<String, Template>,
    others: u64,
}

impl Templates {
    /// Counts a line. Its time is asked for where it matters.
    pub(crate) fn add(&mut self, line: &[u8], level: Option<Level>, at: impl FnOnce() -> Option<Timestamp>) {
        let line = line.get(..EXAMPLE).unwrap_or(line);
        let text = String::from_utf8_lossy(line);
        let key = normalised(&text);
        let order = self.known.len();
        match self.known.get_mut(&key) {
            Some(template) => {
                template.count += 1;
                template.last = at().or(template.last);
            }
            None if order >= TEMPLATES => self.others += 1,
            None => {
                let at = at();
                let example = text.trim().to_owned();
                self.known.insert(key, Template { level, count: 1, first: at, last: at, example, order });
            }
        }
    }

    /// Adds those of another log.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (key, template) in &other.known {
            let order = self.known.len();
            match self.known.get_mut(key) {
                Some(known) => {
                    known.count += template.count;
                    known.first = [known.first, template.first].into_iter().flatten().min();
                    known.last = known.last.max(template.last);
                }
                None if order >= TEMPLATES => self.others += template.count,
                None => {
                    self.known.insert(key.clone(), Template { order, ..template.clone() });
                }
            }
        }
        self.others += other.others;
    }

    /// How many lines were counted.
    pub(crate) fn total(&self) -> u64 {
        self.known.values().map(|template| template.count).sum::<u64>() + self.others
    }

    /// The worst first, and of equally severe ones the one that was seen last.
    pub(crate) fn ranked(&self) -> Vec<&Template> {
        let mut ranked: Vec<&Template> = self.known.values().collect();
        ranked.sort_by(|left, right| (right.level, right.last, left.order).cmp(&(left.level, left.last, right.order)));
        ranked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_statement_are_one_and_the_count_of_all_is_held() {
        let mut templates = Templates::default();
        let at = |second: i64| move || Timestamp::from_second(second).ok();
        for second in 0..100 {
            templates.add(format!("WARN retry {second} of db").as_bytes(), Some(Level::Warning), at(second));
        }
        templates.add(b"ERROR gave up", Some(Level::Error), at(1));
        for word in 0..300_u32 {
            let word: String = word.to_string().bytes().map(|digit| char::from(digit + 60)).collect();
            templates.add(format!("ERROR {word}").as_bytes(), Some(Level::Error), at(0));
        }
        assert_eq!(templates.total(), 401);
        let ranked = templates.ranked();
        assert_eq!(ranked.len(), TEMPLATES);
        assert_eq!(ranked.first().unwrap().example, "ERROR gave up");
        let retries = ranked.last().unwrap();
        assert_eq!((retries.count, retries.example.as_str()), (100, "WARN retry 0 of db"));
        assert_eq!(retries.last, Timestamp::from_second(99).ok());
    }
}
