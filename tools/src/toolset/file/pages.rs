//! From an entry of a file to a toolset that gets pages.

use std::collections::BTreeMap;

use async_trait::async_trait;
use marple_core::{Period, Secret};
use serde_json::Value;

use super::build::Builder;
use super::document::{LoginEntry, LoginKind, PagesEntry, SiteEntry, entry};
use super::prerequisite::Prerequisite;
use crate::command::Environment;
use crate::endpoint::Authentication;
use crate::http::{self, Http, HttpConfig, HttpEndpoint};
use crate::toolset::{Off, Offer, Probe};

/// How long a request may take where the file doesn't say, in seconds: as HolmesGPT has it.
const TIMEOUT: u64 = 30;

/// Pages as a file describes them.
pub(super) struct Pages {
    prerequisites: Vec<Prerequisite>,
    environment: Environment,
    offer: Offer,
    /// Addresses that must answer for the toolset to work, each with what may get it.
    checks: Vec<(Http, String)>,
}

impl Builder<'_> {
    /// What gets the pages of a configuration with `endpoints`.
    pub(super) fn pages(
        &self,
        name: &str,
        config: Value,
        prerequisites: Vec<Prerequisite>,
        instructions: Option<String>,
    ) -> Result<Pages, String> {
        let path = format!("toolsets.{name}.config");
        let pages: PagesEntry = entry(&path, config)?;
        let mut notes = vec![];
        let mut all = HttpConfig {
            endpoints: vec![],
            timeout: Period::seconds(pages.timeout_seconds.unwrap_or(TIMEOUT)),
            block_internal_ips: pages.block_internal_ips,
        };
        let mut checks = vec![];
        for (index, site) in pages.endpoints.into_iter().enumerate() {
            let path = format!("{path}.endpoints[{index}]");
            let hosts = site.hosts.join(", ");
            let (get, others): (Vec<_>, Vec<_>) =
                site.methods.iter().partition(|method| method.eq_ignore_ascii_case("GET"));
            if !others.is_empty() {
                let others = others.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", ");
                notes.push(format!("{hosts}: {others} is left out: pages are only got"));
            }
            if get.is_empty() {
                continue;
            }
            let check = site.health_check_url.clone();
            let endpoint = endpoint(site).map_err(|why| format!("{path}{why}"))?;
            if let Some(address) = check {
                // Where its login goes is what counts: the paths are those that a model may ask for.
                let anywhere = HttpEndpoint { paths: vec![], ..endpoint.clone() };
                let config = HttpConfig { endpoints: vec![anywhere], ..all.clone() };
                checks.push((Http::new(&config).map_err(|error| format!("{path}: {error}"))?, address));
            }
            all.endpoints.push(endpoint);
        }
        let http = Http::new(&all).map_err(|error| format!("{path}: {error}"))?;
        let tool = http::tool(http, &format!("{}_get", fit(name)))
            .ok_or_else(|| format!("{path}.endpoints: none of them may be asked by GET"))?;
        let offer = Offer { tools: vec![tool], instructions, notes };
        Ok(Pages { prerequisites, environment: self.environment.clone(), offer, checks })
    }
}

#[async_trait]
impl Probe for Pages {
    async fn probe(&self) -> Result<Offer, Off> {
        Prerequisite::check_all(&self.prerequisites, &self.environment).await?;
        for (http, address) in &self.checks {
            http.check(address).await.map_err(Off)?;
        }
        Ok(self.offer.clone())
    }
}

fn endpoint(site: SiteEntry) -> Result<HttpEndpoint, String> {
    let mut headers = BTreeMap::new();
    let auth = match site.auth {
        None => None,
        Some(login) => authentication(login, &mut headers).map_err(|why| format!(".auth: {why}"))?,
    };
    Ok(HttpEndpoint { hosts: site.hosts, paths: site.paths, any_port: true, auth, headers, ..HttpEndpoint::default() })
}

fn authentication(login: LoginEntry, headers: &mut BTreeMap<String, Secret>) -> Result<Option<Authentication>, String> {
    let wanted = |field: &str| format!("`{field}` is missing");
    Ok(match login.kind {
        LoginKind::None => None,
        LoginKind::Bearer => Some(Authentication::Bearer(login.token.ok_or_else(|| wanted("token"))?)),
        LoginKind::Basic => Some(Authentication::Basic {
            username: login.username.ok_or_else(|| wanted("username"))?,
            password: login.password.ok_or_else(|| wanted("password"))?,
        }),
        LoginKind::Header => {
            let name = login.name.ok_or_else(|| wanted("name"))?;
            headers.insert(name, login.value.ok_or_else(|| wanted("value"))?);
            None
        }
        LoginKind::Digest => {
            return Err("digest is not known; basic, bearer and header are".to_owned());
        }
    })
}

/// A name as models' APIs take it.
fn fit(name: &str) -> String {
    name.chars()
        .take(60)
        .map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' })
        .collect()
}
