//! The conversation: messages both ways, until somebody ends it.

use core::future::poll_fn;
use core::pin::Pin;
use core::task::Poll;
use core::time::Duration;
use std::collections::VecDeque;
use std::io;

use futures_core::Stream as _;
use futures_sink::Sink as _;
use hybi::{CloseStatus, Error, Message, State};
use hybi_tokio::WebSocket;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::ability;
use super::command::{self, Command};
use super::ending::{closing_failure, connection_failure};
use super::input::{Notation, read_stdin};
use super::open::Opened;
use super::output::{self, Printer};
use crate::args::connect::ConnectArgs;
use crate::exit::{Failure, Status};
use crate::signals::Signals;
use crate::stream::Stream;
use crate::values::CloseSpec;

/// What to say, what to expect, and when to stop.
#[derive(Debug)]
pub(crate) struct Conversation<'a> {
    args: &'a ConnectArgs,
    notation: Notation,
    /// Messages to send, in order.
    waiting: VecDeque<Message>,
    expected: VecDeque<Vec<u8>>,
    /// More to send may come from here.
    stdin: Option<mpsc::Receiver<io::Result<Vec<u8>>>>,
    received: u64,
    /// Typed, and not answered yet.
    pings: usize,
    /// When to stop reading after everything was sent.
    read_until: Option<Instant>,
    close_sent: Option<Instant>,
    /// A line of input could not be sent.
    skipped: bool,
    /// The signal that ended it.
    signalled: Option<Status>,
    /// An expectation that was not met; the closing handshake still follows.
    disappointed: Option<Failure>,
}

/// What happened next.
enum Step {
    Received(Option<Result<Message, Error>>),
    Room(Result<(), Error>),
}

