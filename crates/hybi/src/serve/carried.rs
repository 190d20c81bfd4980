//! Requests that came by a carrier: from it to tasks of their own.

use core::{future::poll_fn, mem, pin::pin};
use std::sync::{Arc, Mutex, PoisonError};

use super::{
    Carrier,
    connection::{self, Begin, Failure, Service},
    registry::{Member, Place},
};
use crate::{
    opening::{self, Requested, server::Server},
    socket::io::{Timer, Transport},
};

/// Requests that whoever serves is to give a task each: carriers have nobody to spawn by.
#[derive(Debug)]
pub(super) struct Inbox<T>(Mutex<Vec<Carried<T>>>);

/// A request, what it came by, and who judges it if not the server of all.
#[derive(Debug)]
pub(super) struct Carried<T> {
    carrier: Arc<Place>,
    requested: Requested<T>,
    server: Option<Box<Server>>,
}

impl<T> Inbox<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// What came since it was asked last.
    pub(super) fn take(&self) -> Vec<Carried<T>> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, carried: Carried<T>) {
        let carrier = carried.carrier.clone();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(carried);
        carrier.call_server();
    }
}

/// Takes in what a carrier brings, until it is over.
pub(super) async fn carry<T: Transport, C: Timer>(
    service: &Service<T, C>,
    place: Arc<Place>,
    server: Option<Box<Server>>,
    mut carrier: Box<dyn Carrier<T>>,
) -> Result<(), Failure> {
    place.is_carrier();
    let mut is_closing = false;
    loop {
        let next = poll_fn(|cx| {
            // At the end, which wakes this task, and at once for one that is beyond a limit itself.
            if !is_closing && place.takes_no_more() {
                is_closing = true;
                carrier.close();
            }
            carrier.poll_next(cx)
        });
        let Some(requested) = next.await else { return Ok(()) };
        let carrier = place.clone();
        service.inbox.put(Carried { carrier, requested, server: server.clone() });
    }
}

impl<T: Transport + Send + 'static> Carried<T> {
    /// Counts it, and gives what serves it, as [`connection::serve`] does a connection; `None` if even an answer is too
    /// much. Dropping its transport refuses it.
    pub(super) fn into_task<C: Timer + Send + 'static>(
        self,
        service: Arc<Service<T, C>>,
        timer: C,
    ) -> Option<impl Future<Output = ()> + Send + 'static> {
        let member = self.carrier.carried(timer.now())?;
        Some(serve(member, service, Box::new(self), timer))
    }
}

async fn serve<T, C>(
    member: Member,
    service: Arc<Service<T, C>>,
    carried: Box<Carried<T>>,
    timer: C,
) where
    T: Transport + Send + 'static,
    C: Timer + Send + 'static,
{
    let place = &member.0;
    let work = pin!(async {
        // In a box, as all that only the opening needs.
        let begun = Box::pin(async {
            let Carried { requested, server, .. } = *carried;
            let server = server.as_deref().unwrap_or(&service.server);
            let deadline = server.config().handshake_deadline(timer.now());
            let gate = Some(place.clone() as _);
            let incoming =
                opening::incoming_for_behind(gate, server, requested, timer, deadline).await;
            connection::begin(&service, incoming).await
        });
        match begun.await? {
            Begin::Handler(beginning) => beginning.await?.await,
            Begin::Answered | Begin::Carrier(..) => Ok(()),
        }
    });
    connection::look_after(place, work).await;
}
