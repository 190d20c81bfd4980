//! Two ends over a link, with everything chosen at random: version, extension, room, who is polled when,
//! which futures are dropped, who ends it. Each message arrives whole, once and in order; nobody waits for
//! ever, nor for a deadline; and both know the end (RFC 6455 sections 5.4 and 7.1).
//!
//! Each run is made of its seed, which is told when it fails.

use core::{
    cell::RefCell,
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
};
use std::rc::Rc;

use futures_util::{SinkExt, StreamExt as _};
use hybi::{
    CloseCode, Config, Connection, Deflate, Endpoint, Error, Message, Negotiated, Role, State,
    Version, WebSocket,
    extension::{Agreed, DeflateFrame, DeflateStream, Extension, PermessageCompress},
};

use crate::{
    support::{
        clock::{Clock, ClockTimer},
        link::{End, Manners, link_both},
        tasks::Task,
    },
    world::connection,
};

type Sender = hybi::Sender<End, ClockTimer>;
type Receiver = hybi::Receiver<End, ClockTimer>;

/// As many runs as take a few seconds.
const RUNS: u64 = 150;

/// More polls than any run needs.
const POLLS: usize = 400_000;

#[derive(Clone)]
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        (0..8).for_each(|_| _ = random.below(2));
        random
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) as usize) % end
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }
}

/// What one run is about.
#[derive(Clone, Debug)]
struct Plan {
    version: Version,
    extension: Option<Agreed>,
    capacity: usize,
    manners: [Manners; 2],
    config: Config,
    /// How many senders each end has, and how many messages each of them sends.
    senders: [usize; 2],
    messages: usize,
    /// Who ends the connection: either or both.
    closes: [bool; 2],
    /// Those do so without waiting for the other end to have sent everything.
    early: bool,
    /// This end has nobody who receives, from some moment on.
    deaf: Option<usize>,
}

impl Plan {
    fn new(random: &mut Random) -> Self {
        let mut version = random.of(Version::ALL.as_slice());
        let mut extension = None;
        if random.one_in(2) {
            version = Version::RFC6455;
            let deflate = Deflate::default();
            let agree = |extension: &dyn Extension| {
                extension.accept(&extension.offers()[0]).expect("its own offer")
            };
            extension = match random.below(6) {
                0 => Some(agree(&deflate)),
                1 => Some(agree(&PermessageCompress::new(deflate))),
                2 => Some(agree(&DeflateFrame::new(deflate))),
                3 => {
                    version = Version::HYBI_08;
                    Some(agree(&DeflateStream::new(deflate)))
                }
                _ => None,
            };
        }
        let capacity = random.of(&[1, 2, 7, 30, 100, 1_000, 10_000, 100_000]);
        let manners = [(), ()].map(|()| Manners {
            // Two operations that are each pending once more would keep a task that waits awake for ever.
            reluctance: 0,
            read: random.of(&[usize::MAX, usize::MAX, 1 + capacity / 2]),
            write: random.of(&[usize::MAX, usize::MAX, 1 + capacity / 3]),
            capacity,
        });
        let config = Config::default()
            .ping_interval(None)
            .park_after(None)
            .outbox_limit(random.of(&[0, 1, 50, 1_000, 1 << 20]))
            .fragment_size(random.of(&[None, None, Some(1 + capacity), Some(5_000)]));
        let deaf = random.one_in(5).then(|| random.below(2));
        let closes = match deaf {
            Some(end) => [end == 0, end == 1],
            None => random.of(&[[true, false], [false, true], [true, true]]),
        };
        Self {
            version,
            extension,
            capacity,
            manners,
            config,
            senders: [(); 2].map(|()| 1 + random.below(3)),
            messages: random.below(12),
            closes,
            early: deaf.is_some() || random.one_in(3),
            deaf,
        }
    }

    fn connection(&self, role: Role) -> Connection {
        match &self.extension {
            None => connection(role, self.version, self.config.clone()),
            Some(agreed) => {
                let negotiated = Negotiated::new(self.version, None, vec![agreed.clone()]);
                Connection::new(role, negotiated, self.config.clone().into())
            }
        }
    }

    /// The message of this number: its beginning says whose it is.
    fn message(&self, number: usize, random: &mut Random) -> Message {
        let longest = (self.capacity * 100).min(200_000);
        let len = random.of(&[0, 10, 125, 126, 4_090, 65_536, 66_000, 200_000]).min(longest);
        let mut text = format!("{number}:");
        while text.len() < len {
            // Some of it repeats itself and some does not.
            text.push(char::from(
                b'a' + random.below(if text.len() % 900 > 500 { 26 } else { 2 }) as u8,
            ));
        }
        if self.version > Version::HIXIE_76 && random.one_in(2) {
            Message::binary(text.into_bytes())
        } else {
            Message::text(text)
        }
    }
}