impl<'a> Conversation<'a> {
    /// Reads everything that the options name, so that mistakes show before connecting.
    pub(crate) fn new(args: &'a ConnectArgs) -> Result<Self, Failure> {
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
            let content = std::fs::read(path).map_err(|error| Failure::usage(what(), error))?;
            let message = notation
                .message(content)
                .map_err(|why| Failure::usage(what(), why).hint("--binary sends any bytes"))?;
            waiting.push_back(message);
        }
        let mut expected = VecDeque::new();
        for text in &args.receiving.expect {
            let payload = notation.payload(text.clone().into_bytes());
            expected
                .push_back(payload.map_err(|why| Failure::usage(format!("--expect {text}"), why))?);
        }
        Ok(Self {
            args,
            notation,
            waiting,
            expected,
            stdin: None,
            received: 0,
            pings: 0,
            read_until: None,
            close_sent: None,
            skipped: false,
            signalled: None,
            disappointed: None,
        })
    }

    /// Converses on an open connection.
    pub(crate) async fn hold(
        mut self,
        mut opened: Opened,
        printer: &Printer,
        mut signals: Signals,
    ) -> Result<Status, Failure> {
        if self.args.reads_stdin() {
            self.stdin = Some(read_stdin(if self.args.sending.null { 0 } else { b'\n' }));
        }
        loop {
            self.stop_if_done(&mut opened.ws)?;
            if self.close_sent.is_some() && self.args.sending.no_close {
                opened.ws.flush().await.map_err(|error| connection_failure(&error))?;
                return self.verdict(None);
            }
            let has_input =
                self.stdin.is_some() && self.waiting.is_empty() && self.close_sent.is_none();
            let sends = !self.waiting.is_empty() && self.close_sent.is_none();
            tokio::select! {
                step = next_step(&mut opened.ws, sends) => {
                    if !self.take(step, &mut opened.ws, printer).await? {
                        break;
                    }
                }
                line = next_line(&mut self.stdin), if has_input => {
                    self.input(line, &mut opened, printer)?;
                }
                () = until(self.read_until), if self.close_sent.is_none() => {
                    self.begin_close(&mut opened.ws, &self.args.sending.close)?;
                }
                status = signals.next() => {
                    if self.signalled.replace(status).is_some() {
                        return Ok(status);
                    }
                    self.begin_close(&mut opened.ws, &self.args.sending.close)?;
                }
            }
        }
        let status = opened.ws.close_status();
        if let Some(status) = status {
            printer.close(status)?;
        }
        self.verdict(status)
    }

    /// Takes one step; false at the end of the connection.
    async fn take(
        &mut self,
        step: Step,
        ws: &mut WebSocket<Stream>,
        printer: &Printer,
    ) -> Result<bool, Failure> {
        match step {
            Step::Received(Some(Ok(message))) => self.received(message, ws, printer).await?,
            Step::Received(Some(Err(error))) => return Err(connection_failure(&error)),
            Step::Received(None) => return Ok(false),
            Step::Room(Ok(())) => {
                if let Some(message) = self.waiting.pop_front() {
                    self.send(message, ws)?;
                }
            }
            // What ended the connection comes out of receiving, after what was received before it.
            Step::Room(Err(_)) => self.waiting.clear(),
        }
        Ok(true)
    }

    /// Ends the conversation when everything was said, or enough was heard.
    fn stop_if_done(&mut self, ws: &mut WebSocket<Stream>) -> Result<(), Failure> {
        if self.close_sent.is_some() {
            return Ok(());
        }
        if self.has_heard_enough() {
            return self.begin_close(ws, &self.args.sending.close);
        }
        let receiving = &self.args.receiving;
        let expects = !receiving.expect.is_empty();
        let all_said = self.waiting.is_empty() && self.stdin.is_none() && !self.args.sending.echo;
        if all_said && self.read_until.is_none() {
            match receiving.wait {
                Some(wait) => self.read_until = Some(Instant::now() + wait),
                // Whoever counts or expects messages waits for them.
                None if receiving.count.is_some() || expects => {}
                None => return self.begin_close(ws, &self.args.sending.close),
            }
        }
        Ok(())
    }

    fn has_heard_enough(&self) -> bool {
        let receiving = &self.args.receiving;
        receiving.count.is_some_and(|count| self.received >= count)
            || !receiving.expect.is_empty() && self.expected.is_empty()
    }

    async fn received(
        &mut self,
        message: Message,
        ws: &mut WebSocket<Stream>,
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

    fn input(
        &mut self,
        line: Option<io::Result<Vec<u8>>>,
        opened: &mut Opened,
        printer: &Printer,
    ) -> Result<(), Failure> {
        let line = match line {
            None => {
                self.stdin = None;
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
            let hint = match self.notation {
                Notation::Text if !self.args.is_interactive() => {
                    "\nhint: --binary or --hex sends any bytes"
                }
                _ => "",
            };
            printer.note(&format!("hybi: error: line not sent: {why}{hint}"));
        }
        printer.show_prompt();
        Ok(())
    }

    /// Handles a line from the prompt; the inner error is the user's mistake.
    fn typed(
        &mut self,
        line: Vec<u8>,
        opened: &mut Opened,
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
            Ok(Command::File(path)) => std::fs::read(&path)
                .map_err(|error| format!("{}: {error}", path.display()))
                .and_then(|content| self.notation.message(content)),
            Ok(Command::Close(close)) => match ability::can_close(opened.ws.version(), &close) {
                Ok(()) => return self.begin_close(&mut opened.ws, &close).map(Ok),
                Err(why) => Err(why),
            },
            Ok(Command::Quit) => {
                return self.begin_close(&mut opened.ws, &self.args.sending.close).map(Ok);
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

    fn send(&self, message: Message, ws: &mut WebSocket<Stream>) -> Result<(), Failure> {
        match Pin::new(ws).start_send(message) {
            // The peer closed first, or gave up on us; why comes out of receiving.
            Ok(()) | Err(Error::Closed | Error::Transport(_)) => Ok(()),
            Err(error) => Err(connection_failure(&error)),
        }
    }

    /// Queues the Close frame. What the server sent before it saw that frame is still received.
    fn begin_close(
        &mut self,
        ws: &mut WebSocket<Stream>,
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
    fn verdict(mut self, status: Option<&CloseStatus>) -> Result<Status, Failure> {
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
        if !self.expected.is_empty() {
            return Err(Failure::new(
                Status::Expectation,
                "missing messages",
                format!("{} more were expected", self.expected.len()),
            ));
        }
        Ok(if self.skipped { Status::Internal } else { Status::Done })
    }
}

/// Receives, and beside it waits for room to send: a peer that answers while we speak would
/// otherwise wait for us to listen, and we for it.
async fn next_step(ws: &mut WebSocket<Stream>, sends: bool) -> Step {
    poll_fn(|cx| {
        if let Poll::Ready(item) = Pin::new(&mut *ws).poll_next(cx) {
            return Poll::Ready(Step::Received(item));
        }
        if sends {
            return Pin::new(&mut *ws).poll_ready(cx).map(Step::Room);
        }
        Poll::Pending
    })
    .await
}

async fn next_line(
    stdin: &mut Option<mpsc::Receiver<io::Result<Vec<u8>>>>,
) -> Option<io::Result<Vec<u8>>> {
    match stdin {
        Some(lines) => lines.recv().await,
        None => None,
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => tokio::time::sleep(Duration::MAX).await,
    }
}
