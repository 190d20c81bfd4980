//! The course of one conversation: opening, talk and end, with its fault, step by step.

use core::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use hybi::frame::MaskingKey;
use hybi::legacy::Terms;
use hybi::{
    Client, CloseStatus, Config, Connection, Error, Extensions, Negotiated, Role, Server, State,
    Version, WebSocket, opening,
};
use hybi_testkit::choices::Choices;
use hybi_testkit::clock::ClockTimer;
use hybi_testkit::link::{End, Wire, link};
use hybi_testkit::world::{Step, World};

use super::judge;
use super::plan::{Plan, What};
use super::talk::{self, Sender, Shared};

type Socket = WebSocket<End, ClockTimer>;

/// More steps than any conversation needs.
const STEPS: usize = 500_000;

/// What was seen of an end when its last task was done.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) state: State,
    pub(super) status: Option<CloseStatus>,
}

/// One conversation under way.
struct Course {
    world: World,
    shared: Shared,
    /// What each end has on the way to the other.
    wires: [Wire; 2],
    /// When the fault came, if it did.
    broken_at: Option<Instant>,
    steps: usize,
}

pub(super) fn run(plan: Plan, choices: &Choices) -> Result<(), String> {
    let what = format!("{plan:?}");
    converse(plan, choices).map_err(|why| format!("{why}\nin {what}"))
}

fn converse(plan: Plan, choices: &Choices) -> Result<(), String> {
    let world = World::new();
    let (near, far) = link(world.clock(), plan.conditions[0], plan.conditions[1]);
    let wires = [near.output(), far.output()];
    let shared = Shared::new(plan, choices, world.clock());
    let mut course = Course { world, shared, wires, broken_at: None, steps: 0 };
    let plan = course.shared.plan.clone();
    let sockets = if plan.opens {
        course.open(near, far)?
    } else {
        let clock = course.world.clock().clone();
        let [client, server] = [Role::Client, Role::Server]
            .map(|role| connection(plan.version, &plan.extensions, &plan.config, role));
        let near = WebSocket::new(client, near, clock.timer());
        Some([near, WebSocket::new(server, far, clock.timer())])
    };
    let Some(sockets) = sockets else { return Ok(()) };
    let seen = course.talk(sockets)?;
    let logs = course.shared.logs.borrow();
    judge::the_end(&plan, &logs, &seen, course.broken_at)
}

/// A connection past its handshake.
pub(super) fn connection(
    version: Version,
    extensions: &Extensions,
    config: &Config,
    role: Role,
) -> Connection {
    let agreed = extensions.accept(&extensions.offers(version), version);
    let mut negotiated = Negotiated::new(version, None, agreed);
    if version < Version::HYBI_07 {
        let terms = Terms::new(version);
        negotiated = negotiated.with_terms(terms.unwrap_or_else(|| Terms::hybi_04("key", "nonce")));
    }
    let mut key = 0x9e37_79b9_u32;
    Connection::new(role, negotiated, Arc::new(config.clone())).with_masking_keys(move || {
        key = key.wrapping_mul(0x0019_660d).wrapping_add(0x3c6e_f35f);
        MaskingKey::from_bytes(key.to_be_bytes())
    })
}

impl Course {
    /// The opening handshake; `None` where the fault kept it from coming to a connection.
    fn open(&mut self, near: End, far: End) -> Result<Option<[Socket; 2]>, String> {
        let plan = self.shared.plan.clone();
        let opened = Rc::new(RefCell::new([None, None]));
        let (config, extensions) = (plan.config.clone(), plan.extensions.clone());
        let client = Client::builder().version(plan.version).extensions(extensions.clone());
        let client = client.config(config.clone()).build().map_err(|error| error.to_string())?;
        let server = Server::builder().versions([plan.version]).extensions(extensions);
        let server = server.config(config.clone()).build();
        let deadline = config.handshake_deadline(self.world.clock().now());
        let timer = || self.world.clock().timer();
        let (asking, answering) = (timer(), timer());
        let place = opened.clone();
        self.world.spawn("client opens", async move {
            let uri = "ws://example.org/";
            let opening = opening::connect_on(&client, uri, near, asking, deadline);
            place.borrow_mut()[0] = Some(opening.await.map(|(ws, _)| ws));
        });
        let place = opened.clone();
        self.world.spawn("server opens", async move {
            let opening = opening::accept_on(&server, far, answering, deadline);
            place.borrow_mut()[1] = Some(opening.await);
        });
        while self.step()? {}
        let in_time = self.world.clock().now() <= deadline + plan.deadlines.close;
        judge::hold(in_time, || "the opening handshake goes on behind its deadline".into())?;
        match opened.take() {
            [Some(Ok(near)), Some(Ok(far))] => Ok(Some([near, far])),
            outcome => {
                let is_broken = self.broken_at.is_some();
                judge::hold(is_broken, || format!("no connection: {outcome:?}"))?;
                Ok(None)
            }
        }
    }

