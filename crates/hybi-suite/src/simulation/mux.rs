//! Conversations over channels: several in one connection, with everything chosen at random, and what holds of them.

use core::cell::RefCell;
use core::time::Duration;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use futures_util::future::{FutureExt as _, LocalBoxFuture, join};
use hybi::io::Timer as _;
use hybi::mux::{self, Accepted, Channel, Connected, Opener, Requests, Revision};
use hybi::{Client, CloseCode, CloseStatus, Config, Error, Extensions, Message, Server, opening};
use hybi_testkit::choices::Choices;
use hybi_testkit::clock::{Clock, ClockTimer};
use hybi_testkit::link::{Conditions, End, Wire, link};
use hybi_testkit::world::{Step, World, at_most, pause};

use super::judge::hold;

type Ws = hybi::WebSocket<Channel, ClockTimer>;
type Sender = hybi::Sender<Channel, ClockTimer>;
type Receiver = hybi::Receiver<Channel, ClockTimer>;

const URI: &str = "ws://example.org/";

/// More steps than any conversation needs.
const STEPS: usize = 1_000_000;

/// Everything has come to its end so long behind a fault, whatever was waited for: a ping, an answer to it, a write, a
/// Close frame, and the end of the transport.
const MOST: Duration = Duration::from_secs(1000);

/// A Close frame stands behind all that is on its way, which takes its time with the smallest window, and of a channel's
/// queue no progress is seen before nothing is left that waits for quota.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is chosen for one connection.
#[derive(Debug)]
struct Plan {
    conditions: [Conditions; 2],
    config: Config,
    mux: mux::Config,
    extensions: Extensions,
    fault: Option<Fault>,
    channels: Vec<Talk>,
    /// The longest message.
    longest: usize,
}

#[derive(Clone, Copy, Debug)]
struct Fault {
    wire: usize,
    at: u64,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Reset,
    End,
    Stall,
    StallBoth,
}

/// What is chosen for one channel.
#[derive(Clone, Copy, Debug)]
struct Talk {
    /// How many messages each end has, the client first.
    messages: [usize; 2],
    ending: Ending,
}

/// How a channel ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// This end closes it when both have said and heard everything.
    Closes(usize),
    /// Halves on different tasks; these ends close it when they have said everything.
    Early([bool; 2]),
    /// This end lets go of it when it has said everything.
    LetsGo(usize),
}

impl Plan {
    fn new(extensions: &Extensions, choices: &Choices) -> Self {
        let capacity = choices.of(&[usize::MAX, 100_000, 10_000, 1_000, 100, 7]);
        let delay = if capacity == usize::MAX { choices.of(&[0, 0, 10, 400]) } else { 0 };
        let piece = capacity.min(10_000);
        let conditions = [(); 2].map(|()| {
            Conditions::default()
                .delay(Duration::from_millis(delay))
                .capacity(capacity)
                .read(choices.of(&[usize::MAX, usize::MAX, 1 + piece / 2, 1 + piece / 300]))
                .write(choices.of(&[usize::MAX, usize::MAX, 1 + piece / 3]))
        });
        let fault = choices.one_in(3).then(|| Fault {
            wire: choices.below(2),
            at: choices.below(choices.of(&[600, 6_000])) as u64,
            what: choices.of(&[What::Reset, What::End, What::Stall, What::StallBoth]),
        });
        let config = Config::default()
            .park_after(None)
            .handshake_timeout(PATIENCE)
            .close_timeout(PATIENCE)
            .end_timeout(PATIENCE)
            .write_timeout(Some(PATIENCE))
            .outbox_limit(choices.of(&[1 << 20, 1_000, 1, 0]))
            .fragment_size(choices.of(&[None, None, Some(300), Some(5_000)]));
        let window = choices.of(&[65_536, 256, 1_000]);
        let mux = mux::Config::default()
            .revision(choices.of(&[Revision::Ietf07, Revision::Ietf05, Revision::Ietf03]))
            .window(window)
            .queue_limit(choices.of(&[65_536, 64, 1_000]))
            .max_channels(choices.of(&[64, 1, 3]))
            .openings_per_second(u32::MAX);
        let channels = (0..1 + choices.below(6)).map(|_| Talk {
            messages: [choices.below(5), choices.below(5)],
            ending: match choices.below(4) {
                0 => Ending::Closes(choices.below(2)),
                1 => Ending::Early(choices.of(&[[true, false], [false, true], [true, true]])),
                2 => Ending::LetsGo(choices.below(2)),
                _ => Ending::Closes(0),
            },
        });
        let channels = channels.collect();
        // No more than leaves in reasonable time.
        let most = if delay > 0 { 20 * window as usize } else { 100_000 };
        let longest = capacity.saturating_mul(30).min(most);
        let extensions = extensions.clone();
        Self { conditions, config, mux, extensions, fault, channels, longest }
    }

