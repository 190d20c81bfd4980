//! Rooms by seed: members of every version and compression, which read slowly, stop, leave or close, senders in
//! every way there is, and what holds of them, function by function, in `judge`.

mod judge;
mod plan;

use core::cell::{Cell, RefCell};
use core::future::poll_fn;
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::rc::Rc;
use std::time::Instant;

use hybi::io::Timer as _;
use hybi::{Broadcast, CloseCode, Config, Deliveries, Direct, Error, Message, Role, Sent};
use hybi_testkit::choices::Choices;
use hybi_testkit::clock::{Clock, ClockTimer};
use hybi_testkit::link::{End, link};
use hybi_testkit::world::{Step, World, at_most, pause};

use self::plan::{Habit, Plan, Stay};
use super::judge::hold;
use super::run::connection;

type Ws = hybi::WebSocket<End, ClockTimer>;
type Member = hybi::Member<End, ClockTimer>;

/// More steps than any room needs.
const STEPS: usize = 1_000_000;

/// When nobody sends any more, all that can be delivered was so much later, and who reads no more was left.
const PATIENCE: Duration = Duration::from_secs(400);

/// Everything has come to its end by then.
const MOST: Duration = Duration::from_secs(2_000);

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum To {
    All,
    AllBut(usize),
    One(usize),
}

impl To {
    fn includes(self, guest: usize) -> bool {
        match self {
            Self::All => true,
            Self::AllBut(one) => one != guest,
            Self::One(one) => one == guest,
        }
    }
}

/// A message that the room has taken.
#[derive(Debug)]
struct Said {
    message: Message,
    key: Option<&'static str>,
    to: To,
    sent: Sent,
    /// When its sender began, and when it was done.
    began: Instant,
    at: Instant,
}

/// What is known of a member and its peer.
#[derive(Default)]
struct Log {
    /// How much had been said when it joined, and when it left by its own will.
    joined: Option<usize>,
    left: Option<usize>,
    deliveries: Deliveries,
    /// What the peer heard, and when.
    heard: Vec<(Message, Instant)>,
    /// How the connection ended for the peer; nothing if it did not see that.
    code: Option<CloseCode>,
    outcome: Option<Result<(), Error>>,
}

/// What tasks share.
#[derive(Clone)]
struct Shared {
    plan: Rc<Plan>,
    choices: Choices,
    clock: Clock,
    room: Broadcast,
    /// Messages in the order of the room.
    said: Rc<RefCell<Vec<Said>>>,
    logs: Rc<RefCell<Vec<Log>>>,
    /// Members, as long as they are one and are not telling anything.
    members: Rc<RefCell<Vec<Option<Member>>>>,
    directs: Rc<RefCell<Vec<Option<Direct>>>>,
    /// Whether a message could not be sent at once.
    waited: Rc<Cell<bool>>,
    /// How many still send.
    sending: Rc<Cell<usize>>,
    next: Rc<Cell<usize>>,
}

/// One room, from the first member to the last.
pub(super) fn run(choices: &Choices) -> Result<(), String> {
    let plan = Plan::new(choices);
    let what = format!("{plan:?}");
    course(plan, choices).map_err(|why| format!("{why}\nin {what}"))
}

fn course(plan: Plan, choices: &Choices) -> Result<(), String> {
    let mut world = World::new();
    let count = plan.guests.len();
    let shared = Shared {
        room: plan.room(),
        sending: Rc::new(Cell::new(plan.senders)),
        plan: Rc::new(plan),
        choices: choices.clone(),
        clock: world.clock().clone(),
        said: Rc::default(),
        logs: Rc::new(RefCell::new((0..count).map(|_| Log::default()).collect())),
        members: Rc::new(RefCell::new((0..count).map(|_| None).collect())),
        directs: Rc::new(RefCell::new(vec![None; count])),
        waited: Rc::default(),
        next: Rc::default(),
    };
    for at in 0..count {
        let [server, peer] = shared.connected(at);
        world.spawn(format!("member {at}"), member(shared.clone(), at, server));
        world.spawn(format!("peer {at}"), listen(shared.clone(), at, peer));
    }
    for at in 0..shared.plan.senders {
        world.spawn(format!("sender {at}"), send_all(shared.clone()));
    }
    world.spawn("the end", end(shared.clone()));
    let began = world.clock().now();
    for _ in 0..STEPS {
        match world.step(choices) {
            Step::Done => {
                let took = world.clock().now().saturating_duration_since(began);
                hold(took <= MOST, || format!("it took {took:?} to come to an end"))?;
                return judge::the_end(&shared);
            }
            Step::Quiet => {
                let Some(next) = world.clock().next_deadline() else {
                    return Err(format!("nobody will ever wake {:?}", world.tasks()));
                };
                world.clock().advance(next.saturating_duration_since(world.clock().now()));
            }
            _ => {}
        }
        if choices.one_in(16) {
            world.disturb(choices);
        }
        judge::bounds_are_kept(&shared)?;
    }
    Err(format!("{:?} never come to an end", world.tasks()))
}

