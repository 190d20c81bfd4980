//! Output buffers, lent by the thread that a connection runs on while they hold something.

use core::cell::RefCell;

use super::shelf::Shelf;

/// Buffers that grew beyond this many bytes are released instead of kept.
const KEPT_LEN: usize = 128 * 1024;

/// How many buffers a thread keeps: a few are in use at a time.
const KEPT: usize = 4;

thread_local! {
    static OUTPUTS: RefCell<Vec<Vec<u8>>> = RefCell::default();
}

static SHELF: Shelf<Vec<u8>> = Shelf::new();

/// Borrows an empty output buffer.
#[inline]
pub(crate) fn borrow_output() -> Vec<u8> {
    match OUTPUTS.try_with(|outputs| outputs.borrow_mut().pop()) {
        Ok(Some(kept)) => kept,
        _ => SHELF.take(|_| true).unwrap_or_default(),
    }
}

/// Leaves those that this thread keeps to whichever thread needs one next.
pub(crate) fn share() {
    let _ = OUTPUTS.try_with(|outputs| SHELF.leave(&mut outputs.borrow_mut()));
}

/// Gives an output buffer back; its content is dropped.
pub(crate) fn return_output(mut buffer: Vec<u8>) {
    if buffer.capacity() == 0 || buffer.capacity() > KEPT_LEN {
        return;
    }
    buffer.clear();
    let _ = OUTPUTS.try_with(|outputs| {
        let mut outputs = outputs.borrow_mut();
        if outputs.len() < KEPT {
            outputs.push(buffer);
        }
    });
}
