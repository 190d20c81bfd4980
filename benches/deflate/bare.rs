//! What the backend alone takes.

use core::hint::black_box;

use hybi_benches::{
    Contender,
    bare::{Deflater, Inflater},
};

use crate::{LEVEL, Load};

pub(crate) fn sends(load: &Load) -> Contender<'_> {
    let mut deflater = Deflater::new(LEVEL, load.takeover);
    let mut messages = load.messages.iter().cycle();
    let mut payload = Vec::new();
    Contender::new("bare", move |count| {
        for message in messages.by_ref().take(count) {
            deflater.deflate(message.as_bytes(), &mut payload);
            black_box(&payload);
        }
    })
}

pub(crate) fn receives(load: &Load) -> Contender<'_> {
    let mut inflater = Inflater::new(load.takeover);
    let mut message = Vec::new();
    let [first, steady] = &load.payloads;
    first.iter().for_each(|payload| inflater.inflate(payload, &mut message));
    let mut payloads = steady.iter().cycle();
    Contender::new("bare", move |count| {
        for payload in payloads.by_ref().take(count) {
            inflater.inflate(payload, &mut message);
            black_box(message.to_vec());
        }
    })
}
