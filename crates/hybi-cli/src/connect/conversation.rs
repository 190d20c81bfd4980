//! The conversation: messages both ways, until somebody ends it.

use core::pin::Pin;
use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use futures_sink::Sink as _;
use hybi::{CloseStatus, Error, Message, State, WebSocket, io::Transport};
use hybi_tokio::TokioTimer;
use tokio::time::Instant;

use super::ability;
use super::command::{self, Command};
use super::ending::{closing_failure, connection_failure, is_loss, unwanted};
use super::input::{Notation, Stdin, read_file, read_whole};
use super::open::Opened;
use super::output::{self, Printer};
use super::steps::{Sending, Step, next_step, until};
use crate::args::connect::{ConnectArgs, Wait};
use crate::exit::{Failure, Status};
use crate::signals::Signals;
use crate::values::CloseSpec;

/// How long an answer may take after the last message, unless `--wait` says otherwise.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// What to say and what to expect.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// Messages to send, in order.
    waiting: VecDeque<Message>,
    expected: VecDeque<Vec<u8>>,
}

impl Script {
    /// Reads everything that the options name, so that mistakes show before connecting.
    pub(crate) fn read(args: &ConnectArgs) -> Result<Self, Failure> {
        let sending = &args.sending;
        let notation = Notation::of(sending);
        let mut waiting = VecDeque::new();
        for text in &sending.message {
            let message = notation.message(text.clone().into_bytes());
            waiting.push_back(
                message.map_err(|why| Failure::usage(format!("--message {text}"), why))?,
            );
        }
        for path in &sending.file {
            let what = || format!("--file {}", path.display());
            let content = read_whole(path).map_err(|error| Failure::usage(what(), error))?;
            let message = notation.message(content).map_err(|why| {
                let failure = Failure::usage(what(), why);
                match ability::instead_of_text(args) {
                    Some(hint) => failure.hint(hint),
                    None => failure,
                }
            });
            waiting.push_back(message?);
        }
        let mut expected = VecDeque::new();
        for text in &args.receiving.expect {
            let payload = notation.payload(text.clone().into_bytes());
            expected
                .push_back(payload.map_err(|why| Failure::usage(format!("--expect {text}"), why))?);
        }
        Ok(Self { waiting, expected })
    }
}

/// Where more to send comes from.
#[derive(Debug)]
enum Source {
    /// It was not asked for any yet.
    Unread,
    Open(Stdin),
    Ended,
}

impl Source {
    /// The next message; `None` at the end.
    async fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        match self {
            Self::Open(messages) => messages.recv().await,
            Self::Unread | Self::Ended => None,
        }
    }
}

/// What became of one step.
enum Taken {
    Step,
    /// The connection ended with it.
    End,
    Loss(Error),
}

/// What became of a conversation on one connection.
pub(crate) enum Outcome {
    Over(Status),
    /// The connection ended before anybody here meant it to; there may be more to say on another.
    Lost(Failure, Option<CloseStatus>),
}

/// What there is to say and to expect on one connection or channel, or on one connection after the other, and when to stop.
#[derive(Debug)]
pub(crate) struct Conversation {
    args: Arc<ConnectArgs>,
    notation: Notation,
    /// Messages to send, in order.
    waiting: VecDeque<Message>,
    expected: VecDeque<Vec<u8>>,
    /// What a connection that was lost did not take.
    kept: VecDeque<Message>,
    /// How many messages a connection took since all of it had left.
    leaving: usize,
    /// More to send may come from here.
    stdin: Source,
    received: u64,
    /// Typed, and not answered yet.
    pings: usize,
    /// A message was sent, so that an answer may come.
    has_spoken: bool,
    /// Since when nothing has come, once everything to send has left.
    quiet_since: Option<Instant>,
    close_sent: Option<Instant>,
    /// A line of input could not be sent.
    skipped: bool,
    /// The signal that ended it.
    signalled: Option<Status>,
    /// An expectation that was not met; the closing handshake still follows.
    disappointed: Option<Failure>,
}

