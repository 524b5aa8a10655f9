//! Declares what of an object is read.

/// Declares structs of which each field is read for itself (see `lenient`): one that is absent, null or malformed is its
/// default.
macro_rules! view {
    ($($(#[$doc:meta])* $seen:vis struct $name:ident {
        $($(#[$field_doc:meta])* $field_seen:vis $field:ident: $type:ty,)*
    })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
            #[serde(rename_all = "camelCase", default)]
            $seen struct $name {
                $(
                    $(#[$field_doc])*
                    #[serde(deserialize_with = "crate::object::lenient::field")]
                    $field_seen $field: $type,
                )*
            }

            $crate::object::lenient::fields! { $name, }
        )*
    };
}

pub(crate) use view;
