//! Rooms by chance: any policy and bounds, peers that read slowly, stop, close or vanish, members that come late,
//! senders side by side, any extension that compresses. Whatever happens, all come to an end, order holds, and what somebody did not hear is counted.

use core::{cell::RefCell, time::Duration};
use std::rc::Rc;

use hybi::{
    Broadcast, Client, CloseCode, Deflate, Extensions, Message, Server, Slow,
    extension::{DeflateFrame, PerframeCompress, PermessageCompress},
    opening,
};
use hybi_testkit::{
    choices::{Choices, explore},
    link::{Conditions, link},
    world::{World, pause},
};

use crate::world::{Log, Ws, listen, pass};

/// What is done after so many messages by a peer that does not read to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    Reads,
    Stops,
    Closes,
    Vanishes,
}

/// One that was in the room, and what its peer heard.
struct Guest {
    habit: Habit,
    /// How many messages there had been when it joined.
    joined: usize,
    log: Log,
    heard: Rc<RefCell<Heard>>,
}

#[derive(Default)]
struct Heard {
    numbers: Vec<usize>,
    code: Option<CloseCode>,
}

/// Messages in the order of the room: each is its number.
type Told = Rc<RefCell<usize>>;

fn conditions(choices: &Choices) -> Conditions {
    Conditions::default()
        .capacity(choices.of(&[usize::MAX, 1_000, 10_000, 200_000]))
        .write(choices.of(&[usize::MAX, 1_000]))
        .read(choices.of(&[usize::MAX, 1_000]))
        .delay(Duration::from_millis(choices.of(&[0, 1, 20])))
}

/// A message that says its number, of some length.
fn message(number: usize, choices: &Choices) -> String {
    format!("{number} {}", "x".repeat(choices.of(&[0, 10, 2_000, 20_000, 70_000])))
}

fn guest(world: &mut World, room: &Broadcast, told: &Told, choices: &Choices) -> Guest {
    let habit =
        choices.of(&[Habit::Reads, Habit::Reads, Habit::Stops, Habit::Closes, Habit::Vanishes]);
    let (patience, naps) = (choices.below(10), choices.of(&[0, 0, 1, 5]));
    let (server, peer) = opened(world, choices);
    let log = listen(world, room.join(server));
    let heard = Rc::new(RefCell::new(Heard::default()));
    let place = heard.clone();
    let clock = world.clock().clone();
    world.spawn(format!("a peer that {habit:?}"), async move {
        let mut peer = peer;
        while habit == Habit::Reads || place.borrow().numbers.len() < patience {
            for _ in 0..naps {
                pass(&clock, Duration::from_millis(100)).await;
            }
            match peer.recv().await {
                Ok(Some(message)) => {
                    let text = message.as_text().expect("a text");
                    let number = text.split(' ').next().and_then(|number| number.parse().ok());
                    place.borrow_mut().numbers.push(number.expect("a number"));
                }
                Ok(None) | Err(_) => break,
            }
        }
        place.borrow_mut().code = end(habit, peer, &clock).await;
    });
    Guest { habit, joined: *told.borrow(), log, heard }
}

/// Two ends of a connection, the server's first, with an extension of some kind or without.
fn opened(world: &mut World, choices: &Choices) -> (Ws, Ws) {
    let deflate = Deflate::default();
    let extensions = [
        Extensions::none(),
        deflate.into(),
        deflate.own_context_takeover(false).peer_context_takeover(false).into(),
        PermessageCompress::new(deflate).into(),
        DeflateFrame::new(deflate).into(),
        PerframeCompress::new(deflate).into(),
    ];
    let extensions = extensions[choices.below(extensions.len())].clone();
    let server = Server::builder().extensions(extensions.clone()).build();
    let client = Client::builder().extensions(extensions).build().expect("lawful");
    let (near, far) = link(world.clock(), conditions(choices), Conditions::default());
    let (one, other) = (world.clock().timer(), world.clock().timer());
    let deadline = server.config().handshake_deadline(world.clock().now());
    world.block_on(async move {
        let accepting = opening::accept_on(&server, near, one, deadline);
        let connecting = opening::connect_on(&client, "ws://example.org/", far, other, deadline);
        let (server, client) = futures_util::future::join(accepting, connecting).await;
        (server.expect("a request"), client.expect("an answer").0)
    })
}

async fn end(habit: Habit, mut peer: Ws, clock: &hybi_testkit::clock::Clock) -> Option<CloseCode> {
    match habit {
        Habit::Closes => drop(peer.close(CloseCode::GOING_AWAY, "").await),
        // Longer than any deadline of the other end.
        Habit::Stops => pass(clock, Duration::from_secs(500)).await,
        Habit::Reads | Habit::Vanishes => {}
    }
    peer.close_status().map(|status| status.code())
}

