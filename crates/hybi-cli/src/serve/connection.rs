//! One transport from its first byte to its end: TLS, request, answer or connection, log line.

use std::sync::Arc;
use std::time::Instant;

use http::{Request, StatusCode};
use hybi::{Config, Error, HandshakeError, Server, io::Timer as _, opening};
use hybi_tokio::{Incoming, TokioIo, TokioTimer};

use super::access_log::Record;
use super::answer::{advice, decide};
use super::certificate::Certificate;
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
        Ok(incoming) => {
            record.method = Some(incoming.request().method().to_string());
            record.target = Some(incoming.request().uri().to_string());
            record.origin = origin_of(incoming.request());
            answer(&shared, &server, incoming, &member, &mut record, began).await;
        }
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
        }
    }
    if record.status != StatusCode::SWITCHING_PROTOCOLS.as_u16() {
        member.registry().note_answer();
    }
    if let Some(access_log) = &shared.access_log {
        access_log.write(&record);
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
    shared: &Shared,
    server: &Server,
    incoming: Incoming<Stream>,
    member: &Member,
    record: &mut Record,
    began: Instant,
) {
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
            return incoming.respond(answer.response).await;
        }
    };
    let path = incoming.request().uri().path().to_owned();
    let incoming = match plan {
        Plan::Echo { fragment: Some(bytes), .. } => {
            let config = Config::clone(server.config());
            incoming.with_config(config.fragment_size(Some(bytes.get())))
        }
        _ => incoming,
    };
    record.status = StatusCode::SWITCHING_PROTOCOLS.as_u16();
    let ws = match incoming.accept_as(accepted).await {
        Ok(ws) => ws,
        Err(error) => return log::debug(format_args!("{}: {error}", record.peer)),
    };
    let limits = &shared.args.limits;
    let mut session = Session::new(ws, member, limits.max_lifetime.0);
    let outcome = handlers::run(plan, &path, &mut session, &shared.chat, limits).await;
    if let Err(error) = &outcome {
        let spoken = version_name(session.version());
        log::info(format_args!("{}: {spoken}: {error}", record.peer));
    }
    record.connection = Some(session.end(&outcome));
}

fn origin_of<B>(request: &Request<B>) -> Option<String> {
    let names = ["origin", "sec-websocket-origin"];
    let value = names.iter().find_map(|name| request.headers().get(*name))?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}
