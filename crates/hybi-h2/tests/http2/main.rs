//! WebSocket over HTTP/2 as its peers see it: in messages, in frames, and in what hostile ones can do (RFC 8441).
//!
//! What running software was seen to do otherwise, and where it is shown that ours does not:
//!
//! - a key that comes is answered, none is sent: `answers::a_key_is_answered_if_it_came`,
//!   `client::what_is_asked_for_has_all_of_a_uri_and_neither_key_nor_upgrade`; two keys, as a gateway may add one, are refused:
//!   `answers::what_breaks_a_rule_is_refused_by_its_status`;
//! - one that is stuck stalls no other: `limits::all_but_one_may_stall_and_the_one_goes_on`,
//!   `limits::a_stream_that_is_reset_gives_its_window_back`, `floods::ten_streams_full_of_small_messages_stall_nobody_and_many_more_end_the_connection`;
//! - Close is answered and then the stream ended, and who breaks a rule is told which: `ends`; 501, 400 with the version, 403,
//!   no version at all: `answers`; half a preface, fields without an end: `limits`;
//! - an end or a reset in mid message is a loss: `ends::the_end_in_a_message_is_a_loss_and_no_end_in_order`;
//! - a client waits for the setting, and falls back: `client`;
//! - what h2 ends a connection for is known by its number: `hostile`, `floods`.

#[cfg(feature = "rustls")]
mod alpn;
mod answers;
mod both_roles;
mod client;
mod drain;
mod ends;
mod floods;
mod hostile;
mod hostile_server;
mod limits;
mod peer;
mod raw;

#[global_allocator]
static ALLOCATOR: hybi_suite::allocator::Counting = hybi_suite::allocator::Counting;
