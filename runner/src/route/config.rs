//! Routes in the configuration.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Matcher;

/// Which incident goes to which receivers.
///
/// An incident takes a route when one of its alerts meets all of the route's matchers. Routes are tried in their order;
/// the first that is taken ends the search unless it says `continue`. An incident that takes none goes to the
/// receivers of `default`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteConfig {
    /// Receivers of incidents that take no route.
    pub default: Vec<String>,
    /// The routes, in the order in which they are tried.
    #[serde(default)]
    pub routes: Vec<RouteRule>,
}

/// A route.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteRule {
    /// What an alert must meet, as `severity="critical"` or `namespace=~"shop|cart"`; every alert meets an empty list.
    ///
    /// A name is a label of the alert, or one of `alertname`, `severity` (the incident's, as info, warning or critical,
    /// or the alert's own label), `namespace`, `cluster`, `object_kind`, `object_name`.
    #[serde(default)]
    pub matchers: Vec<Matcher>,
    /// Receivers of incidents that take it; none for nobody.
    pub receivers: Vec<String>,
    /// Whether further routes are tried after it was taken.
    #[serde(default, rename = "continue")]
    pub goes_on: bool,
}
