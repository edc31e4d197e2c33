"""The record of the proxy, read: connections, packets, and between which moments each thing was.

A moment is a pair: not before, not after. Squall's own clock begins somewhere before its first
message; where, follows from the stamps of its messages (see `Wire.find_epoch`).
"""

import json
import math
import re
import statistics
import tomllib

import mqtt

NEVER = math.inf
STAMP = re.compile(rb'(?: #squall:([0-9a-f]{32})|"_squall":"([0-9a-f]{32})"\})$')


def stamp_of(payload):
    """Device, sequence and due time of a message, as `simulator/fleet/src/payload.rs` documents;
    before them comes a tag that all messages of one run share."""
    found = STAMP.search(payload)
    if found:
        data = bytes.fromhex((found[1] or found[2]).decode())
    elif len(payload) >= 16:
        data = payload[:16]
    else:
        return None
    number = int.from_bytes(data, "big")
    return number >> 84 & 0xFFFFF, number >> 52 & 0xFFFFFFFF, number & (1 << 52) - 1


class Row:
    """One line of the record."""

    def __init__(self, place, line, clocks_apart):
        self.place, self.what = place, line["what"]
        self.connection, self.direction = line["connection"], line["direction"]
        # Not after, and after: the kernel stamps by another clock, known to within `clocks_apart`.
        self.at, self.after = line["in"], line.get("after", 0) - clocks_apart
        if self.what == "packet" and self.at is not None:
            self.at += clocks_apart
        self.out = line.get("out")
        self.tampered = line.get("tampered")
        self.packet = None
        self.read_by = NEVER        # to a client: it had read this by then
        self.is_answered = False    # to a client: it answered just this
        self.raw = bytes.fromhex(line["raw"]) if "raw" in line else None

    def is_to(self, direction, *types):
        return self.direction == direction and self.packet is not None and self.packet.type in types

    @property
    def read(self):
        """When its client read it."""
        return self.out, self.read_by


class Connection:
    """One connection of one client."""

    def __init__(self, number, rows):
        self.number, self.rows = number, rows
        version, self.connect, self.connack = 4, None, None
        self.end = None             # the client's side: how its own stream ended
        self.broker_end = None
        for row in rows:
            if row.what == "accepted":
                self.accepted = row
            elif row.what == "packet":
                if row.raw[0] >> 4 == mqtt.CONNECT:
                    version = mqtt.Packet(row.raw, 0).version
                row.packet = mqtt.Packet(row.raw, version)
                if row.is_to("to_broker", mqtt.CONNECT) and self.connect is None:
                    self.connect = row
                elif row.is_to("to_client", mqtt.CONNACK) and self.connack is None:
                    self.connack = row
            elif row.direction == "to_broker":
                self.end = row
            else:
                self.broker_end = row
        self.version = version
        self.find_reads()

    @property
    def client_id(self):
        return self.connect.packet.client_id if self.connect else None

    @property
    def is_up(self):
        """Whether the client was accepted, and knew it: who resets a connection with CONNACK unread
        in its socket did not."""
        return self.connack is not None and self.connack.packet.reason == 0 and self.knew_it

    @property
    def knew_it(self):
        sent = [row for row in self.rows if row.direction == "to_broker" and row.packet is not None]
        lived = self.end.at - self.connack.out if self.end is not None and self.connack.out else NEVER
        return self.connack.out is not None and (len(sent) > 1 or lived > 100_000_000
                                                 or self.end.what != "rst")

    def packets(self, direction, *types):
        return [row for row in self.rows if row.is_to(direction, *types)]

    def disconnect(self, direction):
        found = self.packets(direction, mqtt.DISCONNECT)
        return found[0] if found else None

    def find_reads(self):
        """An answer shows that all was read that was handed on before what it answers, or with it."""
        answered = {mqtt.PUBACK: mqtt.PUBLISH, mqtt.PUBREC: mqtt.PUBLISH,
                    mqtt.PUBREL: mqtt.PUBREC, mqtt.PUBCOMP: mqtt.PUBREL}
        open_rows, handed = {}, [row for row in self.rows
                                 if row.direction == "to_client" and row.out is not None]
        for row in self.rows:
            if row.direction == "to_client":
                if row.packet is not None and row.out is not None:
                    open_rows.setdefault((row.packet.type, row.packet.id), []).append(row)
                continue
            if row.packet is None:
                continue
            kind = row.packet.type
            if kind in answered:
                waiting = open_rows.get((answered[kind], row.packet.id))
                asked = waiting.pop(0) if waiting else None
            else:
                # Whatever else a client sends, it does not send before CONNACK.
                asked = self.connack if kind != mqtt.CONNECT else None
            if asked is not None and row.at is not None:
                asked.read_by, asked.is_answered = min(asked.read_by, row.at), True
        soonest = self.end.at if self.end is not None else NEVER
        handed.sort(key=lambda row: (row.out, row.place))
        for row in reversed(handed):
            soonest = row.read_by = min(soonest, row.read_by)
        # Those of one system call were read together.
        for earlier, later in zip(handed[-2::-1], handed[:0:-1]):
            if earlier.out == later.out:
                earlier.read_by = min(earlier.read_by, later.read_by)


