//! The end of the transport, where it takes time: TLS says goodbye behind what waits to be written,
//! and is driven until it has (RFC 6455 section 7.1.1, RFC 8446 section 6.1).

use core::{
    task::{Context, Poll},
    time::Duration,
};
use std::io::{self, IoSlice};

use futures_util::SinkExt;
use hybi::{
    CloseCode, Deadline, Endpoint, Error, Message, Role, State, Version, WebSocket, io::Transport,
};

use crate::{
    support::{
        clock::{Clock, ClockTimer},
        link::{End, Far, Manners, link},
        tasks::{Task, run},
    },
    world::{BOTH, Socket, connection, everyone, poll_once, quiet, seconds_until, wire},
};

const GOODBYE: &[u8] = b"goodbye";

/// A transport whose end is some bytes, as that of TLS is.
struct Tls {
    end: End,
    goodbye: &'static [u8],
}

impl Transport for Tls {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        self.end.poll_read(cx, chunk)
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.end.poll_write(cx, slices)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end.poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.goodbye.is_empty() {
            let written =
                core::task::ready!(self.end.poll_write(cx, &[IoSlice::new(self.goodbye)]))?;
            self.goodbye = &self.goodbye[written..];
        }
        self.end.poll_shutdown(cx)
    }
}

type Encrypted = WebSocket<Tls, ClockTimer>;

/// A connection over TLS that has room for ten bytes, of which all are used.
fn blocked(role: Role, version: Version) -> (Encrypted, Far, Clock) {
    let clock = Clock::new();
    let (end, far) = link(Manners { capacity: 10, ..Manners::PLAIN });
    let own = connection(role, version, quiet());
    let tls = Tls { end, goodbye: GOODBYE };
    let mut socket = WebSocket::new(own, tls, clock.timer());
    let task = Task::new();
    assert!(poll_once(&task, socket.send("more than ten bytes")).is_pending());
    (socket, far, clock)
}

/// The peer is gone for good as far as reading goes, and the application stays with its handle.
#[test]
fn a_goodbye_that_had_to_wait_is_said() {
    for (role, version) in everyone() {
        let what = format!("{role:?} {version:?}");
        let (mut socket, far, _clock) = blocked(role, version);
        // In the middle of a message, so that it is no orderly end in any version.
        let message = wire(role, version, [Message::text("cut off")]);
        far.put(&message[..message.len() - 1]);
        far.end();
        let task = Task::new();
        let mut said = Vec::new();
        for _ in 0..10 {
            let ended = poll_once(&task, socket.recv());
            assert!(!matches!(ended, Poll::Ready(Ok(_))), "{what}: {ended:?}");
            said.extend(far.take(3));
        }
        assert!(said.ends_with(GOODBYE), "{what}: {said:?}");
        assert!(far.sees_end(), "{what}");
        let ended = run(socket.recv(), || {});
        assert!(matches!(ended, Err(Error::Lost)), "{what}: {ended:?}");
    }
}

/// It is waited for no longer than the end may take.
#[test]
fn a_goodbye_that_cannot_be_said_is_given_up_at_the_deadline() {
    for role in BOTH {
        let (mut socket, far, clock) = blocked(role, Version::RFC6455);
        far.end();
        let (seconds, ended) =
            seconds_until(&clock, 100, socket.recv(), |_| {}).expect("an end within the bound");
        assert!(matches!(ended, Err(Error::Lost)), "{role:?}: {ended:?}");
        assert!((1..=32).contains(&seconds), "{role:?}: given up after {seconds} s");
    }
}

/// A machine that slept finds all deadlines passed at once, and the flush of a transport that takes nothing
/// is one of what waits: the second of two that are due does not take back what the first ended.
#[test]
fn deadlines_that_pass_together_end_it() {
    for role in BOTH {
        let clock = Clock::new();
        let (end, far) = link(Manners::PLAIN);
        let config = quiet().write_timeout(Some(Duration::from_secs(10)));
        let own = connection(role, Version::RFC6455, config);
        let mut socket: Socket = WebSocket::new(own, end, clock.timer());
        far.hold_flush(true);
        let task = Task::new();
        assert!(poll_once(&task, socket.send("taken and not flushed")).is_pending());
        let asked = |_| {
            clock.advance(Duration::from_secs(3600));
            poll_once(&task, socket.recv())
        };
        let ended = (0..3).map(asked).find(Poll::is_ready);
        let told = matches!(ended, Some(Poll::Ready(Err(Error::Timeout(Deadline::Write)))));
        assert!(told, "{role:?}: {ended:?}");
    }
}

