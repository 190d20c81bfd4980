//! Members in one world, each with its peer.

use core::{cell::RefCell, future::poll_fn, time::Duration};
use std::rc::Rc;

use hybi::{
    Broadcast, CloseStatus, Config, Connection, Deliveries, Error, Member, Message, Negotiated,
    Role, WebSocket, io::Timer as _,
};
use hybi_testkit::{
    clock::{Clock, ClockTimer},
    link::{Conditions, End, Wire, link},
    world::World,
};

pub(crate) type Ws = WebSocket<End, ClockTimer>;

/// So much fills what is on its way to a peer that does not read: the rest waits in the room.
pub(crate) const LONG: usize = 64 * 1024;

/// Two ends of a connection, the server's first, and the wire to the client.
pub(crate) fn pair(clock: &Clock, to_client: Conditions, config: Config) -> (Ws, Ws, Wire) {
    let (near, far) = link(clock, to_client, Conditions::default());
    let wire = near.output();
    let [server, client] = [(Role::Server, near), (Role::Client, far)].map(|(role, end)| {
        let connection = Connection::new(role, Negotiated::default(), config.clone().into());
        WebSocket::new(connection, end, clock.timer())
    });
    (server, client, wire)
}

/// What a member's task saw until its end.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) messages: Vec<Message>,
    pub(crate) deliveries: Deliveries,
    pub(crate) outcome: Option<Result<Option<CloseStatus>, Error>>,
    /// When that was.
    pub(crate) ended: Duration,
}

pub(crate) type Log = Rc<RefCell<Seen>>;

/// A member in a task of its own that receives until its end, its peer, and the wire to that.
pub(crate) fn member(
    world: &mut World,
    room: &Broadcast,
    to_client: Conditions,
) -> (Log, Ws, Wire) {
    let (server, client, wire) = pair(world.clock(), to_client, Config::default());
    (listen(world, room.join(server)), client, wire)
}

pub(crate) fn listen(world: &mut World, mut member: Member<End, ClockTimer>) -> Log {
    let log = Log::default();
    let seen = log.clone();
    let clock = world.clock().clone();
    world.spawn("a member", async move {
        let outcome = loop {
            match member.recv().await {
                Ok(Some(message)) => seen.borrow_mut().messages.push(message),
                Ok(None) => break Ok(member.websocket().close_status()),
                Err(error) => break Err(error),
            }
            seen.borrow_mut().deliveries = member.deliveries();
        };
        let mut seen = seen.borrow_mut();
        seen.deliveries = member.deliveries();
        seen.outcome = Some(outcome);
        seen.ended = clock.elapsed();
    });
    log
}

/// Lets everybody go on until all wait.
pub(crate) async fn settle(clock: &Clock) {
    pass(clock, Duration::from_millis(1)).await;
}

/// Lets so much time pass, of this world.
pub(crate) async fn pass(clock: &Clock, time: Duration) {
    let mut timer = clock.timer();
    let then = timer.now() + time;
    poll_fn(|cx| timer.poll_until(cx, then)).await;
}

/// A narrow way to a peer: as long as it does not read, nothing but this passes.
pub(crate) fn narrow() -> Conditions {
    Conditions::default().capacity(1000)
}

/// The `n`-th long message.
pub(crate) fn long(n: u8) -> Vec<u8> {
    vec![n; LONG]
}

/// The numbers of the long messages that come until so many are there, or until the end.
pub(crate) async fn numbers(ws: &mut Ws, most: usize) -> Vec<u8> {
    let mut numbers = Vec::new();
    while numbers.len() < most
        && let Some(message) = ws.recv().await.expect("it is lawful")
    {
        let bytes = message.as_bytes();
        assert_eq!(bytes.len(), LONG);
        assert!(bytes.iter().all(|byte| *byte == bytes[0]), "whole");
        numbers.push(bytes[0]);
    }
    numbers
}
