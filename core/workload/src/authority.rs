//! What a client's requests name as whom they call, made something that tonic takes.
//!
//! Clients of gRPC's C core (Python, C++, Ruby), of Java and of Swift name the socket's path as
//! `:authority`, and h2 refuses such a request before we are asked (docs/adr/0035). Here the client's
//! frames pass as they are, except header blocks: they are decoded and written anew, with a name of
//! ours. Whatever breaks the rules of HTTP/2 here ends the connection.

use bytes::{Buf, Bytes, BytesMut};
use loona_hpack::Decoder as Hpack;
use loona_hpack::encoder::encode_integer;
use std::io;
use tokio_util::codec::Decoder;

/// Whom every request is for. On a Unix socket it means nothing.
const AUTHORITY: &[u8] = b"localhost";
/// What each connection of HTTP/2 begins with (RFC 9113, section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The length of a frame's head (section 4.1).
const HEAD: usize = 9;
/// The longest payload of a frame: what h2 announces, too, for it announces nothing else.
const PAYLOAD_MAX: usize = 16_384;
/// The longest header block, as it comes, heads of frames included, so that empty frames come to an
/// end as well; and as it is read, counted as SETTINGS_MAX_HEADER_LIST_SIZE is (section 6.5.2).
const BLOCK_MAX: usize = 16_384;
/// What each field counts beside its name and value.
const FIELD: usize = 32;
/// The client's dynamic table: the size that holds when nothing else is announced.
const TABLE_MAX: usize = 4096;

const HEADERS: u8 = 0x1;
const PUSH_PROMISE: u8 = 0x5;
const CONTINUATION: u8 = 0x9;

const END_STREAM: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const PADDED: u8 = 0x8;
const PRIORITY: u8 = 0x20;
const PRIORITY_LENGTH: usize = 5;

/// The client's side of one connection, frame by frame.
pub(crate) struct Requests {
    hpack: Hpack<'static>,
    greeted: bool,
    open: Option<Block>,
}

/// A header block that has begun.
struct Block {
    stream: u32,
    ends_stream: bool,
    bytes: BytesMut,
    /// What its frames took so far.
    taken: usize,
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    /// The whole of it, head and payload.
    bytes: Bytes,
}

impl Requests {
    pub(crate) fn new() -> Self {
        let mut hpack = Hpack::new();
        hpack.set_max_allowed_table_size(TABLE_MAX);
        Self { hpack, greeted: false, open: None }
    }
}

impl Decoder for Requests {
    type Item = Bytes;
    type Error = io::Error;

    fn decode(&mut self, input: &mut BytesMut) -> io::Result<Option<Bytes>> {
        if !self.greeted {
            self.greeted = is_preface(input)?;
            return Ok(self.greeted.then(|| input.split_to(PREFACE.len()).freeze()));
        }
        while let Some(frame) = next_frame(input)? {
            if let Some(bytes) = self.pass(frame)? {
                return Ok(Some(bytes));
            }
        }
        Ok(None)
    }
}

impl Requests {
    /// What h2 is told of a frame. Of a header block it hears when all of it is there.
    fn pass(&mut self, frame: Frame) -> io::Result<Option<Bytes>> {
        let mut block = match (frame.kind, self.open.take()) {
            (HEADERS, None) => Block::new(&frame),
            (CONTINUATION, Some(open)) if open.stream == frame.stream => open,
            // No client promises anything (section 8.4), and a block is never interrupted (6.10).
            (CONTINUATION | PUSH_PROMISE, None) | (_, Some(_)) => {
                return Err(broken("a header block where none may be, or an interrupted one"));
            }
            (_, None) => return Ok(Some(frame.bytes)),
        };
        block.append(&frame)?;
        if frame.flags & END_HEADERS == 0 {
            self.open = Some(block);
            return Ok(None);
        }
        self.write_anew(&block).map(Some)
    }

