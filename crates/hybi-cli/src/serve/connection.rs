//! One transport from its first byte to its end: TLS, request, answer or connection, log line.

use std::sync::Arc;
use std::time::Instant;

use http::{Request, StatusCode};
use hybi::{
    Config, Error, HandshakeError, Server,
    handshake::ServerAccepted,
    io::{Timer as _, Transport},
    mux, opening,
};
use hybi_tokio::{Incoming, TokioIo, TokioTimer};

use super::access_log::Record;
use super::answer::{advice, decide};
use super::certificate::Certificate;
use super::channels::{self, Channels};
use super::handlers;
use super::listen::{Accepted, Origin};
use super::registry::Member;
use super::route::Plan;
use super::session::Session;
use super::shared::Shared;
use crate::log;
use crate::stream::Stream;
use crate::values::version_name;

/// Serves one transport to its end.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    server: Server,
    accepted: Accepted,
    origin: Origin,
    member: Member,
) {
    let began = Instant::now();
    let request = async {
        let mut timer = TokioTimer::default();
        let deadline = server.config().handshake_deadline(timer.now());
        let stream = accepted.open(shared.certificate.as_ref().map(Certificate::current));
        let stream = opening::tls("the client", &mut timer, deadline, stream).await?;
        opening::incoming_on(&server, TokioIo::new(stream), timer, deadline).await
    };
    let request = tokio::select! {
        request = request => request,
        // Whoever has not asked anything yet gets no answer either.
        () = member.asked_to_leave() => return,
    };
    let mut record = Record { peer: origin.name, ..Record::default() };
    match request {
        Ok(incoming) => answer(&shared, &server, incoming, member, record, began).await,
        Err(error) => {
            match error.handshake().and_then(advice) {
                Some(advice) => {
                    log::info(format_args!("{}: refused: {error}; {advice}", record.peer))
                }
                None => log::debug(format_args!("{}: {error}", record.peer)),
            }
            let Some(status) = answered(&error) else { return };
            record.status = status.as_u16();
            record.handshake = began.elapsed();
            note(&shared, &member, &record);
        }
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

async fn answer(
    shared: &Arc<Shared>,
    server: &Server,
    incoming: Incoming<Stream>,
    member: Member,
    mut record: Record,
    began: Instant,
) {
    let admitted = admit(shared, incoming, server.config(), &member, &mut record, began).await;
    let Some((plan, path, incoming, accepted)) = admitted else {
        return note(shared, &member, &record);
    };
    let lifetime = shared.args.limits.max_lifetime.0;
    let accepted = match &shared.chosen.mux {
        None => incoming.accept_as(accepted).await,
        // In boxes: a task would keep room for all of it, and few connections have channels.
        Some(mux) => {
            let asked = mux::accept_as(incoming, accepted, mux, TokioTimer::default);
            match Box::pin(asked).await {
                Ok(mux::Accepted::Single(ws)) => Ok(ws),
                Ok(mux::Accepted::Multiplexed(mux)) => {
                    let channels = Channels {
                        shared: Arc::clone(shared),
                        config: channels::config(server.config()),
                        peer: record.peer.clone(),
                        member: Arc::new(member),
                        expires: lifetime.map(|lifetime| Instant::now() + lifetime),
                    };
                    return Box::pin(channels.hold(mux, plan, path, record)).await;
                }
                Err(error) => Err(error),
            }
        }
    };
    match accepted {
        Ok(ws) => {
            let expires = lifetime.map(|lifetime| Instant::now() + lifetime);
            let session = Session::new(ws, &member, expires);
            hold(shared, session, plan, &path, &mut record).await;
        }
        Err(error) => log::debug(format_args!("{}: {error}", record.peer)),
    }
    note(shared, &member, &record);
}

/// What a request gets: what a handler is to do with its connection and the 101 to answer, or `None` if it
/// was answered with something else. `config` is for connections of the server.
pub(super) async fn admit<T: Transport>(
    shared: &Shared,
    incoming: hybi::Incoming<T, TokioTimer>,
    config: &Config,
    member: &Member,
    record: &mut Record,
    began: Instant,
) -> Option<(Plan, String, hybi::Incoming<T, TokioTimer>, ServerAccepted)> {
    record.method = Some(incoming.request().method().to_string());
    record.target = Some(incoming.request().uri().to_string());
    record.origin = origin_of(incoming.request());
    let decision = decide(shared, &incoming, member);
    record.handshake = began.elapsed();
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
    record.status = StatusCode::SWITCHING_PROTOCOLS.as_u16();
    let path = incoming.request().uri().path().to_owned();
    let incoming = match plan {
        Plan::Echo { fragment: Some(bytes), .. } => {
            incoming.with_config(config.clone().fragment_size(Some(bytes.get())))
        }
        _ => incoming,
    };
    Some((plan, path, incoming, accepted))
}

/// Lets a handler hold the conversation, and says in the record how it went.
pub(super) async fn hold<T: Transport>(
    shared: &Shared,
    mut session: Session<'_, T>,
    plan: Plan,
    path: &str,
    record: &mut Record,
) {
    let limits = &shared.args.limits;
    let outcome = handlers::run(plan, path, &mut session, &shared.chat, limits).await;
    if let Err(error) = &outcome {
        let spoken = version_name(session.version());
        match record.channel {
            Some(id) => {
                log::info(format_args!("{}: {spoken}, channel {id}: {error}", record.peer));
            }
            None => log::info(format_args!("{}: {spoken}: {error}", record.peer)),
        }
    }
    record.connection = Some(session.end(&outcome));
}

/// Counts a request that was answered, and writes its line.
pub(super) fn note(shared: &Shared, member: &Member, record: &Record) {
    if record.status != StatusCode::SWITCHING_PROTOCOLS.as_u16() {
        member.registry().note_answer();
    }
    if let Some(access_log) = &shared.access_log {
        access_log.write(record);
    }
}

fn origin_of<B>(request: &Request<B>) -> Option<String> {
    let names = ["origin", "sec-websocket-origin"];
    let value = names.iter().find_map(|name| request.headers().get(*name))?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}
