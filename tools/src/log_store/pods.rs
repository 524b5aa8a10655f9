//! Which pods, by the names that they have or had.

/// The letters that Kubernetes makes random names of (`k8s.io/apimachinery/pkg/util/rand`).
const RANDOM: &str = "[bcdfghjklmnpqrstvwxz2456789]";

/// Where a made name is cut before its five random letters (`k8s.io/apiserver/pkg/storage/names`).
const LONGEST: usize = 58;

/// The letters of a pod template's hash at most.
const HASH: usize = 10;

/// The pods of a name, or those that a workload of a name would make: of pods that are gone a log store has nothing
/// but their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pods {
    /// How their names begin.
    start: String,
    /// How they go on, as a regular expression of classes, groups and repeats alone: that all stores read alike.
    rest: String,
}

impl Pods {
    /// One pod.
    pub fn named(name: &str) -> Self {
        Self { start: name.to_owned(), rest: String::new() }
    }

    /// The pods of an object, by its kind; nothing where a kind has none, or none that its name tells.
    pub fn of(kind: &str, name: &str) -> Option<Self> {
        let made = |rest: String, longest: usize| {
            if name.len() + longest <= LONGEST {
                return Self { start: name.to_owned(), rest };
            }
            Self { start: name.chars().take(LONGEST - longest).collect(), rest: "[-a-z0-9.]*".to_owned() }
        };
        let kind = kind.to_lowercase();
        let kind = kind.rsplit_once('/').map_or(kind.as_str(), |(_, kind)| kind);
        Some(match kind.strip_suffix('s').unwrap_or(kind) {
            "pod" | "po" => Self::named(name),
            "deployment" | "deploy" | "rollout" => made(format!("-{RANDOM}{{1,{HASH}}}-{RANDOM}{{5}}"), HASH + 2),
            "replicaset" | "r" | "daemonset" | "d" | "replicationcontroller" | "rc" => {
                made(format!("-{RANDOM}{{5}}"), 1)
            }
            // Those of an indexed job have their index in between.
            "job" => made(format!("(-[0-9]+)?-{RANDOM}{{5}}"), 1 + 4),
            "statefulset" | "st" => made("-[0-9]+".to_owned(), 0),
            "cronjob" | "cj" => made(format!("-[0-9]+(-[0-9]+)?-{RANDOM}{{5}}"), 1 + 10),
            _ => return None,
        })
    }

    /// The name, where it is one.
    pub fn name(&self) -> Option<&str> {
        self.rest.is_empty().then_some(self.start.as_str())
    }

    /// A regular expression that the whole name fits; `escaped` writes a text so that it stands for itself.
    pub(super) fn pattern(&self, escaped: impl FnOnce(&str) -> String) -> String {
        format!("{}{}", escaped(&self.start), self.rest)
    }
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    fn fits(kind: &str, name: &str, pod: &str) -> bool {
        let pattern = Pods::of(kind, name).unwrap().pattern(regex::escape);
        Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(pod)
    }

    #[test]
    fn a_workload_has_the_pods_that_its_controller_would_name() {
        for (kind, name, pod) in [
            ("Deployment", "cart", "cart-5d8f9c7b4-x2x9z"),
            ("apps/v1/Deployment", "cart", "cart-68b-mmzzz"),
            ("deploy", "a.b", "a.b-5d8f9c7b4-x2x9z"),
            ("DaemonSet", "agent", "agent-x2x9z"),
            ("StatefulSet", "db", "db-0"),
            ("Job", "load", "load-x2x9z"),
            ("Job", "load", "load-12-x2x9z"),
            ("CronJob", "nightly", "nightly-29399400-x2x9z"),
            ("Pod", "cart-1", "cart-1"),
        ] {
            assert!(fits(kind, name, pod), "{kind} {name} {pod}");
        }
    }

    #[test]
    fn another_workload_of_a_longer_name_has_others() {
        for (kind, name, pod) in [
            ("Deployment", "cart", "cart-api-5d8f9c7b4-x2x9z"),
            ("Deployment", "cart", "cart-redis-master-0"),
            ("StatefulSet", "db", "db-0-x2x9z"),
            ("StatefulSet", "db", "db-backup-0"),
            ("Deployment", "a.b", "axb-5d8f9c7b4-x2x9z"),
            ("Pod", "cart", "cart-1"),
        ] {
            assert!(!fits(kind, name, pod), "{kind} {name} {pod}");
        }
        assert_eq!(Pods::of("Node", "worker-1"), None);
    }

    #[test]
    fn a_long_name_is_cut_as_its_pods_names_are() {
        let name = "payments-".repeat(7);
        let pod = format!("{}x2x9z", format!("{name}5d8f9c7b4-").chars().take(58).collect::<String>());
        assert!(fits("Deployment", &name, &pod));
    }
}
