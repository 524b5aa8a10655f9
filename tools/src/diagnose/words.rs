//! Logs as diagnosers search them: the latest lines of each container's last troubled run.

use marple_core::ObjectRef;

use super::container::containers;
use super::context::Context;
use super::line;

/// How many lines of a container that ended or isn't ready are searched.
const DEPTH: usize = 60;

/// How many lines of a container that serves; an error there must be of now.
const SHALLOW: usize = 40;

/// A line of a log, latest first, and whose.
pub(super) struct Words<'a> {
    pub(super) pod: &'a ObjectRef,
    pub(super) container: &'a str,
    pub(super) previous: bool,
    pub(super) owner: ObjectRef,
    pub(super) line: &'a str,
    /// Whether the container serves: one such line alone may be a passing trouble.
    pub(super) serves: bool,
}

/// Lines of all logs of the scene, each container's latest first.
pub(super) fn lines<'a>(context: &Context<'a>) -> Vec<Words<'a>> {
    let mut found = Vec::new();
    for container in containers(context) {
        let serves = container.ready() && container.runs();
        let lately = container.troubled_ending(context).is_some();
        for previous in [false, true] {
            if previous && !lately {
                continue;
            }
            let Some(log) = context.scene.log(container.pod, container.name, previous) else { continue };
            let depth = if serves { SHALLOW } else { DEPTH };
            found.extend(line::latest(&log.text, depth).map(|line| Words {
                pod: container.pod,
                container: container.name,
                previous,
                owner: container.owner.clone(),
                line,
                serves: serves && !previous,
            }));
        }
    }
    found
}
