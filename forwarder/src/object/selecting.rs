//! Objects of which only it matters which pods they select.

use k8s_openapi::api::{networking, policy};
use kube::core::ObjectMeta;
use marple_core::links::{Expression, Operator};
use marple_core::{Labels, Selector};

use super::resource::resource;
use super::view::view;

view! {
    /// A PodDisruptionBudget.
    pub struct Budget {
        /// What names it.
        pub metadata: ObjectMeta,
        /// What is wanted.
        pub spec: BudgetSpec,
    }

    /// What is wanted of a budget.
    pub struct BudgetSpec {
        /// Which pods it is about; none where it is absent.
        pub selector: Option<PodSelector>,
    }

    /// A NetworkPolicy.
    pub struct Policy {
        /// What names it.
        pub metadata: ObjectMeta,
        /// What is wanted.
        pub spec: PolicySpec,
    }

    /// What is wanted of a policy.
    pub struct PolicySpec {
        /// Which pods it is about; all of its namespace where it is empty.
        pub pod_selector: PodSelector,
    }

    /// A label selector.
    pub struct PodSelector {
        /// Labels with their values.
        pub match_labels: Labels,
        /// What else is asked of labels.
        pub match_expressions: Vec<PodExpression>,
    }

    /// What is asked of one label.
    pub struct PodExpression {
        /// The label.
        pub key: String,
        /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
        pub operator: String,
        /// The values that it is asked about.
        pub values: Vec<String>,
    }
}

resource!(Budget, policy::v1::PodDisruptionBudget);
resource!(Policy, networking::v1::NetworkPolicy);

impl PodSelector {
    /// The selector; nothing where it asks what isn't known.
    pub fn selector(&self) -> Option<Selector> {
        let expression = |one: &PodExpression| {
            let operator = match one.operator.as_str() {
                "In" => Operator::In,
                "NotIn" => Operator::NotIn,
                "Exists" => Operator::Exists,
                "DoesNotExist" => Operator::DoesNotExist,
                _ => return None,
            };
            Some(Expression { key: one.key.clone(), operator, values: one.values.clone() })
        };
        let expressions = self.match_expressions.iter().map(expression).collect::<Option<_>>()?;
        Some(Selector { labels: self.match_labels.clone(), expressions })
    }
}
