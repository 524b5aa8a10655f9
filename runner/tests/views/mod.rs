//! Incidents as people may meet them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::assigning_clones,
    dead_code,
    unreachable_pub,
    missing_docs
)]

use std::collections::BTreeSet;

use jiff::Timestamp;
use marple_core::{
    Category, Cause, Citation, Claim, Conclusion, Confidence, Evidence, EvidenceId, EvidenceOrigin, Fingerprint,
    Incident, IncidentStatus, JoinReason, Labels, Link, Member, ObjectRef, Remedy, Risk, Severity, SignalSource,
    SignalStatus, Unseen, Verdict,
};
use marple_runner::render::{Links, Stage, View};
use marple_runner::store::ConcludedBy;

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn incident() -> Incident {
    let cart = ObjectRef::namespaced("Deployment", "shop", "cart");
    Incident {
        id: "01932f00-0000-7000-8000-0000c0ffee42".parse().unwrap(),
        status: IncidentStatus::Open,
        title: "Deployment shop/cart: KubePodCrashLooping".to_owned(),
        severity: Severity::Critical,
        subject: Some(cart.clone()),
        objects: BTreeSet::from([cart]),
        signals: 1,
        firing: 1,
        starts_at: at("2026-03-02T03:04:05Z"),
        opened_at: at("2026-03-02T03:05:00Z"),
        updated_at: at("2026-03-02T03:06:00Z"),
        resolved_at: None,
        resolution: None,
        merged_into: None,
        revision: 1,
    }
}

pub fn member(name: &str, pod: &str, headline: &str) -> Member {
    let labels: Labels =
        [("alertname", name), ("namespace", "shop"), ("pod", pod), ("severity", "critical")].into_iter().collect();
    Member {
        source: SignalSource::Alertmanager,
        fingerprint: Fingerprint::of(&labels),
        name: name.to_owned(),
        status: SignalStatus::Firing,
        severity: Severity::Critical,
        subject: Some(ObjectRef::namespaced("Pod", "shop", pod)),
        reason: JoinReason::First,
        headline: headline.to_owned(),
        labels,
        starts_at: at("2026-03-02T03:04:05Z"),
        ends_at: None,
        generator_url: Some("http://prometheus.example/graph?g0.expr=up%3D%3D0&g0.tab=1".to_owned()),
    }
}

pub fn evidence(id: u32, title: &str, content: &str) -> Evidence {
    Evidence {
        id: EvidenceId(id),
        origin: EvidenceOrigin::Capture,
        title: title.to_owned(),
        object: Some(ObjectRef::namespaced("Pod", "shop", "cart-7d4b9c6f5-x2x8p")),
        taken_at: at("2026-03-02T03:05:01Z"),
        content: content.to_owned(),
        rest: None,
        view: None,
    }
}

pub fn cite(evidence: u32, quote: &str) -> Citation {
    Citation { evidence: EvidenceId(evidence), quote: quote.to_owned(), verified: true }
}

const PULL: &str = r#"MountVolume.SetUp failed for volume "config" : configmap "cart-config" not found"#;
const WAIT: &str = "Warning  FailedMount  14m (x9 over 15m)  kubelet";

