//! The file of a backup: an ordinary tar archive (`tar tf` lists it), written so that every bit of it is determined.
//!
//! In this order: the database, the attached files, the list of the files, and in the last 64 KiB the manifest. Headers
//! hold nothing but name and size, so that a reader knows what each must look like, and a changed bit shows wherever it
//! is.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::manifest::Manifest;
use crate::audit::hex;

/// Size of a block of a tar archive.
const BLOCK: usize = 512;
/// Bytes of the manifest, filled up with spaces: with its header and the end of the archive 64 KiB.
const MANIFEST_SIZE: usize = TRAILER - BLOCK - END;
/// Zeros at the end of an archive.
const END: usize = 2 * BLOCK;
/// The manifest with its header, and the end.
const TRAILER: usize = 64 << 10;
/// The folder everything is in, for whoever unpacks it by hand.
const FOLDER: &str = "kehu-backup/";

/// Name of the database in the archive.
pub(super) const DATABASE: &str = "database.sqlite";
/// Name of the list of files.
pub(super) const FILES: &str = "files.tsv";
const MANIFEST: &str = "manifest.json";

/// The name of an attached file in the archive.
pub(super) fn file_entry(stored_as: &str) -> String {
    format!("files/{stored_as}")
}

/// Why an archive could not be read on.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Not what it must be there.
    Damaged(String),
    /// The file itself could not be read or written.
    Io(std::io::Error),
    /// Whoever watched wanted it to end.
    Stopped,
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::Damaged("文件不完整，后面的内容缺失".into()),
            _ => Self::Io(error),
        }
    }
}

/// What one entry looks like before its content.
fn header(name: &str, size: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, FOLDER.as_bytes());
    put(FOLDER.len(), name.as_bytes());
    put(100, b"0000600\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    // Eleven octal digits reach to 8 GiB; beyond, GNU's binary form.
    if size < 1 << 33 {
        put(124, format!("{size:011o}\0").as_bytes());
    } else {
        put(124, &[0x80, 0, 0, 0]);
        put(128, &size.to_be_bytes());
    }
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// Zeros after a content of this size, up to the next block.
fn padding(size: u64) -> usize {
    (BLOCK - (size % BLOCK as u64) as usize) % BLOCK
}

/// How much is read or written between two looks at the progress.
const CHUNK: usize = 1 << 20;

/// Told of every chunk; `false` ends the work.
pub(super) type Watch<'w> = dyn FnMut(u64) -> bool + 'w;

/// Copies exactly `size` bytes and answers their SHA-256.
pub(super) fn pour(
    mut from: impl Read,
    mut to: impl Write,
    size: u64,
    watch: &mut Watch<'_>,
) -> Result<String, Trouble> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; CHUNK.min(usize::try_from(size).unwrap_or(CHUNK)).max(1)];
    let mut left = size;
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(CHUNK).min(buffer.len());
        let read = from.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
        }
        hash.update(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        left -= read as u64;
        if !watch(read as u64) {
            return Err(Trouble::Stopped);
        }
    }
    Ok(hex(&hash.finalize()))
}

/// Writes an archive.
pub(super) struct Writer<W: Write> {
    to: W,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to }
    }

    /// Adds an entry of exactly `size` bytes and answers its SHA-256.
    pub(super) fn add(
        &mut self,
        name: &str,
        size: u64,
        from: impl Read,
        watch: &mut Watch<'_>,
    ) -> Result<String, Trouble> {
        self.to.write_all(&header(name, size))?;
        let digest = pour(from, &mut self.to, size, watch)?;
        self.to.write_all(&[0; BLOCK][..padding(size)])?;
        Ok(digest)
    }

    /// Adds the manifest and ends the archive.
    pub(super) fn finish(mut self, manifest: &Manifest) -> Result<W, Trouble> {
        let mut text = manifest.sealed().into_bytes();
        if text.len() > MANIFEST_SIZE {
            return Err(Trouble::Io(std::io::Error::other("the manifest is too long")));
        }
        text.resize(MANIFEST_SIZE, b' ');
        self.to.write_all(&header(MANIFEST, MANIFEST_SIZE as u64))?;
        self.to.write_all(&text)?;
        self.to.write_all(&[0; END])?;
        self.to.flush()?;
        Ok(self.to)
    }
}

/// Reads an archive from its beginning.
pub(super) struct Reader<R: Read> {
    from: R,
}

impl<R: Read> Reader<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from }
    }

    /// Expects an entry of this name and size here, hands its content to `to` and answers its SHA-256.
    pub(super) fn expect(
        &mut self,
        name: &str,
        size: u64,
        to: impl Write,
        watch: &mut Watch<'_>,
    ) -> Result<String, Trouble> {
        let mut block = [0; BLOCK];
        self.from.read_exact(&mut block)?;
        if block != header(name, size) {
            return Err(Trouble::Damaged(format!("{name} 不在应在的位置")));
        }
        let digest = pour(&mut self.from, to, size, watch)?;
        let mut rest = [0; BLOCK];
        let rest = &mut rest[..padding(size)];
        self.from.read_exact(rest)?;
        if rest.iter().any(|b| *b != 0) {
            return Err(Trouble::Damaged(format!("{name} 之后的填充被改动")));
        }
        Ok(digest)
    }

    /// Expects nothing but the manifest, which was read before, and the end.
    pub(super) fn end(mut self) -> Result<(), Trouble> {
        let mut trailer = vec![0; TRAILER];
        self.from.read_exact(&mut trailer)?;
        if self.from.read(&mut [0])? != 0 {
            return Err(Trouble::Damaged("结尾之后还有内容".into()));
        }
        Ok(())
    }
}

