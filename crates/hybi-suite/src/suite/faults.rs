//! Whichever call of a transport goes wrong, and in which way: both ends come to an end, and each knows why.
//!
//! An adapter makes the connections, and says what its transport is; the conversation, the faults and what is asked
//! of both ends are here.

use core::future::Future;
use std::io::ErrorKind;

use futures_util::future::join;
use hybi::{
    CloseCode, CloseStatus, Error, Message, MessageKind, Receiver, Sender, WebSocket,
    io::{Timer, Transport},
};

use hybi_testkit::{
    clock::Clock,
    faulty::{Calls, Fault, Faulty, Operation, What},
    link::{Conditions, End, link},
};

/// What an end came to.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// The opening handshake was complete.
    pub is_open: bool,
    /// The texts that came.
    pub received: Vec<String>,
    /// The first error.
    pub error: Option<Error>,
    /// The end was in order.
    pub is_clean: bool,
    /// The end said of itself the same again, and took no more messages.
    pub is_sticky: bool,
}

/// The end whose calls go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two")]
pub enum Who {
    /// The client, which asks and closes.
    Client,
    /// The server, which answers.
    Server,
}

/// What an application has of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: each way to send and receive")]
pub enum Handles {
    /// One handle.
    Whole,
    /// A sender and a receiver.
    Halves,
    /// One handle, whose messages are written and read as they come where the version has that.
    AsTheyCome,
}

impl Handles {
    /// Each of them.
    pub const ALL: [Self; 3] = [Self::Whole, Self::Halves, Self::AsTheyCome];
}

/// The two ends of a conversation, and what the calls of one of them do.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "adapters make it")]
pub struct Run {
    /// The end whose call went wrong.
    pub faulty: Outcome,
    /// The other.
    pub other: Outcome,
    /// The calls of the first.
    pub calls: Calls,
    /// A call that fails ends both directions, whichever it was of.
    pub fails_as_one: bool,
}

impl Run {
    /// A run without a layer between the connection and the calls: nothing is written once that failed. TLS tries
    /// to say goodbye all the same.
    #[must_use]
    pub fn that_writes_nothing_behind_a_failure(self) -> Self {
        assert_eq!(self.calls.writes_behind_failure(), 0, "{:?}", self.faulty);
        self
    }

    /// A run over a connection that carries several: it ends for all of them, in both directions.
    #[must_use]
    pub const fn that_fails_as_one(mut self) -> Self {
        self.fails_as_one = true;
        self
    }

    /// Of what came of both ends, `who` being the one that has these calls.
    #[must_use]
    pub fn of(who: Who, client: Outcome, server: Outcome, calls: Calls) -> Self {
        let (faulty, other) = match who {
            Who::Client => (client, server),
            Who::Server => (server, client),
        };
        Self { faulty, other, calls, fails_as_one: false }
    }
}

/// One connection, in one piece or in two.
#[derive(Debug)]
enum Handle<T, C> {
    Whole(Box<WebSocket<T, C>>),
    Halves(Sender<T, C>, Receiver<T, C>),
    AsTheyCome(Box<WebSocket<T, C>>),
}

/// Sends a message in frames of seven bytes.
async fn write<T: Transport, C: Timer>(
    ws: &mut WebSocket<T, C>,
    message: &Message,
) -> Result<(), Error> {
    let kind = if message.is_text() { MessageKind::Text } else { MessageKind::Binary };
    let mut writer = ws.send_writer(kind)?.frame_size(7);
    writer.write_all(message.as_bytes()).await?;
    writer.finish().await
}

/// Receives a text, piece by piece.
async fn read<T: Transport, C: Timer>(ws: &mut WebSocket<T, C>) -> Result<Option<Message>, Error> {
    let Some(mut reader) = ws.recv_reader().await? else { return Ok(None) };
    let mut text = String::new();
    loop {
        match reader.next_piece().await {
            Ok(Some(piece)) => text.push_str(str::from_utf8(&piece).expect("no character is cut")),
            Ok(None) => return Ok(Some(text.into())),
            // Within a message, in whatever way: the next call says it.
            Err(_) => break,
        }
    }
    drop(reader);
    ws.recv().await
}

impl<T: Transport, C: Timer> Handle<T, C> {
    fn new(handles: Handles, ws: WebSocket<T, C>) -> Self {
        match handles {
            Handles::Whole => Self::Whole(Box::new(ws)),
            Handles::Halves => {
                let (sender, receiver) = ws.split();
                Self::Halves(sender, receiver)
            }
            Handles::AsTheyCome => Self::AsTheyCome(Box::new(ws)),
        }
    }

