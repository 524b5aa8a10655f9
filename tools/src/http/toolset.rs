//! The pages that may be read as a toolset.

use super::{Http, HttpConfig, HttpError, tools};
use crate::toolset::Toolset;

/// The tool that gets pages. Off where nothing may be asked.
pub fn toolset(config: &HttpConfig) -> Result<Toolset, HttpError> {
    let (name, description) = ("http", "Pages and APIs that are listed, by GET.");
    let tools = tools(Http::new(config)?);
    Ok(if tools.is_empty() {
        Toolset::unset(name, description, "no page may be read (`http.endpoints`)")
    } else {
        Toolset::of(name, description, tools)
    })
}