impl Shared {
    /// Both ends of a connection, the member's first.
    fn connected(&self, at: usize) -> [Ws; 2] {
        let guest = &self.plan.guests[at];
        let (near, far) =
            link(&self.clock, guest.conditions, hybi_testkit::link::Conditions::default());
        let config = Config::default().park_after(None).fragment_size(guest.fragment);
        [(Role::Server, near), (Role::Client, far)].map(|(role, end)| {
            let connection = connection(guest.version, &guest.extensions, &config, role);
            Ws::new(connection, end, self.clock.timer())
        })
    }

    /// A message that nobody has said yet.
    fn message(&self) -> Message {
        let number = self.next.get();
        self.next.set(number + 1);
        plan::message(number, &self.choices)
    }

    fn say(&self, message: Message, key: Option<&'static str>, to: To, sent: Sent, began: Instant) {
        let at = self.clock.now();
        self.said.borrow_mut().push(Said { message, key, to, sent, began, at });
    }

    fn log<R>(&self, at: usize, note: impl FnOnce(&mut Log) -> R) -> R {
        note(&mut self.logs.borrow_mut()[at])
    }

    /// Does something with a member that may be done anew with each poll: it is cancel safe.
    async fn with<R>(
        &self,
        at: usize,
        mut poll: impl FnMut(&mut Member, &mut core::task::Context<'_>) -> Poll<R>,
    ) -> R {
        poll_fn(|cx| match &mut self.members.borrow_mut()[at] {
            Some(member) => poll(member, cx),
            None => unreachable!("its own task alone takes it away"),
        })
        .await
    }
}

/// Lets so much time pass.
async fn pass(clock: &Clock, time: Duration) {
    let mut timer = clock.timer();
    let then = timer.now() + time;
    poll_fn(|cx| timer.poll_until(cx, then)).await;
}

/// The task of a member.
async fn member(shared: Shared, at: usize, ws: Ws) {
    let Shared { plan, clock, members, .. } = &shared;
    let guest = &plan.guests[at];
    pass(clock, guest.joins).await;
    let member = shared.room.join(ws);
    shared.log(at, |log| log.joined = Some(shared.said.borrow().len()));
    shared.directs.borrow_mut()[at] = Some(member.direct());
    members.borrow_mut()[at] = Some(member);
    let mut timer = clock.timer();
    let until = match guest.stay {
        Stay::ToTheEnd => timer.now() + 10 * MOST,
        Stay::Leaves(after) | Stay::Closes(after) => timer.now() + after,
    };
    let outcome = loop {
        let received = shared.with(at, |member, cx| {
            if timer.poll_until(cx, until).is_ready() {
                return Poll::Ready(None);
            }
            pin!(member.recv()).poll(cx).map(Some)
        });
        match received.await {
            Some(Ok(Some(message))) => {
                if let Err(error) = tell_others(&shared, at, message).await {
                    break Err(error);
                }
            }
            Some(Ok(None)) => break Ok(()),
            Some(Err(error)) => break Err(error),
            None => break go(&shared, at).await,
        }
    };
    let left = members.borrow_mut()[at].take();
    shared.log(at, |log| {
        if let Some(member) = &left {
            log.deliveries = member.deliveries();
            if matches!(guest.stay, Stay::Leaves(_)) && outcome.is_err() {
                // What waits when a flush fails is lost with the member.
                log.deliveries.dropped += core::mem::take(&mut log.deliveries.waiting);
            }
        }
        log.outcome = Some(outcome);
    });
}

/// What the peer says, the others hear.
async fn tell_others(shared: &Shared, at: usize, message: Message) -> Result<(), Error> {
    let taken = shared.members.borrow_mut()[at].take();
    let Some(mut member) = taken else { return Ok(()) };
    let (began, key) = (shared.clock.now(), key(&shared.choices));
    let told = match key {
        Some(key) => member.tell_others_keyed(key, message.clone()).await,
        None => member.tell_others(message.clone()).await,
    };
    if let Ok(sent) = told {
        shared.say(message, key, To::AllBut(at), sent, began);
    }
    shared.members.borrow_mut()[at] = Some(member);
    // Why the connection ended is what receiving says.
    Ok(())
}

/// Ends what a member has to do with the room.
async fn go(shared: &Shared, at: usize) -> Result<(), Error> {
    if let Stay::Leaves(_) = shared.plan.guests[at].stay {
        shared.with(at, |member, cx| pin!(member.flush()).poll(cx)).await?;
    }
    let taken = shared.members.borrow_mut()[at].take();
    let Some(mut member) = taken else { return Ok(()) };
    shared.log(at, |log| log.left = Some(shared.said.borrow().len()));
    match shared.plan.guests[at].stay {
        Stay::Leaves(_) => {
            shared.log(at, |log| log.deliveries = member.deliveries());
            member.leave().close(CloseCode::NORMAL, "").await.map(drop)
        }
        _ => {
            let closed = member.close(CloseCode::NORMAL, "").await;
            shared.log(at, |log| log.deliveries = member.deliveries());
            closed.map(drop)
        }
    }
}

/// What a message gives its place up by.
fn key(choices: &Choices) -> Option<&'static str> {
    choices.of(&[None, None, Some("one"), Some("other")])
}

