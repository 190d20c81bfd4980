//! Slab: the channels of an endpoint, by keys that are used again.

use core::ops::{Index, IndexMut};

use super::channel::Channel;

/// A channel of an [`Endpoint`](super::Endpoint), from when it is opened or asked for until it is
/// [released](super::Endpoint::release).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelKey(usize);

impl ChannelKey {
    /// A small number that no other channel of the endpoint has at the same time, to index by.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

#[derive(Debug, Default)]
pub(super) struct Slab {
    places: Vec<Option<Box<Channel>>>,
    free: Vec<usize>,
}

impl Slab {
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    pub(super) fn insert(&mut self, channel: Channel) -> ChannelKey {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.places[place] = Some(Box::new(channel));
        ChannelKey(place)
    }

    pub(super) fn remove(&mut self, key: ChannelKey) -> Option<Box<Channel>> {
        let channel = self.places[key.0].take();
        if channel.is_some() {
            self.free.push(key.0);
        }
        channel
    }

    pub(super) fn contains(&self, key: ChannelKey) -> bool {
        self.places[key.0].is_some()
    }

    pub(super) fn get_mut(&mut self, key: ChannelKey) -> Option<&mut Channel> {
        self.places[key.0].as_deref_mut()
    }

    pub(super) fn keys(&self) -> Vec<ChannelKey> {
        let taken = |place: &usize| self.places[*place].is_some();
        (0..self.places.len()).filter(taken).map(ChannelKey).collect()
    }
}

impl Index<ChannelKey> for Slab {
    type Output = Channel;

    fn index(&self, key: ChannelKey) -> &Channel {
        self.places[key.0].as_ref().expect("a key is used until its channel is released")
    }
}

impl IndexMut<ChannelKey> for Slab {
    fn index_mut(&mut self, key: ChannelKey) -> &mut Channel {
        self.places[key.0].as_mut().expect("a key is used until its channel is released")
    }
}