    async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        let message = message.into();
        match self {
            Self::AsTheyCome(ws) if message.is_data() && ws.capabilities().fragments => {
                write(ws, &message).await
            }
            Self::Whole(ws) | Self::AsTheyCome(ws) => Ok(WebSocket::send(ws, message).await?),
            Self::Halves(sender, _) => Ok(sender.send(message).await?),
        }
    }

    async fn recv(&mut self) -> Result<Option<Message>, Error> {
        match self {
            Self::Whole(ws) => ws.recv().await,
            Self::AsTheyCome(ws) => read(ws).await,
            Self::Halves(_, receiver) => receiver.recv().await,
        }
    }

    async fn close(&mut self) -> Result<CloseStatus, Error> {
        match self {
            Self::Whole(ws) | Self::AsTheyCome(ws) => {
                WebSocket::close(ws, CloseCode::NORMAL, "").await
            }
            Self::Halves(sender, receiver) => {
                // What still comes is the receiver's.
                let rest =
                    async { while receiver.recv().await.is_ok_and(|message| message.is_some()) {} };
                join(sender.close(CloseCode::NORMAL, ""), rest).await.0
            }
        }
    }

    fn can_ping(&self) -> bool {
        match self {
            Self::Whole(ws) | Self::AsTheyCome(ws) => ws.capabilities().ping,
            Self::Halves(sender, _) => sender.capabilities().ping,
        }
    }

    fn is_clean(&self) -> bool {
        let status = match self {
            Self::Whole(ws) | Self::AsTheyCome(ws) => ws.close_status(),
            Self::Halves(sender, _) => sender.close_status(),
        };
        status.is_some_and(|status| status.is_clean())
    }

    async fn finish(&mut self, outcome: &mut Outcome) {
        outcome.is_clean = self.is_clean();
        // Messages that were not asked for may still be there.
        let mut next = self.recv().await;
        while let Ok(Some(message)) = &next {
            outcome.received.extend(message.as_text().map(str::to_owned));
            next = self.recv().await;
        }
        let refused = self.send("behind the end").await.is_err();
        let words = |end: &Result<_, Error>| end.as_ref().err().map(ToString::to_string);
        outcome.is_sticky = refused && words(&next) == words(&self.recv().await);
        // Whoever closes is given the status, and learns from it that the end was not in order.
        outcome.error = outcome.error.take().or_else(|| next.err());
    }

    async fn converse(&mut self, received: &mut Vec<String>) -> Result<(), Error> {
        for text in TEXTS {
            self.send(text).await?;
            if self.can_ping() {
                self.send(Message::Ping(b"?".as_slice().into())).await?;
            }
            let Some(answer) = self.recv().await? else { return Ok(()) };
            received.extend(answer.as_text().map(str::to_owned));
        }
        self.close().await.map(drop)
    }
}

/// What is asked, and answered with the same.
const TEXTS: [&str; 2] = ["the first message", "the second"];

/// Asks, and closes when it was answered.
pub async fn ask<T: Transport, C: Timer>(
    handles: Handles,
    connecting: impl Future<Output = Result<WebSocket<T, C>, Error>>,
) -> Outcome {
    let mut outcome = Outcome::default();
    match connecting.await {
        Err(error) => outcome.error = Some(error),
        Ok(ws) => {
            outcome.is_open = true;
            let mut handle = Handle::new(handles, ws);
            outcome.error = handle.converse(&mut outcome.received).await.err();
            handle.finish(&mut outcome).await;
        }
    }
    outcome
}

/// Sends back what comes.
pub async fn answer<T: Transport, C: Timer>(
    handles: Handles,
    accepting: impl Future<Output = Result<WebSocket<T, C>, Error>>,
) -> Outcome {
    let mut outcome = Outcome::default();
    match accepting.await {
        Err(error) => outcome.error = Some(error),
        Ok(ws) => {
            outcome.is_open = true;
            let mut handle = Handle::new(handles, ws);
            outcome.error = loop {
                match handle.recv().await {
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                    Ok(Some(message)) => {
                        outcome.received.extend(message.as_text().map(str::to_owned));
                        // Why it cannot be sent may still come.
                        let _ = handle.send(message).await;
                    }
                }
            };
            handle.finish(&mut outcome).await;
        }
    }
    outcome
}

/// Both ends of a link, the client's first, with this fault at the end of `who`, whose calls are counted.
#[must_use]
pub fn faulty_link(
    clock: &Clock,
    who: Who,
    fault: Option<Fault>,
) -> (Faulty<End>, Faulty<End>, Calls) {
    let (near, far) = link(clock, Conditions::default(), Conditions::default());
    let (near, near_calls) = Faulty::new(near, fault.filter(|_| who == Who::Client));
    let (far, far_calls) = Faulty::new(far, fault.filter(|_| who == Who::Server));
    let calls = if who == Who::Client { near_calls } else { far_calls };
    (near, far, calls)
}

/// Both to their end, in one task.
pub async fn both(
    client: impl Future<Output = Outcome>,
    server: impl Future<Output = Outcome>,
) -> (Outcome, Outcome) {
    join(client, server).await
}

