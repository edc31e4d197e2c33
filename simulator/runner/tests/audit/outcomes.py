"""Connections, wills, takeovers and rates, recounted from the wire."""

import mqtt
from times import Ends, Samples
from wire import NEVER, nanos


def connections(wire):
    """By group: how many were tried, accepted, resumed, and how they ended."""
    ends, books = Ends(wire), {}
    seen = set()
    for one in sorted(wire.connections, key=lambda one: one.connect.place):
        book = books.setdefault(wire.scenario.group_of(one.client_id), dict(
            attempts=0, connected=0, session_present=0, reconnects=0, refused=0, ended={},
            is_contended=False))
        book["attempts"] += 1
        if not one.is_up:
            book["refused"] += one.connack is not None
            continue
        book["connected"] += 1
        book["session_present"] += one.connack.packet.session_present
        book["reconnects"] += one.client_id in seen
        book["is_contended"] |= any(Takeovers.overlap(other, one) for other in wire.connections
                                    if other.client_id == one.client_id)
        seen.add(one.client_id)
        how = ends.how(one)
        book["ended"][how] = book["ended"].get(how, 0) + 1
    return books


def peak_online(wire):
    """The most that were connected at once: at least and at most."""
    ends, certain, possible = Ends(wire), [], []
    for one in wire.connections:
        if not one.is_up:
            continue
        if ends.how(one) == "broker":
            low, high = ends.told(one)
        elif ends.how(one) == "disconnect":
            low, high = one.disconnect("to_broker").after, one.disconnect("to_broker").at
        else:
            low, high = ends.moment(one) if one.end else (NEVER, NEVER)
        possible += [(one.connack.out, 1), (high, -1)]
        if one.connack.read_by < low:
            certain += [(one.connack.read_by, 1), (low, -1)]
    return most(certain), most(possible)


def most(steps):
    online = peak = 0
    for _, step in sorted(steps):
        online += step
        peak = max(peak, online)
    return peak


class Wills:
    """Each will that was due, and each that came."""

    def __init__(self, wire, messages, began):
        self.wire, self.messages, self.began = wire, messages, began
        self.ends = Ends(wire)
        self.books, self.times = {}, {}
        self.lateness = self.latest()
        seen = self.deliveries()
        for one in wire.connections:
            if one.is_up and one.connect.packet.will:
                self.judge(one, seen)
        self.unexplained = sum(len(rows) for rows in seen.values())

    def deliveries(self):
        """By (watcher, topic, payload): wills that were handed to a watcher, in order."""
        seen = {}
        for one in self.wire.connections:
            for row in one.packets("to_client", mqtt.PUBLISH):
                will = (row.packet.topic, row.packet.payload)
                if will in self.messages.wills and row.out is not None:
                    if not row.packet.retain:
                        seen.setdefault((one.client_id, *will), []).append(row)
        return seen

    def latest(self):
        """The most that the wire shows any message to be late: how late this generator can be."""
        return max((message.first.at - self.wire.epoch[0] - message.due
                    for message in self.messages.sent.values()), default=0)

    def judge(self, one, seen):
        how, fault = self.ends.how(one), None
        cause = None
        if how in ("rst", "fin"):
            fault, cause = self.fault(one, how), self.ends.moment(one)
        elif how == "broker":
            how, fault = "silent", self.fault(one, "silent")
            # The wire does not show a device fall silent: it did so when the fault was due, or
            # as much later as anything was late in this run.
            due = self.began + nominal(self.wire.scenario, fault) + self.wire.epoch[0]
            cause = due, due + self.wire.epoch[1] - self.wire.epoch[0] + self.lateness
        elif how == "disconnect":
            fault = self.fault(one, how)
        book = self.books.setdefault((fault, how), dict(ended=0, expected=0, seen=0, missing=0,
                                                        doubled=0, unexpected=0))
        if how == "disconnect" and fault is None:
            return
        book["ended"] += 1
        topic, payload, _, _ = one.connect.packet.will
        watchers = {each.client_id for each in self.messages.subscriptions
                    if each.since.at < one.end.at < each.until and mqtt.matches(each.filter, topic)}
        for watcher in watchers:
            came = seen.pop((watcher, topic, payload), [])
            if cause is None:
                book["unexpected"] += len(came)
                continue
            book["expected"] += 1
            book["seen"] += bool(came)
            book["missing"] += not came
            book["doubled"] += max(0, len(came) - 1)
            if came:
                low, high = came[0].read
                group = self.wire.scenario.group_of(watcher)
                self.times.setdefault((group, fault, how), Samples()).add(
                    low - cause[1], high - cause[0])

    def fault(self, one, how):
        """The fault of the scenario that ends connections of this group in this way."""
        group = self.wire.scenario.group_of(one.client_id)
        if how == "disconnect":
            ends = self.wire.epoch[1] + self.began + self.wire.scenario.duration
            if one.disconnect("to_broker").at >= ends:
                return None
        for fault in self.wire.scenario.file.get("fault", []):
            if fault["group"] == group and fault.get("how", fault["action"]) == how:
                return fault["name"]
        return None


