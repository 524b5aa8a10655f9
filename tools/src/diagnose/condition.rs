//! Which conditions there are, and what each can say about a cause.

use super::DIAGNOSERS;

/// What a condition can say about a cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// It is a cause: what to change is known from it.
    Cause,
    /// It leads to another object, its culprit, in which the cause lies.
    Pointer,
    /// It shows that something is broken and not why.
    Symptom,
    /// It explains nothing alone, and is worth knowing beside a cause.
    Context,
}

/// A condition that a diagnoser knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    /// Its stable word, as `container-oom-killed`.
    pub word: &'static str,
    /// What it can say about a cause.
    pub role: Role,
    /// Which of two findings on the same object tells more: the lower.
    pub rank: u8,
    /// Whether the cluster says it itself; else it is inferred, and a conclusion from it is less sure.
    pub told: bool,
}

impl Condition {
    /// A cause. Of two the lower `rank` tells more.
    pub(super) const fn cause(word: &'static str, rank: u8) -> Self {
        Self { word, role: Role::Cause, rank, told: true }
    }

    /// The same, inferred rather than told by the cluster.
    pub(super) const fn likely(self) -> Self {
        Self { told: false, ..self }
    }

    /// A pointer to another object.
    pub(super) const fn pointer(word: &'static str, rank: u8) -> Self {
        Self { word, role: Role::Pointer, rank, told: true }
    }

    /// A symptom.
    pub(super) const fn symptom(word: &'static str, rank: u8) -> Self {
        Self { word, role: Role::Symptom, rank, told: true }
    }

    /// Something to know.
    pub(super) const fn context(word: &'static str) -> Self {
        Self { word, role: Role::Context, rank: 0, told: true }
    }
}

/// The condition of this word.
pub fn condition(word: &str) -> Option<&'static Condition> {
    DIAGNOSERS.iter().flat_map(|diagnoser| diagnoser.conditions).find(|condition| condition.word == word)
}

/// Every condition that the rules know.
pub fn conditions() -> impl Iterator<Item = &'static Condition> {
    DIAGNOSERS.iter().flat_map(|diagnoser| diagnoser.conditions)
}
