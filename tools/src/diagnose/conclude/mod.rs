//! From findings to a conclusion, by rules.

mod change;
mod explain;
mod health;
mod phrase;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use marple_core::{
    Category, Cause, Claim, Conclusion, Confidence, Finding, Link, ObjectRef, Remedy, Risk, Severity, Verdict,
};

use super::{Role, condition};
use crate::scene::{Graph, Scene};
use explain::{Case, Way};

/// What is to be explained: an alert or a condition that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symptom {
    /// Its name, as `KubePodCrashLooping`.
    pub name: String,
    /// The object that it is about, where it tells.
    pub object: Option<ObjectRef>,
    /// When it began.
    pub starts_at: Timestamp,
}

/// What happened longer before the symptoms than this, and is over, did not cause them.
const BEFORE: SignedDuration = SignedDuration::from_hours(1);

/// The most remedies and the most suspicions that are told.
const REMEDIES_LIMIT: usize = 4;
const RULED_OUT_LIMIT: usize = 5;

/// The conclusion that the findings come to: the most upstream of them that explains the symptoms.
///
/// Call it after [`crate::scene::Kept::resolve`]: without verified citations nothing is more than a guess.
pub fn conclude(scene: &Scene, symptoms: &[Symptom], findings: &[Finding]) -> Conclusion {
    let graph = Graph::of(scene);
    let began = symptoms.iter().map(|symptom| symptom.starts_at).min();
    let (fitting, past): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| fits(finding, began));
    let case = Case::of(scene, &graph, &fitting);
    let units = suffering(scene, &graph, symptoms, &fitting);
    let mut roots: BTreeMap<(ObjectRef, String), Vec<(&ObjectRef, Way<'_>)>> = BTreeMap::new();
    for unit in units.keys() {
        if let Some(way) = case.explain(unit) {
            roots
                .entry((cause_object(&graph, way.root()), way.root().condition.clone()))
                .or_default()
                .push((unit, way));
        }
    }
    let count = |ways: &[(&ObjectRef, Way<'_>)]| -> usize {
        ways.iter().map(|(unit, _)| units.get(*unit).copied().unwrap_or_default()).sum()
    };
    let best = roots.iter().max_by(|(_, one), (_, other)| {
        let class = |ways: &[(&ObjectRef, Way<'_>)]| ways.iter().map(|(_, way)| way.class()).min().unwrap_or(u8::MAX);
        count(one).cmp(&count(other)).then_with(|| class(other).cmp(&class(one)))
    });
    let Some(((object, _), ways)) = best else {
        return health::without_cause(scene, &graph, symptoms, &units, &fitting);
    };
    let Some((_, longest)) = ways.iter().max_by_key(|(_, way)| way.findings.len()) else {
        return health::without_cause(scene, &graph, symptoms, &units, &fitting);
    };
    let rivals = roots.values().filter(|rivals| rivals.first().map(|(_, way)| way.root()) != Some(longest.root()));
    let contested = rivals
        .clone()
        .any(|rivals| count(rivals) >= count(ways) && rivals.iter().any(|(_, way)| way.class() == longest.class()));
    let root = longest.root();
    let change = change::before(scene, &graph, object, root, &fitting, began);
    let policy = denied(&fitting, longest);
    let confidence = match policy {
        Some(_) => Confidence::Low,
        None => confidence(scene, longest, contested),
    };
    let (object, category, statement) = match policy {
        Some(policy) => {
            (&policy.object, Category::Network, format!("{} {}.", sentence(&root.statement), policy.statement))
        }
        None => (object, root.category, sentence(&root.statement)),
    };
    let statement = match change {
        Some(change) => format!("{statement} {}", sentence(&change.statement)),
        None => statement,
    };
    let mut citations = policy.map(|policy| policy.citations.clone()).unwrap_or_default();
    citations.extend(root.citations.clone());
    if let Some(change) = change {
        citations.extend(change.citations.clone());
    }
    let explained = ways.iter().map(|(unit, _)| *unit).collect::<Vec<_>>();
    Conclusion {
        verdict: Verdict::Fault,
        summary: phrase::summary(
            longest,
            &explained,
            object,
            &graph,
            change.map(|change| (change, what_changed(change))),
        ),
        cause: Some(Cause { object: object.clone(), category, statement, citations }),
        chain: chain(symptoms, longest, &explained, &graph),
        impact: phrase::impact(scene, &graph, &explained),
        confidence,
        remedies: remedies(root, change),
        ruled_out: ruled_out(longest, rivals.flatten().map(|(_, way)| way.root()), &past, &graph, &units, &fitting),
        unseen: scene.unseen.clone(),
    }
}

/// Whether a finding may have to do with symptoms that began then: it holds, or happened not long before.
fn fits(finding: &Finding, began: Option<Timestamp>) -> bool {
    let context = condition(&finding.condition).is_some_and(|condition| condition.role == Role::Context);
    context || finding.at.zip(began).is_none_or(|(at, began)| began.duration_since(at) <= BEFORE)
}

/// The top owners that the symptoms are about, with how many are about each; of a namespace, those with findings.
fn suffering(scene: &Scene, graph: &Graph, symptoms: &[Symptom], findings: &[&Finding]) -> BTreeMap<ObjectRef, usize> {
    let mut objects = symptoms.iter().filter_map(|symptom| symptom.object.clone()).collect::<Vec<_>>();
    if objects.is_empty() {
        objects.clone_from(&scene.subjects);
    }
    let mut units = BTreeMap::new();
    for object in objects {
        if object.is("Namespace") {
            let within = findings.iter().filter(|finding| {
                finding.severity > Severity::Info && finding.object.namespace.as_deref() == Some(object.name.as_str())
            });
            let within = within.map(|finding| graph.top_owner(&finding.object)).collect::<BTreeSet<_>>();
            for unit in within {
                *units.entry(unit).or_default() += 1;
            }
        } else {
            *units.entry(graph.top_owner(&object)).or_default() += 1;
        }
    }
    units
}

/// The object to change: the culprit, else the top owner of what shows it.
fn cause_object(graph: &Graph, root: &Finding) -> ObjectRef {
    root.culprit.clone().unwrap_or_else(|| graph.top_owner(&root.object))
}

/// The policy that may deny the call at which the way ends without a fault at the other end.
fn denied<'a>(findings: &[&'a Finding], way: &Way<'_>) -> Option<&'a Finding> {
    let root = way.root();
    let service = root.culprit.as_ref().filter(|_| root.condition == "dependency-timeout")?.to_string();
    findings.iter().copied().find(|finding| {
        finding.condition == "network-policy-may-deny" && finding.statement.contains(&format!("to {service}"))
    })
}

fn confidence(scene: &Scene, way: &Way<'_>, contested: bool) -> Confidence {
    let root = way.root();
    let Some(known) = condition(&root.condition) else { return Confidence::Low };
    let verified = root.citations.iter().filter(|citation| citation.verified).count();
    let best = match known.role {
        Role::Cause if known.told && root.at.is_none() => Confidence::High,
        Role::Cause => Confidence::Medium,
        // The program's own last words tell more than that it ended.
        Role::Symptom if root.statement.contains("log says") && scene.unseen.is_empty() => Confidence::Medium,
        Role::Symptom if known.rank <= 10 => Confidence::Medium,
        Role::Pointer | Role::Symptom | Role::Context => Confidence::Low,
    };
    let inferred = way.findings.iter().any(|finding| {
        let told = condition(&finding.condition).is_some_and(|condition| condition.told);
        !told || !finding.citations.iter().any(|citation| citation.verified)
    });
    let proven = if verified == 0 {
        Confidence::Low
    } else if verified < root.citations.len() || inferred || contested {
        Confidence::Medium
    } else {
        Confidence::High
    };
    best.min(proven)
}

fn chain(symptoms: &[Symptom], way: &Way<'_>, explained: &[&ObjectRef], graph: &Graph) -> Vec<Link> {
    let mut chain = Vec::new();
    let first = way.findings.first().map(|finding| graph.top_owner(&finding.object));
    // Where the rules found nothing at the symptom itself, the alert is the first link.
    let named = symptoms.iter().find(|symptom| {
        symptom.object.as_ref().is_some_and(|object| {
            let unit = graph.top_owner(object);
            explained.contains(&&unit) && unit == way.from && Some(&unit) != first.as_ref()
        })
    });
    chain.extend(named.and_then(|symptom| {
        let statement = format!("{} since {}", symptom.name, symptom.starts_at);
        Some(Link { object: symptom.object.clone()?, statement, citations: Vec::new() })
    }));
    chain.extend(way.findings.iter().map(|finding| Link {
        object: finding.object.clone(),
        statement: sentence(&finding.statement),
        citations: finding.citations.clone(),
    }));
    chain
}

fn remedies(root: &Finding, change: Option<&Finding>) -> Vec<Remedy> {
    let mut remedies = root.remedies.clone();
    let undo = change.into_iter().flat_map(|change| change.remedies.clone());
    let only_shows = condition(&root.condition).is_some_and(|condition| condition.role == Role::Symptom);
    for remedy in undo {
        if remedies.iter().any(|known| known.command == remedy.command) {
            continue;
        }
        // Where the fault itself isn't known, going back is the best that is; else it comes after what mends the fault
        // and before what only looks.
        let mends = |remedy: &&Remedy| remedy.command.is_some() && remedy.risk > Risk::Low;
        let at = if only_shows { 0 } else { remedies.iter().take_while(mends).count() };
        remedies.insert(at, remedy);
    }
    remedies.truncate(REMEDIES_LIMIT);
    remedies
}

/// Causes that are not the one: over before the symptoms began, or of other trouble on the same objects.
fn ruled_out<'a>(
    way: &Way<'_>,
    rivals: impl Iterator<Item = &'a Finding>,
    past: &[&Finding],
    graph: &Graph,
    units: &BTreeMap<ObjectRef, usize>,
    fitting: &[&'a Finding],
) -> Vec<Claim> {
    let here = |finding: &Finding| units.contains_key(&graph.top_owner(&finding.object));
    let is_cause = |finding: &Finding| {
        finding.severity > Severity::Info
            && condition(&finding.condition).is_some_and(|known| known.role == Role::Cause)
    };
    let old = past.iter().filter(|finding| here(finding)).map(|finding| Claim {
        statement: format!("{} It was over before the symptoms began.", sentence(&finding.statement)),
        citations: finding.citations.clone(),
    });
    let mut told = BTreeSet::new();
    let others =
        rivals.chain(fitting.iter().copied().filter(|finding| here(finding) && is_cause(finding))).filter(|finding| {
            !way.findings.iter().any(|one| one.condition == finding.condition && one.culprit == finding.culprit)
        });
    let mut claims = old.collect::<Vec<_>>();
    for other in others {
        if told.insert((&other.condition, &other.culprit, &other.object)) {
            claims.push(Claim {
                statement: format!("Another trouble, which explains less: {}", sentence(&other.statement)),
                citations: other.citations.clone(),
            });
        }
    }
    claims.truncate(RULED_OUT_LIMIT);
    claims
}

/// The first field that changed, as it was and is: from the proof, from which secrets have been taken.
fn what_changed(change: &Finding) -> Option<String> {
    let proof = change.proofs.first().filter(|_| !change.object.is("ConfigMap"))?;
    Some(proof.quote.clone())
}

/// The statement with a full stop.
fn sentence(statement: &str) -> String {
    if statement.ends_with(['.', '…', '!', '?']) { statement.to_owned() } else { format!("{statement}.") }
}
