//! What depends on what, over several steps.

use std::collections::{BTreeSet, HashMap, VecDeque};

use marple_core::{JoinReason, ObjectRef};

use crate::correlate::Dependency;

/// The longest way that is followed: a workload, its Service, that of what it calls, and what stands behind it.
const STEPS: usize = 4;

/// Kinds through which everything depends on everything: shared nodes are judged by their own rule.
const SHARED: [&str; 2] = ["Node", "Namespace"];

/// What can be reached: how one gets there.
pub(super) type Reach = HashMap<ObjectRef, JoinReason>;

/// What objects depend on, over at most four steps, each with its shortest way.
pub(super) fn reach(from: &BTreeSet<ObjectRef>, dependencies: &BTreeSet<Dependency>) -> Reach {
    let mut steps: HashMap<&ObjectRef, Vec<&Dependency>> = HashMap::new();
    for dependency in dependencies.iter().filter(|one| !SHARED.contains(&one.to.kind.as_str())) {
        steps.entry(&dependency.from).or_default().push(dependency);
    }
    let mut reach = Reach::new();
    let mut queue: VecDeque<(&ObjectRef, &ObjectRef, String, usize)> =
        from.iter().map(|object| (object, object, String::new(), 0)).collect();
    while let Some((start, object, how, depth)) = queue.pop_front() {
        if depth == STEPS {
            continue;
        }
        for dependency in steps.get(object).into_iter().flatten() {
            let to = &dependency.to;
            if from.contains(to) || reach.contains_key(to) {
                continue;
            }
            let how = if how.is_empty() { dependency.how.clone() } else { format!("{how}, {}", dependency.how) };
            let reason = JoinReason::Dependency { from: start.clone(), to: to.clone(), how: how.clone() };
            reach.insert(to.clone(), reason);
            queue.push_back((start, to, how, depth + 1));
        }
    }
    reach
}
