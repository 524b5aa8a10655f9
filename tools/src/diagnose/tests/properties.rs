use std::collections::BTreeSet;

use super::*;
use crate::diagnose::conditions;
use crate::scene::occurs;

#[test]
fn words_of_conditions_are_unique() {
    let words = conditions().map(|condition| condition.word).collect::<Vec<_>>();
    assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
}

proptest::proptest! {
    /// Whatever state a container is in, a finding's words are where it says that they are.
    #[test]
    fn every_finding_is_proven_by_words_that_occur(
        reason in proptest::sample::select(vec!["CrashLoopBackOff", "ImagePullBackOff", "CreateContainerConfigError", "RunContainerError", "ContainerCreating"]),
        message in "[ -~\n]{0,80}|configmap \"[a-z]{1,8}\" not found|exec: \"[a-z]{1,5}\": not found",
        code in 0_i64..256,
        ended_as in proptest::sample::select(vec!["Error", "OOMKilled", "StartError", "Completed"]),
        line in "[ -~]{0,120}|dial tcp: lookup [a-z]{1,8}.com: no such host|no space left on device '[\"\\\\a-z]{0,9}",
        event in "[ -~]{0,60}|Readiness probe failed: [ -~]{0,60}",
    ) {
        let status = with(waiting(reason, &message), &json!({"restartCount": 2, "lastState": with(ended(code, ended_as, "2026-01-02T11:59:00Z"), &json!({"terminated": {"message": message}}))}));
        let pod = with_container(pod("shop", "cart"), &json!({"readinessProbe": {"httpGet": {"port": 1}}}), &status);
        let events = [pod_event("cart", "Unhealthy", &event), pod_event("cart", "Failed", &format!("Failed to pull image: {event}"))];
        let scene = scene(broken_workload("shop", "cart", pod), &events, vec![log("shop", "cart", true, &line)]);
        let findings = run(&scene);
        proptest::prop_assert!(!findings.is_empty());
        for finding in &findings {
            proptest::prop_assert!(!finding.proofs.is_empty(), "{finding:?}");
            proptest::prop_assert!(!finding.statement.is_empty());
            proptest::prop_assert!(crate::diagnose::condition(&finding.condition).is_some(), "{} is not registered", finding.condition);
            for proof in &finding.proofs {
                let text = scene.text(&proof.source);
                proptest::prop_assert!(text.is_some_and(|text| occurs(&text, &proof.quote)), "{proof:?}");
            }
        }
    }
}