    /// Everything behind the opening handshake.
    fn talk(&mut self, sockets: [Socket; 2]) -> Result<[Seen; 2], String> {
        let plan = self.shared.plan.clone();
        let mut keepers = sockets.map(|socket| Some(socket.split()));
        let mut keepers: [Option<Sender>; 2] = core::array::from_fn(|end| {
            let (sender, receiver) = keepers[end].take()?;
            let shared = self.shared.clone();
            let receiving = talk::receive_all(shared, receiver, end);
            self.spawn(end, format!("receiver {end}"), receiving);
            for index in 0..plan.senders[end] {
                self.shared.logs.borrow_mut()[end].sent.push(Vec::new());
                let (shared, done) = (self.shared.clone(), self.shared.clone());
                let sending = talk::send_all(shared, sender.clone(), end, index);
                self.spawn(end, format!("sender {end}.{index}"), async move {
                    let sent = sending.await;
                    done.logs.borrow_mut()[end].senders_done += 1;
                    sent
                });
            }
            Some(sender)
        });
        let mut seen = [None, None];
        let mut closing = plan.closes;
        loop {
            for end in 0..2 {
                let Some(sender) = &keepers[end] else { continue };
                let is_done =
                    |end: usize| self.shared.logs.borrow()[end].senders_done == plan.senders[end];
                if closing[end] && is_done(end) && (plan.early || is_done(1 - end)) {
                    closing[end] = false;
                    let closing = talk::close(self.shared.clone(), sender.clone());
                    self.spawn(end, format!("closer {end}"), closing);
                }
                if self.shared.logs.borrow()[end].running == 0 && !closing[end] {
                    seen[end] = Some(Seen { state: sender.state(), status: sender.close_status() });
                    // The program drops what it has of the connection.
                    keepers[end] = None;
                }
            }
            for keeper in keepers.iter().flatten() {
                judge::limits_are_kept(&plan, keeper.queued_bytes())?;
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) => break,
                Err(why) => return Err(format!("{why}; {keepers:?}")),
            }
        }
        match seen {
            [Some(one), Some(other)] => Ok([one, other]),
            seen => Err(format!("an end that has nothing to do is not done: {seen:?}")),
        }
    }

    fn spawn(
        &mut self,
        end: usize,
        who: String,
        task: impl Future<Output = Result<(), Error>> + 'static,
    ) {
        self.shared.logs.borrow_mut()[end].running += 1;
        let shared = self.shared.clone();
        self.world.spawn(who.clone(), async move {
            let outcome = task.await;
            shared.is_done(end, who, outcome);
        });
    }

    /// One step; false when all tasks are done.
    fn step(&mut self) -> Result<bool, String> {
        self.steps += 1;
        if self.steps > STEPS {
            return Err(format!("{:?} never come to an end", self.world.tasks()));
        }
        self.break_the_link();
        let choices = self.shared.choices.clone();
        match self.world.step(&choices) {
            Step::Done => return Ok(false),
            Step::Quiet => self.wait()?,
            _ => {}
        }
        if choices.one_in(16) {
            self.world.disturb(&choices);
        }
        Ok(true)
    }

    /// Lets time pass to what is due next.
    fn wait(&self) -> Result<(), String> {
        let plan = &self.shared.plan;
        let now = self.world.clock().now();
        let arrives = self.wires.iter().any(|wire| wire.next_arrival().is_some());
        let stuck = |why: &str| Err(format!("{:?} {why}", self.world.tasks()));
        let Some(next) = self.world.clock().next_deadline() else {
            return stuck("sleep, and nobody will wake them");
        };
        if !arrives && plan.is_calm() {
            return stuck("wait for a deadline, though the other end has all that it waits for");
        }
        self.world.clock().advance(next.saturating_duration_since(now));
        Ok(())
    }

    fn break_the_link(&mut self) {
        let Some(fault) = self.shared.plan.fault.filter(|_| self.broken_at.is_none()) else {
            return;
        };
        if self.wires[fault.wire].written() < fault.at {
            return;
        }
        self.broken_at = Some(self.world.clock().now());
        match fault.what {
            What::Reset => self.wires.iter().for_each(Wire::break_off),
            What::End => self.wires[fault.wire].end(),
            What::Stall => self.wires[fault.wire].stall(),
            What::StallBoth => self.wires.iter().for_each(Wire::stall),
        }
    }
}
