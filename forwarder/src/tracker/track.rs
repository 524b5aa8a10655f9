//! One condition.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use marple_core::{Fingerprint, Signal, SignalStatus};

use super::ended::End;
use super::{Adopted, Draft, Witness};
use crate::condition::Stage;

/// Tells a start from the end before it, in stores that keep milliseconds.
const APART: Duration = Duration::from_millis(1);

/// Times of creation are in whole seconds.
const SECOND: Duration = Duration::from_secs(1);

/// One condition: who speaks of it, and whether it is told.
#[derive(Debug, Default)]
pub(super) struct Track {
    words: Vec<Word>,
    told: Option<Told>,
    /// Whether it holds and is kept back by its rate limit.
    held_back: bool,
    /// When it is to be looked at again.
    pub(super) wake: Option<Timestamp>,
}

/// A condition that is told.
#[derive(Debug)]
struct Told {
    signal: Box<Signal>,
    at: Timestamp,
}

/// What one witness says.
#[derive(Debug)]
struct Word {
    witness: Witness,
    /// Since when the witness says that it holds as it does.
    first_heard: Timestamp,
    stage: Stage,
    since: Option<Timestamp>,
    last: Option<Timestamp>,
    until: Option<Timestamp>,
    progress: Option<u64>,
    rate_limit: Duration,
    made: Option<Timestamp>,
    fingerprint: Fingerprint,
    /// Kept only until the condition is told: a signal is most of what a track takes.
    signal: Option<Box<Signal>>,
}

/// What a look at a condition comes to.
pub(super) enum Turn {
    /// Nothing new.
    Stays,
    /// It was never told and is over.
    Over,
    /// It holds, but was told too short a time ago.
    HeldBack,
    /// It is told from now on.
    Begins(Signal),
    /// It was told, at this time, and is over.
    Ends(Signal, Timestamp),
}

impl Word {
    fn begin(&self) -> Timestamp {
        self.since.unwrap_or(self.first_heard)
    }

    /// When it has held long enough: since the object says so, or, where that moves on (a crash after another) or lies
    /// ahead (a clock that is wrong), since it was heard. Of one whose object does not tell since when it is so, that is not
    /// known while it is awaited what was told before this process: it may be one that is told already, or another that began
    /// after that had ended.
    fn holds_from(&self, awaits: bool) -> Option<Timestamp> {
        let begin = self.begin().min(self.first_heard);
        match self.stage {
            Stage::Holds(hold) => Some(begin.checked_add(hold).unwrap_or(Timestamp::MAX)),
            Stage::Lasts(_) if awaits => None,
            Stage::Lasts(hold) => Some(self.first_heard.checked_add(hold).unwrap_or(Timestamp::MAX)),
            Stage::Lingers => None,
        }
    }

    /// When it is to be told, after this end of it.
    fn fires_at(&self, ended: Option<End>, awaits: bool) -> Option<Timestamp> {
        let holds = self.holds_from(awaits)?;
        let told = ended.and_then(|ended| ended.told);
        let allowed = told.map(|told| told.checked_add(self.rate_limit).unwrap_or(Timestamp::MAX));
        Some(allowed.map_or(holds, |allowed| holds.max(allowed)))
    }

    fn holds(&self) -> bool {
        matches!(self.stage, Stage::Holds(_) | Stage::Lasts(_))
    }
}

impl Track {
    pub(super) fn hear(&mut self, witness: &Witness, draft: Draft, now: Timestamp) {
        let earlier = self.words.iter().position(|word| word.witness == *witness).map(|at| self.words.swap_remove(at));
        let goes_on = |word: &Word| word.holds() && word.progress == draft.progress;
        let first_heard = earlier.filter(goes_on).map_or(now, |word| word.first_heard);
        let Draft { key: _, stage, since, last, until, progress, rate_limit, made, signal } = draft;
        let fingerprint = signal.fingerprint;
        let signal = self.told.is_none().then_some(signal);
        let witness = witness.clone();
        self.words.push(Word {
            witness,
            first_heard,
            stage,
            since,
            last,
            until,
            progress,
            rate_limit,
            made,
            fingerprint,
            signal,
        });
    }

    pub(super) fn unhear(&mut self, witness: &Witness) {
        self.words.retain(|word| word.witness != *witness);
    }

