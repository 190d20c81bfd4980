//! Incoming: a request that was read, to be accepted, rejected or answered (RFC 6455 section 4.2.2).

use core::net::SocketAddr;
use std::{sync::Arc, time::Instant};

use http::{Method, header::CONTENT_LENGTH};
use hybi_handshake::{
    HandshakeError, ServerAccepted, Version, is_upgrade, write_response, write_response_head,
};

use super::{
    Gate,
    answer::{ANSWER_GRACE, add_headers, answer},
    requested::{Responder, without_connection_fields},
    server::Server,
    wire::Wire,
};
use crate::{
    connection::{Config, Error, refused},
    socket::{
        WebSocket,
        io::{Timer, Transport},
    },
};

/// A request that has been read and waits to be accepted, rejected or answered.
///
/// The deadline of the opening handshake runs on meanwhile, so that a peer cannot hold a transport
/// for longer by reading the answer slowly. Whatever time the application took before it answers,
/// the peer gets two seconds at the least to read what [`accept_as`](Self::accept_as),
/// [`reject`](Self::reject) and [`respond`](Self::respond) write; [`accept`](Self::accept) has
/// no more than what is left.
///
/// Dropping it drops the transport without an answer.
///
/// ```
/// use hybi::{Error, Incoming, WebSocket, http::Response, io::{Timer, Transport}};
///
/// /// A page for browsers; for others a connection with a cookie, if they may have one.
/// async fn decide<T: Transport, C: Timer>(
///     incoming: Incoming<T, C>,
/// ) -> Result<Option<WebSocket<T, C>>, Error> {
///     if !incoming.is_upgrade() {
///         incoming.respond(Response::new("<title>hello</title>")).await;
///         return Ok(None);
///     }
///     match incoming.check() {
///         Ok(accepted) => {
///             let accepted = accepted.with_header("Set-Cookie", "seen=1")?;
///             Ok(Some(incoming.accept_as(accepted).await?))
///         }
///         Err(error) => Err(incoming.reject(error).await),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Incoming<T, C> {
    pub(crate) server: Server,
    pub(super) request: Box<http::Request<()>>,
    pub(super) wire: Wire<T, C>,
    /// Who looks after it.
    gate: Option<Arc<dyn Gate>>,
    head: Head<T>,
}

/// How the head of a response is sent.
#[derive(Debug)]
enum Head<T> {
    /// In the bytes of the transport, as HTTP/1.1.
    Bytes,
    /// By the transport itself.
    Frames(Responder<T>),
}

impl<T: Transport, C: Timer> Incoming<T, C> {
    pub(crate) fn new(server: Server, request: http::Request<()>, wire: Wire<T, C>) -> Self {
        Self { server, request: Box::new(request), wire, gate: None, head: Head::Bytes }
    }

    pub(super) fn answered_by(mut self, respond: Responder<T>) -> Self {
        self.head = Head::Frames(respond);
        self
    }

