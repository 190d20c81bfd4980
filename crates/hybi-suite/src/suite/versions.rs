//! Versions: clients of every version that was ever published at one server, at the same time, over real
//! sockets (RFC 6455 section 4.4, and what came before it).

use core::net::SocketAddr;
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    thread,
};

use hybi::{Client, CloseCode, Error, HandshakeError, Message, Server, Version};

use super::{Outcome, Running, Runtime, echo, listen_for, run, uri};
use crate::peer::{Address, Peer, listen};

/// Runs a server of these versions that accepts so many transports and echoes on all of them at once.
fn serve_all<R: Runtime>(
    versions: &[Version],
    transports: usize,
) -> (Address, Vec<Running<Result<Outcome, Error>>>) {
    let (listener, address) = listen_for::<R>();
    let server = Server::builder().versions(versions.iter().copied()).build();
    let serving = (0..transports).map(|_| {
        let (listener, server) = (listener.try_clone().expect("a listener"), server.clone());
        run::<R, _>(move || async move {
            let (stream, _) = listener.accept().expect("a client");
            let incoming = R::incoming(&server, stream).await?;
            Ok(echo(incoming.accept().await?).await)
        })
    });
    let serving = serving.collect();
    (address, serving)
}

/// Every version, hixie-76 twice: its clients may name draft 0 or none; and hybi-03, which may be 2 or 3.
fn wires() -> Vec<(Version, Option<u8>)> {
    let all = Version::ALL.into_iter().map(|version| (version, None));
    all.chain([(Version::HIXIE_76, Some(0)), (Version::HYBI_03, Some(3))]).collect()
}

fn client((version, draft): (Version, Option<u8>)) -> Client {
    let client = Client::builder().version(version);
    let client = match draft {
        Some(value) => client.version_header(&value.to_string()),
        None => client,
    };
    client.build().expect("a version that is spoken")
}

/// Connects a client of each kind to `address`, and lets all of them talk at once.
fn talk_in_every_version<R: Runtime>(address: SocketAddr, long: usize) {
    let talking: Vec<_> = wires()
        .into_iter()
        .map(|wire| {
            run::<R, _>(move || async move {
                let connecting = R::connect_with(&client(wire), &uri::<R>(address)).await;
                let (mut ws, _) = connecting.unwrap_or_else(|error| panic!("{wire:?}: {error}"));
                assert_eq!(ws.version(), wire.0);
                let mut messages: Vec<_> =
                    ["", "hello", "κόσμε 漢字"].into_iter().map(Message::text).collect();
                messages.push(Message::text("long ".repeat(long)));
                if ws.capabilities().binary {
                    messages.push(Message::binary(vec![0xff; long]));
                }
                for message in messages {
                    ws.send(message.clone()).await.expect("open");
                    assert_eq!(ws.recv().await.expect("open"), Some(message), "{wire:?}");
                }
                let status = ws.close(CloseCode::NORMAL, "").await.expect("an end");
                assert!(status.is_clean(), "{wire:?}: {status:?}");
            })
        })
        .collect();
    talking.into_iter().for_each(Running::join);
}

fn all_ended_in_order(serving: Vec<Running<Result<Outcome, Error>>>) {
    for ended in serving {
        let outcome = ended.join().expect("a connection");
        assert!(outcome.error.is_none() && outcome.status.is_clean(), "{outcome:?}");
    }
}

/// One port, one server, every version at the same time.
pub fn speaks_every_version<R: Runtime>() {
    let (address, serving) = serve_all::<R>(&Version::ALL, wires().len());
    talk_in_every_version::<R>(address.socket, 40_000);
    all_ended_in_order(serving);
}

/// The same through relays that write one byte at a time.
pub fn speaks_every_version_byte_by_byte<R: Runtime>() {
    let (address, serving) = serve_all::<R>(&Version::ALL, wires().len());
    let (listener, relayed) = listen();
    let relays: Vec<_> = wires().iter().map(|_| relay(&listener, address.socket)).collect();
    talk_in_every_version::<R>(relayed, 200);
    all_ended_in_order(serving);
    for relay in relays {
        relay.join().expect("a relay that ended");
    }
}

/// Accepts one client and carries what it and the server say, byte by byte.
fn relay(listener: &TcpListener, server: SocketAddr) -> thread::JoinHandle<()> {
    let listener = listener.try_clone().expect("a listener");
    thread::spawn(move || {
        let (client, _) = listener.accept().expect("a client");
        let server = TcpStream::connect(server).expect("the server");
        let back = (server.try_clone().expect("a socket"), client.try_clone().expect("a socket"));
        let returning = thread::spawn(move || carry(back.0, back.1));
        carry(client, server);
        returning.join().expect("the way back");
    })
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    to.set_nodelay(true).expect("a socket");
    let mut chunk = [0; 4096];
    while let Ok(len @ 1..) = from.read(&mut chunk) {
        if chunk[..len].chunks(1).any(|byte| to.write_all(byte).is_err()) {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// The client asks again on another connection, for a version that the server lists.
pub fn falls_back<R: Runtime>() {
    let (address, serving) = serve_all::<R>(&[Version::HYBI_06, Version::HYBI_04], 2);
    let client = Client::builder().fallback([Version::HYBI_08, Version::HYBI_06]).build();
    let asking = run::<R, _>(move || async move {
        let client = client.expect("versions that are spoken");
        let connecting = R::connect_with(&client, &uri::<R>(address)).await;
        let (mut ws, _) = connecting.expect("a version in common");
        assert_eq!(ws.version(), Version::HYBI_06);
        ws.close(CloseCode::NORMAL, "").await.expect("an end");
    });
    asking.join();
    let outcomes: Vec<_> = serving.into_iter().map(Running::join).collect();
    let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    let refused: Vec<_> = refused.filter_map(Error::handshake).collect();
    assert!(matches!(refused[..], [HandshakeError::UnsupportedVersion { .. }]), "{outcomes:?}");
}

/// Clients of the time took liberties, and servers bore them: no origin, where the policy allows none, is
/// none in the answer, and before version 13 a key is any base64.
pub fn bears_what_old_clients_do<R: Runtime>() {
    const TWO_KEYS: &str = "Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\n\
        Sec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\r\n^n:ds[4U";
    const HELLO: &[u8] = b"\x00Hello\xff";
    const MASKED: &[u8] = b"\x81\x85\0\0\0\0Hello";
    let short_key = "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: OC0xNzk1NzI5OTYzOTY3\r\n\r\n";
    for (fields, answer, sent, echoed) in [
        ("\r\n", &b""[..], HELLO, HELLO),
        (TWO_KEYS, b"8jKS'y:G*Co,Wxa-", HELLO, HELLO),
        (short_key, b"", MASKED, b"\x81\x05Hello"),
    ] {
        let (address, serving) = serve_all::<R>(&Version::ALL, 1);
        let mut peer = Peer::connect(address);
        peer.send(format!(
            "GET /demo HTTP/1.1\r\nHost: example.com\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n{fields}"
        ));
        let head = peer.read_head();
        assert_eq!(head.status(), 101, "{fields}");
        assert!(head.fields.iter().all(|(name, _)| !name.ends_with("-Origin")), "{head:?}");
        let mut behind = vec![0; answer.len() + echoed.len()];
        peer.send(sent);
        peer.read_raw(&mut behind);
        assert_eq!(behind, [answer, echoed].concat(), "{fields}");
        drop(peer);
        for serving in serving {
            serving.join().expect("accepted");
        }
    }
}
