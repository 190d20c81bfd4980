//! The list of the suite's tests, and how an adapter runs all of them: over TCP, and through TLS with its feature.

use core::future::Future;
use std::{
    io,
    net::{TcpListener, TcpStream},
};

/// A runtime as its users have it: what an adapter's own names do not say.
pub trait Executor: Send + Sync + 'static {
    /// Its TCP stream.
    type Tcp;
    /// Its TCP listener.
    type Listener;
    /// Its stream of a Unix socket.
    #[cfg(unix)]
    type Unix;

    /// Runs a future to its end on this thread.
    fn block_on<F: Future>(future: F) -> F::Output;

    /// Runs a future beside others, until [`block_on`](Self::block_on) ends.
    fn spawn(future: impl Future<Output = ()> + Send + 'static);

    /// Makes a stream of a socket.
    ///
    /// # Errors
    ///
    /// Whatever the runtime reports.
    fn tcp(stream: TcpStream) -> io::Result<Self::Tcp>;

    /// Makes a listener of a socket.
    ///
    /// # Errors
    ///
    /// Whatever the runtime reports.
    fn listener(listener: TcpListener) -> io::Result<Self::Listener>;

    /// Makes a stream of a Unix socket.
    ///
    /// # Errors
    ///
    /// Whatever the runtime reports.
    #[cfg(unix)]
    fn unix(stream: std::os::unix::net::UnixStream) -> io::Result<Self::Unix>;
}

