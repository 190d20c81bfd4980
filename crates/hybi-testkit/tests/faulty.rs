//! Whichever call of a transport goes wrong, and in which way: both ends come to an end, and each knows why.

use core::time::Duration;
use std::io::ErrorKind;

use hybi::{
    Client, CloseCode, Config, Error, Message, Server, Version, WebSocket,
    io::{Timer, Transport},
    opening::{accept_on, connect_on},
};
use hybi_testkit::{
    clock::ClockTimer,
    faulty::{Calls, Fault, Faulty, Operation, What},
    link::{Conditions, End, link},
    world::World,
};

/// What an end came to.
#[derive(Debug, Default)]
struct Outcome {
    is_open: bool,
    received: Vec<String>,
    error: Option<Error>,
    is_clean: bool,
    /// The end said of itself the same again, and took no more messages.
    is_sticky: bool,
}

const KINDS: [ErrorKind; 4] =
    [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe, ErrorKind::UnexpectedEof, ErrorKind::Other];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Client,
    Server,
}

/// The two ends of a conversation, and what the calls of one of them do.
struct Run {
    faulty: Outcome,
    other: Outcome,
    calls: Calls,
}

/// Where there are no Pings, silence ends nothing but by this.
fn config() -> Config {
    Config::default().fragment_size(Some(5)).idle_timeout(Some(Duration::from_secs(60)))
}

fn ends(version: Option<Version>) -> (Client, Server) {
    match version {
        None => (Client::compressing(), Server::compressing()),
        Some(version) => (
            Client::builder().version(version).config(config()).build().expect("it is spoken"),
            Server::builder().versions([version]).config(config()).build(),
        ),
    }
}

async fn finish<T: Transport>(ws: &mut WebSocket<T, ClockTimer>, outcome: &mut Outcome) {
    outcome.is_clean = ws.close_status().is_some_and(|status| status.is_clean());
    // Messages that were not asked for may still be there.
    let mut next = ws.recv().await;
    while let Ok(Some(message)) = &next {
        outcome.received.extend(message.as_text().map(str::to_owned));
        next = ws.recv().await;
    }
    let refused = ws.send("behind the end").await.is_err();
    let words = |end: &Result<_, Error>| end.as_ref().err().map(ToString::to_string);
    outcome.is_sticky = refused && words(&next) == words(&ws.recv().await);
    // Whoever closes is given the status, and learns from it that the end was not in order.
    outcome.error = outcome.error.take().or_else(|| next.err());
}

/// Asks, and closes when it was answered.
async fn ask<T: Transport>(client: Client, transport: T, timer: ClockTimer) -> Outcome {
    let mut outcome = Outcome::default();
    let deadline = client.config().handshake_deadline(timer.now());
    match connect_on(&client, "ws://example.org/", transport, timer, deadline).await {
        Err(error) => outcome.error = Some(error),
        Ok((mut ws, _)) => {
            outcome.is_open = true;
            outcome.error = converse(&mut ws, &mut outcome.received).await.err();
            finish(&mut ws, &mut outcome).await;
        }
    }
    outcome
}

async fn converse<T: Transport>(
    ws: &mut WebSocket<T, ClockTimer>,
    received: &mut Vec<String>,
) -> Result<(), Error> {
    for text in ["the first message", "the second"] {
        ws.send(text).await?;
        if ws.capabilities().ping {
            ws.send(Message::Ping(b"?".as_slice().into())).await?;
        }
        let Some(answer) = ws.recv().await? else { return Ok(()) };
        received.extend(answer.as_text().map(str::to_owned));
    }
    ws.close(CloseCode::NORMAL, "").await.map(drop)
}

/// Sends back what comes.
async fn answer<T: Transport>(server: Server, transport: T, timer: ClockTimer) -> Outcome {
    let mut outcome = Outcome::default();
    let deadline = server.config().handshake_deadline(timer.now());
    match accept_on(&server, transport, timer, deadline).await {
        Err(error) => outcome.error = Some(error),
        Ok(mut ws) => {
            outcome.is_open = true;
            outcome.error = loop {
                match ws.recv().await {
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                    Ok(Some(message)) => {
                        outcome.received.extend(message.as_text().map(str::to_owned));
                        // Why it cannot be sent may still come.
                        let _ = ws.send(message).await;
                    }
                }
            };
            finish(&mut ws, &mut outcome).await;
        }
    }
    outcome
}

