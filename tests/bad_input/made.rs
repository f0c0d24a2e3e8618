//! Files that say absurd things, made by hand: no encoder would.

/// Bytes without any meaning, the same every time.
pub fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// `bytes` with every `from` turned into `to`, which is as long.
#[track_caller]
pub fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let places: Vec<_> =
        (0..bytes.len().saturating_sub(from.len())).filter(|it| bytes[*it..].starts_with(from)).collect();
    assert!(!places.is_empty(), "{from:?} is not in it");
    for it in places {
        out[it..it + from.len()].copy_from_slice(to);
    }
    out
}

/// A PNG of this size with hardly any data in it.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |name: &[u8; 4], data: &[u8]| {
        let body = [&name[..], data].concat();
        out.extend((data.len() as u32).to_be_bytes());
        out.extend(&body);
        out.extend(crc32fast::hash(&body).to_be_bytes());
    };
    // Eight bits of red, green and blue.
    chunk(b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat());
    // A zlib stream with no bytes in it.
    chunk(b"IDAT", &[0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]);
    chunk(b"IEND", &[]);
    out
}

/// A GIF of one picture of this size, of which the first pixel is there.
pub fn gif(width: u16, height: u16) -> Vec<u8> {
    let size = [width.to_le_bytes(), height.to_le_bytes()].concat();
    let table = [0, 0, 0, 255, 255, 255];
    let picture = [2, 2, 0x4c, 0x01, 0];
    [&b"GIF89a"[..], &size, &[0x80, 0, 0], &table, &[0x2c, 0, 0, 0, 0], &size, &[0], &picture, &[0x3b]].concat()
}

/// A lossless WebP of this size with hardly any data in it.
pub fn webp(width: u32, height: u32) -> Vec<u8> {
    let sizes = (width - 1) | (height - 1) << 14;
    let data = [&[0x2f][..], &sizes.to_le_bytes(), &[0x88, 0x88, 0x08, 0, 0]].concat();
    let chunk = [&b"VP8L"[..], &(data.len() as u32).to_le_bytes(), &data].concat();
    [&b"RIFF"[..], &(chunk.len() as u32 + 4).to_le_bytes(), b"WEBP", &chunk].concat()
}

/// A BMP of this size with 1000 bytes of pixels.
pub fn bmp(width: u32, height: u32) -> Vec<u8> {
    let file = [&b"BM"[..], &1054u32.to_le_bytes(), &[0; 4], &54u32.to_le_bytes()].concat();
    let info =
        [&40u32.to_le_bytes()[..], &width.to_le_bytes(), &height.to_le_bytes(), &[1, 0, 24, 0], &[0; 24]].concat();
    [file, info, vec![0x80; 1000]].concat()
}

/// A JPEG whose frame header names this size; it ends before its first scan does.
pub fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let table = [&[0xff, 0xdb, 0, 67, 0][..], &[1; 64]].concat();
    let frame = [&[0xff, 0xc0, 0, 11, 8][..], &height.to_be_bytes(), &width.to_be_bytes(), &[1, 1, 0x11, 0]].concat();
    let scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 0x55, 0xff, 0xd9];
    [&[0xff, 0xd8][..], &table, &frame, &scan].concat()
}

/// An AVI whose stream header names another size.
#[track_caller]
pub fn avi_sized(avi: &[u8], width: u32, height: u32) -> Vec<u8> {
    let at = avi.windows(4).position(|it| it == b"strf").expect("a stream format");
    let mut out = avi.to_vec();
    // Behind the chunk's length and the length of the header itself.
    out[at + 12..at + 16].copy_from_slice(&width.to_le_bytes());
    out[at + 16..at + 20].copy_from_slice(&height.to_le_bytes());
    out
}