/// Runs every test of the suite over an adapter, given by its name, on an [`Executor`]: in the module `tcp`, and in
/// the module `tls` if the adapter has its feature `rustls`. All adapters have the same names, so that one text is
/// for all. One whose calls block implements the traits of the suite itself, for a type `Over`, and asks for `@tests` and
/// `@serving`.
#[macro_export]
macro_rules! behaviour_suite {
    ($adapter:ident, $executor:ident) => {
        pub(crate) mod tcp {
            use core::future::Future;
            use std::net::{TcpListener, TcpStream};
            #[cfg(unix)]
            use std::os::unix::net::UnixStream;

            use $adapter::{
                Client, Error, Incoming, Server, WebSocket, opening::Dial, serve::{Drained, Handle},
            };
            #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
            use $crate::suite::adapter::Compressing;
            use $crate::{
                peer::Through,
                suite::{Connecting, Runtime, adapter::Adapter, list::Executor, multiplexing::Multiplexing, serving::{Choices, Serves}},
            };

            use super::$executor as On;

            pub(crate) struct Over;

            impl Runtime for Over {
                type Accepted = <$adapter::Connector as Dial>::Transport;
                type Connected = <$adapter::Connector as Dial>::Transport;
                type Timer = <$adapter::Connector as Dial>::Timer;

                const THROUGH: Through = Through::Tcp;

                fn block_on<F: Future>(future: F) -> F::Output {
                    On::block_on(future)
                }

                fn spawn(future: impl Future<Output = ()> + Send + 'static) {
                    On::spawn(future);
                }

                async fn incoming(server: &Server, stream: TcpStream) -> Result<Incoming, Error> {
                    $adapter::incoming(server, On::tcp(stream)?).await
                }

                async fn connect_with(client: &Client, uri: &str) -> Connecting<Self> {
                    $adapter::connect_with(client, uri).await
                }
            }

            impl Adapter for Over {
                async fn accept_with(server: &Server, stream: TcpStream) -> Result<WebSocket, Error> {
                    $adapter::accept_with(server, On::tcp(stream)?).await
                }

                async fn accept_on(server: &Server, stream: TcpStream) -> Result<(), Error> {
                    $adapter::accept_on(server, On::tcp(stream)?).await.map(drop)
                }

                #[cfg(unix)]
                async fn connect_on(
                    client: &Client,
                    uri: &str,
                    stream: UnixStream,
                ) -> Result<(), Error> {
                    $adapter::connect_on(client, uri, On::unix(stream)?).await.map(drop)
                }

                fn has_no_delay(transport: &Self::Connected) -> bool {
                    transport.get_ref().tcp().nodelay().expect("TCP")
                }
            }

            #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
            impl Compressing for Over {
                async fn accept(stream: TcpStream) -> Result<WebSocket, Error> {
                    $adapter::accept(On::tcp(stream)?).await
                }

                async fn connect(uri: String) -> Connecting<Self> {
                    $adapter::connect(uri).await
                }
            }

            impl Serves for Over {
                fn serve<F>(
                    listener: TcpListener,
                    server: Server,
                    choices: Choices,
                    handler: impl Fn(WebSocket) -> F + Send + Sync + 'static,
                ) -> (Handle, impl Future<Output = Drained>)
                where
                    F: Future<Output = Result<(), Error>> + Send + 'static,
                {
                    let listener = On::listener(listener).expect("a listener");
                    let serving = $adapter::serve(listener, server, handler)
                        .max_per_address(choices.max_per_address)
                        .on_incident(choices.on_incident);
                    (serving.handle(), serving)
                }
            }

            impl Multiplexing for Over {
                type Dial = $adapter::Connector;

                fn dial() -> $adapter::Connector {
                    $adapter::Connector::new()
                }
            }

            $crate::behaviour_suite!(@chooses $adapter);
            $crate::behaviour_suite!(@tests);
            $crate::behaviour_suite!(@serving);
        }

        #[cfg(feature = "rustls")]
        pub(crate) mod tls {
            use core::future::Future;
            use std::net::{TcpListener, TcpStream};
            #[cfg(unix)]
            use std::os::unix::net::UnixStream;

            use $adapter::{
                Client, Error, Incoming, Server, TlsAcceptor, TlsConnector, WebSocket, opening::Dial,
                serve::{Drained, Handle},
            };
            #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
            use $crate::suite::adapter::Compressing;
            use $crate::{
                certificate::shared,
                peer::Through,
                suite::{Connecting, Runtime, adapter::Adapter, list::Executor, multiplexing::Multiplexing, serving::{Choices, Serves}},
            };

            use super::$executor as On;

            pub(crate) struct Over;

            impl Runtime for Over {
                type Accepted = <$adapter::Connector as Dial>::Transport;
                type Connected = <$adapter::Connector as Dial>::Transport;
                type Timer = <$adapter::Connector as Dial>::Timer;

                const THROUGH: Through = Through::Tls;

                fn block_on<F: Future>(future: F) -> F::Output {
                    On::block_on(future)
                }

                fn spawn(future: impl Future<Output = ()> + Send + 'static) {
                    On::spawn(future);
                }

                async fn incoming(server: &Server, stream: TcpStream) -> Result<Incoming, Error> {
                    $adapter::incoming_tls(server, &acceptor(), On::tcp(stream)?).await
                }

                async fn connect_with(client: &Client, uri: &str) -> Connecting<Self> {
                    Self::dial().connect(client, uri).await
                }
            }

            impl Adapter for Over {
                async fn accept_with(server: &Server, stream: TcpStream) -> Result<WebSocket, Error> {
                    $adapter::accept_tls(server, &acceptor(), On::tcp(stream)?).await
                }

                async fn accept_on(server: &Server, stream: TcpStream) -> Result<(), Error> {
                    let acceptor = acceptor();
                    let incoming = $adapter::incoming_tls_on(server, &acceptor, On::tcp(stream)?);
                    incoming.await?.accept().await.map(drop)
                }

                #[cfg(unix)]
                async fn connect_on(
                    client: &Client,
                    uri: &str,
                    stream: UnixStream,
                ) -> Result<(), Error> {
                    let name = "localhost".try_into().expect("a name");
                    let connector = TlsConnector::from(shared().1.clone());
                    let stream = connector.connect(name, On::unix(stream)?).await?;
                    $adapter::connect_on(client, uri, stream).await.map(drop)
                }

                fn has_no_delay(transport: &Self::Connected) -> bool {
                    transport.get_ref().tcp().nodelay().expect("TCP")
                }
            }

            #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
            impl Compressing for Over {
                async fn accept(stream: TcpStream) -> Result<WebSocket, Error> {
                    $adapter::accept(acceptor().accept(On::tcp(stream)?).await?).await
                }

                async fn connect(uri: String) -> Connecting<Self> {
                    Self::dial().connect(&Client::compressing(), uri).await
                }
            }

            impl Serves for Over {
                fn serve<F>(
                    listener: TcpListener,
                    server: Server,
                    choices: Choices,
                    handler: impl Fn(WebSocket) -> F + Send + Sync + 'static,
                ) -> (Handle, impl Future<Output = Drained>)
                where
                    F: Future<Output = Result<(), Error>> + Send + 'static,
                {
                    let listener = On::listener(listener).expect("a listener");
                    let serving = $adapter::serve_tls(listener, acceptor(), server, handler)
                        .max_per_address(choices.max_per_address)
                        .on_incident(choices.on_incident);
                    (serving.handle(), serving)
                }
            }

            impl Multiplexing for Over {
                type Dial = $adapter::Connector;

                fn dial() -> $adapter::Connector {
                    $adapter::Connector::new().rustls(shared().1.clone())
                }
            }

            fn acceptor() -> TlsAcceptor {
                shared().0.clone().into()
            }

            $crate::behaviour_suite!(@chooses $adapter);
            $crate::behaviour_suite!(@tests);
            $crate::behaviour_suite!(@serving);
            $crate::behaviour_suite!(@secure);
        }
    };
    (@chooses $adapter:ident) => {
        impl $crate::suite::network::Chooses for Over {
            fn choose(choices: $crate::suite::network::Choices) -> $adapter::Connector {
                let mut connector = Self::dial();
                if let Some(names) = choices.names {
                    connector = connector.resolver(move |host, port| {
                        let found = names(&host, port);
                        async move { found }
                    });
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
    };
    (@tests) => {
        $crate::behaviour_suite! { @each
            messages: echoes_every_length, echoes_as_client, sends_in_fragments, receives_fragments,
                lends_messages, answers_pipelined_messages_in_order, enforces_message_limit,
                masks_with_fresh_keys, talks_to_itself;
            control: answers_pings, answers_pings_inside_a_message, answers_pings_as_client,
                ignores_unsolicited_pongs, shows_control_frames, sends_pings_and_pongs,
                answers_only_the_newest_ping_when_blocked;
            sending: send_feed_and_flush, try_send_gives_a_full_message_back,
                gives_messages_back_after_close, refuses_what_may_not_be_sent,
                waits_for_room_and_goes_on, ends_a_blocked_send_when_the_peer_leaves;
            as_they_come: reads_what_is_longer_than_its_limit, skips_what_is_not_read, writes_what_nobody_holds,
                tells_of_a_message_that_is_given_up, streams_both_ways_at_once, is_a_stream_of_bytes;
            fairness: shares_its_thread, shares_its_thread_as_client;
            sinks: forwards, forwards_what_came_with_the_close, splits_over_two_tasks, wakes_both_halves, closes_through_the_sink,
                wakes_the_sender_when_the_peer_ends;
            closing: peer_closes, server_closes, client_closes, closes_without_code, both_close_at_once,
                answers_with_the_same_code, answers_pings_while_closing, ends_without_close_frame,
                ends_when_nobody_answers_the_close, ends_when_the_peer_talks_on,
                ends_when_the_client_keeps_its_half, ends_with_unread_answers,
                forwards_how_it_ended;
            vanishing: tells_a_reset, #[cfg(unix)] tells_a_peer_that_was_killed,
                #[cfg(unix)] tells_a_peer_that_was_killed_before_it_read;
            opening: chooses_a_subprotocol, leaves_the_choice_to_the_application,
                reads_frames_behind_the_request, reads_frames_behind_the_response,
                takes_the_request_byte_by_byte, takes_the_response_byte_by_byte,
                sends_a_lawful_request, takes_unusual_requests, takes_unusual_responses,
                serves_pages, answers_head_without_body, hands_refusals_over,
                hands_refusals_over_whose_body_never_ends,
                hands_refusals_over_without_waiting_for_their_end,
                names_what_refused, tells_where_a_redirect_leads,
                ends_a_silent_handshake, ends_a_silent_server;
            reaching: goes_through_a_proxy, goes_through_a_socks_proxy, names_a_proxy_that_says_no,
                follows_a_redirect;
            network: looks_names_up_as_told, names_an_address_that_cannot_be_bound,
                #[cfg(target_os = "linux")] connects_from_the_address_that_is_bound,
                #[cfg(unix)] prepares_sockets, #[cfg(unix)] reaches_a_unix_socket,
                #[cfg(unix)] follows_a_redirect_on_a_unix_socket,
                #[cfg(unix)] names_a_unix_socket_that_takes_nobody;
            bad_frames: fails_a_bad_client, fails_a_bad_server, fails_at_the_first_wrong_byte,
                ignores_everything_after_close, stops_listening_to_an_offender;
            bad_requests: refuses_bad_requests, refuses_versions_that_it_cannot_speak, judges_hosts,
                judges_origins, insists_on_a_subprotocol;
            bad_responses: fails_on_bad_responses;
            compression: echoes_compressed, echoes_compressed_as_client, compresses_for_itself,
                compresses_for_nobody_who_did_not_ask,
                fails_a_client_that_compresses_badly, fails_a_server_that_compresses_badly;
            multiplexing: channels_are_on_tasks_of_their_own;
            versions: speaks_every_version, speaks_every_version_byte_by_byte, falls_back,
                bears_what_old_clients_do;
            adapter: clients_and_servers_of_ones_own_compress_if_they_say_so,
                what_is_accepted_has_no_delay, what_is_connected_has_no_delay,
                #[cfg(unix)] a_socket_without_the_option_is_accepted_all_the_same,
                #[cfg(any(feature = "compression", feature = "compression-miniz_oxide"))]
                accept_and_connect_compress;
        }
    };
    (@serving) => {
        $crate::behaviour_suite! { @each
            serving: sends_everybody_away_in_order, answers_503_beyond_the_limit, outlives_a_panic,
                cuts_and_names_who_is_silent, answers_503_while_it_ends,
                answers_503_to_those_in_the_queue;
        }
    };
    (@secure) => {
        $crate::behaviour_suite! { @each
            nested: goes_through_tls_to_a_proxy,
                carries_a_mebibyte_each_way_and_says_goodbye_in_both_layers;
        }
    };
    (@each $($module:ident: $($(#[$if:meta])? $name:ident),*;)*) => {
        $(mod $module {
            $($(#[$if])?
            #[test]
            fn $name() {
                let test = $crate::suite::$module::$name::<super::Over>;
                $crate::suite::bounded(concat!(stringify!($module), "::", stringify!($name)), test);
            })*
        })*
    };
}