class Scenario:
    """What the audit reads of a scenario file, by itself."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.file = tomllib.load(file)
        run = self.file["run"]
        self.warmup, self.duration = nanos(run.get("warmup", "0s")), nanos(run["duration"])
        self.groups = {group["name"]: group for group in self.file["group"]}
        self.patterns = {
            name: re.compile(re.sub(r"\\\{[^}]*\\\}", ".+", re.escape(group["client_id"])) + "$")
            for name, group in self.groups.items()
        }

    def group_of(self, client_id):
        for name, pattern in self.patterns.items():
            if client_id is not None and pattern.match(client_id):
                return name
        return None


def nanos(text):
    number, unit = re.fullmatch(r"([\d.]+)(ms|us|s|m)", text).groups()
    return round(float(number) * {"us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9}[unit])


class Wire:
    """A whole run, as the proxy saw it."""

    def __init__(self, record, scenario):
        with open(record, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.scenario, self.proxy = scenario, lines[0]
        self.apart = self.proxy["clocks_apart"]
        rows = [Row(place, line, self.apart) for place, line in enumerate(lines[1:])]
        numbers = sorted({row.connection for row in rows})
        of = {number: [] for number in numbers}
        for row in rows:
            of[row.connection].append(row)
        every = [Connection(number, of[number]) for number in numbers]
        self.numbered = {one.number: one for one in every}
        self.strangers = [one for one in every if scenario.group_of(one.client_id) is None]
        # Not a device's: it clears what an earlier run left under its identifier, or this one.
        self.connections = [one for one in every if scenario.group_of(one.client_id) is not None
                            and not self.clears(one)]
        self.find_unread()
        self.step = statistics.median(
            [row.read_by - row.out for one in self.connections for row in one.rows
             if row.is_answered and row.out is not None])
        self.find_epoch()

    def clears(self, one):
        """Whether it asks for a clean Session where the scenario's devices keep theirs."""
        group = self.scenario.groups[self.scenario.group_of(one.client_id)]
        return one.connect.packet.clean_start and not group.get("clean_start", True)

    def find_unread(self):
        """Takes back what was handed to a sender that reset the connection with it unread. How the
        sender goes on with the exchange on its next connection shows which that was."""
        later = {}      # (client, id) -> the first packet of the exchange on the next connection
        for one in reversed(self.connections):
            rows = [row for row in one.rows if row.packet is not None and row.packet.id is not None]
            for row in rows:
                following = later.get((one.client_id, row.packet.id))
                is_last = one.end is not None and row.read_by >= one.end.at
                if row.out is None or following is None or not is_last:
                    continue
                goes_on = following.packet.type
                if (row.is_to("to_client", mqtt.PUBCOMP) and goes_on == mqtt.PUBREL
                        or row.is_to("to_client", mqtt.PUBREC, mqtt.PUBACK)
                        and goes_on == mqtt.PUBLISH and following.packet.dup):
                    row.out = None
            for row in reversed(rows):
                if row.is_to("to_broker", mqtt.PUBLISH, mqtt.PUBREL):
                    later[one.client_id, row.packet.id] = row

    @staticmethod
    def seen(row):
        """When something was that the kernel does not stamp: a connection, an end of stream."""
        return row.after, row.at

    def closed(self, one):
        """When the client closed its connection, as it can know it: not before, not after. It
        reads its clock and then closes, in a step as long as the one from reading to answering."""
        return self.seen(one.end)[0] - self.step, one.end.at

    def publishes(self, direction):
        """PUBLISH packets with a stamp that reached their receiver: row, connection, stamp."""
        for connection in self.connections:
            for row in connection.packets(direction, mqtt.PUBLISH):
                stamp = stamp_of(row.packet.payload)
                if stamp is not None:
                    yield row, connection, stamp

    def find_epoch(self):
        """When squall's clock was zero: `epoch`, not before, not after.

        No message leaves before it is due, so the most punctual one gives the latest moment.
        The earliest follows from `{now_ms}` of the payloads, Unix time of the same due moment in
        whole milliseconds: some due moment lies close to the end of its millisecond."""
        latest, earliest = NEVER, -NEVER
        wall = self.proxy["wall_minus_monotonic"]
        for row, _, (_, _, due) in self.publishes("to_broker"):
            latest = min(latest, row.at - due)
            found = re.match(rb"now=(\d+) ", row.packet.payload)
            if found:
                earliest = max(earliest, int(found[1]) * 1_000_000 - max(wall) - self.apart - due)
        self.epoch = (earliest, latest)
