//! The end at its edges: no time at all, more than any clock has, and who is told of it when nobody is waited for.

use core::time::Duration;

use hybi::{Error, serve::Drain};
use hybi_testkit::{script::Script, wire::Side};

use crate::world::{REQUEST, SECOND, Town, echo, peer};

/// `Duration::MAX` says "no limit" here as everywhere.
#[test]
fn no_time_is_too_long() {
    let mut town = Town::serve(echo, |serving| serving);
    let mut clients: Vec<_> = [0, 1].map(|n| town.client(peer(n)).expect("there is room")).into();
    let mut asks = Script::new(town.port.connect(peer(2)), Side::Client);
    let asks = town.world.block_on(async move {
        asks.send(&REQUEST[..9]).await;
        asks
    });
    town.settle();
    let how = Drain::default().deadline(Duration::MAX).over(Duration::MAX);
    drop(town.handle.drain(how.retry_after(Duration::MAX)));
    let answer = town.world.block_on(async move {
        let mut asks = asks;
        asks.send(&REQUEST[9..]).await;
        asks.read_head().await
    });
    let expected = format!("\r\nretry-after: {}\r\n", u64::MAX);
    assert!(answer.to_lowercase().contains(&expected), "{answer}");
    let mut second = clients.pop().expect("two");
    let mut first = clients.pop().expect("two");
    let received = town.world.block_on(async move { first.recv().await });
    assert_eq!(received.expect("in order"), None);
    town.wait(SECOND);
    assert_eq!(town.handle.connections(), 1);
    assert!(town.report.borrow().is_none());
    let echoed = town.world.block_on(async move {
        second.send("still there?").await?;
        let echoed = second.recv().await?;
        drop(second);
        Ok::<_, Error>(echoed)
    });
    assert_eq!(echoed.expect("open"), Some("still there?".into()));
    let (_, report) = town.report();
    assert_eq!((report.closed, report.lost, report.cut.len()), (1, 1, 0), "{report}");
}
