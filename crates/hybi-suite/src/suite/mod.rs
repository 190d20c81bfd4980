//! The behaviour suite: what both ends of a connection see, written once and run over every runtime
//! (RFC 6455 sections 4 to 8).
//!
//! An adapter implements [`Runtime`] and calls [`behaviour_suite!`](crate::behaviour_suite); each
//! test then appears by its name in that crate.

#![expect(clippy::missing_panics_doc, reason = "these are tests: panicking is how they fail")]

pub mod adapter;
pub mod bad_frames;
pub mod bad_requests;
pub mod bad_responses;
pub mod closing;
pub mod compression;
pub mod control;
pub mod fairness;
pub mod faults;
pub mod messages;
pub mod multiplexing;
pub mod opening;
pub mod sending;
pub mod serving;
pub mod sinks;
pub mod vanishing;
pub mod versions;

use core::{future::Future, net::SocketAddr, time::Duration};
use std::{net::TcpStream, sync::mpsc, thread};

use hybi::{
    Client, ClientBuilder, Config, Error, Incoming, Server, WebSocket,
    http::Response,
    io::{Timer, Transport},
};

use crate::peer::listen;

/// What the suite needs of a runtime and its adapter.
pub trait Runtime: Send + Sync + 'static {
    /// The transport over a TCP stream that was accepted.
    type Accepted: Transport + Send + 'static;
    /// The transport that `connect` makes.
    type Connected: Transport + Send + 'static;
    /// The timer.
    type Timer: Timer + Send + 'static;

    /// Runs a future to its end on this thread.
    fn block_on<F: Future>(future: F) -> F::Output;

    /// Runs a future beside others, until [`block_on`](Self::block_on) ends.
    fn spawn(future: impl Future<Output = ()> + Send + 'static);

    /// The adapter's function of this name, on a stream of its runtime.
    fn incoming(
        server: &Server,
        stream: TcpStream,
    ) -> impl Future<Output = Result<Incoming<Self::Accepted, Self::Timer>, Error>> + Send;

    /// The adapter's function of this name.
    fn connect_with(client: &Client, uri: &str) -> impl Future<Output = Connecting<Self>> + Send;
}

/// What connecting gives.
pub type Connecting<R> = Result<(Connected<R>, Response<()>), Error>;
/// A connection that a server accepted.
pub type Accepted<R> = WebSocket<<R as Runtime>::Accepted, <R as Runtime>::Timer>;
/// A connection that a client opened.
pub type Connected<R> = WebSocket<<R as Runtime>::Connected, <R as Runtime>::Timer>;

/// The longest that a test may take: a bound on hangs.
const TEST_TIME: Duration = Duration::from_secs(60);

/// More bytes than the kernel buffers of one connection hold, so that sending them blocks while
/// the peer does not read.
pub const MORE_THAN_BUFFERS: usize = 16 * 1024 * 1024;

/// Runs a test; one that hangs fails under its name.
///
/// # Panics
///
/// When the test does, or takes too long.
pub fn bounded(name: &str, test: fn()) {
    let (done, wait) = mpsc::channel();
    let runner = thread::Builder::new().name(name.to_owned()).spawn(move || {
        test();
        let _ = done.send(());
    });
    let runner = runner.expect("a thread");
    match wait.recv_timeout(TEST_TIME) {
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{name} hangs"),
        Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => {
            if let Err(panic) = runner.join() {
                std::panic::resume_unwind(panic);
            }
        }
    }
}

/// An endpoint under test, running on a thread of its own while the test plays its peer.
#[derive(Debug)]
pub struct Running<O>(thread::JoinHandle<O>);

impl<O> Running<O> {
    /// What the endpoint came to.
    ///
    /// # Panics
    ///
    /// As the endpoint did.
    pub fn join(self) -> O {
        self.0.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Runs what `start` makes on the runtime.
pub fn run<R: Runtime, F: Future<Output: Send + 'static>>(
    start: impl FnOnce() -> F + Send + 'static,
) -> Running<F::Output> {
    Running(thread::spawn(|| R::block_on(start())))
}

/// Runs a server that reads one request and gives it to `app`.
pub fn serve_request<R, F>(
    server: Server,
    app: impl FnOnce(Result<Incoming<R::Accepted, R::Timer>, Error>) -> F + Send + 'static,
) -> (SocketAddr, Running<F::Output>)
where
    R: Runtime,
    F: Future<Output: Send + 'static>,
{
    let (listener, address) = listen();
    let running = run::<R, _>(move || async move {
        let (stream, _) = listener.accept().expect("a client");
        app(R::incoming(&server, stream).await).await
    });
    (address, running)
}

/// Runs a server that accepts one connection and gives it to `app`.
pub fn serve<R, F>(
    config: Config,
    app: impl FnOnce(Accepted<R>) -> F + Send + 'static,
) -> (SocketAddr, Running<F::Output>)
where
    R: Runtime,
    F: Future<Output: Send + 'static>,
{
    serve_as::<R, _>(Server::builder().config(config).build(), app)
}

/// The same with other rules.
pub fn serve_as<R, F>(
    server: Server,
    app: impl FnOnce(Accepted<R>) -> F + Send + 'static,
) -> (SocketAddr, Running<F::Output>)
where
    R: Runtime,
    F: Future<Output: Send + 'static>,
{
    serve_request::<R, _>(server, |incoming| async {
        let incoming = incoming.expect("a request");
        app(incoming.accept().await.expect("a request that can be accepted")).await
    })
}

/// Runs a server that accepts one connection and sends every message back, up to the end.
pub fn serve_echo<R: Runtime>(config: Config) -> (SocketAddr, Running<Outcome>) {
    serve::<R, _>(config, echo)
}

/// Runs a client that opens one connection and gives it to `app`.
pub fn connect<R, F>(
    address: SocketAddr,
    config: Config,
    app: impl FnOnce(Connected<R>) -> F + Send + 'static,
) -> Running<F::Output>
where
    R: Runtime,
    F: Future<Output: Send + 'static>,
{
    connect_as::<R, _>(address, Client::builder().config(config), app)
}

/// The same with more that the client asks for.
pub fn connect_as<R, F>(
    address: SocketAddr,
    client: ClientBuilder,
    app: impl FnOnce(Connected<R>) -> F + Send + 'static,
) -> Running<F::Output>
where
    R: Runtime,
    F: Future<Output: Send + 'static>,
{
    run::<R, _>(move || async move {
        let client = client.build().expect("a client");
        let connecting = R::connect_with(&client, &format!("ws://{address}/")).await;
        app(connecting.expect("a server that accepts").0).await
    })
}

/// How a connection ended, as its application saw it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The error that ended it, if not in order.
    pub error: Option<Error>,
    /// What `close_status` says.
    pub status: hybi::CloseStatus,
}

