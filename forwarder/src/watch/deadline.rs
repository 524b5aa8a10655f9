//! A deadline for each request to the API server.

use std::time::Duration;

use http::{Request, Response};
use kube::Client;
use kube::client::Body;

/// How long the API server may take to answer, or to begin to where it is a watch. It gives up on a request itself after 60 s.
const ANSWER: Duration = Duration::from_secs(65);

/// The same client, none of whose requests waits for ever: where the network drops packets without a word, nobody else says
/// that there is no answer. A watch that has begun hears something each minute or so, and who reads it knows how long it may
/// be silent.
pub(crate) fn bounded(client: Client) -> Client {
    let namespace = client.default_namespace().to_owned();
    let service = tower::service_fn(move |request| {
        let client = client.clone();
        async move { in_time(&client, request).await }
    });
    Client::new(service, namespace)
}

async fn in_time(client: &Client, request: Request<Body>) -> kube::Result<Response<Body>> {
    let watches = request.uri().query().is_some_and(|query| query.split('&').any(|one| one == "watch=true"));
    let answer = async {
        let response = client.send(request).await?;
        if watches {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        Ok(Response::from_parts(head, Body::from(body.collect_bytes().await?)))
    };
    tokio::time::timeout(ANSWER, answer)
        .await
        .unwrap_or_else(|_| Err(kube::Error::Service(format!("no answer in {} s", ANSWER.as_secs()).into())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::convert::Infallible;

    use futures::StreamExt;
    use k8s_openapi::api::core::v1::Pod;
    use kube::Api;
    use kube::api::{ListParams, WatchParams};

    use super::*;

    /// A client of an API server that never says anything more than these bytes.
    fn silent(begins: Option<&'static str>) -> Client {
        let service = tower::service_fn(move |_: Request<Body>| async move {
            let Some(begins) = begins else { return std::future::pending().await };
            let said = futures::stream::iter([Ok::<_, Infallible>(bytes::Bytes::from(begins))]);
            let body = axum::body::Body::from_stream(said.chain(futures::stream::pending()));
            Ok::<_, Infallible>(Response::new(body))
        });
        bounded(Client::new(service, "default"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_without_an_answer_ends_and_so_does_one_that_breaks_off_within() {
        for begins in [None, Some("{\"items\": [")] {
            let pods = Api::<Pod>::all(silent(begins));
            let error = pods.list(&ListParams::default()).await.unwrap_err().to_string();
            assert!(error.contains("no answer in 65 s"), "{error}");
        }
        let watched = Api::<Pod>::all(silent(None)).watch(&WatchParams::default(), "1").await;
        assert!(watched.err().unwrap().to_string().contains("no answer in 65 s"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_has_begun_is_left_to_who_reads_it() {
        let seen = "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n";
        let watched = Api::<Pod>::all(silent(Some(seen))).watch(&WatchParams::default(), "1").await.unwrap();
        let mut watched = watched.boxed();
        assert!(watched.next().await.unwrap().is_ok());
        assert!(tokio::time::timeout(ANSWER * 2, watched.next()).await.is_err());
    }
}
