//! Whichever call of a stream goes wrong below the adapter: both ends come to an end, and each knows why. On a clock
//! that can be set, which that of the runtime cannot.

use core::{
    pin::Pin,
    task::{Context, Poll},
};
use std::io::{self, IoSlice};

use futures_io::{AsyncRead, AsyncWrite};
use hybi_smol::{
    Client, Config, Server, SmolIo,
    io::Transport as _,
    opening::{accept_on, connect_on},
};
use hybi_suite::suite::faults::{
    Handles, Run, Who, answer, ask, both, each_call, faulty_link, whats,
};
use hybi_testkit::{
    faulty::{Fault, Faulty},
    link::End,
    world::World,
};

/// The end of a link as a stream of futures-io.
struct Stream(Faulty<End>);

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        chunk: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_read(cx, chunk)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, &[IoSlice::new(bytes)])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_shutdown(cx)
    }
}

fn run(handles: Handles, who: Who, fault: Option<Fault>) -> Run {
    let mut world = World::new();
    let (near, far, calls) = faulty_link(world.clock(), who, fault);
    let (near, far) = (SmolIo::new(Stream(near)), SmolIo::new(Stream(far)));
    let (one, other) = (world.clock().timer(), world.clock().timer());
    let deadline = Config::default().handshake_deadline(world.clock().now());
    let connecting = async move {
        let client = Client::default();
        let connecting = connect_on(&client, "ws://localhost/", near, one, deadline);
        connecting.await.map(|(ws, _)| ws)
    };
    let accepting = async move { accept_on(&Server::default(), far, other, deadline).await };
    let both = both(ask(handles, connecting), answer(handles, accepting));
    let (client, server) = world.block_on(both);
    Run::of(who, client, server, calls).that_writes_nothing_behind_a_failure()
}

#[test]
fn whichever_call_goes_wrong_both_ends_know_why() {
    for handles in [Handles::Whole, Handles::Halves] {
        let what = format!("{handles:?}");
        let counted = each_call(&what, &whats(), |who, fault| run(handles, who, fault));
        let reads = if handles == Handles::Halves { 20 } else { 19 };
        assert_eq!(counted, [reads, 12, 12, 2], "{what}");
    }
}
