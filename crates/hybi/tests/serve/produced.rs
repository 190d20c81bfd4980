//! The error that only a server which is looked after gives.

use std::sync::{Arc, Mutex};

use hybi::{
    HandshakeError, Server,
    serve::{Drain, Serving},
};
use hybi_suite::produced;
use hybi_testkit::{script::Script, wire::Side};

use crate::world::{REQUEST, Town, peer};

/// What `accept` gives a handler that thinks about a request until the end was asked for.
fn too_late() -> HandshakeError {
    let told = Arc::<Mutex<Option<HandshakeError>>>::default();
    let tell = told.clone();
    let mut town = Town::new(|listener| {
        Serving::requests(listener, Server::default(), move |incoming| {
            let tell = tell.clone();
            async move {
                for _ in 0..50 {
                    hybi_testkit::world::pause().await;
                }
                let refused = incoming.accept().await.expect_err("it is too late");
                *tell.lock().expect("no panic") = refused.handshake().cloned();
            }
        })
    });
    let mut script = Script::new(town.port.connect(peer(0)), Side::Client);
    let handle = town.handle.clone();
    town.world.block_on(async move {
        script.send(REQUEST).await;
        for _ in 0..20 {
            hybi_testkit::world::pause().await;
        }
        drop(handle.drain(Drain::default()));
        assert!(script.read_head().await.starts_with("HTTP/1.1 503 "));
    });
    town.settle();
    let told = told.lock().expect("no panic").take();
    told.expect("a rule of the handshake")
}

#[test]
fn by_a_server_at_its_end() {
    produced! {
        HandshakeError::Unavailable { .. } => too_late(),
    }
}
