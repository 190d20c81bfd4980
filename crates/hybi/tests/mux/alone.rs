//! One end of ours beside a peer that is written out, and what its applications saw.

use core::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    task::{Poll, Waker},
};
use std::rc::Rc;

use futures_util::future::{join, join_all, join3};
use hybi::{
    CloseCode, Error, Message, Role,
    mux::{self, Connected, DropCode, HandshakeEncoding, Revision},
};
use hybi_mux::{ControlBlock, DropReason};
use hybi_testkit::{
    link::{End, link},
    wire,
    world::World,
};

use crate::{
    peer::{Heard, Peer, channel, frame},
    support::{ClientEnd, Setup, URI, Ws},
};

/// What the application of a channel saw, until it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: u32,
    pub(crate) messages: Vec<String>,
    /// What receiving failed of; empty if it ended in order.
    pub(crate) error: String,
    pub(crate) code: u16,
}

/// What all applications of an end saw, in the order in which their channels ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told(Rc<RefCell<Vec<Seen>>>, Rc<Gate>);

/// What applications wait at that were told to pause.
#[derive(Debug, Default)]
struct Gate {
    is_open: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Told {
    /// All of it, by id.
    pub(crate) fn sorted(&self) -> Vec<Seen> {
        let mut seen = self.0.borrow().clone();
        seen.sort_by_key(|seen| seen.id);
        seen
    }

    /// Lets those go on that pause.
    pub(crate) fn resume(&self) {
        self.1.is_open.set(true);
        self.1.waiting.take().into_iter().for_each(Waker::wake);
    }

    async fn pause(&self) {
        poll_fn(|cx| {
            if self.1.is_open.get() {
                return Poll::Ready(());
            }
            self.1.waiting.borrow_mut().push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Echoes what comes, and tells how it ended. A peer can ask for more: `drop 3007`, `fail 2000`, `leave`, `close`, `pause` (until
    /// it is told to [resume](Self::resume)). What begins
    /// with a dot is not echoed.
    pub(crate) async fn watch(self, mut ws: Ws) -> Result<(), Error> {
        let mut seen = Seen { id: ws.transport().id().get(), ..Seen::default() };
        let outcome = loop {
            match ws.recv().await {
                Ok(Some(message)) => {
                    let text = text(&message);
                    let code = |code: &str| DropCode::new(code.parse().expect("a code"));
                    match text.split_once(' ') {
                        Some(("drop", number)) => {
                            ws.transport().drop_with(code(number), "as you wish");
                        }
                        Some(("fail", number)) => {
                            ws.transport().fail_all(code(number), "as you wish");
                        }
                        _ if text == "leave" => return Ok(()),
                        _ if text == "pause" => self.pause().await,
                        _ if text == "close" => {
                            seen.messages.push(text);
                            break ws.close(CloseCode::NORMAL, "").await.map(drop);
                        }
                        // What fails here receiving tells.
                        _ if !text.starts_with('.') => drop(ws.send(message).await),
                        _ => {}
                    }
                    seen.messages.push(text);
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        seen.error = outcome.err().map(|error| error.to_string()).unwrap_or_default();
        seen.code = ws.close_status().map_or(0, |status| u16::from(status.code()));
        self.0.borrow_mut().push(seen);
        Ok(())
    }
}

fn text(message: &Message) -> String {
    match message {
        Message::Text(text) => text.as_str().to_owned(),
        other => format!("{other:?}"),
    }
}

impl Setup {
    /// A server in the world whose channels echo, and the other end of its connection.
    pub(crate) fn watched_server(&self, world: &mut World) -> (End, Told) {
        let told = Told::default();
        let watch = told.clone();
        (self.serve_one(world, move |ws| watch.clone().watch(ws)), told)
    }

    /// A server in the world that accepts one connection, multiplexed or not, and lets it go; the other end of that.
    pub(crate) fn serve_any(&self, world: &mut World) -> End {
        self.accept_one(world, |accepted| async { drop(accepted) })
    }

    /// A client in the world that connects, and the other end of its connection.
    pub(crate) fn connect_one<F: Future<Output = ()> + 'static>(
        &self,
        world: &mut World,
        then: impl FnOnce(Result<Connected<End, hybi_testkit::clock::ClockTimer>, Error>) -> F + 'static,
    ) -> End {
        let Self { client, config, conditions, .. } = self.clone();
        let (near, far) = link(world.clock(), conditions, conditions);
        let clock = world.clock().clone();
        world.spawn("the client", async move {
            let deadline = client.config().handshake_deadline(clock.now());
            let timers = move || clock.timer();
            let connected = mux::connect_on(&client, &config, URI, near, timers, deadline).await;
            then(connected.map(|(connected, _response)| connected)).await;
        });
        far
    }

    /// A client in the world with so many channels, which echo, and the other end of its connection.
    pub(crate) fn watched_client(&self, world: &mut World, channels: u32) -> (End, Told) {
        let told = Told::default();
        let watch = told.clone();
        let end = self.connect_one(world, move |connected| async move {
            let ClientEnd { first, opener, driver, .. } = multiplexed(connected);
            let watching = async move {
                let mut all = vec![first];
                for _ in 1..channels {
                    all.push(opener.open_channel(URI).await.expect("it is accepted").0);
                }
                let _held = opener;
                join_all(all.into_iter().map(|ws| watch.clone().watch(ws))).await;
            };
            let _ = join(driver.run(), watching).await;
        });
        (end, told)
    }

    /// A client in the world that asks for a second channel, which is not opened, and the other end of its connection.
    pub(crate) fn refused_client(&self, world: &mut World) -> (End, Told) {
        let told = Told::default();
        let watch = told.clone();
        let end = self.connect_one(world, move |connected| async move {
            let ClientEnd { first, opener, driver, .. } = multiplexed(connected);
            let opening = async move {
                opener.open_channel(URI).await.expect_err("it is not opened");
            };
            let _ = join3(driver.run(), opening, watch.watch(first)).await;
        });
        (end, told)
    }
}

/// An end of ours in this role, with two channels that echo.
pub(crate) fn watched(setup: &Setup, role: Role, world: &mut World) -> (End, Told) {
    match role {
        Role::Server => setup.watched_server(world),
        Role::Client => setup.watched_client(world, 2),
    }
}

/// The peer of such an end, when both channels are open and echoed a message.
pub(crate) async fn two_channels(role: Role, end: End) -> Peer {
    match role {
        Role::Server => Peer::ask_for(end, 2, Revision::Ietf07).await,
        Role::Client => Peer::serve_to(end, 2).await,
    }
}

/// Both of ours.
pub(crate) const ROLES: [Role; 2] = [Role::Server, Role::Client];

/// An end of ours, with two channels that echo, beside a peer: what it does, and what the applications saw of it.
pub(crate) fn beside<F: Future<Output = ()> + 'static>(
    setup: &Setup,
    role: Role,
    talk: impl FnOnce(Peer) -> F + 'static,
) -> Told {
    let mut world = World::new();
    let (end, told) = watched(setup, role, &mut world);
    world.block_on(async move { talk(two_channels(role, end).await).await });
    world.run().expect("everything ends");
    told
}

/// What was agreed on, which is to be multiplexing.
pub(crate) fn multiplexed(
    connected: Result<Connected<End, hybi_testkit::clock::ClockTimer>, Error>,
) -> ClientEnd {
    match connected.expect("a lawful answer") {
        Connected::Multiplexed(client) => client,
        Connected::Single(_) => panic!("the server agreed to channels"),
    }
}

/// A request for a channel.
pub(crate) fn request(id: u32, handshake: &str) -> ControlBlock<'_> {
    ControlBlock::AddChannelRequest {
        channel: channel(id),
        encoding: HandshakeEncoding::Identity,
        handshake: handshake.as_bytes(),
    }
}

/// Its delta.
pub(crate) fn delta(id: u32, handshake: &str) -> ControlBlock<'_> {
    ControlBlock::AddChannelRequest {
        channel: channel(id),
        encoding: HandshakeEncoding::Delta,
        handshake: handshake.as_bytes(),
    }
}

/// A response for a channel.
pub(crate) fn response(id: u32, handshake: &str) -> ControlBlock<'_> {
    ControlBlock::AddChannelResponse {
        channel: channel(id),
        is_rejected: false,
        encoding: HandshakeEncoding::Identity,
        handshake: handshake.as_bytes(),
    }
}

/// A refusal.
pub(crate) fn refusal(id: u32, handshake: &str) -> ControlBlock<'_> {
    ControlBlock::AddChannelResponse {
        channel: channel(id),
        is_rejected: true,
        encoding: HandshakeEncoding::Identity,
        handshake: handshake.as_bytes(),
    }
}

pub(crate) fn flow(id: u32, quota: u64) -> ControlBlock<'static> {
    ControlBlock::FlowControl { channel: channel(id), quota }
}

pub(crate) fn slots(slots: u64, quota: u64) -> ControlBlock<'static> {
    ControlBlock::NewChannelSlot { slots, quota, is_fallback: false }
}

