//! From findings to a conclusion, by rules.

mod alert;
mod change;
mod configured;
mod explain;
mod health;
mod limits;
mod phrase;
mod recovered;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use marple_core::{
    Category, Cause, Claim, Conclusion, Confidence, Finding, Link, ObjectRef, Remedy, Risk, Severity, Verdict,
};

use super::{Role, condition, workload};
use crate::scene::{Graph, Relation, Scene};
use explain::{Case, Way};

/// The name of what a person asks about, who wants to know the cause of what has passed too.
pub const ASKED: &str = "asked by a person";

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
const BEFORE: SignedDuration = SignedDuration::from_mins(30);

/// What is over and happened longer before the symptoms than this, may only have been beside them.
const JUST_BEFORE: SignedDuration = SignedDuration::from_mins(20);

/// A symptom of at least this rank says no more than that something is not as it should be.
const TELLS_NOTHING: u8 = 60;

/// A cause is told rather than a symptom of more objects, where it explains at least one in so many of them.
const SHARE: usize = 3;

/// The most remedies and the most suspicions that are told.
const REMEDIES_LIMIT: usize = 4;
const RULED_OUT_LIMIT: usize = 5;

/// The conclusion that the findings come to: the most upstream of them that explains the symptoms.
///
/// Call it after [`crate::scene::Kept::resolve`]: without verified citations nothing is more than a guess.
pub fn conclude(scene: &Scene, symptoms: &[Symptom], findings: &[Finding]) -> Conclusion {
    let graph = Graph::of(scene);
    let began = symptoms.iter().map(|symptom| symptom.starts_at).min();
    let (fitting, past): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| {
        fits(finding, began) && !health::is_done(scene, &graph.top_owner(&finding.object), finding.at)
    });
    let units = suffering(scene, &graph, symptoms, &fitting);
    if let Some(conclusion) = recovered::conclusion(scene, &graph, &units, symptoms, &fitting, began) {
        return conclusion;
    }
    let case = Case::of(scene, &graph, &fitting);
    let mut roots: BTreeMap<(ObjectRef, String), Vec<(&ObjectRef, Way<'_>)>> = BTreeMap::new();
    let answering = answering(&graph, symptoms);
    for unit in units.keys() {
        if let Some(way) = case.explain(unit, answering.contains(unit)) {
            roots
                .entry((cause_object(&graph, way.root()), way.root().condition.clone()))
                .or_default()
                .push((unit, way));
        }
    }
    let count = |ways: &[(&ObjectRef, Way<'_>)]| -> usize {
        ways.iter().map(|(unit, _)| units.get(*unit).copied().unwrap_or_default()).sum()
    };
    let most = roots.values().map(|ways| count(ways)).max().unwrap_or_default();
    let explains = |ways: &[(&ObjectRef, Way<'_>)]| {
        let causes = ways.iter().any(|(_, way)| way.ends_in_cause() && way.root().severity > Severity::Info);
        causes && count(ways) * SHARE >= most
    };
    let caused = roots.values().any(|ways| explains(ways));
    let best = roots.iter().filter(|(_, ways)| !caused || explains(ways)).max_by(|(_, one), (_, other)| {
        let class = |ways: &[(&ObjectRef, Way<'_>)]| ways.iter().map(|(_, way)| way.class()).min().unwrap_or(u8::MAX);
        count(one).cmp(&count(other)).then_with(|| class(other).cmp(&class(one)))
    });
    let Some(((object, _), ways)) = best else {
        return health::without_cause(scene, &graph, symptoms, &units, &fitting, began);
    };
    let Some((_, longest)) = ways.iter().max_by_key(|(_, way)| way.findings.len()) else {
        return health::without_cause(scene, &graph, symptoms, &units, &fitting, began);
    };
    let rivals = roots.values().filter(|rivals| rivals.first().map(|(_, way)| way.root()) != Some(longest.root()));
    let contested = rivals
        .clone()
        .any(|rivals| count(rivals) >= count(ways) && rivals.iter().any(|(_, way)| way.class() == longest.class()));
    let root = longest.root();
    let configured = configured::cause(scene, &graph, object, root, &fitting, began);
    let change = configured.or_else(|| change::before(scene, &graph, object, root, &fitting, began));
    if change.is_none() && says_nothing(root) && units.contains_key(&graph.top_owner(&root.object)) {
        return health::without_cause(scene, &graph, symptoms, &units, &fitting, began);
    }
    let policy = denied(&fitting, longest);
    let confidence = match policy {
        Some(policy) if change::lately(&fitting, &policy.object, began) => Confidence::Medium,
        Some(_) => Confidence::Low,
        // The nearest symptom proves the cause; that those further away come of it may be inferred.
        None => {
            let each = ways.iter().map(|(_, way)| confidence(scene, way, contested, change.is_some(), began));
            each.max().unwrap_or(Confidence::Low)
        }
    };
    let (object, category, statement) = if let Some(policy) = policy {
        (&policy.object, Category::Network, format!("{} {}.", sentence(&root.statement), policy.statement))
    } else {
        let behind = configured::behind(&graph, object, root, change);
        let object = configured.map(|change| &change.object).or(behind).unwrap_or(object);
        let category = match (configured, behind, change) {
            (Some(_), ..) => Category::Configuration,
            (None, Some(_), Some(change)) => configured::category_of(change).unwrap_or(root.category),
            _ => root.category,
        };
        (object, category, sentence(&root.statement))
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

/// The top owners that the symptoms are about, with how many are about each; of a namespace, those with findings, itself among them.
fn suffering(scene: &Scene, graph: &Graph, symptoms: &[Symptom], findings: &[&Finding]) -> BTreeMap<ObjectRef, usize> {
    let mut objects = symptoms.iter().filter_map(|symptom| about(graph, symptom)).collect::<Vec<_>>();
    if objects.is_empty() {
        objects.clone_from(&scene.subjects);
    }
    let mut units = BTreeMap::new();
    for object in objects {
        if object.is("Namespace") {
            let within = findings.iter().filter(|finding| {
                finding.severity > Severity::Info
                    && (finding.object.namespace.as_deref() == Some(object.name.as_str()) || finding.object == object)
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

/// The top owners with an alert on what they answer.
fn answering(graph: &Graph, symptoms: &[Symptom]) -> BTreeSet<ObjectRef> {
    let alerting = symptoms.iter().filter(|symptom| alert::of_answers(&symptom.name));
    alerting.filter_map(|symptom| symptom.object.as_ref()).map(|object| graph.top_owner(object)).collect()
}

/// What a symptom is about. The rules of the node exporter name its pod; what they measure is the node that it runs on.
fn about(graph: &Graph, symptom: &Symptom) -> Option<ObjectRef> {
    let object = symptom.object.clone()?;
    let name = symptom.name.strip_prefix("Kube").unwrap_or(&symptom.name);
    if !object.is("Pod") || !["Node", "Host"].iter().any(|about| name.starts_with(about)) {
        return Some(object);
    }
    let node = graph.edges(&object).iter().find(|edge| edge.relation == Relation::RunsOn).map(|edge| edge.to.clone());
    Some(node.unwrap_or(object))
}

/// The object to change: the culprit, else the top owner of what shows it.
fn cause_object(graph: &Graph, root: &Finding) -> ObjectRef {
    root.culprit.clone().unwrap_or_else(|| graph.top_owner(&root.object))
}

/// The policy that may deny the call at which the way ends without a fault at the other end.
fn denied<'a>(findings: &[&'a Finding], way: &Way<'_>) -> Option<&'a Finding> {
    let root = way.root();
    let unanswered = matches!(root.condition.as_str(), "dependency-timeout" | "name-server-unanswered");
    let service = root.culprit.as_ref().filter(|_| unanswered)?.to_string();
    findings.iter().copied().find(|finding| {
        finding.condition == "network-policy-may-deny" && finding.statement.contains(&format!("to {service}"))
    })
}

/// Whether a root is a symptom that only repeats what the alert says.
fn says_nothing(root: &Finding) -> bool {
    condition(&root.condition).is_some_and(|known| known.role == Role::Symptom && known.rank >= TELLS_NOTHING)
}

fn confidence(scene: &Scene, way: &Way<'_>, contested: bool, changed: bool, began: Option<Timestamp>) -> Confidence {
    let root = way.root();
    let Some(known) = condition(&root.condition) else { return Confidence::Low };
    let over = root.at.zip(began).is_some_and(|(at, began)| began.duration_since(at) > JUST_BEFORE);
    let verified = root.citations.iter().filter(|citation| citation.verified).count();
    let best = match known.role {
        // What was over well before may have been beside it.
        _ if over || way.is_while_serving() => Confidence::Low,
        Role::Cause if known.told && root.at.is_none() && !way.is_from_above() => Confidence::High,
        Role::Cause => Confidence::Medium,
        // The program's own last words tell more than that it ended.
        Role::Symptom if root.statement.contains("log says") && scene.unseen.is_empty() => Confidence::Medium,
        Role::Symptom if known.rank <= 10 || changed && known.rank < TELLS_NOTHING => Confidence::Medium,
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
    let shown = way.findings.first().is_some_and(|finding| {
        let symptom = condition(&finding.condition).is_some_and(|known| known.role != Role::Pointer || known.told);
        symptom && graph.top_owner(&finding.object) == way.from
    });
    // Where the rules found nothing at the symptom itself, the alert is the first link.
    let named = symptoms.iter().filter(|_| !shown).find(|symptom| {
        about(graph, symptom).is_some_and(|object| {
            let unit = graph.top_owner(&object);
            explained.contains(&&unit) && unit == way.from
        })
    });
    chain.extend(named.and_then(|symptom| {
        let statement = format!("{} since {}", symptom.name, symptom.starts_at);
        Some(Link { object: about(graph, symptom)?, statement, citations: Vec::new() })
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
    let proof = change.proofs.first().filter(|_| workload::undo(&change.object).is_some())?;
    Some(proof.quote.clone())
}

/// The statement with a full stop.
fn sentence(statement: &str) -> String {
    if statement.ends_with(['.', '…', '!', '?']) { statement.to_owned() } else { format!("{statement}.") }
}
