//! What came before the peer's Close frame can be answered before ours: all that was received is
//! echoed, although the Close frame came in the same read (RFC 6455 section 5.5.1).

use core::{cell::RefCell, future::poll_fn, task::Poll};

use futures_util::{SinkExt as _, StreamExt};
use hybi::{Error, Message, Role, Version};

use crate::{
    support::{
        tasks::run,
        ways::{Receives, Sends},
    },
    world::{Socket, World, everyone, quiet},
};

/// How an echo is written. Owned halves belong here as well.
#[derive(Clone, Copy, Debug)]
enum Echo {
    /// `split` and `forward` of the futures crates.
    Forward,
    /// `split` and `send_all` of the futures crates.
    SendAll,
    /// Halves of the futures crates on two tasks, with a queue between them.
    Tasks,
    /// A loop over the handle.
    Loop(Receives, Sends),
    /// The same without a flush.
    Fed(Receives),
}

async fn echo(mut socket: Socket, echo: Echo) -> Result<(), Error> {
    match echo {
        Echo::Forward => {
            let (sink, stream) = StreamExt::split(socket);
            stream.forward(sink).await
        }
        Echo::SendAll => {
            let (mut sink, mut stream) = StreamExt::split(socket);
            sink.send_all(&mut stream).await?;
            sink.close().await
        }
        Echo::Tasks => over_two_tasks(socket).await,
        Echo::Loop(receives, sends) => {
            while let Some(message) = receives.next(&mut socket).await? {
                sends.send(&mut socket, message).await?;
            }
            Ok(())
        }
        Echo::Fed(receives) => {
            while let Some(message) = receives.next(&mut socket).await? {
                socket.feed(message).await?;
            }
            Ok(())
        }
    }
}

/// One task receives all that there is, before the other has sent any of it.
async fn over_two_tasks(socket: Socket) -> Result<(), Error> {
    let (mut sink, mut stream) = StreamExt::split(socket);
    let received = RefCell::new(Vec::new());
    let mut receiving = Box::pin(async {
        while let Some(message) = stream.next().await.transpose()? {
            received.borrow_mut().push(message);
        }
        Ok::<_, Error>(())
    });
    // Its messages are at hand at once; its end may have to wait for what is sent.
    let ended = poll_fn(|cx| Poll::Ready(receiving.as_mut().poll(cx))).await;
    let messages = received.take();
    for message in messages {
        sink.send(message).await?;
    }
    match ended {
        Poll::Ready(ended) => ended,
        Poll::Pending => receiving.await,
    }
}

fn text(number: usize) -> Message {
    Message::text(number.to_string().repeat(20))
}

/// Some messages and a Close frame in one read, to an echo with so much room for its answers.
fn all_is_echoed(role: Role, version: Version, how: Echo, messages: usize, room: [usize; 2]) {
    let [outbox, capacity] = room;
    let what = format!("{role:?} {version:?} {how:?}, {messages} messages, room for {room:?}");
    let config = quiet().outbox_limit(outbox);
    let World { socket, mut peer, .. } = World::new(role, version, config, capacity);
    let sent: Vec<_> = (0..messages).map(text).collect();
    peer.say(sent.iter().cloned().chain([Message::Close(None)]));
    if version == Version::HIXIE_75 {
        peer.far.end();
    }
    let outcome = run(echo(socket, how), || peer.step(capacity));
    outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
    (0..3).for_each(|_| peer.step(usize::MAX));
    let data: Vec<_> = peer.events.iter().filter(|event| event.is_data()).cloned().collect();
    assert!(data == sent, "{what}: {} came back", data.len());
    if version != Version::HIXIE_75 {
        assert!(matches!(peer.events.last(), Some(Message::Close(_))), "{what}: {:?}", peer.events);
        assert_eq!(peer.events.len(), sent.len() + 1, "{what}: nothing follows a Close frame");
    }
}

/// A transport that takes everything, and a queue that is never full.
const PLENTY: [usize; 2] = [1 << 20, usize::MAX];

/// What is full now and then: the transport, the queue, or both.
const LITTLE: [[usize; 2]; 4] = [[1 << 20, 10], [50, usize::MAX], [50, 10], [1, 1]];

fn all_are_echoed(echoes: &[Echo], rooms: &[[usize; 2]]) {
    for (role, version) in everyone() {
        for how in echoes {
            for messages in [1, 3, 50] {
                for room in rooms {
                    all_is_echoed(role, version, *how, messages, *room);
                }
            }
        }
    }
}

#[test]
fn all_is_forwarded_that_came_with_the_close_frame() {
    all_are_echoed(&[Echo::Forward], &[PLENTY]);
}

#[test]
fn all_is_forwarded_that_came_with_the_close_frame_when_there_is_little_room() {
    all_are_echoed(&[Echo::Forward], &LITTLE);
}

#[test]
fn send_all_sends_all_that_came_with_the_close_frame() {
    all_are_echoed(&[Echo::SendAll], &[PLENTY]);
}

#[test]
fn send_all_sends_all_that_came_with_the_close_frame_when_there_is_little_room() {
    all_are_echoed(&[Echo::SendAll], &LITTLE);
}

#[test]
fn halves_on_two_tasks_echo_all_that_came_with_the_close_frame() {
    all_are_echoed(&[Echo::Tasks], &[PLENTY]);
    all_are_echoed(&[Echo::Tasks], &LITTLE);
}

/// A handle that takes in control frames while it sends takes no Close frame for the end that came
/// together with the message that it is about to answer.
#[test]
fn loops_over_the_handle_echo_all_that_came_with_the_close_frame() {
    let mut loops = Receives::ALL.map(Echo::Fed).to_vec();
    for sends in Sends::ALL {
        loops.extend(Receives::ALL.map(|receives| Echo::Loop(receives, sends)));
    }
    all_are_echoed(&loops, &[PLENTY]);
    all_are_echoed(&loops, &LITTLE);
}
