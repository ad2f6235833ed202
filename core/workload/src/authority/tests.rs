//! Encoders of every kind against the rewriting of their header blocks, and what must end a connection.

use super::*;
use futures::future::join;
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::io::{AsyncReadExt, DuplexStream, ReadHalf, WriteHalf, duplex, join as both, split};
use tokio_util::codec::FramedRead;
use tokio_util::io::{ReaderStream, StreamReader};

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let stream = stream.to_be_bytes();
    [&length[1..], &[kind, flags], &stream, payload].concat()
}

/// What h2 is told when all of this comes in pieces of one length.
fn told(bytes: &[u8], piece: usize) -> io::Result<Vec<u8>> {
    let (mut requests, mut input, mut told) = (Requests::new(), BytesMut::new(), Vec::new());
    for piece in bytes.chunks(piece) {
        input.extend_from_slice(piece);
        while let Some(said) = requests.decode(&mut input)? {
            told.extend_from_slice(&said);
        }
    }
    Ok(told)
}

fn after_preface(frames: &[Vec<u8>]) -> Vec<u8> {
    [PREFACE, &frames.concat()].concat()
}

/// The blocks among frames, read by somebody who keeps no table.
fn blocks(bytes: &[u8]) -> Vec<(u8, u32, Fields)> {
    let mut input = BytesMut::from(bytes.strip_prefix(PREFACE).unwrap());
    let mut found = Vec::new();
    while let Some(frame) = next_frame(&mut input).unwrap() {
        let mut reader = Hpack::new();
        reader.set_max_table_size(0);
        let payload = &frame.bytes[HEAD..];
        match frame.kind {
            HEADERS => found.push((frame.flags, frame.stream, reader.decode(payload).unwrap())),
            _ => assert_ne!(frame.kind, CONTINUATION),
        }
    }
    assert!(input.is_empty());
    found
}

fn fields(of: &[(&str, &str)]) -> Fields {
    of.iter().map(|(name, value)| (name.as_bytes().into(), value.as_bytes().into())).collect()
}

fn literal(of: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in of {
        put_field(&mut block, name.as_bytes(), value.as_bytes());
    }
    block
}

/// RFC 7541, section C.4: three requests with Huffman's code, the authority from the dynamic table
/// from the second one on.
#[test]
fn the_standards_own_requests_are_read() {
    let hex = |text: &str| -> Vec<u8> {
        let digits: Vec<u8> =
            text.chars().map(|c| u8::try_from(c.to_digit(16).unwrap()).unwrap()).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    };
    let sent = after_preface(&[
        frame(HEADERS, 5, 1, &hex("828684418cf1e3c2e5f23a6ba0ab90f4ff")),
        frame(HEADERS, 5, 3, &hex("828684be5886a8eb10649cbf")),
        frame(HEADERS, 5, 5, &hex("828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf")),
    ]);
    let head = |scheme, path| {
        [(":method", "GET"), (":scheme", scheme), (":path", path), (":authority", "localhost")]
    };
    let extra = [vec![], vec![("cache-control", "no-cache")], vec![("custom-key", "custom-value")]];
    let head = [head("http", "/"), head("http", "/"), head("https", "/index.html")];
    let expected: Vec<_> = (0..3)
        .map(|i| {
            (5, 1 + 2 * u32::try_from(i).unwrap(), fields(&[&head[i][..], &extra[i]].concat()))
        })
        .collect();
    assert_eq!(blocks(&told(&sent, sent.len()).unwrap()), expected);
}

