//! What a supervisor tells the run about the processes that it has waited for.
//!
//! It writes one line for each, `PID STATUS`, both in decimal, the status as `wait` gives it, into
//! the socket that is its standard input, and a word when it has done what the run wanted (`SupervisorOrder`).

use std::cell::RefCell;
use std::io;

use tokio::net::UnixStream;

use crate::commands::supervise::{COMPLAINT, SupervisorOrder};

/// Bytes read in one go: many lines.
const READ_BYTES_MAX: usize = 4096;

/// The run's end of a supervisor's standard input. Closing it stops the supervisor.
pub(super) struct Reports {
    socket: UnixStream,
    /// What came and was not taken: lines, and one that is not yet whole.
    rest: RefCell<Vec<u8>>,
    /// Why `target.kill` did not end the broker, each time that it did not.
    complaints: RefCell<Vec<String>>,
}

impl Reports {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self {
            socket,
            rest: RefCell::default(),
            complaints: RefCell::default(),
        }
    }

    /// Waits for the status of `pid`; other lines are dropped. `None` if the supervisor ended without reporting it.
    pub(super) async fn status_of(&self, pid: u32) -> Option<i32> {
        loop {
            let line = self.next_line().await?;
            if let Some((_, status)) = parse(&line).filter(|report| report.0 == pid) {
                return Some(status);
            }
        }
    }

    /// Gives the supervisor an order, and waits until it is done; statuses that come meanwhile are dropped. False if the
    /// supervisor has ended.
    pub(super) async fn carry_out(&self, order: SupervisorOrder) -> bool {
        let line = format!("{}\n", order.word());
        loop {
            if self.socket.writable().await.is_err() {
                return false;
            }
            match self.socket.try_write(line.as_bytes()) {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return false,
            }
        }
        while let Some(line) = self.next_line().await {
            if line == order.done() {
                return true;
            }
        }
        false
    }

    /// Reads all that is left to read, until the supervisor has ended.
    pub(super) async fn read_to_end(&self) {
        while self.next_line().await.is_some() {}
    }

    /// Why `target.kill` did not end the broker, each time that it did not, as far as was read.
    pub(super) fn take_complaints(&self) -> Vec<String> {
        self.complaints.take()
    }

    /// The next line; `None` if the supervisor has ended. One that is not whole when the wait is given up is kept.
    async fn next_line(&self) -> Option<String> {
        let mut buffer = [0; READ_BYTES_MAX];
        loop {
            if let Some(line) = self.take_line() {
                if line.starts_with(COMPLAINT) {
                    self.complaints.borrow_mut().push(line.clone());
                }
                return Some(line);
            }
            self.socket.readable().await.ok()?;
            match self.socket.try_read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.rest.borrow_mut().extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
        }
    }

    fn take_line(&self) -> Option<String> {
        let mut rest = self.rest.borrow_mut();
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = rest.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line[..end]).into_owned())
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
