//! The Kubernetes API of a recorded cluster: everything that reads, nothing that writes.

mod accept;
mod collection;
mod discovery;
mod field;
mod logs;
mod open_api;
mod own;
mod path;
mod protobuf;
mod review;
mod selector;
mod status;
mod table;
mod watch;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{DATE, WARNING};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::noted::Noted;
use super::pairs::Pairs;
use crate::bundle::{Bundle, RecordedObject, RecordedResource};
use crate::json::text;
use accept::Form;
use collection::Items;
use path::Route;
use status::Refusal;

/// The largest body that is read: only access reviews have one.
const BODY_LIMIT: usize = 64 * 1024;

/// What the handlers share.
struct Server {
    bundle: Arc<Bundle>,
    noted: Noted,
    warning: Option<HeaderValue>,
    /// How far the present of the recording is from this machine's.
    offset: SignedDuration,
    cancel: CancellationToken,
}

/// The API of `bundle`; its watches end with `cancel`. `warning` is told with every answer that has objects, as the API
/// server tells warnings.
pub(super) fn router(bundle: &Arc<Bundle>, noted: &Noted, warning: Option<&str>, cancel: &CancellationToken) -> Router {
    let warning = warning.and_then(|text| HeaderValue::from_str(&format!("299 - {text:?}")).ok());
    let offset = bundle.now().duration_since(Timestamp::now());
    let (bundle, noted, cancel) = (Arc::clone(bundle), noted.clone(), cancel.clone());
    Router::new().fallback(handle).with_state(Arc::new(Server { bundle, noted, warning, offset, cancel }))
}

async fn handle(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let route = path::parse(parts.uri.path());
    let has_objects = matches!(route, Route::Collection { .. } | Route::Object { subresource: None, .. });
    let answer = match parts.method {
        Method::GET => server.get(&route, &query, &parts.headers),
        Method::POST if review::is(&route) => server.review(&route, &parts.headers, body).await,
        method => {
            server.noted.note(method.as_str(), parts.uri.path());
            Err(Refusal::read_only())
        }
    };
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    if let Some(date) = server.date() {
        response.headers_mut().insert(DATE, date);
    }
    if let Some(warning) = server.warning.as_ref().filter(|_| has_objects) {
        response.headers_mut().insert(WARNING, warning.clone());
    }
    response
}

