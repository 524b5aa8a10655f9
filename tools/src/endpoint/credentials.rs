//! What logs a request in, and keeping it out of what is told.

use marple_core::Secret;
use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::{Authentication, EndpointConfig};

/// A shorter text is no secret, and taking it out of others would maim them.
const SHORTEST: usize = 8;

/// What each request carries besides its question.
#[derive(Debug)]
pub(crate) struct Credentials {
    auth: Option<Authentication>,
    /// What must not be told, the longest first.
    secrets: Vec<Secret>,
}

impl Credentials {
    pub(crate) fn of(config: &EndpointConfig) -> Self {
        let of_auth = match &config.auth {
            Some(Authentication::Bearer(secret) | Authentication::Basic { password: secret, .. }) => Some(secret),
            Some(Authentication::BearerFile(_)) | None => None,
        };
        let mut secrets: Vec<Secret> = of_auth.into_iter().chain(config.headers.values()).cloned().collect();
        secrets.retain(|secret| secret.expose().len() >= SHORTEST);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
        Self { auth: config.auth.clone(), secrets }
    }

    /// The request logged in, or why that can't be.
    pub(crate) async fn log_in(&self, request: RequestBuilder) -> Result<RequestBuilder, String> {
        Ok(match &self.auth {
            None => request,
            Some(Authentication::Bearer(token)) => request.header(AUTHORIZATION, bearer(token.expose())?),
            Some(Authentication::Basic { username, password }) => request.basic_auth(username, Some(password.expose())),
            Some(Authentication::BearerFile(path)) => {
                let token = tokio::fs::read_to_string(path)
                    .await
                    .map_err(|error| format!("the token in {} can't be read: {error}", path.display()))?;
                let header = bearer(token.trim()).map_err(|_| format!("{} holds no token", path.display()))?;
                request.header(AUTHORIZATION, header)
            }
        })
    }

    /// A text of the backend without what is configured as secret.
    pub(crate) fn hidden(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose(), "[secret]"))
    }
}

/// The headers of every request of a client.
pub(crate) fn headers(config: &EndpointConfig) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    if let Some(tenant) = &config.tenant {
        let value =
            HeaderValue::from_str(tenant).map_err(|_| format!("`tenant` {tenant:?} can't stand in a header"))?;
        headers.insert(HeaderName::from_static("x-scope-orgid"), value);
    }
    for (name, value) in &config.headers {
        let header = HeaderName::try_from(name.as_str())
            .map_err(|_| format!("`headers` has {name:?}, which is no header's name"))?;
        let mut value = HeaderValue::from_str(value.expose())
            .map_err(|_| format!("the value of `headers.{name}` can't stand in a header"))?;
        value.set_sensitive(true);
        if headers.insert(header, value).is_some() {
            return Err(format!(
                "`headers.{name}` is given twice; a tenant's header is set by `tenant` or by `headers`"
            ));
        }
    }
    Ok(headers)
}

fn bearer(token: &str) -> Result<HeaderValue, String> {
    if token.is_empty() {
        return Err("the token of `auth` is empty".to_owned());
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| "the token of `auth` can't stand in a header".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}