fn run(choices: &Choices) -> Result<(), String> {
    let mut world = World::new().with_most_polls(3_000_000);
    let slow = choices.of(&[
        Slow::Wait,
        Slow::DropOldest,
        Slow::DropNewest,
        Slow::Close,
        Slow::TryAgainLater,
    ]);
    let room = Broadcast::builder()
        .max_messages(choices.of(&[1000, 1, 2, 5]))
        .max_bytes(choices.of(&[usize::MAX, 1, 50_000]))
        .slow(slow)
        .build();
    let told = Told::default();
    let mut guests = Vec::new();
    for _ in 0..=choices.below(4) {
        guests.push(guest(&mut world, &room, &told, choices));
    }
    let senders = 1 + choices.below(3);
    for sender in 0..senders {
        let (room, told, choices) = (room.clone(), told.clone(), choices.clone());
        let clock = world.clock().clone();
        world.spawn(format!("sender {sender}"), async move {
            for _ in 0..choices.below(15) {
                // Its number is its place: others go on while this one waits, so it is tried.
                loop {
                    let number = *told.borrow();
                    if room.try_send(message(number, &choices)).is_ok() {
                        *told.borrow_mut() += 1;
                        break;
                    }
                    pass(&clock, Duration::from_millis(50)).await;
                }
                for _ in 0..choices.below(4) {
                    pause().await;
                }
                pass(&clock, Duration::from_millis(choices.of(&[0, 1, 500]))).await;
            }
        });
    }
    if choices.one_in(2) {
        let clock = world.clock().clone();
        world.block_on(async move { pass(&clock, Duration::from_millis(700)).await });
        guests.push(guest(&mut world, &room, &told, choices));
    }
    let (closing, clock) = (room.clone(), world.clock().clone());
    world.spawn("the end", async move {
        // By then all that can be delivered was, and who reads no more was left.
        pass(&clock, Duration::from_secs(400)).await;
        closing.send(Message::Close(None)).await;
    });
    world.run().map_err(|stuck| stuck.to_string())?;
    if !room.is_empty() {
        return Err(format!("{} are left in the room", room.len()));
    }
    let count = *told.borrow();
    guests.iter().try_for_each(|guest| judge(guest, slow, count))
}

fn judge(guest: &Guest, slow: Slow, count: usize) -> Result<(), String> {
    let (heard, seen) = (guest.heard.borrow(), guest.log.borrow());
    let what = || {
        format!(
            "{slow:?}, {:?}: {:?} of {}..{count}, {:?}",
            guest.habit, heard.numbers, guest.joined, seen.deliveries
        )
    };
    let wrong = |why: &str| Err(format!("{why}: {}", what()));
    if !heard.numbers.windows(2).all(|two| two[0] < two[1])
        || heard.numbers.iter().any(|number| !(guest.joined..count).contains(number))
    {
        return wrong("out of order");
    }
    if seen.outcome.is_none() || seen.deliveries.waiting > 0 {
        return wrong("no end");
    }
    let is_gapless =
        heard.numbers.iter().enumerate().all(|(at, number)| guest.joined + at == *number);
    if !is_gapless && !matches!(slow, Slow::DropOldest | Slow::DropNewest) {
        return wrong("something is missing that nothing may drop");
    }
    if guest.habit != Habit::Reads {
        return Ok(());
    }
    let policy = match slow {
        Slow::Close => CloseCode::POLICY_VIOLATION,
        Slow::TryAgainLater => CloseCode::TRY_AGAIN_LATER,
        // Nobody reads it.
        _ => CloseCode::ABNORMAL,
    };
    let was_closed = heard.code == Some(policy);
    let all = heard.numbers.len() + seen.deliveries.dropped as usize;
    let meant = count - guest.joined;
    match () {
        () if was_closed && seen.deliveries.dropped == 0 => wrong("closed, and nothing was lost"),
        () if was_closed => Ok(()),
        () if all != meant => wrong("what it did not hear is not counted"),
        () if slow == Slow::Wait && seen.deliveries.dropped > 0 => wrong("dropped"),
        // The Close frame at the end is one of the room.
        () if seen.deliveries.delivered as usize != heard.numbers.len() + 1 => wrong("delivered"),
        () => Ok(()),
    }
}

#[test]
fn whatever_happens_in_a_room_nothing_disappears_in_silence() {
    let runs = if std::env::var_os("HYBI_MODELS_DEEP").is_some() { 10_000 } else { 200 };
    if let Err(failure) = explore(0..runs, run) {
        panic!("{failure}");
    }
}
