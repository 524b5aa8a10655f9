//! What is being worked on, beyond what the store knows.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use marple_core::IncidentId;
use tokio::task::JoinError;

use super::Work;

/// What a step left to be remembered.
#[derive(Debug)]
pub(super) enum Stepped {
    /// Caught, with what is known of the work since.
    Captured { work: Work },
    /// In the outbox.
    Told,
    /// To be taken again.
    Failed,
    /// An investigation ended, or was interrupted and goes on from its last saved step.
    Investigated,
}

/// An incident for which nothing is to be done before a time, unless it changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) until: Timestamp,
    /// The revision for which that was decided.
    pub(super) revision: u64,
}

impl Waiting {
    /// Is looked at in any case.
    pub(super) const DUE: Self = Self { until: Timestamp::MIN, revision: 0 };

    fn is_over(self, now: Timestamp) -> bool {
        self.until <= now
    }
}

/// What is being worked on, beyond what the store knows.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) work: BTreeMap<IncidentId, Work>,
    pub(super) stepping: BTreeSet<IncidentId>,
    pub(super) investigating: BTreeSet<IncidentId>,
    /// Whether those open from before the start that have no cause are known.
    pub(super) recalled: bool,
    /// Whether every investigation that has begun is being worked on.
    pub(super) investigations_known: bool,
    pub(super) waiting: BTreeMap<IncidentId, Waiting>,
}

impl Desk {
    /// Which incidents are to be looked at: of those that need work, told with their revisions, the ones that don't
    /// wait, and those whose time has come.
    pub(super) fn due(&self, needing: &[(IncidentId, u64)], now: Timestamp) -> Vec<IncidentId> {
        let waits = |id: &IncidentId, revision: u64| {
            self.waiting.get(id).is_some_and(|waiting| waiting.revision >= revision && !waiting.is_over(now))
        };
        let needing = needing.iter().filter(|(id, revision)| !waits(id, *revision)).map(|(id, _)| *id);
        let over = self.waiting.iter().filter(|(_, waiting)| waiting.is_over(now)).map(|(id, _)| *id);
        let due: BTreeSet<IncidentId> = needing.chain(over).filter(|id| !self.stepping.contains(id)).collect();
        due.into_iter().collect()
    }

    /// The oldest that is looked at for the first time, or is about to be.
    pub(super) fn gathering(&self, due: &[IncidentId]) -> Option<IncidentId> {
        let first = |id: &&IncidentId| self.work.get(id).is_none_or(|work| work.captured_at.is_none());
        let due = due.iter().filter(|id| !self.work.contains_key(id));
        self.stepping.iter().filter(first).chain(due).min().copied()
    }

    /// Takes note of a step's end.
    pub(super) fn settle(&mut self, ended: Result<(IncidentId, Stepped), JoinError>) {
        // A step that panicked can't say which it was; the process ends with it (`panic = "abort"`).
        let Ok((id, stepped)) = ended else { return };
        match stepped {
            Stepped::Investigated => {
                self.investigating.remove(&id);
                self.investigations_known = false;
                return;
            }
            Stepped::Captured { work } => {
                self.investigations_known = false;
                self.work.insert(id, work);
            }
            Stepped::Told | Stepped::Failed => {}
        }
        self.stepping.remove(&id);
        self.waiting.insert(id, Waiting::DUE);
    }

    /// Drops what is known of incidents that nobody works on any more once it is of more than so many; the store has
    /// what matters.
    pub(super) fn tidy(&mut self, most: usize) {
        if self.work.len() > most {
            let Self { work, stepping, waiting, .. } = self;
            work.retain(|id, _| stepping.contains(id) || waiting.contains_key(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn an_incident_that_waits_is_looked_at_when_it_changes_and_when_its_time_has_come() {
        let (one, two) = (IncidentId::new(), IncidentId::new());
        let mut desk = Desk::default();
        desk.waiting.insert(one, Waiting { until: at(10), revision: 2 });
        assert_eq!(desk.due(&[(one, 2), (two, 1)], at(5)), [two]);
        assert_eq!(desk.due(&[(one, 3)], at(5)), [one]);
        assert_eq!(desk.due(&[], at(10)), [one]);
        desk.stepping.insert(one);
        assert_eq!(desk.due(&[(one, 3)], at(10)), []);
    }

    #[test]
    fn after_a_step_an_incident_is_looked_at_whatever_came_of_it() {
        let work = Work { captures: 1, ..Work::default() };
        for stepped in [Stepped::Told, Stepped::Failed, Stepped::Captured { work }] {
            let (id, mut desk) = (IncidentId::new(), Desk::default());
            desk.stepping.insert(id);
            desk.settle(Ok((id, stepped)));
            assert_eq!(desk.due(&[], at(0)), [id]);
        }
    }

    #[test]
    fn those_gather_that_are_looked_at_for_the_first_time() {
        let (id, mut desk) = (IncidentId::new(), Desk::default());
        assert_eq!(desk.gathering(&[id]), Some(id));
        assert_eq!(desk.gathering(&[]), None);
        desk.work.insert(id, Work::default());
        desk.stepping.insert(id);
        assert_eq!(desk.gathering(&[IncidentId::new()]), Some(id), "the oldest");
        desk.work.insert(id, Work { captured_at: Some(at(1)), ..Work::default() });
        assert_eq!(desk.gathering(&[id]), None);
    }

    #[test]
    fn only_what_is_worked_on_is_remembered_beyond_the_bound() {
        let ids: Vec<IncidentId> = (0..4).map(|_| IncidentId::new()).collect();
        let mut desk = Desk::default();
        desk.work.extend(ids.iter().map(|id| (*id, Work::default())));
        desk.stepping.insert(ids[1]);
        desk.waiting.insert(ids[2], Waiting::DUE);
        desk.tidy(4);
        assert_eq!(desk.work.len(), 4);
        desk.tidy(3);
        assert_eq!(desk.work.keys().copied().collect::<Vec<_>>(), [ids[1], ids[2]]);
    }
}
