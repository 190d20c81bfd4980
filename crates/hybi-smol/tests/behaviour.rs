//! The behaviour suite over smol (RFC 6455 sections 4 to 8).

use core::future::Future;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::{
    io,
    net::{TcpListener, TcpStream},
};

use hybi_suite::suite::list::Executor;

struct Smol;

impl Executor for Smol {
    type Tcp = smol::net::TcpStream;
    type Listener = smol::net::TcpListener;
    #[cfg(unix)]
    type Unix = smol::net::unix::UnixStream;

    fn block_on<F: Future>(future: F) -> F::Output {
        smol::block_on(future)
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(future).detach();
    }

    fn tcp(stream: TcpStream) -> io::Result<Self::Tcp> {
        stream.try_into()
    }

    fn listener(listener: TcpListener) -> io::Result<Self::Listener> {
        listener.try_into()
    }

    #[cfg(unix)]
    fn unix(stream: UnixStream) -> io::Result<Self::Unix> {
        stream.try_into()
    }
}

hybi_suite::behaviour_suite!(hybi_smol, Smol);

#[cfg(not(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")))]
#[test]
fn wss_names_the_missing_feature_before_any_byte() {
    hybi_suite::suite::opening::refuses_wss::<tcp::Over>("hybi-smol");
}
