//! Heads as bytes (RFC 9112 §4, §5).

use http::{HeaderMap, Response, StatusCode, header};

use super::fields;

/// Appends a response, head and body, to `out`.
///
/// Field names go out in the spelling of the RFCs (`Sec-WebSocket-Accept`). A response other than
/// 101 gets `Content-Length` and `Connection: close` unless it has those fields: what follows a refused
/// opening handshake is not to be read as another request. The statuses 1xx, 204 and 304 have no body,
/// whatever was given.
///
/// [RFC 9112 §4](https://www.rfc-editor.org/rfc/rfc9112#section-4)
///
/// ```
/// let response = http::Response::builder().status(404).body(()).unwrap();
/// let mut out = Vec::new();
/// hybi_handshake::write_response(&response, b"no such page\n", &mut out);
/// assert_eq!(
///     out,
///     b"HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\nConnection: close\r\n\r\nno such page\n"
/// );
/// ```
pub fn write_response<B>(response: &Response<B>, body: &[u8], out: &mut Vec<u8>) {
    write_response_head(response, body.len(), out);
    if !is_bodiless(response.status()) {
        out.extend(body);
    }
}

/// Appends the head of a response whose body would have `body_len` bytes: the whole answer to a
/// HEAD request. Otherwise as [`write_response`].
///
/// [RFC 9110 §9.3.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2)
pub fn write_response_head<B>(response: &Response<B>, body_len: usize, out: &mut Vec<u8>) {
    let (status, headers) = (response.status(), response.headers());
    out.extend(b"HTTP/1.1 ");
    out.extend(status.as_str().as_bytes());
    out.push(b' ');
    out.extend(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend(b"\r\n");
    write_fields(headers, out);
    if !is_bodiless(status) && !headers.contains_key(header::CONTENT_LENGTH) {
        out.extend(format!("Content-Length: {body_len}\r\n").as_bytes());
    }
    if !status.is_informational() && !headers.contains_key(header::CONNECTION) {
        out.extend(b"Connection: close\r\n");
    }
    out.extend(b"\r\n");
}

/// Whether responses of this status end with their head (RFC 9112 §6.3 item 1).
fn is_bodiless(status: StatusCode) -> bool {
    status.is_informational()
        || [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status)
}

/// Appends every field with its line end, in the spelling of the RFCs.
///
/// [RFC 9112 §5](https://www.rfc-editor.org/rfc/rfc9112#section-5)
pub fn write_fields(headers: &HeaderMap, out: &mut Vec<u8>) {
    for (name, value) in headers {
        fields::write_name(name, out);
        out.extend(b": ");
        out.extend(value.as_bytes());
        out.extend(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_and_connection_are_added_where_they_belong() {
        for (status, field, expected) in [
            (200, "", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"),
            (
                200,
                "connection",
                "HTTP/1.1 200 OK\r\nConnection: 9\r\nContent-Length: 4\r\n\r\nbody",
            ),
            // What the caller sets stays.
            (
                200,
                "content-length",
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nbody",
            ),
            (103, "", "HTTP/1.1 103 Early Hints\r\n\r\n"),
            (204, "", "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"),
            (304, "", "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"),
            (299, "", "HTTP/1.1 299 \r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"),
        ] {
            let mut response = Response::builder().status(status);
            if !field.is_empty() {
                response = response.header(field, "9");
            }
            let mut out = Vec::new();
            let response = response.body(()).unwrap();
            write_response(&response, b"body", &mut out);
            assert_eq!(core::str::from_utf8(&out), Ok(expected));
            let mut head = Vec::new();
            write_response_head(&response, 4, &mut head);
            assert_eq!(core::str::from_utf8(&head), Ok(expected.trim_end_matches("body")));
        }
    }
}
