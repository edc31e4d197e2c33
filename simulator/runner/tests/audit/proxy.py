"""A TCP proxy between MQTT clients and a broker that writes down every packet of both directions.

    proxy.py --target HOST:PORT --record FILE [--plan FILE]

It listens on a port of the system's choosing, prints it, and serves until its standard input
ends; then it writes the record. A plan makes it tamper with PUBLISH packets that are named in it,
and write down which ones those were (see `tamper.py`), or hold packets back for a while.

All times are nanoseconds of the monotonic clock. For a packet they are:
  `in`    when its bytes reached the proxy's socket, by the kernel's own receive timestamp, so that
          the proxy's delay is not part of it;
  `after` a packet came later than this: that is when the one before it on the connection came;
  `out`   just before the system call that handed its last byte on; never, for what was dropped.
The kernel stamps no accepted connection and no end of stream. For these `in` is when the proxy found
them, and `after` when the poll before the one that told of them returned.
"""

import argparse
import errno
import heapq
import json
import random
import select
import socket
import struct
import sys
import time

import mqtt
from tamper import Tamper

SO_TIMESTAMPNS = 35     # Linux, asm-generic/socket.h; Python has no name for it
# Nanoseconds within which both clocks must be read to be compared; on most machines it takes 200.
CLOCKS_APART = 2_000
READ_BYTES = 256 * 1024
TO_BROKER, TO_CLIENT = "to_broker", "to_client"


class Side:
    """One socket of a connection, and what waits to be written to it."""

    def __init__(self, sock, connection, direction):
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock, self.connection = sock, connection
        self.direction = direction      # of what is read from it
        self.unframed = bytearray()     # read, not a whole packet yet
        self.queue = []                 # [due, bytes, row] in order; `bytes` None ends the stream
        self.unsent = bytearray()
        self.unsent_rows = []           # (offset of its end in `unsent`, row)
        self.released_last = 0
        self.read_last = 0
        self.is_reading = self.is_open = True
        self.was_reset = False
        self.watched = select.EPOLLIN


class Connection:
    """A client's connection and the one to the broker that belongs to it."""

    def __init__(self, number, client, broker):
        self.number = number
        self.client = Side(client, self, TO_BROKER)
        self.broker = Side(broker, self, TO_CLIENT)
        self.client.peer, self.broker.peer = self.broker, self.client
        self.version = 4


