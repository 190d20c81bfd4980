//! Serving: the loop that accepts, until the end is asked for and has come.

use core::{
    fmt,
    future::{poll_fn, ready},
    mem,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};
use std::{io, sync::Arc, time::Instant};

use super::{
    Accept, Arrival, Drained, Handle, Incident, Outcome,
    accept::{BackOff, is_of_one_stream},
    carried::{Carried, Inbox},
    connection::{self, BoxFuture, Failure, Handler, Listener, Plain, Service},
    drain::Pacing,
    registry::{Limits, Registry},
};
use crate::{
    connection::after,
    opening::{Incoming, server::Server},
    socket::{WebSocket, io::Timer},
};

/// How many are accepted in a row before others have their turn.
const IN_A_ROW: u32 = 64;

/// How many are taken from the listener's queue at the end, to be answered.
const QUEUE: u32 = 1024;

/// How long it is waited at the most for those that were cut to be gone.
const GONE: Duration = Duration::from_secs(1);

/// A server at work: a future that accepts connections and gives each a task of its own, until its
/// [handle](Self::handle) ends it; then it gives a report.
///
/// An adapter's `serve` makes it, and has the shortest example. Nothing happens until it is polled. Dropping it
/// drops the listener and all connections: [drain](Handle::drain) it for an end in order.
///
/// # What is looked after
///
/// - An accept that fails does not end it, and is not tried again at once: out of descriptors, it waits for 10 ms, and
///   for up to a second if that goes on.
/// - There are 10,000 connections at the most, and as many of one address as
///   [`max_per_address`](Self::max_per_address) allows. Who comes beyond that is answered with 503 and
///   `Retry-After`; so are up to 256 at a time, and more are dropped unanswered.
/// - TLS and the opening handshake share one deadline ([`Config::handshake_timeout`](crate::Config::handshake_timeout)).
/// - A handler that panics ends its own connection, and no other.
/// - A handler that returns drops its connection; `recv` that says `None` is when to. One that gives its connection to
///   another task and returns takes it out of what is looked after.
///
/// All of it costs an idle connection some 400 bytes.
///
/// # The end
///
/// [`Handle::drain`] closes the listener, after it has taken what waits in its queue. Requests whose opening handshake is
/// not over are answered with 503 and `Retry-After` at once. Open connections are [closed](crate::Closer) at a
/// rate, so that their handlers' `recv` says `None` after what they have in hand. What is left at the deadline is
/// cut: those that are open are told that, too, without being waited for, and the handler is dropped with its connection
/// when it has had a last turn. A task that blocks its thread cannot be, and is not waited for; its transport may end it
/// ([`Accept::cutter`]).
pub struct Serving<A: Accept> {
    work: Work<A>,
    registry: Arc<Registry>,
}

enum Work<A: Accept> {
    /// Nobody has polled it.
    Ready(Box<Parts<A>>),
    Running(BoxFuture<Drained>),
    Done,
}

struct Parts<A: Accept> {
    accept: A,
    service: Service<A::Transport, A::Timer>,
    limits: Limits,
    listener: Option<Listener>,
}

