//! The behaviour suite over tokio, on one thread and on several (RFC 6455 sections 4 to 8).

use core::future::Future;
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::{
    io,
    net::{TcpListener, TcpStream},
    sync::LazyLock,
};

use hybi_suite::suite::list::Executor;
use tokio::runtime::{Builder, Runtime};

fn tcp(stream: TcpStream) -> io::Result<tokio::net::TcpStream> {
    stream.set_nonblocking(true)?;
    tokio::net::TcpStream::from_std(stream)
}

#[cfg(unix)]
fn unix(stream: UnixStream) -> io::Result<tokio::net::UnixStream> {
    stream.set_nonblocking(true)?;
    tokio::net::UnixStream::from_std(stream)
}

fn on_one_thread<F: Future>(future: F) -> F::Output {
    Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn on_several<F: Future>(future: F) -> F::Output {
    static THREADS: LazyLock<Runtime> = LazyLock::new(|| {
        Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
    });
    THREADS.block_on(future)
}

macro_rules! flavour {
    ($name:ident, $block_on:ident) => {
        mod $name {
            use super::*;

            pub(crate) struct Tokio;

            impl Executor for Tokio {
                type Tcp = tokio::net::TcpStream;
                type Listener = tokio::net::TcpListener;
                #[cfg(unix)]
                type Unix = tokio::net::UnixStream;

                fn block_on<F: Future>(future: F) -> F::Output {
                    $block_on(future)
                }

                fn spawn(future: impl Future<Output = ()> + Send + 'static) {
                    tokio::spawn(future);
                }

                fn tcp(stream: TcpStream) -> io::Result<Self::Tcp> {
                    tcp(stream)
                }

                fn listener(listener: TcpListener) -> io::Result<Self::Listener> {
                    listener.set_nonblocking(true)?;
                    tokio::net::TcpListener::from_std(listener)
                }

                #[cfg(unix)]
                fn unix(stream: UnixStream) -> io::Result<Self::Unix> {
                    unix(stream)
                }
            }

            hybi_suite::behaviour_suite!(hybi_tokio, Tokio);
        }
    };
}

flavour!(current_thread, on_one_thread);
flavour!(multi_thread, on_several);

#[cfg(not(any(feature = "rustls-native-roots", feature = "rustls-webpki-roots")))]
#[test]
fn wss_names_the_missing_feature_before_any_byte() {
    use current_thread::tcp::Over;
    hybi_suite::suite::opening::refuses_wss::<Over>("hybi-tokio");
}
