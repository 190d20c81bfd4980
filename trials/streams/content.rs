//! What the messages are made of: text of which each block says where it is, so that nothing can be missing, twice or
//! out of order.

/// How long a block is.
pub(crate) const BLOCK: usize = 4096;

/// How many bytes of it say where it is.
const NUMBER: usize = 16;

/// Fills whole blocks, which begin at this place.
pub(crate) fn fill(bytes: &mut [u8], place: u64) {
    for (at, block) in bytes.chunks_mut(BLOCK).enumerate() {
        let number = format!("{:0NUMBER$}", place / BLOCK as u64 + at as u64);
        block[..NUMBER].copy_from_slice(number.as_bytes());
    }
}

/// Blocks without their numbers.
pub(crate) fn blank(len: usize) -> Vec<u8> {
    let line = b"All work and no play makes Jack a dull boy.\n";
    let mut blocks: Vec<_> = line.iter().copied().cycle().take(BLOCK).collect();
    blocks[..NUMBER].fill(b'0');
    blocks.repeat(len / BLOCK)
}

/// Checks what comes, piece by piece.
pub(crate) struct Checking {
    block: Vec<u8>,
    place: u64,
}

impl Checking {
    pub(crate) fn new() -> Self {
        Self { block: blank(BLOCK), place: 0 }
    }

    /// How much has come.
    pub(crate) fn len(&self) -> u64 {
        self.place
    }

    pub(crate) fn take(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let at = (self.place % BLOCK as u64) as usize;
            let begin = self.place - at as u64;
            fill(&mut self.block, begin);
            let len = piece.len().min(BLOCK - at);
            assert!(piece[..len] == self.block[at..at + len], "other bytes from {}", self.place);
            piece = &piece[len..];
            self.place += len as u64;
        }
    }
}
