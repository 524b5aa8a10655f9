//! Identities that marple gives.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        #[schemars(with = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// A new one, greater than those given before it by this process.
            #[expect(clippy::new_without_default, reason = "a default that differs at each call would surprise")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// How long after another one it was given, in whole milliseconds; zero where it was given before.
            pub fn after(&self, other: &Self) -> Duration {
                let given = |id: &Self| {
                    let at = id.0.get_timestamp().map_or((0, 0), |at| at.to_unix());
                    Duration::new(at.0, at.1)
                };
                given(self).saturating_sub(given(other))
            }

            /// Its last eight hexadecimal digits: what people are shown and may type.
            pub fn short(&self) -> String {
                let text = self.0.simple().to_string();
                text.get(24..).unwrap_or_default().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

identity! {
    /// Names one conversation of a person with marple.
    ConversationId
}

identity! {
    /// Names one incident; ordered by the time at which it was opened.
    IncidentId
}

identity! {
    /// Names one investigation of an incident.
    InvestigationId
}

identity! {
    /// Names one question to a person, whether a call may be made.
    ApprovalId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_how_long_after_another_it_was_given() {
        let early: IncidentId = "01a22802-db95-762b-a3cb-02f420b27843".parse().unwrap();
        let late: IncidentId = "01a22802-df7d-7000-8000-000000000000".parse().unwrap();
        assert_eq!((late.after(&early), early.after(&late)), (Duration::from_secs(1), Duration::ZERO));
        assert!(IncidentId::new() < IncidentId::new());
    }
}
