//! What is known around an object.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::object::ObjectKey;

/// The restarts of a container that were seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restarts {
    /// The container.
    pub container: String,
    /// When each was, oldest first.
    pub at: Vec<Timestamp>,
}

/// What is known around an object when it is judged.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What names it.
    pub key: &'a ObjectKey,
    /// For a pod: the restarts of its containers inside the window of [`CrashLoop`](super::CrashLoop).
    pub restarts: &'a [Restarts],
    /// For a Job: when one of its CronJob's last succeeded.
    pub owner_succeeded: Option<Timestamp>,
    /// The classes whose claims rightly wait for a pod.
    pub waiting_classes: &'a BTreeSet<Box<str>>,
    /// Whether the credentials don't allow to watch the pods themselves.
    pub pods_unseen: bool,
}
