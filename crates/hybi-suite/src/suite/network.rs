//! What a caller chooses of the network, on an adapter's `Connector`: who looks names up, the local address, options of
//! sockets; and sockets that are none of TCP.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::{
    io,
    sync::{Arc, Mutex},
};
#[cfg(unix)]
use std::{
    io::{Read as _, Write as _},
    os::{
        fd::BorrowedFd,
        unix::net::{UnixListener, UnixStream},
    },
    path::PathBuf,
    process, thread,
};

use hybi::{Client, Error, OpeningError, Server, opening};
#[cfg(unix)]
use hybi_testkit::{
    script,
    wire::{self, Side, TEXT},
};

use super::{
    Connecting, Running, adapter::Adapter, multiplexing::Multiplexing, reaching, run, uri,
};
use crate::peer::{Peer, listen};

/// What is chosen.
#[derive(Clone, Default)]
#[expect(missing_debug_implementations, reason = "functions have nothing to show")]
#[non_exhaustive]
pub struct Choices {
    /// Who looks names up.
    pub names: Option<Arc<Names>>,
    /// The local address.
    pub local: Option<SocketAddr>,
    /// What is done to a socket.
    #[cfg(unix)]
    pub prepare: Option<Arc<Prepare>>,
}

/// A resolver.
pub type Names = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;
/// What is done to a socket.
#[cfg(unix)]
pub type Prepare = dyn Fn(BorrowedFd<'_>) -> io::Result<()> + Send + Sync;

/// An adapter that can be told.
pub trait Chooses: Multiplexing + Adapter {
    /// What connects so.
    fn choose(choices: Choices) -> Self::Dial;
}

/// Connects to this host and port.
async fn connect<R: Chooses>(choices: Choices, host: &str) -> Connecting<R> {
    let uri = uri::<R>(host);
    opening::connect(&R::choose(choices), &Client::default(), &uri).await
}

/// The same, and talks to who is there.
fn talk_to<R: Chooses>(choices: Choices, host: &str) {
    R::block_on(async {
        let (ws, _) = connect::<R>(choices, host).await.expect("a server");
        reaching::talk::<R>(ws).await;
    });
}

/// Why nothing is connected to.
fn fails<R: Chooses>(choices: Choices, host: &str) -> Error {
    R::block_on(connect::<R>(choices, host)).map(drop).expect_err("nowhere")
}

/// Accepts one connection and talks; gives the address that it came from.
fn serve<R: Chooses>() -> (SocketAddr, Running<SocketAddr>) {
    let (listener, address) = listen();
    let running = run::<R, _>(move || async move {
        let (stream, from) = listener.accept().expect("a client");
        let incoming = R::incoming(&Server::default(), stream).await.expect("a request");
        super::echo(incoming.accept().await.expect("a lawful request")).await;
        from
    });
    (address, running)
}

/// For names alone: what is an address has nothing to be asked for.
pub fn looks_names_up_as_told<R: Chooses>() {
    let (address, server) = serve::<R>();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = asked.clone();
    let names: Arc<Names> = Arc::new(move |host, port| {
        seen.lock().expect("no panic").push(format!("{host}:{port}"));
        match port {
            81 => Ok(vec![address]),
            82 => Ok(Vec::new()),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "not in the list")),
        }
    });
    let choices = Choices { names: Some(names), ..Choices::default() };
    talk_to::<R>(choices.clone(), "localhost:81");
    server.join();
    for (port, told) in [(82, "the name has no address"), (83, "not in the list")] {
        let error = fails::<R>(choices.clone(), &format!("localhost:{port}"));
        assert_eq!(error.to_string(), format!("resolving localhost: {told}"));
    }
    assert_eq!(*asked.lock().expect("no panic"), ["localhost:81", "localhost:82", "localhost:83"]);
    let (address, server) = serve::<R>();
    talk_to::<R>(choices, &address.to_string());
    server.join();
    assert_eq!(asked.lock().expect("no panic").len(), 3);
}

/// The server sees it. The whole network 127.0.0.0/8 is this machine on Linux.
#[cfg(target_os = "linux")]
pub fn connects_from_the_address_that_is_bound<R: Chooses>() {
    let (address, server) = serve::<R>();
    let local = SocketAddr::from(([127, 0, 0, 2], 0));
    let choices = Choices { local: Some(local), ..Choices::default() };
    talk_to::<R>(choices, &address.to_string());
    assert_eq!(server.join().ip(), local.ip());
}

/// With the address, or the family.
pub fn names_an_address_that_cannot_be_bound<R: Chooses>() {
    let (_listener, address) = listen();
    // That of a documentation is nobody's.
    let documented = SocketAddr::from(([192, 0, 2, 1], 0));
    let other = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0);
    for (local, told) in [
        (documented, "binding 192.0.2.1:0: "),
        (other, "it is of another family than the local address that is bound"),
    ] {
        let choices = Choices { local: Some(local), ..Choices::default() };
        let error = fails::<R>(choices, &address.to_string());
        assert_eq!(error.io_error().map(io::Error::kind), Some(io::ErrorKind::AddrNotAvailable));
        let (error, before) = (error.to_string(), format!("connecting to {address}: "));
        assert!(error.strip_prefix(&before).is_some_and(|why| why.starts_with(told)), "{error}");
    }
}

