//! Whichever call of the physical transport goes wrong, and in which way: every channel comes to an end, at both ends,
//! and those that did not come to their own are told of it.

use std::io::ErrorKind;

use futures_util::future::{LocalBoxFuture, join, join_all};
use hybi::{
    Client, CloseCode, Error, Incoming, Server, WebSocket,
    io::Timer as _,
    mux::{self, Accepted, Channel, Config, Connected, Requests},
    opening,
};
use hybi_testkit::{
    clock::{Clock, ClockTimer},
    faulty::{Calls, Fault, Faulty, Operation, What},
    link::{Conditions, End, link},
    world::World,
};

use crate::support::{URI, Ws, echo};

/// What one end came to.
#[derive(Debug, Default)]
struct Outcome {
    /// Of the physical connection, the opening handshake included.
    driver: Option<Result<(), Error>>,
    /// Of each channel that was opened, or could not be.
    channels: Vec<Result<(), Error>>,
}

impl Outcome {
    fn is_good(&self) -> bool {
        matches!(self.driver, Some(Ok(())))
            && self.channels.len() == 2
            && self.channels.iter().all(Result::is_ok)
    }
}

async fn talk(mut ws: Ws) -> Result<(), Error> {
    for text in ["the first message", "the second"] {
        ws.send(text).await?;
        let heard = ws.recv().await?.ok_or(Error::Closed)?;
        assert_eq!(heard.as_text(), Some(text));
    }
    ws.close(CloseCode::NORMAL, "").await.map(drop)
}

async fn client(near: Faulty<End>, clock: Clock) -> Outcome {
    let mut outcome = Outcome::default();
    let client = Client::default();
    let deadline = client.config().handshake_deadline(clock.now());
    let timers = move || clock.timer();
    let connected = mux::connect_on(&client, &Config::default(), URI, near, timers, deadline).await;
    let connected = match connected {
        Ok((Connected::Multiplexed(connected), _)) => connected,
        Ok(_) => panic!("they did not agree"),
        Err(error) => {
            outcome.driver = Some(Err(error));
            return outcome;
        }
    };
    let (first, opener) = (connected.first, connected.opener);
    let second = async move {
        let (second, _) = opener.open_channel(URI).await?;
        talk(second).await
    };
    let (driver, channels) = join(connected.driver.run(), join(talk(first), second)).await;
    outcome.driver = Some(driver);
    outcome.channels = vec![channels.0, channels.1];
    outcome
}

async fn server(far: Faulty<End>, clock: Clock) -> Outcome {
    let mut outcome = Outcome::default();
    let server = Server::default();
    let timer = clock.timer();
    let deadline = server.config().handshake_deadline(timer.now());
    let accepted = async {
        let incoming = opening::incoming_on(&server, far, timer, deadline).await?;
        mux::accept(incoming, &Config::default(), move || clock.timer()).await
    };
    let accepted = match accepted.await {
        Ok(Accepted::Multiplexed(accepted)) => accepted,
        Ok(_) => panic!("they did not agree"),
        Err(error) => {
            outcome.driver = Some(Err(error));
            return outcome;
        }
    };
    let others = others(accepted.requests);
    let (driver, (first, others)) =
        join(accepted.driver.run(), join(echo(accepted.first), others)).await;
    outcome.driver = Some(driver);
    outcome.channels.push(first);
    outcome.channels.extend(others);
    outcome
}

/// The one that is asked for beside the first, if it is; nobody takes more.
async fn others(mut requests: Requests<ClockTimer>) -> Option<Result<(), Error>> {
    let incoming: Incoming<Channel, ClockTimer> = requests.next().await?;
    let serve = async move {
        let ws: WebSocket<Channel, ClockTimer> = incoming.accept().await?;
        echo(ws).await
    };
    let (outcome, more) = join(serve, async { requests.next().await.is_some() }).await;
    assert!(!more, "nobody asks for a third");
    Some(outcome)
}

/// Both ends, with this fault at the client or the server.
fn run(at_client: bool, fault: Option<Fault>) -> (Outcome, Outcome, Calls) {
    let mut world = World::new();
    let (near, far) = link(world.clock(), Conditions::default(), Conditions::default());
    let (near, near_calls) = Faulty::new(near, fault.filter(|_| at_client));
    let (far, far_calls) = Faulty::new(far, fault.filter(|_| !at_client));
    let (ours, theirs) = (world.clock().clone(), world.clock().clone());
    let ends: [LocalBoxFuture<'static, Outcome>; 2] =
        [Box::pin(client(near, ours)), Box::pin(server(far, theirs))];
    let mut outcomes = world.block_on(join_all(ends)).into_iter();
    let both = (outcomes.next().expect("the client's"), outcomes.next().expect("the server's"));
    (both.0, both.1, if at_client { near_calls } else { far_calls })
}

fn check(what: &str, fault: Fault, ends: [&Outcome; 2], faulty: usize, calls: &Calls) {
    assert!(calls.of(fault.operation) >= fault.n, "{what}: the call was never made");
    assert!(calls.is_dropped(), "{what}: the transport is still there");
    let is_harmless = match fault.what {
        What::OneByte | What::PendingOnce => true,
        What::Ends => matches!(fault.operation, Operation::Flush | Operation::Shutdown),
        _ => false,
    };
    for end in ends {
        assert!(!is_harmless || end.is_good(), "{what}: {end:?}");
        for error in end.channels.iter().filter_map(|channel| channel.as_ref().err()) {
            let is_told = match error {
                Error::Transport(error) => {
                    // Not that of the transport, which is the driver's to tell.
                    matches!(
                        error.kind(),
                        ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset
                    )
                }
                Error::Opening(_) | Error::Closed | Error::Lost | Error::Timeout(_) => true,
                _ => false,
            };
            assert!(is_told, "{what}: {error:?}");
        }
    }
    if let (What::Fails(kind), Some(Err(error))) = (fault.what, &ends[faulty].driver)
        && let Some(told) = error.io_error()
    {
        assert_eq!(told.kind(), kind, "{what}: {error:?}");
    }
    let has_failed = ends[faulty].channels.iter().any(Result::is_err);
    let driver = &ends[faulty].driver;
    let is_explained = !has_failed || !matches!(driver, Some(Ok(())));
    assert!(is_explained, "{what}: {:?}", ends[faulty]);
}

#[test]
fn each_call_of_the_physical_transport_goes_wrong() {
    let kinds = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe, ErrorKind::Other];
    let others = [What::OneByte, What::PendingOnce, What::Pending, What::Ends];
    let mut counted = 0;
    for at_client in [true, false] {
        let (client, server, calls) = run(at_client, None);
        assert!(client.is_good() && server.is_good(), "{client:?} {server:?}");
        for operation in Operation::ALL {
            assert!(calls.of(operation) > 0, "{operation:?} was never called");
            counted += calls.of(operation);
            for what in kinds.map(What::Fails).into_iter().chain(others) {
                for n in 1..=calls.of(operation) {
                    let fault = Fault::new(operation, n, what);
                    let (client, server, calls) = run(at_client, Some(fault));
                    let told = format!("{fault:?} at the client: {at_client}");
                    check(&told, fault, [&client, &server], usize::from(!at_client), &calls);
                }
            }
        }
    }
    assert!(counted > 60, "{counted} calls");
}
