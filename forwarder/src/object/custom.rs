//! Custom resources that the configuration names.

use kube::core::{ApiResource, ObjectMeta};

use super::Standing;
use super::view::view;

view! {
    /// An object of a custom kind, of which nothing is known but that it tells conditions.
    pub struct Custom {
        /// What names it.
        pub metadata: ObjectMeta,
        /// What is.
        pub status: CustomStatus,
    }

    /// How it is.
    pub struct CustomStatus {
        /// Its conditions.
        pub conditions: Vec<Standing>,
    }
}

impl kube::Resource for Custom {
    type DynamicType = ApiResource;
    type Scope = kube::core::DynamicResourceScope;

    fn kind(resource: &ApiResource) -> std::borrow::Cow<'_, str> {
        resource.kind.as_str().into()
    }

    fn group(resource: &ApiResource) -> std::borrow::Cow<'_, str> {
        resource.group.as_str().into()
    }

    fn version(resource: &ApiResource) -> std::borrow::Cow<'_, str> {
        resource.version.as_str().into()
    }

    fn plural(resource: &ApiResource) -> std::borrow::Cow<'_, str> {
        resource.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
