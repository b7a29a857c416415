//! Lengths of texts that pages hold as packed differences, counted before they are decoded.
//!
//! The decoder allocates as many lengths as a stream of them declares; few bytes can declare any
//! number. Here a stream is walked block by block, without unpacking it.
//!
//! Source: *Encodings*, sections on `DELTA_BINARY_PACKED`, `DELTA_LENGTH_BYTE_ARRAY` and
//! `DELTA_BYTE_ARRAY` (Apache Parquet, format 2.11).

use parquet::basic::Encoding;

use super::headers::Walk;

/// Streams of lengths that values of an encoding begin with.
pub(super) fn streams(encoding: Encoding) -> usize {
    if encoding == Encoding::DELTA_LENGTH_BYTE_ARRAY {
        1
    } else {
        // Lengths of what is shared with the text before, then of the rest.
        2 * usize::from(encoding == Encoding::DELTA_BYTE_ARRAY)
    }
}

/// Whether so many streams, one behind another, are there, each of at most so many lengths.
pub(super) fn are_sound(values: &[u8], streams: usize, most: u64) -> bool {
    let mut walk = Walk::over(values);
    (0..streams).all(|_| stream(&mut walk, most).is_some())
}

/// Walks to the end of a stream; `None` if it has more lengths, or is none.
fn stream(walk: &mut Walk<'_>, most: u64) -> Option<()> {
    let (block, parts, count) = (walk.unsigned()?, walk.unsigned()?, walk.unsigned()?);
    walk.unsigned()?;
    let part = block.checked_div(parts)?;
    if count > most || block % parts != 0 || part == 0 || part % 32 != 0 {
        return None;
    }
    // The first is in the header.
    let mut left = count.saturating_sub(1);
    while left > 0 {
        // The least difference of the block, then the widths of its parts in bits.
        walk.unsigned()?;
        let widths = walk.take(usize::try_from(parts).ok()?)?;
        for &width in widths {
            if left == 0 {
                break;
            }
            walk.take(usize::try_from((part / 8).checked_mul(u64::from(width))?).ok()?)?;
            left = left.saturating_sub(part);
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::are_sound;

    /// A header: blocks of 128 in 4 parts, the count, the first value 0.
    fn header(count: &[u8]) -> Vec<u8> {
        [&[0x80, 1, 4], count, &[0]].concat()
    }

    #[test]
    fn streams_end_where_their_last_block_does() {
        // 1 + 40 lengths: one block, of whose parts two are there, 4 and 0 bits wide.
        let one = [header(&[41]), vec![0, 1, 0, 99, 99], vec![7; 4]].concat();
        assert!(are_sound(&one, 1, 41));
        assert!(!are_sound(&one, 1, 40));
        assert!(!are_sound(&one[..one.len() - 1], 1, 41));
        assert!(!are_sound(&one, 2, 41));
        assert!(are_sound(&[&one[..], &one].concat(), 2, 41));
        // None, and one, take no block.
        assert!(are_sound(&[header(&[0]), header(&[1])].concat(), 2, 1));
    }

    #[test]
    fn more_lengths_than_values_and_parts_of_no_size_are_refused() {
        let many = header(&[0xff, 0xff, 0xff, 0xff, 0x70]);
        assert!(!are_sound(&many, 1, 1 << 20));
        // Blocks of 128 + the first, or of none.
        for (block, parts) in [([0x80, 0], 4), ([0x80, 1], 0), ([0x80, 1], 3), ([0x80, 1], 8), ([0xa1, 1], 1)]
        {
            let parted = [&block[..], &[parts, 9, 0], &[0; 20]].concat();
            assert!(!are_sound(&parted, 1, 9), "{block:?} {parts}");
        }
        assert!(!are_sound(&[], 1, 9));
    }
}
