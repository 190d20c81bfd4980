//! One transport from its first byte to its end: TLS, request, answer or connection, log line.

use std::sync::Arc;
use std::time::Instant;

use http::{Request, StatusCode};
use hybi::{
    Config, Error, Extensions, HandshakeError, HeadLimits, HostPolicy, OriginPolicy, Server,
    SubprotocolPreference, io::Timer as _, opening,
};
use hybi_tokio::{Incoming, TokioIo, TokioTimer};

use super::access_log::{AccessLog, Record};
use super::answer::{advice, decide};
use super::certificate::Certificate;
use super::handlers::{self, Chat};
use super::listen::{Accepted, Listener, Origin};
use super::registry::Member;
use super::route::{Plan, Routes};
use super::session::Session;
use crate::args::serve::{LimitArgs, ServeArgs, SubprotocolPolicy};
use crate::exit::Failure;
use crate::extensions;
use crate::log;
use crate::stream::Stream;
use crate::values::version_name;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) args: ServeArgs,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) routes: Routes,
    extensions: Extensions,
    chat: Chat,
    access_log: Option<AccessLog>,
}

impl Shared {
    /// Checks everything that can be wrong with the options before anything is bound.
    pub(crate) fn new(mut args: ServeArgs) -> Result<Self, Failure> {
        let routes = Routes::new(core::mem::take(&mut args.listen.handle))?;
        let (limits, protocol) = (&args.limits, &args.protocol);
        if limits.max_frame.is_some_and(|frame| frame > limits.max_message) {
            let why = format!(
                "--max-frame is larger than --max-message, {} bytes: a frame is part of a message",
                limits.max_message
            );
            return Err(Failure::usage("usage", why));
        }
        let extensions = extensions::chosen(&protocol.ext, &protocol.versions.0, |deflate| {
            deflate.level(limits.deflate_level).min_size(limits.deflate_min_size)
        })?;
        let certificate = Certificate::new(&args.tls)?;
        let operations = &args.operations;
        let access_log = operations.access_log.as_deref();
        let access_log = access_log
            .map(|path| AccessLog::open(path, operations.access_log_format))
            .transpose()?;
        Ok(Self {
            certificate,
            routes,
            extensions,
            chat: Chat::new(args.limits.send_queue),
            access_log,
            args,
        })
    }

    /// Reads the certificate again and opens the access log again, each by itself, and says how that went.
    /// What cannot be replaced stays.
    pub(crate) fn reload(&self) {
        let certificate = self.certificate.as_ref().map(Certificate::reload);
        let access_log = self.access_log.as_ref().map(AccessLog::reopen);
        for (what, reloaded) in [("certificate", certificate), ("access log", access_log)] {
            match reloaded {
                Some(Ok(true)) => log::notice(format_args!("reloaded: {what}")),
                Some(Err(failure)) => log::error(format_args!(
                    "cannot reload, the {what} stays as it was: {}",
                    failure.message()
                )),
                None | Some(Ok(false)) => {}
            }
        }
    }

    /// Waits until nobody reads the access log any more.
    pub(crate) async fn log_reader_left(&self) {
        match &self.access_log {
            Some(access_log) => access_log.reader_left().await,
            None => core::future::pending().await,
        }
    }

    /// What the requests that come by a listener are judged by.
    pub(crate) fn server(&self, listener: &Listener) -> Result<Server, Failure> {
        let (listen, protocol) = (&self.args.listen, &self.args.protocol);
        let hosts = match listener.local_hosts() {
            _ if !listen.host.is_empty() => HostPolicy::List(listen.host.clone()),
            Some(hosts) => hosts,
            None => HostPolicy::Any,
        };
        let preference = match protocol.subprotocol_policy {
            SubprotocolPolicy::Client => SubprotocolPreference::Client,
            SubprotocolPolicy::Server | SubprotocolPolicy::Require => SubprotocolPreference::Server,
        };
        let mut server = Server::builder()
            .versions(protocol.versions.0.iter().copied())
            .hosts(hosts)
            .origins(OriginPolicy::List(protocol.origin.clone()))
            .subprotocols(protocol.subprotocol.clone())
            .subprotocol_preference(preference)
            .subprotocol_required(protocol.subprotocol_policy == SubprotocolPolicy::Require)
            .secure(self.certificate.is_some() && listener.carries_tls())
            .extensions(self.extensions.clone())
            .config(config(&self.args.limits));
        if !listen.server_header.is_empty() {
            server = server
                .header("Server", &listen.server_header)
                .map_err(|error| Failure::usage("usage", format!("--server-header: {error}")))?;
        }
        Ok(server.build())
    }
}

fn config(limits: &LimitArgs) -> Config {
    let head_limits = HeadLimits::default()
        .with_max_bytes(limits.max_header_bytes)
        .with_max_fields(limits.max_headers);
    Config::default()
        .max_message(limits.max_message)
        .max_frame(limits.max_frame.unwrap_or(limits.max_message) as u64)
        .max_fragments(limits.max_fragments)
        .head_limits(head_limits)
        .outbox_limit(limits.send_queue)
        .handshake_timeout(limits.handshake_timeout)
        .ping_interval(limits.ping_interval.0)
        .ping_timeout(limits.ping_timeout)
        .idle_timeout(limits.idle_timeout.0)
        .write_timeout(limits.write_timeout.0)
        .close_timeout(limits.close_timeout)
}

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
        opening::incoming(&server, TokioIo::new(stream), timer, deadline).await
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