/// A request that a server accepts.
pub(crate) const REQUEST: &str =
    "GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\r\n";

/// A response that a client takes.
pub(crate) const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n";

impl Peer {
    /// Asks a server of ours for channels up to this id, of which each echoes a message.
    pub(crate) async fn ask_for(end: End, channels: u32, revision: Revision) -> Self {
        let mut peer = Self::ask(end, "mux; quota=1000", "", revision).await;
        for id in 2..=channels {
            let head = match revision {
                Revision::Ietf03 => WHOLE,
                _ => REQUEST,
            };
            peer.say(&[request(id, head), flow(id, 1000)]).await;
            let heard = peer.hear_answer().await;
            assert!(matches!(heard, Heard::Response { is_rejected: false, .. }), "{heard:?}");
        }
        peer.expect_echoes(channels, b"before").await;
        peer
    }

    /// Serves a client of ours, and lets it have channels up to this id, of which each echoes a message.
    pub(crate) async fn serve_to(end: End, channels: u32) -> Self {
        let (mut peer, _request) = Self::answer(end, "mux", "").await;
        peer.say(&[flow(1, 1000), slots(64, 1000)]).await;
        for id in 2..=channels {
            let heard = peer.hear_answer().await;
            assert!(matches!(heard, Heard::Request { id: asked, .. } if asked == id), "{heard:?}");
            peer.say(&[response(id, RESPONSE)]).await;
        }
        peer.expect_echoes(channels, b"before").await;
        peer
    }

