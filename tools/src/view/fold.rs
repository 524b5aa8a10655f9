//! Lines that repeat, told once.

use std::collections::HashMap;

/// The longest cycle of lines that is found.
const LONGEST_CYCLE: usize = 12;

/// A stretch of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Folded<'a> {
    /// One line, as it is.
    Line(&'a str),
    /// The lines before it, `cycle` of them, repeat `times` more, up to `last`.
    Repeats {
        /// How many lines make the cycle.
        cycle: usize,
        /// How often it comes again.
        times: usize,
        /// Whether the repeats are the same word for word.
        exact: bool,
    },
}

impl Folded<'_> {
    /// The line that stands for it.
    pub(crate) fn note(&self) -> Option<String> {
        let Self::Repeats { cycle, times, exact } = self else { return None };
        let left_out = grouped(cycle * times);
        let what = if *cycle == 1 { "line".to_owned() } else { format!("{cycle} lines") };
        let differing = if *exact { "" } else { ", differing in numbers, times or ids" };
        let lines = if cycle * times == 1 { "line" } else { "lines" };
        Some(format!("… the {what} above again, {}{differing}: {left_out} {lines} left out …", often(*times)))
    }

    /// How many lines it stands for.
    pub(crate) const fn lines(&self) -> usize {
        match self {
            Self::Line(_) => 1,
            Self::Repeats { cycle, times, .. } => *cycle * *times,
        }
    }
}

fn often(times: usize) -> String {
    if times == 1 { "once".to_owned() } else { format!("{} times", grouped(times)) }
}

/// A number with commas between thousands.
pub(crate) fn grouped(number: impl TryInto<u64>) -> String {
    marple_core::grouped(number.try_into().unwrap_or(u64::MAX))
}

/// Folds cycles of up to twelve lines that repeat one after the other. Times, ids and numbers don't count in the
/// comparison, but the class of a number that could be an HTTP status does: 500 among 200s is news.
pub(crate) fn fold<'a>(lines: &[&'a str]) -> Vec<Folded<'a>> {
    let mut known = HashMap::new();
    let keys: Vec<usize> = lines
        .iter()
        .map(|line| {
            let next = known.len();
            *known.entry(normalised(line)).or_insert(next)
        })
        .collect();
    let mut folded = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let Some((cycle, times)) = repeats(&keys, at) else {
            folded.push(Folded::Line(line));
            at += 1;
            continue;
        };
        let block = lines.get(at..at + cycle).unwrap_or_default();
        let rest = lines.get(at + cycle..at + cycle * (times + 1)).unwrap_or_default();
        folded.extend(block.iter().map(|line| Folded::Line(line)));
        let repeats = Folded::Repeats { cycle, times, exact: rest.chunks(cycle).all(|repeat| repeat == block) };
        let saved = rest.iter().map(|line| line.len() + 1).sum::<usize>();
        if repeats.note().is_some_and(|note| note.len() < saved) {
            folded.push(repeats);
        } else {
            folded.extend(rest.iter().map(|line| Folded::Line(line)));
        }
        at += cycle * (times + 1);
    }
    folded
}

/// The cycle that begins at `at` and saves the most lines, and how often it comes again. A fold costs a line, so it must save two.
fn repeats(keys: &[usize], at: usize) -> Option<(usize, usize)> {
    let rest = keys.get(at..).unwrap_or_default();
    (1..=LONGEST_CYCLE.min(rest.len() / 2))
        .filter_map(|cycle| {
            let block = rest.get(..cycle)?;
            let times = rest.chunks_exact(cycle).skip(1).take_while(|chunk| *chunk == block).count();
            (times * cycle >= 2).then_some((cycle, times))
        })
        // Of two that save the same, the shorter cycle reads better.
        .max_by_key(|(cycle, times)| (cycle * times, std::cmp::Reverse(*cycle)))
}

/// The line with its varying parts replaced: what two lines of the same statement have in common.
pub(crate) fn normalised(line: &str) -> String {
    let mut text = String::with_capacity(line.len().min(512));
    // Two lines that agree in so many letters come from the same statement.
    let mut word = String::new();
    for letter in line.chars().take(2000) {
        if letter.is_ascii_alphanumeric() {
            word.push(letter);
        } else {
            end_word(&mut text, &word);
            word.clear();
            text.push(letter);
        }
    }
    end_word(&mut text, &word);
    text
}

fn end_word(text: &mut String, word: &str) {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        text.push_str(word);
    } else if digits == word.len() {
        if let (3, Some(class @ (b'4' | b'5'))) = (word.len(), word.bytes().next()) {
            text.push(char::from(class));
        }
        text.push('#');
    } else if word.bytes().all(|byte| byte.is_ascii_hexdigit()) || word.len() >= 5 && digits * 4 >= word.len() {
        text.push('#');
    } else {
        // A number with a unit, or a name with a number, as `12ms`, `T03`, `worker2`.
        let mut number = false;
        for letter in word.chars() {
            if letter.is_ascii_digit() {
                if !number {
                    text.push('#');
                }
                number = true;
            } else {
                text.push(letter);
                number = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let lines: Vec<&str> = text.lines().collect();
        let folded = fold(&lines);
        assert_eq!(folded.iter().map(Folded::lines).sum::<usize>(), lines.len(), "every line is accounted for");
        let line = |folded: &Folded<'_>| match folded {
            Folded::Line(line) => (*line).to_owned(),
            repeats @ Folded::Repeats { .. } => repeats.note().unwrap_or_default(),
        };
        folded.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_cycle_is_told_once_though_times_and_ids_differ() {
        let cycle = |n: u32| format!("2026-01-02T03:04:{n:02}Z retry {n} of db-7f{n}c9d took {n}ms\n  at connect\n");
        let text = (10..30).map(cycle).collect::<String>() + "gave up";
        assert_eq!(
            shown(&text),
            "2026-01-02T03:04:10Z retry 10 of db-7f10c9d took 10ms\n  at connect\n… the 2 lines above again, 19 times, \
             differing in numbers, times or ids: 38 lines left out …\ngave up"
        );
    }

    #[test]
    fn a_failed_request_among_good_ones_stays() {
        let good = "GET /carts/of/a/customer 200 5ms\n".repeat(5);
        assert_eq!(
            shown(&format!("{good}GET /carts/of/a/customer 500 6ms\nGET /carts/of/a/customer 200 5ms")),
            "GET /carts/of/a/customer 200 5ms\n… the line above again, 4 times: 4 lines left out …\n\
             GET /carts/of/a/customer 500 6ms\nGET /carts/of/a/customer 200 5ms"
        );
    }

    #[test]
    fn what_is_shorter_than_the_note_on_it_is_not_folded() {
        assert_eq!(shown("a\na\na\nb"), "a\na\na\nb");
        let line = "connection refused by the database";
        assert_eq!(
            shown(&format!("{line}\n{line}\n{line}")),
            format!("{line}\n… the line above again, 2 times: 2 lines left out …")
        );
    }
}