impl Conversation {
    /// One that follows the script, and goes on with what comes on stdin if that is read.
    pub(crate) fn new(args: &Arc<ConnectArgs>, script: Script, stdin: Option<Stdin>) -> Self {
        Self {
            args: Arc::clone(args),
            notation: Notation::of(&args.sending),
            waiting: script.waiting,
            expected: script.expected,
            kept: VecDeque::new(),
            leaving: 0,
            stdin: stdin.map_or(Source::Unread, Source::Open),
            received: 0,
            pings: 0,
            has_spoken: false,
            quiet_since: None,
            close_sent: None,
            skipped: false,
            signalled: None,
            disappointed: None,
        }
    }

    /// Says what was to be sent and was not, when no other connection follows.
    pub(crate) fn tell_unsent(&self, printer: &Printer) {
        let unsent = self.kept.len() + self.waiting.len();
        if unsent > 0 {
            printer.note(&format!("hybi: {} not sent", were(unsent)));
        }
    }

    /// Sends what comes from here as well, from now on, unless it does so already.
    pub(crate) fn listen_to(&mut self, stdin: impl FnOnce() -> Stdin) {
        if let Source::Unread = self.stdin {
            self.stdin = Source::Open(stdin());
        }
    }

    /// Converses on an open connection: goes on where the last one was lost, if there was one.
    pub(crate) async fn hold<T: Transport>(
        &mut self,
        mut opened: Opened<T>,
        printer: &Printer,
        signals: &mut Signals,
    ) -> Result<Outcome, Failure> {
        self.kept.append(&mut self.waiting);
        self.waiting = core::mem::take(&mut self.kept);
        (self.pings, self.leaving, self.quiet_since) = (0, 0, None);
        let close = self.args.sending.close.clone();
        loop {
            if self.has_heard_enough() {
                self.begin_close(&mut opened.ws, &close)?;
            }
            if self.close_sent.is_some() && self.args.sending.no_close {
                opened.ws.flush().await.map_err(|error| connection_failure(&error))?;
                return self.verdict(None).map(Outcome::Over);
            }
            let has_input = matches!(self.stdin, Source::Open(_))
                && self.waiting.is_empty()
                && self.close_sent.is_none();
            let (sending, leaves_at) = (self.sending(), self.leaves_at());
            tokio::select! {
                step = next_step(&mut opened.ws, sending) => {
                    match self.take(step, &mut opened.ws, printer).await? {
                        Taken::Step => {}
                        Taken::End => break,
                        Taken::Loss(error) => {
                            return Ok(self.lost(connection_failure(&error), &opened.ws, printer));
                        }
                    }
                }
                message = self.stdin.next(), if has_input => {
                    self.input(message, &mut opened, printer)?;
                }
                () = until(leaves_at), if self.close_sent.is_none() => {
                    self.begin_close(&mut opened.ws, &close)?;
                }
                status = signals.next() => {
                    if self.signalled.replace(status).is_some() {
                        return Ok(Outcome::Over(status));
                    }
                    self.begin_close(&mut opened.ws, &close)?;
                }
            }
        }
        let status = opened.ws.close_status();
        if let Some(status) = &status {
            printer.close(status)?;
        }
        // Whoever wants no other connection asks how this one was, all in all.
        let goes_on = self.args.time.reconnect.is_some()
            && self.close_sent.is_none()
            && self.signalled.is_none();
        match status.as_ref().filter(|_| goes_on).and_then(unwanted) {
            Some(failure) => Ok(self.lost(failure, &opened.ws, printer)),
            None => self.verdict(status.as_ref()).map(Outcome::Over),
        }
    }

    /// The connection is gone. What it did not take is kept; what it took last is told, since nobody knows what of it arrived.
    fn lost<T: Transport>(
        &self,
        failure: Failure,
        ws: &WebSocket<T, TokioTimer>,
        printer: &Printer,
    ) -> Outcome {
        if self.leaving > 0 {
            printer.note(&format!(
                "hybi: {} on the way, and may not have arrived",
                were(self.leaving)
            ));
        }
        Outcome::Lost(failure, ws.close_status())
    }

