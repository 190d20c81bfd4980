//! What option values mean: sizes, durations, addresses, URLs, header lines, close codes, versions.
//!
//! Each parser takes the text of one value and answers with the value or with a sentence that
//! names the accepted form; the argument parser puts option and text in front of that sentence.

mod address;
mod certificate;
mod close;
mod header;
mod hex;
mod http;
mod idn;
mod quantity;
mod url;
mod version;

pub(crate) use address::{HostPort, ListenAddr, host, listen_addr, local_address, peer_address};
pub(crate) use certificate::{certificate_name, server_name};
pub(crate) use close::{CloseSpec, close_parts, close_spec};
pub(crate) use header::{
    basic_credentials, cookie, header_line, header_text, header_words, origin, token,
};
pub(crate) use hex::{decode_hex, encode_hex};
pub(crate) use http::{HttpVersion, http_name};
pub(crate) use quantity::{Span, count, duration, duration_or_off, size, size_from_one, time};
pub(crate) use url::{Target, percent_decode, target};
pub(crate) use version::{
    Asked, VersionList, aliases, asked, drafts, rules, version_name, versions,
};
