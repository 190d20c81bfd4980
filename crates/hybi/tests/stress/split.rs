//! Halves of the futures crates, which share the handle behind a lock.

use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use hybi::{Error, Message};

use crate::exchange::{PLANS, Plan, Receiving, Sending, Socket, close, ends, exchange};

impl Sending for SplitSink<Socket, Message> {
    async fn send(&mut self, message: Message) -> Result<(), Error> {
        SinkExt::send(self, message).await
    }

    async fn feed(&mut self, message: Message) -> Result<(), Error> {
        SinkExt::feed(self, message).await
    }

    async fn flush(&mut self) -> Result<(), Error> {
        SinkExt::flush(self).await
    }
}

impl Receiving for SplitStream<Socket> {
    async fn receive(&mut self) -> Result<Option<Message>, Error> {
        self.next().await.transpose()
    }
}

fn everything_arrives(plan: Plan) {
    let halves = exchange(ends(plan).map(StreamExt::split), plan);
    let sockets = halves.map(|(sink, stream)| stream.reunite(sink).expect("halves of one"));
    close(sockets, plan);
}

#[test]
fn everything_arrives_over_pipes_of_a_few_bytes() {
    PLANS.into_iter().filter(|plan| plan.capacity < 64).for_each(everything_arrives);
}

#[test]
fn everything_arrives_over_pipes_of_many_bytes() {
    PLANS.into_iter().filter(|plan| plan.capacity >= 64).for_each(everything_arrives);
}
