//! Channels: connections within one connection, each with a handler, a place and a log line of its own.

use std::sync::Arc;
use std::time::Instant;

use hybi::{
    Config, Incoming,
    io::Transport,
    mux::{Channel, MultiplexedServer, Requests},
};
use hybi_tokio::TokioTimer;
use tokio::task::JoinSet;

use super::connection::{admit, came_to_nothing, hold};
use super::handlers;
use super::line::Line;
use super::route::Plan;
use super::session::{Session, expiry};
use super::shared::Shared;
use crate::log;

/// What all channels of one connection have in common.
#[derive(Clone, Debug)]
pub(super) struct Channels {
    pub(super) shared: Arc<Shared>,
    pub(super) config: Config,
    pub(super) peer: String,
    /// The end of the connection's time to live, which is that of its channels.
    pub(super) expires: Option<Instant>,
}

/// Whether the peer is there, the connection around the channels finds out.
pub(super) fn config(connection: &Config) -> Config {
    connection.clone().ping_interval(None)
}

impl Channels {
    /// Holds the conversation on the first channel, while the others are taken in and served, and waits for the
    /// end of the connection: the place of the transport is taken for as long as any channel is there, and when it is
    /// cut, all of them are.
    pub(super) async fn hold<T: Transport + Send + 'static>(
        self,
        mux: Box<MultiplexedServer<T, TokioTimer>>,
        plan: Plan,
        path: &str,
        mut line: Line,
    ) {
        let MultiplexedServer { first, requests, driver, .. } = *mux;
        let mut tasks = JoinSet::new();
        tasks.spawn(self.clone().accept(requests));
        let peer = self.peer.clone();
        tasks.spawn(async move {
            if let Err(error) = driver.run().await {
                log::info(format_args!("{peer}: {error}"));
            }
        });
        line.record.channel = Some(first.transport().id().get());
        let seat = handlers::seat(&plan, path, &self.shared);
        hold(Session::new(first, seat, self.expires, line), plan).await;
        while tasks.join_next().await.is_some() {}
    }

    /// Takes in the channels that the client asks for, until the connection ends or no more are wanted: the
    /// client is told, and the connection ends with the last that is there.
    async fn accept(self, mut requests: Requests<TokioTimer>) {
        let mut channels = JoinSet::new();
        loop {
            let incoming = tokio::select! {
                incoming = requests.next() => incoming,
                Some(_) = channels.join_next() => continue,
                () = expiry(self.expires) => None,
            };
            let Some(incoming) = incoming else { break };
            channels.spawn(self.clone().serve(incoming));
        }
        drop(requests);
        while channels.join_next().await.is_some() {}
    }

    /// Serves one of them to its end.
    async fn serve(self, incoming: Incoming<Channel, TokioTimer>) {
        let shared = &self.shared;
        let _counted = shared.counters.channel();
        let mut line = Line::new(shared, self.peer);
        line.record.channel = Some(incoming.transport().id().get());
        // What the path of the first channel asked for is nothing to the others.
        let incoming = incoming.with_config(self.config.clone());
        let admitted = admit(incoming, &self.config, &mut line).await;
        if let Some((plan, path, incoming, accepted)) = admitted {
            match incoming.accept_as(accepted).await {
                Ok(ws) => {
                    let seat = handlers::seat(&plan, &path, shared);
                    hold(Session::new(ws, seat, self.expires, line), plan).await;
                }
                Err(error) => came_to_nothing(&error, &mut line),
            }
        }
    }
}