/// Before they are bound and connect, and each of them; what that fails of is told.
#[cfg(unix)]
pub fn prepares_sockets<R: Chooses>() {
    let (listener, address) = listen();
    let server = thread::spawn(move || Peer::answer(&listener, ""));
    let prepare: Arc<Prepare> = Arc::new(|socket| {
        let socket = std::net::TcpStream::from(socket.try_clone_to_owned()?);
        assert_eq!(socket.peer_addr().expect_err("so far").kind(), io::ErrorKind::NotConnected);
        assert_eq!(socket.local_addr().expect("an address").port(), 0, "it is not bound");
        assert!(socket.nodelay()?, "what we set is set before");
        socket.set_nodelay(false)
    });
    let local = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let choices = Choices { prepare: Some(prepare), local, ..Choices::default() };
    R::block_on(async {
        let connected = connect::<R>(choices, &address.to_string()).await;
        assert!(!R::has_no_delay(connected.expect("a server").0.transport()));
    });
    server.join().expect("a client");
    let prepare: Arc<Prepare> = Arc::new(|_| Err(io::Error::other("not this one")));
    let choices = Choices { prepare: Some(prepare), ..Choices::default() };
    let error = fails::<R>(choices, &address.to_string());
    assert_eq!(error.to_string(), format!("connecting to {address}: not this one"));
}

/// A path for a socket that nobody else has; removed at the end.
#[cfg(unix)]
struct Place(PathBuf);

#[cfg(unix)]
impl Place {
    fn new(name: &str) -> Self {
        let file = format!("hybi-{}-{name}-{:?}", process::id(), thread::current().id());
        Self(std::env::temp_dir().join(file.replace(['(', ')'], "")))
    }

    fn uri(&self, resource: &str) -> String {
        format!("ws+unix:{}:{resource}", self.0.display())
    }
}

#[cfg(unix)]
impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Connects to a URI without any choice.
#[cfg(unix)]
async fn connect_to<R: Chooses>(client: &Client, uri: &str) -> Connecting<R> {
    opening::connect(&R::choose(Choices::default()), client, uri).await
}

#[cfg(unix)]
fn fails_at<R: Chooses>(client: &Client, uri: &str) -> Error {
    R::block_on(connect_to::<R>(client, uri)).map(drop).expect_err("nowhere")
}

/// Reads a request, and accepts it with a message.
#[cfg(unix)]
fn accept_unix(listener: &UnixListener) -> (UnixStream, String) {
    let (mut stream, _) = listener.accept().expect("a client");
    let request = reaching::head(&mut stream);
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let answer = script::response(key.expect("a key"), "");
    stream.write_all(answer.as_bytes()).expect("a client");
    stream.write_all(&wire::frame(Side::Server, TEXT, b"hello")).expect("a client");
    (stream, request)
}

/// All is as over TCP, and the end of our half as well.
#[cfg(unix)]
pub fn reaches_a_unix_socket<R: Chooses>() {
    let place = Place::new("reached");
    let listener = UnixListener::bind(&place.0).expect("a path");
    let server = thread::spawn(move || {
        let (mut stream, request) = accept_unix(&listener);
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).expect("an end in order");
        (request, rest)
    });
    R::block_on(async {
        let uri = place.uri("/chat?room=1");
        let (mut ws, _) = connect_to::<R>(&Client::default(), &uri).await.expect("a server");
        assert_eq!(ws.recv().await.expect("lawful"), Some("hello".into()));
        ws.send(vec![7; 100_000]).await.expect("it is open");
    });
    let (request, rest) = server.join().expect("a client");
    assert!(request.starts_with("GET /chat?room=1 HTTP/1.1\r\nHost: localhost\r\n"), "{request}");
    assert!(rest.len() > 100_000, "{} bytes", rest.len());
}

/// A redirect may lead to another path of the same socket, and to no socket of this machine otherwise.
#[cfg(unix)]
pub fn follows_a_redirect_on_a_unix_socket<R: Chooses>() {
    let place = Place::new("redirected");
    let listener = UnixListener::bind(&place.0).expect("a path");
    let elsewhere = place.uri("/secret");
    let server = thread::spawn(move || {
        for location in ["/new", &elsewhere] {
            let (mut stream, _) = listener.accept().expect("a client");
            reaching::head(&mut stream);
            let answer = format!(
                "HTTP/1.1 307 Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).expect("a client");
        }
    });
    let client = Client::builder().follow_redirects(5).build().expect("lawful");
    let error = fails_at::<R>(&client, &place.uri("/"));
    assert!(matches!(error, Error::Redirect(_)), "{error}");
    server.join().expect("a client");
}

/// Each with its path.
#[cfg(unix)]
pub fn names_a_unix_socket_that_takes_nobody<R: Chooses>() {
    let [absent, file, dead] = ["absent", "file", "dead"].map(Place::new);
    std::fs::write(&file.0, "").expect("a file");
    drop(UnixListener::bind(&dead.0).expect("a path"));
    let long = Place(std::env::temp_dir().join("a".repeat(200)));
    let refused = io::ErrorKind::ConnectionRefused;
    for (place, expected) in [
        (&absent, io::ErrorKind::NotFound),
        (&file, refused),
        (&dead, refused),
        (&long, io::ErrorKind::InvalidInput),
    ] {
        let error = fails_at::<R>(&Client::default(), &place.uri("/"));
        let Error::Opening(step) = &error else { panic!("{error:?}") };
        let OpeningError::Unix { path, error: why } = &**step else { panic!("{error:?}") };
        assert_eq!((&**path, why.kind()), (&*place.0.to_string_lossy(), expected), "{error}");
        assert_eq!(error.to_string(), format!("connecting to {path}: {why}"));
    }
    let client = Client::builder().proxy("http://proxy:3128").build().expect("a proxy");
    let error = fails_at::<R>(&client, &absent.uri("/"));
    let told = "proxy http://proxy:3128 is for TCP, and this is a Unix socket";
    assert_eq!(error.to_string(), format!("connecting to {}: {told}", absent.0.display()));
}