impl Server {
    /// The time, by which clients can tell ages.
    fn date(&self) -> Option<HeaderValue> {
        let now = Timestamp::now().checked_add(self.offset).ok()?;
        HeaderValue::from_str(&now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
    }

    fn get(&self, route: &Route<'_>, query: &Query, headers: &HeaderMap) -> Result<Response, Refusal> {
        let kubernetes = &self.bundle.kubernetes;
        let form = accept::form(headers, query.get("includeObject"));
        match route {
            Route::Version => Ok(axum::Json(kubernetes.version.clone()).into_response()),
            Route::Health => Ok("ok".into_response()),
            Route::Descriptions => open_api::index(&kubernetes.open_api),
            Route::Description { path } => open_api::document(&kubernetes.open_api, path),
            Route::CoreVersions => Ok(discovery::core(kubernetes, form?)),
            Route::Groups => Ok(discovery::groups(kubernetes, form?)),
            Route::Group { group } => discovery::group(kubernetes, group),
            Route::Resources { group_version } => discovery::resources(kubernetes, group_version),
            Route::Collection { group_version, resource, namespace } => {
                let found = self.resource(group_version, resource)?;
                self.readable(found, *namespace)?;
                let selection = collection::Selection::parse(found, *namespace, query)?;
                if query.is("watch") {
                    return Ok(watch::response(found, &selection, query, form?, &self.cancel));
                }
                Ok(collection::response(found, &selection, form?, self.items(found)))
            }
            Route::Object { group_version, resource, namespace, name, subresource } => {
                let found = self.resource(group_version, resource)?;
                self.readable(found, *namespace)?;
                let object = object(found, *namespace, name)?;
                match *subresource {
                    Some("log") if found.is_pods() => logs::response(&self.bundle, &object.object, query),
                    None | Some("status") => Ok(one(found, object, form?)),
                    Some(_) => Err(Refusal::unknown_path()),
                }
            }
            Route::Unknown => Err(Refusal::unknown_path()),
        }
    }

    /// Answers what somebody may do, which is asked for by creating a review that is never kept.
    async fn review(&self, route: &Route<'_>, headers: &HeaderMap, body: Body) -> Result<Response, Refusal> {
        let Route::Collection { resource, .. } = route else { return Err(Refusal::read_only()) };
        let content = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("application/json");
        let is_protobuf = content.starts_with("application/vnd.kubernetes.protobuf");
        if !is_protobuf && !content.starts_with("application/json") {
            return Err(Refusal::media_type(content));
        }
        let bytes =
            axum::body::to_bytes(body, BODY_LIMIT).await.map_err(|error| Refusal::bad_request(&error.to_string()))?;
        let request: Value = if is_protobuf {
            protobuf::review(&bytes).ok_or_else(|| Refusal::bad_request("the body is no review"))?
        } else {
            serde_json::from_slice(&bytes).map_err(|error| Refusal::bad_request(&error.to_string()))?
        };
        review::answer(&self.bundle.kubernetes, resource, headers, request)
    }

    fn resource(&self, group_version: &str, resource: &str) -> Result<&RecordedResource, Refusal> {
        let all = &self.bundle.kubernetes.resources;
        all.iter()
            .find(|one| one.group_version == group_version && one.resource == resource)
            .ok_or_else(Refusal::unknown_path)
    }

    /// How the items of a resource's lists begin; as in the recording, where it doesn't tell which resources are custom.
    fn items(&self, resource: &RecordedResource) -> Items {
        let Ok(definitions) = self.resource("apiextensions.k8s.io/v1", "customresourcedefinitions") else {
            return Items::Named;
        };
        let defines = |definition: &RecordedObject| {
            text(&definition.object, "/spec/group") == resource.group()
                && text(&definition.object, "/spec/names/plural") == resource.resource
        };
        if definitions.refused.is_some() || definitions.objects.iter().any(defines) {
            Items::Named
        } else {
            Items::Bare
        }
    }

    /// Refuses what was refused when it was recorded, and namespaces that are there and were not recorded: an empty
    /// answer would be a false one.
    fn readable(&self, resource: &RecordedResource, namespace: Option<&str>) -> Result<(), Refusal> {
        if let Some(status) = resource.refusal(namespace) {
            return Err(Refusal::recorded(status));
        }
        let Some(namespace) = namespace else { return Ok(()) };
        let recorded = &self.bundle.manifest.namespaces;
        let exists = || {
            let namespaces = self.resource("v1", "namespaces").ok();
            namespaces.is_some_and(|all| all.objects.iter().any(|object| object.name() == namespace))
        };
        if !recorded.contains(namespace) && exists() {
            return Err(Refusal::not_recorded(resource, namespace, recorded));
        }
        Ok(())
    }
}

fn object<'a>(
    resource: &'a RecordedResource,
    namespace: Option<&str>,
    name: &str,
) -> Result<&'a RecordedObject, Refusal> {
    let namespace = namespace.unwrap_or_default();
    resource
        .objects
        .iter()
        .find(|object| object.name() == name && object.namespace() == namespace)
        .ok_or_else(|| Refusal::not_found(resource, name))
}

/// The answer that is one object.
fn one(resource: &RecordedResource, object: &RecordedObject, form: Form) -> Response {
    match form {
        Form::Table(include) if !resource.columns.is_empty() => {
            axum::Json(table::table(resource, &[object], include, &json!({}))).into_response()
        }
        Form::Metadata => axum::Json(table::metadata(&object.object)).into_response(),
        _ => axum::Json(&object.object).into_response(),
    }
}

/// The parameters of a request.
struct Query(Pairs);

impl Query {
    fn parse(text: &str) -> Self {
        Self(Pairs::parse([text]))
    }

    fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.0.get(name)
    }

    /// Whether a switch is on, as the API server reads switches.
    fn is(&self, name: &str) -> bool {
        matches!(self.get(name), Some("1" | "true" | "True" | "t" | "T" | "TRUE"))
    }

    /// A number, or the fault that there is none.
    fn number(&self, name: &str) -> Result<Option<usize>, Refusal> {
        self.get(name)
            .map(|text| {
                text.parse().map_err(|_| Refusal::bad_request(&format!("{name} must be a number, got {text:?}")))
            })
            .transpose()
    }
}
