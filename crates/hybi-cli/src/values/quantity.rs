//! Counts (`100`), sizes (`64KiB`, `10kB`, `512`) and durations (`250ms`, `10s`, `5m`, `1h`, `off`).

use core::ops::RangeInclusive;
use core::time::Duration;

/// A duration that can be switched off: `off` and `0` are `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Option<Duration>);

const SIZE_FORM: &str =
    "a size is a whole number of bytes, with a unit if wanted: 512, 10kB, 64KiB, 16MiB, 2GiB";
const DURATION_FORM: &str = "a duration is a number with a unit: 250ms, 10s, 5m, 1h";

/// Reads a size in bytes.
pub(crate) fn size(text: &str) -> Result<usize, String> {
    let (digits, unit) = split_unit(text);
    let factor: u64 = match unit {
        "" | "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(SIZE_FORM.into()),
    };
    let number: u64 = digits.parse().map_err(|_| SIZE_FORM.to_owned())?;
    number
        .checked_mul(factor)
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| format!("more bytes than this machine can address; {SIZE_FORM}"))
}

/// Reads a size of which nothing would make no sense.
pub(crate) fn size_from_one(text: &str) -> Result<usize, String> {
    match size(text)? {
        0 => Err(format!("at least one byte; {SIZE_FORM}")),
        bytes => Ok(bytes),
    }
}

/// Reads a count within `range`; one that ends at `u64::MAX` has no end for the user.
pub(crate) fn count<T: TryFrom<u64>>(text: &str, range: RangeInclusive<u64>) -> Result<T, String> {
    // `parse` would accept a leading plus sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<u64> = text.parse().ok().filter(|number| digits && range.contains(number));
    number.and_then(|number| number.try_into().ok()).ok_or_else(|| match range.into_inner() {
        (least, u64::MAX) => format!("a whole number, {least} or more"),
        (least, most) => format!("a whole number from {least} to {most}"),
    })
}

/// Reads a duration that something gets to happen, so one of at least a millisecond.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err(format!("longer than nothing; {DURATION_FORM}")),
        time => Ok(time),
    }
}

/// Reads a duration where nothing makes sense, too (`0s`).
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = split_unit(text);
    let seconds_per_unit = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "" if digits == "0" => 1.0,
        _ => return Err(DURATION_FORM.into()),
    };
    // Hand-checked form: `parse` alone would accept "1e9", "inf" and "+1".
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(DURATION_FORM.into());
    }
    let number: f64 = digits.parse().map_err(|_| DURATION_FORM.to_owned())?;
    // A century is further than any deadline means, and keeps `Instant + Duration` from
    // overflowing.
    const CENTURY: f64 = 100.0 * 365.25 * 86_400.0;
    let seconds = number * seconds_per_unit;
    if seconds > CENTURY {
        return Err("longer than a century; use `off` where the option allows it".into());
    }
    // The clock of deadlines ticks in milliseconds.
    if seconds > 0.0 && seconds < 0.001 {
        return Err(format!("shorter than 1ms; {DURATION_FORM}"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// Reads a duration, or `off`.
pub(crate) fn duration_or_off(text: &str) -> Result<Span, String> {
    if text == "off" {
        return Ok(Span(None));
    }
    let span = duration(text).map_err(|form| format!("{form}; or off"))?;
    Ok(Span(Some(span).filter(|span| !span.is_zero())))
}

fn split_unit(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("512", 512),
            ("10kB", 10_000),
            ("64KiB", 65_536),
            ("1MiB", 1 << 20),
            ("16MiB", 16 << 20),
            ("2GiB", 2 << 30),
            ("3MB", 3_000_000),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in
            ["", "-1", "+1", "1.5MiB", "KiB", "10 KiB", "10kb", "1TiB", "99999999999GiB", "0x10"]
        {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn counts() {
        assert_eq!(count("1", 1..=9), Ok(1_u16));
        assert_eq!(count("18446744073709551615", 0..=u64::MAX), Ok(u64::MAX));
        for text in ["", "0", "10", "+1", "-1", "1.0", " 1", "one"] {
            let refused = count::<u16>(text, 1..=9).unwrap_err();
            assert_eq!(refused, "a whole number from 1 to 9", "{text}");
        }
        assert_eq!(count::<u64>("0", 1..=u64::MAX).unwrap_err(), "a whole number, 1 or more");
        // Larger than the type, and no end was named.
        assert!(count::<u32>("4294967296", 1..=u64::MAX).is_err());
    }

    #[test]
    fn a_time_is_longer_than_nothing() {
        assert_eq!(time("1ms"), Ok(Duration::from_millis(1)));
        for text in ["0", "0s", "0.0ms", "0.5ms"] {
            assert!(time(text).unwrap_err().ends_with(DURATION_FORM), "{text}");
        }
    }

    #[test]
    fn durations() {
        for (text, millis) in [
            ("250ms", 250),
            ("10s", 10_000),
            ("1.5s", 1_500),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("0", 0),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "10",
            "-1s",
            "s",
            "1d",
            "1e3s",
            "infs",
            "1..2s",
            ".s",
            "9999999999h",
            "off",
            "0.1ms",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn off_and_zero_disable() {
        assert_eq!(duration_or_off("off"), Ok(Span(None)));
        assert_eq!(duration_or_off("0"), Ok(Span(None)));
        assert_eq!(duration_or_off("20s"), Ok(Span(Some(Duration::from_secs(20)))));
        assert!(duration_or_off("never").unwrap_err().ends_with("or off"));
    }
}