    /// Takes one step.
    async fn take<T: Transport>(
        &mut self,
        step: Step,
        ws: &mut WebSocket<T, TokioTimer>,
        printer: &Printer,
    ) -> Result<Taken, Failure> {
        match step {
            Step::Received(Some(Ok(message))) => self.received(message, ws, printer).await?,
            // Whoever sent a signal knows that this is the end, in order or not.
            Step::Received(Some(Err(_))) if self.signalled.is_some() => return Ok(Taken::End),
            Step::Received(Some(Err(error))) => {
                return if self.close_sent.is_none() && is_loss(&error) {
                    Ok(Taken::Loss(error))
                } else {
                    Err(connection_failure(&error))
                };
            }
            Step::Received(None) => return Ok(Taken::End),
            Step::Room(Ok(())) => {
                if let Some(message) = self.waiting.pop_front() {
                    self.send(message, ws)?;
                }
            }
            // What ended the connection comes out of receiving, after what was received before it.
            Step::Room(Err(_)) => self.kept.append(&mut self.waiting),
            Step::Flushed => self.quiet_since = Some(Instant::now()),
        }
        if ws.stats().queued_bytes == 0 {
            self.leaving = 0;
        }
        Ok(Taken::Step)
    }

    fn sending(&self) -> Sending {
        if self.close_sent.is_some() {
            Sending::Nothing
        } else if !self.waiting.is_empty() {
            Sending::Room
        } else if !matches!(self.stdin, Source::Open(_)) && self.quiet_since.is_none() {
            Sending::Flush
        } else {
            Sending::Nothing
        }
    }

    /// When to leave if nothing comes until then; `None` to stay.
    fn leaves_at(&self) -> Option<Instant> {
        let wait = match self.args.receiving.wait {
            Some(wait) => wait,
            // Whoever typed has seen the answers.
            None if self.args.is_interactive() => Wait::Quiet(Duration::ZERO),
            None if self.has_spoken => Wait::Quiet(ANSWER_TIME),
            None => Wait::End,
        };
        match wait {
            Wait::Quiet(wait) => self.quiet_since.map(|since| since + wait),
            Wait::End => None,
        }
    }

    fn has_heard_enough(&self) -> bool {
        let receiving = &self.args.receiving;
        let counts = receiving.count.is_some() || !receiving.expect.is_empty();
        let counted = receiving.count.is_none_or(|count| self.received >= count);
        self.disappointed.is_some() || counts && counted && self.expected.is_empty()
    }

    async fn received<T: Transport>(
        &mut self,
        message: Message,
        ws: &mut WebSocket<T, TokioTimer>,
        printer: &Printer,
    ) -> Result<(), Failure> {
        if !message.is_data() {
            let answers = matches!(message, Message::Pong(_)) && self.pings > 0;
            self.pings -= usize::from(answers);
            let shown = answers || self.args.receiving.show_control;
            return if shown { printer.message(&message) } else { Ok(()) };
        }
        if self.has_heard_enough() {
            // Was on its way when the Close frame left.
            return Ok(());
        }
        self.received += 1;
        self.quiet_since = self.quiet_since.map(|_| Instant::now());
        if !self.args.sending.echo || printer.is_json() {
            printer.message(&message)?;
        }
        match self.expected.pop_front() {
            Some(expected) if expected != message.as_bytes() => {
                let got: String =
                    String::from_utf8_lossy(message.as_bytes()).chars().take(200).collect();
                let expected = String::from_utf8_lossy(&expected).into_owned();
                self.disappointed = Some(Failure::new(
                    Status::Expectation,
                    "unexpected message",
                    format!("expected {expected:?}, received {got:?}"),
                ));
                self.expected.clear();
            }
            _ => {}
        }
        if self.args.sending.echo && ws.state() == State::Open {
            // A failure comes out of receiving next.
            let _ = ws.feed(message).await;
        }
        Ok(())
    }

    fn input<T: Transport>(
        &mut self,
        message: Option<io::Result<Vec<u8>>>,
        opened: &mut Opened<T>,
        printer: &Printer,
    ) -> Result<(), Failure> {
        let line = match message {
            None => {
                self.stdin = Source::Ended;
                return Ok(());
            }
            Some(line) => {
                line.map_err(|error| Failure::new(Status::Internal, "cannot read stdin", error))?
            }
        };
        let outcome = if self.args.is_interactive() {
            self.typed(line, opened, printer)?
        } else {
            self.notation.message(line).map(|message| self.waiting.push_back(message))
        };
        if let Err(why) = outcome {
            self.skipped |= !self.args.is_interactive();
            let hint = ability::instead_of_text(&self.args).filter(|_| !self.args.is_interactive());
            let hint = hint.map_or_else(String::new, |hint| format!("\nhint: {hint}"));
            printer.note(&format!("hybi: error: line not sent: {why}{hint}"));
        }
        printer.show_prompt();
        Ok(())
    }

