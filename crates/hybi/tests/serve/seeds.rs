//! Ends by seed: whoever connects, in whatever way, over whatever line, and whenever the end is asked for. It comes by
//! its deadline, everybody is accounted for, and who keeps to the rules is sent away in order or named.

use core::{cell::RefCell, future::pending, num::NonZero, time::Duration};
use std::{collections::BTreeSet, rc::Rc};

use hybi::{
    CloseCode, Config, Error, Server,
    serve::{Drain, Serving},
};
use hybi_testkit::{
    choices::{Choices, explore},
    clock::Clock,
    link::{Conditions, End},
    script::Script,
    wire::{self, Side},
};

use crate::world::{REQUEST, SECOND, Socket, Town, open, peer, wait};

const SEEDS: u64 = 400;

const MILLISECOND: Duration = Duration::from_millis(1);

/// How a client came out of it.
#[derive(Debug)]
enum Came {
    /// The server went away, in order.
    SentAway,
    /// No connection was opened: it was refused, or told that there is none.
    NotOpened,
    /// Otherwise.
    Otherwise(String),
}

type Outcomes = Rc<RefCell<Vec<(u16, Came)>>>;

/// It keeps to the rules, and sends now and then if it is busy.
async fn honest(stream: End, clock: Clock, pause: Option<Duration>) -> Came {
    let mut ws = match open(stream, clock.timer()).await {
        Ok(ws) => ws,
        Err(Error::Handshake(_)) => return Came::NotOpened,
        Err(error) => return Came::Otherwise(error.to_string()),
    };
    let ended = loop {
        let received = match pause {
            None => ws.recv().await,
            Some(pause) => {
                let sent = ws.send("are you there?").await;
                wait(clock.timer(), pause).await;
                // Nothing more is sent after a Close frame, and what was asked is answered before.
                match sent {
                    Ok(()) => ws.recv().await,
                    Err(_) => loop {
                        match ws.recv().await {
                            Ok(Some(_)) => {}
                            ended => break ended,
                        }
                    },
                }
            }
        };
        match received {
            Ok(Some(_)) => {}
            ended => break ended,
        }
    };
    let status = ws.close_status();
    let in_order = status
        .as_ref()
        .is_some_and(|status| status.is_clean() && status.code() == CloseCode::GOING_AWAY);
    if matches!(ended, Ok(None)) && in_order {
        Came::SentAway
    } else {
        Came::Otherwise(format!("{ended:?}, {status:?}"))
    }
}

/// It does not: what it sends, and how long it stays.
async fn other(stream: End, clock: Clock, sends: Vec<u8>, stays: Duration) {
    let mut script = Script::new(stream, Side::Client);
    let _ = script.try_send(sends).await;
    wait(clock.timer(), stays).await;
}

fn a_while(choices: &Choices) -> Duration {
    choices.of(&[0, 1, 10, 300, 1000, 3000, 12_000]) * MILLISECOND
}

/// What a handler does with its connection.
#[derive(Clone, Copy)]
enum Handles {
    Echo,
    Sends,
    /// It takes a message and waits for something else.
    Hangs,
}

