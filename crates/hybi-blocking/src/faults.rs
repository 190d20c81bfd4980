//! Whichever call of a socket goes wrong, with TLS between and without, and whichever wait: both ends come to an end, and
//! each knows why. Both are on one thread, so that their calls are the same each time, each on a clock that goes on when
//! nothing else does.

use core::task::{Context, Poll};
use std::{
    io::{self, ErrorKind, IoSlice, Read as _, Write as _},
    os::unix::net::UnixStream,
    sync::{Arc, Mutex},
    thread,
    time::Instant,
};

use hybi::{
    Client, Config, Error, Server, WebSocket,
    io::{Timer, Transport},
    opening,
};
use hybi_suite::suite::{
    bounded,
    faults::{Handles, Run, Who, answer, ask, both, each_call, whats},
};
use hybi_testkit::faulty::{Calls, Fault, Faulty, Operation, What};
use rustix::{
    fd::{AsFd, BorrowedFd},
    io::Errno,
    net::{Shutdown, shutdown},
};

use crate::{BlockingIo, Socket, block_on, reactor::faults};

/// The clock of one end, which goes on to its next deadline when nothing else can become of the wait.
#[derive(Clone, Debug)]
struct Clock {
    now: Arc<Mutex<Instant>>,
    deadline: Arc<Mutex<Option<Instant>>>,
}

impl Clock {
    fn new() -> Self {
        Self { now: Arc::new(Mutex::new(Instant::now())), deadline: Arc::default() }
    }

    /// Says whether it had somewhere to go.
    fn go_on(&self) -> bool {
        let deadline = self.deadline.lock().expect("no panic").take();
        let Some(deadline) = deadline else { return false };
        let mut now = self.now.lock().expect("no panic");
        *now = deadline.max(*now);
        true
    }
}

impl Timer for Clock {
    fn now(&self) -> Instant {
        *self.now.lock().expect("no panic")
    }

    fn poll_until(&mut self, _: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if deadline <= self.now() {
            return Poll::Ready(());
        }
        *self.deadline.lock().expect("no panic") = Some(deadline);
        Poll::Pending
    }
}

/// One end of a pair of sockets.
#[derive(Debug)]
struct End {
    socket: Faulty<UnixStream>,
    clock: Clock,
    /// As which error it says that it is to be called again.
    again: ErrorKind,
}

impl End {
    /// What a call gives that does not do its work.
    fn instead(&self, what: What) -> io::Result<usize> {
        match what {
            What::Fails(kind) => Err(kind.into()),
            What::PendingOnce => Err(self.again.into()),
            What::Pending => {
                // It is asked again and again, since the system says that it may be.
                self.clock.go_on();
                Err(ErrorKind::WouldBlock.into())
            }
            _ => Ok(0),
        }
    }
}

impl AsFd for End {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.get_ref().as_fd()
    }
}

impl Socket for End {
    fn read_now(&self, chunk: &mut [u8]) -> io::Result<usize> {
        match self.socket.called(Operation::Read) {
            None => self.socket.get_ref().read(chunk),
            Some(What::OneByte) => self.socket.get_ref().read(&mut chunk[..1]),
            Some(what) => self.instead(what),
        }
    }

    fn write_now(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.socket.called(Operation::Write) {
            None => self.socket.get_ref().write_vectored(slices),
            Some(What::OneByte) => {
                let first = slices.iter().find(|slice| !slice.is_empty());
                self.socket.get_ref().write(&first.expect("something to write")[..1])
            }
            Some(what) => self.instead(what),
        }
    }

    fn shut_down(&self) -> io::Result<()> {
        match self.socket.called(Operation::Shutdown) {
            Some(What::Fails(kind)) => Err(kind.into()),
            // It never waits.
            _ => Ok(shutdown(self, Shutdown::Write)?),
        }
    }
}

/// Both ends, the client's first, with this fault at the end of `who`, whose calls are counted.
fn ends(
    who: Who,
    fault: Option<Fault>,
    again: ErrorKind,
) -> ([(BlockingIo<End>, Clock); 2], Calls) {
    let (near, far) = UnixStream::pair().expect("two sockets");
    let (near, near_calls) = Faulty::new(near, fault.filter(|_| who == Who::Client));
    let (far, far_calls) = Faulty::new(far, fault.filter(|_| who == Who::Server));
    let ends = [near, far].map(|socket| {
        let clock = Clock::new();
        let end = End { socket, clock: clock.clone(), again };
        (BlockingIo::new(end).expect("a socket"), clock)
    });
    let calls = if who == Who::Client { near_calls } else { far_calls };
    (ends, calls)
}

/// A conversation, over what these make of both ends.
fn converse<T: Transport>(
    handles: Handles,
    (who, fault, again): (Who, Option<Fault>, ErrorKind),
    connect: impl AsyncFnOnce(BlockingIo<End>, Clock, Instant) -> Result<WebSocket<T, Clock>, Error>,
    accept: impl AsyncFnOnce(BlockingIo<End>, Clock, Instant) -> Result<WebSocket<T, Clock>, Error>,
) -> Run {
    let ([(near, near_clock), (far, far_clock)], calls) = ends(who, fault, again);
    let deadline = |clock: &Clock| Config::default().handshake_deadline(clock.now());
    let (near_deadline, far_deadline) = (deadline(&near_clock), deadline(&far_clock));
    let (faulty, other) = match who {
        Who::Client => (near_clock.clone(), far_clock.clone()),
        Who::Server => (far_clock.clone(), near_clock.clone()),
    };
    // The end to which something happened is the first to have waited long enough.
    let idle = move || assert!(faulty.go_on() || other.go_on(), "both wait for ever");
    let (client, server) = faults::with_idle(idle, || {
        block_on(both(
            ask(handles, connect(near, near_clock, near_deadline)),
            answer(handles, accept(far, far_clock, far_deadline)),
        ))
    });
    Run::of(who, client, server, calls)
}

