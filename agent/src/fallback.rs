//! The conclusion when the model gives none.

use marple_core::{Conclusion, Unseen};

use crate::Ending;

/// The rules' conclusion, with the reason for which no model has a part in it under `unseen`.
pub fn fallback(rules: &Conclusion, ending: &Ending) -> Conclusion {
    let mut conclusion = rules.clone();
    if !ending.is_of_model() {
        let unseen = Unseen { what: "anything beyond what the rules check".to_owned(), why: ending.to_string() };
        conclusion.add_unseen(&unseen);
    }
    conclusion
}
