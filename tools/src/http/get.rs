//! One GET, redirects and all.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, LOCATION};
use reqwest::{Response, StatusCode, Url};
use tokio::time::{Instant, timeout};

use super::guard::{Names, Refused, System};
use super::site::Site;
use super::{HttpConfig, HttpError};
use crate::endpoint::deepest;

/// Redirects that are followed.
const HOPS: usize = 3;

/// What is read of a body: more than anyone reads, and small enough to be kept as evidence.
const LARGEST: usize = 1 << 20;

/// Sites that messages and the tool's description name.
const TOLD: usize = 8;

/// Gets pages from where the configuration allows.
pub struct Http {
    sites: Vec<Site>,
    timeout: Duration,
}

/// What came.
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) media_type: Option<String>,
    pub(super) body: Vec<u8>,
    /// Whether there is more of it.
    pub(super) cut: bool,
    /// The address that gave it, where redirects led to another than was asked for.
    pub(super) led_to: Option<Url>,
    /// Where it would have led on, and why that was not followed.
    pub(super) not_followed: Option<String>,
    pub(super) took: Duration,
}

impl Http {
    /// What gets the pages of a configuration. Nothing is sent yet.
    pub fn new(config: &HttpConfig) -> Result<Self, HttpError> {
        Self::with_names(config, &(Arc::new(System) as Arc<dyn Names>))
    }

    /// The same with another who knows the addresses of names.
    pub(super) fn with_names(config: &HttpConfig, names: &Arc<dyn Names>) -> Result<Self, HttpError> {
        let sites = config.endpoints.iter().map(|endpoint| Site::new(endpoint, config, names));
        Ok(Self { sites: sites.collect::<Result<_, _>>()?, timeout: config.timeout.duration() })
    }

    /// What may be asked, as `status.example.com, *.shop.svc:8080/healthz`; nothing where nothing may be.
    pub(super) fn told(&self) -> Option<String> {
        let all: Vec<String> = self.sites.iter().flat_map(Site::told).collect();
        let shown: Vec<&str> = all.iter().take(TOLD).map(String::as_str).collect();
        let more = match all.len().saturating_sub(TOLD) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        (!all.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
    }

    /// Gets a page. Whatever its status, what it says is an answer.
    pub(super) async fn get(&self, address: &str) -> Result<Page, HttpError> {
        let url = read(address)?;
        match timeout(self.timeout, self.follow(url.clone())).await {
            Ok(page) => page,
            Err(_) => Err(HttpError::Timeout { place: place(&url), after: self.timeout }),
        }
    }

    /// Tries whether a page is there; if not, says what came instead.
    pub(crate) async fn check(&self, address: &str) -> Result<(), String> {
        let page = self.get(address).await.map_err(|error| error.to_string())?;
        if page.status.is_success() {
            return Ok(());
        }
        Err(format!("{} answered HTTP {}", read(address).map(|url| place(&url)).unwrap_or_default(), page.status))
    }

    async fn follow(&self, asked: Url) -> Result<Page, HttpError> {
        let from = Instant::now();
        let mut url = asked.clone();
        for hop in 0..=HOPS {
            let site = self.site(&url)?;
            // Who redirects could send the login of one site to another.
            let login = url.origin() == asked.origin();
            let response = site.request(&url, login).await?.send().await.map_err(|error| broken(&url, &error))?;
            let next = match redirect(&url, &response) {
                None => None,
                Some(_) if hop == HOPS => Some(Err(format!("more than {HOPS} redirects"))),
                Some(next) => Some(next.and_then(|next| match self.site(&next) {
                    Ok(_) => Ok(next),
                    Err(error) => Err(error.to_string()),
                })),
            };
            if let Some(Ok(next)) = next {
                url = next;
                continue;
            }
            let (status, media_type) = (response.status(), media_type(response.headers()));
            let (body, cut) = body(&url, response).await?;
            return Ok(Page {
                status,
                media_type,
                body: site.hidden_in(body),
                cut,
                led_to: (url != asked).then_some(url),
                not_followed: next.and_then(Result::err),
                took: from.elapsed(),
            });
        }
        // The last hop is never followed.
        Err(HttpError::Denied(format!("{} leads to more than {HOPS} redirects", place(&asked))))
    }

    /// The first site that an address is one of.
    fn site(&self, url: &Url) -> Result<&Site, HttpError> {
        self.sites.iter().find(|site| site.lists(url)).ok_or_else(|| {
            let may = self.told().unwrap_or_else(|| "nothing".to_owned());
            HttpError::Denied(format!("{} is not in `http.endpoints`, which has {may}", place(url)))
        })
    }
}

/// An address that can be asked.
fn read(address: &str) -> Result<Url, HttpError> {
    let wrong =
        |why: &str| HttpError::Url(format!("this is no address to get: {why}; wanted is as https://example.com/path"));
    let url = Url::parse(address.trim()).map_err(|error| wrong(&error.to_string()))?;
    usable(url).map_err(|why| wrong(&why))
}

fn usable(mut url: Url) -> Result<Url, String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{} is neither http nor https", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it has a user or a password in it".to_owned());
    }
    url.set_fragment(None);
    Ok(url)
}

/// Where an answer leads on, or why nobody can go there.
fn redirect(from: &Url, response: &Response) -> Option<Result<Url, String>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    let next = location.to_str().ok().and_then(|location| from.join(location).ok());
    Some(next.ok_or_else(|| "its `Location` is no address".to_owned()).and_then(usable))
}

async fn body(url: &Url, mut response: Response) -> Result<(Vec<u8>, bool), HttpError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| broken(url, &error))? {
        let room = LARGEST - body.len();
        body.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if chunk.len() > room {
            return Ok((body, true));
        }
    }
    Ok((body, false))
}

fn media_type(headers: &HeaderMap) -> Option<String> {
    headers.get(CONTENT_TYPE)?.to_str().ok().map(str::to_lowercase)
}

/// An address without its query, which may hold secrets.
fn place(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

fn broken(url: &Url, error: &reqwest::Error) -> HttpError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(refused) = error.downcast_ref::<Refused>() {
            return HttpError::Denied(refused.to_string());
        }
        source = error.source();
    }
    HttpError::Unreachable { place: place(url), why: deepest(error) }
}
