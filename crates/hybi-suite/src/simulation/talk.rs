//! Both ends of a conversation: who sends, who receives, who closes, in every way there is.

use core::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Instant;

use futures_util::{AsyncWriteExt, SinkExt, StreamExt as _};
use hybi::{CloseCode, Compress, Error, Message, MessageKind, Version};
use hybi_testkit::choices::Choices;
use hybi_testkit::clock::{Clock, ClockTimer};
use hybi_testkit::link::End;
use hybi_testkit::world::{at_most, pause};

use super::plan::Plan;

pub(super) type Sender = hybi::Sender<End, ClockTimer>;
pub(super) type Receiver = hybi::Receiver<End, ClockTimer>;

/// What is known of one end.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// All messages that were tried, by sender, each with whether its sender was told that it is queued.
    pub(super) sent: Vec<Vec<(Message, bool)>>,
    pub(super) received: Vec<Message>,
    /// How many tasks have something to do.
    pub(super) running: usize,
    /// How many senders are done.
    pub(super) senders_done: usize,
    /// Tasks that failed, and of what.
    pub(super) failed: Vec<(String, Error)>,
    /// When the last of its tasks was done.
    pub(super) done_at: Option<Instant>,
}

/// What tasks share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) plan: Rc<Plan>,
    pub(super) choices: Choices,
    pub(super) clock: Clock,
    pub(super) logs: Rc<RefCell<[Log; 2]>>,
    /// The number of the message that is next.
    next: Rc<Cell<usize>>,
}

impl Shared {
    pub(super) fn new(plan: Plan, choices: &Choices, clock: &Clock) -> Self {
        Self {
            plan: Rc::new(plan),
            choices: choices.clone(),
            clock: clock.clone(),
            logs: Rc::default(),
            next: Rc::default(),
        }
    }

    /// Notes how a task of this end came to its end.
    pub(super) fn is_done(&self, end: usize, who: String, outcome: Result<(), Error>) {
        let log = &mut self.logs.borrow_mut()[end];
        log.failed.extend(outcome.err().map(|error| (who, error)));
        log.running -= 1;
        log.done_at = Some(self.clock.now());
    }

    fn number(&self, end: usize, index: usize) -> usize {
        let next = self.next.get();
        self.next.set(next + 1);
        (next * 10 + index) * 10 + end
    }
}

/// How long a future is polled before it is dropped.
fn patience(choices: &Choices) -> usize {
    if choices.one_in(3) { 1 + choices.below(4) } else { usize::MAX }
}

/// Sends messages in every way, and drops some of them in the middle.
pub(super) async fn send_all(
    shared: Shared,
    mut sender: Sender,
    end: usize,
    index: usize,
) -> Result<(), Error> {
    let Shared { plan, choices, logs, .. } = &shared;
    for number in 0..plan.messages {
        let is_too_long = plan.oversize == Some(end) && index == 0 && number + 1 == plan.messages;
        let number = shared.number(end, index);
        let message = if is_too_long {
            plan.too_long(number, choices)
        } else {
            plan.message(number, choices)
        };
        logs.borrow_mut()[end].sent[index].push((message.clone(), false));
        let patience = patience(choices);
        let queued = match choices.below(6) {
            5 if plan.version > Version::HIXIE_76 => {
                Some(write(&mut sender, &message, choices, patience).await)
            }
            0 => at_most(patience, sender.send(message)).await.map(|sent| sent.map_err(Into::into)),
            1 => at_most(patience, sender.feed(message)).await.map(|sent| sent.map_err(Into::into)),
            2 => match at_most(patience, sender.ready()).await {
                None => None,
                Some(Err(error)) => Some(Err(error)),
                Some(Ok(permit)) => Some(permit.send(message).map_err(Error::from)),
            },
            3 => match sender.try_send(message) {
                Err(error) if matches!(error.error(), Error::Full) => None,
                sent => Some(sent.map_err(Error::from)),
            },
            _ => at_most(patience, SinkExt::send(&mut sender, message)).await,
        };
        if let Some(queued) = queued {
            queued?;
            if let Some((_, told)) = logs.borrow_mut()[end].sent[index].last_mut() {
                *told = true;
            }
        }
        if plan.version > Version::HIXIE_76 && choices.one_in(4) {
            let _ = at_most(patience, sender.send(Message::Ping("?".into()))).await;
        }
        if choices.one_in(3) {
            pause().await;
        }
    }
    sender.flush().await
}

