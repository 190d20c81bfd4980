//! The split-point check: bytes mean the same wherever a network cuts them.

use core::fmt::Debug;

/// Gives `bytes` to `read` whole, cut in two at each place, and byte by byte; returns what comes of them.
///
/// ```
/// use hybi_testkit::splits::at_every_split;
///
/// // A reader of lines; one that took each piece for a line would be told of.
/// let lines = at_every_split(b"one\ntwo\n", |pieces| {
///     let (mut lines, mut begun) = (Vec::new(), Vec::new());
///     for &byte in pieces.iter().copied().flatten() {
///         match byte {
///             b'\n' => lines.push(core::mem::take(&mut begun)),
///             byte => begun.push(byte),
///         }
///     }
///     lines
/// });
/// assert_eq!(lines, [b"one", b"two"]);
/// ```
///
/// # Panics
///
/// When a cut makes a difference; the message says which.
#[track_caller]
pub fn at_every_split<R: Debug + PartialEq>(
    bytes: &[u8],
    mut read: impl FnMut(&[&[u8]]) -> R,
) -> R {
    let whole = read(&[bytes]);
    for at in 1..bytes.len() {
        let (before, behind) = bytes.split_at(at);
        let cut = read(&[before, behind]);
        assert_eq!(cut, whole, "cut before byte {at} (left), and whole (right)");
    }
    let single: Vec<_> = bytes.chunks(1).collect();
    assert_eq!(read(&single), whole, "byte by byte (left), and whole (right)");
    whole
}
