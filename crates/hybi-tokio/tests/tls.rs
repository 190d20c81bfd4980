//! `wss`: TLS on both sides (RFC 6455 sections 3, 4.1 and 10.6).

#![cfg(feature = "rustls")]

use core::{future::Future, time::Duration};
use std::{io::ErrorKind, sync::Arc};

use futures_util::FutureExt as _;
use hybi_suite::{certificate, peer::REQUEST, suite::bounded};
use hybi_testkit::wire::{self, BINARY, Side};
use hybi_tokio::{
    Client, CloseCode, CloseStatus, Connector, Deadline, Error, HandshakeError, Message, Server,
    TlsAcceptor, TlsConnector,
    http::{self, StatusCode},
    rustls::{ClientConfig, ProtocolVersion},
    tokio_rustls::client::TlsStream,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex},
    net::{TcpListener, TcpStream},
    runtime,
    task::{JoinHandle, yield_now},
    time::{Instant, advance},
};

/// TLS for a server with a certificate for `localhost`, and a client configuration that trusts it.
fn configurations() -> (TlsAcceptor, Arc<ClientConfig>) {
    let (server, client) = certificate::configurations(&["localhost"]);
    (server.into(), client)
}

fn block_on(test: impl Future<Output = ()>) {
    let mut runtime = runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(test);
}

/// A server for `localhost` that echoes on one connection; its port, and a client configuration that trusts
/// it.
async fn serve_echo() -> (u16, Arc<ClientConfig>, JoinHandle<Result<CloseStatus, Error>>) {
    let (acceptor, client) = configurations();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut ws = hybi_tokio::accept_tls(&Server::default(), &acceptor, stream).await?;
        while let Some(message) = ws.recv().await? {
            ws.feed(message).await?;
        }
        Ok(ws.close_status().expect("an end"))
    });
    (port, client, task)
}

#[test]
fn messages_and_the_close_pass_through_tls() {
    bounded("messages_and_the_close_pass_through_tls", || {
        block_on(async {
            let (port, config, server) = serve_echo().await;
            let connector = Connector::new().rustls(config);
            let uri = format!("wss://localhost:{port}/");
            let (mut ws, _) = connector.connect(&Client::default(), &uri).await.unwrap();
            for len in [0, 1, 125, 126, 16 * 1024, 65_536, 1024 * 1024, 5_000_000] {
                let message = Message::binary(vec![len as u8; len]);
                ws.send(message.clone()).await.unwrap();
                assert_eq!(ws.recv().await.unwrap(), Some(message));
            }
            let status = ws.close(CloseCode::NORMAL, "done").await.unwrap();
            assert!(status.is_clean());
            let status = server.await.unwrap().unwrap();
            assert!(status.is_clean());
            assert_eq!(status.reason(), "done");
        })
    });
}

#[test]
fn pipelined_messages_pass_through_tls() {
    bounded("pipelined_messages_pass_through_tls", || {
        block_on(async {
            let (port, config, server) = serve_echo().await;
            let connector = Connector::new().rustls(config);
            let uri = format!("wss://localhost:{port}/");
            let (mut ws, _) = connector.connect(&Client::default(), &uri).await.unwrap();
            for n in 0..1000 {
                ws.feed(format!("message {n}")).await.unwrap();
            }
            for n in 0..1000 {
                assert_eq!(ws.recv().await.unwrap(), Some(Message::text(format!("message {n}"))));
            }
            drop(ws);
            let lost = server.await.unwrap().unwrap_err();
            assert!(lost.is_closed(), "{lost}");
        })
    });
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    bounded("a_certificate_for_another_name_is_refused", || {
        block_on(async {
            let (port, config, server) = serve_echo().await;
            let connector = Connector::new().rustls(config);
            let uri = format!("wss://127.0.0.1:{port}/");
            let error = connector.connect(&Client::default(), &uri).await.unwrap_err();
            assert_eq!(error.io_error().map(std::io::Error::kind), Some(ErrorKind::InvalidData));
            let told = error.to_string();
            assert!(told.starts_with("TLS with 127.0.0.1: invalid peer certificate"), "{told}");
            assert!(server.await.unwrap().is_err());
        })
    });
}