/// Transports that are reluctant to end, and each way in which a connection is over at once.
#[test]
fn a_reluctant_end_of_the_transport_is_driven_on() {
    for role in BOTH {
        for reluctance in [1, 3] {
            for how in ["lost", "flood"] {
                let clock = Clock::new();
                let (end, far) = link(Manners { reluctance, ..Manners::PLAIN });
                let own = connection(role, Version::RFC6455, quiet());
                let mut socket: Socket = WebSocket::new(own, end, clock.timer());
                match how {
                    "lost" => far.end(),
                    // More behind the peer's Close frame than is worth reading.
                    _ => {
                        let close = wire(role, Version::RFC6455, [Message::Close(None)]);
                        far.put(&[close, vec![0; 2 << 20]].concat());
                    }
                }
                let mut polls = 0;
                let ended = run(socket.recv(), || polls += 1);
                let what = format!("{role:?} {how}, {reluctance} times: {ended:?}");
                // Whoever asks again drives it on.
                (0..10).for_each(|_| drop(poll_once(&Task::new(), socket.recv())));
                far.take(usize::MAX);
                assert!(far.sees_end(), "{what}");
            }
        }
    }
}

/// A transport that takes nothing any more, with this error.
struct Broken {
    end: End,
    breaks: Option<io::ErrorKind>,
    /// What comes of ending it, if anything does.
    ends: Poll<Result<(), io::ErrorKind>>,
}

