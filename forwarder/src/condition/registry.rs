//! The list of conditions: their settings in the configuration, and who is asked about an object.

use super::{Context, Sighting};
use crate::object::Object;

/// Something that can be wrong with an object, with its settings: each has among them whether it is told (`enabled`) and
/// how often (`rate_limit`).
pub trait Condition {
    /// The signals of which events tell: they can't be known to have ended where events can't be watched.
    fn told_by_events(&self) -> &'static [&'static str] {
        &[]
    }

    /// Where this object shows it. Pure: what it says of an object depends on nothing but the arguments.
    fn see(&self, object: &Object, context: &Context<'_>) -> Vec<Sighting>;
}

/// Declares [`Conditions`](super::Conditions): a field for each condition, and one function that asks them all.
macro_rules! conditions {
    ($($(#[$doc:meta])* $field:ident: $condition:ty,)*) => {
        /// Which conditions are told, and from when on.
        #[derive(
            Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        #[serde(default, deny_unknown_fields)]
        pub struct Conditions {
            $($(#[$doc])* pub $field: $condition,)*
        }

        impl Conditions {
            /// All that this object shows, by the conditions that are told.
            pub fn see(&self, object: &$crate::object::Object, context: &Context<'_>) -> Vec<Sighting> {
                let mut sightings = Vec::new();
                $(if self.$field.enabled {
                    let rate_limit = self.$field.rate_limit.duration();
                    let seen = self.$field.see(object, context).into_iter();
                    sightings.extend(seen.map(|sighting| Sighting { rate_limit, ..sighting }));
                })*
                sightings
            }

            /// Whether events tell of the signals of this name.
            pub fn told_by_events(&self, name: &str) -> bool {
                [$(self.$field.told_by_events(),)*].concat().contains(&name)
            }
        }
    };
}

pub(super) use conditions;