#[test]
fn a_client_without_tls_is_told_so() {
    bounded("a_client_without_tls_is_told_so", || {
        block_on(async {
            let (port, _, server) = serve_echo().await;
            let uri = format!("ws://127.0.0.1:{port}/");
            let client = Client::default();
            let error = hybi_tokio::connect_with(&client, &uri).await.unwrap_err();
            // The server answers with a TLS alert.
            let Some(error) = error.handshake() else { panic!("{error}") };
            assert!(error.to_string().contains("TLS"), "{error}");
            assert!(server.await.unwrap().is_err());
        })
    });
}

#[test]
fn through_tls_the_origin_of_the_server_is_https() {
    bounded("through_tls_the_origin_of_the_server_is_https", || {
        block_on(async {
            for (scheme, accepted) in [("https", true), ("http", false)] {
                let (port, config, server) = serve_echo().await;
                let connector = Connector::new().rustls(config);
                let origin = format!("{scheme}://localhost:{port}");
                let client = Client::builder().origin(&origin).build().unwrap();
                let uri = format!("wss://localhost:{port}/");
                let connected = connector.connect(&client, &uri).await;
                if accepted {
                    connected.unwrap().0.close(CloseCode::NORMAL, "").await.unwrap();
                    server.await.unwrap().unwrap();
                } else {
                    let refused = connected.unwrap_err();
                    let Some(HandshakeError::Rejected(response)) = refused.handshake() else {
                        panic!("{refused}");
                    };
                    assert_eq!(response.status(), StatusCode::FORBIDDEN);
                    let refused = server.await.unwrap().unwrap_err();
                    assert!(matches!(refused.handshake(), Some(HandshakeError::Origin(_))));
                }
            }
        })
    });
}

/// Ends the sending half under TLS, which says no goodbye so.
#[cfg(unix)]
fn end_tcp(stream: &TcpStream) {
    use std::os::fd::AsFd;
    let same = std::net::TcpStream::from(stream.as_fd().try_clone_to_owned().unwrap());
    same.shutdown(std::net::Shutdown::Write).unwrap();
}

#[cfg(unix)]
#[test]
fn a_peer_that_leaves_tls_without_a_word_is_lost_in_each_phase() {
    bounded("a_peer_that_leaves_tls_without_a_word_is_lost_in_each_phase", || {
        block_on(async {
            let (acceptor, config) = configurations();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let uri = format!("wss://localhost:{port}/");
            let connector = Connector::new().rustls(config.clone());
            let (client, server) = (Client::default(), Server::default());

            // While opening, as client: the server leaves behind TLS.
            let leaving = async {
                let (stream, _) = listener.accept().await.unwrap();
                drop(acceptor.accept(stream).await.unwrap());
            };
            let (error, ()) = tokio::join!(connector.connect(&client, &uri), leaving);
            let error = error.unwrap_err();
            let eof = matches!(error.handshake(), Some(HandshakeError::UnexpectedEof { .. }));
            assert!(eof || error.is_closed(), "{error}");

            // As server: the client leaves in the middle of its request.
            let leaving = async {
                let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let name = "localhost".try_into().unwrap();
                let mut client = TlsConnector::from(config).connect(name, stream).await.unwrap();
                client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
                client.flush().await.unwrap();
            };
            let accepting = async {
                let (stream, _) = listener.accept().await.unwrap();
                hybi_tokio::accept_tls(&server, &acceptor, stream).await
            };
            let (error, ()) = tokio::join!(accepting, leaving);
            let error = error.unwrap_err();
            let eof = matches!(error.handshake(), Some(HandshakeError::UnexpectedEof { .. }));
            assert!(eof, "{error}");

            // Open, in both roles, and with our Close frame sent.
            for (leaves, closes) in [("client", false), ("server", false), ("client", true)] {
                let accepting = async {
                    let (stream, _) = listener.accept().await.unwrap();
                    hybi_tokio::accept_tls(&server, &acceptor, stream).await
                };
                let connecting = connector.connect(&client, &uri);
                let (theirs, ours) = tokio::join!(accepting, connecting);
                let (mut theirs, mut ours) = (theirs.unwrap(), ours.unwrap().0);
                if closes {
                    theirs.send(Message::Close(None)).await.unwrap();
                }
                let lost = if leaves == "client" {
                    end_tcp(ours.transport().get_ref().tcp());
                    theirs.recv().await
                } else {
                    end_tcp(theirs.transport().get_ref().tcp());
                    ours.recv().await
                };
                assert!(matches!(lost, Err(Error::Lost)), "{leaves}: {lost:?}");
            }
        })
    });
}

