//! When a condition begins and ends: from what witnesses say of it and the time, signals. Pure.
//!
//! A condition is told once it has held long enough, and resolved when no witness speaks of it any more: what holds depends
//! on what each said last, never on who was heard first. One that was told before this process is taken over, and not
//! resolved before all have been heard who may speak of it ([`Tracker::settle`]). Time passes only by [`Tracker::due`] and by
//! the `now` of each call, which must not go back.

mod draft;
mod ended;
mod track;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use jiff::Timestamp;
use marple_core::{Fingerprint, Signal, SignalStatus};
use metrics::counter;

pub use draft::{ConditionKey, Draft, Witness};
use ended::{End, Ended, KEPT};
use track::{Track, Turn};

use crate::known::Telling;
use crate::metric;
use crate::object::{Kind, ObjectKey};

/// The conditions that are waited for or told.
#[derive(Debug, Default)]
pub struct Tracker {
    tracks: BTreeMap<ConditionKey, Track>,
    /// Which conditions a witness speaks of.
    spoken: BTreeMap<Witness, Vec<ConditionKey>>,
    /// When a condition is to be looked at again.
    wakes: BTreeSet<(Timestamp, ConditionKey)>,
    /// What the runner holds as firing and no witness has spoken of yet.
    adopted: BTreeMap<Fingerprint, Adopted>,
    /// What was taken over and some witness has spoken of since, but another may hold that was not heard yet.
    unsettled: BTreeSet<ConditionKey>,
    /// What was told before this process and no witness has spoken of yet.
    remembered: BTreeMap<Fingerprint, End>,
    /// Whether it is awaited what was told before this process.
    awaits: bool,
    ended: Ended,
    /// How many of the witnesses are events.
    events: usize,
}

/// The most events that are heard at a time: some 2 KiB each with what they tell, so 8 MiB of the forwarder's 60. In a
/// storm of more the first ones tell enough.
const MOST_EVENTS: usize = 4096;

/// A condition that the runner holds as firing.
#[derive(Debug)]
struct Adopted {
    signal: Signal,
    /// When it was told.
    told_at: Timestamp,
}

impl Adopted {
    /// Whether it did not end here since.
    fn goes_on(&self, ended: Option<End>) -> bool {
        ended.is_none_or(|end| end.at <= self.signal.starts_at)
    }
}

impl Tracker {
    /// How far back it matters what was told before this process.
    pub fn memory(now: Timestamp) -> Timestamp {
        now.checked_sub(KEPT).unwrap_or(Timestamp::MIN)
    }

    /// From now until [`Tracker::adopt`] what was told before this process is awaited.
    pub fn awaits(&mut self) {
        self.awaits = true;
    }

    /// Takes over what the runner holds as firing, and when each condition was told, those that ended among them: rate
    /// limits go on. A condition that is spoken of goes on under the start that it had, also where nobody speaks of it any
    /// more, until [`Tracker::settle`] says that all were heard; what is never spoken of is resolved then. What has waited for
    /// this is due at once. What was told here since this process awaited it, as nobody could know better, goes on under
    /// the start that it had too: it is given, to be told in the place of what was.
    pub fn adopt(
        &mut self,
        known: impl IntoIterator<Item = Signal>,
        told: impl IntoIterator<Item = Telling>,
    ) -> Vec<Signal> {
        let awaited = std::mem::take(&mut self.awaits);
        let mut holding = BTreeMap::new();
        self.remembered.clear();
        for Telling { fingerprint, told_at, ended_at } in told {
            match ended_at {
                Some(at) => drop(self.remembered.insert(fingerprint, End { at, told: Some(told_at) })),
                None => drop(holding.insert(fingerprint, told_at)),
            }
        }
        let told: BTreeSet<Fingerprint> = self.firing().map(|signal| signal.fingerprint).collect();
        let mut told_before = BTreeMap::new();
        for signal in known.into_iter().filter(|signal| signal.status == SignalStatus::Firing) {
            let told_at = holding.get(&signal.fingerprint).copied().unwrap_or(signal.starts_at);
            let into = if told.contains(&signal.fingerprint) { &mut told_before } else { &mut self.adopted };
            into.insert(signal.fingerprint, Adopted { signal, told_at });
        }
        let goes_on = if awaited { self.go_on(told_before) } else { Vec::new() };
        // The answer may come after some witnesses were heard.
        let waiting: Vec<ConditionKey> =
            self.tracks.iter().filter(|(_, track)| track.told().is_none()).map(|(key, _)| key.clone()).collect();
        for key in &waiting {
            self.take_up(key);
            if awaited {
                self.wake(key, Some(Timestamp::MIN));
            }
        }
        goes_on
    }

