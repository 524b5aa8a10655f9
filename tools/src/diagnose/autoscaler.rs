//! Autoscalers that can't scale.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::{Relation, field};

const NO_METRICS: Condition = Condition::cause("autoscaler-without-metrics", 20);
const NO_REQUESTS: Condition = Condition::cause("autoscaler-target-without-requests", 15);
const NO_TARGET: Condition = Condition::cause("autoscaler-target-missing", 10);
const AT_MAXIMUM: Condition = Condition::cause("autoscaler-at-maximum", 40);

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[NO_METRICS, NO_REQUESTS, NO_TARGET, AT_MAXIMUM], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (object, value) in context.scene.of_kind("HorizontalPodAutoscaler") {
        if !context.settled(value) {
            continue;
        }
        let target = context
            .graph
            .edges(object)
            .iter()
            .find(|edge| edge.relation == Relation::Refers)
            .map(|edge| edge.to.clone());
        let target = target.unwrap_or_else(|| object.clone());
        let told = |kind: &str, status: &str| {
            let condition = field::condition(value, kind)?;
            (field::text(condition, "/status") == Some(status)).then(|| {
                (
                    field::text(condition, "/reason").unwrap_or_default(),
                    field::text(condition, "/message").unwrap_or_default(),
                )
            })
        };
        if let Some((reason, message)) = told("AbleToScale", "False").filter(|(reason, _)| *reason == "FailedGetScale")
        {
            state(
                context,
                object,
                (&NO_TARGET, &target),
                (reason, message),
                format!("{object} can't scale {target}, which it does not find: {}", line::cut(message, 140)),
                findings,
            );
        } else if let Some((reason, message)) =
            told("ScalingActive", "False").filter(|(reason, _)| *reason != "ScalingDisabled")
        {
            let (condition, culprit) =
                if message.contains("missing request for") { (&NO_REQUESTS, &target) } else { (&NO_METRICS, object) };
            state(
                context,
                object,
                (condition, culprit),
                (reason, message),
                format!("{object} can't scale {target}: {}", line::cut(message, 180)),
                findings,
            );
        }
        let maximum = field::number(value, "/spec/maxReplicas").unwrap_or_default();
        let limited = told("ScalingLimited", "True").filter(|(reason, _)| *reason == "TooManyReplicas");
        if let Some((reason, message)) =
            limited.filter(|_| field::number(value, "/status/currentReplicas") == Some(maximum))
        {
            context
                .finding(&AT_MAXIMUM, object, Category::Scaling)
                .says(format!("{object} wants more than its maximum of {maximum} replicas of {target}"))
                .severity(Severity::Info)
                .culprit(object)
                .field(object, "reason", reason)
                .field(object, "message", message)
                .field(object, "maxReplicas", &maximum.to_string())
                .mend(
                    "Raise the maximum",
                    format!(
                        "kubectl patch{} hpa/{} -p '{{\"spec\":{{\"maxReplicas\":{}}}}}'",
                        workload::scope(object),
                        object.name,
                        maximum.saturating_mul(2)
                    ),
                )
                .into(findings);
        }
    }
}

fn state(
    context: &Context<'_>,
    object: &ObjectRef,
    (condition, culprit): (&Condition, &ObjectRef),
    (reason, message): (&str, &str),
    statement: String,
    findings: &mut Vec<Finding>,
) {
    context
        .finding(condition, object, Category::Scaling)
        .says(statement)
        .culprit(culprit)
        .field(object, "reason", reason)
        .field(object, "message", message)
        .check("See the autoscaler's events", workload::describe(object))
        .into(findings);
}
