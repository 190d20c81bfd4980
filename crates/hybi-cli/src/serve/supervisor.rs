//! The supervisor that started the server, if `NOTIFY_SOCKET` names one: it is told when the server is
//! ready, reloads, and stops (the protocol of sd_notify(3)).

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use rustix::time::{ClockId, clock_gettime};

use crate::log;

/// A supervisor whose queue is full must not hold the server up for longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whom to tell; nobody, if there is none.
#[derive(Debug)]
pub(crate) struct Supervisor {
    reached: Option<(UnixDatagram, SocketAddr)>,
    /// Whoever stops does not reload, nor become ready again.
    stopping: AtomicBool,
}

impl Supervisor {
    /// The one that the environment names. One that cannot be reached is a warning: the server can do
    /// without.
    pub(crate) fn from_environment() -> Self {
        let Some(name) = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Self { reached: None, stopping: AtomicBool::new(false) };
        };
        let found = address(&name).and_then(|address| {
            let socket = UnixDatagram::unbound()?;
            socket.set_write_timeout(Some(PATIENCE))?;
            Ok((socket, address))
        });
        let reached = found.map_err(|error| warn(&error)).ok();
        Self { reached, stopping: AtomicBool::new(false) }
    }

    /// Every listener accepts connections, or a reload is over.
    pub(crate) fn ready(&self) {
        self.tell("READY=1");
    }

    /// A reload begins; `ready` follows. The time lets the supervisor tell this reload from others.
    pub(crate) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// The orderly end begins.
    pub(crate) fn stopping(&self) {
        if !self.stopping.swap(true, Ordering::Relaxed) {
            self.send("STOPPING=1");
        }
    }

    fn tell(&self, state: &str) {
        if !self.stopping.load(Ordering::Relaxed) {
            self.send(state);
        }
    }

    fn send(&self, state: &str) {
        if let Some((socket, address)) = &self.reached
            && let Err(error) = socket.send_to_addr(state.as_bytes(), address)
        {
            warn(&error);
        }
    }
}

fn warn(error: &io::Error) {
    log::warn(format_args!("cannot tell the supervisor at NOTIFY_SOCKET: {error}"));
}

/// A path, or the name of an abstract socket after `@`.
fn address(name: &OsStr) -> io::Result<SocketAddr> {
    match name.as_bytes() {
        [b'/', ..] => SocketAddr::from_pathname(name),
        [b'@', name @ ..] => abstract_address(name),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is neither an absolute path nor a name after @",
        )),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn abstract_address(name: &[u8]) -> io::Result<SocketAddr> {
    #[cfg(target_os = "android")]
    use std::os::android::net::SocketAddrExt as _;
    #[cfg(target_os = "linux")]
    use std::os::linux::net::SocketAddrExt as _;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn abstract_address(_: &[u8]) -> io::Result<SocketAddr> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no abstract sockets"))
}
