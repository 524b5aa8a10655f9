//! `http_get`: a page or an API's answer.

use std::fmt::Write as _;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Http, page};
use crate::view::grouped;
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// The tool that gets pages; none where nothing may be asked.
pub fn tools(http: Http) -> Vec<Arc<dyn Tool>> {
    tool(http, "http_get").into_iter().collect()
}

/// The tool that gets pages, under a name of its own; none where nothing may be asked.
pub(crate) fn tool(http: Http, name: &str) -> Option<Arc<dyn Tool>> {
    http.told().map(|sites| Arc::new(Get::new(name, http, &sites)) as Arc<dyn Tool>)
}

/// A page or an API's answer.
struct Get {
    http: Http,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    url: String,
}

impl Get {
    fn new(name: &str, http: Http, sites: &str) -> Self {
        let description = format!("GET of a page or API, as text. Only {sites}.");
        Self { http, spec: arguments::spec::<Arguments>(name.to_owned(), description, Effect::Read) }
    }
}

#[async_trait]
impl Tool for Get {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, _: &Look) -> Result<Output, ToolError> {
        let Arguments { url } = arguments::parse(&self.spec.name, arguments)?;
        let page = self.http.get(&url).await?;
        let media_type = page.media_type.as_deref().unwrap_or("no content type");
        let took = page.took.as_millis();
        let mut content =
            format!("HTTP {}, {media_type}, {} bytes in {took} ms\n", page.status, grouped(page.body.len()));
        if let Some(to) = &page.led_to {
            let _ = writeln!(content, "redirected to {to}");
        }
        if let Some(why) = &page.not_followed {
            let _ = writeln!(content, "its redirect was not followed: {why}");
        }
        content.push('\n');
        content += &page::text(&page);
        if page.cut {
            content += "\n… the rest of the body was not read …\n";
        }
        Ok(Output { title: format!("GET {}", url.trim()), content, ..Output::default() })
    }
}
