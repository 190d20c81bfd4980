//! The server's answer to clients of hixie-75 to hybi-03: a head of its own, and sixteen bytes that answer
//! the eight behind the request.

use hybi_frame::Role;
use hybi_handshake::{HandshakeError, ServerAccepted};

use super::{Incoming, wire::Wire};
use crate::{
    connection::{Connection, Error, Negotiated},
    legacy::ServerAnswer,
    socket::{
        WebSocket,
        io::{Timer, Transport},
    },
};

impl<T: Transport, C: Timer> Incoming<T, C> {
    /// Answers 101, and the challenge if there is one, and lets frames follow.
    pub(super) async fn switch_hixie(
        mut self,
        accepted: ServerAccepted,
    ) -> Result<WebSocket<T, C>, Error> {
        let answer = ServerAnswer::new(self.server.policy(), &self.request, &accepted)?;
        Box::pin(send_answer(&mut self.wire, &answer)).await?;
        let negotiated = Negotiated { subprotocol: accepted.subprotocol, ..Negotiated::default() }
            .under(answer.terms().clone());
        let connection = Connection::new(Role::Server, negotiated, self.server.config().clone());
        connection.trace_client(self.peer(), self.request.uri().path());
        Ok(self.wire.into_websocket(connection))
    }
}

/// Sends the head and what answers the challenge. A proxy may hold the challenge back until it has seen the
/// 101, so it is not waited for before the head leaves.
async fn send_answer<T: Transport, C: Timer>(
    wire: &mut Wire<T, C>,
    answer: &ServerAnswer,
) -> Result<(), Error> {
    wire.send(answer.head().to_vec());
    if answer.has_challenge() {
        let mut challenge = [0; ServerAnswer::CHALLENGE_LEN];
        let mut have = 0;
        while have < challenge.len() {
            let Some(mut chunk) = wire.read_or_end().await? else {
                return Err(HandshakeError::UnexpectedEof { received: have }.into());
            };
            let taken = chunk.unread().len().min(challenge.len() - have);
            challenge[have..have + taken].copy_from_slice(&chunk.unread()[..taken]);
            chunk.consume(taken);
            wire.unread(chunk);
            have += taken;
        }
        wire.send(answer.answer(challenge).to_vec());
    }
    wire.flush().await
}
