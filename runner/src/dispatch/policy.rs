//! Which incidents the model is asked about, and how often.

use jiff::Timestamp;
use marple_core::{Incident, Member};

use crate::config::{Asking, InvestigationConfig};
use crate::route::meets;

/// How often the model is asked about an incident: by the first rule that fits it now; below the least severity, on demand.
pub fn asking(
    config: &InvestigationConfig,
    cluster: &str,
    incident: &Incident,
    members: &[Member],
    now: Timestamp,
) -> Asking {
    let fits = config.policy.iter().find(|rule| {
        rule.hours.as_ref().is_none_or(|hours| hours.hold(now)) && meets(&rule.matchers, cluster, incident, members)
    });
    match fits.map_or(Asking::OnChange, |rule| rule.ask) {
        Asking::Never => Asking::Never,
        _ if incident.severity < config.model_from => Asking::OnDemand,
        asking => asking,
    }
}