#[test]
fn a_table_is_as_large_as_the_client_says() {
    let path = [0x44, 2, b'/', b'p'];
    // Emptied, made larger again, and used.
    let emptied = [&[0x20, 0x3f, 0xe1, 0x1f], &path[..]].concat();
    let sent = [
        frame(HEADERS, 5, 1, &path),
        frame(HEADERS, 5, 3, &emptied),
        frame(HEADERS, 5, 5, &[0xbe]),
        // What was there before is not.
        frame(HEADERS, 5, 7, &[0xbf]),
    ];
    let expected: Vec<_> = [1, 3, 5].map(|stream| (5, stream, fields(&[(":path", "/p")]))).into();
    assert_eq!(blocks(&told(&after_preface(&sent[..3]), 1).unwrap()), expected);
    assert!(told(&after_preface(&sent), 1).is_err());
}

#[test]
fn a_sockets_path_becomes_a_name_and_all_else_stays() {
    for path in ["%2Ftmp%2Fx.sock", "/tmp/x.sock", "unix:/tmp/x.sock", "localhost", ""] {
        let sent = [(":path", "/a"), (":authority", path), ("te", "trailers"), ("x", "")];
        let others = [
            frame(0x4, 0, 0, &[0, 3, 0, 0, 0, 9]),
            frame(0x0, 0x9, 7, &[1, b'd', 0]),
            frame(0xfa, 0xff, 7, b"of a later standard"),
        ];
        let sent = [&others[..1], &[frame(HEADERS, 4, 7, &literal(&sent))], &others[1..]].concat();
        let told = told(&after_preface(&sent), 3).unwrap();
        let expected =
            [(":path", "/a"), (":authority", "localhost"), ("te", "trailers"), ("x", "")];
        assert_eq!(blocks(&told), [(4, 7, fields(&expected))]);
        assert!(told.starts_with(&[PREFACE, &others[0]].concat()));
        assert!(told.ends_with(&others[1..].concat()));
    }
}

#[test]
fn a_block_in_pieces_is_the_same_block() {
    let of = [(":path", "/"), (":authority", "/x"), ("long", &"v".repeat(9000))];
    let block = literal(&of);
    let whole = after_preface(&[frame(HEADERS, 0x5, 3, &block)]);
    let whole = told(&whole, 1).unwrap();
    let priority = [0x80, 0, 0, 3, 16];
    for cut in [0, 1, 5, 4000, block.len()] {
        let (left, right) = block.split_at(cut);
        let padded = [&[7], &priority[..], left, &[0; 7]].concat();
        let sent = after_preface(&[
            frame(HEADERS, END_STREAM | PADDED | PRIORITY, 3, &padded),
            frame(CONTINUATION, 0, 3, &[]),
            // The reserved bit means nothing.
            frame(CONTINUATION, END_HEADERS, 3 | 1 << 31, right),
        ]);
        for piece in [1, 13, sent.len()] {
            assert_eq!(told(&sent, piece).unwrap(), whole, "{cut}, {piece}");
        }
    }
}

