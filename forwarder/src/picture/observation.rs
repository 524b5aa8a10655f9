//! What a watch sees.

use crate::config::Scope;
use crate::object::{Kind, Object, ObjectKey};

/// What a watch sees.
#[derive(Clone, Debug)]
pub enum Observation {
    /// A listing begins: all that is there will be seen.
    Listing(Kind, Scope),
    /// An object as it is.
    Seen(Object, Scope),
    /// An object was deleted.
    Gone(ObjectKey),
    /// The listing is complete: what was not seen in it is gone.
    Listed(Kind, Scope),
    /// The credentials don't allow to watch this kind there.
    Forbidden(Kind, Scope),
}
