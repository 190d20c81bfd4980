//! The rules of these handshakes that a peer can break and that RFC 6455 does not have.

use hybi_handshake::DraftRule;

/// A rule that a client broke.
pub(super) const fn of_client(rule: &'static str, document: &'static str) -> DraftRule {
    DraftRule { rule, document, by_client: true }
}

/// A rule that a server broke.
pub(super) const fn of_server(rule: &'static str, document: &'static str) -> DraftRule {
    DraftRule { rule, document, by_client: false }
}

pub(super) static FIELD_ORDER: DraftRule =
    of_client("the fields are not those of the draft, in its order", "hixie-75");
pub(super) static FIRST_LINES: DraftRule =
    of_server("the response does not begin with the three lines of the draft", "hixie-75");

pub(super) static KEY1_MISSING: DraftRule = of_client("Sec-WebSocket-Key1 is missing", "hixie-76");
pub(super) static KEY2_MISSING: DraftRule = of_client("Sec-WebSocket-Key2 is missing", "hixie-76");
pub(super) static NO_DIGIT: DraftRule = of_client("a key holds no digit", "hixie-76");
pub(super) static NO_SPACE: DraftRule = of_client("a key holds no space", "hixie-76");
pub(super) static NOT_A_MULTIPLE: DraftRule =
    of_client("the number in a key is not a multiple of its spaces", "hixie-76");
pub(super) static NUMBER_TOO_LARGE: DraftRule =
    of_client("the number in a key, divided by its spaces, has more than 32 bits", "hixie-76");
pub(super) static UPGRADE_MISSING: DraftRule =
    of_client("Upgrade does not list websocket", "hixie-76");
pub(super) static CONNECTION_MISSING: DraftRule =
    of_client("Connection does not list Upgrade", "hixie-76");
pub(super) static RESPONSE_UPGRADE: DraftRule =
    of_server("Upgrade in the response is not websocket", "hixie-76");
pub(super) static RESPONSE_CONNECTION: DraftRule =
    of_server("Connection in the response is not Upgrade", "hixie-76");
pub(super) static ANSWER_MISMATCH: DraftRule =
    of_server("the sixteen bytes behind the head do not answer the challenge", "hixie-76");

pub(super) static MALFORMED_DRAFT: DraftRule =
    of_client("Sec-WebSocket-Draft is not a number", "hybi-02");

pub(super) static NONCE_MISSING: DraftRule = of_server("Sec-WebSocket-Nonce is missing", "hybi-04");
pub(super) static NONCE_MALFORMED: DraftRule =
    of_server("Sec-WebSocket-Nonce is not base64 of 16 bytes", "hybi-04");
