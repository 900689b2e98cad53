//! Bytes that another thread has read, and unpacked, beforehand: whoever takes lines apart need not wait for it.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Bytes handed over at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// Chunks that may wait: enough that neither side stands still for the other's longest frame.
const CHUNKS_MAX: usize = 8;

/// What comes next: bytes, none at the end, or what went wrong.
type Chunk = io::Result<Vec<u8>>;

/// The bytes of an input, in their order.
pub(super) struct Ahead {
    chunks: Receiver<Chunk>,
    chunk: Vec<u8>,
    /// Bytes of the chunk that were given out.
    taken: usize,
    ended: bool,
}

impl Ahead {
    /// Begins to read. The thread ends with the input, or when this is dropped.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(super) fn new(input: Box<dyn Read + Send>) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(CHUNKS_MAX);
        thread::Builder::new().name("unpack".to_owned()).spawn(move || send(input, &sender))?;
        Ok(Self { chunks, chunk: Vec::new(), taken: 0, ended: false })
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let early = || Err(io::Error::other("the thread that reads ended before its input"));
        let chunk = self.chunks.recv().unwrap_or_else(|_| early());
        self.ended = !matches!(&chunk, Ok(bytes) if !bytes.is_empty());
        (self.chunk, self.taken) = (chunk?, 0);
        Ok(())
    }
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.chunk.len() && !self.ended {
            self.next_chunk()?;
        }
        let rest = &self.chunk[self.taken..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}

/// Sends an input to its end or its first fault, or until nobody takes it any more.
fn send(mut input: Box<dyn Read + Send>, chunks: &SyncSender<Chunk>) {
    loop {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let read = input.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut chunk);
        let is_end = chunk.is_empty();
        // What was read before a fault comes before it.
        if (!is_end || read.is_ok()) && chunks.send(Ok(chunk)).is_err() {
            return;
        }
        if let Err(fault) = read {
            // Nobody waits for it when that fails.
            let _ = chunks.send(Err(fault));
            return;
        }
        if is_end {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::capture::testing::gzip;
    use crate::capture::unpacked;

    fn read(packed: Vec<u8>) -> (Vec<u8>, io::Result<usize>) {
        let input = unpacked(Box::new(Cursor::new(packed))).unwrap();
        let mut bytes = Vec::new();
        let mut ahead = Ahead::new(input).unwrap();
        let result = ahead.read_to_end(&mut bytes);
        if result.is_ok() {
            assert_eq!(ahead.read(&mut [0; 8]).unwrap(), 0, "the end stays the end");
        }
        (bytes, result)
    }

    #[test]
    fn bytes_arrive_in_their_order_and_so_does_the_end() {
        for length in [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1, 40 * CHUNK_BYTES + 7] {
            let bytes: Vec<u8> = (0..length).map(|at| (at * at % 251) as u8).collect();
            for packed in [bytes.clone(), gzip(&bytes)] {
                let (found, result) = read(packed);
                assert!(found == bytes && result.unwrap() == length, "{length}");
            }
        }
    }

    #[test]
    fn a_fault_comes_behind_what_was_read_before_it() {
        let bytes: Vec<u8> = (0..900_000_u32).flat_map(|at| (at * 7).to_le_bytes()).collect();
        let mut packed = gzip(&bytes);
        packed.truncate(packed.len() / 2);
        let mut expected = Vec::new();
        let plain = unpacked(Box::new(Cursor::new(packed.clone()))).unwrap();
        let kind = { plain }.read_to_end(&mut expected).unwrap_err().kind();
        let (found, result) = read(packed);
        assert_eq!((result.unwrap_err().kind(), found.len()), (kind, expected.len()));
        assert!(found == expected && !found.is_empty());
    }

    /// Counts what is taken of it and never ends.
    struct Endless(SyncSender<()>);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer.fill(1);
            Ok(buffer.len())
        }
    }

    impl Drop for Endless {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    #[test]
    fn the_thread_ends_when_nobody_reads_any_more() {
        let (sender, over) = sync_channel(1);
        let mut ahead = Ahead::new(Box::new(Endless(sender))).unwrap();
        assert_eq!(ahead.read(&mut [0; 5]).unwrap(), 5);
        drop(ahead);
        over.recv().unwrap();
    }
}
