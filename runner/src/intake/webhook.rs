//! Alertmanager's webhook, version 4.

use marple_core::Alert;
use serde::Deserialize;
use serde_json::Value;

use super::entry::{aside, check, kind};
use super::{Payload, PayloadFault};

/// The version of the webhook, a text since Alertmanager 0.5.
const VERSION: &str = "4";

/// Alerts of one group. What else the webhook tells (group labels, receiver) is in the alerts or of no use here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    version: String,
    #[serde(default)]
    truncated_alerts: u64,
    alerts: Vec<Alert>,
}

/// Reads a webhook's payload.
pub fn read_webhook(body: &[u8]) -> Result<Payload, PayloadFault> {
    // Nearly every payload is as it should be and is read once; only one that isn't is read again to find its faults.
    match serde_json::from_slice::<Webhook>(body) {
        Ok(webhook) if webhook.version == VERSION => {
            let alerts = webhook.alerts.into_iter().map(Alert::into_signal).collect::<Result<Vec<_>, _>>();
            match alerts {
                Ok(signals) => Ok(Payload { signals, quarantined: vec![], truncated: webhook.truncated_alerts }),
                Err(_) => read_each(body),
            }
        }
        _ => read_each(body),
    }
}

fn read_each(body: &[u8]) -> Result<Payload, PayloadFault> {
    let whole: Value = serde_json::from_slice(body).map_err(|error| PayloadFault::syntax(&error))?;
    let Value::Object(fields) = &whole else {
        return Err(PayloadFault::at("", format!("a webhook's payload is an object, this is {}", kind(&whole))));
    };
    match fields.get("version") {
        Some(Value::String(version)) if version == VERSION => {}
        Some(other) => {
            let reason = format!("version {other} of Alertmanager's webhook is not understood; version \"4\" is");
            return Err(PayloadFault::at("/version", reason));
        }
        None => {
            let reason = "the version is missing: this is no payload of Alertmanager's webhook, version \"4\"";
            return Err(PayloadFault::at("/version", reason));
        }
    }
    let alerts = match fields.get("alerts") {
        Some(Value::Array(alerts)) => alerts,
        Some(other) => {
            return Err(PayloadFault::at("/alerts", format!("alerts are an array, this is {}", kind(other))));
        }
        None => return Err(PayloadFault::at("/alerts", "alerts are missing")),
    };
    let truncated = fields.get("truncatedAlerts").and_then(Value::as_u64).unwrap_or_default();
    let mut payload = Payload { truncated, ..Payload::default() };
    for (index, entry) in alerts.iter().enumerate() {
        let pointer = format!("/alerts/{index}");
        let read = check(entry, &pointer, "startsAt", "endsAt").and_then(|()| {
            let labels = format!("{pointer}/labels");
            if entry.get("labels").is_none() {
                return Err(PayloadFault::at(labels, "labels are missing"));
            }
            let alert = Alert::deserialize(entry).map_err(|error| PayloadFault::at(&pointer, error.to_string()))?;
            alert.into_signal().map_err(|error| PayloadFault::at(labels, error.to_string()))
        });
        match read {
            Ok(signal) => payload.signals.push(signal),
            Err(fault) => payload.quarantined.push(aside("alerts", fault, entry)),
        }
    }
    Ok(payload)
}
