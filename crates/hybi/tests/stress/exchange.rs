//! What is exchanged: each end sends messages of known content while it receives the other's, with
//! pings among them, and checks each as it comes.

use core::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll, Waker},
};
use std::{sync::Mutex, thread};

use futures_util::future::{Either, select};
use hybi::{
    CloseCode, Config, Connection, Error, Message, Negotiated, Role, Version, WebSocket,
    extension::Agreed,
};

use crate::pipes::{End, Never, block_on, link};

pub(crate) type Socket = WebSocket<End, Never>;

/// The half that sends.
pub(crate) trait Sending: Send {
    async fn send(&mut self, message: Message) -> Result<(), Error>;
    async fn feed(&mut self, message: Message) -> Result<(), Error>;
    async fn flush(&mut self) -> Result<(), Error>;
}

/// The half that receives.
pub(crate) trait Receiving: Send {
    async fn receive(&mut self) -> Result<Option<Message>, Error>;
}

/// How much is exchanged, and over what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// The most bytes on their way in one direction.
    pub(crate) capacity: usize,
    /// How many messages each end sends, and how long the longest of them is.
    pub(crate) messages: usize,
    pub(crate) longest: usize,
    /// Or not, where compression is not built in.
    pub(crate) compressed: bool,
}

/// From pipes that take a byte to such that take a chunk; about as much work for each.
pub(crate) const PLANS: [Plan; 8] = [
    Plan { capacity: 1, messages: 100, longest: 60, compressed: false },
    Plan { capacity: 2, messages: 100, longest: 60, compressed: true },
    Plan { capacity: 7, messages: 200, longest: 200, compressed: false },
    Plan { capacity: 64, messages: 500, longest: 1_000, compressed: false },
    Plan { capacity: 1_000, messages: 500, longest: 10_000, compressed: true },
    Plan { capacity: 4_096, messages: 500, longest: 20_000, compressed: false },
    Plan { capacity: 65_536, messages: 300, longest: 200_000, compressed: false },
    Plan { capacity: 65_536, messages: 2_000, longest: 200, compressed: false },
];

/// The two ends of a connection over threads.
pub(crate) fn ends(plan: Plan) -> [Socket; 2] {
    let extensions = if plan.compressed { extensions() } else { Vec::new() };
    let negotiated = Negotiated::new(Version::RFC6455, None, extensions);
    // A queue that is full now and then, so that sending waits for room as well.
    let config = Config::default().outbox_limit(plan.longest);
    let mut roles = [Role::Client, Role::Server].into_iter();
    link(plan.capacity).map(|end| {
        let role = roles.next().expect("two ends");
        let own = Connection::new(role, negotiated.clone(), config.clone().into());
        WebSocket::new(own, end, Never)
    })
}

#[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
fn extensions() -> Vec<Agreed> {
    use hybi::{Deflate, extension::Extension as _};

    let deflate = Deflate::default();
    vec![deflate.accept(&deflate.offers()[0]).expect("acceptable")]
}

#[cfg(not(any(feature = "compression", feature = "compression-miniz_oxide")))]
fn extensions() -> Vec<Agreed> {
    Vec::new()
}

/// What an end sends: of any length up to the longest, text and binary, each another one.
fn message(of: Role, number: usize, plan: Plan) -> Message {
    let seed = number.wrapping_mul(0x9e37_79b9) ^ if of == Role::Client { 0 } else { 0x5555 };
    let len = seed % (plan.longest + 1);
    let bytes: Vec<_> =
        (0..len).map(|at| b'a' + ((seed >> 3).wrapping_add(at * 7) % 26) as u8).collect();
    if seed & 0x100 == 0 {
        Message::binary(bytes)
    } else {
        Message::text(String::from_utf8(bytes).expect("letters"))
    }
}

/// Sends all messages of an end, in each way that there is.
async fn send_all(half: &mut impl Sending, own: Role, plan: Plan) -> Result<(), Error> {
    for number in 0..plan.messages {
        if number % 5 == 2 {
            half.feed(Message::Ping(number.to_be_bytes().to_vec().into())).await?;
        }
        match number % 3 {
            0 => half.feed(message(own, number, plan)).await?,
            _ => half.send(message(own, number, plan)).await?,
        }
        if number % 11 == 0 {
            thread::yield_now();
        }
    }
    half.flush().await
}

/// Receives all messages of the other end, and goes on until everybody is done: its last Pong may be
/// still to come.
async fn receive_all(
    half: &mut impl Receiving,
    own: Role,
    plan: Plan,
    done: &Done,
) -> Result<(), Error> {
    for number in 0..plan.messages {
        let received = half.receive().await?;
        let expected = message(own.peer(), number, plan);
        assert!(received.as_ref() == Some(&expected), "{own:?} {plan:?}: message {number}");
    }
    done.one_more();
    match select(pin!(half.receive()), pin!(poll_fn(|cx| done.poll(cx)))).await {
        Either::Left((more, _)) => panic!("{own:?} {plan:?}: {more:?} is one too many"),
        Either::Right(_) => Ok(()),
    }
}

/// How many of the four halves have done their part, and who waits for all of them.
#[derive(Default)]
struct Done(Mutex<(usize, Vec<Waker>)>);

impl Done {
    fn one_more(&self) {
        let (count, waiting) = &mut *self.0.lock().expect("no panic");
        *count += 1;
        waiting.drain(..).for_each(Waker::wake);
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        let (count, waiting) = &mut *self.0.lock().expect("no panic");
        if *count == 4 {
            return Poll::Ready(());
        }
        waiting.push(cx.waker().clone());
        Poll::Pending
    }
}

/// Runs each half on a thread of its own until all is exchanged, and gives them back.
pub(crate) fn exchange<S: Sending, R: Receiving>(halves: [(S, R); 2], plan: Plan) -> [(S, R); 2] {
    let roles = [Role::Client, Role::Server];
    let done = &Done::default();
    thread::scope(|scope| {
        let mut both = halves.into_iter().zip(roles).map(|((mut sending, mut receiving), own)| {
            let sender = scope.spawn(move || {
                let what = format!("{own:?}, sending, {plan:?}");
                block_on(&what, send_all(&mut sending, own, plan)).expect("open");
                done.one_more();
                sending
            });
            let receiver = scope.spawn(move || {
                let what = format!("{own:?}, receiving, {plan:?}");
                block_on(&what, receive_all(&mut receiving, own, plan, done)).expect("open");
                receiving
            });
            (sender, receiver)
        });
        let both = [both.next().expect("two"), both.next().expect("two")];
        both.map(|(sender, receiver)| {
            (sender.join().expect("all was sent"), receiver.join().expect("all came"))
        })
    })
}

/// The end, of which one end knows and the other learns.
pub(crate) fn close([mut one, mut other]: [Socket; 2], plan: Plan) {
    thread::scope(|scope| {
        scope.spawn(move || {
            let closing = one.close(CloseCode::NORMAL, "all was sent");
            let status = block_on("closing", closing).expect("in order");
            assert!(status.is_clean(), "{plan:?}: {status:?}");
        });
        scope.spawn(move || {
            let end = block_on("the end", other.recv()).expect("in order");
            assert_eq!(end, None, "{plan:?}: nothing was left");
            let status = other.close_status().expect("it ended");
            assert_eq!((status.is_clean(), status.reason()), (true, "all was sent"), "{plan:?}");
        });
    });
}
