//! Pages and APIs by GET, from where the configuration allows and nowhere else.

mod config;
mod error;
mod get;
mod guard;
mod page;
mod site;
mod tool;
mod toolset;

pub use config::{HttpConfig, HttpEndpoint};
pub use error::HttpError;
pub use get::Http;
pub(crate) use tool::tool;
pub use tool::tools;
pub use toolset::toolset;

#[cfg(test)]
mod tests;
