//! Whether a request that was made for one model fits another.

use super::super::{ModelLimits, ModelRequest};

/// Room for what counts differ by, beside a hundredth of the window.
const MARGIN: u32 = 64;

/// The request as this model can take it, or why it can't. `size` is what the request has in tokens.
pub(super) fn fitted(request: &ModelRequest, size: u32, limits: &ModelLimits) -> Result<ModelRequest, String> {
    let window = limits.context_window;
    let max_output = request.max_output.min(limits.max_output).min(window / 4);
    let room = window.saturating_sub(max_output).saturating_sub(window / 100).saturating_sub(MARGIN);
    if size > room {
        return Err(format!(
            "the request has about {size} tokens and it takes {room} of its context_window of {window} as a request; name a \
             fallback with a larger one"
        ));
    }
    Ok(ModelRequest { max_output, ..request.clone() })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Message;

    #[test]
    fn a_request_fits_with_a_shorter_answer_or_is_told_by_how_much_it_is_too_long() {
        let request = ModelRequest {
            messages: vec![Message::User { content: "Why?".to_owned() }],
            tools: Arc::new([]),
            may_call: true,
            max_output: 8_000,
        };
        let limits = ModelLimits { context_window: 8_000, max_output: 4_000, ..ModelLimits::default() };
        assert_eq!(fitted(&request, 5_856, &limits).map(|request| request.max_output), Ok(2_000));
        let why = "the request has about 5857 tokens and it takes 5856 of its context_window of 8000 as a request; name a \
                   fallback with a larger one";
        assert_eq!(fitted(&request, 5_857, &limits), Err(why.to_owned()));
    }
}
