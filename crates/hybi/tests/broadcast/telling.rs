//! A member that tells all, itself among them, while its own queue is full.

use hybi::{Broadcast, CloseCode, Error, Slow};
use hybi_testkit::{
    link::Conditions,
    world::{World, at_most},
};

use crate::world::{long, member, narrow, numbers, pair, settle};

/// What the teller is told in all: taken, dropped and closed; what another member hears; what its own peer sees, and
/// the close code.
type Told = ((usize, u64, usize), Vec<u8>, Vec<u8>, Option<u16>);

/// Its peer does not read: one message is on its way, and two wait. Another member hears all that the policy lets
/// through.
fn told(slow: Slow) -> Told {
    let mut world = World::new();
    let room = Broadcast::builder().max_messages(2).slow(slow).build();
    let (server, mut own, _wire) = pair(world.clock(), narrow(), hybi::Config::default());
    let mut teller = room.join(server);
    let (_log, mut other, _other_wire) = member(&mut world, &room, Conditions::default());
    let clock = world.clock().clone();
    world.block_on(async move {
        let mut sum = (0, 0, 0);
        for n in 0..4 {
            let sent = teller.tell_all(long(n)).await.expect("it is open");
            sum = (sum.0 + sent.members, sum.1 + sent.dropped, sum.2 + sent.closed);
            // One turn of its task, as its loop would have it.
            let _ = at_most(1, teller.recv()).await;
            settle(&clock).await;
        }
        let expected = 4;
        let heard = numbers(&mut other, expected).await;
        let receiving = async {
            let received = teller.recv().await;
            received.expect("in order")
        };
        let reading = async {
            let seen = numbers(&mut own, 3).await;
            if own.close_status().is_none() {
                own.close(CloseCode::NORMAL, "").await.expect("in order");
            }
            (seen, own.close_status().map(|status| status.code().as_u16()))
        };
        let (received, (seen, code)) = futures_util::future::join(receiving, reading).await;
        assert_eq!(received, None);
        (sum, heard, seen, code)
    })
}

#[test]
fn the_policy_is_for_itself_too() {
    let all = vec![0, 1, 2, 3];
    assert_eq!(told(Slow::DropNewest), ((7, 1, 0), all.clone(), vec![0, 1, 2], Some(1000)));
    assert_eq!(told(Slow::DropOldest), ((8, 1, 0), all.clone(), vec![0, 2, 3], Some(1000)));
    assert_eq!(told(Slow::Close), ((7, 3, 1), all.clone(), vec![0], Some(1008)));
    assert_eq!(told(Slow::TryAgainLater), ((7, 3, 1), all, vec![0], Some(1013)));
}

/// Somebody has it closed while it waits for room, its own and that of another: it is told, leaves, and holds up nobody.
#[test]
fn one_that_is_closed_while_it_waits_is_told() {
    for with_other in [false, true] {
        let mut world = World::new();
        let room = Broadcast::builder().max_messages(1).slow(Slow::Wait).build();
        let conditions = if with_other { Conditions::default() } else { narrow() };
        let (server, mut own, _wire) = pair(world.clock(), conditions, hybi::Config::default());
        let mut teller = room.join(server);
        let other = with_other.then(|| member(&mut world, &room, narrow()));
        let clock = world.clock().clone();
        let waiting_room = room.clone();
        world.block_on(async move {
            let mut in_vain = 0;
            for n in 0..20 {
                let told = at_most(1, teller.tell_all(long(n))).await;
                in_vain += u8::from(told.is_none());
                settle(&clock).await;
            }
            assert!(in_vain >= 15, "{in_vain}: there is room");
            let closer = teller.websocket_mut().closer();
            let began = clock.elapsed();
            let telling = async {
                let told = teller.tell_all(long(100)).await;
                let waited = clock.elapsed() - began;
                assert_eq!(teller.recv().await.expect("in order"), None);
                (told, waited)
            };
            let closing = async {
                settle(&clock).await;
                closer.close(CloseCode::GOING_AWAY, "").expect("a lawful code");
                numbers(&mut own, 100).await
            };
            let ((told, waited), _seen) = futures_util::future::join(telling, closing).await;
            match told {
                Ok(sent) => assert!(!with_other && sent.members == 0, "{sent:?}"),
                Err(error) => assert!(matches!(error.error(), Error::Closed), "{error}"),
            }
            assert!(waited.as_millis() < 10, "{with_other}: {waited:?}");
            let status = own.close_status().expect("it is over");
            assert_eq!((status.code(), status.is_clean()), (CloseCode::GOING_AWAY, true));
            assert_eq!(waiting_room.len(), usize::from(with_other));
        });
        drop(other);
    }
}
