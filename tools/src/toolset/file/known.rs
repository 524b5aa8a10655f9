//! HolmesGPT's own toolsets, which its users switch on and off by their names.

/// By the first part of their names: what marple has in their place.
const INSTEAD: [(&str, &str); 12] = [
    ("kubernetes", "the toolset `kubernetes`"),
    ("helm", "the toolset `kubernetes`, which reads Helm's releases"),
    ("argocd", "the toolset `kubernetes`, which reads Argo CD's applications"),
    ("prometheus", "the toolset `prometheus` (`prometheus.url`)"),
    ("grafana", "toolsets for logs and traces, which ask Loki and Tempo themselves"),
    ("elasticsearch", "a toolset for logs"),
    ("opensearch", "a toolset for logs"),
    ("internet", "a toolset for HTTP"),
    ("connectivity_check", "a toolset for the network"),
    ("runbook", "skills (`toolsets.skills`)"),
    ("robusta", "its own history of changes and incidents"),
    ("bash", "toolsets with `tools`, each of which runs one command"),
];

/// Why a toolset that has no tools of its own is off.
pub(super) fn without_tools(name: &str) -> String {
    let family = name.split('/').next().unwrap_or(name);
    match INSTEAD.iter().find(|(known, _)| *known == family) {
        Some((_, instead)) => format!("has no `tools`: it is one of HolmesGPT's own, and marple has {instead}"),
        None => "has no `tools`: list what it runs, or remove it".to_owned(),
    }
}
