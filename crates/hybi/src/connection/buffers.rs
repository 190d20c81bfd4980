//! Output buffers, lent by the thread that a connection runs on while they hold something.

use core::cell::RefCell;

/// Buffers that grew beyond this many bytes are released instead of kept.
const KEPT_LEN: usize = 128 * 1024;

/// How many buffers a thread keeps: a few are in use at a time.
const KEPT: usize = 4;

thread_local! {
    static OUTPUTS: RefCell<Vec<Vec<u8>>> = RefCell::default();
}

/// Borrows an empty output buffer.
pub(crate) fn borrow_output() -> Vec<u8> {
    OUTPUTS.try_with(|outputs| outputs.borrow_mut().pop()).ok().flatten().unwrap_or_default()
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
