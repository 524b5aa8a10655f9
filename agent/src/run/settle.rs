//! What rules change in a conclusion once it is checked.

use marple_core::conclusion::SUMMARY_LIMIT;
use marple_core::{Cause, Conclusion, Confidence, Link, Verdict};

use super::Run;

impl Run {
    /// The conclusion with its confidence by rule, a summary of bounded length, and all that could not be seen.
    pub(super) fn settled(&self, mut conclusion: Conclusion) -> Conclusion {
        if conclusion.verdict == Verdict::Fault && conclusion.cause.is_none() {
            conclusion.verdict = Verdict::Inconclusive;
        }
        if conclusion.verdict != Verdict::Fault
            && let Some(cause) = conclusion.cause.take()
        {
            // What was suspected is worth reading, and is no cause.
            conclusion.chain.push(Link {
                object: cause.object,
                statement: cause.statement,
                citations: cause.citations,
            });
        }
        conclusion.confidence = conclusion.confidence.min(highest(&conclusion));
        if conclusion.summary.trim().is_empty() {
            conclusion.summary = match &conclusion.cause {
                Some(cause) => format!("{}: {}", cause.object, cause.statement),
                None => self.rules.summary.clone(),
            };
        }
        conclusion.summary = cut_at_word(&conclusion.summary, SUMMARY_LIMIT);
        self.add_unseen(&mut conclusion);
        conclusion
    }

    /// What a conclusion leaves open of what the rules have proven: it must name their cause, be it as the cause, on the
    /// way to it, or as what is ruled out.
    pub(super) fn contradiction(&self, conclusion: &Conclusion) -> Option<String> {
        let rules = &self.rules;
        let proven = rules.verdict == Verdict::Fault && rules.confidence == Confidence::High;
        let cause = rules.cause.as_ref().filter(|_| proven)?;
        let chain = conclusion.chain.iter().map(|link| (&link.object, &link.statement));
        let told = conclusion.cause.iter().map(|cause| (&cause.object, &cause.statement)).chain(chain);
        let ruled_out = conclusion.ruled_out.iter().map(|claim| &claim.statement);
        let name = cause.object.name.as_str();
        // A Pod's name begins with that of the workload that it stands for.
        let named =
            told.clone().any(|(object, _)| object.name == name || name.starts_with(&format!("{}-", object.name)));
        let weighed = told.map(|(_, statement)| statement).chain(ruled_out).any(|statement| statement.contains(name));
        (!named && !weighed).then(|| {
            let Cause { object, statement, .. } = cause;
            format!(
                "the rules have proven {object}: {statement} Name it as the cause or in the chain, or say in ruled_out, \
                 with what you saw, why it is neither"
            )
        })
    }

    /// Adds what neither the capture nor the calls could see, whether or not the model named it.
    pub(super) fn add_unseen(&self, conclusion: &mut Conclusion) {
        for unseen in self.rules.unseen.iter().chain(self.unseen.values()) {
            conclusion.add_unseen(unseen);
        }
    }
}

/// The highest confidence that the citations bear: low where the cause has none or one that was not found, or where a
/// verdict cites nothing at all; medium where one of a link was not found.
fn highest(conclusion: &Conclusion) -> Confidence {
    let found = |citations: &[marple_core::Citation]| citations.iter().all(|citation| citation.verified);
    match &conclusion.cause {
        Some(cause) if cause.citations.is_empty() || !found(&cause.citations) => Confidence::Low,
        None if !conclusion.citations().any(|citation| citation.verified) => Confidence::Low,
        _ if conclusion.chain.iter().any(|link| !found(&link.citations)) => Confidence::Medium,
        _ => Confidence::High,
    }
}

/// The text with at most so many characters, ended at a word.
pub(super) fn cut_at_word(text: &str, most: usize) -> String {
    let text = text.trim();
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let head: String = text.chars().take(most.saturating_sub(2)).collect();
    let whole = head.rfind(char::is_whitespace).and_then(|end| head.get(..end)).unwrap_or(&head);
    format!("{} …", whole.trim_end_matches([',', ';', ':', ' ']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_summary_ends_at_a_word() {
        assert_eq!(cut_at_word("cart waits for its database, which is gone", 20), "cart waits for …");
        assert_eq!(cut_at_word("cart waits for its database, which is gone", 31), "cart waits for its database …");
        assert_eq!(cut_at_word("short", 20), "short");
        assert_eq!(cut_at_word(&"x".repeat(400), 300).chars().count(), 300);
    }
}
