//! What the gate's rules over objects leave of each request and answer.

use serde_json::Value;

use super::request::Question;
use super::{Cluster, Kind, LookError};
use crate::gate::{Extent, Place};

impl Cluster {
    /// The answer's body, where the rules permit the question.
    pub(super) async fn ask(&self, question: &Question<'_>) -> Result<String, LookError> {
        self.permit(question)?;
        question.ask(self.client(), self.deadline()).await
    }

    /// The answer's body, piece by piece, where the rules permit the question.
    pub(super) async fn stream(
        &self,
        question: &Question<'_>,
    ) -> Result<impl futures::AsyncBufRead + use<>, LookError> {
        self.permit(question)?;
        question.stream(self.client(), self.deadline()).await
    }

    /// Whether an object of an answer may be seen. An event may be only where what it is about may be, and what can't
    /// be told by its name may be only where nothing of its kind is refused.
    pub(super) fn permits(&self, kind: &Kind, object: &Value) -> bool {
        let text = |path: &str| object.pointer(path).and_then(Value::as_str);
        let Some(name) = text("/metadata/name") else {
            let place = if kind.namespaced { Place::Everywhere } else { Place::Cluster };
            return self.rules().extent(&kind.kind, place) == Extent::All;
        };
        let about = |field: &str| {
            let part = |part: &str| text(&format!("/{field}/{part}"));
            match (part("kind"), part("name")) {
                (Some(kind), Some(name)) => self.rules().permit(kind, part("namespace"), name),
                _ => true,
            }
        };
        self.rules().permit(&kind.kind, text("/metadata/namespace"), name)
            && (kind.kind != "Event" || about("involvedObject") && about("regarding"))
    }

    /// Whether a list of a kind in a namespace shows all there is, so that what it lacks is not there.
    pub fn shows_all(&self, kind: &str, namespace: &str) -> bool {
        self.rules().extent(kind, Place::Namespace(namespace)) == Extent::All
    }

    fn permit(&self, question: &Question<'_>) -> Result<(), LookError> {
        let Question { kind, namespace, name, .. } = question;
        let permitted = match (name, kind.namespaced, namespace) {
            (Some(name), _, _) => self.rules().permit(&kind.kind, *namespace, name),
            (None, false, _) => self.rules().extent(&kind.kind, Place::Cluster) != Extent::None,
            (None, true, None) => self.rules().extent(&kind.kind, Place::Everywhere) != Extent::None,
            (None, true, Some(namespace)) => {
                self.rules().extent(&kind.kind, Place::Namespace(namespace)) != Extent::None
            }
        };
        if permitted { Ok(()) } else { Err(LookError::Withheld { what: question.told() }) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use marple_core::ObjectRef;
    use serde_json::json;

    use super::*;
    use crate::gate::ObjectRules;
    use crate::kubernetes::LogRequest;
    use crate::kubernetes::double::Double;

    fn refusing(double: &Double, rules: Value) -> Cluster {
        double.cluster().with_rules(ObjectRules::new(serde_json::from_value(rules).unwrap()))
    }

    fn named(namespace: &str, name: &str) -> Value {
        json!({"metadata": {"namespace": namespace, "name": name}})
    }

    #[tokio::test]
    async fn what_is_refused_is_not_asked_for_by_whatever_word_names_its_kind() {
        let double = Double::start().await;
        let cluster = refusing(&double, json!([{"kind": "ConfigMap", "namespace": "bank", "decision": "refuse"}]));
        for kind in ["ConfigMap", "cm", "v1/ConfigMap", "core/configmaps", "CONFIGMAPS"] {
            let got = cluster.get(&ObjectRef::namespaced(kind, "bank", "rates")).await.unwrap_err();
            assert_eq!(
                got,
                LookError::Withheld { what: "get configmaps rates in namespace bank".to_owned() },
                "{kind}"
            );
            assert!(matches!(cluster.list(kind, Some("bank"), None, None, 9).await, Err(LookError::Withheld { .. })));
        }
        assert_eq!(double.asked().await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn lists_over_all_namespaces_lack_what_is_refused() {
        let double = Double::start().await;
        let pods = json!({"metadata": {}, "items": [named("bank", "ledger"), named("shop", "cart")]});
        double.answer("/api/v1/pods", 200, &pods).await;
        let cluster = refusing(&double, json!([{"namespace": "bank", "decision": "refuse"}]));
        let listed = cluster.list("pods", None, None, None, 9).await.unwrap();
        assert_eq!(
            listed,
            [json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": "cart"}})]
        );
        let ledger = json!({"metadata": {}, "items": [named("bank", "ledger")]});
        double.answer_query("/api/v1/pods", &[("fieldSelector", "metadata.name=ledger")], &ledger).await;
        let unnamed = cluster.get(&ObjectRef { kind: "Pod".into(), namespace: None, name: "ledger".into() }).await;
        let what = "look for Pod ledger in all namespaces; say in which it is".to_owned();
        assert_eq!(unnamed, Err(LookError::Withheld { what }));
    }

    #[tokio::test]
    async fn logs_and_events_of_what_is_refused_are_refused_too() {
        let double = Double::start().await;
        let event = |name: &str, about: &str| json!({"metadata": {"namespace": "shop", "name": name}, "involvedObject": {"kind": "Pod", "namespace": "shop", "name": about}});
        let events = json!({"metadata": {}, "items": [event("a", "vault-0"), event("b", "cart")]});
        double.answer("/api/v1/namespaces/shop/events", 200, &events).await;
        let cluster = refusing(&double, json!([{"kind": "pods", "name": "vault-*", "decision": "refuse"}]));
        let names = cluster.events_in("shop").await.unwrap();
        assert_eq!(names.iter().map(|event| event["metadata"]["name"].clone()).collect::<Vec<_>>(), ["b"]);
        let log = cluster.logs(&LogRequest::new("shop", "vault-0")).await;
        assert_eq!(log, Err(LookError::Withheld { what: "get pods/log vault-0 in namespace shop".to_owned() }));
        assert_eq!(double.asked().await.len(), 1);
    }

    #[tokio::test]
    async fn owners_that_are_refused_end_the_chain_and_prove_no_absence() {
        let double = Double::start().await;
        let owned = json!({"metadata": {"namespace": "shop", "name": "cart-1", "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "cart", "controller": true}]}, "spec": {"nodeName": "n1"}});
        double.answer("/api/v1/namespaces/shop/pods", 200, &json!({"metadata": {}, "items": [owned]})).await;
        let cluster = refusing(&double, json!([{"kind": "Pod", "name": "cart-*", "decision": "refuse"}]));
        let placed = cluster.placements("Pod", Some("shop")).await.unwrap();
        let object = ObjectRef::namespaced("Pod", "shop", "cart-1");
        assert_eq!(placed, [crate::kubernetes::Placement { object, controller: None, node: None }]);
    }
}
