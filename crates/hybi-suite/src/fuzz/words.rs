//! What RFC 9112 says of a head, in words and slowly: the head as lines, lines as fields, and nothing that
//! parsers are known to be lenient about.

/// A head that is in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) start_line: Vec<u8>,
    /// Names in lower case, values without the white space around them.
    pub(super) fields: Vec<(String, Vec<u8>)>,
    /// All bytes up to and with the blank line.
    pub(super) len: usize,
}

/// RFC 9112, section 2.2: a server ignores empty lines before a request. A client does not before a response.
pub(super) fn request_head(bytes: &[u8]) -> Option<Words> {
    let mut begin = 0;
    while bytes[begin..].starts_with(b"\r\n") {
        begin += 2;
    }
    let words = head(&bytes[begin..])?;
    Some(Words { len: begin + words.len, ..words })
}

/// RFC 9112, section 2.1: a start line, field lines, an empty line, each ended by CR LF. `None` for all else, and for
/// what is not complete.
pub(super) fn head(bytes: &[u8]) -> Option<Words> {
    let end = (0..bytes.len()).find(|&at| bytes[at..].starts_with(b"\r\n\r\n"))?;
    let mut lines = Vec::new();
    let mut rest = &bytes[..end + 2];
    while let Some(at) = (0..rest.len()).find(|&at| rest[at..].starts_with(b"\r\n")) {
        lines.push(&rest[..at]);
        rest = &rest[at + 2..];
    }
    // RFC 9112, section 2.2 leaves bare CR and LF to the recipient, and here they are refused; so are other controls.
    let is_text =
        |line: &[u8]| line.iter().all(|&byte| byte == b'\t' || byte >= b' ' && byte != 0x7f);
    if !lines.iter().all(|line| is_text(line)) {
        return None;
    }
    let (start_line, fields) = lines.split_first()?;
    let fields = fields.iter().map(|line| field(line)).collect::<Option<_>>()?;
    Some(Words { start_line: start_line.to_vec(), fields, len: end + 4 })
}

/// RFC 9112, section 5: a token, a colon right behind it, a value between optional white space. A line that begins with
/// white space goes on with the one before, and is refused (RFC 9112, section 5.2).
fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let value = trimmed(&line[colon + 1..]).to_vec();
    token(&line[..colon]).map(|name| (name.to_ascii_lowercase(), value))
}

/// RFC 9110, section 5.6.2.
pub(super) fn token(bytes: &[u8]) -> Option<&str> {
    let text = core::str::from_utf8(bytes).ok()?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    (!text.is_empty() && text.chars().all(is_token)).then_some(text)
}

/// RFC 9112, section 3: method, target and version with one space between.
pub(super) fn request_line(line: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let mut words = line.split(|&byte| byte == b' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    (words.next().is_none() && !target.is_empty()).then_some((token(method)?, target, version))
}

/// RFC 9112, section 4: version, status of three digits and a reason, which may be empty. The space before an empty
/// reason is often left out.
pub(super) fn status_line(line: &[u8]) -> Option<(&[u8], u16)> {
    let (version, rest) = line.split_at_checked(8)?;
    let (status, reason) = rest.strip_prefix(b" ")?.split_at_checked(3)?;
    let status =
        status.iter().all(u8::is_ascii_digit).then(|| core::str::from_utf8(status).ok())?;
    let ends = reason.is_empty() || reason.starts_with(b" ");
    ends.then_some((version, status?.parse().ok()?))
}

/// The elements of a list (RFC 9110, section 5.6.1), of which empty ones do not count.
pub(super) fn elements(value: &[u8], between: u8) -> impl Iterator<Item = &[u8]> {
    value.split(move |&byte| byte == between).map(trimmed)
}

/// Without white space around it.
pub(super) fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}
