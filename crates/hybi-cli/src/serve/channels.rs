//! Channels: connections within one connection, each with a handler, a place and a log line of its own.

use std::sync::Arc;
use std::time::Instant;

use hybi::{
    Config, Incoming,
    mux::{Channel, MultiplexedServer, Requests},
};
use hybi_tokio::{TokioIo, TokioTimer};

use super::access_log::Record;
use super::connection::{admit, hold, note};
use super::registry::Member;
use super::route::Plan;
use super::session::{Session, expiry};
use super::shared::Shared;
use crate::log;
use crate::stream::Stream;

/// What all channels of one connection have in common.
#[derive(Clone, Debug)]
pub(super) struct Channels {
    pub(super) shared: Arc<Shared>,
    pub(super) config: Config,
    pub(super) peer: String,
    /// The place of the transport.
    pub(super) member: Arc<Member>,
    /// The end of the connection's time to live, which is that of its channels.
    pub(super) expires: Option<Instant>,
}

/// Whether the peer is there, the connection around the channels finds out.
pub(super) fn config(connection: &Config) -> Config {
    connection.clone().ping_interval(None)
}

impl Channels {
    /// Holds the conversation on the first channel, while the others are taken in and served, and waits for the
    /// end of the connection: the place of the transport is taken for as long as any channel is there.
    pub(super) async fn hold(
        self,
        mux: MultiplexedServer<TokioIo<Stream>, TokioTimer>,
        plan: Plan,
        path: String,
        mut record: Record,
    ) {
        let MultiplexedServer { first, requests, driver, .. } = mux;
        let accepting = tokio::spawn(self.clone().accept(requests));
        let driving = tokio::spawn(driver.run());
        record.channel = Some(first.transport().id().get());
        let session = Session::new(first, &self.member, self.expires);
        hold(&self.shared, session, plan, &path, &mut record).await;
        note(&self.shared, &self.member, &record);
        let ended = driving.await;
        let _ = accepting.await;
        if let Ok(Err(error)) = ended {
            log::info(format_args!("{}: {error}", record.peer));
        }
    }

    /// Takes in the channels that the client asks for, until the connection ends or no more are wanted: the
    /// client is told, and the connection ends with the last that is there.
    pub(super) async fn accept(self, mut requests: Requests<TokioTimer>) {
        loop {
            let incoming = tokio::select! {
                incoming = requests.next() => incoming,
                () = self.member.asked_to_leave() => None,
                () = expiry(self.expires) => None,
            };
            let Some(incoming) = incoming else { return };
            match self.member.enter_channel() {
                Some(member) => drop(tokio::spawn(self.clone().serve(incoming, member))),
                // The client learns that it was refused, and no more.
                None => drop(incoming),
            }
        }
    }

    /// Serves one of them to its end.
    async fn serve(self, incoming: Incoming<Channel, TokioTimer>, member: Member) {
        let began = Instant::now();
        let shared = &*self.shared;
        let id = incoming.transport().id().get();
        let mut record = Record { peer: self.peer, channel: Some(id), ..Record::default() };
        // What the path of the first channel asked for is nothing to the others.
        let incoming = incoming.with_config(self.config.clone());
        let admitted = admit(shared, incoming, &self.config, &member, &mut record, began).await;
        if let Some((plan, path, incoming, accepted)) = admitted {
            match incoming.accept_as(accepted).await {
                Ok(ws) => {
                    let session = Session::new(ws, &member, self.expires);
                    hold(shared, session, plan, &path, &mut record).await;
                }
                Err(error) => {
                    log::debug(format_args!("{}, channel {id}: {error}", record.peer));
                }
            }
        }
        note(shared, &member, &record);
    }
}
