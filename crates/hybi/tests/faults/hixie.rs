//! hixie-76: both ends have sent FF 00, and neither waits for the other to end the transport.

use hybi::{CloseCode, Config, Message, Role, State, Version};

use crate::{
    support::tasks::Task,
    world::{World, connection, poll_once, quiet, seconds_until},
};

/// Servers of the time waited for the client: Netty for 10 s, tornado for 5.
#[test]
fn a_client_ends_the_transport_when_ff_00_went_both_ways() {
    for began in [Role::Client, Role::Server] {
        let mut client = connection(Role::Client, Version::HIXIE_76, Config::default());
        if began == Role::Client {
            client.queue(Message::Close(None)).expect("open");
            assert_eq!(client.transmit_to_vec(), b"\xff\0");
            assert!(!client.wants_shutdown(), "the answer is to come");
        }
        let mut close = [0xff, 0];
        let (consumed, event) = client.handle_input(&mut close);
        assert_eq!((consumed, event.map(Message::from)), (2, Some(Message::Close(None))));
        if began == Role::Server {
            assert!(!client.wants_shutdown(), "the answer is to leave");
            assert_eq!(client.transmit_to_vec(), b"\xff\0");
        }
        assert!(client.wants_shutdown(), "{began:?} began: it waits for the server");
        client.shutdown_done();
        client.handle_eof();
        assert_eq!(client.state(), State::Closed);
        assert!(client.close_status().is_some_and(|status| status.is_clean()));
    }
}

/// A server that waits for the end of the transport gets it at once, whoever sent FF 00 first.
#[test]
fn a_client_does_not_wait_for_a_server_that_waits() {
    let mut world = World::new(Role::Client, Version::HIXIE_76, quiet(), usize::MAX);
    let far = &world.peer.far;
    let close = world.socket.close(CloseCode::NORMAL, "");
    let closed = seconds_until(&world.clock, 100, close, |second| match second {
        0 => {
            assert_eq!(far.take(10), b"\xff\0");
            far.put(b"\xff\0");
        }
        _ if far.sees_end() => far.end(),
        _ => {}
    });
    let (seconds, status) = closed.expect("an end");
    assert!(status.expect("in order").is_clean());
    assert!(seconds <= 2, "the server was waited for: {seconds} s");

    let mut world = World::new(Role::Client, Version::HIXIE_76, quiet(), usize::MAX);
    world.peer.far.put(b"\xff\0");
    let _ = poll_once(&Task::new(), world.socket.recv());
    assert_eq!(world.peer.far.take(10), b"\xff\0");
    assert!(world.peer.far.sees_end(), "the server is waited for");
}