impl<A: Accept> Serving<A> {
    /// A server that gives each connection to `handler`, whose errors are told to
    /// [`on_incident`](Self::on_incident). Requests that do not keep the rules of `server` are refused, as by
    /// [`Incoming::accept`].
    ///
    /// [`Accept`] has an example.
    pub fn new<F, R>(
        accept: A,
        server: Server,
        handler: impl Fn(WebSocket<A::Transport, A::Timer>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: Outcome,
    {
        let handler = Arc::new(handler);
        Self::with_handler(
            accept,
            server,
            Arc::new(move |incoming| {
                let handler = handler.clone();
                // A box for accepting, which is gone when the handler begins.
                let mut accepting = Box::pin(connection::accept(incoming));
                Box::pin(async move {
                    let accepted = poll_fn(|cx| accepting.as_mut().poll(cx)).await;
                    accepted.map(|ws| handled(handler(ws)))
                })
            }),
        )
    }

    /// A server that gives each request to `handler`, to be accepted, rejected or answered: by its path, a cookie,
    /// who is asking. What the handler accepts is looked after as any other connection.
    ///
    /// ```
    /// use hybi::{Error, Server, http::Response, serve::{Accept, Serving}};
    ///
    /// fn rooms<A: Accept>(accept: A) -> Serving<A> {
    ///     Serving::requests(accept, Server::default(), |incoming| async move {
    ///         if incoming.request().uri().path() != "/garden" {
    ///             let response = Response::builder().status(404).body("no such room");
    ///             incoming.respond(response.expect("a valid response")).await;
    ///             return Ok(());
    ///         }
    ///         let peer = incoming.peer();
    ///         let mut ws = incoming.accept().await?;
    ///         ws.send(format!("welcome, {peer:?}")).await?;
    ///         while ws.recv().await?.is_some() {}
    ///         Ok::<_, Error>(())
    ///     })
    /// }
    /// ```
    pub fn requests<F, R>(
        accept: A,
        server: Server,
        handler: impl Fn(Incoming<A::Transport, A::Timer>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = R> + Send + 'static,
        R: Outcome,
    {
        let handler = Arc::new(handler);
        Self::with_handler(
            accept,
            server,
            Arc::new(move |incoming| {
                let handling = handled(handler(incoming));
                Box::pin(ready(Ok(handling)))
            }),
        )
    }

    fn with_handler(accept: A, server: Server, handler: Handler<A::Transport, A::Timer>) -> Self {
        let service =
            Service { server, handler, plain: None, cutter: A::cutter, inbox: Inbox::new() };
        let parts = Parts { accept, service, limits: Limits::default(), listener: None };
        let work = Work::Ready(Box::new(parts));
        Self { work, registry: Registry::new() }
    }

    /// A handle to ask and to end it by, from any task or thread.
    #[must_use]
    pub fn handle(&self) -> Handle {
        Handle::new(&self.registry)
    }

    /// Sets how many connections there may be; 10,000 by default. Each needs a descriptor, of which systems allow a
    /// process 1,024 unless told otherwise.
    #[must_use]
    pub fn max_connections(self, connections: usize) -> Self {
        self.with(|parts| parts.limits.connections = connections)
    }

    /// Sets how many connections of one address there may be; any number by default. IPv6 addresses are counted by
    /// their network of 64 bits, which is what one subscriber has. Behind a proxy, all have its address.
    #[must_use]
    pub fn max_per_address(self, connections: usize) -> Self {
        self.with(|parts| parts.limits.per_address = connections)
    }

    /// Sets the `Retry-After` of those that are beyond these limits, in whole seconds, rounded up; 1 by default.
    #[must_use]
    pub fn retry_after(self, time: Duration) -> Self {
        self.with(|parts| parts.limits.retry_after = time)
    }

    /// Hands requests that ask for no WebSocket to `answer`: a page, a health check. Without it they are refused
    /// with 426, or given to the handler of [`requests`](Self::requests).
    ///
    /// ```
    /// use hybi::{http::Response, serve::{Accept, Serving}};
    ///
    /// fn with_health<A: Accept>(serving: Serving<A>) -> Serving<A> {
    ///     serving.plain_http(|request| async move {
    ///         let (status, body) = match request.uri().path() {
    ///             "/healthz" => (200, "ok\n"),
    ///             _ => (404, "only WebSockets here\n"),
    ///         };
    ///         Response::builder().status(status).body(body).expect("a valid response")
    ///     })
    /// }
    /// ```
    #[must_use]
    pub fn plain_http<F, B>(
        self,
        answer: impl Fn(http::Request<()>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = http::Response<B>> + Send + 'static,
        B: AsRef<[u8]>,
    {
        let plain: Plain = Arc::new(move |request| {
            let answering = answer(request);
            Box::pin(async { answering.await.map(|body| body.as_ref().to_vec()) })
        });
        self.with(|parts| parts.service.plain = Some(plain))
    }

    /// Has `listener` told what happens that nobody else is told: accepts that failed, refusals, errors and panics of
    /// handlers. Without it nothing is said of them, but what the panic hook says. Together with what a handler of
    /// [`requests`](Self::requests) sees, it has all that a log of accesses needs.
    #[must_use]
    pub fn on_incident(self, listener: impl Fn(&Incident<'_>) + Send + Sync + 'static) -> Self {
        let listener: Listener = Arc::new(listener);
        self.with(|parts| parts.listener = Some(listener))
    }

    /// Changes what is not at work yet.
    fn with(mut self, change: impl FnOnce(&mut Parts<A>)) -> Self {
        if let Work::Ready(parts) = &mut self.work {
            change(parts);
        }
        self
    }
}

impl<A: Accept> Future for Serving<A> {
    type Output = Drained;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Drained> {
        let this = &mut *self;
        if let Work::Ready(_) = this.work
            && let Work::Ready(parts) = mem::replace(&mut this.work, Work::Done)
        {
            this.work = Work::Running(Box::pin(run(*parts, this.registry.clone())));
        }
        let Work::Running(running) = &mut this.work else {
            panic!("polled after it was over");
        };
        let polled = running.as_mut().poll(cx);
        if polled.is_ready() {
            this.work = Work::Done;
        }
        polled
    }
}

/// All of it is boxed.
impl<A: Accept> Unpin for Serving<A> {}

impl<A: Accept> Drop for Serving<A> {
    fn drop(&mut self) {
        // First the listener.
        self.work = Work::Done;
        self.registry.abandon();
    }
}

impl<A: Accept> fmt::Debug for Serving<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").field("registry", &self.registry).finish_non_exhaustive()
    }
}

/// What becomes of a handler, which is in a box of its own: an `async` block would keep room for it twice.
fn handled<R: Outcome>(
    handling: impl Future<Output = R> + Send + 'static,
) -> BoxFuture<Result<(), Failure>> {
    let mut handling = Box::pin(handling);
    Box::pin(poll_fn(move |cx| {
        handling.as_mut().poll(cx).map(|outcome| outcome.into_result().map_err(Failure::Handler))
    }))
}

async fn run<A: Accept>(parts: Parts<A>, registry: Arc<Registry>) -> Drained {
    let Parts { accept, service, limits, listener } = parts;
    registry.open_with(limits, listener);
    let (timer, service) = (accept.timer(), Arc::new(service));
    let mut server = Running { accept, timer, service, registry };
    server.accept_all().await;
    server.end().await
}

struct Running<A: Accept> {
    accept: A,
    timer: A::Timer,
    service: Arc<Service<A::Transport, A::Timer>>,
    registry: Arc<Registry>,
}

/// What whoever serves is to do next.
enum Next<A: Accept> {
    Accepted(Accepted<A>),
    Carried(Vec<Carried<A::Transport>>),
    End,
}

type Accepted<A> = io::Result<Arrival<<A as Accept>::Opening>>;

impl<A: Accept> Running<A> {
    /// Accepts until the end is asked for.
    async fn accept_all(&mut self) {
        let mut back_off = BackOff::default();
        let mut in_a_row = 0;
        while let Some(accepted) = self.next().await {
            match accepted {
                Ok(arrival) => {
                    back_off.reset();
                    self.admit(arrival);
                    in_a_row += 1;
                    if in_a_row == IN_A_ROW {
                        in_a_row = 0;
                        pause().await;
                    }
                }
                Err(error) => {
                    let pause = back_off.after(&error);
                    self.registry.tell(&Incident::NotAccepted { error: &error, pause });
                    if let Some(pause) = pause {
                        let until = self.timer.now() + pause;
                        self.sleep(until).await;
                    }
                }
            }
        }
        self.admit_carried(self.service.inbox.take());
        // Those who wait in the queue would be reset with it.
        for _ in 0..QUEUE {
            match self.accept_at_once().await {
                Poll::Ready(Ok(arrival)) => self.admit(arrival),
                Poll::Ready(Err(error)) if is_of_one_stream(&error) => {}
                Poll::Ready(Err(_)) | Poll::Pending => break,
            }
        }
    }

    /// The next transport; `None` once the end is asked for.
    async fn next(&mut self) -> Option<Accepted<A>> {
        loop {
            let Self { accept, service, registry, .. } = &mut *self;
            let next = {
                let mut accepting = pin!(accept.accept());
                poll_fn(|cx| {
                    registry.wake_server(cx.waker());
                    if registry.is_draining() {
                        return Poll::Ready(Next::<A>::End);
                    }
                    // After the waker is left: whoever puts something there calls.
                    let carried = service.inbox.take();
                    if !carried.is_empty() {
                        return Poll::Ready(Next::Carried(carried));
                    }
                    accepting.as_mut().poll(cx).map(Next::Accepted)
                })
                .await
            };
            match next {
                Next::Accepted(accepted) => return Some(accepted),
                Next::Carried(carried) => self.admit_carried(carried),
                Next::End => return None,
            }
        }
    }

    /// A transport that is there already.
    async fn accept_at_once(&mut self) -> Poll<Accepted<A>> {
        let mut accepting = pin!(self.accept.accept_queued());
        poll_fn(|cx| Poll::Ready(accepting.as_mut().poll(cx))).await
    }

    fn admit(&self, arrival: Arrival<A::Opening>) {
        let timer = self.accept.timer();
        let Some(member) = self.registry.enter(arrival.peer, timer.now()) else { return };
        let service = self.service.clone();
        self.accept.spawn(connection::serve(member, service, Box::new(arrival), timer));
    }

    fn admit_carried(&self, carried: Vec<Carried<A::Transport>>) {
        for carried in carried {
            let task = carried.into_task(self.service.clone(), self.accept.timer());
            if let Some(task) = task {
                self.accept.spawn(task);
            }
        }
    }

    /// Waits until then, or for the end to be asked for. Carriers need nothing that could be lacking.
    async fn sleep(&mut self, until: Instant) {
        loop {
            let Self { timer, service, registry, .. } = &mut *self;
            let carried = poll_fn(|cx| {
                registry.wake_server(cx.waker());
                if registry.is_draining() {
                    return Poll::Ready(Vec::new());
                }
                let carried = service.inbox.take();
                if !carried.is_empty() {
                    return Poll::Ready(carried);
                }
                timer.poll_until(cx, until).map(|()| Vec::new())
            })
            .await;
            if carried.is_empty() {
                return;
            }
            self.admit_carried(carried);
        }
    }

    /// Closes the listener, and what is open; waits for it, and cuts the rest.
    async fn end(self) -> Drained {
        let Self { accept, mut timer, service, registry } = self;
        drop(accept);
        let drain = registry.how();
        let began = timer.now();
        let deadline = after(began, drain.deadline);
        let mut pacing = Pacing { began, step: drain.step(registry.open()), told: 0 };
        poll_fn(|cx| {
            loop {
                registry.wake_server(cx.waker());
                // What carriers still bring has nobody to be given to; its transport says so.
                drop(service.inbox.take());
                let now = timer.now();
                // Whoever is late catches up, so that the rate is kept.
                let mut wakes = deadline;
                loop {
                    if pacing.next() > now {
                        wakes = deadline.min(pacing.next());
                        break;
                    }
                    if !registry.close_next(&drain) {
                        break;
                    }
                    pacing.told = pacing.told.saturating_add(1);
                }
                if registry.is_empty() || registry.wants_cut() || now >= deadline {
                    return Poll::Ready(());
                }
                if timer.poll_until(cx, wakes).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await;
        registry.cut(Some(&drain));
        let gone = timer.now() + GONE;
        let mut until = async |is_gone: fn(&Registry) -> bool| {
            poll_fn(|cx| {
                registry.wake_server(cx.waker());
                drop(service.inbox.take());
                if is_gone(&registry) { Poll::Ready(()) } else { timer.poll_until(cx, gone) }
            })
            .await;
        };
        until(Registry::has_carriers_alone).await;
        registry.cut(None);
        until(Registry::is_empty).await;
        registry.over()
    }
}

/// Lets other tasks run once.
async fn pause() {
    let mut again = true;
    poll_fn(|cx| {
        if mem::take(&mut again) {
            cx.waker().wake_by_ref();
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}
