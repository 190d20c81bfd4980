//! Two connections and the link between them, which may break.

use core::hash::Hasher as _;
use std::{hash::DefaultHasher, time::Instant};

use hybi_frame::Role;

use super::{
    end::{Act, End, Manners},
    explore::{Cell, World},
    family::Family,
    promises::{self, Seen},
    wire::{Wire, WireEnd},
};

/// How much may happen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) client: Manners,
    pub(super) server: Manners,
    /// How often the link may be cut or broken.
    pub(super) faults: usize,
    /// Whether bytes leave and arrive by halves as well.
    pub(super) halves: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Client(Act),
    Server(Act),
    /// The direction in which this one sends ends for the other.
    Cut(Role, WireEnd),
    /// Both directions break.
    Break,
}

pub(super) struct Pair {
    family: Family,
    bounds: Bounds,
    client: End,
    server: End,
    up: Wire,
    down: Wire,
    faults: usize,
}

impl Pair {
    pub(super) fn new(family: Family, bounds: Bounds, now: Instant) -> Self {
        let wire = || Wire::new(bounds.halves);
        Self {
            family,
            bounds,
            client: End::new(family, Role::Client, bounds.client, now),
            server: End::new(family, Role::Server, bounds.server, now),
            up: wire(),
            down: wire(),
            faults: 0,
        }
    }

    /// Each end with what it sends on.
    fn ends(&self) -> [(&End, &Wire, &End, &Wire); 2] {
        [
            (&self.client, &self.up, &self.server, &self.down),
            (&self.server, &self.down, &self.client, &self.up),
        ]
    }

    fn is_orderly(&self) -> bool {
        self.faults == 0 && !self.client.timed_out && !self.server.timed_out
    }

    fn seen(&self) -> [Seen<'_>; 2] {
        self.ends().map(|(own, out, peer, input)| Seen {
            family: self.family,
            own,
            out,
            input,
            said: &peer.accepted,
            is_orderly: self.is_orderly(),
        })
    }
}

impl World for Pair {
    type Action = Action;

    fn name(action: Action) -> String {
        match action {
            Action::Client(act) | Action::Server(act) => format!("{act:?}"),
            Action::Cut(_, end) => format!("{end:?}"),
            Action::Break => format!("{action:?}"),
        }
    }

    fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        for (own, out, _, input) in self.ends() {
            let of = |act| match own.role {
                Role::Client => Action::Client(act),
                Role::Server => Action::Server(act),
            };
            actions.extend(own.acts(out, input).into_iter().map(of));
        }
        if self.faults < self.bounds.faults && !(self.client.gone && self.server.gone) {
            for (wire, role) in [(&self.up, Role::Client), (&self.down, Role::Server)] {
                if wire.end == WireEnd::Open {
                    actions.extend([WireEnd::Cut, WireEnd::Rude].map(|end| Action::Cut(role, end)));
                }
            }
            if !self.up.is_broken && !self.down.is_broken {
                actions.push(Action::Break);
            }
        }
        actions
    }

    fn take(&mut self, action: Action) {
        let Self { client, server, up, down, .. } = self;
        match action {
            Action::Client(act) => client.act(act, up, down),
            Action::Server(act) => server.act(act, down, up),
            Action::Cut(role, end) => {
                self.faults += 1;
                match role {
                    Role::Client => up.end(end),
                    Role::Server => down.end(end),
                }
            }
            Action::Break => {
                self.faults += 1;
                (up.is_broken, down.is_broken) = (true, true);
            }
        }
    }

    fn look(&mut self) {
        self.client.look();
        self.server.look();
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (own, _, _, input) in self.ends() {
            own.digest(&mut hasher);
            // What nobody reads any more is as good as none.
            if !own.gone {
                input.digest(&mut hasher);
            }
        }
        hasher.write_usize(self.faults);
        hasher.write_u8(self.is_orderly().into());
        hasher.finish()
    }

    fn broken(&self) -> Option<String> {
        self.seen().iter().find_map(promises::broken)
    }

    fn is_over(&self) -> bool {
        self.client.gone && self.server.gone
    }

    fn cells(&self) -> Vec<Cell> {
        [&self.client, &self.server].map(|end| end.now.cell).to_vec()
    }
}
