//! Reads what Alertmanager holds.

use serde_json::Value;

use super::{AlertmanagerState, RecordError, Recorder};
use crate::json::text;

impl Recorder<'_> {
    /// Reads the alerts of the recorded namespaces, and takes over what was posted.
    pub(super) async fn alertmanager(&mut self) -> Result<AlertmanagerState, RecordError> {
        let mut payloads = std::mem::take(&mut self.options.payloads);
        for payload in &mut payloads {
            self.redaction.monitoring(&mut payload.body);
        }
        let mut alerts = Vec::new();
        if let Some(url) = self.options.alertmanager_url.clone() {
            self.progress("alerts of Alertmanager");
            if let Value::Array(all) = self.fetch(&url, "/api/v2/alerts", &[]).await? {
                alerts = all;
            }
        }
        alerts.retain(|alert| self.covers(alert.pointer("/labels/namespace").and_then(Value::as_str)));
        alerts.sort_by(|a, b| text(a, "/fingerprint").cmp(text(b, "/fingerprint")));
        for alert in &mut alerts {
            self.redaction.monitoring(alert);
        }
        Ok(AlertmanagerState { payloads, alerts })
    }
}
