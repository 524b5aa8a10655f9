//! The tracker against a model that looks at everything at every second.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 2] = ["X", "Y"];
/// The rate limit of each, in seconds.
const LIMITS: [i64; 2] = [0, 25];
const SUBJECTS: [&str; 2] = ["a", "b"];
/// Who speaks of each: the object itself, then events.
const WITNESSES: usize = 3;

/// What a witness may say of one condition, in seconds.
#[derive(Clone, Debug)]
struct Said {
    name: usize,
    /// Nothing for lingering.
    hold: Option<u64>,
    /// How long ago it began; nothing where the witness doesn't tell.
    ago: Option<i64>,
    /// How long the word counts.
    lasts: Option<i64>,
}

#[derive(Clone, Debug)]
enum Step {
    Say {
        subject: usize,
        witness: usize,
        said: Vec<Said>,
    },
    Forget {
        subject: usize,
    },
    Pass {
        seconds: i64,
    },
    /// Another process goes on, which has heard nobody yet.
    Restart,
    /// One that this process has not heard says what it said before.
    Repeat {
        subject: usize,
        witness: usize,
    },
    /// All have been heard.
    Settle,
}

fn said() -> impl Strategy<Value = Said> {
    (0..NAMES.len(), prop::option::of(0..20_u64), prop::option::of(0..30_i64), prop::option::of(1..30_i64))
        .prop_map(|(name, hold, ago, lasts)| Said { name, hold, ago, lasts })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..SUBJECTS.len(), 0..WITNESSES, prop::collection::vec(said(), 0..3))
            .prop_map(|(subject, witness, said)| Step::Say { subject, witness, said }),
        1 => (0..SUBJECTS.len()).prop_map(|subject| Step::Forget { subject }),
        3 => (1..15_i64).prop_map(|seconds| Step::Pass { seconds }),
        1 => Just(Step::Restart),
        2 => (0..SUBJECTS.len(), 0..WITNESSES).prop_map(|(subject, witness)| Step::Repeat { subject, witness }),
        1 => Just(Step::Settle),
    ]
}

#[derive(Clone, Debug)]
struct Word {
    subject: usize,
    witness: usize,
    name: usize,
    hold: Option<u64>,
    /// Since when it says that it holds.
    since: Option<i64>,
    /// When this process heard it first; nothing where it hasn't yet.
    first_heard: Option<i64>,
    until: Option<i64>,
}

impl Word {
    fn key(&self) -> (usize, usize) {
        (self.subject, self.name)
    }

    /// The same as it is said to the tracker, of an object that was made then.
    fn draft(&self, made: i64) -> Draft {
        let stage = self.hold.map_or(Stage::Lingers, hold);
        let rate_limit = Duration::from_secs(LIMITS[self.name].unsigned_abs());
        let (until, made) = (self.until.map(at), Some(at(made)));
        Draft { until, rate_limit, made, ..draft(SUBJECTS[self.subject], NAMES[self.name], stage, self.since) }
    }

    /// Whether it has held long enough, as far as this process knows.
    fn is_due(&self, now: i64) -> bool {
        self.first_heard
            .zip(self.hold)
            .is_some_and(|(heard, hold)| self.since.unwrap_or(heard).min(heard) + i64::try_from(hold).unwrap() <= now)
    }
}

fn witness(subject: usize, witness: usize) -> Witness {
    if witness == 0 { object(SUBJECTS[subject]) } else { event(&format!("{subject}-{witness}")) }
}

/// Every word that counts, and what is told by them: nothing else is remembered.
#[derive(Default)]
struct Model {
    words: Vec<Word>,
    told: BTreeSet<(usize, usize)>,
    /// When each may be told again.
    allowed: BTreeMap<(usize, usize), i64>,
    /// What was told before this process, until all have been heard; and whether anybody has spoken of it since.
    doubted: BTreeMap<(usize, usize), bool>,
}

impl Model {
    fn say(&mut self, subject: usize, witness: usize, said: &[Said], now: i64) {
        let before: Vec<Word> =
            self.words.extract_if(.., |word| word.subject == subject && word.witness == witness).collect();
        for it in said {
            let earlier = before.iter().find(|word| word.name == it.name && word.hold.is_some());
            let first_heard = earlier.and_then(|word| word.first_heard).or(Some(now));
            let since = it.ago.map(|ago| now - ago);
            let until = it.lasts.map(|lasts| now + lasts);
            self.words.push(Word { subject, witness, name: it.name, hold: it.hold, since, first_heard, until });
        }
        self.spoken();
    }

    fn repeat(&mut self, subject: usize, witness: usize, now: i64) {
        let own = self.words.iter_mut().filter(|word| (word.subject, word.witness) == (subject, witness));
        own.for_each(|word| word.first_heard = word.first_heard.or(Some(now)));
        self.spoken();
    }

    fn spoken(&mut self) {
        for word in self.words.iter().filter(|word| word.first_heard.is_some()) {
            self.doubted.entry(word.key()).and_modify(|spoken| *spoken = true);
        }
    }

    /// What the runner holds and nobody has spoken of is held until all have been heard.
    fn forget(&mut self, subject: usize) {
        self.words.retain(|word| word.subject != subject);
        self.doubted.retain(|(of, _), spoken| *of != subject || !*spoken);
        let doubted = &self.doubted;
        self.allowed.retain(|key, _| key.0 != subject || doubted.contains_key(key));
    }

    fn restart(&mut self) {
        self.doubted = self.told.iter().map(|key| (*key, false)).collect();
        self.words.iter_mut().for_each(|word| word.first_heard = None);
    }