/// Sends every message back, up to the end; every call after the end has to answer as the first.
pub async fn echo<T: Transport, C: Timer>(mut ws: WebSocket<T, C>) -> Outcome {
    let error = loop {
        match ws.recv().await {
            Ok(Some(message)) => {
                if let Err(error) = ws.feed(message).await {
                    break Some(error.into());
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    for _ in 0..3 {
        let again = ws.recv().await;
        match (&error, &again) {
            (None, Ok(None)) => {}
            (Some(first), Err(again)) if first.to_string() == again.to_string() => {}
            _ => panic!("first {error:?}, then {again:?}"),
        }
    }
    let status = ws.close_status().expect("a connection that ended has a status");
    Outcome { error, status }
}

/// Lists every test of the suite by its name, for one runtime.
#[macro_export]
macro_rules! behaviour_suite {
    ($runtime:ident) => {
        $crate::behaviour_suite! { @ $runtime;
            messages: echoes_every_length, echoes_as_client, sends_in_fragments, receives_fragments,
                lends_messages, answers_pipelined_messages_in_order, enforces_message_limit,
                masks_with_fresh_keys, talks_to_itself;
            control: answers_pings, answers_pings_inside_a_message, answers_pings_as_client,
                ignores_unsolicited_pongs, shows_control_frames, sends_pings_and_pongs,
                answers_only_the_newest_ping_when_blocked;
            sending: send_feed_and_flush, try_send_gives_a_full_message_back,
                gives_messages_back_after_close, refuses_what_may_not_be_sent,
                waits_for_room_and_goes_on, ends_a_blocked_send_when_the_peer_leaves;
            fairness: shares_its_thread, shares_its_thread_as_client;
            sinks: forwards, forwards_what_came_with_the_close, splits_over_two_tasks, wakes_both_halves, closes_through_the_sink,
                wakes_the_sender_when_the_peer_ends;
            closing: peer_closes, server_closes, client_closes, closes_without_code, both_close_at_once,
                answers_with_the_same_code, answers_pings_while_closing, ends_without_close_frame,
                ends_when_nobody_answers_the_close, ends_when_the_peer_talks_on,
                ends_when_the_client_keeps_its_half, ends_with_unread_answers,
                forwards_how_it_ended;
            vanishing: tells_a_reset;
            opening: chooses_a_subprotocol, leaves_the_choice_to_the_application,
                reads_frames_behind_the_request, reads_frames_behind_the_response,
                takes_the_request_byte_by_byte, takes_the_response_byte_by_byte,
                sends_a_lawful_request, takes_unusual_requests, takes_unusual_responses,
                serves_pages, answers_head_without_body, hands_refusals_over,
                hands_refusals_over_whose_body_never_ends,
                hands_refusals_over_without_waiting_for_their_end,
                names_what_refused, tells_where_a_redirect_leads,
                ends_a_silent_handshake, ends_a_silent_server;
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
                what_is_accepted_has_no_delay, what_is_connected_has_no_delay;
        }
    };
    (@ $runtime:ident; $($module:ident: $($name:ident),*;)*) => {
        $(mod $module {
            $(#[test]
            fn $name() {
                let test = $crate::suite::$module::$name::<super::$runtime>;
                $crate::suite::bounded(concat!(stringify!($module), "::", stringify!($name)), test);
            })*
        })*
    };
}

/// Lists the tests of servers that are looked after, for one runtime that has them.
#[macro_export]
macro_rules! serving_suite {
    ($runtime:ident) => {
        $crate::behaviour_suite! { @ $runtime;
            serving: sends_everybody_away_in_order, answers_503_beyond_the_limit, outlives_a_panic,
                cuts_and_names_who_is_silent, answers_503_while_it_ends;
        }
    };
}
