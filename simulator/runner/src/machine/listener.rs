//! Which process listens on a TCP port, read from `/proc`.

use std::collections::BTreeSet;
use std::fs;

/// What a socket that listens is called in `/proc/net/tcp`.
const LISTEN: &str = "0A";

/// The first of `processes` that listens on `port` of any address; `None` if none does, or where
/// that may not be seen: a container's processes are not ours.
pub fn listener(port: u16, processes: &[u32]) -> Option<u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables = tables
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    let inodes: BTreeSet<String> = tables
        .flat_map(|table| listening_inodes(&table, port))
        .collect();
    let listens = |pid: &u32| {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten();
        descriptors
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .any(|link| {
                socket_inode(&link.to_string_lossy()).is_some_and(|inode| inodes.contains(inode))
            })
    };
    processes.iter().copied().find(listens)
}

/// The inodes of the sockets that listen on `port`, in the columns of `/proc/net/tcp`.
fn listening_inodes(table: &str, port: u16) -> Vec<String> {
    let port = format!("{port:04X}");
    let inode = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
        let listens = local_port == port && *fields.get(3)? == LISTEN;
        listens.then(|| fields.get(9).map(|inode| (*inode).to_owned()))?
    };
    table.lines().filter_map(inode).collect()
}

/// `socket:[INODE]`, as a descriptor's link says it.
fn socket_inode(link: &str) -> Option<&str> {
    link.strip_prefix("socket:[")?.strip_suffix(']')
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// This process listens on a port that it was given, and on no other.
    #[test]
    fn the_process_that_listens_is_found() {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = socket.local_addr().expect("it is bound").port();
        let me = std::process::id();

        assert_eq!(listener(port, &[1, me]), Some(me));
        drop(socket);
        assert_eq!(listener(port, &[1, me]), None);
    }

    /// A connection from the port, or to it, is not a listener.
    #[test]
    fn a_connection_is_not_a_listener() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:075B 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 41 1 0\n\
            1: 0100007F:075B 0100007F:8000 01 00000000:00000000 00:00000000 00000000  1000        0 42 1 0\n\
            2: 0100007F:8000 0100007F:075B 01 00000000:00000000 00:00000000 00000000  1000        0 43 1 0\n";

        assert_eq!(listening_inodes(table, 1883), ["41"]);
        assert_eq!(socket_inode("socket:[41]"), Some("41"));
        assert_eq!(socket_inode("/dev/null"), None);
    }
}
