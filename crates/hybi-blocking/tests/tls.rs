//! `wss`: TLS on both sides, with threads that wait for it (RFC 6455 sections 3, 4.1 and 10.6).

#![cfg(feature = "rustls")]

use core::time::Duration;
use std::{
    io,
    net::TcpListener,
    sync::Arc,
    thread::{self, JoinHandle},
};

use hybi_blocking::{
    Client, CloseCode, CloseStatus, Config, Connector, Error, HandshakeError, Message,
    OpeningError, Server, Stream, WebSocket,
    http::StatusCode,
    rustls::{ClientConfig, ProtocolVersion, ServerConfig},
};
use hybi_suite::{
    certificate,
    peer::listen,
    suite::{MORE_THAN_BUFFERS, bounded},
};

fn configurations() -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    certificate::configurations(&["localhost"])
}

type Serving<O> = JoinHandle<Result<O, Error>>;

/// A server for `localhost` that does this with one connection; its port, and a client configuration that trusts it.
fn serve<O: Send + 'static>(
    serve: impl FnOnce(WebSocket) -> Result<O, Error> + Send + 'static,
) -> (u16, Arc<ClientConfig>, Serving<O>) {
    let (config, client) = configurations();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept()?;
        serve(hybi_blocking::accept_tls(&Server::default(), &config, stream)?)
    });
    (port, client, thread)
}

fn echo(mut ws: WebSocket) -> Result<CloseStatus, Error> {
    while let Some(message) = ws.recv()? {
        ws.feed(message)?;
    }
    Ok(ws.close_status().expect("an end"))
}

fn connect(port: u16, config: Arc<ClientConfig>) -> WebSocket {
    let uri = format!("wss://localhost:{port}/");
    Connector::new().rustls(config).connect(&Client::default(), uri).unwrap().0
}

#[test]
fn messages_and_the_close_pass_through_tls() {
    bounded("messages_and_the_close_pass_through_tls", || {
        let (port, config, server) = serve(echo);
        let mut ws = connect(port, config);
        let Stream::Tls(stream) = ws.transport() else { panic!("no TLS") };
        assert_eq!(stream.session().protocol_version(), Some(ProtocolVersion::TLSv1_3));
        assert!(stream.get_ref().get_ref().nodelay().unwrap());
        for len in [0, 1, 125, 126, 16 * 1024, 65_536, 1024 * 1024, 5_000_000] {
            let message = Message::binary(vec![len as u8; len]);
            ws.send(message.clone()).unwrap();
            assert_eq!(ws.recv().unwrap(), Some(message));
        }
        let status = ws.close(CloseCode::NORMAL, "done").unwrap();
        assert!(status.is_clean());
        let status = server.join().unwrap().unwrap();
        assert!(status.is_clean());
        assert_eq!(status.reason(), "done");
    });
}

#[test]
fn pipelined_messages_pass_through_tls() {
    bounded("pipelined_messages_pass_through_tls", || {
        let (port, config, server) = serve(echo);
        let mut ws = connect(port, config);
        for n in 0..1000 {
            ws.feed(format!("message {n}")).unwrap();
        }
        for n in 0..1000 {
            assert_eq!(ws.recv().unwrap(), Some(Message::text(format!("message {n}"))));
        }
        drop(ws);
        let lost = server.join().unwrap().unwrap_err();
        assert!(lost.is_closed(), "{lost}");
    });
}

