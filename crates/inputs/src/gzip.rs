//! gzip streams as gzip(1) reads them.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// First bytes of a gzip member. Source: RFC 1952, section 2.3.1.
pub(crate) const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The members of a gzip stream, decompressed one after the other, each with its checksum verified.
///
/// Zeros after the last member are padding (tapes and object stores fill up their blocks), as for
/// gzip(1); anything else there is an error.
pub(crate) struct Members<R> {
    /// `None` after the end.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Members<R> {
    /// The stream that starts with the first member's header.
    pub(crate) fn new(source: R) -> Self {
        Self { member: Some(GzDecoder::new(source)) }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let Some(mut source) = self.member.take().map(GzDecoder::into_inner) else { break };
            if !is_padding(&mut source)? {
                self.member = Some(GzDecoder::new(source));
            }
        }
        Ok(0)
    }
}

/// Whether nothing but zeros is left, which are then read.
fn is_padding(source: &mut impl BufRead) -> io::Result<bool> {
    let mut padded = false;
    loop {
        let bytes = source.fill_buf()?;
        if bytes.is_empty() {
            return Ok(true);
        }
        if let Some(zeros) = bytes.iter().position(|&byte| byte != 0) {
            if padded || zeros > 0 {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "other bytes after its padding"));
            }
            return Ok(false);
        }
        let length = bytes.len();
        source.consume(length);
        padded = true;
    }
}