#[test]
fn what_breaks_the_rules_ends_the_connection() {
    let block = literal(&[(":path", "/")]);
    let open = frame(HEADERS, 0, 1, &block);
    let many = vec![frame(CONTINUATION, 0, 1, &[]); BLOCK_MAX / HEAD];
    // A field of 4,000 bytes, and five references to it.
    let mut bomb = vec![0x40, 1, b'n'];
    bomb.extend([&encode_integer(4000, 7)[..], &[b'v'; 4000], &[0xbe; 5]].concat());
    let cases: Vec<(&str, Vec<Vec<u8>>)> = vec![
        ("a frame too long", vec![frame(0, 0, 1, &vec![0; PAYLOAD_MAX + 1])]),
        ("the head of one", vec![vec![0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]]),
        ("interrupted by data", vec![open.clone(), frame(0, 0, 1, b"d")]),
        ("interrupted by the unknown", vec![open.clone(), frame(0xfa, 0, 1, b"")]),
        ("interrupted by a block", vec![open.clone(), open.clone()]),
        ("of another stream", vec![open.clone(), frame(CONTINUATION, 4, 3, &block)]),
        ("of nothing", vec![frame(CONTINUATION, 4, 1, &block)]),
        ("a promise", vec![frame(PUSH_PROMISE, 4, 1, &[0, 0, 0, 2])]),
        ("padding beyond it", vec![frame(HEADERS, 4 | PADDED, 1, &[2, 0x82])]),
        ("no length of padding", vec![frame(HEADERS, 4 | PADDED, 1, &[])]),
        ("no priority", vec![frame(HEADERS, 4 | PRIORITY, 1, &[0; 4])]),
        ("too many frames", [vec![open.clone()], many].concat()),
        (
            "too long",
            vec![
                frame(HEADERS, 0, 1, &vec![0x82; 16_000]),
                frame(CONTINUATION, 4, 1, &vec![0x82; 400]),
            ],
        ),
        ("too many fields", vec![frame(HEADERS, 4, 1, &vec![0x82; 500])]),
        ("a bomb", vec![frame(HEADERS, 4, 1, &bomb)]),
        ("no such index", vec![frame(HEADERS, 4, 1, &[0xbe])]),
        ("a table too large", vec![frame(HEADERS, 4, 1, &[0x3f, 0xe2, 0x1f, 0x82])]),
        ("half a field", vec![frame(HEADERS, 4, 1, &block[..2])]),
        ("wrong padding of Huffman's code", vec![frame(HEADERS, 4, 1, &[0x01, 0x81, 0x00])]),
    ];
    for (what, frames) in cases {
        let error = told(&after_preface(&frames), 4096).err();
        assert_eq!(error.map(|error| error.kind()), Some(io::ErrorKind::InvalidData), "{what}");
    }
    for other in ["GET / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n"] {
        assert!(told(other.as_bytes(), 1).is_err(), "{other}");
    }
    // The largest that is taken fits one frame.
    let (name, value) = ("n", "v".repeat(BLOCK_MAX - 1 - FIELD));
    let largest = frame(HEADERS, 4, 1, &literal(&[(name, &value)]));
    let largest = told(&after_preface(&[largest]), 4096).unwrap();
    assert_eq!(blocks(&largest), [(4, 1, fields(&[(name, &value)]))]);
}

type Server = h2::server::Connection<BothWays, Bytes>;
type BothWays = tokio::io::Join<
    StreamReader<
        FramedRead<StreamReader<ReaderStream<ReadHalf<DuplexStream>>, Bytes>, Requests>,
        Bytes,
    >,
    WriteHalf<DuplexStream>,
>;

/// Takes every request, with its body and trailers, until the client is gone.
async fn take_all(
    mut server: Server,
    count: usize,
) -> Vec<(http::request::Parts, http::HeaderMap)> {
    let mut taken = Vec::new();
    while let Some(next) = server.accept().await {
        let (request, mut answer) = next.unwrap();
        let (parts, mut body) = request.into_parts();
        // The connection moves while its next request is waited for, so a body is read beside it.
        let rest = tokio::spawn(async move {
            while let Some(data) = body.data().await {
                body.flow_control().release_capacity(data.unwrap().len()).unwrap();
            }
            let trailers = body.trailers().await.unwrap().unwrap_or_default();
            answer.send_response(http::Response::new(()), true).unwrap();
            trailers
        });
        taken.push((parts, rest));
    }
    assert_eq!(taken.len(), count);
    let mut all = Vec::new();
    for (parts, rest) in taken {
        all.push((parts, rest.await.unwrap()));
    }
    all
}

/// What is asked of h2 as a client, request by request: their fields, and whether they are secret.
type Asked = Vec<Vec<(String, Vec<u8>, bool)>>;

fn header_map(asked: &[(String, Vec<u8>, bool)]) -> http::HeaderMap {
    let mut map = http::HeaderMap::new();
    for (name, value, secret) in asked {
        let mut value = http::HeaderValue::from_bytes(value).unwrap();
        value.set_sensitive(*secret);
        map.append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
    }
    map
}

