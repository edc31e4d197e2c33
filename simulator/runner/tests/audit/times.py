"""Times, recounted from the wire: for every sample the least and the most that it can have been.

A sample that squall measured lies between two bounds that follow from the record alone. What a
device sent, it decided on before the kernel stamped it; what a device had, it read after the proxy
handed it on and before it answered that or anything later on the same connection. The n-th
smallest sample then lies between the n-th smallest lower and the n-th smallest upper bound, and so
does every percentile. No tolerance is guessed.
"""

import math

import hdr
import mqtt
from wire import NEVER


class Ends:
    """How each connection ended, first of all who ended it."""

    def __init__(self, wire):
        self.wire = wire

    def how(self, one):
        """`disconnect`, `rst` or `fin` of the client, `broker`, or None while it is open."""
        by_client, by_broker = one.disconnect("to_broker"), one.disconnect("to_client")
        told = by_broker or one.broker_end
        if by_client is not None and (told is None or by_client.place < told.place):
            return "disconnect"
        if told is not None and (one.end is None or told.place < one.end.place):
            return "broker"
        return one.end.what if one.end is not None else None

    def moment(self, one):
        """When the client closed it: not before, not after."""
        return self.wire.closed(one)

    def told(self, one):
        """When the client learnt that the broker had closed it."""
        first = one.disconnect("to_client") or one.broker_end
        return first.read


class Samples:
    """Bounds of many samples, in nanoseconds."""

    def __init__(self):
        self.low, self.high = [], []
        self.unsure = 0     # samples of which the wire does not show whether they belong here

    def add(self, low, high):
        self.low.append(max(0, low))
        self.high.append(max(0, high))

    def join(self, other):
        self.low += other.low
        self.high += other.high
        self.unsure += other.unsure

    def __len__(self):
        return len(self.low)

    def bounds_us(self, rank):
        """Of the sample of this rank, from 1: microseconds, rounded outwards."""
        low, high = sorted(self.low)[rank - 1], sorted(self.high)[rank - 1]
        return math.floor(low / 1e3), math.ceil(high / 1e3) if high < NEVER else NEVER

    def rank(self, share):
        return max(1, math.ceil(share * len(self)))

    def mean_us(self):
        if NEVER in self.high:
            return sum(self.low) / len(self) / 1e3, NEVER
        return sum(self.low) / len(self) / 1e3, sum(self.high) / len(self) / 1e3


def widened(bounds):
    """By the resolution of squall's histogram, and the microsecond that it rounds to."""
    low, high = bounds
    return low * (1 - hdr.RESOLUTION) - 1, high * (1 + hdr.RESOLUTION) + 1


