//! What the handlers share.

use std::sync::{Arc, PoisonError, RwLock};

use marple_core::Secret;
use marple_tools::Redact;
use tokio::sync::Semaphore;

use super::configuration::Standing;
use super::health::Health;
use super::telemetry::Telemetry;
use super::token::Token;
use crate::account::Account;
use crate::approve::People;
use crate::chat::Chat;
use crate::correlate::Alive;
use crate::dispatch::Inquiry;
use crate::handing::Handing;
use crate::render::LinkKey;
use crate::store::Store;

/// How many bytes of bodies may be in memory at a time: what they are parsed into takes some three times as much.
const BODIES: usize = 16 << 20;

/// What the handlers share. Cheap to clone; clones share what is renewed.
#[derive(Clone)]
pub struct ApiState {
    pub(super) store: Arc<dyn Store>,
    pub(super) health: Arc<Health>,
    pub(super) telemetry: Telemetry,
    pub(super) bodies: Arc<Semaphore>,
    live: Arc<RwLock<Live>>,
    standing: Arc<RwLock<Standing>>,
    people: Arc<RwLock<Option<Approvers>>>,
    handing: Arc<RwLock<Option<Arc<Handing>>>>,
    chat: Arc<RwLock<Option<Chat>>>,
    account: Arc<RwLock<Option<Account>>>,
    inquiry: Arc<RwLock<Option<Inquiry>>>,
}

/// Who is asked, and the token of those who may answer.
type Approvers = (Arc<People>, Token);

/// What follows the configuration while the listener stays.
#[derive(Clone)]
pub struct Live {
    token: Option<Token>,
    link_key: Option<LinkKey>,
    redact: Arc<dyn Redact>,
    told: Told,
}

/// What pages tell beside the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The cluster's name.
    pub(super) cluster: String,
    /// Whether a model may be asked.
    pub(super) model: bool,
}

impl Live {
    /// Of a configuration: its token, what takes secrets out, the cluster's name, and whether a model is set.
    pub fn of(token: Option<&Secret>, redact: Arc<dyn Redact>, cluster: &str, model: bool) -> Self {
        let told = Told { cluster: cluster.to_owned(), model };
        Self { token: token.map(Token::new), link_key: token.map(LinkKey::of), redact, told }
    }
}

impl ApiState {
    /// Over a store. Without a token everybody who reaches the listener is let in: the configuration allows that on
    /// loopback only. `redact` takes secrets out of what comes in before it is kept. `alive` are the tasks without which
    /// the program is not ready, by name.
    pub fn new(
        store: Arc<dyn Store>,
        token: Option<&Secret>,
        telemetry: Telemetry,
        redact: Arc<dyn Redact>,
        alive: impl IntoIterator<Item = (&'static str, Alive)>,
    ) -> Self {
        let live = Live::of(token, redact, "", false);
        Self {
            health: Arc::new(Health::new(Arc::clone(&store), alive.into_iter().collect())),
            store,
            telemetry,
            bodies: Arc::new(Semaphore::new(BODIES)),
            live: Arc::new(RwLock::new(live)),
            standing: Arc::default(),
            people: Arc::default(),
            handing: Arc::default(),
            chat: Arc::default(),
            account: Arc::default(),
            inquiry: Arc::default(),
        }
    }

    /// From the next request on, another configuration.
    pub(crate) fn renew(&self, live: Live) {
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = live;
    }

    /// From the next request on, these people may approve calls, and who bears this token speaks for them; or nobody.
    pub(crate) fn ask(&self, people: Option<(Arc<People>, &Secret)>) {
        let people = people.map(|(people, token)| (people, Token::new(token)));
        *self.people.write().unwrap_or_else(PoisonError::into_inner) = people;
    }

    /// From the next request on, this judges what another forwarder hands on; or nothing is taken of one.
    pub(crate) fn hand(&self, handing: Option<Arc<Handing>>) {
        *self.handing.write().unwrap_or_else(PoisonError::into_inner) = handing;
    }

    /// The tasks without which the program is not ready, from now on.
    pub(crate) fn rest_on(&self, alive: impl IntoIterator<Item = (&'static str, Alive)>) {
        self.health.rest_on(alive.into_iter().collect());
    }

    /// From the next request on, this answers questions.
    pub(crate) fn talk(&self, chat: Chat) {
        *self.chat.write().unwrap_or_else(PoisonError::into_inner) = Some(chat);
    }

    /// What answers questions, where it does already.
    pub(crate) fn chat(&self) -> Option<Chat> {
        self.chat.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From the next request on, the model's costs are told and stopped here.
    pub(crate) fn account(&self, account: Account) {
        *self.account.write().unwrap_or_else(PoisonError::into_inner) = Some(account);
    }

    pub(super) fn balance(&self) -> Option<Account> {
        self.account.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From the next request on, this takes people's wishes for an investigation.
    pub(crate) fn inquire(&self, inquiry: Inquiry) {
        *self.inquiry.write().unwrap_or_else(PoisonError::into_inner) = Some(inquiry);
    }

    pub(super) fn inquiry(&self) -> Option<Inquiry> {
        self.inquiry.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes note of what became of the configuration.
    pub(crate) fn note(&self, change: impl FnOnce(&mut Standing)) {
        change(&mut self.standing.write().unwrap_or_else(PoisonError::into_inner));
    }

    pub(super) fn standing(&self) -> Standing {
        self.standing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn link_key(&self) -> Option<LinkKey> {
        self.live().link_key
    }

    pub(super) fn told(&self) -> Told {
        self.live().told
    }

    pub(super) fn redact(&self) -> Arc<dyn Redact> {
        self.live().redact
    }

    pub(super) fn people(&self) -> Option<Arc<People>> {
        self.people.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(people, _)| Arc::clone(people))
    }

    pub(super) fn handing(&self) -> Option<Arc<Handing>> {
        self.handing.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn approver(&self) -> Option<Token> {
        self.people.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, token)| token.clone())
    }

    pub(super) fn token(&self) -> Option<Token> {
        self.live().token
    }

    fn live(&self) -> Live {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