class Proxy:
    """One thread, one poll, one record."""

    def __init__(self, target, plan):
        self.target = target
        self.listener = socket.socket()
        # Accepted sockets inherit it, so that no first packet is missed.
        self.listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(4096)
        self.listener.setblocking(False)
        self.poll = select.epoll()
        self.poll.register(self.listener, select.EPOLLIN)
        self.poll.register(sys.stdin, select.EPOLLIN)
        self.sides = {}
        self.connections = 0
        self.record = []
        self.clients = {}       # the client's side of the last connection, by Client Identifier
        self.tamper = Tamper(plan.get("tamper", []), self.inject, self.clients)
        hold = plan.get("hold_ms")
        self.hold = [int(part * 1e6) for part in hold] if hold else None
        self.random = random.Random(plan.get("seed", 1))
        self.due = []
        self.polled_before = self.polled = time.monotonic_ns()
        self.wall = None
        while self.wall is None:
            self.compare_clocks()
        self.wall_at_first = self.wall
        self.opening = max(self.open_one() for _ in range(20))

    def serve(self):
        """Until standard input ends."""
        while True:
            now = time.monotonic_ns()
            timeout = max(0, self.due[0][0] - now) / 1e9 if self.due else -1
            events = self.poll.poll(timeout, 65536)
            self.polled_before, self.polled = self.polled, time.monotonic_ns()
            self.compare_clocks()
            for descriptor, event in events:
                if descriptor == self.listener.fileno():
                    self.accept()
                elif descriptor == sys.stdin.fileno():
                    return
                else:
                    self.handle(self.sides.get(descriptor), event)
            self.release()

    def compare_clocks(self):
        """The wall clock, which the kernel stamps by, against the monotonic one. A comparison that
        was interrupted is worth nothing: the one before is still good."""
        before, wall, after = time.monotonic_ns(), time.time_ns(), time.monotonic_ns()
        if after - before <= CLOCKS_APART:
            self.wall = wall - (before + after) // 2

    def open_one(self):
        """How long it takes to open a connection to here; nothing accepts it before it is open."""
        began = time.monotonic_ns()
        with socket.create_connection(self.listener.getsockname()):
            took = time.monotonic_ns() - began
            self.listener.accept()[0].close()
        return took

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except BlockingIOError:
                return
            self.note_polled(self.connections, "accepted", TO_BROKER)
            broker = socket.create_connection(self.target)
            broker.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            connection = Connection(self.connections, client, broker)
            self.connections += 1
            for side in (connection.client, connection.broker):
                self.sides[side.sock.fileno()] = side
                self.poll.register(side.sock, select.EPOLLIN)

    def handle(self, side, event):
        if side is not None and event & select.EPOLLOUT:
            self.write(side)
        if side is None or not side.is_open:
            return
        is_gone = event & (select.EPOLLHUP | select.EPOLLERR)
        if side.is_reading and event & select.EPOLLIN | is_gone:
            self.read(side)
        elif is_gone:
            # Its stream had ended before; now it takes nothing either.
            self.close(side)

    def read(self, side):
        """Until there is nothing more: an end behind the last bytes is seen in the same poll."""
        while side.is_open and side.is_reading and self.read_once(side):
            pass

    def read_once(self, side):
        try:
            data, ancillary, _, _ = side.sock.recvmsg(READ_BYTES, 128)
        except BlockingIOError:
            return False
        except OSError as error:
            self.end(side, "rst" if error.errno in (errno.ECONNRESET, errno.EPIPE) else "error")
            return False
        if not data:
            self.end(side, "rst" if side.was_reset else "fin")
            return False
        arrived = time.monotonic_ns()
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                seconds, nanos = struct.unpack("qq", value[:16])
                arrived = seconds * 1_000_000_000 + nanos - self.wall
        side.unframed += data
        at = 0
        while True:
            length = mqtt.packet_length(side.unframed, at)
            if length is None or at + length > len(side.unframed):
                break
            self.packet(side, bytes(side.unframed[at:at + length]), arrived)
            at += length
        del side.unframed[:at]
        side.read_last = arrived
        return True

    def packet(self, side, raw, arrived):
        if raw[0] >> 4 == mqtt.CONNECT:
            connect = mqtt.Packet(raw, 0)
            side.connection.version = connect.version
            self.clients[connect.client_id] = side
        row = self.note(side.connection.number, "packet", side.direction, arrived)
        row["after"], row["raw"] = side.read_last, raw.hex()
        for passed, why in self.tamper.handle(side, raw):
            if passed is None:
                row["tampered"] = why
            elif passed is raw:
                self.queue(side.peer, raw, row)
            else:
                self.inject(side.peer, passed, why)

    def inject(self, side, raw, why):
        """Sends a packet of the proxy's own making."""
        row = self.note(side.connection.number, "packet", side.peer.direction, None)
        row["raw"], row["tampered"] = raw.hex(), why
        self.queue(side, raw, row)

    def queue(self, side, raw, row):
        now = time.monotonic_ns()
        due = now + self.random.randint(*self.hold) if self.hold else now
        # Order within a connection is kept, as TCP does.
        due = max(due, side.released_last)
        side.released_last = due
        if not side.is_open:
            return
        side.queue.append([due, raw, row])
        if due > now:
            heapq.heappush(self.due, (due, side.sock.fileno()))
        else:
            self.write(side)

    def release(self):
        now = time.monotonic_ns()
        while self.due and self.due[0][0] <= now:
            side = self.sides.get(heapq.heappop(self.due)[1])
            if side is not None and side.is_open:
                self.write(side)

    def write(self, side):
        now = time.monotonic_ns()
        ends = False
        while side.queue and side.queue[0][0] <= now and not ends:
            _, raw, row = side.queue.pop(0)
            ends = raw is None
            side.unsent += raw or b""
            side.unsent_rows.append((len(side.unsent), row, ends))
        try:
            at = time.monotonic_ns()
            sent = side.sock.send(side.unsent) if side.unsent else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            # The other end is gone: nothing more can be handed on. The system tells of a reset
            # once, here, and then shows an end of stream to who reads.
            side.was_reset = True
            side.unsent.clear()
            side.unsent_rows.clear()
            return
        del side.unsent[:sent]
        rest = []
        for end, row, ends in side.unsent_rows:
            if end > sent:
                rest.append((end - sent, row, ends))
                continue
            row["out"] = at
            if ends:
                self.shut(side)
        side.unsent_rows = rest
        self.watch(side)

    def watch(self, side):
        wanted = select.EPOLLIN if side.is_reading else 0
        wanted |= select.EPOLLOUT if side.unsent else 0
        if side.is_open and wanted != side.watched:
            side.watched = wanted
            self.poll.modify(side.sock, wanted)

    def shut(self, side):
        """All that its peer ever wrote is handed on. If both have ended, so has the connection."""
        if side.is_reading:
            side.sock.shutdown(socket.SHUT_WR)
        else:
            self.close(side)
        if not side.peer.is_reading and not side.is_reading and not side.peer.queue:
            self.close(side.peer)

    def end(self, side, how):
        """A socket was closed: so is the other, in the same way, after what was read before."""
        row = self.note_polled(side.connection.number, how, side.direction)
        side.is_reading = False
        self.watch(side)
        peer = side.peer
        if how == "fin" and peer.is_open:
            self.queue(peer, None, row)
            return
        if peer.is_open:
            row["out"] = time.monotonic_ns()
            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close(side)
        self.close(peer)

    def close(self, side):
        if side.is_open:
            side.is_open = False
            self.poll.unregister(side.sock)
            del self.sides[side.sock.fileno()]
            side.sock.close()

    def note(self, connection, what, direction, arrived):
        row = {"connection": connection, "what": what, "direction": direction, "in": arrived}
        self.record.append(row)
        return row

    def note_polled(self, connection, what, direction):
        row = self.note(connection, what, direction, time.monotonic_ns())
        row["after"] = self.polled_before
        return row

    def summary(self):
        """What the proxy knows of itself: its clocks, and how long it takes to open a connection."""
        return {
            "what": "proxy",
            "wall_minus_monotonic": [self.wall_at_first, self.wall],
            "clocks_apart": CLOCKS_APART,
            "opening": self.opening,
        }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--target", required=True)
    parser.add_argument("--record", required=True)
    parser.add_argument("--plan")
    arguments = parser.parse_args()
    plan = {}
    if arguments.plan:
        with open(arguments.plan, encoding="utf-8") as file:
            plan = json.load(file)
    host, _, port = arguments.target.rpartition(":")
    proxy = Proxy((host, int(port)), plan)
    print(proxy.listener.getsockname()[1], flush=True)
    proxy.serve()
    with open(arguments.record, "w", encoding="utf-8") as file:
        for row in [proxy.summary(), *proxy.record]:
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
