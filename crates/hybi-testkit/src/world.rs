//! Tasks without a runtime, over a clock of their own: when everybody sleeps, time goes on to what is due next.

use core::cell::RefCell;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Wake;

use crate::choices::Choices;
use crate::clock::Clock;

/// Tasks that run on this thread, and their time.
///
/// A task is polled when it was woken, and at no other time, so that a wake-up that is missing shows: when
/// everybody sleeps and nothing is due, the world is [`Stuck`]. Two WebSockets in it:
///
/// ```
/// use hybi::{Client, Config, Error, Message, Server, io::Timer as _, opening};
/// use hybi_testkit::link::{Conditions, link};
/// use hybi_testkit::world::World;
///
/// let mut world = World::new();
/// let slow = Conditions::default().delay(std::time::Duration::from_secs(1)).read(7);
/// let (near, far) = link(world.clock(), slow, slow);
///
/// let timer = world.clock().timer();
/// world.spawn("server", async move {
///     let server = Server::default();
///     let deadline = server.config().handshake_deadline(timer.now());
///     let mut ws = opening::accept_on(&server, far, timer, deadline).await.expect("a client");
///     while let Some(message) = ws.recv().await.expect("an honest client") {
///         ws.send(message).await.expect("it listens");
///     }
/// });
///
/// let timer = world.clock().timer();
/// let answer = world.block_on(async move {
///     let client = Client::default();
///     let deadline = client.config().handshake_deadline(timer.now());
///     let uri = "ws://example.org/";
///     let (mut ws, _) = opening::connect_on(&client, uri, near, timer, deadline).await?;
///     ws.send("hello").await?;
///     let answer = ws.recv().await?;
///     ws.close(hybi::CloseCode::NORMAL, "").await?;
///     Ok::<_, Error>(answer)
/// });
/// assert_eq!(answer?, Some(Message::from("hello")));
/// // Handshake, echo and Close frames: three round trips of two seconds, in no time.
/// assert_eq!(world.clock().elapsed().as_secs(), 6);
/// # Ok::<_, Error>(())
/// ```
pub struct World {
    clock: Clock,
    tasks: Vec<Task>,
    most_polls: usize,
}

struct Task {
    name: String,
    woken: Arc<Woken>,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

impl Task {
    /// Whether it was woken since it was last polled.
    fn is_awake(&self) -> bool {
        self.woken.0.load(Ordering::Relaxed)
    }
}

/// Whether a task was woken since it was last polled.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.tasks.iter().map(|task| &task.name).collect();
        f.debug_struct("World").field("clock", &self.clock).field("tasks", &names).finish()
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// Why tasks never come to an end, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stuck {
    /// Nobody will wake these: they sleep, and nothing is due.
    Asleep(Vec<String>),
    /// These keep each other awake beyond the number of polls that the world allows.
    Restless(Vec<String>),
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asleep(who) => write!(f, "nobody will ever wake {}", who.join(", ")),
            Self::Restless(who) => write!(f, "{} never come to an end", who.join(", ")),
        }
    }
}

impl core::error::Error for Stuck {}

/// What one step of a world came to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// A task was polled.
    Polled,
    /// Everybody sleeps; the clock has to go on.
    Quiet,
    /// There is no task any more.
    Done,
}

impl World {
    /// A world without tasks, at the beginning of its time.
    #[must_use]
    pub fn new() -> Self {
        Self { clock: Clock::new(), tasks: Vec::new(), most_polls: 1_000_000 }
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How many polls a call of [`run`](Self::run) or [`block_on`](Self::block_on) may take; a million, unless
    /// this says otherwise.
    #[must_use]
    pub fn with_most_polls(self, polls: usize) -> Self {
        Self { most_polls: polls, ..self }
    }

    /// Adds a task; its name is what [`Stuck`] tells.
    pub fn spawn(&mut self, name: impl Into<String>, future: impl Future<Output = ()> + 'static) {
        self.tasks.push(Task {
            name: name.into(),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            future: Box::pin(future),
        });
    }

    /// The names of the tasks that have not come to an end.
    #[must_use]
    pub fn tasks(&self) -> Vec<String> {
        self.tasks.iter().map(|task| task.name.clone()).collect()
    }

    /// Polls one task that is awake: which, `choices` say.
    pub fn step(&mut self, choices: &Choices) -> Step {
        if self.tasks.is_empty() {
            return Step::Done;
        }
        let awake = self.tasks.iter().filter(|task| task.is_awake()).count();
        if awake == 0 {
            return Step::Quiet;
        }
        let chosen = if awake == 1 { 0 } else { choices.below(awake) };
        let at = (0..self.tasks.len()).filter(|&at| self.tasks[at].is_awake()).nth(chosen);
        self.poll(at.unwrap_or_default());
        Step::Polled
    }

    /// Polls a task that nobody woke, as runtimes may: which, `choices` say.
    pub fn disturb(&mut self, choices: &Choices) {
        if !self.tasks.is_empty() {
            self.poll(choices.below(self.tasks.len()));
        }
    }

    fn poll(&mut self, at: usize) {
        let task = &mut self.tasks[at];
        task.woken.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&task.woken));
        if task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            // The others keep their order.
            drop(self.tasks.remove(at));
        }
    }

    /// Runs all tasks to their end, each in its turn, and lets time pass when all of them sleep.
    ///
    /// # Errors
    ///
    /// [`Stuck`], when they never come to it.
    pub fn run(&mut self) -> Result<(), Stuck> {
        self.run_until(|world| world.tasks.is_empty())
    }

    fn run_until(&mut self, is_over: impl Fn(&Self) -> bool) -> Result<(), Stuck> {
        let mut turn = 0;
        for _ in 0..self.most_polls {
            if is_over(self) {
                return Ok(());
            }
            let count = self.tasks.len();
            let next =
                (0..count).map(|at| (turn + at) % count).find(|&at| self.tasks[at].is_awake());
            if let Some(at) = next {
                self.poll(at);
                // A task that came to its end made room for the next.
                turn = if self.tasks.len() < count { at } else { at + 1 };
            } else if let Some(next) = self.clock.next_deadline() {
                self.clock.advance(next.saturating_duration_since(self.clock.now()));
            } else {
                return Err(Stuck::Asleep(self.tasks()));
            }
        }
        Err(Stuck::Restless(self.tasks()))
    }

    /// Runs a future to its end, and all tasks meanwhile.
    ///
    /// # Panics
    ///
    /// When it never comes to it, with what [`Stuck`] says.
    pub fn block_on<R: 'static>(&mut self, future: impl Future<Output = R> + 'static) -> R {
        let output = Rc::new(RefCell::new(None));
        let place = Rc::clone(&output);
        self.spawn("this future", async move {
            let output = future.await;
            *place.borrow_mut() = Some(output);
        });
        match self.run_until(|_| output.borrow().is_some()) {
            Ok(()) => output.take().expect("it is over"),
            Err(stuck) => panic!("{stuck}"),
        }
    }
}

/// Lets other tasks run once before this one goes on.
pub async fn pause() {
    let mut again = true;
    core::future::poll_fn(|cx| {
        if core::mem::take(&mut again) {
            cx.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

/// Polls a future at most so many times and then drops it, with `None`: what a `select` or a time-out does to
/// a future that has not come to its end.
pub async fn at_most<R>(polls: usize, future: impl Future<Output = R>) -> Option<R> {
    let mut future = core::pin::pin!(future);
    let mut left = polls;
    core::future::poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            // Whoever has no patience left does not wait to be woken.
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}
