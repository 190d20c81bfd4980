//! One connection from its request to its end: answer or handler, log line.

use core::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use http::{Request, StatusCode, Version};
use hybi::{
    Config, Error, HandshakeError, Incoming,
    handshake::ServerAccepted,
    io::Transport,
    mux::{self, MultiplexedServer},
    serve::Incident,
};
use hybi_tokio::TokioTimer;

use super::answer::{advice, decide};
use super::channels::{self, Channels};
use super::handlers;
use super::line::Line;
use super::listen::name;
use super::route::Plan;
use super::session::Session;
use super::shared::Shared;
use crate::log;
use crate::values::version_name;

/// Says and logs what happens to a server where no handler is.
pub(super) fn tell(shared: &Arc<Shared>, incident: &Incident<'_>) {
    match incident {
        Incident::TooMany { .. } => shared.counters.turned_away(),
        Incident::NotOpened { peer, error, request, accepted_at, .. } => {
            not_opened(shared, *peer, error, *request, *accepted_at);
        }
        // The next may do better.
        Incident::NotAccepted { pause: None, .. } => log::debug(format_args!("{incident}")),
        incident => log::error(format_args!("{incident}")),
    }
}

fn not_opened(
    shared: &Arc<Shared>,
    peer: Option<SocketAddr>,
    error: &Error,
    request: Option<&Request<()>>,
    accepted_at: Instant,
) {
    let mut line = Line::new(shared, name(peer));
    let record = &mut *line.record;
    match error.handshake().and_then(advice) {
        Some(advice) => log::info(format_args!("{}: refused: {error}; {advice}", record.peer)),
        None => log::debug(format_args!("{}: {error}", record.peer)),
    }
    let Some(status) = answered(error) else { return };
    if let Some(request) = request {
        record.asks_for(request);
    }
    record.status = status.as_u16();
    record.handshake = accepted_at.elapsed();
}

/// Serves one request, and the connection that may follow, to its end.
pub(super) async fn serve<T>(shared: Arc<Shared>, incoming: Incoming<T, TokioTimer>)
where
    T: Transport + Send + 'static,
{
    let line = Line::new(&shared, name(incoming.peer()));
    // In boxes: a task would keep room for all of it, and few connections have channels.
    match Box::pin(open(&shared, incoming, line)).await {
        None => {}
        Some(Opened::Single(session, plan)) => hold(session, plan).await,
        Some(Opened::Multiplexed(mux, plan, path, line)) => {
            let channels = Channels {
                config: channels::config(&shared.config),
                peer: line.record.peer.clone(),
                expires: expires(&shared),
                shared,
            };
            Box::pin(channels.hold(mux, plan, &path, line)).await;
        }
    }
}

/// What a request led to, with what the handler is to do.
enum Opened<T: Transport> {
    Single(Session<T>, Plan),
    /// With the path, and the line of the first channel.
    Multiplexed(Box<MultiplexedServer<T, TokioTimer>>, Plan, String, Line),
}

/// Answers a request; `None` if no connection follows.
async fn open<T: Transport>(
    shared: &Arc<Shared>,
    incoming: Incoming<T, TokioTimer>,
    mut line: Line,
) -> Option<Opened<T>> {
    let admitted = admit(incoming, &shared.config, &mut line).await;
    let (plan, path, incoming, accepted) = admitted?;
    let accepted = match &shared.chosen.mux {
        None => incoming.accept_as(accepted).await.map(mux::Accepted::Single),
        Some(mux) => mux::accept_as(incoming, accepted, mux, TokioTimer::default).await,
    };
    match accepted {
        Ok(mux::Accepted::Single(ws)) => {
            let seat = handlers::seat(&plan, &path, shared);
            Some(Opened::Single(Session::new(ws, seat, expires(shared), line), plan))
        }
        Ok(mux::Accepted::Multiplexed(mux)) => {
            Some(Opened::Multiplexed(Box::new(mux), plan, path, line))
        }
        Err(error) => {
            came_to_nothing(&error, &mut line);
            None
        }
    }
}

/// The end of the time to live of a connection that begins now.
fn expires(shared: &Shared) -> Option<Instant> {
    shared.args.limits.max_lifetime.0.map(|lifetime| Instant::now() + lifetime)
}

/// The 101 did not arrive, or was not to be sent any more.
pub(super) fn came_to_nothing(error: &Error, line: &mut Line) {
    let record = &mut *line.record;
    match record.channel {
        Some(id) => log::debug(format_args!("{}, channel {id}: {error}", record.peer)),
        None => log::debug(format_args!("{}: {error}", record.peer)),
    }
    if let Some(status) = error.handshake().and_then(HandshakeError::status) {
        record.status = status.as_u16();
    }
}

/// The status that the library answered a bad head with; `None` if there was nobody to answer.
fn answered(error: &Error) -> Option<StatusCode> {
    match error {
        Error::Timeout(_) => HandshakeError::TimedOut.status(),
        error => match error.handshake()? {
            // Somebody only looked whether the port is open.
            HandshakeError::UnexpectedEof { received: 0 } => None,
            error => error.status(),
        },
    }
}

/// What a request gets: what a handler is to do with its connection and the 101 to answer, or `None` if it
/// was answered with something else. `config` is for connections of its sort.
pub(super) async fn admit<T: Transport>(
    incoming: Incoming<T, TokioTimer>,
    config: &Config,
    line: &mut Line,
) -> Option<(Plan, String, Incoming<T, TokioTimer>, ServerAccepted)> {
    let Line { shared, record } = line;
    record.asks_for(incoming.request());
    let decision = decide(shared, &incoming);
    record.handshake = incoming.accepted_at().map(|at| at.elapsed()).unwrap_or_default();
    let (plan, accepted) = match decision {
        Ok(decided) => decided,
        Err(answer) => {
            let (status, why) = (answer.response.status(), answer.response.body().trim_end());
            record.status = status.as_u16();
            match &answer.advice {
                Some(advice) => {
                    log::info(format_args!("{}: refused: {why}; {advice}", record.peer));
                }
                None if status.is_success() => {}
                None => log::debug(format_args!("{}: refused: {why}", record.peer)),
            }
            incoming.respond(answer.response).await;
            return None;
        }
    };
    record.status = accepting(incoming.request()).as_u16();
    let path = incoming.request().uri().path().to_owned();
    let incoming = match plan {
        Plan::Echo { fragment: Some(bytes), .. } => {
            incoming.with_config(config.clone().fragment_size(Some(bytes.get())))
        }
        _ => incoming,
    };
    Some((plan, path, incoming, accepted))
}

/// The status that lets frames follow: of an upgrade, or of an extended CONNECT (RFC 8441 section 5).
fn accepting(request: &Request<()>) -> StatusCode {
    if request.version() == Version::HTTP_2 {
        StatusCode::OK
    } else {
        StatusCode::SWITCHING_PROTOCOLS
    }
}

/// Lets a handler hold the conversation to its end.
pub(super) async fn hold<T: Transport>(mut session: Session<T>, plan: Plan) {
    let outcome = handlers::run(plan, &mut session).await;
    if let Err(error) = &outcome {
        let spoken = version_name(session.version());
        let record = session.record();
        match record.channel {
            Some(id) => {
                log::info(format_args!("{}: {spoken}, channel {id}: {error}", record.peer));
            }
            None => log::info(format_args!("{}: {spoken}: {error}", record.peer)),
        }
    }
    session.end(&outcome);
}
