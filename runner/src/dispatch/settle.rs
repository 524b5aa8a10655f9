//! Which conclusion counts: the model's or the rules'.

use marple_agent::Outcome;
use marple_core::{Conclusion, Confidence, Verdict};

use crate::store::ConcludedBy;

/// The conclusion that counts after an investigation, and whose it is. Where the rules' one stays, what the model could not
/// see is told with it.
pub(super) fn settled(outcome: &Outcome, rules: &Conclusion) -> (Conclusion, ConcludedBy) {
    if !outcome.ending.is_of_model() {
        return (outcome.conclusion.clone(), ConcludedBy::Rules);
    }
    if !weaker(&outcome.conclusion, rules) {
        return (outcome.conclusion.clone(), ConcludedBy::Agent);
    }
    let mut conclusion = rules.clone();
    for unseen in &outcome.conclusion.unseen {
        conclusion.add_unseen(unseen);
    }
    (conclusion, ConcludedBy::Rules)
}

/// Whether a model's conclusion says less than what the rules have proven: a proven cause is not given up for a guess.
fn weaker(model: &Conclusion, rules: &Conclusion) -> bool {
    let proven = rules.verdict == Verdict::Fault && rules.confidence == Confidence::High;
    proven && (model.verdict != Verdict::Fault || model.confidence == Confidence::Low)
}
