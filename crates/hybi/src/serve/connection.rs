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
    Incident,
    registry::{Member, Place},
};
use crate::{
    connection::{Error, incident as traced},
    opening::{self, Gate, Incoming, server::Server},
    socket::io::{Timer, Transport},
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
    NotOpened(Error),
    Handler(BoxError),
}

/// What all connections of a server share.
pub(super) struct Service<T, C> {
    pub(super) server: Server,
    pub(super) handler: Handler<T, C>,
    pub(super) plain: Option<Plain>,
    pub(super) listener: Option<Listener>,
}

impl<T, C> Service<T, C> {
    pub(super) fn tell(&self, incident: &Incident<'_>) {
        // A refusal was told by the opening.
        if !matches!(incident, Incident::NotOpened { error: Error::Handshake(_), .. }) {
            traced(incident);
        }
        if let Some(listener) = &self.listener {
            listener(incident);
        }
    }
}

/// How a connection ended.
enum End {
    Over(Result<(), Failure>),
    Panicked(Box<dyn Any + Send>),
    Cut,
}

/// Serves one connection. A handler that panics takes nothing along, and one that is cut is dropped with its
/// connection before its place is free.
pub(super) async fn serve<T, C>(
    member: Member,
    service: Arc<Service<T, C>>,
    stream: impl Future<Output = io::Result<T>> + Send,
    timer: C,
) where
    T: Transport + Send + 'static,
    C: Timer + Send + 'static,
{
    let place = member.0.clone();
    let peer = place.peer();
    let mut work = pin!(work(&service, place.clone(), stream, timer));
    let mut known: Option<Waker> = None;
    let end = poll_fn(|cx| {
        if known.as_ref().is_none_or(|known| !known.will_wake(cx.waker())) {
            known = Some(cx.waker().clone());
            place.wake(cx.waker());
        }
        // After the waker is left: whoever cuts from now on wakes.
        if place.is_cut() {
            return Poll::Ready(End::Cut);
        }
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(polled) => polled.map(End::Over),
            Err(panic) => Poll::Ready(End::Panicked(panic)),
        }
    })
    .await;
    match end {
        End::Over(Ok(())) | End::Cut => {}
        // That was told when it came.
        End::Over(Err(Failure::NotOpened(_))) if place.is_surplus() => {}
        End::Over(Err(Failure::NotOpened(error))) => {
            service.tell(&Incident::NotOpened { peer, error: &error });
        }
        End::Over(Err(Failure::Handler(error))) => {
            service.tell(&Incident::Failed { peer, error: &*error });
        }
        End::Panicked(panic) => {
            let message = panic
                .downcast_ref::<&str>()
                .copied()
                .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                .unwrap_or("something that is no text");
            service.tell(&Incident::Panicked { peer, message });
        }
    }
}

async fn work<T, C>(
    service: &Service<T, C>,
    place: Arc<Place>,
    stream: impl Future<Output = io::Result<T>> + Send,
    timer: C,
) -> Result<(), Failure>
where
    T: Transport + Send + 'static,
    C: Timer + Send + 'static,
{
    // In boxes, as all that only the opening needs.
    let incoming = Box::pin(open(service, place, stream, timer)).await;
    let beginning = match incoming.map_err(Failure::NotOpened)? {
        Some(incoming) => (service.handler)(incoming),
        None => return Ok(()),
    };
    beginning.await?.await
}

/// The request, unless it was answered already.
async fn open<T, C>(
    service: &Service<T, C>,
    place: Arc<Place>,
    stream: impl Future<Output = io::Result<T>> + Send,
    mut timer: C,
) -> Result<Option<Incoming<T, C>>, Error>
where
    T: Transport + Send + 'static,
    C: Timer + Send + 'static,
{
    let server = &service.server;
    let deadline = server.config().handshake_deadline(timer.now());
    let transport = opening::tls("the client", &mut timer, deadline, stream).await?;
    let incoming = opening::incoming_behind(place, server, transport, timer, deadline).await?;
    if let Some(refusal) = incoming.refusal() {
        return Err(incoming.reject(refusal).await);
    }
    match &service.plain {
        Some(plain) if !incoming.is_upgrade() => {
            let response = plain(incoming.request().clone()).await;
            incoming.respond(response).await;
            Ok(None)
        }
        _ => Ok(Some(incoming)),
    }
}
