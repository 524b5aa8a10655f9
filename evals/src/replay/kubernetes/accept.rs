//! The form in which a client wants its answer.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

use super::status::Refusal;

/// A form of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Whole objects.
    Json,
    /// Rows of a table.
    Table(Include),
    /// Objects' metadata alone.
    Metadata,
    /// Aggregated discovery, in version `v2`.
    Discovery,
}

/// What a row of a table holds of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Include {
    /// Nothing.
    Nothing,
    /// Its metadata: the API's default.
    Metadata,
    /// All of it.
    Object,
}

/// The first form of the header `Accept` that can be given. Other encodings than JSON are passed over.
pub(super) fn form(headers: &HeaderMap, include: Option<&str>) -> Result<Form, Refusal> {
    let include = match include {
        Some("Object") => Include::Object,
        Some("None") => Include::Nothing,
        _ => Include::Metadata,
    };
    let Some(accept) = headers.get(ACCEPT).and_then(|value| value.to_str().ok()) else { return Ok(Form::Json) };
    accept.split(',').find_map(|range| offered(range, include)).ok_or_else(|| Refusal::not_acceptable(accept))
}

fn offered(range: &str, include: Include) -> Option<Form> {
    let mut parts = range.split(';').map(str::trim);
    if !matches!(parts.next(), Some("application/json" | "application/*" | "*/*")) {
        return None;
    }
    let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
    let parameter = |name| parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    match (parameter("as"), parameter("v")) {
        (None, _) => Some(Form::Json),
        (Some("Table"), Some("v1")) => Some(Form::Table(include)),
        (Some("PartialObjectMetadata" | "PartialObjectMetadataList"), Some("v1")) => Some(Form::Metadata),
        (Some("APIGroupDiscoveryList"), Some("v2")) => Some(Form::Discovery),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accept: &'static str) -> Option<Form> {
        let headers = HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]);
        form(&headers, Some("Object")).ok()
    }

    #[test]
    fn the_first_form_that_can_be_given_is_given() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(accepted(kubectl), Some(Form::Table(Include::Object)));
        assert_eq!(accepted("application/vnd.kubernetes.protobuf, application/json"), Some(Form::Json));
        let discovery = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
        assert_eq!(accepted(discovery), Some(Form::Discovery));
        assert_eq!(accepted("application/vnd.kubernetes.protobuf"), None);
        assert_eq!(form(&HeaderMap::new(), None).ok(), Some(Form::Json));
    }
}
