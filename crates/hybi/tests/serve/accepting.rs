//! Accepts that fail.

use core::iter::repeat_n;

use hybi_testkit::world::World;

use crate::world::{SECOND, Town, echo, peer};

const EMFILE: i32 = 24;
const ENFILE: i32 = 23;
const ENOMEM: i32 = 12;
const ECONNABORTED: i32 = 103;
const ENOBUFS: i32 = 105;

fn passed(world: &World) -> u128 {
    world.clock().elapsed().as_millis()
}

/// No descriptor is left for a while: it is not asked all the time, and goes on when there is one.
#[test]
fn without_descriptors_it_waits() {
    for error in [EMFILE, ENFILE, ENOMEM, ENOBUFS] {
        let mut town = Town::serve(echo, |serving| serving);
        town.port.fail(repeat_n(error, 12));
        town.wait(SECOND);
        // After 0, 10, 30, 70, 150, 310 and 630 milliseconds.
        assert_eq!(town.port.failed(), 7, "{error}");
        town.wait(4 * SECOND);
        // 1270, 2270, 3270 and 4270: a second is the longest.
        assert_eq!(town.port.failed(), 11, "{error}");
        let before = passed(&town.world);
        assert!(town.client(peer(0)).is_ok(), "{error}");
        // 5270, and one more second.
        assert_eq!((before, passed(&town.world)), (5000, 6270), "{error}");
        let told = town.incidents();
        assert_eq!(told.len(), 12, "{error}");
        assert!(told.iter().all(|told| told.starts_with("cannot accept: ")), "{told:?}");
        // It begins with the shortest again.
        town.port.fail([error]);
        assert!(town.client(peer(1)).is_ok(), "{error}");
        assert_eq!(passed(&town.world), 6280, "{error}");
    }
}

/// A stream that was lost before it was accepted says nothing of the next.
#[test]
fn a_lost_stream_is_passed_over() {
    let mut town = Town::serve(echo, |serving| serving);
    town.port.fail(repeat_n(ECONNABORTED, 20));
    assert!(town.client(peer(0)).is_ok());
    assert_eq!((passed(&town.world), town.port.failed()), (0, 20));
}

/// Not even that is asked for ever without a pause.
#[test]
fn a_fault_that_stays_is_none_of_one_stream() {
    let mut town = Town::serve(echo, |serving| serving);
    town.port.fail(repeat_n(ECONNABORTED, 100_000));
    town.wait(60 * SECOND);
    assert!(town.port.failed() < 200, "{} attempts", town.port.failed());
}

/// The end does not wait for the pause.
#[test]
fn the_end_comes_during_a_pause() {
    let mut town = Town::serve(echo, |serving| serving);
    town.port.fail(repeat_n(EMFILE, 1000));
    town.wait(10 * SECOND);
    drop(town.handle.drain(hybi::serve::Drain::default()));
    let (when, report) = town.report();
    assert_eq!(when, 10 * SECOND);
    assert_eq!(report.to_string(), "0 closed in order, 0 lost, 0 cut, 0 requests refused");
}
