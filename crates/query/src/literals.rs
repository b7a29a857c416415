//! Numbers as jobs write them: polars reads `1.0e6` in SQL, and not `1e6`, nor lists of numbers
//! with a fraction and numbers without.

use std::borrow::Cow;

/// SQL in which numbers in scientific notation have a fraction, and all numbers of an `IN (…)` if
/// one of them has. Text in quotes and names stay as they are.
pub(super) fn readable(sql: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut quote = None;
    let bytes = sql.as_bytes();
    let mut at = 0;
    // Where a list ends whose numbers all need a fraction.
    let mut list_end = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if let Some(open) = quote {
            quote = (byte != open).then_some(open);
            at += 1;
        } else if matches!(byte, b'\'' | b'"' | b'`') {
            quote = Some(byte);
            at += 1;
        } else if byte.is_ascii_alphabetic() || byte == b'_' {
            let length = word(&bytes[at..]);
            if bytes[at..at + length].eq_ignore_ascii_case(b"in") {
                list_end = at + length + mixed_list(&bytes[at + length..]);
            }
            at += length;
        } else if byte.is_ascii_digit() || byte == b'.' {
            let digits = bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let end = at + digits;
            let whole = at < list_end && !bytes[end..].first().is_some_and(|byte| b".eE".contains(byte));
            if digits > 0 && (whole || is_exponent(&bytes[end..])) {
                out.push_str(&sql[copied..end]);
                out.push_str(".0");
                copied = end;
            }
            // Whatever follows belongs to this number, or to nothing that is one.
            let number = bytes[at..].len() - rest_of_number(&bytes[at..]).len();
            at = (at + number).max(end + 1);
        } else {
            at += 1;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(sql);
    }
    out.push_str(&sql[copied..]);
    Cow::Owned(out)
}

/// Length of a list in parentheses of nothing but numbers, some with a fraction or an exponent; 0
/// for anything else.
fn mixed_list(bytes: &[u8]) -> usize {
    let length = bytes.iter().take_while(|byte| **byte != b')').count();
    let list = bytes[..length].trim_ascii_start();
    let numeric = |byte: &u8| byte.is_ascii_digit() || b"+-.eE, \t\r\n".contains(byte);
    let numbers = list.first() == Some(&b'(') && list[1..].iter().all(numeric);
    if numbers && list.iter().any(|byte| b".eE".contains(byte)) { length } else { 0 }
}

/// What follows letters, digits, points, and signs of exponents.
fn rest_of_number(mut bytes: &[u8]) -> &[u8] {
    loop {
        bytes = match bytes {
            [b'e' | b'E', b'+' | b'-', rest @ ..] => rest,
            [byte, rest @ ..] if byte.is_ascii_alphanumeric() || *byte == b'.' => rest,
            _ => return bytes,
        };
    }
}

/// Length of a name.
fn word(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count().max(1)
}

/// Whether an exponent begins here: `e6`, `E-3`, `e+10`.
fn is_exponent(bytes: &[u8]) -> bool {
    match bytes {
        [b'e' | b'E', b'+' | b'-', digit, ..] | [b'e' | b'E', digit, ..] => digit.is_ascii_digit(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn only_numbers_change() {
        for (sql, expected) in [
            ("noise_scale = 1e6", "noise_scale = 1.0e6"),
            ("x IN (1e3, 2E-4,5e+2)", "x IN (1.0e3, 2.0E-4,5.0e+2)"),
            ("x = 1.5e6 AND y = 10", "x = 1.5e6 AND y = 10"),
            ("x = '1e6' OR \"1e6\" = 2", "x = '1e6' OR \"1e6\" = 2"),
            ("col1e6 = v2e3", "col1e6 = v2e3"),
            ("α = 1e1", "α = 1.0e1"),
            ("x = 0x1e6 OR x = .5e3", "x = 0x1e6 OR x = .5e3"),
            ("x IN (10, 1e6) AND y = 10", "x IN (10.0, 1.0e6) AND y = 10"),
            ("x in(0.5,-2, 3, 1.5e-4)", "x in(0.5,-2.0, 3.0, 1.5e-4)"),
            ("x NOT IN (1, 2) OR y IN ('a', '1.5', 2)", "x NOT IN (1, 2) OR y IN ('a', '1.5', 2)"),
            ("ROUND(1.5, 2) IN (SELECT 1.5, 2", "ROUND(1.5, 2) IN (SELECT 1.5, 2"),
            ("", ""),
        ] {
            assert_eq!(readable(sql), expected);
        }
    }
}
