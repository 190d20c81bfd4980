//! `hybi serve`: from the options to listeners, and from the first signal to an orderly end.

mod access_log;
mod answer;
mod certificate;
mod channels;
mod connection;
mod handlers;
mod listen;
mod mailbox;
mod page;
mod port_file;
mod registry;
pub(crate) mod route;
mod session;
mod shared;
mod statistics;
mod supervisor;

use core::time::Duration;
use std::sync::Arc;

use hybi::{Server, Version};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::runtime::Builder;

use self::listen::Listener;
use self::port_file::PortFile;
use self::registry::Registry;
use self::shared::Shared;
use self::supervisor::Supervisor;
use crate::args::serve::ServeArgs;
use crate::exit::{Failure, Status};
use crate::log;
use crate::signals::{Request, Requests, Signals};
use crate::values::version_name;

/// After a failed accept, for example when no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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

    let limits = &shared.args.limits;
    let registry = Registry::new(limits.max_connections, limits.max_connections_per_ip);
    let accepting: Vec<_> = listeners
        .into_iter()
        .zip(servers)
        .map(|(listener, server)| {
            tokio::spawn(accept(listener, server, Arc::clone(&shared), Arc::clone(&registry)))
        })
        .collect();
    tokio::spawn(attend(
        requests,
        Arc::clone(&shared),
        Arc::clone(&registry),
        Arc::clone(&supervisor),
    ));

    tokio::select! {
        _ = signals.next() => {}
        () = shared.log_reader_left() => {}
    }
    supervisor.stopping();
    for task in accepting {
        task.abort();
        // Its end is the listener's: nobody can connect any more, and a socket file is gone.
        let _ = task.await;
    }
    let patience = shared.args.operations.drain_timeout;
    log::info(format_args!("ending: waiting up to {patience:?} for open connections"));
    tokio::select! {
        cut = registry.drain(patience) => Ok(if cut == 0 {
            Status::Done
        } else {
            log::warn(format_args!("{cut} connections had to be cut"));
            Status::Cut
        }),
        status = signals.next() => Ok(status),
    }
}

/// Does what signals ask for, also while connections are ending.
async fn attend(
    mut requests: Requests,
    shared: Arc<Shared>,
    registry: Arc<Registry>,
    supervisor: Arc<Supervisor>,
) {
    loop {
        match requests.next().await {
            Request::Statistics => {
                let statistics = registry.statistics(&shared.args.protocol.versions.0);
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

async fn accept(listener: Listener, server: Server, shared: Arc<Shared>, registry: Arc<Registry>) {
    loop {
        match listener.accept().await {
            Ok((accepted, origin)) => {
                if let Some(member) = registry.enter(origin.ip) {
                    let (shared, server) = (Arc::clone(&shared), server.clone());
                    tokio::spawn(connection::serve(shared, server, accepted, origin, member));
                }
            }
            Err(error) => {
                log::error(format_args!("cannot accept: {error}"));
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}
