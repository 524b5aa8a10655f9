//! The diagnosers and the conclusion by rules.
//!
//! A diagnoser is one file with one line in `DIAGNOSERS`: pure, quick, each finding with the words that prove it.
//! [`conclude`] follows the findings through the scene's graph from the symptoms to the cause.

mod account_token;
mod admission_policy;
mod admission_webhook;
mod api_service;
mod asker;
mod autoscaler;
mod autoscaler_flapping;
mod callee;
mod certificate;
mod changed;
mod claim;
mod command;
mod conclude;
mod condition;
mod configuration;
mod connections;
mod container;
mod container_crash;
mod container_oom;
mod context;
mod creation;
mod credentials;
mod cron_job;
mod daemon_set_nodes;
mod dependency;
mod dependency_endpoints;
mod dependency_trouble;
mod disk_full;
mod disruption_budget;
mod drain;
mod environment;
mod eviction;
mod finalizer;
mod fold;
mod forbidden;
mod gateway;
mod hook;
mod host_port;
mod image;
mod ingress;
mod init_container;
mod job;
mod limit_range;
mod line;
mod listener;
mod listens;
mod liveness;
mod log_errors;
mod mounted_file;
mod name_resolution;
mod network_policy;
mod node;
mod node_changed;
mod node_event;
mod origin;
mod outside;
mod pod_security;
mod preemption;
mod probe;
mod quota;
mod readiness_gate;
mod recent_change;
mod recovered;
mod refusal;
mod rollout;
mod sandbox;
mod scaled_to_zero;
mod service_endpoints;
mod service_port;
mod service_selector;
mod sign;
mod stale;
mod unschedulable;
mod volume_mount;
mod volume_source;
mod webhook_configuration;
mod words;
mod workload;
mod wrong_port;

use marple_core::Finding;

use crate::scene::Scene;
pub use conclude::{ASKED, Symptom, conclude};
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
    hook::DIAGNOSER,
    container_oom::DIAGNOSER,
    init_container::DIAGNOSER,
    container_crash::DIAGNOSER,
    probe::DIAGNOSER,
    readiness_gate::DIAGNOSER,
    unschedulable::DIAGNOSER,
    claim::DIAGNOSER,
    volume_mount::DIAGNOSER,
    sandbox::DIAGNOSER,
    finalizer::DIAGNOSER,
    quota::DIAGNOSER,
    limit_range::DIAGNOSER,
    pod_security::DIAGNOSER,
    admission_policy::DIAGNOSER,
    admission_webhook::DIAGNOSER,
    webhook_configuration::DIAGNOSER,
    creation::DIAGNOSER,
    service_selector::DIAGNOSER,
    service_port::DIAGNOSER,
    service_endpoints::DIAGNOSER,
    listener::DIAGNOSER,
    ingress::DIAGNOSER,
    gateway::DIAGNOSER,
    dependency::DIAGNOSER,
    name_resolution::DIAGNOSER,
    dependency_endpoints::DIAGNOSER,
    network_policy::DIAGNOSER,
    environment::DIAGNOSER,
    mounted_file::DIAGNOSER,
    credentials::DIAGNOSER,
    connections::DIAGNOSER,
    sign::DIAGNOSER,
    forbidden::DIAGNOSER,
    account_token::DIAGNOSER,
    disk_full::DIAGNOSER,
    certificate::DIAGNOSER,
    eviction::DIAGNOSER,
    node::DIAGNOSER,
    node_event::DIAGNOSER,
    rollout::DIAGNOSER,
    daemon_set_nodes::DIAGNOSER,
    scaled_to_zero::DIAGNOSER,
    job::DIAGNOSER,
    cron_job::DIAGNOSER,
    autoscaler::DIAGNOSER,
    autoscaler_flapping::DIAGNOSER,
    api_service::DIAGNOSER,
    disruption_budget::DIAGNOSER,
    drain::DIAGNOSER,
    log_errors::DIAGNOSER,
    recovered::DIAGNOSER,
    dependency_trouble::DIAGNOSER,
    stale::DIAGNOSER,
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