/// What is known of the messages of one end.
#[derive(Default)]
struct Log {
    /// All that were tried, by sender, each with whether its sender was told that it is queued.
    sent: Vec<Vec<(Message, bool)>>,
    received: Vec<Message>,
    /// How many senders are done.
    done: usize,
}

type Logs = Rc<RefCell<[Log; 2]>>;

/// Lets others run once.
async fn pause() {
    let mut again = true;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if core::mem::take(&mut again) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

/// Polls a future now and then, and drops it after so many times; `None` then.
async fn at_most<R>(polls: usize, future: impl Future<Output = R>) -> Option<R> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|cx| {
        let polled = future.as_mut().poll(cx).map(Some);
        if polled.is_ready() {
            return polled;
        }
        left -= 1;
        if left == 0 { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}

/// Sends messages in every way, and drops some of them in the middle.
async fn send_all(
    plan: Rc<Plan>,
    mut sender: Sender,
    end: usize,
    index: usize,
    logs: Logs,
    mut random: Random,
) -> Result<(), Error> {
    for number in 0..plan.messages {
        let message = plan.message((number * 10 + index) * 10 + end, &mut random);
        logs.borrow_mut()[end].sent[index].push((message.clone(), false));
        let patience = if random.one_in(3) { 1 + random.below(4) } else { usize::MAX };
        let queued = match random.below(5) {
            0 => {
                at_most(patience, sender.feed(message)).await.map(|sent| sent.map_err(Error::from))
            }
            1 => {
                at_most(patience, sender.send(message)).await.map(|sent| sent.map_err(Error::from))
            }
            2 => match at_most(patience, sender.ready()).await {
                None => None,
                Some(Err(error)) => Some(Err(error)),
                Some(Ok(permit)) => Some(permit.send(message).map_err(Error::from)),
            },
            3 => match sender.try_send(message) {
                Err(error) if matches!(error.error(), Error::Full) => None,
                sent => Some(sent.map_err(Error::from)),
            },
            _ => at_most(patience, SinkExt::send(&mut sender, message)).await,
        };
        if let Some(queued) = queued {
            queued?;
            if let Some((_, told)) = logs.borrow_mut()[end].sent[index].last_mut() {
                *told = true;
            }
        }
        if plan.version > Version::HIXIE_76 && random.one_in(4) {
            let _ = at_most(patience, sender.send(Message::Ping("?".into()))).await;
        }
        if random.one_in(3) {
            pause().await;
        }
    }
    sender.flush().await
}

/// Receives in every way until the end, or until nobody here wants any more.
async fn receive_all(
    mut receiver: Receiver,
    deaf: bool,
    end: usize,
    logs: Logs,
    mut random: Random,
) -> Result<(), Error> {
    let mut wanted = if deaf { random.below(5) } else { usize::MAX };
    while wanted > 0 {
        wanted -= 1;
        let patience = if random.one_in(3) { 1 + random.below(4) } else { usize::MAX };
        let received = match random.below(3) {
            0 => at_most(patience, receiver.recv()).await,
            1 => {
                let lent = at_most(patience, receiver.recv_ref()).await;
                let hold = random.one_in(3);
                match lent {
                    None => None,
                    Some(Err(error)) => Some(Err(error)),
                    Some(Ok(lent)) => {
                        if hold {
                            pause().await;
                        }
                        Some(Ok(lent.map(|message| message.to_owned())))
                    }
                }
            }
            _ => at_most(patience, receiver.next()).await.map(Option::transpose),
        };
        match received {
            None => {}
            Some(message) => match message? {
                Some(message) => logs.borrow_mut()[end].received.push(message),
                None => return Ok(()),
            },
        }
        if random.one_in(3) {
            pause().await;
        }
    }
    Ok(())
}

/// One task, and whether it is to be polled.
struct Running {
    what: String,
    task: Task,
    future: Pin<Box<dyn Future<Output = Result<(), Error>>>>,
    is_awake: bool,
}

impl Running {
    fn new(what: String, future: impl Future<Output = Result<(), Error>> + 'static) -> Self {
        Self { what, task: Task::new(), future: Box::pin(future), is_awake: true }
    }
}

fn run_one(seed: u64) {
    let mut random = Random::new(seed);
    let plan = Rc::new(Plan::new(&mut random));
    let what = format!("seed {seed}: {plan:?}");
    let clock = Clock::new();
    let began = clock.now();
    let (one, other) = link_both(plan.manners[0], plan.manners[1]);
    let logs = Logs::default();
    let (mut running, mut keepers) = (Vec::new(), Vec::new());
    for (end, (role, transport)) in
        [(Role::Client, one), (Role::Server, other)].into_iter().enumerate()
    {
        let socket = WebSocket::new(plan.connection(role), transport, clock.timer());
        let (sender, receiver) = socket.split();
        let deaf = plan.deaf == Some(end);
        let receiving = receive_all(receiver, deaf, end, logs.clone(), Random::new(random.0));
        running.push(Running::new(format!("receiver {end}"), receiving));
        for index in 0..plan.senders[end] {
            random.below(2);
            logs.borrow_mut()[end].sent.push(Vec::new());
            let (random, done) = (Random::new(random.0), logs.clone());
            let sending = send_all(plan.clone(), sender.clone(), end, index, logs.clone(), random);
            running.push(Running::new(format!("sender {end}.{index}"), async move {
                let sent = sending.await;
                done.borrow_mut()[end].done += 1;
                sent
            }));
        }
        keepers.push(sender);
    }
    let mut closing = plan.closes;
    let mut failed = Vec::new();
    for polls in 0.. {
        if polls >= POLLS {
            let who: Vec<_> = running.iter().map(|running| &running.what).collect();
            panic!("{what}: {who:?} never come to an end: {keepers:?}");
        }
        for end in 0..2 {
            let is_done = |end: usize| logs.borrow()[end].done == plan.senders[end];
            if closing[end] && is_done(end) && (plan.early || is_done(1 - end)) {
                closing[end] = false;
                let mut sender = keepers[end].clone();
                // Without anybody who receives, only this reads what still comes.
                let asks = random.one_in(2) || plan.deaf.is_some();
                running.push(Running::new(format!("closer {end}"), async move {
                    if asks {
                        sender.close(CloseCode::NORMAL, "").await.map(drop)
                    } else {
                        SinkExt::<Message>::close(&mut sender).await
                    }
                }));
            }
        }
        if running.is_empty() {
            break;
        }
        for running in &mut running {
            running.is_awake |= running.task.wakes() > 0;
        }
        let awake: Vec<_> = (0..running.len()).filter(|&at| running[at].is_awake).collect();
        // Now and then one is polled that nobody woke.
        let at = if random.one_in(16) {
            random.below(running.len())
        } else if awake.is_empty() {
            let who: Vec<_> = running.iter().map(|running| &running.what).collect();
            let Some(deadline) = clock.next_deadline() else { panic!("{what}: {who:?} sleep on") };
            clock.advance(deadline.saturating_duration_since(clock.now()));
            let (now, ends) = (clock.now() - began, &keepers);
            let states: Vec<_> = ends.iter().map(|end| (end.state(), end.close_status())).collect();
            assert!(
                plan.deaf.is_some(),
                "{what}: {who:?} wait for a deadline, {now:?}: {states:?}"
            );
            continue;
        } else {
            random.of(&awake)
        };
        running[at].is_awake = false;
        let Running { task, future, what, .. } = &mut running[at];
        if let Poll::Ready(outcome) = task.poll(future.as_mut()) {
            failed.extend(outcome.err().map(|error| (what.clone(), error)));
            running.swap_remove(at);
        }
    }
    for (who, error) in &failed {
        let may_fail = plan.early && who.starts_with("sender") && matches!(error, Error::Closed);
        assert!(may_fail, "{what}: {who}: {error}");
    }
    let statuses: Vec<_> = keepers.iter().map(Sender::close_status).collect();
    for (end, status) in statuses.iter().enumerate() {
        if plan.deaf.is_none() {
            assert_eq!(keepers[end].state(), State::Closed, "{what}: end {end}");
        }
        let is_clean = status.as_ref().is_some_and(hybi::CloseStatus::is_clean);
        assert!(is_clean || plan.deaf.is_some(), "{what}: end {end}: {status:?}");
    }
    let began: Vec<_> = statuses.iter().flatten().filter_map(hybi::CloseStatus::began_by).collect();
    assert_ne!(began, [Endpoint::Peer; 2], "{what}");
    let logs = logs.borrow();
    for end in (0..2).filter(|&end| plan.deaf != Some(end)) {
        for (index, sent) in logs[1 - end].sent.iter().enumerate() {
            let mut received = logs[end].received.iter().filter(|message| {
                let text = message.as_bytes();
                let number: usize = core::str::from_utf8(
                    &text[..text.iter().position(|&byte| byte == b':').unwrap()],
                )
                .unwrap()
                .parse()
                .unwrap();
                number / 10 % 10 == index
            });
            let mut next = received.next();
            for (number, (message, told)) in sent.iter().enumerate() {
                if next == Some(message) {
                    next = received.next();
                } else {
                    assert!(!told, "{what}: {number} of sender {}.{index} is lost", 1 - end);
                }
            }
            assert!(next.is_none(), "{what}: of sender {}.{index}: not as it was sent", 1 - end);
        }
    }
}

#[test]
fn whatever_happens_nobody_waits_for_ever_and_nothing_is_lost() {
    let first = std::env::var("HYBI_SEED").ok().map(|seed| seed.parse().expect("a number"));
    let seeds = first.map_or(0..RUNS, |seed: u64| seed..seed + 1);
    seeds.for_each(run_one);
}
