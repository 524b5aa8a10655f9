//! Reads the descriptions of the API's objects.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{RecordError, Recorder};
use crate::bundle::{OpenApi, RecordedResource};
use crate::json::text;

impl Recorder<'_> {
    /// Reads the documents of `OpenAPI` version 3 of what was found: `kubectl explain` asks for them. An API server that
    /// gives none is recorded without.
    pub(super) async fn open_api(&mut self, resources: &[RecordedResource]) -> Result<Vec<OpenApi>, RecordError> {
        let found: BTreeSet<&str> = resources
            .iter()
            .filter(|resource| !resource.objects.is_empty())
            .map(|resource| resource.group_version.as_str())
            .collect();
        let index = match self.get("/openapi/v3", "application/json").await {
            Ok(index) => index,
            Err(RecordError::Kubernetes { source: kube::Error::Api(_), .. }) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut documents = Vec::new();
        for (path, entry) in index.get("paths").and_then(Value::as_object).into_iter().flatten() {
            let group_version = path.strip_prefix("apis/").or_else(|| path.strip_prefix("api/")).unwrap_or_default();
            if !found.contains(group_version) {
                continue;
            }
            self.progress(&format!("the description of {group_version}"));
            let address = text(entry, "/serverRelativeURL");
            match self.text(address, address).await {
                Ok(document) => match document.try_into() {
                    Ok(document) => documents.push(OpenApi { path: path.clone(), document }),
                    Err(error) => self.omit(format!("the description of {group_version}"), error.to_string()),
                },
                Err(RecordError::Kubernetes { source: kube::Error::Api(status), .. }) => {
                    self.omit(format!("the description of {group_version}"), status.message.clone());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(documents)
    }
}
