//! Logs as diagnosers search them: the latest lines of each container's last troubled run.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use jiff::{SignedDuration, Timestamp};
use marple_core::ObjectRef;

use super::container::containers;
use super::context::{Context, Draft};
use super::{line, workload};

/// How many lines of a container that ended or isn't ready are searched.
const DEPTH: usize = 60;

/// How many lines of a container that serves; an error there must be of now.
const SHALLOW: usize = 40;

/// How near the end of a run a line stands that has to do with its end.
const NEAR: usize = 20;

/// What a container that serves said longer ago than this, it has got over.
pub(super) const LATELY: SignedDuration = SignedDuration::from_mins(15);

/// A line of a log, latest first, and whose.
pub(super) struct Words<'a> {
    pub(super) pod: &'a ObjectRef,
    pub(super) container: &'a str,
    pub(super) previous: bool,
    pub(super) owner: ObjectRef,
    pub(super) line: &'a str,
    /// Whether it stands near the end of the run, or is the line that tells most of why it ended.
    pub(super) last: bool,
    /// Whether the container serves: one such line alone may be a passing trouble.
    pub(super) serves: bool,
    /// Of a run that ended, the line that tells most of why.
    pub(super) ended_by: Option<&'a str>,
    /// When the run ended that said it, where that is over.
    pub(super) at: Option<Timestamp>,
    /// How many lines stand behind it.
    pub(super) behind: usize,
}

/// How often something was said, and when.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) count: usize,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// Lines of a program that serves which stand behind the last.
    behind: usize,
}

/// So many lines without it, and it may be over.
const QUIET: usize = 5;

impl Times {
    /// It was said by this line, so far the latest.
    pub(super) fn of(words: &Words<'_>, now: Timestamp) -> Self {
        let at = line::said_at(words.line, now);
        Self { count: 1, first: at, last: at, behind: if words.serves { words.behind } else { 0 } }
    }

    /// It was said by this line too.
    pub(super) fn add(&mut self, words: &Words<'_>, now: Timestamp) {
        self.count += 1;
        let at = line::said_at(words.line, now);
        self.first = at.into_iter().chain(self.first).min();
        self.last = self.last.max(at);
        // Of several containers the one that said it last tells whether it is over.
        self.behind = self.behind.min(if words.serves { words.behind } else { 0 });
    }

    /// That it was said several times, behind a sentence: `, 7 times in its latest lines, from 11:40 to 11:52 UTC`.
    pub(super) fn told(&self, context: &Context<'_>) -> String {
        if self.count < 2 {
            return String::new();
        }
        let when = self.first.zip(self.last).map(|span| between(context, span)).unwrap_or_default();
        let over = match self.behind {
            0..QUIET => String::new(),
            behind => format!(", and not in the {behind} lines since"),
        };
        format!(", {} times in its latest lines{when}{over}", self.count)
    }
}

/// From when until when, behind a sentence.
pub(super) fn between(context: &Context<'_>, (first, last): (Timestamp, Timestamp)) -> String {
    let (from, to) = (context.clock(first), context.clock(last));
    if from == to { format!(", at {to}") } else { format!(", from {} to {to}", from.trim_end_matches(" UTC")) }
}

impl<'a> Words<'a> {
    /// Proves a finding by the line, which is as old as its run.
    pub(super) fn prove<'c>(&self, draft: Draft<'c, 'a>) -> Draft<'c, 'a> {
        draft.log(self.pod, self.container, self.previous, self.line).at(self.at)
    }

    /// The command that shows the log around the line.
    pub(super) fn logs_command(&self) -> String {
        let previous = if self.previous { " --previous" } else { "" };
        let scope = workload::scope(self.pod);
        format!("kubectl logs{scope} {} -c {}{previous} --tail=100", self.pod.name, self.container)
    }
}

/// The latest line of each workload with what `read` takes it for, and how often and when such lines were said. Of a container
/// that serves one line alone is a passing trouble, and left out; of one that ended, what it said well before.
pub(super) fn told<'a, K: Ord>(
    context: &Context<'a>,
    read: impl Fn(&Words<'a>) -> Option<K>,
) -> Vec<(K, Words<'a>, Times)> {
    let now = context.scene.now;
    let mut seen: BTreeMap<(ObjectRef, K), (Words<'a>, Times)> = BTreeMap::new();
    for words in lines(context).into_iter().filter(|words| words.serves || words.last) {
        let Some(key) = read(&words) else { continue };
        match seen.entry((words.owner.clone(), key)) {
            Entry::Occupied(mut known) => known.get_mut().1.add(&words, now),
            Entry::Vacant(place) => {
                let times = Times::of(&words, now);
                place.insert((words, times));
            }
        }
    }
    let kept = seen.into_iter().filter(|(_, (words, times))| !words.serves || times.count > 1);
    kept.map(|((_, key), (words, times))| (key, words, times)).collect()
}

/// Lines of all logs of the scene, each container's latest first.
pub(super) fn lines<'a>(context: &Context<'a>) -> Vec<Words<'a>> {
    let mut found = Vec::new();
    for container in containers(context) {
        let serves = container.ready() && container.runs();
        let lately = container.troubled_ending(context).is_some();
        let past = container.ending().and_then(|ending| Some((ending.present, container.past(ending)?)));
        for previous in [false, true] {
            if previous && !lately {
                continue;
            }
            let Some(log) = context.scene.log(container.pod, container.name, previous) else { continue };
            let depth = if serves { SHALLOW } else { DEPTH };
            let now = context.scene.now;
            let over = |line: &&str| line::said_at(line, now).is_some_and(|at| now.duration_since(at) > LATELY);
            let serves = serves && !previous;
            let latest = line::latest(&log.text, depth).enumerate().filter(|(_, line)| !serves || !over(line));
            let telling = line::telling(&log.text);
            let at = past.filter(|(present, _)| *present || previous).map(|(_, at)| at);
            found.extend(latest.map(|(behind, line)| Words {
                pod: container.pod,
                container: container.name,
                previous,
                owner: container.owner.clone(),
                line,
                last: behind < NEAR || telling == Some(line),
                serves,
                ended_by: telling.filter(|_| !serves),
                at,
                behind,
            }));
        }
    }
    found
}
