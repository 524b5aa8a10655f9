//! APIs that the API server hands on to others.

use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1;
use kube::core::ObjectMeta;

use super::Standing;
use super::resource::resource;
use super::view::view;

view! {
    /// An APIService.
    pub struct ApiService {
        /// What names it.
        pub metadata: ObjectMeta,
        /// What is wanted.
        pub spec: ApiServiceSpec,
        /// What is.
        pub status: ApiServiceStatus,
    }
}

resource!(ApiService, v1::APIService);

view! {
    /// What is wanted of an APIService.
    pub struct ApiServiceSpec {
        /// The Service that answers for it; absent where the API server does so itself.
        pub service: Option<Backend>,
    }

    /// The Service behind an API.
    pub struct Backend {
        /// Its namespace.
        pub namespace: String,
        /// Its name.
        pub name: String,
    }

    /// How an APIService is.
    pub struct ApiServiceStatus {
        /// Its conditions.
        pub conditions: Vec<Standing>,
    }
}
