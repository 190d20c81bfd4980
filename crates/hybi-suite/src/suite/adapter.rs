//! What an adapter's own functions do: which of them compress, and what becomes of the socket.

use core::future::Future;
use std::{net::TcpStream, thread};

use hybi::{Client, Error, Server};

use super::{Accepted, Connecting, Runtime, listen_for, run, uri};
use crate::peer::{Peer, listen};

/// The functions of an adapter that this module is about, each by its name there.
pub trait Adapter: Runtime {
    /// On a stream of the runtime that a listener accepted.
    fn accept_with(
        server: &Server,
        stream: TcpStream,
    ) -> impl Future<Output = Result<Accepted<Self>, Error>>;

    /// On a stream of the caller's.
    fn accept_on(server: &Server, stream: TcpStream) -> impl Future<Output = Result<(), Error>>;

    /// On a stream of the caller's, which knows nothing of TCP.
    #[cfg(unix)]
    fn connect_on(
        client: &Client,
        uri: &str,
        stream: std::os::unix::net::UnixStream,
    ) -> impl Future<Output = Result<(), Error>>;

    /// Whether the socket below has `TCP_NODELAY`.
    fn has_no_delay(transport: &Self::Connected) -> bool;
}

/// The two functions that come with the feature `compression`.
pub trait Compressing: Adapter {
    /// On a stream of the runtime, through TLS by the caller's hand if that is between.
    fn accept(stream: TcpStream) -> impl Future<Output = Result<Accepted<Self>, Error>>;

    /// To a URI.
    fn connect(uri: String) -> impl Future<Output = Connecting<Self>>;
}

/// How many extensions both ends of a connection use that is made by these two.
fn in_use<R, A, C>(
    accept: impl FnOnce(TcpStream) -> A + Send + 'static,
    connect: impl FnOnce(String) -> C,
) -> [usize; 2]
where
    R: Runtime,
    A: Future<Output = Result<Accepted<R>, Error>>,
    C: Future<Output = Connecting<R>>,
{
    let (listener, address) = listen();
    let accepting = run::<R, _>(move || async move {
        let (stream, _) = listener.accept().expect("a client");
        accept(stream).await.expect("a request").extensions().count()
    });
    let connected = R::block_on(connect(uri::<R>(address))).expect("a server").0;
    [accepting.join(), connected.extensions().count()]
}

/// The adapter's `accept` and `connect`. What the first accepts has no delay either.
pub fn accept_and_connect_compress<R: Compressing>() {
    assert!(has_no_delay_after::<R, _, _>(R::accept));
    assert_eq!(in_use::<R, _, _>(R::accept, R::connect), [1, 1]);
}

/// Others compress if they say so, whatever other packages of this build turned on.
pub fn clients_and_servers_of_ones_own_compress_if_they_say_so<R: Adapter>() {
    let in_use = |client: Client, server: Server| {
        in_use::<R, _, _>(
            async move |stream| R::accept_with(&server, stream).await,
            async move |uri: String| R::connect_with(&client, &uri).await,
        )
    };
    assert_eq!(in_use(Client::default(), Server::default()), [0, 0]);
    assert_eq!(in_use(Client::compressing(), Server::default()), [0, 0]);
    assert_eq!(in_use(Client::default(), Server::compressing()), [0, 0]);
    assert_eq!(in_use(Client::compressing(), Server::compressing()), [1, 1]);
}

/// Whether a socket that a listener accepted has `TCP_NODELAY` after this.
fn has_no_delay_after<R, F, O>(accept: impl FnOnce(TcpStream) -> F) -> bool
where
    R: Runtime,
    F: Future<Output = Result<O, Error>>,
{
    let (listener, address) = listen_for::<R>();
    let client = thread::spawn(move || Peer::open(address));
    let (stream, _) = listener.accept().expect("a client");
    let same = stream.try_clone().expect("a socket");
    assert!(!same.nodelay().expect("TCP"), "else this test shows nothing");
    let accepted = R::block_on(accept(stream));
    client.join().expect("an answer");
    drop(accepted.expect("a request"));
    same.nodelay().expect("TCP")
}

/// What comes from a listener has no delay; a stream of the caller's making is left as it is.
pub fn what_is_accepted_has_no_delay<R: Adapter>() {
    let server = Server::default();
    let accept_with = async |stream| R::accept_with(&server, stream).await.map(drop);
    assert!(has_no_delay_after::<R, _, _>(accept_with));
    let incoming = async |stream| R::incoming(&server, stream).await?.accept().await.map(drop);
    assert!(has_no_delay_after::<R, _, _>(incoming));
    let accept_on = async |stream| R::accept_on(&server, stream).await;
    assert!(!has_no_delay_after::<R, _, _>(accept_on));
}

/// And of what is connected.
pub fn what_is_connected_has_no_delay<R: Adapter>() {
    let (listener, address) = listen();
    let server = thread::spawn(move || Peer::answer(&listener, ""));
    let client = Client::default();
    let connected = R::block_on(R::connect_with(&client, &uri::<R>(address)));
    assert!(R::has_no_delay(connected.expect("a server").0.transport()));
    server.join().expect("a client");
}

/// A socket that has no such option.
#[cfg(unix)]
pub fn a_socket_without_the_option_is_accepted_all_the_same<R: Adapter>() {
    use std::os::{fd::OwnedFd, unix::net::UnixStream};
    let (near, far) = UnixStream::pair().expect("two sockets");
    let near = TcpStream::from(OwnedFd::from(near));
    near.set_nodelay(true).expect_err("no TCP");
    let client = run::<R, _>(|| async move {
        R::connect_on(&Client::default(), &uri::<R>("localhost"), far).await
    });
    R::block_on(R::accept_with(&Server::default(), near)).expect("a request");
    client.join().expect("an answer");
}
