//! What the handlers share.

use std::sync::Arc;

use marple_core::Secret;
use tokio::sync::Semaphore;

use super::health::Health;
use super::telemetry::Telemetry;
use super::token::Token;
use marple_tools::Redact;

use crate::correlate::Alive;
use crate::store::Store;

/// How many bytes of bodies may be in memory at a time: what they are parsed into takes some three times as much.
const BODIES: usize = 16 << 20;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    pub(super) store: Arc<dyn Store>,
    pub(super) token: Option<Token>,
    pub(super) health: Arc<Health>,
    pub(super) telemetry: Telemetry,
    pub(super) bodies: Arc<Semaphore>,
    pub(super) redact: Arc<dyn Redact>,
}

impl ApiState {
    /// Over a store. Without a token everybody who reaches the listener is let in: the configuration allows that on
    /// loopback only. `redact` takes secrets out of what comes in before it is kept. `alive` are the tasks without which the program is not ready, by name.
    pub fn new(
        store: Arc<dyn Store>,
        token: Option<&Secret>,
        telemetry: Telemetry,
        redact: Arc<dyn Redact>,
        alive: impl IntoIterator<Item = (&'static str, Alive)>,
    ) -> Self {
        Self {
            health: Arc::new(Health::new(Arc::clone(&store), alive.into_iter().collect())),
            store,
            token: token.map(Token::new),
            telemetry,
            bodies: Arc::new(Semaphore::new(BODIES)),
            redact,
        }
    }
}
