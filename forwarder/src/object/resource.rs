//! Makes a view a resource of the API: it is asked for under the path of the whole object.

/// `resource!(View, the type of k8s-openapi that it is a view of)`; with `metadata` behind it, only that is asked for.
macro_rules! resource {
    ($view:ty, $whole:ty) => {
        $crate::object::resource::resource!(@ $view, $whole, false);
    };
    ($view:ty, $whole:ty, metadata) => {
        $crate::object::resource::resource!(@ $view, $whole, true);
    };
    (@ $view:ty, $whole:ty, $metadata_only:literal) => {
        impl kube::Resource for $view {
            type DynamicType = ();
            type Scope = <$whole as kube::Resource>::Scope;

            fn kind((): &()) -> std::borrow::Cow<'_, str> {
                <$whole as kube::Resource>::kind(&())
            }

            fn group((): &()) -> std::borrow::Cow<'_, str> {
                <$whole as kube::Resource>::group(&())
            }

            fn version((): &()) -> std::borrow::Cow<'_, str> {
                <$whole as kube::Resource>::version(&())
            }

            fn plural((): &()) -> std::borrow::Cow<'_, str> {
                <$whole as kube::Resource>::plural(&())
            }

            fn metadata_api() -> bool {
                $metadata_only
            }

            fn meta(&self) -> &kube::core::ObjectMeta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut kube::core::ObjectMeta {
                &mut self.metadata
            }
        }
    };
}

pub(crate) use resource;
