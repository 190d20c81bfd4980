//! One connection of a server, from what was accepted to the end of its handler.

use core::{
    any::Any,
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    task::{Poll, Waker},
};
use std::{error, io, panic::catch_unwind, sync::Arc};

use super::{
    Arrival, Carrier, Cutter, Incident, Opened,
    carried::{self, Inbox},
    registry::{Member, Place},
};
use crate::{
    connection::Error,
    opening::{self, Gate as _, Incoming, server::Server},
    socket::{
        WebSocket,
        io::{Timer, Transport},
    },
};

pub(super) type BoxError = Box<dyn error::Error + Send + Sync>;
pub(super) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What is done with a request: a first step, and then what lasts as long as the connection.
pub(super) type Handler<T, C> = Arc<dyn Fn(Incoming<T, C>) -> BoxFuture<Begun> + Send + Sync>;
pub(super) type Begun = Result<BoxFuture<Result<(), Failure>>, Failure>;

/// What answers a plain HTTP request.
pub(super) type Plain =
    Arc<dyn Fn(http::Request<()>) -> BoxFuture<http::Response<Vec<u8>>> + Send + Sync>;

/// Who hears of what nobody else is told.
pub(super) type Listener = Arc<dyn Fn(&Incident<'_>) + Send + Sync>;

/// Why a connection came to nothing.
pub(super) enum Failure {
    /// That was told.
    Refused,
    NotOpened(Error),
    Handler(BoxError),
}

/// What all connections of a server share.
pub(super) struct Service<T, C> {
    pub(super) server: Server,
    pub(super) handler: Handler<T, C>,
    pub(super) plain: Option<Plain>,
    pub(super) cutter: fn(&T) -> Option<Cutter>,
    /// What came by carriers.
    pub(super) inbox: Inbox<T>,
}

/// How a connection ended.
enum End {
    Over(Result<(), Failure>),
    Panicked(Box<dyn Any + Send>),
    Cut,
}

/// Serves one connection. A handler that panics takes nothing along, and one that is cut has a last turn and is dropped
/// with its connection before its place is free.
pub(super) async fn serve<T, C>(
    member: Member,
    service: Arc<Service<T, C>>,
    arrival: Box<Arrival<impl Future<Output = io::Result<Opened<T>>> + Send>>,
    timer: C,
) where
    T: Transport + Send + 'static,
    C: Timer + Send + 'static,
{
    let place = &member.0;
    let work = pin!(work(&service, place.clone(), arrival, timer));
    look_after(place, work).await;
}

/// Runs what serves one connection, to its end. It is pinned by the caller: a task would keep room for it twice.
pub(super) async fn look_after(
    place: &Arc<Place>,
    mut work: Pin<&mut impl Future<Output = Result<(), Failure>>>,
) {
    let mut known: Option<Waker> = None;
    let end = poll_fn(|cx| {
        if known.as_ref().is_none_or(|known| !known.will_wake(cx.waker())) {
            known = Some(cx.waker().clone());
            place.wake(cx.waker());
        }
        // After the waker is left: whoever cuts from now on wakes. Before the last turn: what is asked for before the
        // cut is seen in it.
        let is_last = place.is_over();
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(Poll::Pending) if is_last => Poll::Ready(End::Cut),
            Ok(polled) => polled.map(End::Over),
            Err(panic) => Poll::Ready(End::Panicked(panic)),
        }
    })
    .await;
    match end {
        End::Over(Ok(()) | Err(Failure::Refused)) | End::Cut => {}
        // A handler that blocked was told by its transport; the report names it.
        End::Over(Err(Failure::Handler(_))) if place.is_over() => {}
        End::Over(Err(Failure::NotOpened(error))) => place.not_opened(&error, None),
        End::Over(Err(Failure::Handler(error))) => {
            place.tell(&Incident::Failed { peer: place.peer(), error: &*error });
        }
        End::Panicked(panic) => {
            let message = panic
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("something that is no text");
            place.tell(&Incident::Panicked { peer: place.peer(), message });
        }
    }
}

async fn work<T, C>(
    service: &Service<T, C>,
    place: Arc<Place>,
    arrival: Box<Arrival<impl Future<Output = io::Result<Opened<T>>> + Send>>,
    timer: C,
) -> Result<(), Failure>
where
    T: Transport + Send + 'static,
    C: Timer + Send + 'static,
{
    // In boxes, as all that only the opening needs.
    match Box::pin(open(service, place.clone(), arrival, timer)).await? {
        Begin::Answered => Ok(()),
        Begin::Handler(beginning) => beginning.await?.await,
        Begin::Carrier(carrier, server) => {
            Box::pin(carried::carry(service, place, server, carrier)).await
        }
    }
}

/// What comes of a transport. It lies in the task of each connection, so nothing in it is large.
pub(super) enum Begin<T> {
    /// A request that is over.
    Answered,
    /// A request that the handler has.
    Handler(BoxFuture<Begun>),
    /// A carrier, and who judges its requests if not the server of all.
    Carrier(Box<dyn Carrier<T>>, Option<Box<Server>>),
}

/// What a transport turns out to bring.
async fn open<T, C>(
    service: &Service<T, C>,
    place: Arc<Place>,
    arrival: Box<Arrival<impl Future<Output = io::Result<Opened<T>>> + Send>>,
    mut timer: C,
) -> Result<Begin<T>, Failure>
where
    T: Transport + Send + 'static,
    C: Timer + Send + 'static,
{
    let Arrival { opening, server: own, .. } = *arrival;
    let server = own.as_ref().unwrap_or(&service.server);
    let deadline = server.config().handshake_deadline(timer.now());
    let transport = opening::tls_behind(&*place, &mut timer, deadline, opening).await;
    let transport = match transport.map_err(Failure::NotOpened)? {
        Opened::Single(transport) => transport,
        Opened::Carrier(carrier) => return Ok(Begin::Carrier(carrier, own.map(Box::new))),
    };
    if let Some(cutter) = (service.cutter)(&transport) {
        place.cut_by(cutter);
    }
    let incoming = opening::incoming_behind(place, server, transport, timer, deadline).await;
    begin(service, incoming).await
}

/// Gives a request to the handler, or answers it if it is not for that.
pub(super) async fn begin<T: Transport, C: Timer>(
    service: &Service<T, C>,
    incoming: Result<Incoming<T, C>, Error>,
) -> Result<Begin<T>, Failure> {
    let Ok(incoming) = incoming else { return Err(Failure::Refused) };
    if let Some(refusal) = incoming.refusal() {
        incoming.refuse(refusal).await;
        return Err(Failure::Refused);
    }
    match &service.plain {
        Some(plain) if !incoming.is_upgrade() => {
            let response = plain(incoming.request().clone()).await;
            incoming.respond(response).await;
            Ok(Begin::Answered)
        }
        _ => Ok(Begin::Handler((service.handler)(incoming))),
    }
}

/// Accepts a request if it keeps the rules, and tells of it if not.
pub(super) async fn accept<T: Transport, C: Timer>(
    incoming: Incoming<T, C>,
) -> Result<WebSocket<T, C>, Failure> {
    match incoming.refusal().map_or_else(|| incoming.check(), Err) {
        Ok(accepted) => incoming.switch(accepted).await.map_err(Failure::NotOpened),
        Err(error) => {
            incoming.refuse(error).await;
            Err(Failure::Refused)
        }
    }
}