/// The peer of a member.
async fn listen(shared: Shared, at: usize, mut peer: Ws) {
    let Shared { plan, choices, clock, .. } = &shared;
    let guest = &plan.guests[at];
    let mut says = guest.says;
    let patience = match guest.habit {
        Habit::Reads | Habit::Naps(_) => usize::MAX,
        Habit::Stops(most) | Habit::Closes(most) | Habit::Vanishes(most) => most,
    };
    while shared.log(at, |log| log.heard.len()) < patience {
        if says > 0 && choices.one_in(2) {
            says -= 1;
            let message = shared.message();
            if guest.may_get(&message) && peer.send(message).await.is_err() {
                break;
            }
        }
        if let Habit::Naps(nap) = guest.habit {
            pass(clock, nap).await;
        }
        match peer.recv().await {
            Ok(Some(message)) => shared.log(at, |log| log.heard.push((message, clock.now()))),
            Ok(None) | Err(_) => break,
        }
    }
    match guest.habit {
        Habit::Closes(_) => drop(peer.close(CloseCode::GOING_AWAY, "").await),
        // Longer than any deadline of the other end.
        Habit::Stops(_) => pass(clock, Duration::from_secs(500)).await,
        _ => {}
    }
    shared.log(at, |log| log.code = peer.close_status().map(|status| status.code()));
}

/// Sends to the room in every way, and drops some of it in the middle.
async fn send_all(shared: Shared) {
    let Shared { plan, choices, clock, room, .. } = &shared;
    for _ in 0..choices.below(plan.messages + 1) {
        let (message, began) = (shared.message(), clock.now());
        let patience = if choices.one_in(3) { 1 + choices.below(4) } else { usize::MAX };
        let one = choices.below(plan.guests.len());
        let direct = shared.directs.borrow()[one].clone();
        let key = key(choices);
        let copy = message.clone();
        let (to, sent) = match (choices.below(5), direct, key) {
            (0, _, _) => (To::All, room.try_send(copy).ok().map(|sent| (sent, None))),
            (1, Some(direct), _) => {
                (To::One(one), at_most(patience, direct.send(copy)).await.map(|sent| (sent, None)))
            }
            (_, _, Some(key)) => {
                let sent = at_most(patience, room.send_keyed(key, copy)).await;
                (To::All, sent.map(|sent| (sent, Some(key))))
            }
            _ => (To::All, at_most(patience, room.send(copy)).await.map(|sent| (sent, None))),
        };
        match sent {
            Some((sent, key)) => shared.say(message, key, to, sent, began),
            None => shared.waited.set(true),
        }
        for _ in 0..choices.below(4) {
            pause().await;
        }
        pass(clock, Duration::from_millis(choices.of(&[0, 0, 1, 500]))).await;
    }
    shared.sending.set(shared.sending.get() - 1);
}

/// Closes the room behind everything.
async fn end(shared: Shared) {
    let clock = &shared.clock;
    while shared.sending.get() > 0 {
        pass(clock, Duration::from_secs(1)).await;
    }
    pass(clock, PATIENCE).await;
    let (close, began) = (Message::Close(None), clock.now());
    let sent = shared.room.send(close.clone()).await;
    shared.say(close, None, To::All, sent, began);
}
