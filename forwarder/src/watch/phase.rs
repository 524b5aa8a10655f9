//! In which order kinds are listed at the start.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::config::Scope;
use crate::object::Kind;
use crate::picture::Observation;

/// How long a phase waits for kinds that can't be listed, before the next begins without them.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A phase of the start. What tells who owns an object is listed before the object, and events come after what they are
/// about, so that nothing is judged by half of what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// What owners are judged by.
    Surroundings,
    /// What objects belong to.
    Owners,
    /// What is judged.
    Objects,
    /// What is told of it.
    Events,
    /// All is known.
    Complete,
}

impl Phase {
    /// The phase in which a kind is listed.
    pub(crate) const fn of(kind: &Kind) -> Self {
        match kind {
            Kind::CronJob | Kind::StorageClass => Self::Surroundings,
            Kind::ReplicaSet | Kind::Job => Self::Owners,
            Kind::Event => Self::Events,
            _ => Self::Objects,
        }
    }

    const fn next(self) -> Self {
        match self {
            Self::Surroundings => Self::Owners,
            Self::Owners => Self::Objects,
            Self::Objects => Self::Events,
            Self::Events | Self::Complete => Self::Complete,
        }
    }
}

/// How far the start has come.
#[derive(Debug)]
pub(crate) struct Phases {
    now: Phase,
    expected: BTreeSet<(Kind, Scope)>,
}

impl Phases {
    pub(crate) const fn new() -> Self {
        Self { now: Phase::Surroundings, expected: BTreeSet::new() }
    }

    /// The phase that it is in.
    pub(crate) const fn now(&self) -> Phase {
        self.now
    }

    /// This is to be listed.
    pub(super) fn expect(&mut self, kind: Kind, scope: Scope) {
        self.expected.insert((kind, scope));
    }

    /// Notes what a watch saw. True where another phase begins by it.
    pub(crate) fn note(&mut self, observation: &Observation) -> bool {
        let (Observation::Listed(kind, scope) | Observation::Forbidden(kind, scope)) = observation else {
            return false;
        };
        self.expected.remove(&(kind.clone(), scope.clone())) && self.advance()
    }

    /// Waits no longer for what can't be listed in this phase. True where another phase begins by it.
    pub(crate) fn give_up(&mut self) -> bool {
        let now = self.now;
        self.expected.retain(|(kind, scope)| {
            let waits = Phase::of(kind) > now;
            if !waits {
                tracing::warn!(%kind, %scope, "not listed yet: the start goes on without");
            }
            waits
        });
        self.advance()
    }

    fn advance(&mut self) -> bool {
        let before = self.now;
        while self.now < Phase::Complete && !self.expected.iter().any(|(kind, _)| Phase::of(kind) <= self.now) {
            self.now = self.now.next();
        }
        self.now > before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_wait_for_objects_and_those_for_their_surroundings() {
        let mut phases = Phases::new();
        for kind in [Kind::Event, Kind::Pod, Kind::ReplicaSet, Kind::CronJob] {
            phases.expect(kind, Scope::Cluster);
        }
        assert!(!phases.note(&Observation::Listing(Kind::ReplicaSet, Scope::Cluster)));
        assert!(phases.note(&Observation::Listed(Kind::CronJob, Scope::Cluster)));
        assert_eq!(phases.now(), Phase::Owners);
        assert!(phases.note(&Observation::Forbidden(Kind::ReplicaSet, Scope::Cluster)));
        assert_eq!(phases.now(), Phase::Objects);
        assert!(phases.give_up());
        assert_eq!(phases.now(), Phase::Events);
        assert!(phases.note(&Observation::Listed(Kind::Event, Scope::Cluster)));
        assert_eq!(phases.now(), Phase::Complete);
        assert!(!phases.note(&Observation::Listed(Kind::Pod, Scope::Cluster)));
    }
}
