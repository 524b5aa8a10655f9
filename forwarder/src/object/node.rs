//! Nodes.

use k8s_openapi::api::core::v1;
use kube::core::ObjectMeta;

use super::Standing;
use super::resource::resource;
use super::view::view;

view! {
    /// A node.
    pub struct Node {
        /// What names it.
        pub metadata: ObjectMeta,
        /// What is.
        pub status: NodeStatus,
    }
}

resource!(Node, v1::Node);

view! {
    /// How a node is.
    pub struct NodeStatus {
        /// Its conditions.
        pub conditions: Vec<Standing>,
    }
}