fn run(version: Option<Version>, who: Who, fault: Option<Fault>) -> Run {
    let mut world = World::new();
    let (near, far) = link(world.clock(), Conditions::default(), Conditions::default());
    let (one, other) = (world.clock().timer(), world.clock().timer());
    let (client, server) = ends(version);
    let (faulty, other, calls) = match who {
        Who::Client => {
            let (near, calls) = Faulty::new(near, fault);
            let (faulty, other) =
                both(&mut world, ask(client, near, one), answer(server, far, other));
            (faulty, other, calls)
        }
        Who::Server => {
            let (far, calls) = Faulty::<End>::new(far, fault);
            let (other, faulty) =
                both(&mut world, ask(client, near, one), answer(server, far, other));
            (faulty, other, calls)
        }
    };
    Run { faulty, other, calls }
}

/// Both to their end: nobody waits for ever.
fn both(
    world: &mut World,
    one: impl Future<Output = Outcome> + 'static,
    other: impl Future<Output = Outcome> + 'static,
) -> (Outcome, Outcome) {
    world.block_on(futures_util::future::join(one, other))
}

/// What is asked of a run in which one call went wrong.
fn check(what: &str, fault: Fault, good: &Run, bad: &Run) {
    let Run { faulty, other, calls } = bad;
    assert!(calls.of(fault.operation) >= fault.n, "{what}: the call was never made");
    for (end, good) in [(faulty, &good.faulty), (other, &good.other)] {
        assert!(good.received.starts_with(&end.received), "{what}: {end:?}");
        assert!(!end.is_open || end.is_sticky, "{what}: {end:?}");
        assert!(!(end.is_clean && end.error.is_some()), "{what}: {end:?}");
    }
    assert_eq!(calls.writes_behind_failure(), 0, "{what}");
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
        let is_sending = matches!(fault.operation, Operation::Write | Operation::Flush);
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
        _ => assert!(error.io_error().is_none(), "{what}: {error:?}"),
    }
}

/// Each call of a good conversation, in each way in which it may go wrong; how many there are.
fn each_call(version: Option<Version>) -> [usize; 4] {
    let mut counted = [0; 4];
    for who in [Who::Client, Who::Server] {
        let good = run(version, who, None);
        for end in [&good.faulty, &good.other] {
            assert_eq!(end.received, ["the first message", "the second"], "{version:?}");
            assert!(end.is_clean && end.is_sticky && end.error.is_none(), "{version:?} {end:?}");
        }
        for operation in Operation::ALL {
            let calls = good.calls.of(operation);
            counted[operation as usize] += calls;
            let whats = KINDS.map(What::Fails).into_iter().chain([
                What::OneByte,
                What::PendingOnce,
                What::Pending,
                What::Ends,
            ]);
            // TLS says so of what was to be read.
            let is_said = |what: &What| {
                operation == Operation::Read || *what != What::Fails(ErrorKind::UnexpectedEof)
            };
            for what in whats.filter(is_said) {
                for n in 1..=calls {
                    let fault = Fault::new(operation, n, what);
                    let bad = run(version, who, Some(fault));
                    check(&format!("{version:?} {who:?} {fault:?}"), fault, &good, &bad);
                }
            }
        }
    }
    counted
}

#[test]
fn whichever_call_goes_wrong_both_ends_know_why() {
    for version in Version::ALL.into_iter().map(Some).chain([None]) {
        // Reads, writes, flushes and shutdowns of both ends.
        let expected = match version {
            Some(Version::HIXIE_75) => [16, 6, 6, 2],
            Some(Version::HIXIE_76) => [19, 8, 8, 2],
            _ => [19, 12, 12, 2],
        };
        assert_eq!(each_call(version), expected, "{version:?}");
    }
}