fn run(choices: &Choices) -> Result<(), String> {
    let handles = choices.of(&[Handles::Echo, Handles::Echo, Handles::Sends, Handles::Hangs]);
    let most = choices.of(&[usize::MAX, 3]);
    let config = Config::default().close_timeout(choices.of(&[5, 60]) * SECOND);
    let mut town = Town::new(|listener| {
        let server = Server::builder().config(config).build();
        let handler = move |mut ws: Socket| async move {
            while let Some(message) = ws.recv().await? {
                match handles {
                    Handles::Echo => ws.feed(message).await?,
                    Handles::Sends => (ws.send(message.clone()).await?, ws.send(message).await?).1,
                    Handles::Hangs => pending().await,
                }
            }
            Ok::<_, Error>(())
        };
        Serving::new(listener, server, handler).max_connections(most)
    });
    let outcomes = Outcomes::default();
    let clock = town.world.clock().clone();
    let mut keeps_the_rules = BTreeSet::new();
    for n in 0..choices.below(9) as u16 {
        let conditions = Conditions::default()
            .delay(choices.of(&[0, 10, 200]) * MILLISECOND)
            .capacity(choices.of(&[usize::MAX, 300]))
            .read(choices.of(&[usize::MAX, 20]));
        let (clock, port, comes) = (clock.clone(), town.port.clone(), a_while(choices));
        let (kind, pause, stays) = (choices.below(6), a_while(choices), a_while(choices));
        if kind < 3 {
            keeps_the_rules.insert(n);
        }
        let outcomes = outcomes.clone();
        town.world.spawn(format!("client {n}"), async move {
            wait(clock.timer(), comes).await;
            if port.is_closed() {
                if kind < 3 {
                    outcomes.borrow_mut().push((n, Came::NotOpened));
                }
                return;
            }
            let stream = port.connect_by(conditions, peer(n));
            let half = REQUEST.len() / 2;
            let came = match kind {
                0 | 1 => honest(stream, clock, None).await,
                2 => honest(stream, clock, Some(pause + 50 * MILLISECOND)).await,
                // A request in part, or in whole and then nothing, or a message that is never answered.
                3 => return other(stream, clock, REQUEST[..half].into(), stays).await,
                4 => return other(stream, clock, REQUEST.into(), stays).await,
                _ => {
                    let said = wire::frame(Side::Client, wire::TEXT, b"and then nothing");
                    let all = [REQUEST.as_bytes(), &said].concat();
                    return other(stream, clock, all, stays).await;
                }
            };
            outcomes.borrow_mut().push((n, came));
        });
    }
    town.wait(a_while(choices));
    let deadline = choices.of(&[10_000, 3000, 500]) * MILLISECOND;
    let rate = NonZero::new(choices.of(&[1000, 10, 1])).expect("not zero");
    // Time enough for everybody who is listened to.
    let is_ample = matches!(handles, Handles::Echo) && deadline > 9 * SECOND && rate.get() == 1000;
    let asked = clock.elapsed();
    drop(town.handle.drain(Drain::default().per_second(rate).deadline(deadline)));
    let (when, report) = town.report();
    // What was cut is gone at once here.
    if when > asked + deadline {
        return Err(format!("asked at {asked:?}, with {deadline:?}, and over at {when:?}"));
    }
    // Who comes too late, or was cut, is told.
    town.wait(120 * SECOND);
    if town.handle.connections() > 0 {
        return Err(format!("{} connections are left", town.handle.connections()));
    }
    let outcomes = outcomes.borrow();
    if outcomes.len() != keeps_the_rules.len() {
        return Err(format!("of {keeps_the_rules:?} came {outcomes:?}"));
    }
    let cut: BTreeSet<_> = report.cut.iter().filter_map(|cut| cut.peer).collect();
    if cut.len() != report.cut.len() {
        return Err(format!("twice: {report:?}"));
    }
    // Who was told in the last moment may have been cut before its answer came.
    let is_named = |n: u16| cut.contains(&peer(n));
    let sent_away =
        outcomes.iter().filter(|(n, came)| matches!(came, Came::SentAway) && !is_named(*n)).count();
    if report.closed < sent_away {
        return Err(format!("{sent_away} were sent away: {report}"));
    }
    for (n, came) in outcomes.iter() {
        if let Came::Otherwise(how) = came
            && (is_ample || !is_named(*n))
        {
            return Err(format!("{n} was neither sent away nor named: {how}; {report:?}"));
        }
    }
    Ok(())
}

#[test]
fn an_end_comes_and_everybody_is_accounted_for() {
    if let Err(failure) = explore(0..SEEDS, run) {
        panic!("{failure}");
    }
}