impl Transport for Broken {
    fn poll_read(&mut self, cx: &mut Context<'_>, chunk: &mut [u8]) -> Poll<io::Result<usize>> {
        self.end.poll_read(cx, chunk)
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.breaks {
            Some(kind) => Poll::Ready(Err(kind.into())),
            None => self.end.poll_write(cx, slices),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end.poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.ends {
            Poll::Ready(Ok(())) => self.end.poll_shutdown(cx),
            ends => ends.map_err(io::Error::from),
        }
    }
}

/// How a write may fail: an end of input is nothing that writing has.
const WRITE_ERRORS: [io::ErrorKind; 3] =
    [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset, io::ErrorKind::UnexpectedEof];

/// What was queued and cannot leave is not as good as sent.
#[test]
fn nothing_says_that_what_was_discarded_was_sent() {
    for (role, version) in everyone().filter(|(_, version)| *version != Version::HIXIE_75) {
        for kind in WRITE_ERRORS {
            for sink in [false, true] {
                let what = format!("{role:?} {version:?} {kind:?}, sink: {sink}");
                let (end, far) = link(Manners::PLAIN);
                let own = connection(role, version, quiet());
                let broken = Broken { end, breaks: None, ends: Poll::Ready(Ok(())) };
                let mut socket = WebSocket::new(own, broken, Clock::new().timer());
                far.put(&wire(role, version, [Message::text("a"), Message::Close(None)]));
                let task = Task::new();
                assert!(poll_once(&task, socket.recv()).is_ready(), "{what}");
                // It waits for what answers the message, and then the end is seen.
                assert!(poll_once(&task, socket.recv()).is_pending(), "{what}");
                assert!(matches!(poll_once(&task, socket.feed("lost")), Poll::Ready(Ok(()))));
                socket.get_mut().breaks = Some(kind);
                for _ in 0..2 {
                    let flushed = if sink {
                        poll_once(&task, SinkExt::<Message>::flush(&mut socket))
                    } else {
                        poll_once(&task, socket.flush())
                    };
                    assert!(matches!(flushed, Poll::Ready(Err(_))), "{what}: {flushed:?}");
                }
                assert!(matches!(run(socket.recv(), || {}), Ok(None)), "{what}");
                let status = socket.close_status().expect("it ended");
                assert!(!status.is_clean(), "{what}");
                assert!(poll_once(&task, socket.flush()).is_ready(), "{what}");
            }
        }
    }
}

/// Why nothing could be sent does not change when the peer's Close frame explains it, nor with the end of the
/// transport.
#[test]
fn why_nothing_could_be_sent_is_told_to_the_end_and_after_it() {
    for (role, version) in everyone().filter(|(_, version)| *version != Version::HIXIE_75) {
        let kinds = WRITE_ERRORS.into_iter().flat_map(|kind| [(kind, Ok(())), (kind, Err(kind))]);
        for (kind, ends) in kinds {
            let what = format!("{role:?} {version:?} {kind:?}, and the end: {ends:?}");
            let (end, far) = link(Manners::PLAIN);
            let own = connection(role, version, quiet());
            let broken = Broken { end, breaks: Some(kind), ends: Poll::Ready(ends) };
            let mut socket = WebSocket::new(own, broken, Clock::new().timer());
            let sent = run(socket.send("lost"), || {}).map_err(Error::from);
            let refused = |sent: Result<(), Error>| {
                let error = sent.expect_err("nothing leaves");
                assert_eq!(error.io_error().map(io::Error::kind), Some(kind), "{what}: {error}");
            };
            refused(sent);
            far.put(&wire(role, version, [Message::Close(None)]));
            assert!(matches!(run(socket.recv(), || {}), Ok(None)), "{what}");
            assert_eq!(socket.state(), State::Closed, "{what}");
            refused(run(socket.send("out"), || {}).map_err(Error::from));
            refused(run(socket.feed("out"), || {}).map_err(Error::from));
            refused(socket.try_send("out").map_err(Error::from));
            refused(run(socket.ready(), || {}).map(drop));
            refused(run(socket.flush(), || {}));
            refused(run(SinkExt::send(&mut socket, Message::text("out")), || {}));
            let (mut sender, _receiver) = socket.split();
            refused(run(sender.send("out"), || {}).map_err(Error::from));
        }
    }
}

/// A transport that cannot be ended is as good as ended, whatever it calls that.
#[test]
fn a_transport_that_cannot_be_ended_does_not_put_off_the_end() {
    for (role, version) in everyone().filter(|(_, version)| *version != Version::HIXIE_75) {
        for kind in WRITE_ERRORS {
            for began in [Endpoint::Local, Endpoint::Peer] {
                let what = format!("{role:?} {version:?} {kind:?} {began:?}");
                let (end, far) = link(Manners::PLAIN);
                let own = connection(role, version, quiet());
                let broken = Broken { end, breaks: None, ends: Poll::Ready(Err(kind)) };
                let mut socket = WebSocket::new(own, broken, Clock::new().timer());
                let task = Task::new();
                if began == Endpoint::Local {
                    run(socket.send(Message::Close(None)), || {}).expect("open");
                    assert!(poll_once(&task, socket.recv()).is_pending(), "{what}");
                }
                far.put(&wire(role, version, [Message::Close(None)]));
                // Clients wait for the server to end it.
                let _ = poll_once(&task, socket.recv());
                far.end();
                assert!(matches!(run(socket.recv(), || {}), Ok(None)), "{what}");
                let status = socket.close_status().expect("it ended");
                assert!(status.is_clean() && status.began_by() == Some(began), "{what}");
            }
        }
    }
}

/// After a write that failed, the peer's last words have a moment, and the end of the transport has one of its
/// own, with such words or without.
#[test]
fn a_transport_that_takes_nothing_and_does_not_end_is_waited_for_a_moment() {
    for (role, version) in everyone() {
        // hixie-75 has no words for it.
        for explains in
            [false, true].into_iter().take(1 + usize::from(version != Version::HIXIE_75))
        {
            let what = format!("{role:?} {version:?}, explains: {explains}");
            let (end, far) = link(Manners::PLAIN);
            let (own, clock) = (connection(role, version, quiet()), Clock::new());
            let breaks = Some(io::ErrorKind::BrokenPipe);
            let broken = Broken { end, breaks, ends: Poll::Pending };
            let mut socket = WebSocket::new(own, broken, clock.timer());
            run(socket.send("lost"), || {}).expect_err("nothing leaves");
            if explains {
                far.put(&wire(role, version, [Message::Close(None)]));
            }
            let (seconds, ended) =
                seconds_until(&clock, 100, socket.recv(), |_| {}).expect("an end within the bound");
            assert_eq!(ended.is_ok(), explains, "{what}: {ended:?}");
            assert!((1..=3).contains(&seconds), "{what}: {seconds} s");
        }
    }
}

/// Whoever only sends learns of a violation by an error, and ends the connection: the peer is told why,
/// and sees the end.
#[test]
fn a_close_after_an_error_finishes_the_end() {
    for role in BOTH {
        for split in [false, true] {
            let (end, far) = link(Manners { capacity: 10, ..Manners::PLAIN });
            let clock = Clock::new();
            let own = connection(role, Version::RFC6455, quiet());
            let mut socket = WebSocket::new(own, end, clock.timer());
            far.put(b"\xff\xff");
            let refused = poll_once(&Task::new(), socket.send("out"));
            assert!(refused.is_pending() || matches!(refused, Poll::Ready(Err(_))), "{refused:?}");
            let mut said = Vec::new();
            let listen = |second| {
                said.extend(far.take(100));
                if second == 10 {
                    far.end();
                }
            };
            let (_, ended) = if split {
                let (mut sender, _receiver) = socket.split();
                let _ = poll_once(&Task::new(), sender.flush());
                seconds_until(&clock, 60, sender.close(CloseCode::NORMAL, ""), listen)
            } else {
                let _ = poll_once(&Task::new(), socket.flush());
                seconds_until(&clock, 60, socket.close(CloseCode::NORMAL, ""), listen)
            }
            .expect("an end");
            assert!(matches!(ended, Err(Error::Protocol(_))), "{role:?}: {ended:?}");
            assert!(far.sees_end(), "{role:?}, split: {split}: left without an end");
            assert!(said.windows(2).any(|two| two == 1002_u16.to_be_bytes()), "{role:?}: {said:?}");
        }
    }
}
