//! Lines of an incident's story, in words.

use crate::store::{ConcludedBy, Moment};

/// What happened.
pub(super) fn words(moment: &Moment) -> String {
    match moment {
        Moment::Opened { name } => format!("opened by {name}"),
        Moment::Joined { name, object: Some(object), reason } => format!("{name} of {object} joined: {reason}"),
        Moment::Joined { name, object: None, reason } => format!("{name} joined: {reason}"),
        Moment::Worsened { severity } => format!("became {}", severity.as_str()),
        Moment::Absorbed { incident, reason } => format!("took in incident {}: {reason}", incident.short()),
        Moment::Merged { into, reason } => format!("became part of incident {}: {reason}", into.short()),
        Moment::Acknowledged { by } => format!("{by} has taken it"),
        Moment::EndedBy { by } => format!("{by} said that it is over"),
        Moment::Unheard { name, object: Some(object) } => {
            format!("{name} of {object} was not heard of any more and is taken to be over")
        }
        Moment::Unheard { name, object: None } => {
            format!("{name} was not heard of any more and is taken to be over")
        }
        Moment::Resolved => "all alerts are over".to_owned(),
        Moment::Reopened { name } => format!("opened again by {name}"),
        Moment::Concluded { by: ConcludedBy::Rules, summary } => format!("the rules concluded: {summary}"),
        Moment::Concluded { by: ConcludedBy::Agent, summary } => format!("the model concluded: {summary}"),
    }
}
