//! Releases of Helm, from the Secrets of their revisions.

use super::*;

/// Revision 1 is of nine o'clock; each later one of twenty minutes after.
fn secret(revision: u32, status: &str) -> Object {
    let modified = 1_767_258_000 - 1200 + 1200 * revision;
    Object::RevisionSecret(view(
        json!({"metadata": {"name": format!("sh.helm.release.v1.cart.v{revision}"), "namespace": "shop",
        "uid": revision.to_string(), "labels": {"owner": "helm", "name": "cart", "status": status, "modifiedAt": modified.to_string()}}}),
    ))
}

fn list(picture: &mut Picture, secrets: &[Object]) -> Vec<Signal> {
    let mut signals = picture.take(Observation::Listing(Kind::Secret, Scope::Cluster), at(NOW));
    for secret in secrets {
        signals.append(&mut picture.take(seen(secret.clone()), at(NOW)));
    }
    signals.append(&mut picture.take(Observation::Listed(Kind::Secret, Scope::Cluster), at(NOW)));
    signals
}

#[test]
fn an_old_failure_is_nothing_once_a_newer_revision_is_deployed_in_whatever_order_they_are_listed() {
    let mut picture = picture();
    let secrets = [secret(1, "superseded"), secret(10, "deployed"), secret(2, "failed"), secret(9, "superseded")];
    assert_eq!(list(&mut picture, &secrets), []);
    assert_eq!(picture.objects(), 2, "superseded revisions are not kept");
}

#[test]
fn a_failed_release_holds_over_a_further_try_and_ends_with_a_revision_that_is_deployed() {
    let mut picture = picture();
    let signals = list(&mut picture, &[secret(1, "superseded"), secret(2, "failed")]);
    assert_eq!(brief(&signals), [("HelmReleaseFailed", Firing)]);
    assert_eq!(signals[0].subject.as_ref().unwrap().to_string(), "HelmRelease shop/cart");
    assert_eq!(signals[0].labels.get("helm_release"), Some("cart"));
    assert_eq!(signals[0].starts_at, at("2026-01-01T09:20:00Z"));
    assert_eq!(picture.take(seen(secret(3, "pending-upgrade")), at("2026-01-01T09:41:00Z")), []);
    assert_eq!(brief(&picture.take(seen(secret(3, "deployed")), at(NOW))), [("HelmReleaseFailed", Resolved)]);
}

#[test]
fn a_release_that_is_uninstalled_takes_its_conditions_with_it() {
    let mut picture = picture();
    list(&mut picture, &[secret(1, "failed")]);
    let signals = picture.take(Observation::Gone(secret(1, "failed").key()), at(NOW));
    assert_eq!(brief(&signals), [("HelmReleaseFailed", Resolved)]);
    assert_eq!((picture.objects(), picture.conditions()), (0, 0));
}

#[test]
fn a_failure_that_vanished_while_the_watch_was_away_is_resolved_by_the_next_listing() {
    let mut picture = picture();
    list(&mut picture, &[secret(1, "failed"), secret(2, "failed")]);
    assert_eq!(brief(&list(&mut picture, &[secret(3, "deployed")])), [("HelmReleaseFailed", Resolved)]);
}

#[test]
fn what_the_runner_holds_of_a_release_is_resolved_only_once_secrets_were_listed() {
    let told = list(&mut picture(), &[secret(1, "failed")]);
    let mut restarted = picture();
    restarted.adopt(told, []);
    assert_eq!(restarted.settle(at(NOW)), []);
    list(&mut restarted, &[secret(2, "deployed")]);
    assert_eq!(brief(&restarted.settle(at(NOW))), [("HelmReleaseFailed", Resolved)]);
}