    /// Takes back every word, as of an object that is gone; who spoke may be asked for by `expire` no more, so their
    /// words are let run out instead of being dropped.
    pub(super) fn silence(&mut self) {
        for word in &mut self.words {
            word.until = Some(Timestamp::MIN);
        }
    }

    /// Lets run out what events told before `since`.
    pub(super) fn outlive(&mut self, since: Timestamp) {
        for word in self.words.iter_mut().filter(|word| word.last.is_some_and(|last| last <= since)) {
            word.until = Some(Timestamp::MIN);
        }
    }

    /// Drops the words that have run out, and says whose they were.
    pub(super) fn expire(&mut self, now: Timestamp) -> Vec<Witness> {
        let (over, words) =
            std::mem::take(&mut self.words).into_iter().partition(|word| word.until.is_some_and(|until| until <= now));
        self.words = words;
        over.into_iter().map(|word: Word| word.witness).collect()
    }

    /// How it ended in a process before this one. An object that was made after that is another of its name, and what it
    /// shows is news.
    pub(super) fn recollect(&self, remembered: &mut BTreeMap<Fingerprint, End>) -> Option<End> {
        let end = self.words.first().and_then(|word| remembered.remove(&word.fingerprint))?;
        let after = |made: Timestamp| made.checked_add(SECOND).is_ok_and(|made| made > end.at);
        let another = self.words.iter().filter_map(|word| word.made).any(after);
        Some(End { told: end.told.filter(|_| !another), ..end })
    }

    /// Goes on as one that was told before this process, where it was and `goes_on` agrees.
    pub(super) fn take_up(
        &mut self,
        adopted: &mut BTreeMap<Fingerprint, Adopted>,
        goes_on: impl Fn(&Adopted) -> bool,
    ) -> bool {
        let word = self.words.first().filter(|_| self.told.is_none());
        let Some(fingerprint) = word.map(|word| word.fingerprint) else { return false };
        if !adopted.get(&fingerprint).is_some_and(goes_on) {
            return false;
        }
        let Some(before) = adopted.remove(&fingerprint) else { return false };
        self.tell(before.signal, before.told_at);
        true
    }

    /// What it comes to. One that is not settled goes on though nobody speaks of it: not all may have been heard.
    pub(super) fn turn(&mut self, ended: Option<End>, unsettled: bool, awaits: bool, now: Timestamp) -> Turn {
        if self.words.is_empty() {
            if unsettled && self.told.is_some() {
                return Turn::Stays;
            }
            return self.told.take().map_or(Turn::Over, |told| Turn::Ends(*told.signal, told.at));
        }
        if self.told.is_some() {
            return Turn::Stays;
        }
        let due = self.words.iter().filter(|word| word.fires_at(ended, awaits).is_some_and(|at| at <= now));
        let first = due.min_by_key(|word| word.begin());
        if let Some((begin, signal)) = first.and_then(|word| Some((word.begin(), word.signal.as_deref()?.clone()))) {
            let starts_at = match ended.and_then(|ended| ended.at.checked_add(APART).ok()) {
                Some(after) => begin.max(after),
                None => begin,
            };
            let signal = Signal { status: SignalStatus::Firing, starts_at, ends_at: None, ..signal };
            self.tell(signal.clone(), now);
            return Turn::Begins(signal);
        }
        let held_back = self.words.iter().any(|word| word.holds_from(awaits).is_some_and(|at| at <= now));
        if held_back && !std::mem::replace(&mut self.held_back, true) {
            return Turn::HeldBack;
        }
        Turn::Stays
    }

    pub(super) fn tell(&mut self, signal: Signal, at: Timestamp) {
        self.told = Some(Told { signal: Box::new(signal), at });
        for word in &mut self.words {
            word.signal = None;
        }
    }

    /// When time alone changes it; the end of awaiting is not time's.
    pub(super) fn next(&self, ended: Option<End>, now: Timestamp) -> Option<Timestamp> {
        let ends = self.words.iter().filter_map(|word| word.until);
        let untold = self.words.iter().filter(|_| self.told.is_none());
        let fires = untold.flat_map(|word| [word.holds_from(false), word.fires_at(ended, false)]).flatten();
        ends.chain(fires).filter(|at| *at > now).min()
    }

    pub(super) fn into_witnesses(self) -> impl Iterator<Item = Witness> {
        self.words.into_iter().map(|word| word.witness)
    }

    pub(super) fn told(&self) -> Option<&Signal> {
        self.told.as_ref().map(|told| &*told.signal)
    }
}
