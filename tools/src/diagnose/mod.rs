//! The diagnosers and the conclusion by rules.
//!
//! A diagnoser is one file with one line in `DIAGNOSERS`: pure, quick, each finding with the words that prove it.
//! [`conclude`] follows the findings through the scene's graph from the symptoms to the cause.

mod admission_webhook;
mod autoscaler;
mod certificate;
mod claim;
mod command;
mod conclude;
mod condition;
mod configuration;
mod container;
mod container_crash;
mod container_oom;
mod context;
mod creation;
mod cron_job;
mod dependency;
mod dependency_endpoints;
mod disk_full;
mod disruption_budget;
mod environment;
mod eviction;
mod fold;
mod forbidden;
mod image;
mod ingress;
mod init_container;
mod job;
mod limit_range;
mod line;
mod network_policy;
mod node;
mod pod_security;
mod probe;
mod quota;
mod recent_change;
mod refusal;
mod rollout;
mod sandbox;
mod scaled_to_zero;
mod service_endpoints;
mod service_port;
mod service_selector;
mod unschedulable;
mod volume_mount;
mod volume_source;
mod words;
mod workload;

use marple_core::Finding;

use crate::scene::Scene;
pub use conclude::{Symptom, conclude};
pub use condition::{Condition, Role, condition, conditions};
use context::Context;

/// The conditions of one file, and what finds them.
struct Diagnoser {
    conditions: &'static [Condition],
    find: for<'a> fn(&Context<'a>, &mut Vec<Finding>),
}

/// Every diagnoser. The order is that of the findings of one object.
const DIAGNOSERS: &[Diagnoser] = &[
    configuration::DIAGNOSER,
    volume_source::DIAGNOSER,
    image::DIAGNOSER,
    command::DIAGNOSER,
    container_oom::DIAGNOSER,
    init_container::DIAGNOSER,
    container_crash::DIAGNOSER,
    probe::DIAGNOSER,
    unschedulable::DIAGNOSER,
    claim::DIAGNOSER,
    volume_mount::DIAGNOSER,
    sandbox::DIAGNOSER,
    quota::DIAGNOSER,
    limit_range::DIAGNOSER,
    pod_security::DIAGNOSER,
    admission_webhook::DIAGNOSER,
    creation::DIAGNOSER,
    service_selector::DIAGNOSER,
    service_port::DIAGNOSER,
    service_endpoints::DIAGNOSER,
    ingress::DIAGNOSER,
    dependency::DIAGNOSER,
    dependency_endpoints::DIAGNOSER,
    network_policy::DIAGNOSER,
    environment::DIAGNOSER,
    forbidden::DIAGNOSER,
    disk_full::DIAGNOSER,
    certificate::DIAGNOSER,
    eviction::DIAGNOSER,
    node::DIAGNOSER,
    rollout::DIAGNOSER,
    scaled_to_zero::DIAGNOSER,
    job::DIAGNOSER,
    cron_job::DIAGNOSER,
    autoscaler::DIAGNOSER,
    disruption_budget::DIAGNOSER,
    recent_change::DIAGNOSER,
];

/// What the rules find in a scene, the worst first. What several pods of one workload show alike is told once.
pub fn run(scene: &Scene) -> Vec<Finding> {
    let context = Context::of(scene);
    let mut findings = Vec::new();
    for diagnoser in DIAGNOSERS {
        (diagnoser.find)(&context, &mut findings);
    }
    let mut findings = fold::fold(&context, findings);
    findings.sort_by(|one, other| {
        let by_name = || (&one.object, &one.condition).cmp(&(&other.object, &other.condition));
        other.severity.cmp(&one.severity).then_with(by_name)
    });
    findings
}

#[cfg(test)]
mod tests;
