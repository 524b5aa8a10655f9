//! Another configuration without a restart.

use jiff::Timestamp;

use super::parts::Parts;
use super::{Ground, Setup};
use crate::api::{Refused, Standing};

/// What became of a configuration that was read anew.
pub enum Reload {
    /// It can be used.
    Ready {
        /// What it comes to.
        setup: Box<Setup>,
        /// What of it takes effect only at the next start.
        needs_restart: Vec<String>,
    },
    /// It can't; the one before stays.
    Refused {
        /// What is wrong with it, with its path.
        why: String,
    },
}

/// Goes over to another configuration, or takes note of why not. Gives the parts that run then.
pub(super) async fn apply(reload: Reload, parts: Parts, ground: &Ground) -> Parts {
    let state = &ground.state;
    let (setup, needs_restart) = match reload {
        Reload::Ready { setup, needs_restart } => (*setup, needs_restart),
        Reload::Refused { why } => {
            tracing::error!(why, "the new configuration can't be used; the one before stays");
            counted("refused", 0.0);
            state.note(|standing| standing.refused = Some(Refused { at: Timestamp::now(), why }));
            return parts;
        }
    };
    // Between the old parts and the new ones nothing is late: what comes in is kept.
    state.rest_on([]);
    parts.end(ground.store.as_ref()).await;
    for setting in &needs_restart {
        tracing::warn!(setting, "a setting needs a restart");
    }
    tracing::info!("another configuration is used from now on");
    counted("applied", 1.0);
    state.note(|standing| *standing = Standing { needs_restart, ..Standing::default() });
    Parts::start(setup, ground)
}

fn counted(outcome: &'static str, successful: f64) {
    metrics::counter!("marple_config_reloads_total", "outcome" => outcome).increment(1);
    metrics::gauge!("marple_config_last_reload_successful").set(successful);
}
