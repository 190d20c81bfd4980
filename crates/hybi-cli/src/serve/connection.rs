//! One transport from its first byte to its end: TLS, request, answer or connection, log line.

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hybi::{
    Config, Error, Extensions, HandshakeError, HeadLimits, OriginPolicy, Server, ServerAccepted,
    SubprotocolPreference, io::Timer as _, opening,
};
use hybi_tokio::{Incoming, TokioIo, TokioTimer};

use super::access_log::{AccessLog, Record};
use super::certificate::Certificate;
use super::handlers::{self, Chat};
use super::listen::{Accepted, Origin};
use super::page;
use super::registry::Member;
use super::route::{Plan, Routes};
use super::session::Session;
use crate::args::serve::{ServeArgs, SubprotocolPolicy};
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
    /// For plain transports and for TLS: the two have different origins.
    plain_server: Server,
    tls_server: Server,
    routes: Routes,
    chat: Chat,
    access_log: Option<AccessLog>,
    server_header: Option<HeaderValue>,
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
        let text = &args.listen.server_header;
        let server_header = HeaderValue::from_str(text).ok().filter(|text| !text.is_empty());
        let plain_server = server(&args, extensions);
        Ok(Self {
            certificate,
            tls_server: plain_server.clone().with_secure(true),
            plain_server,
            routes,
            chat: Chat::new(args.limits.send_queue),
            access_log,
            server_header,
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

    fn server(&self, stream: &Stream) -> &Server {
        match stream {
            Stream::Tls(_) => &self.tls_server,
            Stream::Tcp(_) | Stream::Unix(_) => &self.plain_server,
        }
    }
}

fn server(args: &ServeArgs, extensions: Extensions) -> Server {
    let limits = &args.limits;
    let head_limits = HeadLimits::default()
        .with_max_bytes(limits.max_header_bytes)
        .with_max_fields(limits.max_headers);
    let config = Config::default()
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
        .close_timeout(limits.close_timeout);
    let preference = match args.protocol.subprotocol_policy {
        SubprotocolPolicy::Client => SubprotocolPreference::Client,
        SubprotocolPolicy::Server | SubprotocolPolicy::Require => SubprotocolPreference::Server,
    };
    Server::builder()
        .versions(args.protocol.versions.0.iter().copied())
        .origins(OriginPolicy::List(args.protocol.origin.clone()))
        .subprotocols(args.protocol.subprotocol.clone())
        .subprotocol_preference(preference)
        .subprotocol_required(args.protocol.subprotocol_policy == SubprotocolPolicy::Require)
        .extensions(extensions)
        .config(config)
        .build()
}

/// Serves one transport to its end.
pub(crate) async fn serve(shared: Arc<Shared>, accepted: Accepted, origin: Origin, member: Member) {
    let began = Instant::now();
    let request = async {
        let mut timer = TokioTimer::default();
        let deadline = shared.plain_server.config().handshake_deadline(timer.now());
        let stream = accepted.open(shared.certificate.as_ref().map(Certificate::current));
        let stream = opening::tls("the client", &mut timer, deadline, stream).await?;
        opening::incoming(shared.server(&stream), TokioIo::new(stream), timer, deadline).await
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
            answer(&shared, incoming, &member, &mut record, began).await;
        }
        Err(error) => {
            log::debug(format_args!("{}: {error}", record.peer));
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
    incoming: Incoming<Stream>,
    member: &Member,
    record: &mut Record,
    began: Instant,
) {
    let decision = decide(shared, &incoming, member);
    record.handshake = began.elapsed();
    let (plan, accepted) = match decision {
        Ok(decided) => decided,
        Err(mut response) => {
            if let Some(text) = &shared.server_header {
                response.headers_mut().insert(header::SERVER, text.clone());
            }
            record.status = response.status().as_u16();
            if !response.status().is_success() {
                log::debug(format_args!(
                    "{}: refused: {}",
                    record.peer,
                    response.body().trim_end()
                ));
            }
            return incoming.respond(*response).await;
        }
    };
    let path = incoming.request().uri().path().to_owned();
    let incoming = match plan {
        Plan::Echo { fragment: Some(bytes), .. } => {
            let config = Config::clone(shared.server(incoming.transport().get_ref()).config());
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

/// The handler for a request and the 101 to answer, or the answer that it gets instead.
fn decide(
    shared: &Shared,
    incoming: &Incoming<Stream>,
    member: &Member,
) -> Result<(Plan, ServerAccepted), Box<Response<String>>> {
    let request = incoming.request();
    if member.surplus || member.registry().is_draining() {
        let mut full = refusal(StatusCode::SERVICE_UNAVAILABLE, "no room for more connections");
        full.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        return Err(full.into());
    }
    if request.version() < http::Version::HTTP_11 {
        return Err(HandshakeError::HttpVersion.response().into());
    }
    if !accepts_host(&shared.args.listen.host, request) {
        return Err(refusal(StatusCode::MISDIRECTED_REQUEST, "this host is not served here").into());
    }
    let path = request.uri().path();
    if path == "/" && !incoming.is_upgrade() && !shared.args.listen.no_pages {
        return Err(Box::new(console(request)));
    }
    let Some(handler) = shared.routes.find(path) else {
        return Err(refusal(StatusCode::NOT_FOUND, "nothing is served at this path").into());
    };
    let query = request.uri().query().unwrap_or_default();
    let plan = Plan::new(handler, query, shared.args.limits.max_message)
        .map_err(|why| Box::new(refusal(StatusCode::BAD_REQUEST, &why)))?;
    let mut accepted = incoming.check().map_err(|error| Box::new(error.response()))?;
    if let Plan::Echo { extensions: false, .. } = plan {
        accepted.offers.clear();
    }
    let accepted = match &shared.server_header {
        // The option's parser took the text as a header value, so it is one.
        Some(text) => accepted.clone().with_header("Server", text).unwrap_or(accepted),
        None => accepted,
    };
    Ok((plan, accepted))
}

/// The answer to a request of `/` that asks for no WebSocket.
fn console<B>(request: &Request<B>) -> Response<String> {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    match (hosts, request.method()) {
        // RFC 9112 section 3.2.
        (0, _) => HandshakeError::MissingHost.response(),
        (1, &Method::GET | &Method::HEAD) => page::response().map(str::to_owned),
        (1, _) => {
            let mut response = HandshakeError::Method.response();
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            response
        }
        _ => HandshakeError::DuplicateField { name: "Host" }.response(),
    }
}

/// Whether the Host field names one of the accepted hosts, with or without its port.
fn accepts_host<B>(accepted: &[String], request: &Request<B>) -> bool {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    accepted.is_empty()
        || host.is_some_and(|host| {
            let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
            accepted
                .iter()
                .any(|known| known.eq_ignore_ascii_case(host) || known.eq_ignore_ascii_case(name))
        })
}

fn origin_of<B>(request: &Request<B>) -> Option<String> {
    let names = ["origin", "sec-websocket-origin"];
    let value = names.iter().find_map(|name| request.headers().get(*name))?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn refusal(status: StatusCode, why: &str) -> Response<String> {
    let mut response = Response::new(format!("{why}\n"));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}
