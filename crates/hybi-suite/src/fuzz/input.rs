//! The bytes that drive a target, taken from the front. When there are no more, all is zero and empty, so that
//! every input means something.

pub(super) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte
    }

    /// One of these.
    pub(super) fn choose<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[usize::from(self.byte()) % from.len()]
    }

    /// At most `len` bytes: as many as there are.
    pub(super) fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (front, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        front
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.0)
    }

    /// How a stream is to be cut.
    pub(super) fn cuts(&mut self) -> Cuts {
        let count = usize::from(self.byte() % 4);
        let mut sizes: Vec<_> = self.bytes(count).iter().map(|&size| usize::from(size)).collect();
        // Empty chunks may come, but not for ever.
        if sizes.iter().all(|&size| size == 0) {
            sizes.push(usize::MAX);
        }
        Cuts(sizes)
    }
}

/// The sizes of the chunks of a stream, over and over again.
pub(super) struct Cuts(Vec<usize>);

impl Cuts {
    /// All in one.
    pub(super) fn none() -> Self {
        Self(vec![usize::MAX])
    }

    /// At every byte.
    pub(super) fn everywhere() -> Self {
        Self(vec![1])
    }

    pub(super) fn of<'b>(&self, mut stream: &'b [u8]) -> impl Iterator<Item = &'b [u8]> {
        let mut sizes = self.0.iter().cycle();
        core::iter::from_fn(move || {
            let size = *sizes.next().filter(|_| !stream.is_empty())?;
            let (chunk, rest) = stream.split_at(size.min(stream.len()));
            stream = rest;
            Some(chunk)
        })
    }
}
