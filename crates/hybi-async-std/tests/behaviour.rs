//! The behaviour suite over async-std (RFC 6455 sections 4 to 8).

use core::future::Future;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::{
    io,
    net::{TcpListener, TcpStream},
};

use async_std::task;
use hybi_suite::suite::list::Executor;

struct AsyncStd;

impl Executor for AsyncStd {
    type Tcp = async_std::net::TcpStream;
    type Listener = async_std::net::TcpListener;
    #[cfg(unix)]
    type Unix = async_std::os::unix::net::UnixStream;

    fn block_on<F: Future>(future: F) -> F::Output {
        task::block_on(future)
    }

    fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        task::spawn(future);
    }

    fn tcp(stream: TcpStream) -> io::Result<Self::Tcp> {
        Ok(stream.into())
    }

    fn listener(listener: TcpListener) -> io::Result<Self::Listener> {
        Ok(listener.into())
    }

    #[cfg(unix)]
    fn unix(stream: UnixStream) -> io::Result<Self::Unix> {
        Ok(stream.into())
    }
}

hybi_suite::behaviour_suite!(hybi_async_std, AsyncStd);

#[cfg(not(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")))]
#[test]
fn wss_names_the_missing_feature_before_any_byte() {
    hybi_suite::suite::opening::refuses_wss::<tcp::Over>("hybi-async-std");
}
