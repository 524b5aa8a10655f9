//! All toolsets, and which of their tools are offered.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::future::join_all;
use marple_core::Unseen;
use tokio_util::sync::CancellationToken;

use super::instructions::fitting;
use super::standing::Standing;
use super::{Instructions, Listing, Off, State, Toolset};
use crate::view::plain;
use crate::{Redact, Tool};

/// How long a probe may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// Characters of a reason or note: it may quote what a program or server said.
const LONGEST: usize = 400;

/// Names of tools that come with each investigation.
const RESERVED: [&str; 3] = ["conclude", "evidence_read", "evidence_search"];

/// All toolsets. Cheap to clone; clones share what probes told.
///
/// The order counts: of two tools of one name, that of the earlier toolset is offered.
#[derive(Clone)]
pub struct Toolsets(Arc<Shared>);

struct Shared {
    toolsets: Vec<Toolset>,
    standings: Vec<RwLock<Standing>>,
    redact: Arc<dyn Redact>,
}

/// What all toolsets together offer.
#[derive(Clone, Default)]
pub struct Offered {
    /// The tools.
    pub tools: Vec<Arc<dyn Tool>>,
    /// What a model is told of how to use them.
    pub instructions: Vec<Instructions>,
    /// The configured toolsets that don't work now, and why.
    pub unseen: Vec<Unseen>,
}

/// What is offered of one toolset, and what is told of it.
#[derive(Default)]
struct Share {
    tools: Vec<Arc<dyn Tool>>,
    instructions: Option<String>,
    notes: Vec<String>,
}

impl Toolsets {
    /// Of these toolsets; nothing is tried yet. Secrets are taken out of what is told of them.
    pub fn new(toolsets: impl IntoIterator<Item = Toolset>, redact: Arc<dyn Redact>) -> Self {
        let mut known: Vec<Toolset> = Vec::new();
        for toolset in toolsets {
            let taken = known.iter().any(|other| other.name == toolset.name);
            known.push(if taken {
                let why = "another toolset has this name: give it one of its own";
                Toolset::off(toolset.name, toolset.description, why)
            } else {
                toolset
            });
        }
        let standings = known.iter().map(|_| RwLock::default()).collect();
        Self(Arc::new(Shared { toolsets: known, standings, redact }))
    }

    /// The same with another toolset, which takes the place of the one of its name where there is one.
    #[must_use]
    pub fn with(&self, toolset: Toolset) -> Self {
        let mut toolsets = self.0.toolsets.clone();
        match toolsets.iter_mut().find(|other| other.name == toolset.name) {
            Some(other) => *other = toolset,
            None => toolsets.push(toolset),
        }
        Self::new(toolsets, Arc::clone(&self.0.redact))
    }

    /// Tries all at once; takes at most 20 s.
    pub async fn check(&self) {
        join_all(self.each().map(|(toolset, standing)| self.try_one(toolset, standing))).await;
    }

    /// Tries all, and each again after a while, until cancelled: a backend that comes back is on again.
    pub async fn run(&self, cancel: CancellationToken) -> Result<(), Infallible> {
        let each = self.each().map(|(toolset, standing)| async move {
            loop {
                self.try_one(toolset, standing).await;
                tokio::time::sleep(read(standing).pause()).await;
            }
        });
        let _: Option<Vec<Infallible>> = cancel.run_until_cancelled(join_all(each)).await;
        Ok(())
    }

    /// What the toolsets that work offer. Where nothing was tried yet, it is tried first.
    pub async fn offered(&self) -> Offered {
        if !self.each().all(|(_, standing)| read(standing).is_known()) {
            self.check().await;
        }
        let mut offered = Offered::default();
        let mut instructions = Vec::new();
        for ((toolset, standing), share) in self.each().zip(self.shares()) {
            let standing = read(standing);
            if let (true, None, Some(why)) = (toolset.wanted, standing.offer(), standing.why()) {
                offered.unseen.push(Unseen { what: format!("the toolset {}", toolset.name), why: why.to_owned() });
            }
            if !share.tools.is_empty() {
                let text = share.instructions;
                instructions.extend(text.map(|text| Instructions { toolset: toolset.name.clone(), text }));
            }
            offered.tools.extend(share.tools);
        }
        offered.instructions = fitting(instructions);
        offered
    }

    /// All toolsets as people see them, in their order.
    pub fn list(&self) -> Vec<Listing> {
        self.each()
            .zip(self.shares())
            .map(|((toolset, standing), share)| {
                let standing = read(standing);
                Listing {
                    name: toolset.name.clone(),
                    description: toolset.description.clone(),
                    state: if standing.offer().is_some() { State::On } else { State::Off },
                    reason: match standing.why() {
                        None if !standing.is_known() => Some("not tried yet".to_owned()),
                        why => why.map(str::to_owned),
                    },
                    tools: share.tools.iter().map(|tool| tool.spec().name.to_string()).collect(),
                    notes: share.notes,
                }
            })
            .collect()
    }

    fn each(&self) -> impl Iterator<Item = (&Toolset, &RwLock<Standing>)> {
        self.0.toolsets.iter().zip(&self.0.standings)
    }

    async fn try_one(&self, toolset: &Toolset, standing: &RwLock<Standing>) {
        let probed = match tokio::time::timeout(DEADLINE, toolset.probe.probe()).await {
            Ok(Ok(mut offer)) => {
                offer.notes = offer.notes.iter().map(|note| self.told(note)).collect();
                Ok(offer)
            }
            Ok(Err(Off(why))) => Err(Off(self.told(&why))),
            Err(_) => Err(Off(format!("gave no answer in {} s", DEADLINE.as_secs()))),
        };
        let mut held = standing.write().unwrap_or_else(PoisonError::into_inner);
        let before = held.is_known().then_some(held.offer().is_some());
        *held = std::mem::take(&mut *held).after(probed);
        let on = held.offer().is_some();
        if before == Some(on) {
            return;
        }
        if on {
            tracing::info!(toolset = toolset.name, "a toolset is on");
        } else {
            tracing::warn!(toolset = toolset.name, why = held.why(), "a toolset is off");
        }
    }

    /// What a program or server said, fit to be shown.
    fn told(&self, text: &str) -> String {
        let text = self.0.redact.redact(&plain(text));
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match line.char_indices().nth(LONGEST) {
            None => line,
            Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        }
    }

    /// What each toolset offers: of tools with one name only the first.
    fn shares(&self) -> Vec<Share> {
        let mut taken: BTreeMap<String, &str> = RESERVED.iter().map(|name| ((*name).to_owned(), "marple")).collect();
        let mut shares = Vec::new();
        for (toolset, standing) in self.each() {
            let mut share = Share::default();
            if let Some(offer) = read(standing).offer() {
                share.notes.clone_from(&offer.notes);
                share.instructions.clone_from(&offer.instructions);
                for tool in &offer.tools {
                    let name = tool.spec().name.to_string();
                    if let Some(owner) = taken.get(&name) {
                        share.notes.push(format!("{name} is left out: {owner} has a tool of that name"));
                    } else {
                        taken.insert(name, &toolset.name);
                        share.tools.push(Arc::clone(tool));
                    }
                }
            }
            shares.push(share);
        }
        shares
    }
}

fn read(standing: &RwLock<Standing>) -> Standing {
    standing.read().unwrap_or_else(PoisonError::into_inner).clone()
}
