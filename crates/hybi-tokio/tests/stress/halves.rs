//! Owned halves.

use hybi_suite::suite::bounded;
use hybi_tokio::{Error, Message, TokioIo, TokioTimer, tokio_rustls::TlsStream};

use crate::{
    exchange::{Receiving, Sending, everything_arrives},
    pipes::End,
    tls::Socket,
};

type Sender = hybi_tokio::Sender<TokioIo<TlsStream<End>>, TokioTimer>;
type Receiver = hybi_tokio::Receiver<TokioIo<TlsStream<End>>, TokioTimer>;

impl Sending for Sender {
    async fn send(&mut self, message: Message) -> Result<(), Error> {
        Ok(Self::send(self, message).await?)
    }
}

impl Receiving for Receiver {
    async fn receive(&mut self) -> Result<Option<Message>, Error> {
        self.recv().await
    }
}

#[test]
fn everything_arrives_over_tls() {
    bounded("everything_arrives_over_tls", || {
        everything_arrives(Socket::split, |sender, receiver| {
            receiver.reunite(sender).expect("one")
        });
    });
}
