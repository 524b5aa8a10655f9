//! Alertmanager's alert, as its webhook (version 4) sends it.

use jiff::Timestamp;
use serde::Deserialize;

use crate::subject::subject;
use crate::{Fingerprint, Labels, Severity, Signal, SignalSource, SignalStatus};

/// One alert of a webhook's payload. Fields are those of Alertmanager's `template.Alert`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// `firing` or `resolved`.
    pub status: SignalStatus,
    /// Labels; `alertname` is required.
    pub labels: Labels,
    /// Annotations.
    #[serde(default)]
    pub annotations: Labels,
    /// When it began to fire.
    pub starts_at: Timestamp,
    /// When it ended; Go's zero time (year 1) while it fires.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
    /// Link to the rule's expression.
    #[serde(default, rename = "generatorURL")]
    pub generator_url: Option<String>,
    /// Alertmanager's own fingerprint; absent from older versions.
    #[serde(default)]
    pub fingerprint: Option<Fingerprint>,
}

/// Why an alert can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AlertError {
    /// It has no `alertname`.
    #[error("the alert has no label `alertname`")]
    Unnamed,
}

impl Alert {
    /// The signal that this alert is.
    pub fn into_signal(self) -> Result<Signal, AlertError> {
        let name = self.labels.get("alertname").ok_or(AlertError::Unnamed)?.to_owned();
        Ok(Signal {
            source: SignalSource::Alertmanager,
            fingerprint: self.fingerprint.unwrap_or_else(|| Fingerprint::of(&self.labels)),
            status: self.status,
            severity: self.labels.get("severity").map_or(Severity::default(), Severity::from_label),
            subject: subject(&name, &self.labels),
            name,
            labels: self.labels,
            annotations: self.annotations,
            starts_at: self.starts_at,
            ends_at: self.ends_at.filter(|end| self.status == SignalStatus::Resolved && *end > self.starts_at),
            generator_url: self.generator_url.filter(|url| !url.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_firing_alert_has_no_end_though_go_sends_year_one() {
        let alert: Alert = serde_json::from_str(
            r#"{"status":"firing","labels":{"alertname":"KubePodCrashLooping","namespace":"shop","pod":"cart-1","severity":"warning"},
                "annotations":{"summary":"Pod is crash looping."},"startsAt":"2026-01-02T03:04:05.678Z","endsAt":"0001-01-01T00:00:00Z",
                "generatorURL":"http://p/graph","fingerprint":"00ab12cd34ef5678"}"#,
        )
        .unwrap();
        let signal = alert.into_signal().unwrap();
        assert_eq!(signal.ends_at, None);
        assert_eq!(signal.subject.as_ref().map(ToString::to_string).as_deref(), Some("Pod shop/cart-1"));
        assert_eq!(signal.headline(), "Pod is crash looping.");
        assert_eq!(signal.fingerprint.to_string(), "00ab12cd34ef5678");
    }

    #[test]
    fn an_alert_without_a_name_is_refused() {
        let alert: Alert =
            serde_json::from_str(r#"{"status":"firing","labels":{"a":"b"},"startsAt":"2026-01-02T03:04:05Z"}"#)
                .unwrap();
        assert_eq!(alert.into_signal(), Err(AlertError::Unnamed));
    }
}
