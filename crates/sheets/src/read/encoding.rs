//! Which encoding a text file is in, and a reader that hands it on as UTF-8.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use encoding_rs::{CoderResult, Decoder, Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

const CHUNK: usize = 64 << 10;

/// How to read a text file.
pub struct Detected {
    pub encoding: &'static Encoding,
    /// Bytes of byte order mark.
    pub skip: u64,
    /// No guess reads the whole file without a malformed place.
    pub is_broken: bool,
}

/// Decides the encoding of the whole file. Reads the file once from the
/// beginning: a guess from the first kilobytes goes wrong when the first Chinese name comes later.
pub fn detect(file: &mut File) -> io::Result<Detected> {
    let clean = |encoding, skip| Ok(Detected { encoding, skip, is_broken: false });
    file.seek(SeekFrom::Start(0))?;
    let mut head = Vec::with_capacity(4096);
    Read::take(&mut *file, 4096).read_to_end(&mut head)?;
    if let Some((encoding, length)) = Encoding::for_bom(&head) {
        return clean(encoding, length as u64);
    }
    if let Some(encoding) = utf16_without_mark(&head) {
        return clean(encoding, 0);
    }
    let utf8 = count(file, UTF_8)?;
    if utf8.errors == 0 {
        return clean(UTF_8, 0);
    }
    // Chinese in GB18030 hardly ever happens to be valid UTF-8, while UTF-8 with a letter cut in half can pass for
    // GB18030. So what decodes decides, not what fails.
    if utf8.letters > utf8.errors {
        return Ok(Detected { encoding: UTF_8, skip: 0, is_broken: true });
    }
    Ok(Detected { encoding: GB18030, skip: 0, is_broken: count(file, GB18030)?.errors > 0 })
}

/// Text in UTF-16 without a mark shows as NUL in every other byte, at least around delimiters and digits.
fn utf16_without_mark(head: &[u8]) -> Option<&'static Encoding> {
    let pairs = head.len() / 2;
    if pairs < 4 {
        return None;
    }
    let zero_at = |offset: usize| head.chunks_exact(2).filter(|pair| pair[offset] == 0).count();
    let (first, second) = (zero_at(0), zero_at(1));
    let enough = pairs / 4;
    if second > enough && second > first * 4 {
        Some(UTF_16LE)
    } else if first > enough && first > second * 4 {
        Some(UTF_16BE)
    } else {
        None
    }
}

struct Count {
    /// Characters beyond ASCII.
    letters: u64,
    /// Malformed places.
    errors: u64,
}

fn count(file: &mut File, encoding: &'static Encoding) -> io::Result<Count> {
    file.seek(SeekFrom::Start(0))?;
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut input = vec![0; CHUNK];
    let mut output = vec![0; CHUNK * 3 + 16];
    let mut count = Count { letters: 0, errors: 0 };
    loop {
        let n = file.read(&mut input)?;
        let mut rest = &input[..n];
        loop {
            let (result, used, made) = decoder.decode_to_utf8_without_replacement(rest, &mut output, n == 0);
            rest = &rest[used..];
            count.letters += output[..made].iter().filter(|&&byte| byte >= 0xc0).count() as u64;
            match result {
                encoding_rs::DecoderResult::InputEmpty => break,
                encoding_rs::DecoderResult::OutputFull => {}
                encoding_rs::DecoderResult::Malformed(..) => count.errors += 1,
            }
        }
        if n == 0 {
            return Ok(count);
        }
    }
}

/// A text file as UTF-8; what is malformed becomes U+FFFD.
pub struct Utf8Reader<'a> {
    file: &'a mut File,
    decoder: Decoder,
    input: Vec<u8>,
    used: usize,
    filled: usize,
    at_end: bool,
}

impl<'a> Utf8Reader<'a> {
    pub fn new(file: &'a mut File, encoding: &'static Encoding, skip: u64) -> io::Result<Self> {
        file.seek(SeekFrom::Start(skip))?;
        Ok(Self {
            file,
            decoder: encoding.new_decoder_without_bom_handling(),
            input: vec![0; CHUNK],
            used: 0,
            filled: 0,
            at_end: false,
        })
    }

    /// Fills `output` with the next text; an empty one is the end.
    pub fn next_text(&mut self, output: &mut String) -> io::Result<()> {
        output.clear();
        output.reserve(CHUNK + 16);
        loop {
            if self.used == self.filled && !self.at_end {
                self.filled = self.file.read(&mut self.input)?;
                self.used = 0;
                self.at_end = self.filled == 0;
            }
            let (result, used, _) =
                self.decoder.decode_to_string(&self.input[self.used..self.filled], output, self.at_end);
            self.used += used;
            // The decoder must not be called again once it was told of the end and took everything.
            if !output.is_empty() || (self.at_end && result == CoderResult::InputEmpty) {
                if self.at_end && result == CoderResult::InputEmpty {
                    self.decoder = UTF_8.new_decoder_without_bom_handling();
                }
                return Ok(());
            }
        }
    }
}
