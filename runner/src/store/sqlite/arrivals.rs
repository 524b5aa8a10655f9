//! The numbers of signals, and the signals that came last as they were when they came: correlation need not read back and
//! parse what was just written. What is not held here is read from the file.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use marple_core::Signal;

use crate::store::SignalSeq;

/// How many signals are held: some hundred milliseconds of a storm, at about two kilobytes each. Correlation that is
/// further behind reads the file.
const HELD: usize = 4_096;

/// The numbers of signals, and the last signals.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// The number of the last signal; taken only by the writer, so that the order of numbers is that of commits.
    last: AtomicI64,
    /// The number of the last signal that correlation has taken account of.
    cursor: AtomicI64,
    recent: Mutex<Recent>,
}

impl Arrivals {
    /// Numbers go on from `last`; the signals up to that one are in the file only.
    pub(super) const fn new(last: i64, cursor: i64) -> Self {
        Self {
            last: AtomicI64::new(last),
            cursor: AtomicI64::new(cursor),
            recent: Mutex::new(Recent { signals: VecDeque::new(), from: last }),
        }
    }

    /// Takes the next number.
    pub(super) fn next(&self) -> i64 {
        self.last.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// The last number that was taken.
    pub(super) fn last(&self) -> i64 {
        self.last.load(Ordering::Relaxed)
    }

    /// Correlation has taken account of the signals up to this one.
    pub(super) fn processed(&self, cursor: SignalSeq) {
        self.cursor.fetch_max(cursor.0, Ordering::Relaxed);
    }

    /// Says, before they are committed, that signals with numbers up to the last one are in the file only.
    pub(super) fn skip(&self) {
        let last = self.last();
        let mut recent = self.recent();
        recent.signals.retain(|(seq, _)| *seq > last);
        recent.from = recent.from.max(last);
    }

    /// Adds signals that were committed, in the order of their numbers. Those between them are no signals, or were
    /// skipped.
    pub(super) fn push(&self, signals: impl IntoIterator<Item = (i64, Signal)>) {
        let mut recent = self.recent();
        for (seq, signal) in signals {
            if seq <= recent.from {
                continue;
            }
            if recent.signals.len() >= HELD {
                recent.let_go();
            }
            recent.signals.push_back((seq, signal));
        }
    }

    /// The first signals that correlation has not taken account of, where all of those are held.
    pub(super) fn unprocessed(&self, limit: usize) -> Option<Vec<(SignalSeq, Signal)>> {
        let cursor = self.cursor.load(Ordering::Relaxed);
        let mut recent = self.recent();
        if cursor < recent.from {
            return None;
        }
        while recent.signals.front().is_some_and(|(seq, _)| *seq <= cursor) {
            recent.let_go();
        }
        Some(recent.signals.iter().take(limit).map(|(seq, signal)| (SignalSeq(*seq), signal.clone())).collect())
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Recent {
    signals: VecDeque<(i64, Signal)>,
    /// All signals with a number above this one are held.
    from: i64,
}

impl Recent {
    fn let_go(&mut self) {
        if let Some((seq, _)) = self.signals.pop_front() {
            self.from = self.from.max(seq);
        }
    }
}

#[cfg(test)]
mod tests {
    use marple_core::{Fingerprint, Labels, Severity, SignalSource, SignalStatus};

    use super::*;

    fn signal(seq: i64) -> Signal {
        Signal {
            source: SignalSource::Person,
            fingerprint: Fingerprint::from_bits(seq.cast_unsigned()),
            status: SignalStatus::Firing,
            name: "A".to_owned(),
            severity: Severity::Info,
            subject: None,
            labels: Labels::new(),
            annotations: Labels::new(),
            starts_at: jiff::Timestamp::UNIX_EPOCH,
            ends_at: None,
            generator_url: None,
        }
    }

    fn push(arrivals: &Arrivals, count: usize) {
        let numbered = |()| arrivals.next();
        let signals: Vec<_> = std::iter::repeat_n((), count).map(numbered).map(|seq| (seq, signal(seq))).collect();
        arrivals.push(signals);
    }

    fn held(arrivals: &Arrivals, limit: usize) -> Option<Vec<i64>> {
        Some(arrivals.unprocessed(limit)?.into_iter().map(|(seq, _)| seq.0).collect())
    }

    #[test]
    fn what_came_since_the_start_is_held_until_it_is_taken_account_of() {
        let arrivals = Arrivals::new(7, 7);
        assert_eq!(held(&arrivals, 9), Some(vec![]));
        push(&arrivals, 3);
        assert_eq!(held(&arrivals, 2), Some(vec![8, 9]));
        assert_eq!(held(&arrivals, 9), Some(vec![8, 9, 10]));
        arrivals.processed(SignalSeq(9));
        assert_eq!(held(&arrivals, 9), Some(vec![10]));
        arrivals.processed(SignalSeq(10));
        assert_eq!(held(&arrivals, 9), Some(vec![]));
    }

    #[test]
    fn what_came_before_the_start_is_read_from_the_file_first() {
        let arrivals = Arrivals::new(7, 3);
        push(&arrivals, 1);
        assert_eq!(held(&arrivals, 9), None);
        arrivals.processed(SignalSeq(7));
        assert_eq!(held(&arrivals, 9), Some(vec![8]));
    }

    #[test]
    fn what_is_more_than_is_held_is_read_from_the_file() {
        let arrivals = Arrivals::new(0, 0);
        push(&arrivals, HELD + 2);
        assert_eq!(held(&arrivals, 1), None);
        arrivals.processed(SignalSeq(1));
        assert_eq!(held(&arrivals, 1), None);
        arrivals.processed(SignalSeq(2));
        assert_eq!(held(&arrivals, HELD), Some((3..=i64::try_from(HELD).unwrap() + 2).collect()));
    }

    #[test]
    fn what_is_skipped_is_never_passed_over() {
        let arrivals = Arrivals::new(0, 0);
        push(&arrivals, 1);
        let seq = arrivals.next();
        arrivals.skip();
        assert_eq!(held(&arrivals, 9), None, "though it is not committed yet");
        arrivals.push([(seq, signal(seq))]);
        push(&arrivals, 1);
        assert_eq!(held(&arrivals, 9), None);
        arrivals.processed(SignalSeq(seq));
        assert_eq!(held(&arrivals, 9), Some(vec![3]));
    }
}
