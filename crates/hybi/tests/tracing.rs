//! What a connection tells `tracing`: of its opening, its failures and its end, and nothing that may be secret.

use core::{
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::sync::{Arc, Mutex};

use futures_util::future::join;
use hybi::{
    Client, Config, Connection, Message, Negotiated, Request, Role, Server, WebSocket,
    io::Timer as _,
    opening::{accept_on, connect_on},
};
use hybi_testkit::{
    link::{Conditions, link},
    wire::{self, Side},
    world::World,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::with_default,
};

/// Notes each span with its fields, and each event with the span that it is in.
#[derive(Clone, Default)]
struct Notes {
    spans: Arc<AtomicU64>,
    lines: Arc<Mutex<Vec<String>>>,
}

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn core::fmt::Debug) {
        write!(self.0, " {field}={value:?}").expect("a string takes all");
    }
}

impl Notes {
    fn note(&self, what: &str, record: impl FnOnce(&mut Fields)) {
        let mut fields = Fields(what.to_owned());
        record(&mut fields);
        self.lines.lock().expect("no panic").push(fields.0);
    }

    fn take(&self) -> Vec<String> {
        core::mem::take(&mut self.lines.lock().expect("no panic"))
    }
}

impl Subscriber for Notes {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "hybi"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let id = self.spans.fetch_add(1, Ordering::Relaxed) + 1;
        self.note(&format!("{id} {}", span.metadata().name()), |fields| span.record(fields));
        Id::from_u64(id)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        self.note(&format!("{}", span.into_u64()), |fields| values.record(fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let parent = event.parent().map_or(0, Id::into_u64);
        let level = event.metadata().level();
        self.note(&format!("{parent} {level}"), |fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn an_opening_messages_and_an_end() {
    let notes = Notes::default();
    with_default(notes.clone(), || {
        let mut world = World::new();
        let (near, far) = link(world.clock(), Conditions::default(), Conditions::default());
        let (asking, answering) = (world.clock().timer(), world.clock().timer());
        let client = Client::builder().header("Authorization", "Bearer SECRET1").build();
        let client = client.expect("a client");
        let server = Server::default();
        let deadline = asking.now() + Duration::from_secs(10);
        world.block_on(async move {
            let request = Request::from("ws://SECRET2:SECRET3@example.org/chat?token=SECRET4")
                .header("Cookie", "session=SECRET5");
            let (opened, accepted) = join(
                connect_on(&client, request, near, asking, deadline),
                accept_on(&server, far, answering, deadline),
            )
            .await;
            let ((mut own, _), mut peer) = (opened.expect("open"), accepted.expect("open"));
            own.send("SECRET6").await.expect("open");
            let echo = peer.recv().await.expect("open").expect("a message");
            peer.send(echo).await.expect("open");
            assert_eq!(own.recv().await.expect("open"), Some(Message::from("SECRET6")));
            let (closed, end) = join(own.close(4000.into(), "SECRET7"), peer.recv()).await;
            assert!(closed.expect("in order").is_clean() && end.expect("in order").is_none());
        });
    });
    let lines = notes.take();
    let clean = "code=4000 clean=true";
    let counts = "messages_sent=1 bytes_sent=7 messages_received=1 bytes_received=7";
    let of = |span: &str| -> Vec<_> {
        let own = |line: &&String| line.split(' ').next() == Some(span);
        lines.iter().filter(own).map(String::as_str).collect()
    };
    let side = |name: &str| {
        let begins = |line: &&String| line.contains(&format!("websocket role=\"{name}\""));
        let begin = lines.iter().find(begins).expect("a span");
        begin.split(' ').next().expect("an id").to_owned()
    };
    let (client, server) = (side("client"), side("server"));
    assert_eq!(
        of(&client),
        [
            format!("{client} websocket role=\"client\" version=rfc6455"),
            format!("{client} peer=\"example.org\""),
            format!("{client} path=\"/chat\""),
            format!("{client} DEBUG message=open"),
            format!("{client} DEBUG message=closed {clean} began=\"local\" {counts}"),
        ]
    );
    assert_eq!(
        of(&server),
        [
            format!("{server} websocket role=\"server\" version=rfc6455"),
            format!("{server} path=\"/chat\""),
            format!("{server} DEBUG message=open"),
            format!("{server} DEBUG message=closed {clean} began=\"peer\" {counts}"),
        ]
    );
    assert_eq!(lines.len(), 9, "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains("SECRET")), "{lines:#?}");
}

/// A server without a handshake, and what it tells.
fn alone(act: impl FnOnce(&mut Connection)) -> Vec<String> {
    let notes = Notes::default();
    with_default(notes.clone(), || {
        let mut server =
            Connection::new(Role::Server, Negotiated::default(), Config::default().into());
        act(&mut server);
    });
    let lines = notes.take();
    lines[1..].to_vec()
}

const ENDED: &str = "clean=false";

#[test]
fn a_broken_rule_is_told_with_its_place_and_what_was_sent_is_not() {
    let lines = alone(|server| {
        let mut frames = wire::frame(Side::Client, wire::TEXT, b"SECRET");
        frames.extend(wire::frame(Side::Client, wire::TEXT, b"SECRET\xff"));
        let mut at = 0;
        while at < frames.len() {
            at += server.handle_input(&mut frames[at..]).0;
        }
    });
    let [failed, closed] = &lines[..] else { panic!("{lines:#?}") };
    assert!(failed.starts_with("1 DEBUG message=failed error=text message is not UTF-8"));
    assert!(failed.ends_with("(RFC 6455 section 8.1), at byte 24"), "{failed}");
    assert!(closed.starts_with("1 DEBUG message=closed code=1006 clean=false"), "{closed}");
    assert!(lines.iter().all(|line| !line.contains("SECRET")), "{lines:#?}");
}

#[test]
fn limits_and_slow_peers_are_told() {
    let lines = alone(|server| {
        let len = 17 << 20;
        let _ = server.handle_input(&mut wire::header(Side::Client, wire::BINARY, len));
    });
    assert!(lines[0].contains("error=frame of 17825792 bytes"), "{lines:#?}");
    let lines = alone(|server| {
        server.queue("unread").expect("open");
        server.transmit_blocked();
        server.transmit_blocked();
    });
    let slow = "1 TRACE message=the peer reads slowly queued=8";
    assert_eq!(lines[0], slow);
    assert!(lines.len() == 2 && lines[1].contains(ENDED), "it is told once: {lines:#?}");
}

#[test]
fn who_vanishes_is_told_once() {
    let lines = alone(Connection::handle_eof);
    let [failed, closed] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!(
        failed,
        "1 DEBUG message=failed error=the transport ended without a closing handshake"
    );
    assert!(closed.contains("code=1006") && closed.contains(ENDED), "{closed}");
}

#[test]
fn a_refusal_is_told() {
    let notes = Notes::default();
    with_default(notes.clone(), || {
        let mut world = World::new();
        let (near, far) = link(world.clock(), Conditions::default(), Conditions::default());
        let (asking, answering) = (world.clock().timer(), world.clock().timer());
        let client = Client::builder().header("Origin", "https://evil.example").build();
        let client = client.expect("a client");
        let server = Server::default();
        let deadline = asking.now() + Duration::from_secs(10);
        world.block_on(async move {
            let (opened, accepted) = join(
                connect_on(&client, "ws://example.org/?SECRET", near, asking, deadline),
                accept_on(&server, far, answering, deadline),
            )
            .await;
            assert!(opened.is_err() && accepted.is_err());
        });
    });
    let lines = notes.take();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].starts_with("0 DEBUG message=refused error="), "{lines:#?}");
    assert!(!lines[0].contains("SECRET"), "{lines:#?}");
}

/// The application may tell more in the same span.
#[test]
fn the_span_is_the_applications_as_well() {
    let notes = Notes::default();
    with_default(notes.clone(), || {
        let world = World::new();
        let (near, _far) = link(world.clock(), Conditions::default(), Conditions::default());
        let connection =
            Connection::new(Role::Server, Negotiated::default(), Config::default().into());
        let ws = WebSocket::new(connection, near, world.clock().timer());
        ws.span().record("peer", "192.0.2.7:4711");
    });
    assert!(notes.take().contains(&"1 peer=\"192.0.2.7:4711\"".to_owned()));
}
