//! What a supervisor tells the run about the processes that it has waited for.
//!
//! It writes one line for each, `PID STATUS`, both in decimal, the status as `wait` gives it, into
//! the socket that is its standard input; the run only ever closes its end.

use std::cell::RefCell;
use std::io;

use tokio::net::UnixStream;

/// Bytes read in one go: many lines.
const READ_BYTES_MAX: usize = 4096;

/// The run's end of a supervisor's standard input. Closing it stops the supervisor.
pub(super) struct Reports {
    socket: UnixStream,
    /// What came of a line that is not yet whole.
    rest: RefCell<Vec<u8>>,
}

impl Reports {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self {
            socket,
            rest: RefCell::default(),
        }
    }

    /// Waits for the status of `pid`; those of others are dropped. `None` if the supervisor ended without
    /// reporting it.
    pub(super) async fn status_of(&self, pid: u32) -> Option<i32> {
        let mut buffer = [0; READ_BYTES_MAX];
        loop {
            self.socket.readable().await.ok()?;
            let count = match self.socket.try_read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(_) => return None,
            };
            let mut rest = self.rest.borrow_mut();
            rest.extend_from_slice(&buffer[..count]);
            let whole = rest
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |end| end + 1);
            let lines: Vec<u8> = rest.drain(..whole).collect();
            let found = String::from_utf8_lossy(&lines)
                .lines()
                .filter_map(parse)
                .find(|report| report.0 == pid);
            if let Some((_, status)) = found {
                return Some(status);
            }
        }
    }
}

fn parse(line: &str) -> Option<(u32, i32)> {
    let (pid, status) = line.split_once(' ')?;
    Some((pid.parse().ok()?, status.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// A line that comes in two pieces is one; those of other processes are passed over.
    #[tokio::test(flavor = "current_thread")]
    async fn the_status_of_one_process_is_picked_out() {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair can be made");
        let reports = Reports::new(ours);
        theirs.write_all(b"7 0\n8 25").await.expect("it is open");

        let (status, ()) = tokio::join!(reports.status_of(8), async {
            tokio::task::yield_now().await;
            theirs.write_all(b"6\n9 0\n").await.expect("it is open");
        });

        assert_eq!(status, Some(256));
        drop(theirs);
        assert_eq!(reports.status_of(10).await, None);
    }
}
