//! `hybi serve`: from the options to listeners, and from the first signal to an orderly end.

mod access_log;
mod answer;
mod certificate;
mod channels;
mod connection;
mod counters;
mod handlers;
mod http2;
mod line;
mod listen;
mod page;
mod port_file;
pub(crate) mod route;
mod session;
mod shared;
mod statistics;
mod supervisor;

use core::num::NonZero;
use std::sync::Arc;

use hybi::serve::{Accept, Drain, Handle, Serving};
use hybi::{Server, Version};
use hybi_tokio::TokioTimer;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::runtime::Builder;

use self::listen::{Listener, Listeners};
use self::port_file::PortFile;
use self::shared::Shared;
use self::supervisor::Supervisor;
use crate::args::serve::ServeArgs;
use crate::exit::{Failure, Status};
use crate::log;
use crate::signals::{Request, Requests, Signals};
use crate::values::version_name;

/// How many connections are closed a second when the server ends.
const CLOSED_PER_SECOND: NonZero<u32> = NonZero::new(10_000).unwrap();

/// Serves until a signal asks for the end.
pub(crate) fn run(args: ServeArgs) -> Result<Status, Failure> {
    raise_file_limit();
    let mut builder = Builder::new_multi_thread();
    if let Some(threads) = args.listen.threads {
        builder.worker_threads(usize::from(threads));
    }
    let runtime = builder
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Status::Internal, "cannot start the runtime", error))?;
    let port_file = args.listen.port_file.as_deref().map(PortFile::create).transpose()?;
    let shared = Arc::new(Shared::new(args)?);
    let ended = runtime.block_on(serve(shared, port_file));
    // What is still open is to be cut, not waited for.
    runtime.shutdown_background();
    ended
}

async fn serve(shared: Arc<Shared>, port_file: Option<PortFile>) -> Result<Status, Failure> {
    // Before anything is announced: whoever reads the line may send a signal at once.
    let mut signals = Signals::new()?;
    let requests = Requests::new()?;
    let supervisor = Arc::new(Supervisor::from_environment());
    let listen = &shared.args.listen;
    let mut listeners = Vec::new();
    for addr in &listen.listen {
        listeners.push(Listener::bind(addr).await?);
    }
    let servers: Vec<_> =
        listeners.iter().map(|listener| shared.server(listener)).collect::<Result<_, _>>()?;
    warn_of_old_versions(&shared.args, listeners.iter().any(Listener::is_open));
    listen::announce(&listeners, shared.certificate.is_some(), port_file)?;
    supervisor.ready();

    let first = servers[0].clone();
    let listeners = Listeners::new(&shared, listeners.into_iter().zip(servers).collect());
    // Connections of a server that does not speak HTTP/2 have no room for it.
    let handle = match shared.args.listen.speaks_http2() {
        false => begin(&shared, listeners, first),
        true => begin(&shared, http2::listener(&shared, listeners), first),
    };
    tokio::spawn(attend(requests, Arc::clone(&shared), handle.clone(), Arc::clone(&supervisor)));

    tokio::select! {
        _ = signals.next() => {}
        () = shared.log_reader_left() => {}
    }
    supervisor.stopping();
    let patience = shared.args.operations.drain_timeout;
    log::info(format_args!("ending: waiting up to {patience:?} for open connections"));
    let drain = Drain::default().per_second(CLOSED_PER_SECOND).deadline(patience);
    let mut ending = handle.drain(drain);
    shared.leave();
    tokio::select! {
        report = &mut ending => Ok(if report.cut.is_empty() {
            Status::Done
        } else {
            for cut in &report.cut {
                log::info(format_args!("{cut}"));
            }
            log::warn(format_args!("{} connections had to be cut", report.cut.len()));
            Status::Cut
        }),
        status = signals.next() => {
            // At once, and yet each connection has its line in the access log.
            handle.cut();
            tokio::select! {
                _ = ending => {}
                _ = signals.next() => {}
            }
            Ok(status)
        }
    }
}

/// Serves what comes to `listeners`, in a task of its own.
fn begin<L>(shared: &Arc<Shared>, listeners: L, first: Server) -> Handle
where
    L: Accept<Timer = TokioTimer>,
{
    let limits = &shared.args.limits;
    let (handling, telling) = (Arc::clone(shared), Arc::clone(shared));
    let serving = Serving::requests(listeners, first, move |incoming| {
        connection::serve(Arc::clone(&handling), incoming)
    })
    .max_connections(limits.max_connections)
    .max_per_address(limits.max_connections_per_ip.unwrap_or(usize::MAX))
    .on_incident(move |incident| connection::tell(&telling, incident));
    let handle = serving.handle();
    tokio::spawn(serving);
    handle
}

/// Does what signals ask for, also while connections are ending.
async fn attend(
    mut requests: Requests,
    shared: Arc<Shared>,
    handle: Handle,
    supervisor: Arc<Supervisor>,
) {
    loop {
        match requests.next().await {
            Request::Statistics => {
                let versions = &shared.args.protocol.versions.0;
                let statistics = shared.counters.statistics(versions, &handle);
                log::notice(format_args!("{statistics}"));
            }
            Request::Reload => {
                supervisor.reloading();
                // Files can be slow, and a pipe without a reader takes for ever to open.
                let shared = Arc::clone(&shared);
                if let Err(error) = tokio::task::spawn_blocking(move || shared.reload()).await {
                    log::error(format_args!("cannot reload: {error}"));
                }
                supervisor.ready();
            }
        }
    }
}

/// Says what is given up by accepting versions that lack it.
fn warn_of_old_versions(args: &ServeArgs, open: bool) {
    let named = |missing: fn(Version) -> bool| {
        let versions = args.protocol.versions.0.iter().filter(|version| missing(**version));
        versions.map(|version| version_name(*version)).collect::<Vec<_>>().join(", ")
    };
    let unmasked = named(|version| version < Version::HYBI_04);
    if open && !unmasked.is_empty() {
        log::warn(format_args!(
            "{unmasked}: nothing is masked; accept these only where the network is trusted"
        ));
    }
    let silent = named(|version| version < Version::HYBI_01);
    if open && !silent.is_empty() && args.limits.idle_timeout.0.is_none() {
        log::warn(format_args!(
            "{silent}: there are no pings; only --idle-timeout notices a peer that vanished"
        ));
    }
}

/// Takes as many file descriptors as the system allows this process: each connection needs one,
/// and the usual soft limit of 1,024 is far below `--max-connections`.
fn raise_file_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        log::debug(format_args!("cannot raise the limit of open files: {error}"));
    }
}
