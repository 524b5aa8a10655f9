//! The short things that are said in the course of an investigation.

use marple_core::EvidenceId;
use serde::Serialize;

use crate::{Hypothesis, Mode};

/// Something said to the model in the course of an investigation; each is a template in `prompts/notes`.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Note<'a> {
    /// The call was made before, and its result still stands in the conversation.
    Repeat { evidence: Option<EvidenceId> },
    /// The call was made before, and its result follows again because it was folded.
    RepeatShown {},
    /// No tool has this name.
    NoSuchTool { name: &'a str, tools: &'a [&'a str] },
    /// The arguments are no JSON object.
    BadArguments { fault: &'a str, written: &'a str },
    /// More calls in one turn than are made.
    TooMany { most: usize },
    /// The budget of calls is spent.
    CallsSpent { most: u32 },
    /// A look, though only a conclusion is possible.
    NotNow { mode: Mode },
    /// A look beside a conclusion.
    BesideConclude {},
    /// The answer was cut.
    Cut {},
    /// The provider withheld the answer.
    Withheld {},
    /// No further look is possible.
    ConcludeNow { mode: Mode, why: &'a str },
    /// The conclusion has faults that can be mended.
    Mend { faults: &'a [String] },
    /// The conclusion holds so far; what would speak against it is to be looked for.
    Refute {},
    /// The conclusion does not fit its schema.
    BadConclusion { fault: &'a str },
    /// Neither a call nor a conclusion came.
    SayOrLook { mode: Mode },
    /// The call was still running at the end of the time.
    OutOfTime {},
    /// Stands for the middle of a long result.
    Shortened { left: usize, evidence: Option<EvidenceId> },
    /// Stands for a result that was folded.
    Folded { evidence: Option<EvidenceId>, title: &'a str },
    /// The conversation is to be summed up in so many words.
    SumUp { words: u32 },
    /// Stands for all that was summed up.
    Summary { summary: &'a str, hypotheses: &'a [Hypothesis], results: &'a [&'a str], more: usize },
    /// The answer cites what isn't so.
    MendAnswer { faults: &'a [String] },
    /// An answer that cites what isn't so, as people see it.
    Unverified { answer: &'a str, faults: &'a [String] },
    /// The hypotheses were kept.
    Weighed {},
    /// The hypotheses could not be read.
    BadHypotheses { fault: &'a str },
}

impl Note<'_> {
    /// The template's name.
    pub(super) fn template(&self) -> &'static str {
        match self {
            Self::Repeat { .. } => "notes/repeat.j2",
            Self::RepeatShown {} => "notes/repeat_shown.j2",
            Self::NoSuchTool { .. } => "notes/no_such_tool.j2",
            Self::BadArguments { .. } => "notes/bad_arguments.j2",
            Self::TooMany { .. } => "notes/too_many.j2",
            Self::CallsSpent { .. } => "notes/calls_spent.j2",
            Self::NotNow { .. } => "notes/not_now.j2",
            Self::BesideConclude {} => "notes/beside_conclude.j2",
            Self::Cut {} => "notes/cut.j2",
            Self::Withheld {} => "notes/withheld.j2",
            Self::ConcludeNow { .. } => "notes/conclude_now.j2",
            Self::Mend { .. } => "notes/mend.j2",
            Self::Refute {} => "notes/refute.j2",
            Self::BadConclusion { .. } => "notes/bad_conclusion.j2",
            Self::SayOrLook { .. } => "notes/say_or_look.j2",
            Self::OutOfTime {} => "notes/out_of_time.j2",
            Self::Shortened { .. } => "notes/shortened.j2",
            Self::Folded { .. } => "notes/folded.j2",
            Self::SumUp { .. } => "notes/sum_up.j2",
            Self::Summary { .. } => "notes/summary.j2",
            Self::MendAnswer { .. } => "notes/mend_answer.j2",
            Self::Unverified { .. } => "notes/unverified.j2",
            Self::Weighed {} => "notes/weighed.j2",
            Self::BadHypotheses { .. } => "notes/bad_hypotheses.j2",
        }
    }

    /// One of each, to try templates with.
    pub(super) fn samples() -> Vec<Self> {
        let evidence = Some(EvidenceId(12));
        vec![
            Self::Repeat { evidence },
            Self::Repeat { evidence: None },
            Self::RepeatShown {},
            Self::NoSuchTool { name: "kubectl", tools: &["kubernetes_get", "conclude"] },
            Self::BadArguments { fault: "expected `,` at column 7", written: "{\"a\" 1}" },
            Self::TooMany { most: 16 },
            Self::CallsSpent { most: 60 },
            Self::NotNow { mode: Mode::Conclude },
            Self::NotNow { mode: Mode::Answer },
            Self::BesideConclude {},
            Self::Cut {},
            Self::Withheld {},
            Self::ConcludeNow { mode: Mode::Conclude, why: "the budget of time nears its end" },
            Self::ConcludeNow { mode: Mode::Answer, why: "the budget of time nears its end" },
            Self::Mend { faults: &[] },
            Self::Refute {},
            Self::BadConclusion { fault: "argument `verdict` is missing" },
            Self::SayOrLook { mode: Mode::Conclude },
            Self::SayOrLook { mode: Mode::Answer },
            Self::OutOfTime {},
            Self::Shortened { left: 12_000, evidence },
            Self::Folded { evidence, title: "logs of Pod shop/cart-1 container app, previous" },
            Self::SumUp { words: 400 },
            Self::Summary { summary: "cart waits for db.", hypotheses: &[], results: &[], more: 0 },
            Self::MendAnswer { faults: &[] },
            Self::Unverified { answer: "It is the quota [e99].", faults: &[] },
            Self::Weighed {},
            Self::BadHypotheses { fault: "argument `hypotheses` is missing" },
        ]
    }
}
