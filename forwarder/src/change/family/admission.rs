//! Webhooks that the API server asks before it takes an object.

use serde_json::Value;

use crate::change::trim::Trim;

/// Both kinds of their configurations. A certificate is long, and renewed by itself.
pub(super) fn trim(trim: &mut Trim<'_>) {
    let mut webhooks = trim.part("/webhooks").clone();
    for webhook in webhooks.as_array_mut().into_iter().flatten() {
        if let Some(Value::Object(client)) = webhook.get_mut("clientConfig") {
            client.remove("caBundle");
        }
    }
    trim.walk("webhooks", &webhooks);
}
