//! From an entry of a file to the toolset of an MCP server.

use std::collections::{BTreeMap, BTreeSet};

use marple_core::Secret;
use serde_json::{Map, Value};

use super::build::{Builder, described, rendered};
use super::document::{ReachEntry, ReachMode, ServerEntry, entry};
use super::reference::resolve;
use crate::command::Limits;
use crate::gate::glob;
use crate::mcp::{self, Address, Reach, Settings};
use crate::toolset::Toolset;

impl Builder<'_> {
    /// The toolset of a server; one that can't be used is off, and says why.
    pub(super) fn server(&self, name: &str, value: Value) -> Toolset {
        let description = described(&value);
        match self.settings(name, value) {
            Ok(settings) => mcp::toolset(name, &description, settings),
            Err(why) => Toolset::off(name, description, format!("{} ({})", why, self.file)),
        }
    }

    fn settings(&self, name: &str, mut value: Value) -> Result<Settings, String> {
        let path = format!("mcp_servers.{name}");
        if let Some(config) = value.get_mut("config") {
            resolve(config, self.environment).map_err(|why| format!("{path}.config: {why}"))?;
        }
        let server: ServerEntry = entry(&path, value)?;
        if !server.enabled {
            return Err("is switched off by `enabled: false`".to_owned());
        }
        let instructions = match &server.llm_instructions {
            Some(text) => rendered(&path, text, &Map::new())?,
            None => None,
        };
        Ok(Settings {
            reach: self.reach(server.config).map_err(|why| format!("{path}.config{why}"))?,
            instructions,
            trusted: self.config.trusted.iter().any(|pattern| glob::fits(pattern, name)),
            asks: server.approval_required_tools,
        })
    }

    fn reach(&self, entry: ReachEntry) -> Result<Reach, String> {
        let ReachEntry { mode, url, headers, verify_ssl, command, args, env, .. } = entry;
        match (mode, url, command) {
            (Some(ReachMode::Stdio) | None, None, Some(command)) => {
                let part = self.environment.part(&BTreeSet::new(), &self.config.command.environment);
                let mut environment: BTreeMap<String, Secret> =
                    part.into_iter().map(|(name, value)| (name, Secret::new(value))).collect();
                environment.extend(env);
                let memory = Limits::from(&self.config.command).memory;
                Ok(Reach::Program { command, arguments: args, environment, memory })
            }
            (Some(ReachMode::Stdio), _, _) => Err(": `mode: stdio` needs `command` and takes no `url`".to_owned()),
            (mode, Some(url), None) => {
                let url = address(&url).map_err(|why| format!(".url: {why}"))?;
                // The older transport's address ends so by custom.
                let older = mode.is_none() && url.path().trim_end_matches('/').ends_with("/sse");
                let address = Address { url, headers, insecure: !verify_ssl };
                Ok(if older || mode == Some(ReachMode::Sse) { Reach::Events(address) } else { Reach::Http(address) })
            }
            _ => Err(": needs one of `url` and `command`, and not both".to_owned()),
        }
    }
}

/// An address without credentials in it, which would show in messages.
fn address(text: &str) -> Result<reqwest::Url, String> {
    let url: reqwest::Url = text.trim().parse().map_err(|error| format!("this is no URL ({error})"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("the URL must begin with http:// or https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("give credentials under `headers`, not in the URL".to_owned());
    }
    Ok(url)
}