/// Both directions are full at the same time, and both have to go on.
#[test]
fn both_directions_are_on_their_way_through_one_session() {
    bounded("both_directions_are_on_their_way_through_one_session", || {
        let exchange = |ws: WebSocket| {
            let (mut sender, mut receiver) = ws.split();
            let sending = thread::spawn(move || {
                sender.send(vec![5; MORE_THAN_BUFFERS - 1])?;
                Ok::<_, Error>(sender)
            });
            let len = receiver.recv()?.expect("a message").len();
            let sender = sending.join().expect("no panic")?;
            Ok::<_, Error>((len, receiver.reunite(sender).expect("both are here")))
        };
        let (port, config, server) = serve(move |ws| {
            let (len, ws) = exchange(ws)?;
            echo(ws)?;
            Ok(len)
        });
        let (len, mut ws) = exchange(connect(port, config)).unwrap();
        assert_eq!(len, MORE_THAN_BUFFERS - 1);
        ws.close(CloseCode::NORMAL, "").unwrap();
        assert_eq!(server.join().unwrap().unwrap(), MORE_THAN_BUFFERS - 1);
    });
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    bounded("a_certificate_for_another_name_is_refused", || {
        let (port, config, server) = serve(echo);
        let connector = Connector::new().rustls(config);
        let uri = format!("wss://127.0.0.1:{port}/");
        let error = connector.connect(&Client::default(), &uri).unwrap_err();
        assert_eq!(error.io_error().map(io::Error::kind), Some(io::ErrorKind::InvalidData));
        let told = error.to_string();
        assert!(told.starts_with("TLS with 127.0.0.1: invalid peer certificate"), "{told}");
        // The server is told why.
        let told = server.join().unwrap().unwrap_err().to_string();
        assert!(told.contains("BadCertificate") || told.contains("alert"), "{told}");
    });
}

#[test]
fn a_client_without_tls_is_told_so() {
    bounded("a_client_without_tls_is_told_so", || {
        let (port, _, server) = serve(echo);
        let uri = format!("ws://127.0.0.1:{port}/");
        let error = hybi_blocking::connect_with(&Client::default(), &uri).unwrap_err();
        // The server answers with a TLS alert.
        let Some(error) = error.handshake() else { panic!("{error}") };
        assert!(error.to_string().contains("TLS"), "{error}");
        assert!(server.join().unwrap().is_err());
    });
}

#[test]
fn through_tls_the_origin_of_the_server_is_https() {
    bounded("through_tls_the_origin_of_the_server_is_https", || {
        for (scheme, accepted) in [("https", true), ("http", false)] {
            let (port, config, server) = serve(echo);
            let connector = Connector::new().rustls(config);
            let origin = format!("{scheme}://localhost:{port}");
            let client = Client::builder().origin(&origin).build().unwrap();
            let uri = format!("wss://localhost:{port}/");
            let connected = connector.connect(&client, &uri);
            if accepted {
                connected.unwrap().0.close(CloseCode::NORMAL, "").unwrap();
                server.join().unwrap().unwrap();
            } else {
                let refused = connected.unwrap_err();
                let Some(HandshakeError::Rejected(response)) = refused.handshake() else {
                    panic!("{refused}");
                };
                assert_eq!(response.status(), StatusCode::FORBIDDEN);
                let refused = server.join().unwrap().unwrap_err();
                assert!(matches!(refused.handshake(), Some(HandshakeError::Origin(_))));
            }
        }
    });
}

#[test]
fn a_server_that_says_nothing_is_left_at_the_deadline() {
    bounded("a_server_that_says_nothing_is_left_at_the_deadline", || {
        let (listener, address) = listen();
        let config = Config::default().handshake_timeout(Duration::from_millis(50));
        let client = Client::builder().config(config).build().unwrap();
        let connector = Connector::new().rustls(configurations().1);
        let uri = format!("wss://localhost:{}/", address.port());
        let error = connector.connect(&client, uri).unwrap_err();
        let Error::Opening(opening) = &error else { panic!("{error:?}") };
        let OpeningError::Tls { error, .. } = &**opening else { panic!("{opening:?}") };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(listener);
    });
}

/// A peer whose transport ends without a goodbye of TLS may have been cut by anybody.
#[test]
fn an_end_without_goodbye_is_no_end_in_order() {
    bounded("an_end_without_goodbye_is_no_end_in_order", || {
        let (port, config, server) = serve(|ws| {
            ws.transport().tcp().shutdown(std::net::Shutdown::Both)?;
            Ok(())
        });
        let mut ws = connect(port, config);
        let error = ws.recv().expect_err("it was cut");
        assert!(matches!(error, Error::Lost | Error::Transport(_)), "{error:?}");
        server.join().unwrap().unwrap();
    });
}
