//! What all connections of a server share: its options, and what was made of them.

use std::sync::Arc;

use hybi::{
    Config, HostPolicy, OriginPolicy, Server,
    handshake::{HeadLimits, SubprotocolPreference},
};

use tokio::sync::watch;

use super::access_log::AccessLog;
use super::certificate::Certificate;
use super::counters::Counters;
use super::handlers::Chat;
use super::listen::Listener;
use super::route::Routes;
use crate::args::serve::{LimitArgs, ServeArgs, SubprotocolPolicy};
use crate::exit::Failure;
use crate::extensions::{self, Chosen};
use crate::log;

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) args: ServeArgs,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) routes: Routes,
    pub(crate) chosen: Chosen,
    pub(crate) chat: Chat,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) counters: Arc<Counters>,
    /// The choices about connections.
    pub(crate) config: Config,
    leaving: watch::Sender<bool>,
}

impl Shared {
    /// Checks everything that can be wrong with the options before anything is bound.
    pub(crate) fn new(mut args: ServeArgs) -> Result<Self, Failure> {
        if let Some(why) = args.listen.contradiction() {
            return Err(Failure::usage("usage", why));
        }
        let routes = Routes::new(core::mem::take(&mut args.listen.handle))?;
        let (limits, protocol) = (&args.limits, &args.protocol);
        if limits.max_frame.is_some_and(|frame| frame > limits.max_message) {
            let why = format!(
                "--max-frame is larger than --max-message, {} bytes: a frame is part of a message",
                limits.max_message
            );
            return Err(Failure::usage("usage", why));
        }
        let chosen = extensions::chosen(&protocol.ext, &protocol.versions.0, |deflate| {
            deflate.level(limits.deflate_level).min_size(limits.deflate_min_size)
        })?;
        let certificate = Certificate::new(&args.tls, &args.listen.http)?;
        let operations = &args.operations;
        let access_log = operations.access_log.as_deref();
        let access_log = access_log
            .map(|path| AccessLog::open(path, operations.access_log_format))
            .transpose()?;
        Ok(Self {
            certificate,
            routes,
            chosen,
            chat: Chat::new(args.limits.send_queue, args.limits.slow_peer),
            access_log,
            counters: Counters::new(),
            config: config(&args.limits),
            leaving: watch::Sender::new(false),
            args,
        })
    }

    /// The server is on its way out: nobody is to be kept waiting.
    pub(crate) fn leave(&self) {
        self.leaving.send_replace(true);
    }

    /// Waits until the server is on its way out. Cancel safe.
    pub(crate) async fn left(&self) {
        // The sender is here, so it is told in the end or never.
        let _ = self.leaving.subscribe().wait_for(|leaving| *leaving).await;
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
            .extensions(self.chosen.extensions.clone())
            .config(self.config.clone());
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
        .end_timeout(limits.end_timeout)
}