/// A peer that sends its Close frame and leaves without reading the answer, or anything else: what we
/// sent makes its end of TCP a reset.
#[test]
fn a_reset_behind_the_peers_close_is_no_error_over_tls() {
    bounded("a_reset_behind_the_peers_close_is_no_error_over_tls", || {
        block_on(async {
            let (acceptor, config) = configurations();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let connector = Connector::new().rustls(config);
            let leaving = async {
                let (stream, _) = listener.accept().await.unwrap();
                let server = Server::default();
                let mut ws = hybi_tokio::accept_tls(&server, &acceptor, stream).await.unwrap();
                ws.send(Message::Close(None)).await.unwrap();
                // Unread bytes turn the end of a socket into a reset.
                ws.transport().get_ref().tcp().readable().await.unwrap();
            };
            let receiving = async {
                let uri = format!("wss://localhost:{port}/");
                let (mut ws, _) = connector.connect(&Client::default(), &uri).await.unwrap();
                ws.send(vec![0; 64 * 1024]).await.unwrap();
                ws
            };
            let ((), mut ws) = tokio::join!(leaving, receiving);
            let over = ws.recv().await;
            assert!(matches!(over, Ok(None)), "{over:?}");
            assert_eq!(ws.close_status().map(|status| status.code()), Some(CloseCode::NO_STATUS));
        })
    });
}

/// A transport with less room than a handshake has to say, under TLS 1.3, whose server goes on talking
/// when the client believes the handshake to be over: neither end may stop reading while it writes.
#[test]
fn the_opening_passes_through_tls_over_a_transport_with_little_room() {
    bounded("the_opening_passes_through_tls_over_a_transport_with_little_room", || {
        block_on(async {
            tokio::time::pause();
            let (acceptor, config) = configurations();
            for room in [64, 1000] {
                for refused in [false, true] {
                    let (near, far) = duplex(room);
                    let server = async {
                        let server = Server::default();
                        let incoming = hybi_tokio::incoming_tls_on(&server, &acceptor, far).await?;
                        if refused {
                            let page = "a page ".repeat(1000);
                            let response = http::Response::builder().status(404).body(page);
                            incoming.respond(response.unwrap()).await;
                            return Ok(None);
                        }
                        incoming.accept().await.map(Some)
                    };
                    let client = async {
                        let name = "localhost".try_into().unwrap();
                        let connector = TlsConnector::from(config.clone());
                        let tls = connector.connect(name, near).await.unwrap();
                        assert_eq!(
                            tls.get_ref().1.protocol_version(),
                            Some(ProtocolVersion::TLSv1_3)
                        );
                        let client = Client::builder().header("Cookie", &"x".repeat(5000));
                        let client = client.build().unwrap();
                        hybi_tokio::connect_on(&client, "ws://localhost/", tls).await
                    };
                    let start = Instant::now();
                    let (accepted, opened) = tokio::join!(server, client);
                    assert_eq!(start.elapsed(), Duration::ZERO, "{room} {refused}");
                    assert_eq!(accepted.unwrap().is_none(), refused);
                    match opened {
                        Ok(_) => assert!(!refused),
                        Err(error) => {
                            let Some(HandshakeError::Rejected(response)) = error.handshake() else {
                                panic!("{room}: {error}");
                            };
                            assert_eq!(response.body().len(), 7000);
                        }
                    }
                }
            }
        })
    });
}