/// Sends a message as it comes. Futures are dropped in the middle and made again; the message is not.
async fn write(
    sender: &mut Sender,
    message: &Message,
    choices: &Choices,
    patience: usize,
) -> Result<(), Error> {
    let kind = if message.is_text() { MessageKind::Text } else { MessageKind::Binary };
    let compress = choices.of(&[Compress::Auto, Compress::Always, Compress::Never]);
    let writer = sender.send_writer(kind)?.compress(compress);
    let mut writer = writer.frame_size(choices.of(&[usize::MAX, 5_000, 700, 125]));
    let mut rest = message.as_bytes();
    while !rest.is_empty() {
        let piece = &rest[..rest.len().min(choices.of(&[usize::MAX, 20_000, 3_000]))];
        let taken = match at_most(patience, writer.write(piece)).await {
            Some(taken) => taken,
            None => writer.write(piece).await,
        };
        rest = &rest[taken.map_err(own)?..];
        if choices.one_in(8) {
            let _ = at_most(patience, AsyncWriteExt::flush(&mut writer)).await;
        }
    }
    match at_most(patience, writer.finish()).await {
        Some(ended) => ended,
        None => writer.finish().await,
    }
}

/// The error of ours that one of a stream is.
fn own(error: io::Error) -> Error {
    error.downcast().expect("an error of ours")
}

/// Receives a message as it comes, all of it or only as much as says which it is. `None` is the end.
async fn read(
    receiver: &mut Receiver,
    shared: &Shared,
    end: usize,
    patience: usize,
) -> Result<Option<Message>, Error> {
    let Some(mut reader) = receiver.recv_reader().await? else { return Ok(None) };
    let (kind, skips) = (reader.kind(), shared.choices.one_in(4));
    let mut all = Vec::new();
    loop {
        let piece = match at_most(patience, reader.next_piece()).await {
            Some(piece) => piece,
            None => reader.next_piece().await,
        };
        match piece {
            Ok(Some(piece)) => all.extend_from_slice(&piece),
            Ok(None) => break,
            // The peer may close within a message, and that is the end.
            Err(Error::Lost) => {
                drop(reader);
                return receiver.recv().await;
            }
            Err(error) => return Err(error),
        }
        let number = all.iter().position(|byte| *byte == b':').map(|at| &all[..=at]);
        if let Some(number) = number.filter(|_| skips) {
            let logs = shared.logs.borrow();
            let mut sent = logs[1 - end].sent.iter().flatten().map(|(message, _)| message);
            return Ok(sent.find(|message| message.as_bytes().starts_with(number)).cloned());
        }
    }
    Ok(Some(match kind {
        MessageKind::Text => Message::text(String::from_utf8(all).expect("it was checked")),
        MessageKind::Binary => Message::binary(all),
    }))
}

/// Receives in every way until the end, or until nobody here wants any more.
pub(super) async fn receive_all(
    shared: Shared,
    mut receiver: Receiver,
    end: usize,
) -> Result<(), Error> {
    let Shared { plan, choices, logs, .. } = &shared;
    let mut wanted = if plan.deaf == Some(end) { choices.below(5) } else { usize::MAX };
    while wanted > 0 {
        wanted -= 1;
        let patience = patience(choices);
        let received = match choices.below(4) {
            // The limits are not for what is read so.
            3 if plan.oversize.is_none() => Some(read(&mut receiver, &shared, end, patience).await),
            0 => at_most(patience, receiver.recv()).await,
            1 => {
                let lent = at_most(patience, receiver.recv_ref()).await;
                if choices.one_in(3) {
                    pause().await;
                }
                lent.map(|lent| lent.map(|lent| lent.map(|message| message.to_owned())))
            }
            _ => at_most(patience, receiver.next()).await.map(Option::transpose),
        };
        match received.transpose()? {
            None => {}
            Some(None) => return Ok(()),
            Some(Some(message)) if message.is_data() => {
                logs.borrow_mut()[end].received.push(message);
            }
            Some(Some(_)) => {}
        }
        if choices.one_in(3) {
            pause().await;
        }
    }
    Ok(())
}

/// Ends the connection from this end.
pub(super) async fn close(shared: Shared, mut sender: Sender) -> Result<(), Error> {
    // Without anybody who receives, only this reads what still comes.
    if shared.choices.one_in(2) || shared.plan.deaf.is_some() {
        sender.close(CloseCode::NORMAL, "").await.map(drop)
    } else {
        SinkExt::<Message>::close(&mut sender).await
    }
}
