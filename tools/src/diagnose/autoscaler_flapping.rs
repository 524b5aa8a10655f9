//! Autoscalers that go up and down without end.

use jiff::SignedDuration;
use marple_core::{Category, Finding, ProofSource};

use super::context::Context;
use super::{Condition, Diagnoser, workload};
use crate::scene::{Event, field};

const FLAPPING: Condition = Condition::cause("autoscaler-flapping", 18);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[FLAPPING], find };

/// Both ways at least so often within an hour, which is as long as events are kept.
const OFTEN: i64 = 3;
const WITHIN: SignedDuration = SignedDuration::from_hours(1);

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (object, value) in context.scene.of_kind("HorizontalPodAutoscaler") {
        let rescales = || {
            let events = context.scene.events_of(object).filter(|event| event.reason == "SuccessfulRescale");
            events.filter(|event| context.within(event.at, WITHIN))
        };
        let (up, down): (Vec<&Event>, Vec<&Event>) =
            rescales().partition(|event| event.message.contains("above target"));
        let count = |events: &[&Event]| events.iter().map(|event| event.count).sum::<i64>();
        let (ups, downs) = (count(&up), count(&down));
        let (Some(last_up), Some(last_down)) = (up.last(), down.last()) else { continue };
        if ups < OFTEN || downs < OFTEN {
            continue;
        }
        let target = field::text(value, "/spec/scaleTargetRef/name").unwrap_or_default();
        context
            .finding(&FLAPPING, object, Category::Scaling)
            .says(format!("{object} scaled {target} up {ups} times and down {downs} times within an hour"))
            .culprit(object)
            .words(ProofSource::Events(object.clone()), &last_up.message)
            .words(ProofSource::Events(object.clone()), &last_down.message)
            .mend(
                "Lengthen its stabilisation window, or set a target that it does not cross all the time",
                workload::edit(object),
            )
            .into(findings);
    }
}