class Times:
    """All distributions that the wire shows, by (metric, clock, group, QoS or None, `late` or None)."""

    def __init__(self, wire, messages, measured):
        self.wire, self.messages, self.measured = wire, messages, measured
        self.samples = {}
        self.unsure = set()     # (group, QoS) with a delivery of which it is not seen whether it waited
        self.message_times()
        self.connection_times()
        self.reconnect_times()
        self.handshake_times()

    def of(self, name, clock, group, qos, late=None):
        return self.samples.setdefault((name, clock, group, qos, late), Samples())

    def all(self, name, clock):
        """Those of all groups and QoS, without what came late."""
        together = Samples()
        for key, samples in self.samples.items():
            if key[:2] == (name, clock) and key[4] is None:
                together.join(samples)
        return together

    def is_measured(self, message):
        """Whether it is in the figures: due after the warm-up. The last responses are due in the drain."""
        return self.measured[0] <= message.due

    def message_times(self):
        earliest, latest = self.wire.epoch
        for row, client_id, message, kind in self.messages.received:
            if kind != "first" or not self.is_measured(message):
                continue
            group = self.wire.scenario.group_of(client_id)
            low, high = row.read
            for wait in self.waits(message, row):
                self.of("e2e_latency", "scheduled", group, message.qos, wait).add(
                    low - latest - message.due, high - earliest - message.due)
                # From the hand-over to the link until the machine had it: not less than from the
                # wire to the wire.
                for clock in ("sent", "less_lag"):
                    self.of("e2e_latency", clock, group, message.qos, wait).add(
                        low - message.first.at, high - earliest - message.due)
        for message in self.messages.sent.values():
            if not self.is_measured(message):
                continue
            late = message.first.at - earliest - message.due
            self.of("schedule_lag", "scheduled", message.group, None).add(0, late)
            if message.acknowledged is None:
                continue
            low, high = message.acknowledged.read
            self.of("ack_latency", "scheduled", message.group, message.qos).add(
                low - latest - message.due, high - earliest - message.due)
            for clock in ("sent", "less_lag"):
                self.of("ack_latency", clock, message.group, message.qos).add(
                    low - message.first.at, high - earliest - message.due)

    def waits(self, message, row):
        """Whether the message was sent before the connection that it came on was up: `late`."""
        up, up_by = self.wire.numbered[row.connection].connack.read
        if message.first.at < up:
            return ["late"]
        if self.wire.epoch[0] + message.due >= up_by:
            return [None]
        self.unsure.add((self.wire.scenario.group_of(self.wire.numbered[row.connection].client_id),
                         message.qos))
        return []

    def connection_times(self):
        opening = self.wire.proxy["opening"]
        for one in self.wire.connections:
            group = self.wire.scenario.group_of(one.client_id)
            if not one.is_up:
                continue
            low, high = one.connack.read
            # Asking for it came before the kernel had it open, by as long as that takes.
            asked = self.wire.seen(one.accepted)[0] - opening
            self.of("connect_latency", "scheduled", group, None).add(
                low - one.connect.at, high - asked)
            for suback in one.packets("to_client", mqtt.SUBACK):
                asked = next(row for row in one.packets("to_broker", mqtt.SUBSCRIBE)
                             if row.packet.id == suback.packet.id)
                low, high = suback.read
                self.of("subscribe_latency", "scheduled", group, None).add(
                    low - asked.at, high - one.connack.out)

    def reconnect_times(self):
        """From the end of a connection to the next CONNACK, where no two share the identifier and
        the client itself ended the one before: the wire does not show which of two came back."""
        last, ends = {}, Ends(self.wire)
        for one in self.wire.connections:
            before = last.get(one.client_id)
            if not one.is_up:
                continue
            last[one.client_id] = one
            if before is None or ends.how(before) not in ("rst", "fin"):
                continue
            low, high = one.connack.read
            began = self.wire.closed(before)
            group = self.wire.scenario.group_of(one.client_id)
            self.of("reconnect_delay", "scheduled", group, None).add(low - began[1], high - began[0])

    def handshake_times(self):
        """Legs of a sender, in groups whose exchanges were all finished where they began: of one
        that was cut and resumed, the wire does not show when a device counts it as begun anew."""
        self.by_first = {id(each.first): each for each in self.messages.sent.values()}
        legs = {}
        for one in self.wire.connections:
            group = self.wire.scenario.group_of(one.client_id)
            done, is_whole = exchanges(one)
            held = legs.setdefault(group, [])
            if is_whole and held is not None:
                held += done
            else:
                legs[group] = None
        for group, done in legs.items():
            for exchange in done or []:
                self.legs(group, *exchange)

    def legs(self, group, publish, pubrec, pubrel, pubcomp):
        message = self.by_first[id(publish)]
        began = (self.wire.epoch[0] + message.due, publish.at)
        first = (pubrec.out - began[1], pubrec.read_by - began[0])
        last = (pubcomp.out - pubrel.at, pubcomp.read_by - pubrec.out)
        whole = (max(0, first[0]) + max(0, last[0]), first[1] + last[1])
        for name, (low, high), (since, since_by) in (
            ("qos2_pubrec", first, began),
            ("qos2_pubrel", (0, pubrel.at - pubrec.out), pubrec.read),
            ("qos2_pubcomp", last, (pubrec.out, pubrel.at)),
            # The broker's share only: it ended with PUBCOMP and began as much before.
            ("qos2_handshake", whole, (pubcomp.out - whole[1], pubcomp.read_by - whole[0])),
        ):
            # A time belongs to the phase in which it began.
            samples = self.of(name, "scheduled", group, None)
            if since >= self.wire.epoch[1] + self.measured[0]:
                samples.add(low, high)
            elif since_by >= self.wire.epoch[0] + self.measured[0]:
                samples.unsure += 1


def exchanges(connection):
    """PUBLISH, PUBREC, PUBREL and PUBCOMP of each QoS 2 exchange that a client began on one
    connection, and whether all ended there."""
    steps, done = {}, []
    for row in connection.rows:
        if row.packet is None or row.packet.id is None:
            continue
        key = row.packet.id
        if row.is_to("to_broker", mqtt.PUBLISH) and row.packet.qos == 2:
            steps[key] = [row]
        elif row.is_to("to_client", mqtt.PUBREC) or row.is_to("to_broker", mqtt.PUBREL):
            if key not in steps:
                return [], False
            steps[key].append(row)
        elif row.is_to("to_client", mqtt.PUBCOMP):
            whole = [*steps.pop(key, []), row]
            if len(whole) != 4:
                return [], False
            done.append(whole)
    return done, not steps