fn plain(handles: Handles, which: (Who, Option<Fault>, ErrorKind)) -> Run {
    let connect = async |near, clock, deadline| {
        let (client, uri) = (Client::default(), "ws://localhost/");
        let (ws, _) = opening::connect_on(&client, uri, near, clock, deadline).await?;
        Ok(ws)
    };
    let accept = async |far, clock, deadline| {
        opening::accept_on(&Server::default(), far, clock, deadline).await
    };
    converse(handles, which, connect, accept)
}

/// What may become of a call. That it is to be made again is no error here, and told in two ways.
fn faults_of_sockets(again: ErrorKind) -> Vec<What> {
    if again == ErrorKind::Interrupted {
        return vec![What::PendingOnce];
    }
    let mut whats = whats();
    let says_again = [ErrorKind::Interrupted, ErrorKind::WouldBlock].map(What::Fails);
    whats.retain(|what| !says_again.contains(what));
    whats
}

const AGAIN: [ErrorKind; 2] = [ErrorKind::WouldBlock, ErrorKind::Interrupted];

#[test]
fn whichever_call_goes_wrong_both_ends_know_why() {
    bounded("whichever_call_goes_wrong_both_ends_know_why", || {
        for (handles, again) in Handles::ALL.iter().flat_map(|one| AGAIN.map(|two| (*one, two))) {
            let what = format!("{handles:?}, {again:?}");
            let counted = each_call(&what, &faults_of_sockets(again), |who, fault| {
                plain(handles, (who, fault, again)).that_writes_nothing_behind_a_failure()
            });
            let reads = if handles == Handles::Halves { 20 } else { 19 };
            assert_eq!(counted, [reads, 12, 0, 2], "{what}");
        }
    });
}

/// A signal, no memory, and nothing at all.
#[test]
fn whichever_wait_ends_for_nothing_nobody_notices() {
    bounded("whichever_wait_ends_for_nothing_nobody_notices", || {
        // On a thread of its own each, which nobody has rung for.
        let run = |handles, fault| {
            let whole = (Who::Client, None, ErrorKind::WouldBlock);
            let running = thread::spawn(move || faults::with(fault, || plain(handles, whole)));
            running.join().expect("no panic")
        };
        for handles in Handles::ALL {
            let (good, waits) = run(handles, None);
            assert_eq!(waits, 4, "{handles:?}");
            for instead in [Err(Errno::INTR), Err(Errno::NOMEM), Ok(0)] {
                for n in 1..=waits {
                    let fault = Some((n, instead));
                    let (bad, made) = run(handles, fault);
                    assert!(made >= n, "{handles:?}: {fault:?}: it was never waited");
                    for (end, good) in [(bad.faulty, &good.faulty), (bad.other, &good.other)] {
                        assert_eq!(end.received, good.received, "{handles:?}: {fault:?}");
                        let is_over = end.is_clean && end.error.is_none();
                        assert!(is_over, "{handles:?}: {fault:?}: {end:?}");
                    }
                }
            }
        }
    });
}

#[cfg(feature = "rustls")]
#[test]
fn whichever_call_below_tls_goes_wrong_both_ends_know_why() {
    use hybi_suite::certificate::shared;

    use crate::tls;

    fn through_tls(handles: Handles, which: (Who, Option<Fault>, ErrorKind)) -> Run {
        let (server, client) = shared();
        let connect = async |near, mut clock: Clock, deadline| {
            let name = "localhost".try_into().expect("a name");
            let handshake = tls::connect(client.clone(), name, near);
            let stream = opening::tls("localhost", &mut clock, deadline, handshake).await?;
            let (client, uri) = (Client::default(), "wss://localhost/");
            let (ws, _) = opening::connect_on(&client, uri, stream, clock, deadline).await?;
            Ok(ws)
        };
        let accept = async |far, clock, deadline| {
            let (rules, handshake) = (Server::default(), tls::accept(server, far));
            opening::incoming_tls_on(&rules, handshake, clock, deadline).await?.accept().await
        };
        converse(handles, which, connect, accept)
    }

    bounded("whichever_call_below_tls_goes_wrong_both_ends_know_why", || {
        for (handles, again) in Handles::ALL.iter().flat_map(|one| AGAIN.map(|two| (*one, two))) {
            let what = format!("TLS, {handles:?}, {again:?}");
            let counted = each_call(&what, &faults_of_sockets(again), |who, fault| {
                through_tls(handles, (who, fault, again))
            });
            let reads = if handles == Handles::Halves { 23 } else { 22 };
            assert_eq!(counted, [reads, 18, 0, 2], "{what}");
        }
    });
}
