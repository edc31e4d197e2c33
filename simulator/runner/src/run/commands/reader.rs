//! The lines of a command's standard output, as they come.

use std::io;
use std::rc::Rc;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Bytes of a line at most, its end not counted.
const LINE_BYTES_MAX: usize = 1 << 20;

/// Bytes read in one go: as many as a pipe holds.
const READ_BYTES_MAX: usize = 64 * 1024;

/// Why a command gives no further line.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoMore {
    /// Everything that had it open has ended.
    #[error("its output ended")]
    Over,
    /// A line is longer than a payload may be here.
    #[error("a line has more than 1MiB, and nothing is read behind it")]
    TooLong,
    /// The system's word.
    #[error("its output cannot be read: {0}")]
    Failed(#[from] io::Error),
}

/// Splits what comes into lines. At most one line that is not whole, and one read, are kept.
pub(super) struct LineReader<R> {
    from: R,
    rest: Vec<u8>,
    is_over: bool,
}

impl<R: AsyncRead + Unpin> LineReader<R> {
    pub(super) fn new(from: R) -> Self {
        Self {
            from,
            rest: Vec::new(),
            is_over: false,
        }
    }

    /// The lines that are whole, without their ends: all that one read brought, at least one. What comes behind the last end
    /// of a line is one too, once nothing follows.
    ///
    /// A call that is dropped loses nothing.
    pub(super) async fn next(&mut self) -> Result<Vec<Rc<[u8]>>, NoMore> {
        loop {
            let lines = self.take_lines();
            if !lines.is_empty() {
                return Ok(lines);
            }
            if self.is_too_long() {
                return Err(NoMore::TooLong);
            }
            if self.is_over {
                return match self.rest.is_empty() {
                    true => Err(NoMore::Over),
                    false => Ok(vec![std::mem::take(&mut self.rest).into()]),
                };
            }
            self.rest.reserve(READ_BYTES_MAX);
            self.is_over = self.from.read_buf(&mut self.rest).await? == 0;
        }
    }

    /// Whether the line that comes next is longer than one may be.
    fn is_too_long(&self) -> bool {
        let first = self.rest.get(..=LINE_BYTES_MAX);
        first.is_some_and(|first| !first.contains(&b'\n'))
    }

    /// The whole lines before the first one that is too long.
    fn take_lines(&mut self) -> Vec<Rc<[u8]>> {
        let mut lines = Vec::new();
        let mut begin = 0;
        let end_of = |rest: &[u8]| rest.iter().position(|byte| *byte == b'\n');
        while let Some(length) = end_of(&self.rest[begin..])
            && length <= LINE_BYTES_MAX
        {
            let end = begin + length;
            lines.push(self.rest[begin..end].into());
            begin = end + 1;
        }
        self.rest.drain(..begin);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of `text`: batches of lines, and why there are no more.
    async fn read(text: &[u8]) -> (Vec<Rc<[u8]>>, NoMore) {
        let mut reader = LineReader::new(text);
        let mut lines = Vec::new();
        loop {
            match reader.next().await {
                Ok(batch) => {
                    assert!(!batch.is_empty());
                    lines.extend(batch);
                }
                Err(why) => return (lines, why),
            }
        }
    }

    fn lines(all: &[&[u8]]) -> Vec<Rc<[u8]>> {
        all.iter().map(|line| (*line).into()).collect()
    }

    /// A line is what is before its end: empty or not, UTF-8 or not; the last one needs no end.
    #[tokio::test(flavor = "current_thread")]
    async fn lines_are_what_is_between_their_ends() {
        for (text, expected) in [
            (
                b"a\n\nb \r\n\xff".as_slice(),
                lines(&[b"a", b"", b"b \r", b"\xff"]),
            ),
            (b"a\nb\n", lines(&[b"a", b"b"])),
            (b"", lines(&[])),
        ] {
            let (read, why) = read(text).await;

            assert_eq!(read, expected);
            assert!(matches!(why, NoMore::Over), "{why}");
        }
    }

    /// A line that comes in pieces is one, however many reads it takes.
    #[tokio::test(flavor = "current_thread")]
    async fn a_line_of_many_reads_is_whole() {
        let (mut ours, theirs) = tokio::io::duplex(7);
        let text = b"a line that does not fit\nand another\n";
        let writing = tokio::io::AsyncWriteExt::write_all(&mut ours, text);
        let mut reader = LineReader::new(theirs);

        let (written, first) = tokio::join!(writing, async {
            [reader.next().await, reader.next().await]
        });

        written.expect("it is read");
        let read: Vec<Rc<[u8]>> = first.into_iter().flat_map(Result::unwrap).collect();
        assert_eq!(read, lines(&[b"a line that does not fit", b"and another"]));
    }

    /// The longest line passes; of one that is longer nothing is taken, and nothing behind it.
    #[tokio::test(flavor = "current_thread")]
    async fn a_line_that_is_too_long_ends_the_reading() {
        let longest = vec![b'x'; LINE_BYTES_MAX];
        let text = [b"a\n", longest.as_slice(), b"\n", &longest, b"y\nb\n"].concat();

        let (read, why) = read(&text).await;

        assert_eq!(read, lines(&[b"a", &longest]));
        assert!(matches!(why, NoMore::TooLong), "{why}");
    }
}
