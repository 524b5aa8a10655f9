//! Logs as diagnosers search them: the latest lines of each container's last troubled run.

use std::collections::BTreeMap;

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
const LATELY: SignedDuration = SignedDuration::from_mins(15);

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

/// The latest line of each workload with what `read` takes it for, and how many such lines there are. Of a container
/// that serves one line alone is a passing trouble, and left out; of one that ended, what it said well before.
pub(super) fn told<'a, K: Ord>(
    context: &Context<'a>,
    read: impl Fn(&Words<'a>) -> Option<K>,
) -> Vec<(K, Words<'a>, usize)> {
    let mut seen: BTreeMap<(ObjectRef, K), (Words<'a>, usize)> = BTreeMap::new();
    for words in lines(context).into_iter().filter(|words| words.serves || words.last) {
        if let Some(key) = read(&words) {
            seen.entry((words.owner.clone(), key)).and_modify(|(_, count)| *count += 1).or_insert((words, 1));
        }
    }
    let kept = seen.into_iter().filter(|(_, (words, count))| !words.serves || *count > 1);
    kept.map(|((_, key), (words, count))| (key, words, count)).collect()
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
            let latest = line::latest(&log.text, depth).filter(|line| !serves || !over(line));
            let telling = line::telling(&log.text);
            let at = past.filter(|(present, _)| *present || previous).map(|(_, at)| at);
            found.extend(latest.enumerate().map(|(before, line)| Words {
                pod: container.pod,
                container: container.name,
                previous,
                owner: container.owner.clone(),
                line,
                last: before < NEAR || telling == Some(line),
                serves,
                ended_by: telling.filter(|_| !serves),
                at,
            }));
        }
    }
    found
}
