//! The server's answer to clients of hixie-75 to hybi-03: a head of its own, and sixteen bytes that answer
//! the eight behind the request.

use std::time::Instant;

use hybi_frame::Role;
use hybi_handshake::{HandshakeError, ServerAccepted};

use super::{
    Incoming,
    bytes::{left_over, or_end, read_chunk, write_all},
    deadline::within,
};
use crate::{
    connection::{Connection, Deadline, Error, Negotiated},
    legacy::ServerAnswer,
    socket::{
        Chunk, WebSocket,
        io::{Timer, Transport},
    },
};

impl<T: Transport, C: Timer> Incoming<T, C> {
    /// Answers 101, and the challenge if there is one, and lets frames follow.
    pub(super) async fn switch_hixie(
        mut self,
        accepted: ServerAccepted,
        deadline: Instant,
    ) -> Result<WebSocket<T, C>, Error> {
        let answer = ServerAnswer::new(self.server.policy(), &self.request, &accepted)?;
        let answered = Box::pin(answer_challenge(&mut self.transport, &mut self.input, &answer));
        within(&mut self.timer, deadline, answered)
            .await
            .unwrap_or(Err(Error::Timeout(Deadline::Handshake)))?;
        let negotiated = Negotiated { subprotocol: accepted.subprotocol, ..Negotiated::default() }
            .with_terms(answer.terms().clone());
        let connection = Connection::new(Role::Server, negotiated, self.server.config().clone());
        Ok(WebSocket::with_input(connection, self.transport, self.timer, self.input))
    }
}

/// Sends the head and what answers the challenge, together if the challenge is at hand. A proxy may hold it
/// back until it has seen the 101, so it is not waited for before the head leaves.
async fn answer_challenge<T: Transport>(
    transport: &mut T,
    input: &mut Option<Chunk>,
    answer: &ServerAnswer,
) -> Result<(), Error> {
    let mut bytes = answer.head().to_vec();
    if answer.has_challenge() {
        let mut challenge = [0; ServerAnswer::CHALLENGE_LEN];
        let mut have = 0;
        loop {
            if let Some(mut chunk) = input.take() {
                let taken = chunk.unread().len().min(challenge.len() - have);
                challenge[have..have + taken].copy_from_slice(&chunk.unread()[..taken]);
                chunk.consume(taken);
                have += taken;
                *input = left_over(chunk);
            }
            if have == challenge.len() {
                break;
            }
            write_all(transport, &bytes).await?;
            bytes.clear();
            let Some(chunk) = or_end(read_chunk(transport).await)? else {
                return Err(HandshakeError::UnexpectedEof { received: have }.into());
            };
            *input = Some(chunk);
        }
        bytes.extend(answer.answer(challenge));
    }
    write_all(transport, &bytes).await
}