def nominal(scenario, name):
    return next(nanos(fault["at"]) for fault in scenario.file["fault"] if fault["name"] == name)


class Takeovers:
    """Connections that were displaced by a newer one of the same Client Identifier."""

    def __init__(self, wire):
        ends = Ends(wire)
        of = {}
        for one in wire.connections:
            if one.connect is not None:
                of.setdefault(one.client_id, []).append(one)
        self.displaced, self.reasons = 0, {}
        self.contended = self.right = self.wrong = 0
        self.times = {}
        for client_id, same in of.items():
            self.contended += any(self.overlap(one, other) for one in same for other in same)
            up = sorted((one for one in same if one.is_up), key=lambda one: one.connack.place)
            for place, one in enumerate(up):
                self.session(one, place > 0)
                if ends.how(one) != "broker" or place + 1 == len(up):
                    continue
                newcomer = up[place + 1]
                if newcomer.connect.place > (one.disconnect("to_client") or one.broker_end).place:
                    continue
                self.displaced += 1
                told = one.disconnect("to_client")
                reason = f"0x{told.packet.reason:02X}" if told else "none"
                self.reasons[reason] = self.reasons.get(reason, 0) + 1
                low, high = ends.told(one)
                began = wire.seen(newcomer.accepted)[0], newcomer.connect.at
                group = wire.scenario.group_of(client_id)
                self.times.setdefault(group, Samples()).add(low - began[1], high - began[0])

    @staticmethod
    def overlap(one, other):
        """Whether `other` sent its CONNECT while `one` was open."""
        closed = min((row.place for row in (one.end, one.broker_end) if row), default=NEVER)
        return one is not other and one.connect.place < other.connect.place < closed

    def session(self, one, is_known):
        connect = one.connect.packet
        is_due = is_known and not connect.clean_start and connect.session_expiry > 0
        if one.connack.packet.session_present == is_due:
            self.right += 1
        else:
            self.wrong += 1


def rates(wire, messages, window):
    """Messages in a stretch of squall's clock: (at least, at most) offered, that is due, then sent and
    delivered. A message that is sent or read at its edge may count or not."""
    earliest, latest = wire.epoch
    begin, end = window

    def within(moments):
        moments = list(moments)
        surely = sum(low >= latest + begin and high < earliest + end for low, high in moments)
        perhaps = sum(high >= earliest + begin and low < latest + end for low, high in moments)
        return surely, perhaps

    due = sum(begin <= message.due < end for message in messages.sent.values())
    sent = within((earliest + message.due, message.first.at) for message in messages.sent.values())
    came = within(row.read for row, _, _, kind in messages.received if kind == "first")
    return {"offered": (due, due), "achieved": sent, "delivered": came}
