//! Each error of this crate, as a peer, a transport, the clock or the caller produces it.

use core::{convert::Infallible, future::pending, net::SocketAddr, pin::pin, time::Duration};
use std::{io, sync::Arc, time::Instant};

use futures_util::AsyncReadExt as _;
use hybi::{
    ByteStream, Client, CloseCode, CloseFrame, Compress, Config, Connection, Deadline, Error,
    Message, MessageKind, Negotiated, OpeningError, ProxyError, RedirectError, Role, WebSocket,
    WsUri,
    handshake::FieldError,
    http::Request,
    io::Timer as _,
    opening::{Dial, connect, connect_on, dial, tls, without_tls},
    proxy::Proxies,
};
use hybi_suite::produced;

use crate::support::{
    clock::{Clock, ClockTimer},
    link::{End, Far, Manners, link},
    tasks::{Task, poll_at_most},
};

const HOUR: Duration = Duration::from_secs(3600);

fn server() -> Connection {
    Connection::new(Role::Server, Negotiated::default(), Config::default().into())
}

/// A server to which something happened.
fn after(happens: impl FnOnce(&mut Connection)) -> Error {
    let mut server = server();
    happens(&mut server);
    server.error().cloned().expect("it failed")
}

/// A server, an hour after something happened; its deadlines began to run with it.
fn in_an_hour(config: Config, happens: impl FnOnce(&mut Connection)) -> Error {
    let mut server = Connection::new(Role::Server, Negotiated::default(), config.into());
    happens(&mut server);
    let mut now = Instant::now();
    let end = now + HOUR;
    while let Some(due) = server.poll_timeout(|| now).filter(|due| *due <= end) {
        now = due;
        server.handle_timeout(now);
    }
    server.error().cloned().expect("a deadline passed")
}

/// What a caller gets for a message that cannot be sent.
fn refused(message: impl Into<Message>, happened: impl FnOnce(&mut Connection)) -> Error {
    let mut server = server();
    happened(&mut server);
    server.queue(message.into()).expect_err("refused").error().clone()
}

/// What a client gets whose server does this.
fn opening(server: impl FnOnce(&Far)) -> Error {
    let clock = Clock::new();
    let (end, far) = link(Manners::PLAIN);
    let client = Client::default();
    let deadline = client.config().handshake_deadline(clock.now());
    let opening = pin!(connect_on(&client, "ws://example.org/", end, clock.timer(), deadline));
    server(&far);
    let opened = poll_at_most(10, opening, || clock.advance(HOUR)).expect("an end");
    opened.map(drop).expect_err("it fails")
}

/// What a step before the handshake fails of.
fn step<T>(step: impl AsyncFnOnce(&mut ClockTimer, Instant) -> Result<T, Error>) -> OpeningError {
    let clock = Clock::new();
    let mut timer = clock.timer();
    let deadline = timer.now() + Duration::from_secs(10);
    let step = pin!(step(&mut timer, deadline));
    let failed = poll_at_most(10, step, || clock.advance(HOUR)).expect("an end");
    let Err(Error::Opening(error)) = failed else { panic!("no step of the way") };
    Arc::into_inner(error).expect("the only owner")
}

/// What comes of dialling when the lookup gives this and nobody listens.
fn dialling(found: io::Result<Vec<SocketAddr>>) -> OpeningError {
    step(async |timer, deadline| {
        let nobody = |_| async { Err::<(), _>(io::ErrorKind::ConnectionRefused.into()) };
        dial(("example.org", 80), timer, deadline, async { found }, nobody).await
    })
}

/// The end of a transport that reports an error while a client waits for the answer.
struct Broken;

impl hybi::io::Transport for Broken {
    fn poll_read(
        &mut self,
        _: &mut core::task::Context<'_>,
        _: &mut [u8],
    ) -> core::task::Poll<io::Result<usize>> {
        core::task::Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }

