//! The tracker against a model that looks at everything at every second.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 2] = ["X", "Y"];
/// The rate limit of each, in seconds.
const LIMITS: [i64; 2] = [0, 25];
const SUBJECTS: [&str; 2] = ["a", "b"];

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
    Say { subject: usize, witness: usize, said: Vec<Said> },
    Forget { subject: usize },
    Pass { seconds: i64 },
}

fn said() -> impl Strategy<Value = Said> {
    (0..NAMES.len(), prop::option::of(0..20_u64), prop::option::of(0..30_i64), prop::option::of(1..30_i64))
        .prop_map(|(name, hold, ago, lasts)| Said { name, hold, ago, lasts })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..SUBJECTS.len(), 0..3_usize, prop::collection::vec(said(), 0..3))
            .prop_map(|(subject, witness, said)| Step::Say { subject, witness, said }),
        1 => (0..SUBJECTS.len()).prop_map(|subject| Step::Forget { subject }),
        3 => (1..15_i64).prop_map(|seconds| Step::Pass { seconds }),
    ]
}

#[derive(Clone, Debug)]
struct Word {
    subject: usize,
    witness: usize,
    name: usize,
    hold: Option<u64>,
    begin: i64,
    first_heard: i64,
    until: Option<i64>,
}

/// Every word that counts, and what is told by them: nothing else is remembered.
#[derive(Default)]
struct Model {
    words: Vec<Word>,
    told: BTreeSet<(usize, usize)>,
    /// When each may be told again.
    allowed: BTreeMap<(usize, usize), i64>,
}

impl Model {
    fn say(&mut self, subject: usize, witness: usize, said: &[Said], now: i64) {
        let before: Vec<Word> =
            self.words.extract_if(.., |word| word.subject == subject && word.witness == witness).collect();
        for it in said {
            let earlier = before.iter().find(|word| word.name == it.name && word.hold.is_some());
            let first_heard = earlier.map_or(now, |word| word.first_heard);
            let begin = it.ago.map_or(first_heard, |ago| now - ago);
            let until = it.lasts.map(|lasts| now + lasts);
            self.words.push(Word { subject, witness, name: it.name, hold: it.hold, begin, first_heard, until });
        }
    }

    fn look(&mut self, now: i64) {
        self.words.retain(|word| word.until.is_none_or(|until| until > now));
        for subject in 0..SUBJECTS.len() {
            for (name, limit) in LIMITS.into_iter().enumerate() {
                let key = (subject, name);
                let words: Vec<usize> =
                    (0..self.words.len()).filter(|at| (self.words[*at].subject, self.words[*at].name) == key).collect();
                let allowed = self.allowed.get(&key).is_none_or(|at| *at <= now);
                let due = |word: &Word| {
                    let begin = word.begin.min(word.first_heard);
                    allowed && word.hold.is_some_and(|hold| begin + i64::try_from(hold).unwrap() <= now)
                };
                if words.is_empty() {
                    self.told.remove(&key);
                } else if words.iter().any(|at| due(&self.words[*at])) {
                    if self.told.insert(key) {
                        self.allowed.insert(key, now + limit);
                    }
                } else if !self.told.contains(&key) && words.iter().all(|at| self.words[*at].hold.is_none()) {
                    // Lingering alone begins nothing and is not remembered.
                    self.words.retain(|word| (word.subject, word.name) != key);
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
}

impl Ledger {
    fn note(&mut self, signals: Vec<Signal>) {
        for signal in signals {
            match signal.status {
                SignalStatus::Firing => {
                    assert!(
                        self.starts.insert((signal.fingerprint, signal.starts_at)),
                        "twice under one start: {signal:?}"
                    );
                    assert!(self.open.insert(signal.fingerprint, signal).is_none(), "told twice");
                }
                SignalStatus::Resolved => {
                    let open = self.open.remove(&signal.fingerprint).expect("resolved though not told");
                    assert_eq!(open.starts_at, signal.starts_at);
                    assert!(signal.ends_at >= Some(signal.starts_at));
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn it_tells_what_a_model_tells_that_remembers_everything(steps in prop::collection::vec(step(), 1..60)) {
        let (mut tracker, mut model, mut ledger) = (Tracker::default(), Model::default(), Ledger::default());
        let mut now = 1000;
        for step in steps {
            match step {
                Step::Say { subject, witness, mut said } => {
                    // A witness says one thing of one condition.
                    let mut names = BTreeSet::new();
                    said.retain(|it| names.insert(it.name));
                    let drafts = said.iter().map(|it| {
                        let stage = it.hold.map_or(Stage::Lingers, hold);
                        let until = it.lasts.map(|lasts| at(now + lasts));
                        let rate_limit = Duration::from_secs(LIMITS[it.name].unsigned_abs());
                        Draft { until, rate_limit, ..draft(SUBJECTS[subject], NAMES[it.name], stage, it.ago.map(|ago| now - ago)) }
                    });
                    let witness_is = if witness == 0 { object(SUBJECTS[subject]) } else { event(&format!("{subject}-{witness}")) };
                    ledger.note(tracker.observe(&witness_is, drafts.collect(), at(now)));
                    model.say(subject, witness, &said, now);
                }
                Step::Forget { subject } => {
                    ledger.note(tracker.forget(&pod(SUBJECTS[subject]), at(now)));
                    model.words.retain(|word| word.subject != subject);
                    model.allowed.retain(|(of, _), _| *of != subject);
                }
                Step::Pass { seconds } => {
                    for _ in 0..seconds {
                        now += 1;
                        ledger.note(tracker.due(at(now)));
                        model.look(now);
                    }
                }
            }
            model.look(now);
            let told: BTreeSet<_> = model.told.iter().map(|(subject, name)| (SUBJECTS[*subject].to_owned(), NAMES[*name].to_owned())).collect();
            let open: BTreeSet<_> = ledger.open.values().map(|signal| (signal.subject.as_ref().unwrap().name.clone(), signal.name.clone())).collect();
            prop_assert_eq!(open, told);
            prop_assert_eq!(tracker.firing().count(), ledger.open.len());
            now += 1;
            ledger.note(tracker.due(at(now)));
            model.look(now);
        }
        for subject in SUBJECTS {
            ledger.note(tracker.forget(&pod(subject), at(now)));
        }
        prop_assert!(ledger.open.is_empty() && tracker.is_empty());
        prop_assert!(tracker.spoken.is_empty() && tracker.wakes.is_empty());
    }
}