    fn message(&self, number: usize, choices: &Choices) -> Message {
        let len = choices.of(&[10, 0, 3, 125, 126, 255, 700, 5_000, 70_000]).min(self.longest);
        let mut text = format!("{number}:");
        let mut state = number as u32 + 1;
        while text.len() < len {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let letters = if text.len() % 900 > 500 { 26 } else { 2 };
            text.push(char::from(b'a' + ((state >> 16) % letters) as u8));
        }
        if choices.one_in(2) { Message::binary(text.into_bytes()) } else { Message::text(text) }
    }
}

/// What is known of one end of a channel.
#[derive(Debug, Default)]
struct Log {
    /// What was said, each with whether it was told that it is queued.
    said: Vec<(Message, bool)>,
    heard: Vec<Message>,
    failed: Vec<(String, Error)>,
    status: Option<CloseStatus>,
}

/// A task that is to be, and its name.
type Task = (String, LocalBoxFuture<'static, ()>);

/// What the physical connection came to.
type Outcome = Result<(), Error>;

/// What tasks share.
#[derive(Clone)]
struct Shared {
    plan: Rc<Plan>,
    choices: Choices,
    clock: Clock,
    logs: Rc<RefCell<Vec<[Log; 2]>>>,
    /// What becomes tasks of their own.
    tasks: Rc<RefCell<Vec<Task>>>,
    /// What the connections came to.
    outcomes: Rc<RefCell<[Option<Outcome>; 2]>>,
    /// When the last task was done.
    done_at: Rc<RefCell<Option<Instant>>>,
}

impl Shared {
    fn log<R>(&self, channel: usize, end: usize, note: impl FnOnce(&mut Log) -> R) -> R {
        note(&mut self.logs.borrow_mut()[channel][end])
    }

    fn spawn(&self, name: String, task: impl Future<Output = ()> + 'static) {
        let done_at = self.done_at.clone();
        let clock = self.clock.clone();
        let task = async move {
            task.await;
            *done_at.borrow_mut() = Some(clock.now());
        };
        self.tasks.borrow_mut().push((name, task.boxed_local()));
    }

    /// A task of an end of a channel, whose error is noted.
    fn spawn_of(
        &self,
        channel: usize,
        end: usize,
        what: &str,
        task: impl Future<Output = Result<(), Error>> + 'static,
    ) {
        let (shared, name) = (self.clone(), format!("{what} {end} of channel {}", channel + 1));
        let noted = name.clone();
        self.spawn(name, async move {
            if let Err(error) = task.await {
                shared.log(channel, end, |log| log.failed.push((noted, error)));
            }
        });
    }
}

/// How long a future is polled before it is dropped.
fn patience(choices: &Choices) -> usize {
    if choices.one_in(3) { 1 + choices.below(4) } else { usize::MAX }
}

async fn say(
    shared: &Shared,
    sender: &mut Sender,
    channel: usize,
    end: usize,
) -> Result<(), Error> {
    let Shared { plan, choices, .. } = shared;
    for number in 0..plan.channels[channel].messages[end] {
        let message = plan.message(number, choices);
        shared.log(channel, end, |log| log.said.push((message.clone(), false)));
        let patience = patience(choices);
        let queued = match choices.below(3) {
            0 => at_most(patience, sender.send(message)).await.map(|sent| sent.map_err(Into::into)),
            1 => at_most(patience, sender.feed(message)).await.map(|sent| sent.map_err(Into::into)),
            _ => match sender.try_send(message) {
                Err(error) if matches!(error.error(), Error::Full) => None,
                sent => Some(sent.map_err(Error::from)),
            },
        };
        if let Some(queued) = queued {
            queued?;
            shared.log(channel, end, |log| log.said.last_mut().map(|said| said.1 = true));
        }
        if choices.one_in(5) {
            let _ = at_most(patience, sender.send(Message::Ping("?".into()))).await;
        }
        if choices.one_in(3) {
            pause().await;
        }
    }
    sender.flush().await
}

/// Hears until this end has been told everything; whether it is over.
async fn hear(
    shared: &Shared,
    receiver: &mut Receiver,
    channel: usize,
    end: usize,
    until: impl Fn(&[Message]) -> bool,
) -> Result<bool, Error> {
    loop {
        if shared.log(channel, end, |log| until(&log.heard)) {
            return Ok(false);
        }
        let patience = patience(&shared.choices);
        match at_most(patience, receiver.recv()).await.transpose()? {
            None => pause().await,
            Some(None) => return Ok(true),
            Some(Some(message)) => shared.log(channel, end, |log| log.heard.push(message)),
        }
        if shared.choices.one_in(3) {
            pause().await;
        }
    }
}

/// One end of a channel, to its end.
async fn converse(shared: Shared, ws: Ws, end: usize) -> Result<(), Error> {
    let channel = ws.transport().id().get() as usize - 1;
    let Talk { ending, .. } = shared.plan.channels[channel];
    let (mut sender, mut receiver) = ws.split();
    match ending {
        Ending::Early(closes) => {
            let (hearing, noting) = (shared.clone(), shared.clone());
            shared.spawn_of(channel, end, "receiver", async move {
                hear(&hearing, &mut receiver, channel, end, |_| false).await?;
                let status = receiver.close_status();
                noting.log(channel, end, |log| log.status = status);
                Ok(())
            });
            say(&shared, &mut sender, channel, end).await?;
            if closes[end] {
                sender.close(CloseCode::NORMAL, "").await?;
            }
        }
        Ending::LetsGo(who) if who == end => say(&shared, &mut sender, channel, end).await?,
        Ending::LetsGo(_) => {
            let saying = say(&shared, &mut sender, channel, end);
            let (said, heard) =
                join(saying, hear(&shared, &mut receiver, channel, end, |_| false)).await;
            said.and_then(|()| heard.map(drop))?;
        }
        Ending::Closes(who) if who == end => {
            let is_all = |heard: &[Message]| heard.last().is_some_and(|last| *last == bye());
            let saying = say(&shared, &mut sender, channel, end);
            let hearing = hear(&shared, &mut receiver, channel, end, is_all);
            let (said, heard) = join(saying, hearing).await;
            said.and_then(|()| heard.map(drop))?;
            let hearing = hear(&shared, &mut receiver, channel, end, |_| false);
            let (closed, heard) = join(sender.close(CloseCode::NORMAL, ""), hearing).await;
            closed.map(drop).and_then(|()| heard.map(drop))?;
            let status = receiver.close_status();
            shared.log(channel, end, |log| log.status = status);
        }
        Ending::Closes(_) => {
            let saying = async {
                say(&shared, &mut sender, channel, end).await?;
                shared.log(channel, end, |log| log.said.push((bye(), true)));
                sender.send(bye()).await?;
                sender.flush().await
            };
            let hearing = hear(&shared, &mut receiver, channel, end, |_| false);
            let (said, heard) = join(saying, hearing).await;
            said.and_then(|()| heard.map(drop))?;
            let status = receiver.close_status();
            shared.log(channel, end, |log| log.status = status);
        }
    }
    Ok(())
}

/// What the end says last that does not close.
fn bye() -> Message {
    Message::text("bye")
}

/// One conversation.
///
/// # Errors
///
/// What does not hold of it.
pub(super) fn run(extensions: &Extensions, choices: &Choices) -> Result<(), String> {
    let plan = Plan::new(extensions, choices);
    let what = format!("{plan:?}");
    course(plan, choices).map_err(|why| format!("{why}\nin {what}"))
}

fn course(plan: Plan, choices: &Choices) -> Result<(), String> {
    let mut world = World::new();
    let (near, far) = link(world.clock(), plan.conditions[0], plan.conditions[1]);
    let wires = [near.output(), far.output()];
    let logs = plan.channels.iter().map(|_| Default::default()).collect();
    let shared = Shared {
        plan: Rc::new(plan),
        choices: choices.clone(),
        clock: world.clock().clone(),
        logs: Rc::new(RefCell::new(logs)),
        tasks: Rc::default(),
        outcomes: Rc::default(),
        done_at: Rc::default(),
    };
    shared.spawn("client".into(), client(shared.clone(), near));
    shared.spawn("server".into(), server(shared.clone(), far));
    let (mut broken_at, mut steps) = (None, 0);
    loop {
        for (name, task) in shared.tasks.borrow_mut().drain(..) {
            world.spawn(name, task);
        }
        steps += 1;
        hold(steps < STEPS, || format!("{:?} never come to an end", world.tasks()))?;
        break_the_link(&shared, &wires, &mut broken_at);
        match world.step(choices) {
            Step::Done if shared.tasks.borrow().is_empty() => break,
            Step::Quiet => wait(&shared, &world, &wires, broken_at.is_some())?,
            _ => {}
        }
        if choices.one_in(16) {
            world.disturb(choices);
        }
    }
    judge(&shared, broken_at)
}

/// Lets time pass to what is due next.
fn wait(shared: &Shared, world: &World, wires: &[Wire; 2], broken: bool) -> Result<(), String> {
    let Some(next) = world.clock().next_deadline() else {
        return Err(format!("{:?} sleep, and nobody will wake them", world.tasks()));
    };
    let time = next.saturating_duration_since(world.clock().now());
    let arrives = wires.iter().any(|wire| wire.next_arrival().is_some());
    // Slots come in less.
    let is_long = time > Duration::from_millis(1);
    hold(broken || shared.plan.fault.is_some() || arrives || !is_long, || {
        format!("{:?} wait for a deadline, and have all that they wait for", world.tasks())
    })?;
    world.clock().advance(time);
    Ok(())
}

fn break_the_link(shared: &Shared, wires: &[Wire; 2], broken_at: &mut Option<Instant>) {
    let Some(fault) = shared.plan.fault.filter(|_| broken_at.is_none()) else { return };
    if wires[fault.wire].written() < fault.at {
        return;
    }
    *broken_at = Some(shared.clock.now());
    match fault.what {
        What::Reset => wires.iter().for_each(Wire::break_off),
        What::End => wires[fault.wire].end(),
        What::Stall => wires[fault.wire].stall(),
        What::StallBoth => wires.iter().for_each(Wire::stall),
    }
}

async fn client(shared: Shared, near: End) {
    let plan = shared.plan.clone();
    let client =
        Client::builder().config(plan.config.clone()).extensions(plan.extensions.clone()).build();
    let clock = shared.clock.clone();
    let client = client.unwrap_or_else(|error| unreachable!("{error}"));
    let deadline = client.config().handshake_deadline(clock.now());
    let timers = move || clock.timer();
    let connected = mux::connect_on(&client, &plan.mux, URI, near, timers, deadline).await;
    let connected = match connected {
        Ok((Connected::Multiplexed(connected), _)) => connected,
        Ok(_) => unreachable!("the server agrees"),
        Err(error) => {
            shared.outcomes.borrow_mut()[0] = Some(Err(error));
            return;
        }
    };
    drive(&shared, 0, connected.driver.run());
    let opener = Rc::new(connected.opener);
    shared.spawn_of(0, 0, "talker", converse(shared.clone(), connected.first, 0));
    // They are opened one behind the other, so that each has the id that was planned for it.
    for channel in 1..plan.channels.len() {
        match opened(&opener).await {
            Ok(ws) => shared.spawn_of(channel, 0, "talker", converse(shared.clone(), ws, 0)),
            Err(error) => {
                let failed = ("opener".to_owned(), error);
                return shared.log(channel, 0, |log| log.failed.push(failed));
            }
        }
    }
}

async fn opened(opener: &Opener<ClockTimer>) -> Result<Ws, Error> {
    opener.open_channel(URI).await.map(|(ws, _)| ws)
}

async fn server(shared: Shared, far: End) {
    let plan = shared.plan.clone();
    let server =
        Server::builder().config(plan.config.clone()).extensions(plan.extensions.clone()).build();
    let timer = shared.clock.timer();
    let deadline = plan.config.handshake_deadline(timer.now());
    let clock = shared.clock.clone();
    let accepted = async {
        let incoming = opening::incoming_on(&server, far, timer, deadline).await?;
        mux::accept(incoming, &plan.mux, move || clock.timer()).await
    };
    let accepted = match accepted.await {
        Ok(Accepted::Multiplexed(accepted)) => accepted,
        Ok(_) => unreachable!("the client asks"),
        Err(error) => {
            shared.outcomes.borrow_mut()[1] = Some(Err(error));
            return;
        }
    };
    drive(&shared, 1, accepted.driver.run());
    shared.spawn_of(0, 1, "talker", converse(shared.clone(), accepted.first, 1));
    accept_all(shared, accepted.requests).await;
}

async fn accept_all(shared: Shared, mut requests: Requests<ClockTimer>) {
    while let Some(incoming) = requests.next().await {
        let accepted = shared.clone();
        shared.spawn("acceptor".into(), async move {
            // Of what it fails is the client's to tell.
            if let Ok(ws) = incoming.accept().await {
                let channel = ws.transport().id().get() as usize - 1;
                accepted.spawn_of(channel, 1, "talker", converse(accepted.clone(), ws, 1));
            }
        });
        if shared.choices.one_in(3) {
            pause().await;
        }
    }
}

fn drive(shared: &Shared, end: usize, run: impl Future<Output = Result<(), Error>> + 'static) {
    let driven = shared.clone();
    shared.spawn(format!("driver {end}"), async move {
        let outcome = run.await;
        driven.outcomes.borrow_mut()[end] = Some(outcome);
    });
}

/// All that is judged when the conversation is over.
fn judge(shared: &Shared, broken_at: Option<Instant>) -> Result<(), String> {
    let is_broken = broken_at.is_some();
    for (end, outcome) in shared.outcomes.borrow().iter().enumerate() {
        let outcome = outcome.as_ref().ok_or_else(|| format!("driver {end} has no end"))?;
        hold(is_broken || outcome.is_ok(), || format!("driver {end}: {outcome:?}"))?;
    }
    if let Some((broken_at, done_at)) = broken_at.zip(*shared.done_at.borrow()) {
        let took = done_at.saturating_duration_since(broken_at);
        hold(took <= MOST, || format!("it took {took:?} to see what broke"))?;
    }
    for (channel, logs) in shared.logs.borrow().iter().enumerate() {
        let ending = shared.plan.channels[channel].ending;
        for end in 0..2 {
            errors_have_a_cause(ending, &logs[end], is_broken)?;
            let may_be_lost = is_broken || !matches!(ending, Ending::Closes(_));
            whole_once_and_in_order(&logs[1 - end].said, &logs[end].heard, may_be_lost)
                .map_err(|why| format!("channel {}, to end {end}: {why}", channel + 1))?;
            if !is_broken && !matches!(ending, Ending::LetsGo(_)) {
                let status = logs[end].status.as_ref();
                hold(
                    status.is_some_and(|it| it.is_clean() && it.code() == CloseCode::NORMAL),
                    || format!("end {end} of channel {}: {status:?}", channel + 1),
                )?;
            }
        }
    }
    Ok(())
}

fn errors_have_a_cause(ending: Ending, log: &Log, is_broken: bool) -> Result<(), String> {
    for (who, error) in &log.failed {
        let is_expected = match error {
            Error::Closed => is_broken || !matches!(ending, Ending::Closes(_)),
            Error::Transport(error) if !is_broken => {
                let is_reset = error.kind() == io::ErrorKind::ConnectionReset;
                is_reset && matches!(ending, Ending::LetsGo(_))
            }
            Error::Lost if !is_broken => matches!(ending, Ending::LetsGo(_)),
            Error::Transport(_) | Error::Lost | Error::Timeout(_) | Error::Opening(_) => is_broken,
            _ => false,
        };
        hold(is_expected, || format!("{who}: {error} ({error:?})"))?;
    }
    Ok(())
}

/// Each message arrives whole, once, and behind those that were said before; none arrives behind one that is lost.
fn whole_once_and_in_order(
    said: &[(Message, bool)],
    heard: &[Message],
    may_be_lost: bool,
) -> Result<(), String> {
    let mut heard = heard.iter().peekable();
    let mut lost = None;
    for (number, (message, told)) in said.iter().enumerate() {
        if heard.peek() == Some(&message) {
            hold(lost.is_none(), || format!("{number} arrived, and {lost:?} did not"))?;
            heard.next();
        } else if *told {
            hold(may_be_lost, || format!("{number} is lost"))?;
            lost = lost.or(Some(number));
        }
    }
    hold(heard.peek().is_none(), || format!("what came is not what was said: {:?}", heard.peek()))
}
