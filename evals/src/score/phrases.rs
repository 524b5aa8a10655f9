//! The words by which the exact rules read prose.

use std::sync::LazyLock;

use regex::Regex;

/// A pattern, whatever the case of its letters.
pub(super) struct Phrase(Option<Regex>);

/// What is looked for in a sentence.
pub(super) struct Phrases {
    /// A stated verdict; its word is the first group.
    pub(super) verdict: Phrase,
    /// Claims what the root of it is.
    pub(super) root: Phrase,
    /// Claims a cause.
    pub(super) claim: Phrase,
    /// Denies one.
    pub(super) denial: Phrase,
    /// Says that nothing is broken.
    pub(super) no_fault: Phrase,
    /// Says that it can't be told.
    pub(super) inconclusive: Phrase,
    /// The heading of what is no cause.
    pub(super) denying_heading: Phrase,
}

impl Phrase {
    /// One of this pattern. A pattern that can't be read is in no text, which the tests of this module would show.
    pub(super) fn new(pattern: &str) -> Self {
        Self(Regex::new(&format!("(?i){pattern}")).ok())
    }

    /// Whether a text has it.
    pub(super) fn is_in(&self, text: &str) -> bool {
        self.0.as_ref().is_some_and(|pattern| pattern.is_match(text))
    }

    /// What its first group is in a text.
    pub(super) fn group<'a>(&self, text: &'a str) -> Option<&'a str> {
        Some(self.0.as_ref()?.captures(text)?.get(1)?.as_str())
    }

    /// Where its first group is in a text from `from` on.
    pub(super) fn group_from(&self, text: &str, from: usize) -> Option<std::ops::Range<usize>> {
        let found = self.0.as_ref()?.captures_at(text, from)?.get(1)?;
        Some(found.range())
    }
}

pub(super) static PHRASES: LazyLock<Phrases> = LazyLock::new(|| Phrases {
    verdict: Phrase::new(r"^\s*verdict\W+(fault|no[ _-]?fault|inconclusive)\b"),
    root: Phrase::new(r"\broot[ -]cause\b|^\s*(the )?cause( is|:)"),
    claim: Phrase::new(
        r"\bcaus(e|ed|es|ing)\b|\bbecause\b|\bdue to\b|\bas a result of\b|\bresult(s|ed|ing)? from\b|\bstem(s|med)? from\b|\breason (is|for|why)\b|\bculprit\b|\bresponsible for\b|\btriggered by\b|\b(led|leads) to\b",
    ),
    denial: Phrase::new(
        r"\b(is|was|are|were)( likely| probably)?( not|n['’]t)\b.{0,30}\b(cause|caused|causing|culprit|responsible|related)\b|\b(did|does|do|could|can) ?(not|n['’]t) (have )?caus|\bnot (the|a|its|an) (root[ -])?cause\b|\bnot (because|due to|caused)\b|\bunrelated\b|\brul(ed|es|ing) out\b|\bred herring\b|\bno evidence (that|of)\b|\bcoinciden",
    ),
    no_fault: Phrase::new(
        r"\bno[ _-]fault\b|\bnothing( here| there)? (is|was|seems|appears)( to be)? (broken|wrong)\b|\bfalse (alarm|positive)\b|\b(working|behaving|behaves|works|operating) as (intended|designed|expected)\b|\bno (real |actual |current )?(problem|incident|issue)( was| is|s were)? (found|present|there)\b|\bno action (is )?(needed|required)\b|\b(is|are|everything is|all is) (healthy and|expected behaviou?r)\b|\bexpected behaviou?r\b",
    ),
    inconclusive: Phrase::new(
        r"\binconclusive\b|\b(could|can|was|were|am|is)( ?not|n['’]t| unable to| not able to) (be )?(determin|establish|identif|conclu|pinpoint|able to (determin|establish|identif))\w*|\bunable to (determine|establish|identify|conclude|pinpoint)\b|\b(not enough|insufficient) (evidence|information|data)\b|\bcause (is|remains) (unknown|unclear)\b",
    ),
    denying_heading: Phrase::new(
        r"rul(ed|ing) out|not the cause|unrelated|red herring|other (things|findings|observations)|considered|dismissed",
    ),
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_can_be_read() {
        let Phrases { verdict, root, claim, denial, no_fault, inconclusive, denying_heading } = &*PHRASES;
        for phrase in [verdict, root, claim, denial, no_fault, inconclusive, denying_heading] {
            assert!(phrase.0.is_some());
        }
    }
}