/// What is asked of a run in which one call went wrong.
fn check(what: &str, fault: Fault, good: &Run, bad: &Run) {
    let Run { faulty, other, calls, fails_as_one } = bad;
    assert!(calls.of(fault.operation) >= fault.n, "{what}: the call was never made");
    for (end, good) in [(faulty, &good.faulty), (other, &good.other)] {
        assert!(good.received.starts_with(&end.received), "{what}: {end:?}");
        assert!(!end.is_open || end.is_sticky, "{what}: {end:?}");
        // That the peer closed is told to who sends, and is no fault.
        let is_at_peace = matches!(end.error, None | Some(Error::Closed));
        assert!(!end.is_clean || is_at_peace, "{what}: {end:?}");
    }
    assert!(calls.is_dropped(), "{what}: the transport is still there");
    let is_harmless = match fault.what {
        What::OneByte | What::PendingOnce => true,
        What::Ends => matches!(fault.operation, Operation::Flush | Operation::Shutdown),
        _ => false,
    };
    if is_harmless {
        for (end, good) in [(faulty, &good.faulty), (other, &good.other)] {
            assert_eq!(end.received, good.received, "{what}");
            assert!(end.is_clean && end.error.is_none(), "{what}: {end:?}");
        }
        return;
    }
    // After both Close frames the outcome is settled. Before, it is told what happened.
    let Some(error) = &faulty.error else {
        assert!(faulty.is_open, "{what}: {faulty:?}");
        // What could not be sent is explained by the peer's Close frame.
        let is_sending =
            *fails_as_one || matches!(fault.operation, Operation::Write | Operation::Flush);
        assert!(faulty.is_clean || is_sending, "{what}: {faulty:?}");
        return;
    };
    match (fault.what, fault.operation) {
        (What::Fails(ErrorKind::UnexpectedEof), Operation::Read)
        | (What::Ends, Operation::Read) => {
            assert!(!matches!(error, Error::Timeout(_)), "{what}: {error:?}");
        }
        (What::Fails(kind), _) => {
            let told = error.io_error().map(std::io::Error::kind);
            assert_eq!(told, Some(kind), "{what}: {error:?}");
        }
        (What::Ends, _) => {
            let told = error.io_error().map(std::io::Error::kind);
            assert_eq!(told, Some(ErrorKind::WriteZero), "{what}: {error:?}");
        }
        // A step that an adapter adds to the opening has no words of its own for its deadline.
        _ => {
            let told = error.io_error().map(std::io::Error::kind);
            // A ping of the connection may find that the peer has given up by then.
            let has_left = *fails_as_one && told == Some(ErrorKind::ConnectionReset);
            let is_late = matches!(told, None | Some(ErrorKind::TimedOut));
            assert!(is_late || has_left, "{what}: {error:?}");
        }
    }
}

/// Kinds of error that a call fails with. The last two say that it is to be made again, which whoever implements a
/// transport for a runtime has done by then: here they are errors like others.
const KINDS: [ErrorKind; 6] = [
    ErrorKind::ConnectionReset,
    ErrorKind::BrokenPipe,
    ErrorKind::UnexpectedEof,
    ErrorKind::Other,
    ErrorKind::Interrupted,
    ErrorKind::WouldBlock,
];

/// Everything that may become of a call. What waits for ever needs a clock that does not.
#[must_use]
pub fn whats() -> Vec<What> {
    let others = [What::OneByte, What::PendingOnce, What::Pending, What::Ends];
    KINDS.map(What::Fails).into_iter().chain(others).collect()
}

/// Each call of a good conversation, in each of these ways in which it may go wrong; how many there are: reads,
/// writes, flushes and shutdowns of both ends.
pub fn each_call(
    what: &str,
    whats: &[What],
    run: impl Fn(Who, Option<Fault>) -> Run,
) -> [usize; 4] {
    let mut counted = [0; 4];
    for who in [Who::Client, Who::Server] {
        let good = run(who, None);
        for end in [&good.faulty, &good.other] {
            assert_eq!(end.received, TEXTS, "{what}: {end:?}");
            assert!(end.is_clean && end.is_sticky && end.error.is_none(), "{what}: {end:?}");
        }
        for operation in Operation::ALL {
            let calls = good.calls.of(operation);
            counted[operation as usize] += calls;
            for &fails in whats {
                // TLS says so of what was to be read.
                if operation != Operation::Read && fails == What::Fails(ErrorKind::UnexpectedEof) {
                    continue;
                }
                for n in 1..=calls {
                    let fault = Fault::new(operation, n, fails);
                    let bad = run(who, Some(fault));
                    check(&format!("{what}, {who:?}: {fault:?}"), fault, &good, &bad);
                }
            }
        }
    }
    counted
}
