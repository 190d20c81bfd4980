//! What is exchanged: each end sends messages of known content while it receives the other's, with
//! pings among them, and checks each as it comes.

use core::future::Future;
use std::sync::Arc;

use hybi_tokio::{CloseCode, Config, Error, Message, Role};
use tokio::{runtime, sync::Barrier, task::JoinHandle};

use crate::tls::{Socket, ends};

/// The half that sends.
pub(crate) trait Sending: Send + 'static {
    fn send(&mut self, message: Message) -> impl Future<Output = Result<(), Error>> + Send;
}

/// The half that receives.
pub(crate) trait Receiving: Send + 'static {
    fn receive(&mut self) -> impl Future<Output = Result<Option<Message>, Error>> + Send;
}

/// How much is exchanged, over pipes that take so many bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) capacity: usize,
    /// How many messages each end sends, and how long the longest of them is.
    pub(crate) messages: usize,
    pub(crate) longest: usize,
}

/// From pipes that take a byte to such that take several records of TLS.
pub(crate) const PLANS: [Plan; 6] = [
    Plan { capacity: 1, messages: 50, longest: 60 },
    Plan { capacity: 7, messages: 100, longest: 200 },
    Plan { capacity: 64, messages: 300, longest: 1_000 },
    Plan { capacity: 1_000, messages: 500, longest: 5_000 },
    Plan { capacity: 4_096, messages: 500, longest: 20_000 },
    Plan { capacity: 65_536, messages: 300, longest: 200_000 },
];

/// What an end sends: of any length up to the longest, each another one.
fn message(of: Role, number: usize, plan: Plan) -> Message {
    let seed = number.wrapping_mul(0x9e37_79b9) ^ if of == Role::Client { 0 } else { 0x5555 };
    let len = seed % (plan.longest + 1);
    Message::binary((0..len).map(|at| (seed >> 3).wrapping_add(at * 7) as u8).collect::<Vec<_>>())
}

async fn send_all(half: &mut impl Sending, own: Role, plan: Plan) -> Result<(), Error> {
    for number in 0..plan.messages {
        if number % 5 == 2 {
            half.send(Message::Ping(number.to_be_bytes().to_vec().into())).await?;
        }
        half.send(message(own, number, plan)).await?;
    }
    Ok(())
}

/// Receives all messages of the other end, and goes on until everybody is done: its last Pong may be
/// still to come.
async fn receive_all(
    half: &mut impl Receiving,
    own: Role,
    plan: Plan,
    done: &Barrier,
) -> Result<(), Error> {
    for number in 0..plan.messages {
        let received = half.receive().await?;
        let expected = message(own.peer(), number, plan);
        assert!(received.as_ref() == Some(&expected), "{own:?} {plan:?}: message {number}");
    }
    tokio::select! {
        more = half.receive() => panic!("{own:?} {plan:?}: {more:?} is one too many"),
        _ = done.wait() => Ok(()),
    }
}

/// Runs each half on a task of its own, until all is exchanged.
fn exchanging<S: Sending, R: Receiving>(
    (mut sending, mut receiving): (S, R),
    own: Role,
    plan: Plan,
    done: &Arc<Barrier>,
) -> (JoinHandle<S>, JoinHandle<R>) {
    let (sent, received) = (done.clone(), done.clone());
    let sender = tokio::spawn(async move {
        send_all(&mut sending, own, plan).await.expect("open");
        sent.wait().await;
        sending
    });
    let receiver = tokio::spawn(async move {
        receive_all(&mut receiving, own, plan, &received).await.expect("open");
        receiving
    });
    (sender, receiver)
}

/// The end, of which one end knows and the other learns.
async fn close([mut one, mut other]: [Socket; 2], plan: Plan) {
    let closing = tokio::spawn(async move { one.close(CloseCode::NORMAL, "all was sent").await });
    assert_eq!(other.recv().await.expect("in order"), None, "{plan:?}: nothing was left");
    let status = other.close_status().expect("it ended");
    assert_eq!((status.is_clean(), status.reason()), (true, "all was sent"), "{plan:?}");
    let status = closing.await.expect("no panic").expect("in order");
    assert!(status.is_clean(), "{plan:?}: {status:?}");
}

/// Everything arrives over TLS, whichever halves a connection is split into.
pub(crate) fn everything_arrives<S: Sending, R: Receiving>(
    split: impl Fn(Socket) -> (S, R),
    join: impl Fn(S, R) -> Socket,
) {
    let threads = runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    threads.unwrap().block_on(async {
        for plan in PLANS {
            // A queue that is full now and then, so that sending waits for room as well.
            let config = Config::default()
                .outbox_limit(plan.longest)
                .ping_interval(None)
                .write_timeout(None);
            let [client, server] = ends(plan.capacity, &config).await;
            let done = Arc::new(Barrier::new(4));
            let client = exchanging(split(client), Role::Client, plan, &done);
            let server = exchanging(split(server), Role::Server, plan, &done);
            let client = join(client.0.await.expect("all sent"), client.1.await.expect("all came"));
            let server = join(server.0.await.expect("all sent"), server.1.await.expect("all came"));
            close([client, server], plan).await;
        }
    });
}
