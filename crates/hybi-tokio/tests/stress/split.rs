//! Halves of the futures crates, which share the handle behind a lock.

use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use hybi_suite::suite::bounded;
use hybi_tokio::{Error, Message};

use crate::{
    exchange::{Receiving, Sending, everything_arrives},
    tls::Socket,
};

impl Sending for SplitSink<Socket, Message> {
    async fn send(&mut self, message: Message) -> Result<(), Error> {
        SinkExt::send(self, message).await
    }
}

impl Receiving for SplitStream<Socket> {
    async fn receive(&mut self) -> Result<Option<Message>, Error> {
        self.next().await.transpose()
    }
}

#[test]
fn everything_arrives_over_tls() {
    bounded("everything_arrives_over_tls", || {
        everything_arrives(StreamExt::split, |sink, stream| stream.reunite(sink).expect("one"));
    });
}