async fn ask_by_h2(asked: Asked, piece: usize) {
    // The pipe is large, and what is read comes in pieces: h2 stands still for good when both ends have
    // more to say than a pipe holds.
    let (near, far) = duplex(1 << 20);
    let (reads, writes) = split(far);
    let pieces = StreamReader::new(ReaderStream::with_capacity(reads, piece));
    let reads = StreamReader::new(FramedRead::new(pieces, Requests::new()));
    let asking = async {
        let (mut client, connection) = h2::client::handshake(near).await.unwrap();
        let driving = tokio::spawn(connection);
        for fields in &asked {
            let request = http::Request::post("http://name.example:8/path").body(()).unwrap();
            let (mut parts, ()) = request.into_parts();
            parts.headers = header_map(fields);
            let request = http::Request::from_parts(parts, ());
            client = client.ready().await.unwrap();
            let (answer, mut body) = client.send_request(request, false).unwrap();
            body.send_data(Bytes::from_static(b"body"), false).unwrap();
            body.send_trailers(header_map(fields)).unwrap();
            answer.await.unwrap();
        }
        drop(client);
        driving.await.unwrap().unwrap();
    };
    let server = async {
        let server = h2::server::handshake(both(reads, writes)).await.unwrap();
        take_all(server, asked.len()).await
    };
    let ((), taken) = join(asking, server).await;
    for ((parts, trailers), fields) in taken.iter().zip(&asked) {
        assert_eq!(parts.uri, "http://localhost/path");
        assert_eq!(parts.headers, header_map(fields));
        assert_eq!(*trailers, header_map(fields));
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    // Few names and values, so that tables are used; and long ones, so that they overflow.
    let name = prop_oneof!["[ab]-x", "[a-z][a-z0-9-]{0,20}", Just("authorization".to_owned())]
        .prop_filter("h2 makes these itself", |name| {
            !["te", "connection", "upgrade", "keep-alive", "host", "cookie"]
                .contains(&name.as_str())
        });
    let value = prop_oneof![
        "[01]".prop_map(String::into_bytes),
        "[ -~&&[^ ]]{1,60}".prop_map(String::into_bytes),
        vec(0x80u8..=0xff, 1..40),
        "[a-z]{800,1500}".prop_map(String::into_bytes),
    ];
    vec(vec((name, value, any::<bool>()), 0..6), 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_h2_sends_as_a_client_arrives(asked in asked(), piece in 1usize..3000) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(ask_by_h2(asked, piece));
    }
}

proptest! {
    #[test]
    fn noise_breaks_nothing_and_pieces_change_nothing(
        frames in vec((0u8..11, any::<u8>(), 0u32..3, vec(any::<u8>(), 0..60)), 0..12),
        noise in vec(any::<u8>(), 0..40),
        piece in 1usize..80,
    ) {
        let mut frames: Vec<_> = frames
            .iter()
            .map(|(kind, flags, stream, payload)| frame(*kind, *flags, *stream, payload))
            .collect();
        frames.push(noise);
        let sent = after_preface(&frames);
        let (whole, pieces) = (told(&sent, sent.len()), told(&sent, piece));
        prop_assert_eq!(whole.is_ok(), pieces.is_ok());
        if let (Ok(whole), Ok(pieces)) = (whole, pieces) {
            blocks(&whole);
            prop_assert_eq!(whole, pieces);
        }
    }
}

#[tokio::test]
async fn an_end_amid_a_frame_is_an_error() {
    let sent = after_preface(&[frame(0, 0, 1, b"data")]);
    let mut all = Vec::new();
    let mut reads = StreamReader::new(FramedRead::new(&sent[..], Requests::new()));
    reads.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, sent);
    let cut = &sent[..sent.len() - 1];
    assert!(
        StreamReader::new(FramedRead::new(cut, Requests::new()))
            .read_to_end(&mut all)
            .await
            .is_err()
    );
}
