//! Tells thoughts, and calls that are written as words, from the words of an answer.

use super::assembly::Piece;

/// The marks around thoughts, in the servers and models in use.
const THOUGHTS: [(&str, &str); 3] =
    [("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<thought>", "</thought>")];

/// What begins a call that is written as words. A brace begins one only on a line of its own.
const CALLS: [&str; 6] = ["<tool_call", "<function=", "<function_call", "[TOOL_CALLS]", "<|python_tag|>", "```"];

/// Where in an answer its pieces are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    /// Nothing but white space has come, or thoughts.
    #[default]
    Beginning,
    /// In thoughts, which end with this.
    Thoughts(&'static str),
    Words,
    /// In calls, after which nothing is shown.
    Calls,
}

/// Sorts the pieces of an answer as they come, to be shown. What may be the beginning of a mark waits for the next piece.
#[derive(Debug, Default)]
pub(super) struct Words {
    part: Part,
    waiting: String,
    hides_calls: bool,
}

impl Words {
    /// Without calls that are written as words.
    pub(super) fn without_calls() -> Self {
        Self { hides_calls: true, ..Self::default() }
    }

    /// What of this piece is to be shown.
    pub(super) fn take(&mut self, text: &str) -> Piece {
        let mut piece = Piece::default();
        self.waiting.push_str(text);
        while self.step(&mut piece) {}
        piece
    }

    /// Sorts what waits, as far as it is clear; says whether there may be more.
    fn step(&mut self, piece: &mut Piece) -> bool {
        match self.part {
            Part::Beginning => {
                let begun = self.waiting.trim_start();
                if let Some((open, close)) = THOUGHTS.iter().find(|(open, _)| begun.starts_with(open)) {
                    self.waiting = begun.strip_prefix(open).unwrap_or_default().to_owned();
                    self.part = Part::Thoughts(close);
                    return true;
                }
                if begun.is_empty() || THOUGHTS.iter().any(|(open, _)| open.starts_with(begun)) {
                    return false;
                }
                self.waiting = begun.to_owned();
                self.part = Part::Words;
                true
            }
            Part::Thoughts(close) => {
                if let Some((thoughts, rest)) = self.waiting.split_once(close) {
                    piece.thinking.push_str(thoughts);
                    self.waiting = rest.to_owned();
                    self.part = Part::Beginning;
                    return true;
                }
                let kept = beginning_of(&self.waiting, &[close]);
                piece.thinking.push_str(&taken(&mut self.waiting, kept));
                false
            }
            Part::Words if self.hides_calls => {
                let call = CALLS.iter().filter_map(|mark| self.waiting.find(mark)).min();
                if let Some(place) = call {
                    piece.text.push_str(&taken(&mut self.waiting, place));
                    self.part = Part::Calls;
                    return true;
                }
                let kept = beginning_of(&self.waiting, &CALLS);
                piece.text.push_str(&taken(&mut self.waiting, kept));
                false
            }
            Part::Words => {
                piece.text.push_str(&std::mem::take(&mut self.waiting));
                false
            }
            Part::Calls => {
                self.waiting.clear();
                false
            }
        }
    }
}

/// Where the end of a text begins that may be the beginning of one of these.
fn beginning_of(text: &str, marks: &[&str]) -> usize {
    let starts = text.char_indices().map(|(at, _)| at);
    let begins = |at: &usize| text.get(*at..).is_some_and(|end| marks.iter().any(|mark| mark.starts_with(end)));
    starts.filter(|at| *at + 16 > text.len()).find(begins).unwrap_or(text.len())
}

/// Takes the text up to there.
fn taken(text: &mut String, end: usize) -> String {
    let rest = text.get(end..).unwrap_or_default().to_owned();
    text.truncate(end);
    std::mem::replace(text, rest)
}

/// Without the thoughts that some servers leave at the beginning of the words; of these, some leave only their end.
pub(super) fn without_thoughts(content: &str) -> String {
    let begun = content.trim_start();
    for (open, close) in THOUGHTS {
        if let Some(rest) = begun.strip_prefix(open) {
            return rest.split_once(close).map_or("", |(_, rest)| rest).trim().to_owned();
        }
        if let Some((thoughts, rest)) = begun.split_once(close)
            && !thoughts.contains(open)
        {
            return rest.trim().to_owned();
        }
    }
    begun.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown of an answer that comes in pieces of so many characters.
    fn shown(mut words: Words, answer: &str, size: usize) -> (String, String) {
        let letters: Vec<char> = answer.chars().collect();
        let (mut thinking, mut text) = (String::new(), String::new());
        for chunk in letters.chunks(size) {
            let piece = words.take(&chunk.iter().collect::<String>());
            thinking.push_str(&piece.thinking);
            text.push_str(&piece.text);
        }
        (thinking, text)
    }

    #[test]
    fn thoughts_are_told_from_words_however_they_are_cut() {
        for size in 1..12 {
            let answer = shown(Words::default(), "\n<think>hm </thin {</think>\n\nYes, <b>.", size);
            assert_eq!(answer, ("hm </thin {".to_owned(), "Yes, <b>.".to_owned()), "{size}");
            assert_eq!(shown(Words::default(), "No <think>.", size).1, "No <think>.", "{size}");
        }
    }

    #[test]
    fn calls_that_are_written_as_words_are_not_shown() {
        for size in 1..12 {
            let answer = "I look <now>.\n<tool_call>\n{\"name\": \"logs\"}\n</tool_call>";
            assert_eq!(shown(Words::without_calls(), answer, size).1, "I look <now>.\n", "{size}");
        }
    }

    #[test]
    fn an_answer_is_without_its_thoughts() {
        for (content, words) in [
            ("<think>hm {</think>\nYes.", "Yes."),
            ("  <thought>hm</thought>Yes.", "Yes."),
            ("hm\n</think>\n\nYes.", "Yes."),
            ("<think>it never ends", ""),
            ("It says <think> and </think>.", "It says <think> and </think>."),
            ("Yes. ", "Yes."),
        ] {
            assert_eq!(without_thoughts(content), words, "{content}");
        }
    }
}