    /// Has what was told here go on as it was told before, where it did not end in between.
    fn go_on(&mut self, mut before: BTreeMap<Fingerprint, Adopted>) -> Vec<Signal> {
        let mut goes_on = Vec::new();
        for (key, track) in &mut self.tracks {
            let Some(fingerprint) = track.told().map(|signal| signal.fingerprint) else { continue };
            let ended = self.ended.of(key);
            if let Some(held) = before.remove(&fingerprint).filter(|held| held.goes_on(ended)) {
                goes_on.push(held.signal.clone());
                track.tell(held.signal, held.told_at);
            }
        }
        goes_on
    }

    /// What a witness says now: all of it; what it said before and says no more has ended as far as it is concerned. An
    /// event that is one too many is not heard, and counted.
    pub fn observe(&mut self, witness: &Witness, drafts: Vec<Draft>, now: Timestamp) -> Vec<Signal> {
        if self.events >= MOST_EVENTS && witness.is_event() && !drafts.is_empty() && !self.spoken.contains_key(witness)
        {
            counter!(metric::UNTRACKED).increment(1);
            return Vec::new();
        }
        let spoken: Vec<ConditionKey> = drafts.iter().map(|draft| draft.key.clone()).collect();
        let before = self.speaks_of(witness, spoken.clone());
        for draft in drafts {
            self.tracks.entry(draft.key.clone()).or_default().hear(witness, draft, now);
        }
        let unspoken = before.into_iter().filter(|key| !spoken.contains(key)).collect::<Vec<_>>();
        for key in &unspoken {
            if let Some(track) = self.tracks.get_mut(key) {
                track.unhear(witness);
            }
        }
        unspoken.into_iter().chain(spoken).filter_map(|key| self.turn(&key, now)).collect()
    }

    /// The object is gone: its conditions have ended, whoever could still speak of them.
    pub fn forget(&mut self, subject: &ObjectKey, now: Timestamp) -> Vec<Signal> {
        let keys = self.about(subject);
        let mut resolved = Vec::new();
        for key in keys {
            self.unsettled.remove(&key);
            if let Some(track) = self.tracks.get_mut(&key) {
                track.silence();
            }
            resolved.extend(self.turn(&key, now));
        }
        self.ended.forget(subject);
        resolved
    }

    /// The object is well since then: what events told of it before has ended.
    pub fn recovered(&mut self, subject: &ObjectKey, since: Timestamp, now: Timestamp) -> Vec<Signal> {
        let keys = self.about(subject);
        let mut resolved = Vec::new();
        for key in keys {
            if let Some(track) = self.tracks.get_mut(&key) {
                track.outlive(since);
            }
            resolved.extend(self.turn(&key, now));
        }
        resolved
    }

    /// What the passing of time alone brings.
    pub fn due(&mut self, now: Timestamp) -> Vec<Signal> {
        let mut signals = Vec::new();
        while let Some((_, key)) = self.wakes.first().filter(|(at, _)| *at <= now).cloned() {
            signals.extend(self.turn(&key, now));
        }
        signals
    }

    /// When [`Tracker::due`] has something to do next.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// Resolves what the runner held as firing and nobody speaks of, as far as `knowable` says that all have been heard who
    /// could.
    pub fn settle(&mut self, knowable: impl Fn(&Signal) -> bool, now: Timestamp) -> Vec<Signal> {
        let mut signals = self.settle_unspoken(&knowable, now);
        signals.append(&mut self.settle_spoken(&knowable, now));
        signals
    }

    /// The same of that alone which nobody has spoken of yet.
    pub(crate) fn settle_unspoken(&mut self, knowable: impl Fn(&Signal) -> bool, now: Timestamp) -> Vec<Signal> {
        let over: Vec<(Fingerprint, Adopted)> =
            self.adopted.extract_if(.., |_, before| knowable(&before.signal)).collect();
        let mut signals = Vec::with_capacity(over.len());
        for (fingerprint, before) in over {
            let signal = resolved(before.signal, now);
            let at = signal.ends_at.unwrap_or(now);
            self.remembered.insert(fingerprint, End { at, told: Some(before.told_at) });
            signals.push(signal);
        }
        signals
    }

    /// The same of that alone which somebody has spoken of: from now on it ends with the last word.
    pub(crate) fn settle_spoken(&mut self, knowable: impl Fn(&Signal) -> bool, now: Timestamp) -> Vec<Signal> {
        let told = |key: &ConditionKey| self.tracks.get(key).and_then(Track::told);
        let settled: Vec<ConditionKey> =
            self.unsettled.iter().filter(|key| told(key).is_none_or(&knowable)).cloned().collect();
        let mut signals = Vec::new();
        for key in settled {
            self.unsettled.remove(&key);
            signals.extend(self.turn(&key, now));
        }
        signals
    }

    /// What is told and has not ended.
    pub fn firing(&self) -> impl Iterator<Item = &Signal> {
        self.tracks.values().filter_map(Track::told)
    }