    /// Handles a line from the prompt; the inner error is the user's mistake.
    fn typed<T: Transport>(
        &mut self,
        line: Vec<u8>,
        opened: &mut Opened<T>,
        printer: &Printer,
    ) -> Result<Result<(), String>, Failure> {
        let command = match core::str::from_utf8(&line) {
            Ok(text) => command::parse(text),
            Err(_) => Ok(Command::Line),
        };
        let message = match command {
            Err(why) => Err(why),
            Ok(Command::Line) => self.notation.message(line),
            Ok(Command::Send(message)) => ability::can_send(&opened.ws, &message).map(|()| {
                self.pings += usize::from(matches!(message, Message::Ping(_)));
                message
            }),
            Ok(Command::File(path)) => read_file(&path)
                .map_err(|error| format!("{}: {error}", path.display()))
                .and_then(|content| self.notation.message(content)),
            Ok(Command::Close(close)) => match ability::can_close(opened.ws.version(), &close) {
                Ok(()) => return self.begin_close(&mut opened.ws, &close).map(Ok),
                Err(why) => Err(why),
            },
            Ok(Command::Quit) => {
                let close = self.args.sending.close.clone();
                return self.begin_close(&mut opened.ws, &close).map(Ok);
            }
            Ok(Command::Info) => {
                printer.note(&output::summary(opened));
                return Ok(Ok(()));
            }
            Ok(Command::Help) => {
                printer.note(command::HELP);
                return Ok(Ok(()));
            }
        };
        Ok(message.map(|message| self.waiting.push_back(message)))
    }

    fn send<T: Transport>(
        &mut self,
        message: Message,
        ws: &mut WebSocket<T, TokioTimer>,
    ) -> Result<(), Failure> {
        self.has_spoken |= message.is_data();
        let copy = message.is_data().then(|| message.clone());
        match Pin::new(ws).start_send(message) {
            Ok(()) => {
                self.leaving += usize::from(copy.is_some());
                Ok(())
            }
            // The peer closed first, or gave up on us; why comes out of receiving.
            Err(Error::Closed | Error::Transport(_)) => {
                self.kept.extend(copy);
                Ok(())
            }
            Err(error) => Err(connection_failure(&error)),
        }
    }

    /// Queues the Close frame. What the server sent before it saw that frame is still received.
    fn begin_close<T: Transport>(
        &mut self,
        ws: &mut WebSocket<T, TokioTimer>,
        close: &CloseSpec,
    ) -> Result<(), Failure> {
        if self.close_sent.is_some() {
            return Ok(());
        }
        self.close_sent = Some(Instant::now());
        if self.args.sending.no_close {
            return Ok(());
        }
        self.send(Message::Close(close.0.clone()), ws)
    }

    /// How it went, all in all.
    fn verdict(&mut self, status: Option<&CloseStatus>) -> Result<Status, Failure> {
        if let Some(signalled) = self.signalled {
            return Ok(signalled);
        }
        if let Some(failure) = self.disappointed.take() {
            return Err(failure);
        }
        if let Some(failure) = status.and_then(|status| {
            closing_failure(status, self.close_sent, self.args.time.close_timeout)
        }) {
            return Err(failure);
        }
        let uncounted = self.args.receiving.count.unwrap_or(0).saturating_sub(self.received);
        let missing = uncounted.max(self.expected.len() as u64);
        if missing > 0 {
            let why = format!(
                "{missing} more {}",
                if missing == 1 { "was expected" } else { "were expected" }
            );
            let failure = Failure::new(Status::Expectation, "missing messages", why);
            // It was us who left.
            return Err(match self.close_sent {
                Some(_) => failure.hint("--wait gives the server more time, --wait end all of it"),
                None => failure,
            });
        }
        Ok(if self.skipped { Status::Internal } else { Status::Done })
    }
}

fn were(messages: usize) -> String {
    match messages {
        1 => "1 message was".to_owned(),
        more => format!("{more} messages were"),
    }
}