/// Reads the manifest from the end of an archive, without reading the rest.
pub(super) fn manifest(path: &Path) -> Result<Manifest, Trouble> {
    let mut file = std::fs::File::open(path)?;
    let size = file.metadata()?.len();
    let unfinished = || Trouble::Damaged("不是完整的 kehu 备份文件：结尾没有清单".into());
    let at = size.checked_sub(TRAILER as u64).ok_or_else(unfinished)?;
    file.seek(SeekFrom::Start(at))?;
    let mut trailer = vec![0; TRAILER];
    file.read_exact(&mut trailer)?;
    let (head, rest) = trailer.split_at(BLOCK);
    let (text, end) = rest.split_at(MANIFEST_SIZE);
    if head != header(MANIFEST, MANIFEST_SIZE as u64) || end.iter().any(|b| *b != 0) {
        return Err(unfinished());
    }
    let text = std::str::from_utf8(text).map_err(|_| Trouble::Damaged("清单被改动".into()))?;
    Manifest::unsealed(text.trim_end_matches(' ')).map_err(Trouble::Damaged)
}

/// The list of files, read from its place before the manifest, line by line.
pub(super) fn file_list(path: &Path, manifest: &Manifest) -> Result<impl Read + use<>, Trouble> {
    let part = manifest.part(FILES).ok_or_else(|| Trouble::Damaged("清单里没有附件目录".into()))?;
    let mut file = std::fs::File::open(path)?;
    let behind = TRAILER as u64 + part.size + padding(part.size) as u64;
    let at =
        file.metadata()?.len().checked_sub(behind).ok_or_else(|| Trouble::Damaged("文件不完整".into()))?;
    file.seek(SeekFrom::Start(at))?;
    Ok(file.take(part.size))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_header_is_what_tar_writes() {
        let block = header("files/4F/R2/01M2Z8Q4T7V0K", 1234);
        assert_eq!(&block[..36], b"kehu-backup/files/4F/R2/01M2Z8Q4T7V0");
        assert_eq!(&block[124..136], b"00000002322\0");
        let stored: u32 = u32::from_str_radix(std::str::from_utf8(&block[148..154]).unwrap(), 8).unwrap();
        let mut blank = block;
        blank[148..156].copy_from_slice(b"        ");
        assert_eq!(stored, blank.iter().map(|b| u32::from(*b)).sum::<u32>());
        assert_ne!(header("a", 1 << 33), header("a", (1 << 33) + 1));
    }

    proptest! {
        /// Whatever went in comes out, and one changed bit anywhere is noticed.
        #[test]
        fn an_archive_reads_back_and_every_bit_of_it_counts(
            contents in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..1500), 1..5),
            place in any::<prop::sample::Index>(),
            bit in 0_u8..8,
        ) {
            let mut writer = Writer::new(Vec::new());
            let digests: Vec<String> = contents
                .iter()
                .enumerate()
                .map(|(n, c)| writer.add(&format!("e{n}"), c.len() as u64, c.as_slice(), &mut |_| true).unwrap())
                .collect();
            let manifest = Manifest { format: super::super::manifest::FORMAT, ..Manifest::default() };
            let bytes = writer.finish(&manifest).unwrap();
            prop_assert_eq!(bytes.len() % BLOCK, 0);
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("a");
            // As verification reads: the manifest, then everything from the beginning.
            let read = |bytes: &[u8]| -> Result<Vec<(Vec<u8>, String)>, Trouble> {
                std::fs::write(&file, bytes).unwrap();
                super::manifest(&file)?;
                let mut reader = Reader::new(bytes);
                let mut all = Vec::new();
                for (n, content) in contents.iter().enumerate() {
                    let mut out = Vec::new();
                    let digest = reader.expect(&format!("e{n}"), content.len() as u64, &mut out, &mut |_| true)?;
                    all.push((out, digest));
                }
                reader.end()?;
                Ok(all)
            };
            let all = read(&bytes).unwrap();
            for ((out, digest), (content, written)) in all.iter().zip(contents.iter().zip(&digests)) {
                prop_assert_eq!(out, content);
                prop_assert_eq!(digest, written);
            }
            let mut flipped = bytes.clone();
            flipped[place.index(bytes.len())] ^= 1 << bit;
            let noticed = match read(&flipped) {
                Err(_) => true,
                Ok(all) => all.iter().zip(&digests).any(|((_, digest), written)| digest != written),
            };
            prop_assert!(noticed, "bit {} of byte {}", bit, place.index(bytes.len()));
            let cut = &bytes[..place.index(bytes.len())];
            prop_assert!(read(cut).is_err());
        }
    }
}