    /// The same in the order of the conditions, from after this one on.
    pub(crate) fn firing_after(&self, after: Option<&ConditionKey>) -> impl Iterator<Item = (&ConditionKey, &Signal)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let tracks = self.tracks.range::<ConditionKey, _>((from, Bound::Unbounded));
        tracks.filter_map(|(key, track)| Some((key, track.told()?)))
    }

    /// The objects of this kind in this namespace of which something is waited for or told.
    pub fn subjects(&self, kind: &Kind, namespace: &str) -> Vec<ObjectKey> {
        let first = ConditionKey::first_of(ObjectKey::new(kind.clone(), namespace, ""));
        let subjects = self.tracks.range(first..).map(|(key, _)| &key.subject);
        let mut subjects: Vec<ObjectKey> =
            subjects.take_while(|it| it.kind == *kind && &*it.namespace == namespace).cloned().collect();
        subjects.dedup();
        subjects
    }

    /// How many conditions are waited for or told.
    pub fn len(&self) -> usize {
        self.tracks.len()
    }

    /// Whether nothing is waited for or told.
    pub fn is_empty(&self) -> bool {
        self.tracks.is_empty()
    }

    /// The conditions of this object.
    fn about(&self, subject: &ObjectKey) -> Vec<ConditionKey> {
        let first = ConditionKey::first_of(subject.clone());
        self.tracks.range(first..).map(|(key, _)| key).take_while(|key| key.subject == *subject).cloned().collect()
    }

    /// A condition that is spoken of goes on as the runner holds it, where it does. What ended in this process since, and
    /// of which the runner had not heard when it was asked, is over.
    fn take_up(&mut self, key: &ConditionKey) {
        let Some(track) = self.tracks.get_mut(key) else { return };
        let ended = self.ended.of(key);
        if track.take_up(&mut self.adopted, |before| before.goes_on(ended)) {
            self.unsettled.insert(key.clone());
        }
    }

    /// Has a condition be looked at again then, or by no time alone.
    fn wake(&mut self, key: &ConditionKey, at: Option<Timestamp>) {
        let Some(track) = self.tracks.get_mut(key) else { return };
        if let Some(before) = std::mem::replace(&mut track.wake, at) {
            self.wakes.remove(&(before, key.clone()));
        }
        self.wakes.extend(at.map(|at| (at, key.clone())));
    }

    /// Looks at one condition, and at what it comes to now.
    fn turn(&mut self, key: &ConditionKey, now: Timestamp) -> Option<Signal> {
        self.take_up(key);
        self.wake(key, None);
        let track = self.tracks.get_mut(key)?;
        let mut silent = track.expire(now);
        if let Some(end) = track.recollect(&mut self.remembered)
            && self.ended.of(key).is_none()
        {
            self.ended.note(key.clone(), end, now);
        }
        let ended = self.ended.of(key);
        let turn = track.turn(ended, self.unsettled.contains(key), self.awaits, now);
        if matches!(turn, Turn::Stays | Turn::HeldBack | Turn::Begins(_)) {
            let next = track.next(ended, now);
            self.wake(key, next);
        } else {
            silent.extend(self.tracks.remove(key).into_iter().flat_map(Track::into_witnesses));
            self.unsettled.remove(key);
        }
        for witness in silent {
            if let Some(keys) = self.spoken.get_mut(&witness) {
                keys.retain(|spoken| spoken != key);
                if keys.is_empty() {
                    self.fall_silent(&witness);
                }
            }
        }
        match turn {
            Turn::Stays | Turn::Over => None,
            Turn::HeldBack => {
                counter!(metric::HELD_BACK, "name" => key.name).increment(1);
                None
            }
            Turn::Begins(signal) => Some(signal),
            Turn::Ends(signal, told) => {
                let signal = resolved(signal, now);
                let end = End { at: signal.ends_at.unwrap_or(now), told: Some(told) };
                self.ended.note(key.clone(), end, now);
                Some(signal)
            }
        }
    }

    /// Takes up which conditions a witness speaks of, and gives those that it spoke of before.
    fn speaks_of(&mut self, witness: &Witness, keys: Vec<ConditionKey>) -> Vec<ConditionKey> {
        if keys.is_empty() {
            return self.fall_silent(witness);
        }
        let before = self.spoken.insert(witness.clone(), keys);
        if before.is_none() && witness.is_event() {
            self.events += 1;
        }
        before.unwrap_or_default()
    }

    fn fall_silent(&mut self, witness: &Witness) -> Vec<ConditionKey> {
        let before = self.spoken.remove(witness);
        if before.is_some() && witness.is_event() {
            self.events -= 1;
        }
        before.unwrap_or_default()
    }
}

/// The same signal at its end.
fn resolved(signal: Signal, now: Timestamp) -> Signal {
    let ends_at = Some(now.max(signal.starts_at));
    Signal { status: SignalStatus::Resolved, ends_at, ..signal }
}

#[cfg(test)]
mod tests;
