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
            if let Value::Array(all) = self.fetch(&url, "/api/v2/alerts").await? {
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

    /// The JSON of an answer.
    async fn fetch(&self, url: &str, path: &str) -> Result<Value, RecordError> {
        let address = format!("{}{path}", url.trim_end_matches('/'));
        let failed = |fault: String| RecordError::Http { what: path.to_owned(), url: url.to_owned(), fault };
        let broken = |error: reqwest::Error| failed(error.without_url().to_string());
        let request = async {
            let answer = reqwest::Client::new().get(&address).send().await.map_err(broken)?;
            let status = answer.status();
            let text = answer.text().await.map_err(broken)?;
            if !status.is_success() {
                let start: String = text.chars().take(300).collect();
                return Err(failed(format!("{status}: {start}")));
            }
            serde_json::from_str(&text).map_err(|error| failed(format!("its answer is no JSON: {error}")))
        };
        self.within(path, request).await?
    }
}