    fn look(&mut self, now: i64) {
        self.words.retain(|word| word.until.is_none_or(|until| until > now));
        for subject in 0..SUBJECTS.len() {
            for (name, limit) in LIMITS.into_iter().enumerate() {
                let key = (subject, name);
                let heard: Vec<&Word> =
                    self.words.iter().filter(|word| word.key() == key && word.first_heard.is_some()).collect();
                let allowed = self.allowed.get(&key).is_none_or(|at| *at <= now);
                if heard.is_empty() && !self.doubted.contains_key(&key) {
                    self.told.remove(&key);
                } else if allowed && heard.iter().any(|word| word.is_due(now)) && self.told.insert(key) {
                    self.allowed.insert(key, now + limit);
                }
            }
        }
    }
}

/// Checks that each condition fires and resolves in turn, never twice under one start, and notes what is told.
#[derive(Default)]
struct Ledger {
    open: BTreeMap<Fingerprint, Signal>,
    starts: BTreeSet<(Fingerprint, Timestamp)>,
    tellings: BTreeMap<Fingerprint, Telling>,
}

impl Ledger {
    fn note(&mut self, signals: Vec<Signal>, now: i64) {
        for signal in signals {
            let fingerprint = signal.fingerprint;
            let told_at = match signal.status {
                SignalStatus::Firing => at(now),
                SignalStatus::Resolved => self.tellings[&fingerprint].told_at,
            };
            self.tellings.insert(fingerprint, Telling { fingerprint, told_at, ended_at: signal.ends_at });
            match signal.status {
                SignalStatus::Firing => {
                    assert!(self.starts.insert((fingerprint, signal.starts_at)), "twice under one start: {signal:?}");
                    assert!(self.open.insert(fingerprint, signal).is_none(), "told twice");
                }
                SignalStatus::Resolved => {
                    let open = self.open.remove(&fingerprint).expect("resolved though not told");
                    assert_eq!(open.starts_at, signal.starts_at);
                    assert!(signal.ends_at >= Some(signal.starts_at));
                }
            }
        }
    }
}

/// The tracker beside its model.
#[derive(Default)]
struct Both {
    tracker: Tracker,
    model: Model,
    ledger: Ledger,
    now: i64,
    /// When each subject was made.
    made: [i64; SUBJECTS.len()],
}

impl Both {
    fn note(&mut self, signals: Vec<Signal>) {
        self.ledger.note(signals, self.now);
    }

    /// A witness tells the tracker what it says by the model.
    fn observe(&mut self, subject: usize, by: usize) {
        let own = self.model.words.iter().filter(|word| (word.subject, word.witness) == (subject, by));
        let drafts = own.map(|word| word.draft(self.made[subject])).collect();
        let signals = self.tracker.observe(&witness(subject, by), drafts, at(self.now));
        self.note(signals);
    }

    fn repeat(&mut self, subject: usize, by: usize) {
        self.model.repeat(subject, by, self.now);
        self.observe(subject, by);
    }

    fn tick(&mut self) {
        self.now += 1;
        let signals = self.tracker.due(at(self.now));
        self.note(signals);
        self.model.look(self.now);
    }

    fn settle(&mut self) {
        let signals = self.tracker.settle(|_| true, at(self.now));
        self.note(signals);
        self.model.doubted.clear();
    }

    fn forget(&mut self, subject: usize) {
        let signals = self.tracker.forget(&pod(SUBJECTS[subject]), at(self.now));
        self.note(signals);
        self.model.forget(subject);
        self.made[subject] = self.now;
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Say { subject, witness, mut said } => {
                // A witness says one thing of one condition.
                let mut names = BTreeSet::new();
                said.retain(|it| names.insert(it.name));
                self.model.say(subject, witness, &said, self.now);
                self.observe(subject, witness);
            }
            Step::Forget { subject } => self.forget(subject),
            Step::Pass { seconds } => (0..seconds).for_each(|_| self.tick()),
            Step::Restart => {
                self.tracker = Tracker::default();
                self.tracker.adopt(self.ledger.open.values().cloned(), self.ledger.tellings.values().copied());
                self.model.restart();
            }
            Step::Repeat { subject, witness } => self.repeat(subject, witness),
            Step::Settle => {
                for subject in 0..SUBJECTS.len() {
                    (0..WITNESSES).for_each(|witness| self.repeat(subject, witness));
                }
                self.settle();
            }
        }
        self.model.look(self.now);
    }

    /// What the runner holds.
    fn open(&self) -> BTreeSet<(&str, &str)> {
        let open = self.ledger.open.values();
        open.map(|signal| (signal.subject.as_ref().unwrap().name.as_str(), signal.name.as_str())).collect()
    }
}

proptest! {
    #[test]
    fn it_tells_what_a_model_tells_that_remembers_everything(steps in prop::collection::vec(step(), 1..80)) {
        let mut both = Both { now: 1000, ..Both::default() };
        for step in steps {
            both.step(step);
            let told = both.model.told.iter().map(|(subject, name)| (SUBJECTS[*subject], NAMES[*name]));
            prop_assert_eq!(both.open(), told.collect());
            prop_assert_eq!(both.tracker.firing().count() + both.tracker.adopted.len(), both.ledger.open.len());
            both.tick();
        }
        both.settle();
        (0..SUBJECTS.len()).for_each(|subject| both.forget(subject));
        let Both { tracker, ledger, .. } = both;
        prop_assert!(ledger.open.is_empty() && tracker.is_empty() && tracker.adopted.is_empty());
        prop_assert!(tracker.spoken.is_empty() && tracker.wakes.is_empty() && tracker.unsettled.is_empty());
    }
}
