//! What an alert's name tells of what it measures.

/// Words of alerts on what an object itself has or uses, in lower case. A dependency in trouble does not show in these.
const OF_ITSELF: [&str; 23] = [
    "cpu",
    "memory",
    "throttl",
    "disk",
    "volume",
    "filesystem",
    "inode",
    "storage",
    "replica",
    "restart",
    "crashloop",
    "oomk",
    "hpa",
    "autoscal",
    "certificate",
    "cert",
    "expir",
    "quota",
    "evict",
    "pending",
    "schedul",
    "image",
    "clock",
];

/// Words of alerts on answers that stand above those on what an object has: `VolumeServiceErrors`; in lower case.
const OF_ANSWERS: [&str; 12] =
    ["error", "5xx", "4xx", "500", "latenc", "slow", "timeout", "availab", "unavail", "burn", "success", "respon"];

/// Whether an alert of this name may be on what a workload answers: on errors, latencies, objectives, or that it is down.
pub(super) fn of_answers(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    // Alerts on the state of objects tell of the objects themselves.
    let of_state = ["kube", "node", "container", "pod", "job", "deployment"].iter().any(|kind| name.starts_with(kind));
    says(&OF_ANSWERS) && !name.starts_with("kube") || !of_state && !says(&OF_ITSELF)
}

#[cfg(test)]
mod tests {
    use super::of_answers;

    #[test]
    fn alerts_are_on_answers_unless_they_name_what_an_object_has() {
        for name in [
            "HighErrorRate",
            "HighLatency",
            "ServiceDown",
            "EndpointDown",
            "P99High",
            "CheckoutDegraded",
            "OrdersDropped",
            "ApdexLow",
            "QueueBacklog",
            "TooMany4xx",
            "PodErrorsHigh",
            "ProbeFailed",
            "ConversionRateLow",
            "RoomServiceDown",
        ] {
            assert!(of_answers(name), "{name}");
        }
        for name in [
            "KubePodNotReady",
            "KubeAPIErrorBudgetBurn",
            "CPUThrottlingHigh",
            "KubeHpaMaxedOut",
            "HighMemoryUsage",
            "VolumeFillingUp",
            "PodRestartsHigh",
            "NodeClockSkew",
            "CertificateExpiresSoon",
            "ContainerOOMKilled",
        ] {
            assert!(!of_answers(name), "{name}");
        }
    }
}