/// TLS and the request have one deadline, on tokio's paused clock.
#[test]
fn a_client_that_is_silent_before_or_behind_tls_is_left_at_the_deadline() {
    bounded("a_client_that_is_silent_before_or_behind_tls_is_left_at_the_deadline", || {
        block_on(async {
            tokio::time::pause();
            let (acceptor, config) = configurations();

            let start = Instant::now();
            let (_silent, stream) = duplex(64 * 1024);
            let server = Server::default();
            let error = hybi_tokio::incoming_tls_on(&server, &acceptor, stream).await.unwrap_err();
            assert!(error.is_timeout(), "{error}");
            assert_eq!(error.to_string(), "TLS with the client: took too long");
            assert_eq!(start.elapsed().as_secs(), 10);

            let start = Instant::now();
            let (near, far) = duplex(64 * 1024);
            let server = tokio::spawn(async move {
                hybi_tokio::incoming_tls_on(&Server::default(), &acceptor, near).await.map(|_| ())
            });
            // The server begins before time passes.
            yield_now().await;
            advance(Duration::from_secs(9)).await;
            let name = "localhost".try_into().unwrap();
            let mut client = TlsConnector::from(config).connect(name, far).await.unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
            assert_eq!(start.elapsed().as_secs(), 10);
            drop(client);
            let error = server.await.unwrap().unwrap_err();
            assert!(matches!(error, Error::Timeout(Deadline::Handshake)), "{error}");
        })
    });
}

#[cfg(unix)]
#[test]
fn there_is_no_delay_before_tls_begins() {
    use std::os::fd::AsFd;
    bounded("there_is_no_delay_before_tls_begins", || {
        block_on(async {
            let (server, (acceptor, _)) = (Server::default(), configurations());
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            // A client that says nothing.
            let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let same = std::net::TcpStream::from(stream.as_fd().try_clone_to_owned().unwrap());
            assert!(!same.nodelay().unwrap(), "else this test shows nothing");
            let accepting = Box::pin(hybi_tokio::accept_tls(&server, &acceptor, stream));
            assert!(accepting.now_or_never().is_none());
            assert!(same.nodelay().unwrap());
        })
    });
}

/// What a client does that vanishes, once it said half a message.
type Vanish = fn(TlsStream<TcpStream>);
type IsTold = fn(&Error) -> bool;

#[cfg(unix)]
fn kill(stream: TlsStream<TcpStream>) {
    hybi_suite::peer::kill(stream.into_inner().0.into_std().unwrap().into());
}

fn reset(stream: TlsStream<TcpStream>) {
    stream.get_ref().0.set_zero_linger().unwrap();
}

/// Neither says `close_notify`: TLS takes nothing from what TCP tells.
#[test]
fn a_client_that_vanishes_is_told_as_without_tls() {
    bounded("a_client_that_vanishes_is_told_as_without_tls", || {
        block_on(async {
            let cases: [(Vanish, IsTold); 2] = [
                (reset, |error| {
                    error.io_error().is_some_and(|io| io.kind() == ErrorKind::ConnectionReset)
                }),
                #[cfg(unix)]
                (kill, |error| matches!(error, Error::Lost)),
            ];
            for (vanish, is_told) in cases {
                for halfway in [false, true] {
                    let (port, config, server) = serve_echo().await;
                    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                    let name = "localhost".try_into().unwrap();
                    let mut tls = TlsConnector::from(config).connect(name, stream).await.unwrap();
                    tls.write_all(REQUEST.as_bytes()).await.unwrap();
                    let mut answer = Vec::new();
                    while !answer.ends_with(b"\r\n\r\n") {
                        answer.push(tls.read_u8().await.unwrap());
                    }
                    if halfway {
                        let frame = wire::frame(Side::Client, BINARY, &[7; 100_000]);
                        tls.write_all(&frame[..50_000]).await.unwrap();
                        tls.flush().await.unwrap();
                    }
                    vanish(tls);
                    let error = server.await.unwrap().unwrap_err();
                    assert!(error.is_closed() && is_told(&error), "halfway: {halfway}: {error:?}");
                }
            }
        })
    });
}