    /// What comes next that is neither a grant of quota nor of slots.
    pub(crate) async fn hear_answer(&mut self) -> Heard {
        loop {
            match self.hear_more_than_quota().await {
                Heard::Slots { .. } => {}
                heard => return heard,
            }
        }
    }

    /// Each of the channels up to this id echoes this.
    pub(crate) async fn expect_echoes(&mut self, channels: u32, payload: &[u8]) {
        for id in 1..=channels {
            self.expect_echo(id, payload).await;
        }
    }

    /// The channel echoes this.
    pub(crate) async fn expect_echo(&mut self, id: u32, payload: &[u8]) {
        self.send_frame(id, wire::TEXT, payload).await;
        assert_eq!(self.hear_answer().await, frame(id, wire::TEXT, payload));
    }

    /// The same, whatever is dropped before.
    pub(crate) async fn expect_echo_past_drops(&mut self, id: u32, payload: &[u8]) {
        self.send_frame(id, wire::TEXT, payload).await;
        loop {
            match self.hear_answer().await {
                Heard::Drop { .. } => {}
                heard => return assert_eq!(heard, frame(id, wire::TEXT, payload)),
            }
        }
    }

    /// The channel is dropped.
    pub(crate) async fn expect_drop(&mut self, id: u32, code: u16, reason: &str) {
        let reason = reason.to_owned();
        assert_eq!(self.hear_answer().await, Heard::Drop { id, code: Some(code), reason });
    }

    /// The physical connection is failed: a DropChannel of channel 0, a Close frame with 1011, and the end.
    pub(crate) async fn expect_failure(&mut self, code: u16, reason: &str) {
        self.expect_drop(0, code, reason).await;
        self.expect_physical_close(1011).await;
    }

    /// The physical connection is closed with this code, and ends when that is answered.
    pub(crate) async fn expect_physical_close(&mut self, code: u16) {
        assert_eq!(self.hear_answer().await, Heard::Close(code.to_be_bytes().to_vec()));
        self.script.send_frame(wire::CLOSE, &code.to_be_bytes()).await;
        assert_eq!(self.hear().await, Heard::Ended);
    }

    /// The channel is closed with this code.
    pub(crate) async fn expect_close(&mut self, id: u32, code: u16) {
        match self.hear_answer().await {
            Heard::Frame { id: of, first: wire::CLOSE, payload } => {
                assert_eq!((of, &payload[..2]), (id, &code.to_be_bytes()[..]), "{payload:?}");
            }
            heard => panic!("channel {id} is to be closed, not {heard:?}"),
        }
    }

    /// Drops a channel.
    pub(crate) async fn send_drop(&mut self, id: u32, code: u16, reason: &str) {
        let reason = DropReason::Code(DropCode::new(code), reason);
        self.say(&[ControlBlock::DropChannel { channel: channel(id), reason }]).await;
    }

    /// Closes the physical connection.
    pub(crate) async fn close(&mut self) {
        self.script.send_frame(wire::CLOSE, &wire::close_payload(1000, b"")).await;
        assert_eq!(self.hear_answer().await, Heard::Close(vec![3, 0xe8]));
        assert_eq!(self.hear().await, Heard::Ended);
    }
}

/// A request of ietf-03, which has all of its fields.
pub(crate) const WHOLE: &str = "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";
