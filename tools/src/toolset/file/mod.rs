//! Toolsets that are written in files, in HolmesGPT's format.

mod build;
mod document;
mod known;
mod pages;
mod prerequisite;
mod reference;
mod schema;
mod server;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{Toolset, ToolsetsConfig};
use crate::command::Environment;
use build::Builder;
use document::Document;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// What is said of a file that holds nothing.
const NOTHING: &str = "holds neither `toolsets` nor `mcp_servers`";

/// The toolsets of the files that a configuration names.
///
/// Never fails: a file or toolset that can't be used is a toolset that is off, and says why.
pub fn from_files(config: &ToolsetsConfig, environment: &Environment) -> Vec<Toolset> {
    let mut all = Vec::new();
    for path in &config.files {
        match files(path) {
            Ok(files) => all.extend(files.iter().flat_map(|file| of_file(file, config, environment))),
            Err(error) => all.push(fault(path, error.to_string())),
        }
    }
    all
}

/// The files that a configuration's toolsets are written in, as far as they are there.
pub fn files_of(config: &ToolsetsConfig) -> Vec<PathBuf> {
    config.files.iter().filter_map(|path| files(path).ok()).flatten().collect()
}

fn fault(path: &Path, why: String) -> Toolset {
    Toolset::off(path.display().to_string(), "A file of toolsets.", why)
}

/// The file, or those of the folder in the order of their names. Links are followed, as a mounted `ConfigMap` needs.
fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let path = entry?.path();
        let yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if yaml && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn of_file(path: &Path, config: &ToolsetsConfig, environment: &Environment) -> Vec<Toolset> {
    let text = match text(path) {
        Ok(text) => text,
        Err(why) => return vec![fault(path, why)],
    };
    match read(&text) {
        Ok(document) => {
            let file = path.display().to_string();
            let builder = Builder { file: &file, config, environment };
            let toolsets = document.toolsets.into_iter().map(|(name, entry)| builder.toolset(&name, entry));
            toolsets.chain(document.servers.into_iter().map(|(name, entry)| builder.server(&name, entry))).collect()
        }
        Err(why) => vec![fault(path, why)],
    }
}

fn text(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > LARGEST {
        return Err(format!("has {size} bytes; {LARGEST} are allowed"));
    }
    std::fs::read_to_string(path).map_err(|error| error.to_string())
}

/// The file's parts, each still to be read.
fn read(text: &str) -> Result<Document, String> {
    let value: Value = serde_saphyr::from_str(text).map_err(|error| format!("is no valid YAML: {error}"))?;
    let Value::Object(mut parts) = value else {
        return Err(NOTHING.to_owned());
    };
    let mut section = |name: &str| match parts.remove(name) {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(section)) => Ok(section),
        Some(_) => Err(format!("{name}: a map of names is wanted, as `{name}: {{my-tools: {{…}}}}`")),
    };
    let (toolsets, servers) = (section("toolsets")?, section("mcp_servers")?);
    match parts.keys().next() {
        Some(other) => {
            Err(format!("{other}: is not known in a file of toolsets; it may hold `toolsets` and `mcp_servers`"))
        }
        None if toolsets.is_empty() && servers.is_empty() => Err(NOTHING.to_owned()),
        None => Ok(Document { toolsets, servers }),
    }
}

#[cfg(test)]
mod tests;