    /// A block as one frame that needs no dynamic table. A field takes seven bytes at most beside its
    /// name and value, and counts more, so one frame always has the room.
    fn write_anew(&mut self, block: &Block) -> io::Result<Bytes> {
        let (mut fields, mut size) = (Vec::new(), 0);
        let decoded = self.hpack.decode_with_cb(&block.bytes, |name, value| {
            let value = if *name == *b":authority" { AUTHORITY } else { &*value };
            size += name.len() + value.len() + FIELD;
            // The rest is read and not kept: a few bytes can stand for many.
            if size <= BLOCK_MAX {
                put_field(&mut fields, &name, value);
            }
        });
        decoded.map_err(|_| broken("a header block that cannot be read"))?;
        if size > BLOCK_MAX {
            return Err(broken("a header block that is too long"));
        }
        let flags = if block.ends_stream { END_HEADERS | END_STREAM } else { END_HEADERS };
        let mut frame = Vec::with_capacity(HEAD + fields.len());
        frame.extend_from_slice(&fields.len().to_be_bytes()[size_of::<usize>() - 3..]);
        frame.extend_from_slice(&[HEADERS, flags]);
        frame.extend_from_slice(&block.stream.to_be_bytes());
        frame.extend_from_slice(&fields);
        Ok(frame.into())
    }
}

impl Block {
    fn new(frame: &Frame) -> Self {
        let ends_stream = frame.flags & END_STREAM != 0;
        Self { stream: frame.stream, ends_stream, bytes: BytesMut::new(), taken: 0 }
    }

    fn append(&mut self, frame: &Frame) -> io::Result<()> {
        self.taken += frame.bytes.len();
        if self.taken > BLOCK_MAX + HEAD {
            return Err(broken("a header block that is too long"));
        }
        let fragment = frame.fragment().ok_or_else(|| broken("padding beyond its frame"))?;
        self.bytes.extend_from_slice(&fragment);
        Ok(())
    }
}

impl Frame {
    /// The part of a header block in it, without padding, and without a priority, which means nothing
    /// any more (section 5.3.2).
    fn fragment(&self) -> Option<Bytes> {
        let mut payload = self.bytes.slice(HEAD..);
        if self.kind != HEADERS {
            return Some(payload);
        }
        let has = |flag| self.flags & flag != 0;
        let padding = if has(PADDED) { usize::from(payload.try_get_u8().ok()?) } else { 0 };
        if has(PRIORITY) {
            payload =
                (payload.len() >= PRIORITY_LENGTH).then(|| payload.slice(PRIORITY_LENGTH..))?;
        }
        payload.truncate(payload.len().checked_sub(padding)?);
        Some(payload)
    }
}

/// Whether all of the preface is there.
fn is_preface(input: &[u8]) -> io::Result<bool> {
    let there = input.len().min(PREFACE.len());
    match input[..there] == PREFACE[..there] {
        true => Ok(there == PREFACE.len()),
        false => Err(broken("something else than HTTP/2")),
    }
}

/// The next frame, once all of it is there.
fn next_frame(input: &mut BytesMut) -> io::Result<Option<Frame>> {
    let Some(&[high, middle, low, kind, flags, a, b, c, d]) = input.first_chunk::<HEAD>() else {
        return Ok(None);
    };
    let payload = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
    if payload > PAYLOAD_MAX {
        return Err(broken("a frame that is too long"));
    }
    if input.len() < HEAD + payload {
        return Ok(None);
    }
    let bytes = input.split_to(HEAD + payload).freeze();
    // Its highest bit is reserved (section 4.1).
    let stream = u32::from_be_bytes([a & 0x7f, b, c, d]);
    Ok(Some(Frame { kind, flags, stream, bytes }))
}

/// A field in full, and never to be indexed (RFC 7541, section 6.2.3): what a client wants in no
/// table stays out of tables.
fn put_field(fields: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    fields.push(0x10);
    for text in [name, value] {
        fields.extend(encode_integer(text.len(), 7));
        fields.extend_from_slice(text);
    }
}

fn broken(why: &'static str) -> io::Error {
    tracing::warn!("a client's connection is ended: it sent {why}");
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests;
