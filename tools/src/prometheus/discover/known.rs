//! Which Services are a Prometheus, by the labels, names and ports that their charts and operators give them.

use k8s_openapi::api::core::v1::{Service, ServicePort};

/// A server that speaks Prometheus's API.
struct Known {
    product: &'static str,
    /// Values of the label `app.kubernetes.io/name` or `app`.
    apps: &'static [&'static str],
    /// Values of the label `app.kubernetes.io/component` or `component`, where there is one; empty for any.
    components: &'static [&'static str],
    /// Names of Services, where labels say nothing; a `*` stands for anything.
    names: &'static [&'static str],
    /// Ports of its API, the likeliest first.
    ports: &'static [i32],
    /// What comes before `api/v1`.
    prefix: &'static str,
}

/// What is looked for. The Prometheus of a cluster comes before what may collect those of several.
const KNOWN: [Known; 5] = [
    Known {
        product: "Prometheus",
        apps: &[
            "prometheus",
            "prometheus-server",
            "kube-prometheus-stack-prometheus",
            "prometheus-operator-prometheus",
        ],
        components: &["server", "prometheus"],
        names: &[
            "prometheus",
            "prometheus-server",
            "prometheus-k8s",
            "prometheus-operated",
            "*-prometheus",
            "*-prometheus-server",
        ],
        ports: &[9090, 80, 9091],
        prefix: "",
    },
    Known {
        product: "VictoriaMetrics",
        apps: &["vmsingle", "victoria-metrics-single", "victoria-metrics"],
        components: &["server", "monitoring"],
        names: &["vmsingle", "vmsingle-*", "*-victoria-metrics-single-server", "victoria-metrics"],
        ports: &[8428, 8429, 80],
        prefix: "",
    },
    Known {
        product: "VictoriaMetrics cluster",
        apps: &["vmselect", "victoria-metrics-cluster"],
        components: &["vmselect", "monitoring"],
        names: &["vmselect", "vmselect-*", "*-vmselect"],
        ports: &[8481],
        prefix: "select/0/prometheus/",
    },
    Known {
        product: "Thanos",
        apps: &["thanos-query", "thanos-query-frontend", "thanos-querier", "thanos"],
        components: &["query", "query-frontend", "query-layer", "querier"],
        names: &[
            "thanos-query",
            "thanos-query-frontend",
            "thanos-querier",
            "*-thanos-query",
            "*-thanos-query-frontend",
        ],
        ports: &[9090, 10902, 10904, 80],
        prefix: "",
    },
    Known {
        product: "Mimir",
        apps: &["mimir", "mimir-distributed"],
        components: &["gateway", "nginx", "query-frontend"],
        names: &["mimir", "mimir-nginx", "mimir-gateway", "*-mimir-nginx", "*-mimir-gateway"],
        ports: &[80, 8080, 9009],
        prefix: "prometheus/",
    },
];

/// Labels of a Service's application and of its part of it.
const APP: [&str; 2] = ["app.kubernetes.io/name", "app"];
const COMPONENT: [&str; 2] = ["app.kubernetes.io/component", "component"];

/// A Service that may be one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    /// The place in what is looked for, and whether only the Service's pods have addresses: less is tried first.
    order: (usize, bool),
    pub(super) namespace: String,
    pub(super) service: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) prefix: &'static str,
    pub(super) product: &'static str,
}

/// The Services that may be one, the likeliest first.
pub(super) fn candidates<'a>(services: impl IntoIterator<Item = &'a Service>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = services.into_iter().filter_map(candidate).collect();
    found.sort();
    found
}

fn candidate(service: &Service) -> Option<Candidate> {
    let (name, spec) = (service.metadata.name.as_deref()?, service.spec.as_ref()?);
    if spec.type_.as_deref() == Some("ExternalName") {
        return None;
    }
    let (place, known) = KNOWN.iter().enumerate().find(|(_, known)| known.is(service, name))?;
    let ports = spec.ports.as_deref().unwrap_or_default();
    let port = known.ports.iter().find_map(|wanted| ports.iter().find(|port| port.port == *wanted));
    let port = port.or_else(|| ports.iter().find(|port| is_web(port))).or(match ports {
        [only] => Some(only),
        _ => None,
    })?;
    let tls = port.port == 443
        || port.name.as_deref().is_some_and(|name| name.contains("https"))
        || port.app_protocol.as_deref() == Some("https");
    Some(Candidate {
        order: (place, spec.cluster_ip.as_deref() == Some("None")),
        namespace: service.metadata.namespace.clone()?,
        service: name.to_owned(),
        port: u16::try_from(port.port).ok()?,
        tls,
        prefix: known.prefix,
        product: known.product,
    })
}

impl Known {
    fn is(&self, service: &Service, name: &str) -> bool {
        let label = |names: [&str; 2]| {
            let labels = service.metadata.labels.as_ref()?;
            names.iter().find_map(|name| labels.get(*name)).map(String::as_str)
        };
        match (label(APP), label(COMPONENT)) {
            (Some(app), component) if self.apps.contains(&app) => {
                component.is_none_or(|component| self.components.contains(&component))
            }
            // Labels that name another application leave no doubt, but for charts that name each part by the release.
            _ => self.names.iter().any(|pattern| fits(pattern, name)),
        }
    }
}

fn is_web(port: &ServicePort) -> bool {
    port.name.as_deref().is_some_and(|name| name == "web" || name.starts_with("http"))
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, end)) => name.len() > start.len() + end.len() && name.starts_with(start) && name.ends_with(end),
    }
}
