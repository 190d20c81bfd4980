//! Hosts in other scripts: the form of a name that goes on the wire, to be shown to whoever wrote the
//! other one (RFC 3490 section 5, RFC 3492).

/// What a host with characters beyond ASCII is called on the wire; `None` if it has none of these, or
/// others than letters, digits and hyphens, whose spelling is not settled that easily.
pub(crate) fn ascii_form(host: &str) -> Option<String> {
    if host.is_ascii() {
        return None;
    }
    let labels = host.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']).map(label);
    labels.collect::<Option<Vec<_>>>().map(|labels| labels.join("."))
}

fn label(label: &str) -> Option<String> {
    let label: Vec<char> = label.chars().flat_map(char::to_lowercase).collect();
    let is_spelled = label.iter().all(|c| c.is_alphanumeric() || *c == '-');
    if !is_spelled || !(1..=MOST_CHARACTERS).contains(&label.len()) {
        return None;
    }
    let is_ascii = label.iter().all(char::is_ascii);
    Some(if is_ascii { label.iter().collect() } else { format!("xn--{}", punycode(&label)) })
}

/// More does not fit a label of the domain name system.
const MOST_CHARACTERS: usize = 63;

/// RFC 3492 section 6.3.
fn punycode(label: &[char]) -> String {
    let mut out: String = label.iter().filter(|c| c.is_ascii()).collect();
    let basic = out.len();
    if basic > 0 {
        out.push('-');
    }
    let (mut written, mut delta, mut bias, mut from) = (basic, 0, INITIAL_BIAS, INITIAL_N);
    while let Some(next) = label.iter().map(|c| u32::from(*c)).filter(|c| *c >= from).min() {
        delta += (next - from) * (written as u32 + 1);
        for c in label.iter().map(|c| u32::from(*c)) {
            if c == next {
                digits(delta, bias, &mut out);
                bias = adapted(delta, written as u32 + 1, written == basic);
                (delta, written) = (0, written + 1);
            } else if c < next {
                delta += 1;
            }
        }
        (delta, from) = (delta + 1, next + 1);
    }
    out
}

/// A number with digits whose weights depend on the bias, least significant first.
fn digits(mut number: u32, bias: u32, out: &mut String) {
    for k in (BASE..).step_by(BASE as usize) {
        let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
        if number < threshold {
            break;
        }
        out.push(digit(threshold + (number - threshold) % (BASE - threshold)));
        number = (number - threshold) / (BASE - threshold);
    }
    out.push(digit(number));
}

/// Section 5: a to z, then 0 to 9.
fn digit(number: u32) -> char {
    char::from(DIGITS[number as usize])
}

/// Section 6.1.
fn adapted(delta: u32, written: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / DAMP } else { delta / 2 };
    delta += delta / written;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

// Section 5.
const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 128;
const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_they_are_registered() {
        for (host, expected) in [
            ("bücher.example", "xn--bcher-kva.example"),
            ("Bücher.Example", "xn--bcher-kva.example"),
            ("faß.de", "xn--fa-hia.de"),
            ("ü", "xn--tda"),
            ("правда.рф", "xn--80aafi6cg.xn--p1ai"),
            // RFC 3492 section 7.1 (B).
            ("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ] {
            assert_eq!(ascii_form(host).as_deref(), Some(expected), "{host}");
        }
    }

    #[test]
    fn others_are_left_alone() {
        let long = "ü".repeat(64);
        // The last but one is u and a combining diaeresis, which is registered as one letter.
        for host in ["example.org", "a..ü", "ü b", "☃.example", "bu\u{308}cher", &long] {
            assert_eq!(ascii_form(host), None, "{host}");
        }
    }
}
