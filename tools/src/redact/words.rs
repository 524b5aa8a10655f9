//! Lists of words that are asked for often and seldom hold what is asked for.

/// Words in lower case. Most others are told apart by their first letter and length.
pub(super) struct Words {
    all: &'static [&'static str],
    /// A bit for each first letter, of 32 that share it.
    starts: u32,
    /// A bit for each length, of 32 that share it.
    lengths: u32,
}

impl Words {
    pub(super) const fn new(words: &'static [&'static str]) -> Self {
        let (mut starts, mut lengths) = (0, 0);
        let mut rest = words;
        while let [word, others @ ..] = rest {
            if let [first, ..] = word.as_bytes() {
                starts |= 1 << (*first & 31);
            }
            lengths |= 1 << (word.len() & 31);
            rest = others;
        }
        Self { all: words, starts, lengths }
    }

    /// Whether it is one of them, in whichever case.
    pub(super) fn has(&self, word: &str) -> bool {
        let bytes = word.as_bytes();
        // Both cases of a letter have the same low bits.
        let may_be = |first: &u8| self.starts >> (first & 31) & 1 == 1 && self.lengths >> (word.len() & 31) & 1 == 1;
        bytes.first().is_some_and(may_be) && self.all.iter().any(|one| one.eq_ignore_ascii_case(word))
    }
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn a_word_is_found_in_whichever_case() {
        const WORDS: Words = Words::new(&["true", "n/a", "''", "-"]);
        for (word, wanted) in [
            ("TRUE", true),
            ("True", true),
            ("N/A", true),
            ("''", true),
            ("-", true),
            ("tru", false),
            ("", false),
            ("nay", false),
        ] {
            assert_eq!(WORDS.has(word), wanted, "{word:?}");
        }
    }
}
