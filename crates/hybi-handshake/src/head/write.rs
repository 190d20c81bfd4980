//! Heads as bytes (RFC 9112 §4, §5).

use http::{HeaderMap, Response, StatusCode, header};

use super::fields;

/// Appends a response, head and body, to `out`.
///
/// Field names go out in the spelling of the RFCs (`Sec-WebSocket-Accept`). A response other than
/// 101 gets `Content-Length` and `Connection: close` unless it has those fields: what follows a refused
/// opening handshake is not to be read as another request.
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
    let (status, headers) = (response.status(), response.headers());
    out.extend(b"HTTP/1.1 ");
    out.extend(status.as_str().as_bytes());
    out.push(b' ');
    out.extend(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend(b"\r\n");
    write_fields(headers, out);
    // Neither has a body, whatever was given.
    let bodiless = status.is_informational() || status == StatusCode::NO_CONTENT;
    if !bodiless && !headers.contains_key(header::CONTENT_LENGTH) {
        out.extend(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    if !status.is_informational() && !headers.contains_key(header::CONNECTION) {
        out.extend(b"Connection: close\r\n");
    }
    out.extend(b"\r\n");
    if !bodiless {
        out.extend(body);
    }
}

/// Appends every field with its line end.
pub(crate) fn write_fields(headers: &HeaderMap, out: &mut Vec<u8>) {
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
            (299, "", "HTTP/1.1 299 \r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody"),
        ] {
            let mut response = Response::builder().status(status);
            if !field.is_empty() {
                response = response.header(field, "9");
            }
            let mut out = Vec::new();
            write_response(&response.body(()).unwrap(), b"body", &mut out);
            assert_eq!(core::str::from_utf8(&out), Ok(expected));
        }
    }
}
