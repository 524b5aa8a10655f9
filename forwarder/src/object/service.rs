//! Services.

use k8s_openapi::api::core::v1;
use kube::core::ObjectMeta;
use marple_core::Labels;

use super::resource::resource;
use super::view::view;

view! {
    /// A Service.
    pub struct Service {
        /// What names it.
        pub metadata: ObjectMeta,
        /// What is wanted.
        pub spec: ServiceSpec,
        /// What is.
        pub status: ServiceStatus,
    }
}

resource!(Service, v1::Service);

view! {
    /// What is wanted of a Service.
    pub struct ServiceSpec {
        /// `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`.
        #[serde(rename = "type")]
        pub type_: Option<String>,
        /// The labels of the pods that it leads to.
        pub selector: Labels,
    }

    /// How a Service is.
    pub struct ServiceStatus {
        /// Where it is reached from outside.
        pub load_balancer: LoadBalancer,
    }

    /// Where a Service is reached from outside.
    pub struct LoadBalancer {
        /// The addresses.
        pub ingress: Vec<Address>,
    }

    /// One address; one of these is there.
    pub struct Address {
        /// As an IP address.
        pub ip: Option<String>,
        /// As a name.
        pub hostname: Option<String>,
    }
}

impl Service {
    /// Whether it is to be reached by a load balancer and has no address.
    pub fn waits_for_address(&self) -> bool {
        self.spec.type_.as_deref() == Some("LoadBalancer")
            && !self.status.load_balancer.ingress.iter().any(|at| at.ip.is_some() || at.hostname.is_some())
    }
}
