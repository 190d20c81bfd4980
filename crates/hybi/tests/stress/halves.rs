//! Owned halves: pending on threads of their own, and several senders on one connection.

use hybi::{CloseCode, Error, Message};

use crate::{
    exchange::{PLANS, Plan, Receiving, Sending, close, ends, exchange},
    pipes::{End, Never, block_on},
};

type Sender = hybi::Sender<End, Never>;
type Receiver = hybi::Receiver<End, Never>;

impl Sending for Sender {
    async fn send(&mut self, message: Message) -> Result<(), Error> {
        Ok(Self::send(self, message).await?)
    }

    async fn feed(&mut self, message: Message) -> Result<(), Error> {
        Ok(Self::feed(self, message).await?)
    }

    async fn flush(&mut self) -> Result<(), Error> {
        Self::flush(self).await
    }
}

impl Receiving for Receiver {
    async fn receive(&mut self) -> Result<Option<Message>, Error> {
        self.recv().await
    }
}

/// The same, with what is lent.
struct Lent(Receiver);

impl Receiving for Lent {
    async fn receive(&mut self) -> Result<Option<Message>, Error> {
        Ok(self.0.recv_ref().await?.map(|message| message.to_owned()))
    }
}

fn everything_arrives(plan: Plan) {
    let halves = exchange(ends(plan).map(|socket| socket.split()), plan);
    let sockets = halves.map(|(sender, receiver)| receiver.reunite(sender).expect("halves of one"));
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

#[test]
fn everything_is_lent() {
    for plan in PLANS {
        let split = ends(plan).map(|socket| {
            let (sender, receiver) = socket.split();
            (sender, Lent(receiver))
        });
        let halves = exchange(split, plan);
        let sockets = halves.map(|(sender, Lent(own))| own.reunite(sender).expect("halves of one"));
        close(sockets, plan);
    }
}

/// Five threads send on one connection: none starves, none is forgotten, and each keeps its order.
#[test]
fn clones_on_many_threads_send_everything() {
    const EACH: usize = 200;
    for plan in PLANS.into_iter().filter(|plan| plan.capacity <= 4_096) {
        let [near, far] = ends(plan);
        let (sender, mut near_receiver) = near.split();
        let (mut far_sender, mut receiver) = far.split();
        std::thread::scope(|scope| {
            let clones = [1_usize, 2, 3, 4, 5].map(|from| {
                let mut sender = sender.clone();
                scope.spawn(move || {
                    let sending = async {
                        for number in 0..EACH {
                            sender.send(format!("{from} {number}")).await?;
                        }
                        Ok::<_, Error>(())
                    };
                    block_on("a clone", sending).expect("open");
                })
            });
            scope.spawn(move || {
                let mut next = [0; 6];
                for _ in 0..5 * EACH {
                    let message = block_on("the receiver", receiver.recv()).expect("open");
                    let text = message.as_ref().and_then(Message::as_text).expect("a text");
                    let (from, number) = text.split_once(' ').expect("two numbers");
                    let from: usize = from.parse().expect("a number");
                    assert_eq!(number, next[from].to_string(), "{plan:?}: out of order");
                    next[from] += 1;
                }
                block_on("the last word", far_sender.send("all came")).expect("open");
                let end = block_on("the end", receiver.recv()).expect("in order");
                assert_eq!(end, None);
            });
            let last = block_on("the other half", near_receiver.recv()).expect("open");
            assert_eq!(last, Some(Message::text("all came")));
            clones.into_iter().for_each(|clone| clone.join().expect("all was sent"));
            let mut socket = near_receiver.reunite(sender).expect("halves of one");
            let status =
                block_on("closing", socket.close(CloseCode::NORMAL, "")).expect("in order");
            assert!(status.is_clean(), "{plan:?}: {status:?}");
        });
    }
}
