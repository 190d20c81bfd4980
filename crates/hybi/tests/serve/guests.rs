//! Connections that something else accepted, and that are looked after here.

use core::{future::pending, time::Duration};

use futures_util::future::try_join;
use hybi::{
    CloseCode, Error, HandshakeError, Server,
    io::Timer as _,
    opening,
    serve::{Drain, Guest, Stage},
};
use hybi_testkit::link::{Conditions, link};

use crate::world::{SECOND, Socket, Town, echo, open, peer};

impl Town {
    fn admit(&self, n: u16) -> Result<Guest, HandshakeError> {
        self.handle.admit(Some(peer(n)), self.world.clock().timer().now())
    }

    /// Both ends of a connection of which the server knows nothing.
    fn pair(&mut self) -> (Socket, Socket) {
        let clock = self.world.clock().clone();
        let (near, far) = link(&clock, Conditions::default(), Conditions::default());
        let (timer, server) = (clock.timer(), Server::default());
        let deadline = timer.now() + SECOND;
        let opened = self.world.block_on(async move {
            let accepting = opening::accept_on(&server, far, timer, deadline);
            try_join(accepting, open(near, clock.timer())).await
        });
        opened.expect("both are there")
    }
}

#[test]
fn a_guest_counts_until_it_leaves() {
    let mut town = Town::serve(echo, |serving| serving.max_connections(1).retry_after(6 * SECOND));
    town.settle();
    let guest = town.admit(0).expect("there is room");
    assert_eq!(town.handle.connections(), 1);
    let refusal = town.admit(1).expect_err("there is none");
    let HandshakeError::Unavailable { retry_after } = refusal else { panic!("{refusal:?}") };
    assert_eq!(retry_after, 6 * SECOND);
    assert!(town.client(peer(2)).is_err(), "a client of its own counts beside it");
    drop(guest);
    assert_eq!(town.handle.connections(), 0);
    assert!(town.client(peer(3)).is_ok());
}

#[test]
fn a_guest_is_closed_at_the_end_and_cut_if_it_does_not_go() {
    let mut town = Town::serve(echo, |serving| serving);
    let (ours, mut theirs) = town.pair();
    let (stuck, _silent) = town.pair();
    for (n, ws) in [(0, ours), (1, stuck)] {
        let guest = town.admit(n).expect("there is room");
        let mut ws = ws;
        town.world.spawn("guest", async move {
            guest.opened(ws.closer());
            let work = async {
                match n {
                    0 => echo(ws).await,
                    _ => pending::<Result<(), Error>>().await,
                }
            };
            let outcome = guest.until_cut(work).await;
            assert_eq!(outcome.is_none(), n == 1);
        });
    }
    town.settle();
    assert_eq!(town.handle.connections(), 2);
    drop(town.handle.drain(Drain::default().deadline(3 * SECOND)));
    let status = town.world.block_on(async move {
        assert_eq!(theirs.recv().await.expect("in order"), None);
        theirs.close_status().expect("it is over")
    });
    assert_eq!(status.code(), CloseCode::GOING_AWAY);
    let refusal = town.admit(2).expect_err("it ends");
    assert_eq!(refusal.status().map(|status| status.as_u16()), Some(503));
    let (after, report) = town.report();
    assert!(after >= 3 * SECOND && after < 4 * SECOND + Duration::from_millis(10), "{after:?}");
    assert_eq!((report.closed, report.lost, report.refused), (1, 0, 1));
    let cut: Vec<_> = report.cut.iter().map(|cut| (cut.peer, cut.stage)).collect();
    assert_eq!(cut, [(Some(peer(1)), Stage::Open)]);
}