pub fn conclusion() -> Conclusion {
    let pod = ObjectRef::namespaced("Pod", "shop", "cart-7d4b9c6f5-x2x8p");
    let deployment = ObjectRef::namespaced("Deployment", "shop", "cart");
    let config = ObjectRef::namespaced("ConfigMap", "shop", "cart-config");
    Conclusion {
        verdict: Verdict::Fault,
        summary: "The pods of cart wait for the ConfigMap cart-config, which does not exist.".to_owned(),
        cause: Some(Cause {
            object: config.clone(),
            category: Category::Configuration,
            statement: "It was deleted at 03:01 while the volume `config` of Deployment shop/cart still mounts it."
                .to_owned(),
            citations: vec![cite(2, PULL)],
        }),
        chain: vec![
            Link {
                object: pod,
                statement: "does not start: its volume can't be mounted".to_owned(),
                citations: vec![cite(2, WAIT)],
            },
            Link {
                object: deployment,
                statement: "mounts ConfigMap cart-config".to_owned(),
                citations: vec![cite(3, "      - configMap:\n          name: cart-config")],
            },
            Link {
                object: config,
                statement: "does not exist".to_owned(),
                citations: vec![cite(4, r#"configmaps "cart-config" not found"#)],
            },
        ],
        impact: "No cart pod is ready; checkout fails for everybody since 03:04.".to_owned(),
        confidence: Confidence::High,
        remedies: vec![
            Remedy {
                title: "Create the ConfigMap again from the last release".to_owned(),
                command: Some(
                    "helm -n shop get manifest cart | yq 'select(.kind == \"ConfigMap\")' | kubectl apply -f -"
                        .to_owned(),
                ),
                risk: Risk::Low,
                reversible: true,
            },
            Remedy {
                title: "Roll back to the revision that did not need it".to_owned(),
                command: Some("kubectl -n shop rollout undo deployment/cart".to_owned()),
                risk: Risk::Medium,
                reversible: true,
            },
        ],
        ruled_out: vec![Claim {
            statement: "The image is fine: it was pulled on the same node.".to_owned(),
            citations: vec![cite(2, "Normal   Pulled       15m  kubelet  Container image already present on machine")],
        }],
        unseen: Vec::new(),
    }
}

fn cited() -> Vec<Evidence> {
    vec![
        evidence(2, "events of Pod shop/cart-7d4b9c6f5-x2x8p", &format!("{WAIT}  {PULL}")),
        evidence(3, "Deployment shop/cart as YAML", "kind: Deployment"),
        evidence(4, "get ConfigMap shop/cart-config", r#"configmaps "cart-config" not found"#),
    ]
}

fn view(stage: Stage, conclusion: Option<Conclusion>, by: Option<ConcludedBy>) -> View {
    View {
        cluster: "prod-eu".to_owned(),
        incident: incident(),
        members: vec![member("KubePodCrashLooping", "cart-7d4b9c6f5-x2x8p", "Pod is crash looping.")],
        more_members: 0,
        cited: if conclusion.is_some() { cited() } else { Vec::new() },
        conclusion,
        by,
        stage,
        drawing: None,
        links: Links { base_url: Some("https://marple.example.com/".to_owned()), signed: None },
    }
}

pub fn capturing() -> View {
    view(Stage::Capturing, None, None)
}

pub fn rules_only() -> View {
    view(Stage::RulesOnly, Some(conclusion()), Some(ConcludedBy::Rules))
}

pub fn investigating() -> View {
    view(Stage::Investigating, Some(conclusion()), Some(ConcludedBy::Rules))
}

pub fn agent() -> View {
    let mut view = view(Stage::Concluded, Some(conclusion()), Some(ConcludedBy::Agent));
    let conclusion = view.conclusion.as_mut().unwrap();
    conclusion.confidence = Confidence::Medium;
    conclusion.chain[1].citations[0].verified = false;
    conclusion.unseen.push(Unseen { what: "Prometheus".to_owned(), why: "connection refused".to_owned() });
    view.incident.revision = 3;
    view
}

pub fn resolved() -> View {
    let mut view = agent();
    view.incident.status = IncidentStatus::Resolved;
    view.incident.firing = 0;
    view.incident.resolved_at = Some(at("2026-03-02T03:41:00Z"));
    view.members[0].status = SignalStatus::Resolved;
    view.incident.revision = 4;
    view
}

pub fn inconclusive() -> View {
    let mut view = view(Stage::Concluded, Some(conclusion()), Some(ConcludedBy::Agent));
    let conclusion = view.conclusion.as_mut().unwrap();
    conclusion.verdict = Verdict::Inconclusive;
    conclusion.summary =
        "The container ends with exit code 137 every 20 minutes; nothing seen says who kills it.".to_owned();
    conclusion.cause = None;
    conclusion.confidence = Confidence::Low;
    conclusion.chain.truncate(1);
    conclusion.remedies.clear();
    conclusion.unseen = vec![
        Unseen { what: "kernel log of Node worker-1".to_owned(), why: "no access to nodes".to_owned() },
        Unseen { what: "container memory".to_owned(), why: "Prometheus: connection refused".to_owned() },
    ];
    view
}

pub fn no_fault() -> View {
    let mut view = inconclusive();
    let conclusion = view.conclusion.as_mut().unwrap();
    conclusion.verdict = Verdict::NoFault;
    conclusion.summary = "The pods were replaced by a rollout that ended well at 03:10; nothing is broken.".to_owned();
    conclusion.confidence = Confidence::High;
    conclusion.unseen.clear();
    view
}

pub fn no_model() -> View {
    view(Stage::RulesOnly, None, None)
}

pub fn many_alerts() -> View {
    let mut view = rules_only();
    let names = ["KubePodCrashLooping", "KubeDeploymentReplicasMismatch", "TargetDown"];
    view.members = (0..40_usize)
        .map(|number| {
            member(
                names[number % 3],
                &format!("cart-7d4b9c6f5-{number:05}"),
                "Pod has been in a non-ready state for longer than 15 minutes on cluster prod-eu.",
            )
        })
        .collect();
    view.members[1].status = SignalStatus::Resolved;
    view.more_members = 1_160;
    view.incident.signals = 1_200;
    view.incident.firing = 1_199;
    view.incident.title = "Deployment shop/cart: KubePodCrashLooping and 2 more".to_owned();
    view
}

pub fn merged() -> View {
    let mut view = rules_only();
    view.incident.status = IncidentStatus::Merged;
    view.incident.merged_into = Some("01932f00-0000-7000-8000-00000badcafe".parse().unwrap());
    view
}

pub const HOSTILE: &str = "<!channel> <@U12345> <#C0MARPLE01> <https://evil.example|click here> & ``` @here \u{1b}[2J\u{202e}fdp https://evil.example *bold* `x` &lt;!here&gt;";

pub fn hostile() -> View {
    let mut view = rules_only();
    view.cluster = HOSTILE.to_owned();
    view.incident.title = HOSTILE.to_owned();
    for member in &mut view.members {
        member.headline = HOSTILE.to_owned();
        member.name = HOSTILE.to_owned();
        member.generator_url = Some("https://evil.example/|<!channel>".to_owned());
    }
    view.members.push(view.members[0].clone());
    for evidence in &mut view.cited {
        evidence.title = HOSTILE.to_owned();
    }
    let conclusion = view.conclusion.as_mut().unwrap();
    conclusion.summary = HOSTILE.to_owned();
    conclusion.impact = HOSTILE.to_owned();
    let cause = conclusion.cause.as_mut().unwrap();
    cause.statement = format!("{HOSTILE} too");
    cause.object = ObjectRef::namespaced("ConfigMap", HOSTILE, HOSTILE);
    cause.citations = vec![cite(2, &format!("{HOSTILE}\n```\n{HOSTILE}"))];
    conclusion.remedies[0].title = HOSTILE.to_owned();
    conclusion.remedies[0].command = Some(format!("echo {HOSTILE}"));
    conclusion.ruled_out[0].statement = HOSTILE.to_owned();
    conclusion.unseen.push(Unseen { what: HOSTILE.to_owned(), why: HOSTILE.to_owned() });
    view
}

pub fn enormous() -> View {
    let long = "a rather long text & <more> of it, ".repeat(3_000);
    let lines = (0..5_000).map(|number| format!("line {number} <&> ```\n")).collect::<String>();
    let mut view = many_alerts();
    view.cluster = long.clone();
    view.incident.title = long.clone();
    for member in &mut view.members {
        member.headline = long.clone();
    }
    for evidence in &mut view.cited {
        evidence.title = long.clone();
        evidence.content = lines.clone();
    }
    let conclusion = view.conclusion.as_mut().unwrap();
    conclusion.summary = long.clone();
    conclusion.impact = long.clone();
    let cause = conclusion.cause.as_mut().unwrap();
    cause.statement = format!("x{long}");
    cause.citations = (2..5)
        .flat_map(|id| (0..40).map(move |number| cite(id, &format!("{number} {}", "&<>\n".repeat(500)))))
        .collect();
    conclusion.chain = (0..80)
        .map(|number| Link {
            object: ObjectRef::namespaced("Pod", "shop", format!("{number}-{long}")),
            statement: long.clone(),
            citations: vec![cite(3, &lines)],
        })
        .collect();
    conclusion.remedies = (0..60)
        .map(|number| Remedy {
            title: format!("{number} {long}"),
            command: Some(if number == 2 { format!("kubectl-that-is-cut {long}") } else { "&".repeat(1_400) }),
            risk: Risk::High,
            reversible: false,
        })
        .collect();
    conclusion.ruled_out =
        (0..60).map(|number| Claim { statement: format!("{number} {long}"), citations: vec![cite(4, "x")] }).collect();
    conclusion.unseen = (0..60).map(|_| Unseen { what: long.clone(), why: long.clone() }).collect();
    view
}

/// Every one, with its name.
pub fn all() -> Vec<(&'static str, View)> {
    let mut all = usual();
    all.push(("enormous", enormous()));
    all
}

/// Those of a usual size.
pub fn usual() -> Vec<(&'static str, View)> {
    vec![
        ("capturing", capturing()),
        ("rules_only", rules_only()),
        ("investigating", investigating()),
        ("agent", agent()),
        ("resolved", resolved()),
        ("inconclusive", inconclusive()),
        ("no_fault", no_fault()),
        ("no_model", no_model()),
        ("many_alerts", many_alerts()),
        ("merged", merged()),
        ("hostile", hostile()),
    ]
}
