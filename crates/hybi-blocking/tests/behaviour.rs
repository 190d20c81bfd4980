//! The behaviour suite over sockets that threads wait for, plain and through TLS (RFC 6455 sections 4 to 8). What the
//! suite runs side by side runs on threads of its own.

use core::future::Future;
use std::thread;

use hybi_blocking::{BlockingTimer, Error, Stream, WebSocket, block_on, http::Response};
use hybi_suite::suite::{Accepted, Connecting, Runtime};

type Incoming = hybi::Incoming<Stream, BlockingTimer>;

fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    thread::spawn(|| block_on(future));
}

fn accepted<R: Runtime<Accepted = Stream, Timer = BlockingTimer>>(
    ws: Result<WebSocket, Error>,
) -> Result<Accepted<R>, Error> {
    ws.map(WebSocket::into_inner)
}

fn connected<R: Runtime<Connected = Stream, Timer = BlockingTimer>>(
    connected: Result<(WebSocket, Response<()>), Error>,
) -> Connecting<R> {
    connected.map(|(ws, response)| (ws.into_inner(), response))
}

/// What both ways have in common.
macro_rules! over {
    ($through:ident) => {
        struct Over;

        impl Runtime for Over {
            type Accepted = Stream;
            type Connected = Stream;
            type Timer = BlockingTimer;

            const THROUGH: Through = Through::$through;

            fn block_on<F: Future>(future: F) -> F::Output {
                block_on(future)
            }

            fn spawn(future: impl Future<Output = ()> + Send + 'static) {
                spawn(future);
            }

            async fn incoming(server: &Server, stream: TcpStream) -> Result<Incoming, Error> {
                incoming(server, stream).map(hybi_blocking::Incoming::into_inner)
            }

            async fn connect_with(client: &Client, uri: &str) -> Connecting<Self> {
                connected::<Self>(Self::dial().connect(client, uri))
            }
        }

        impl Adapter for Over {
            async fn accept_with(
                server: &Server,
                stream: TcpStream,
            ) -> Result<Accepted<Self>, Error> {
                accepted::<Self>(accept_with(server, stream))
            }

            async fn accept_on(server: &Server, stream: TcpStream) -> Result<(), Error> {
                accept_on(server, stream).map(drop)
            }

            #[cfg(unix)]
            async fn connect_on(
                client: &Client,
                uri: &str,
                stream: UnixStream,
            ) -> Result<(), Error> {
                connect_on(client, uri, stream).map(drop)
            }

            fn has_no_delay(transport: &Stream) -> bool {
                transport.tcp().nodelay().expect("TCP")
            }
        }

        #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
        impl Compressing for Over {
            async fn accept(stream: TcpStream) -> Result<Accepted<Self>, Error> {
                accepted::<Self>(accept(stream))
            }

            async fn connect(uri: String) -> Connecting<Self> {
                connected::<Self>(connect(&uri))
            }
        }

        impl Serves for Over {
            fn serve<F>(
                listener: TcpListener,
                server: Server,
                choices: Choices,
                handler: impl Fn(Accepted<Self>) -> F + Send + Sync + 'static,
            ) -> (Handle, impl Future<Output = Drained>)
            where
                F: Future<Output = Result<(), Error>> + Send + 'static,
            {
                let handler = move |ws: WebSocket| block_on(handler(ws.into_inner()));
                let serving = serve(listener, server, handler)
                    .max_per_address(choices.max_per_address)
                    .on_incident(choices.on_incident);
                (serving.handle(), async { serving.run() })
            }
        }

        impl Chooses for Over {
            fn choose(choices: hybi_suite::suite::network::Choices) -> Connector {
                let mut connector = Self::dial();
                if let Some(names) = choices.names {
                    connector = connector.resolver(move |host, port| names(host, port));
                }
                if let Some(local) = choices.local {
                    connector = connector.bind(local);
                }
                #[cfg(unix)]
                if let Some(prepare) = choices.prepare {
                    use std::os::fd::AsFd as _;
                    connector = connector.prepare(move |socket| prepare(socket.as_fd()));
                }
                connector
            }
        }

        hybi_suite::behaviour_suite!(@tests);
        hybi_suite::behaviour_suite!(@serving);
    };
}

/// What both modules use.
macro_rules! names {
    () => {
        use std::net::{TcpListener, TcpStream};
        #[cfg(unix)]
        use std::os::unix::net::UnixStream;

        use hybi_blocking::{
            Client, Connector, Server,
            serve::{Drained, Handle},
        };
        #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
        use hybi_suite::suite::adapter::Compressing;
        use hybi_suite::{
            peer::Through,
            suite::{
                adapter::Adapter,
                multiplexing::Multiplexing,
                network::Chooses,
                serving::{Choices, Serves},
            },
        };

        use super::*;
    };
}

mod tcp {
    names!();
    #[cfg(unix)]
    use hybi_blocking::connect_on;
    #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
    use hybi_blocking::{accept, connect};
    use hybi_blocking::{accept_on, accept_with, incoming, serve};

    over!(Tcp);

    impl Multiplexing for Over {
        type Dial = Connector;

        fn dial() -> Connector {
            Connector::new()
        }
    }

    #[cfg(not(feature = "rustls"))]
    #[test]
    fn wss_names_the_missing_feature_before_any_byte() {
        hybi_suite::suite::opening::refuses_wss::<Over>("hybi-blocking");
    }
}

#[cfg(feature = "rustls")]
mod tls {
    names!();
    use hybi_suite::certificate::shared;

    over!(Tls);
    hybi_suite::behaviour_suite!(@secure);

    impl Multiplexing for Over {
        type Dial = Connector;

        fn dial() -> Connector {
            Connector::new().rustls(shared().1.clone())
        }
    }

    fn incoming(server: &Server, stream: TcpStream) -> Result<hybi_blocking::Incoming, Error> {
        hybi_blocking::incoming_tls(server, &shared().0, stream)
    }

    fn serve(
        listener: TcpListener,
        server: Server,
        handler: impl Fn(WebSocket) -> Result<(), Error> + Send + Sync + 'static,
    ) -> hybi_blocking::Serving {
        hybi_blocking::serve_tls(listener, shared().0.clone(), server, handler)
    }

    fn accept_with(server: &Server, stream: TcpStream) -> Result<WebSocket, Error> {
        hybi_blocking::accept_tls(server, &shared().0, stream)
    }

    fn accept_on(server: &Server, stream: TcpStream) -> Result<WebSocket, Error> {
        hybi_blocking::incoming_tls_on(server, &shared().0, stream)?.accept()
    }

    #[cfg(unix)]
    fn connect_on(
        client: &Client,
        uri: &str,
        stream: UnixStream,
    ) -> Result<WebSocket<hybi_blocking::MaybeTls<UnixStream>>, Error> {
        let name = "localhost".try_into().expect("a name");
        let (ws, _) = hybi_blocking::connect_tls_on(client, uri, &shared().1, name, stream)?;
        Ok(ws)
    }

    #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
    fn accept(stream: TcpStream) -> Result<WebSocket, Error> {
        accept_with(&Server::compressing(), stream)
    }

    #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
    fn connect(uri: &str) -> Result<(WebSocket, Response<()>), Error> {
        Over::dial().connect(&Client::compressing(), uri)
    }
}