    pub(crate) fn behind(mut self, gate: Option<Arc<dyn Gate>>) -> Self {
        self.gate = gate;
        self
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &http::Request<()> {
        &self.request
    }

    /// The transport underneath, to look at.
    #[must_use]
    pub fn transport(&self) -> &T {
        self.wire.transport()
    }

    /// The address that it comes from, if [`serve`](crate::serve) accepted the transport: it was told there.
    #[must_use]
    pub fn peer(&self) -> Option<SocketAddr> {
        self.gate.as_ref()?.peer()
    }

    /// When [`serve`](crate::serve) accepted the transport, or [the channel](crate::mux) was asked for there: the opening
    /// handshake began then.
    #[must_use]
    pub fn accepted_at(&self) -> Option<Instant> {
        Some(self.gate.as_ref()?.accepted_at())
    }

    /// Whether the request asks for a WebSocket at all; if not, it is plain HTTP, and
    /// [`respond`](Self::respond) may serve a page.
    #[must_use]
    pub fn is_upgrade(&self) -> bool {
        is_upgrade(&self.request)
    }

    /// Replaces the choices about the connection that will follow, for this request alone.
    ///
    /// ```
    /// use hybi::{Config, Incoming, io::{Timer, Transport}};
    ///
    /// /// Uploads may be larger than what the server takes elsewhere.
    /// fn limits<T: Transport, C: Timer>(incoming: Incoming<T, C>) -> Incoming<T, C> {
    ///     if incoming.request().uri().path() == "/upload" {
    ///         return incoming.with_config(Config::default().max_message(256 * 1024 * 1024));
    ///     }
    ///     incoming
    /// }
    /// ```
    #[must_use]
    pub fn with_config(mut self, config: Config) -> Self {
        self.server = self.server.with_config(config);
        self
    }

    /// Checks the request against the server's rules without answering it.
    ///
    /// # Errors
    ///
    /// The rule that it breaks; [`reject`](Self::reject) answers so.
    pub fn check(&self) -> Result<ServerAccepted, HandshakeError> {
        self.server.check(&self.request)
    }

    /// Accepts the request if it keeps the server's rules, and rejects it if not.
    ///
    /// # Errors
    ///
    /// [`Error::Handshake`] if it was rejected, [`Error::Opening`] or [`Error::Timeout`] if the
    /// answer could not be sent.
    pub async fn accept(self) -> Result<WebSocket<T, C>, Error> {
        match self.check() {
            Ok(accepted) => self.switch(accepted).await,
            Err(error) => Err(self.reject(error).await),
        }
    }

    /// Accepts the request with an answer of the caller's making: one of
    /// [`check`](Self::check), with another subprotocol or more header fields. The extensions are
    /// chosen now, by the server's configuration and among the `offers` that the caller left in it.
    ///
    /// # Errors
    ///
    /// [`Error::Opening`] or [`Error::Timeout`] if the answer could not be sent.
    pub async fn accept_as(mut self, accepted: ServerAccepted) -> Result<WebSocket<T, C>, Error> {
        self.grant_time();
        self.switch(accepted).await
    }

    /// Why nobody is to accept it, if so.
    pub(crate) fn refusal(&self) -> Option<HandshakeError> {
        self.gate.as_ref()?.refusal()
    }

    /// Leaves the time for an answer to be read.
    pub(crate) fn grant_time(&mut self) {
        self.wire.grant(ANSWER_GRACE);
    }

    /// Answers 101, or 200 over HTTP/2, and lets frames follow.
    pub(crate) async fn switch(self, accepted: ServerAccepted) -> Result<WebSocket<T, C>, Error> {
        let Some(gate) = self.gate.clone() else { return self.switch_at_once(accepted).await };
        let mut ws = self.switch_unless_refused(accepted).await?;
        gate.opened(ws.closer());
        Ok(ws)
    }

    /// The same, and whoever looks after it, who is to be told what is open.
    #[cfg(feature = "mux")]
    pub(crate) async fn switch_around(
        self,
        accepted: ServerAccepted,
    ) -> Result<(WebSocket<T, C>, Option<Arc<dyn Gate>>), Error> {
        let gate = self.gate.clone();
        Ok((self.switch_unless_refused(accepted).await?, gate))
    }

    async fn switch_unless_refused(
        self,
        accepted: ServerAccepted,
    ) -> Result<WebSocket<T, C>, Error> {
        if let Some(refusal) = self.refusal() {
            return Err(Box::pin(self.reject(refusal)).await);
        }
        self.switch_at_once(accepted).await
    }

    async fn switch_at_once(mut self, accepted: ServerAccepted) -> Result<WebSocket<T, C>, Error> {
        if accepted.version < Version::HYBI_04 {
            return self.switch_hixie(accepted).await;
        }
        let (response, upgrade) = self.server.accepted(accepted);
        match self.head {
            Head::Bytes => {
                let mut head = Vec::new();
                write_response(&response, &[], &mut head);
                self.wire.send(head);
                Box::pin(self.wire.flush()).await?;
            }
            Head::Frames(respond) => self.wire.answer_by(respond, response)?,
        }
        let connection = upgrade.into_connection();
        connection.trace_client(self.peer(), self.request.uri().path());
        Ok(self.wire.into_websocket(connection))
    }

    /// Rejects the request as `error` says, ends the transport in order, and hands the error back.
    pub async fn reject(self, error: HandshakeError) -> Error {
        self.respond(error.response()).await;
        let error = error.into();
        refused(&error);
        error
    }

    /// The same, of which nobody but whoever looks after it is told.
    pub(crate) async fn refuse(self, error: HandshakeError) -> Error {
        if let Some(gate) = &self.gate {
            gate.not_opened(&error.clone().into(), Some(&self.request));
        }
        self.reject(error).await
    }

    /// Answers the request with plain HTTP and ends the transport in order.
    ///
    /// `Content-Length` is added, and over HTTP/1.1 `Connection: close`; over HTTP/2 fields that it does not have are left
    /// out. If the request is HEAD, the body is
    /// measured but not sent (RFC 9110 section 9.3.2). Fields of
    /// [`ServerBuilder::header`](crate::ServerBuilder::header) that it lacks are added. A peer that goes away meanwhile, or
    /// does not read for too long, is no error: there is nobody left to tell.
    pub async fn respond<B: AsRef<[u8]>>(mut self, mut response: http::Response<B>) {
        add_headers(&self.server, &mut response);
        let has_body = self.request.method() != Method::HEAD;
        let mut bytes = Vec::new();
        match self.head {
            Head::Bytes if has_body => {
                write_response(&response, response.body().as_ref(), &mut bytes);
            }
            Head::Bytes => {
                write_response_head(&response, response.body().as_ref().len(), &mut bytes);
            }
            Head::Frames(respond) => {
                without_connection_fields(&mut response);
                let (mut head, body) = response.into_parts();
                let body = body.as_ref();
                head.headers.insert(CONTENT_LENGTH, body.len().into());
                if self.wire.answer_by(respond, http::Response::from_parts(head, ())).is_err() {
                    return;
                }
                if has_body {
                    bytes.extend_from_slice(body);
                }
            }
        }
        Box::pin(answer(self.wire, bytes)).await;
    }
}
