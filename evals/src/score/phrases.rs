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
    /// Says so where an answer begins with it; of one thing among others it says nothing of the whole.
    pub(super) quiet: Phrase,
    /// The same where a sentence begins with it.
    pub(super) begins_quiet: Phrase,
    /// Says what is to be changed.
    pub(super) remedy: Phrase,
    /// Says that something helps nothing.
    pub(super) no_remedy: Phrase,
    /// The heading of what is to be done.
    pub(super) remedy_heading: Phrase,
    /// Speaks of a certain object by its kind.
    pub(super) object: Phrase,
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

/// What an answer says of the whole where nothing is to be done.
const QUIET: &str = r"(harmless|do nothing|nothing (left |more |here )?(to|needs to be|has to be) (do|done|fix|fixed|repair|repaired|change|changed)( here| now| about (it|this))?( in my opinion)?\s*([.,;:!)]|$)|no (real |actual )?(incident|outage|fault) (here|at all|in this)\b|(is|was)(n['’]t| not) an? (real |actual )?(incident|outage|fault)\b)";

/// What changes something, as one is told to.
const CHANGES: &str = "set|change|correct|fix|restore|put|raise|increase|lower|reduce|edit|revert|undo|roll(ing)? ?back|rename|patch|adjust|repair";

/// The same in words by which also what happens is told.
const MAKES: &str = "re-?create|create|creating|add|adding|scale|scaling|delete|deleting|remove|removing|update|point|mount|give|bring|apply|deploy|drop";

pub(super) static PHRASES: LazyLock<Phrases> = LazyLock::new(|| Phrases {
    verdict: Phrase::new(r"^\s*verdict\W+(fault|no[ _-]?fault|inconclusive)\b"),
    root: Phrase::new(r"\broot[ -]cause\b|^\s*(the )?cause( is|:)"),
    claim: Phrase::new(
        r"\bcaus(e|ed|es|ing)\b|\bbecause\b|\bdue to\b|\bas a result of\b|\bresult(s|ed|ing)? from\b|\bstem(s|med)? from\b|\breason (is|for|why)\b|\bculprit\b|\bresponsible for\b|\btriggered by\b|\b(led|leads) to\b|\bis the (reason|problem)\b",
    ),
    denial: Phrase::new(
        r"\b(is|was|are|were)( likely| probably)?( not|n['’]t)\b.{0,30}\b(cause|caused|causing|culprit|responsible|related)\b|\b(did|does|do|could|can) ?(not|n['’]t) (have )?caus|\bnot (the|a|its|an) (root[ -])?cause\b|\bnot (because|due to|caused)\b|\b(would|do|can|could)(n['’]t| not) (call|consider|regard|see|blame)\b|\bunrelated\b|\brul(ed|es|ing) out\b|\bred herring\b|\bno evidence (that|of)\b|\bcoinciden",
    ),
    no_fault: Phrase::new(
        r"\bno[ _-]fault\b|\bnothing( here| there)? (is|was|seems|appears)( to be)? (broken|wrong)\b|\bfalse (alarm|positive)\b|\b(working|behaving|behaves|works|operating) as (intended|designed|expected)\b|\bno (real |actual |current )?(problem|incident|issue)( was| is|s were)? (found|present|there)\b|\bno action (is )?(needed|required)\b|\b(is|are|everything is|all is) (healthy and|expected behaviou?r)\b|\bexpected behaviou?r\b",
    ),
    inconclusive: Phrase::new(
        r"\binconclusive\b|\b(could|can|was|were|am|is)( ?not|n['’]t| unable to| not able to) (be )?(determin|establish|identif|conclu|pinpoint|able to (determin|establish|identif))\w*|\bunable to (determine|establish|identify|conclude|pinpoint)\b|\b(not enough|insufficient) (evidence|information|data)\b|\bcause (is|remains) (unknown|unclear)\b|\bcan(not|['’]t| not) decide between\b",
    ),
    quiet: Phrase::new(&format!(
        r"\b{QUIET}|\b(do not|don['’]t) (think|see) .{{0,12}}\b(an?|any) (incident|problem|fault)\b"
    )),
    begins_quiet: Phrase::new(&format!(r"^{QUIET}")),
    remedy: Phrase::new(&format!(
        r"(^|[,;:(–] ?|\b(to|or|and|either|then|should|must|could|would|can|please|I['’]d)\s+)((just|first|simply|rather|either|better)\s+)?({CHANGES})\b|(^|[,;:(–] ?|\b(or|and|either|then|should|must|could|please|I['’]d)\s+)((just|first|simply|rather|either|better)\s+)?({MAKES})\b",
    )),
    no_remedy: Phrase::new(
        r"\b(won['’]t|will not|wouldn['’]t|would not|does(n['’]t| not)|not) (help|bring|solve|change|fix)\b|\bneeds? no change\b|\bleave\b.{0,40}\bas it is\b",
    ),
    remedy_heading: Phrase::new(
        r"\b(fix|remedy|remediation|solution|resolution|mitigation|to do|what to do|what i['’]d (do|change)|next steps?|way out|recommend\w*|action)\b|^do$",
    ),
    object: Phrase::new(
        r"(^|\b(the|its|that|of|in|by|from|to|with|missing|and|or|is|so|create|set|change|delete|undo|raise)\s+|[(:,]\s*)(config ?map|secret|deployment|stateful ?set|daemon ?set|replica ?set|cron ?job|job|service ?account|service|ingress|network ?policy|limit ?range|(resource ?)?quota|pod ?disruption ?budget|persistent ?volume( ?claim)?|storage ?class|node|namespace|role ?binding|cluster ?role ?binding|(validating|mutating) ?webhook ?configuration|horizontal ?pod ?autoscaler)s?[ :/]+[a-z0-9]",
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
        let Phrases {
            verdict,
            root,
            claim,
            denial,
            no_fault,
            quiet,
            begins_quiet,
            remedy,
            no_remedy,
            remedy_heading,
            object,
            inconclusive,
            denying_heading,
        } = &*PHRASES;
        let read = [verdict, root, claim, denial, no_fault, quiet, begins_quiet];
        for phrase in read.into_iter().chain([remedy, no_remedy, remedy_heading, object, inconclusive, denying_heading])
        {
            assert!(phrase.0.is_some());
        }
    }
}