    fn poll_write(
        &mut self,
        _: &mut core::task::Context<'_>,
        _: &[io::IoSlice<'_>],
    ) -> core::task::Poll<io::Result<usize>> {
        core::task::Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }

    fn poll_flush(&mut self, _: &mut core::task::Context<'_>) -> core::task::Poll<io::Result<()>> {
        core::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        &mut self,
        _: &mut core::task::Context<'_>,
    ) -> core::task::Poll<io::Result<()>> {
        core::task::Poll::Ready(Ok(()))
    }
}

fn reset_during_the_handshake() -> OpeningError {
    let client = Client::default();
    step(async |timer, deadline| {
        connect_on(&client, "ws://example.org/", Broken, timer.clone(), deadline).await
    })
}

#[test]
fn by_peers_and_transports() {
    let reset = || io::Error::from(io::ErrorKind::ConnectionReset);
    produced! {
        Error::Protocol(_) => after(|server| drop(server.handle_input(&mut [0x81, 0x00]))),
        Error::Transport(_) => after(|server| server.handle_transport_error(reset())),
        Error::Lost => after(Connection::handle_eof),
        Error::Handshake(_) => opening(|far| far.put(b"HTTP/1.1 204 No Content\r\n\r\n")),
        Error::Opening(_) => Error::from(reset_during_the_handshake()),
    }
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    produced! {
        OpeningError::Resolve { .. } => dialling(Err(io::Error::other("no such name"))),
        OpeningError::Connect { .. } => dialling(Ok(vec![nowhere])),
        OpeningError::Unix { .. } => step(async |_, _| {
            let dial = OneWay { addresses: Vec::new(), answer: None, clock: Clock::new() };
            connect(&dial, &Client::default(), "ws+unix:/run/chat.socket").await
        }),
        OpeningError::Tls { .. } => step(async |timer, deadline| {
            tls("example.org", timer, deadline, async { Err::<(), _>(reset()) }).await
        }),
        OpeningError::Handshake(_) => reset_during_the_handshake(),
    }
}

#[test]
fn by_the_clock() {
    let quiet = || Config::default().ping_interval(None);
    produced! {
        Error::Timeout(Deadline::Handshake) => opening(|_| {}),
        Error::Timeout(Deadline::Pong) => in_an_hour(Config::default(), |_| {}),
        Error::Timeout(Deadline::Idle) => {
            in_an_hour(quiet().idle_timeout(Some(Duration::from_secs(60))), |_| {})
        },
        Error::Timeout(Deadline::Write) => in_an_hour(quiet(), |server| {
            server.queue("unread").expect("open");
            server.transmit_blocked();
        }),
        Error::Timeout(Deadline::Close) => in_an_hour(quiet(), |server| {
            server.queue(Message::Close(None)).expect("open");
            let _ = server.transmit_to_vec();
        }),
    }
}

#[test]
fn by_callers() {
    let close = CloseFrame::new(CloseCode::from(1010), "").expect("a client's");
    produced! {
        Error::Closed => refused("late", |server| {
            server.queue(Message::Close(None)).expect("open");
        }),
        Error::CloseFrame(_) => refused(Message::Close(Some(close)), |_| {}),
        Error::ControlTooLong { len: 126 } => refused(Message::Ping(vec![0; 126].into()), |_| {}),
        Error::Full => full(),
        Error::NotBytes => {
            let (end, far) = link(Manners::PLAIN);
            let ws = WebSocket::new(server(), end, Clock::new().timer());
            far.put(&[0x81, 0x80, 0, 0, 0, 0]);
            far.end();
            let mut stream = ByteStream::of_messages(ws);
            let read = poll_at_most(10, pin!(stream.read(&mut [0; 10])), || {});
            let error = read.expect("it is there").expect_err("text");
            error.downcast::<Error>().expect("an error of ours")
        },
        Error::NotUtf8 { offset: 2 } => {
            let mut server = server();
            server.begin_message(MessageKind::Text, Compress::Auto).expect("open");
            server.queue_piece(b"ab\xff", false).expect_err("no text")
        },
        Error::Unfinished => after(|server| {
            server.begin_message(MessageKind::Text, Compress::Auto).expect("open");
            server.queue_piece(b"half", false).expect("open");
            server.abandon_message();
        }),
        Error::Uri(_) => Client::default().prepare("http://a/").map(drop).expect_err("a mistake"),
        Error::TlsNotCompiledIn { feature: "tls" } => {
            let uri = "wss://example.org/".parse().expect("a URI");
            without_tls(&uri, "tls").expect_err("it is secure")
        },
        Error::Field(FieldError::NotGet) => {
            let post = Request::post("ws://example.org/").body(()).expect("a request");
            Client::default().prepare(post).map(drop).expect_err("a mistake")
        },
    }
}

/// What is on the way to a server.
#[test]
fn by_proxies_redirects_and_the_environment() {
    let reach = |proxy: &str, addresses: &[SocketAddr], answer| {
        let client = Client::builder().proxy(proxy).build().expect("a proxy");
        let dial = OneWay { addresses: addresses.to_vec(), answer, clock: Clock::new() };
        let connecting = pin!(connect(&dial, &client, "ws://example.org/"));
        let connected = poll_at_most(10, connecting, || dial.clock.advance(HOUR)).expect("an end");
        let Err(Error::Opening(step)) = connected else { panic!("no step of the way") };
        let Ok(OpeningError::Proxy { error, .. }) = Arc::try_unwrap(step) else {
            panic!("no proxy")
        };
        error
    };
    let there = [SocketAddr::from(([127, 0, 0, 1], 1080)); 2];
    let one = &there[..1];
    let refusal = Some(&b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"[..]);
    produced! {
        ProxyError::Unreachable(_) => reach("proxy", &[], None),
        ProxyError::Refused(_) => reach("proxy", one, refusal),
        ProxyError::Addresses { .. } => reach("socks5://proxy", &there, Some(b"\x05\x00\x05\x05")),
        ProxyError::Transport(_) => reach("proxy", one, None),
    }
    let proxy = "proxy".parse().expect("a proxy");
    produced! {
        OpeningError::Proxy { .. } => OpeningError::Proxy {
            proxy,
            error: reach("proxy", one, refusal),
        },
    }
    let redirected = |uri: &str, location: &str| {
        let client = Client::builder().follow_redirects(1).build().expect("lawful");
        let uri = uri.parse().expect("a URI");
        let answer =
            format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let refusal = || client.handshake(&uri).handle_input(answer.as_bytes()).expect_err("none");
        let Some((next, uri)) = client.redirect(&uri, &refusal())? else { panic!("a redirect") };
        // And once more.
        next.redirect(&uri, &refusal()).map(drop)
    };
    let why = |uri: &str, location: &str| {
        let error = redirected(uri, location).expect_err("it leads nowhere");
        let Error::Redirect(why) = error else { panic!("{error:?}") };
        (*why).clone()
    };
    let variable = |name: &str| (name == "all_proxy").then(|| "ftp://proxy".to_owned());
    produced! {
        RedirectError::TooMany { followed: 1 } => why("ws://a/", "/b"),
        RedirectError::Downgrade { .. } => why("wss://a/", "ws://a/"),
        RedirectError::Ambiguous { locations: 2 } => why("ws://a/", "/b\r\nLocation: /b"),
        RedirectError::Location { .. } => why("ws://a/", "ftp://a/"),
        Error::Redirect(_) => redirected("ws://a/", "/b").expect_err("it leads nowhere"),
        Error::Environment(_) => Error::from(Proxies::of_variables(variable).expect_err("no proxy")),
    }
}

/// A way to one peer, who says this and then is silent.
struct OneWay {
    addresses: Vec<SocketAddr>,
    answer: Option<&'static [u8]>,
    clock: Clock,
}

impl Dial for OneWay {
    type Tls = Infallible;
    type Transport = End;
    type Timer = ClockTimer;

    fn timer(&self) -> ClockTimer {
        self.clock.timer()
    }

    async fn look_up(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(self.addresses.clone())
    }

    async fn connect(&self, _: SocketAddr) -> io::Result<End> {
        let (end, far) = link(Manners::PLAIN);
        if let Some(answer) = self.answer {
            far.put(answer);
        }
        Ok(end)
    }

    fn tls(&self, _: &WsUri) -> Result<Option<Infallible>, Error> {
        Ok(None)
    }

    async fn secure(&self, tls: Infallible, _: End) -> io::Result<End> {
        match tls {}
    }
}

/// A message that finds the outbox full.
fn full() -> Error {
    let (end, _far) = link(Manners { capacity: 1, ..Manners::PLAIN });
    let config = Config::default().outbox_limit(1);
    let own = Connection::new(Role::Server, Negotiated::default(), config.into());
    let mut socket = WebSocket::new(own, end, Clock::new().timer());
    socket.try_send("alone").expect("nothing waits");
    assert!(Task::new().poll(pin!(socket.flush())).is_pending());
    socket.try_send("and another").expect_err("full").error().clone()
}

#[cfg(feature = "legacy")]
#[test]
fn by_callers_that_ask_an_old_version_for_what_it_lacks() {
    use hybi::{Unsupported, Version, legacy::Terms};

    let lacks = |message: Message| {
        let negotiated = Negotiated::default().with_terms(Terms::new(Version::HIXIE_76).unwrap());
        let mut server = Connection::new(Role::Server, negotiated, Config::default().into());
        server.queue(message).expect_err("it has none").error().clone()
    };
    let close = CloseFrame::new(CloseCode::GOING_AWAY, "").expect("a code");
    produced! {
        Error::Unsupported { what: Unsupported::Binary, .. } => lacks(Message::from(vec![0])),
        Error::Unsupported { what: Unsupported::Ping, .. } => lacks(Message::Ping("".into())),
        Error::Unsupported { what: Unsupported::CloseCode, .. } => lacks(Message::Close(Some(close))),
        Error::Unsupported { what: Unsupported::Fragments, .. } => {
            let negotiated =
                Negotiated::default().with_terms(Terms::new(Version::HIXIE_75).unwrap());
            let mut server = Connection::new(Role::Server, negotiated, Config::default().into());
            server.begin_message(MessageKind::Text, Compress::Auto).expect_err("it has none")
        },
    }
}

/// [`pending`] is how a lookup that never ends looks; it is [`OpeningError::Resolve`] as well.
#[test]
fn a_lookup_without_an_end_is_the_same_step() {
    let late = step(async |timer, deadline| {
        let connect = |_| async { Ok(()) };
        dial(("example.org", 80), timer, deadline, pending::<io::Result<Vec<_>>>(), connect).await
    });
    assert!(matches!(late, OpeningError::Resolve { .. }), "{late}");
}
