//! A wire that can be cut, or fall silent: a TCP proxy on loopback.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Passes connections on to another address, until it is cut or falls silent.
pub struct Proxy {
    address: SocketAddr,
    target: String,
    silent: watch::Sender<bool>,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Proxy {
    /// Passes on to `target`, as `127.0.0.1:6443`.
    pub async fn to(target: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, silent) = (listener.local_addr()?, watch::Sender::new(false));
        let mut proxy = Self { address, target: target.to_owned(), silent, running: None };
        proxy.pass(listener);
        Ok(proxy)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts every connection and takes none: what a restart looks like from outside.
    pub async fn cut(&mut self) -> anyhow::Result<()> {
        let (cancel, task) = self.running.take().context("it is cut already")?;
        cancel.cancel();
        task.await.context("the proxy")
    }

    /// Takes connections again, at the same address.
    pub async fn mend(&mut self) -> anyhow::Result<()> {
        let listener = TcpListener::bind(self.address).await?;
        self.pass(listener);
        Ok(())
    }

    /// Passes nothing any more and closes nothing, as a network does that drops every packet: whoever is connected, or
    /// connects, hears nothing, not even that.
    pub fn silence(&self) {
        self.silent.send_replace(true);
    }

    /// Passes on what connects from now on. What was connected before stays silent for ever.
    pub fn speak(&self) {
        self.silent.send_replace(false);
    }

    fn pass(&mut self, listener: TcpListener) {
        let cancel = CancellationToken::new();
        let (stop, target, silent) = (cancel.clone(), self.target.clone(), self.silent.clone());
        let task = tokio::spawn(async move {
            while let Some(Ok((near, _))) = stop.run_until_cancelled(listener.accept()).await {
                tokio::spawn(stop.clone().run_until_cancelled_owned(connect(near, target.clone(), silent.subscribe())));
            }
        });
        self.running = Some((cancel, task));
    }
}

async fn connect(mut near: TcpStream, target: String, mut silent: watch::Receiver<bool>) {
    let passed = async {
        if let Ok(mut far) = TcpStream::connect(target).await {
            // Either end may go at any time: that is what it is for.
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        }
    };
    let mut passed = Box::pin(passed);
    tokio::select! {
        biased;
        Ok(_) = silent.wait_for(|silent| *silent) => {}
        () = &mut passed => return,
    }
    // Both ends stay open: what holds them is dropped only with this task.
    std::future::pending::<()>().await;
    drop(passed);
}
