//! Shared: the endpoint that channels and driver share, and who waits for what of it.

use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex, PoisonError};

use hybi_mux::{ChannelKey, Endpoint, Event};

use crate::socket::io::Timer;

/// An endpoint, and the tasks that wait.
///
/// The lock is held for one step and never across a wait. Tasks are woken after it was let go: a waker may do
/// anything, even poll such a task at once.
#[derive(Debug)]
pub(super) struct Shared(Mutex<State>);

#[derive(Debug)]
pub(super) struct State {
    pub(super) endpoint: Endpoint,
    /// Who waits to read and to write, by the index of the channel.
    channels: Vec<Waiting>,
    driver: Option<Waker>,
    /// Whoever waits for requests, or for slots.
    others: Vec<Waker>,
    handle: Handle,
    called: Vec<Waker>,
}

#[derive(Debug, Default)]
struct Waiting {
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// Whether somebody may still open channels, or accept them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handle {
    Held,
    LetGo,
}

/// What the driver has to do.
#[derive(Debug)]
pub(super) enum Task {
    /// The next message is in the buffer.
    Send,
    /// There is nothing to do but to wait.
    Wait,
    /// Nobody has a channel any more, nor a way to get one.
    Close,
    /// Everything failed here, and the peer was told.
    Fail,
}

impl Shared {
    pub(super) fn new(endpoint: Endpoint) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State {
            endpoint,
            channels: Vec::new(),
            driver: None,
            others: Vec::new(),
            handle: Handle::Held,
            called: Vec::new(),
        })))
    }

    /// Takes a step, and wakes whom that concerns.
    pub(super) fn with<R>(&self, step: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let result = step(&mut state);
        state.call();
        if !state.called.is_empty() {
            let mut called = core::mem::take(&mut state.called);
            drop(state);
            called.drain(..).for_each(Waker::wake);
            // The room is used again, unless others had to have some meanwhile.
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if state.called.capacity() == 0 {
                state.called = called;
            }
        }
        result
    }

    /// What the driver has to do now; the next message goes to `message`.
    pub(super) fn poll_task(
        &self,
        cx: &mut Context<'_>,
        timer: &mut impl Timer,
        message: &mut Vec<u8>,
    ) -> Task {
        self.with(|state| {
            message.clear();
            loop {
                let now = timer.now();
                if state.endpoint.poll_message(now, message) {
                    return Task::Send;
                }
                match state.endpoint.ended() {
                    Some(hybi_mux::Ended::PhysicalFailed { .. }) => return Task::Fail,
                    Some(_) => return Task::Close,
                    None => {}
                }
                if state.is_unused() {
                    return Task::Close;
                }
                state.driver = Some(cx.waker().clone());
                let slots = state.endpoint.next_slots_at(now);
                if slots.is_none_or(|at| timer.poll_until(cx, at) == Poll::Pending) {
                    return Task::Wait;
                }
            }
        })
    }

    /// Nobody opens channels any more, or accepts them: requests that wait are refused, and those that come.
    pub(super) fn let_go(&self) {
        self.with(|state| {
            state.handle = Handle::LetGo;
            state.endpoint.stop_slots();
            state.refuse_requests();
        });
    }
}

impl State {
    /// Calls whoever waited for what happened.
    fn call(&mut self) {
        while let Some(event) = self.endpoint.poll_event() {
            match event {
                Event::Readable(key) => {
                    let waiting = self.channels.get_mut(key.index());
                    self.called.extend(waiting.and_then(|waiting| waiting.reader.take()));
                }
                Event::Writable(key) => {
                    let waiting = self.channels.get_mut(key.index());
                    self.called.extend(waiting.and_then(|waiting| waiting.writer.take()));
                }
                _ if self.handle == Handle::LetGo => self.refuse_requests(),
                _ => self.called.append(&mut self.others),
            }
        }
        let is_over = self.endpoint.ended().is_some() || self.is_unused();
        if self.driver.is_some() && (self.endpoint.has_output() || is_over) {
            self.called.extend(self.driver.take());
        }
    }

    /// Whether nobody has a channel any more, nor a way to get one.
    fn is_unused(&self) -> bool {
        self.handle == Handle::LetGo && self.endpoint.channels() == 0
    }

    fn refuse_requests(&mut self) {
        while let Some((key, _request)) = self.endpoint.next_request() {
            self.endpoint.release(key);
        }
    }

    /// Whoever polls is called when the channel can be read.
    pub(super) fn wait_to_read(&mut self, key: ChannelKey, cx: &Context<'_>) {
        set(&mut self.waiting(key).reader, cx);
    }

    /// Whoever polls is called when the channel can be written.
    pub(super) fn wait_to_write(&mut self, key: ChannelKey, cx: &Context<'_>) {
        set(&mut self.waiting(key).writer, cx);
    }

    /// Whoever polls is called when there is a request, or a slot.
    pub(super) fn wait_for_channels(&mut self, cx: &Context<'_>) {
        if !self.others.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.others.push(cx.waker().clone());
        }
    }

    fn waiting(&mut self, key: ChannelKey) -> &mut Waiting {
        if self.channels.len() <= key.index() {
            self.channels.resize_with(key.index() + 1, Waiting::default);
        }
        &mut self.channels[key.index()]
    }

    /// Nobody has the channel any more.
    pub(super) fn release(&mut self, key: ChannelKey) {
        if let Some(waiting) = self.channels.get_mut(key.index()) {
            *waiting = Waiting::default();
        }
        self.endpoint.release(key);
    }
}

fn set(place: &mut Option<Waker>, cx: &Context<'_>) {
    match place {
        Some(waker) => waker.clone_from(cx.waker()),
        None => *place = Some(cx.waker().clone()),
    }
}
