"""Messages, recounted from the wire: what was published, what was owed to which Session, what came."""

import mqtt
from wire import NEVER, stamp_of

SHARE = "$share/"


class Message:
    """One message, by its stamp and Topic Name."""

    def __init__(self, row, connection, stamp, group):
        self.device, self.sequence, self.due = stamp
        self.topic, self.qos = row.packet.topic, row.packet.qos
        self.group, self.first = group, row
        self.retain = row.packet.retain
        self.acknowledged = None    # the row that ended the exchange
        self.is_refused = False
        self.copies_sent = 0
        self.last_copy = row

    @property
    def key(self):
        return self.device, self.topic, self.sequence

    @property
    def is_ok(self):
        return self.qos == 0 or (self.acknowledged is not None and not self.is_refused)


class Subscription:
    """One filter of one client, from SUBACK until its Session ended."""

    def __init__(self, client_id, group, topic_filter, qos, row):
        self.client_id, self.group, self.qos, self.since = client_id, group, qos, row
        self.share = None
        if topic_filter.startswith(SHARE):
            _, name, topic_filter = topic_filter.split("/", 2)
            self.share = (name, topic_filter)
        self.filter, self.until = topic_filter, NEVER

    @property
    def recipient(self):
        return self.share or self.client_id


class Messages:
    """The two books of a run, from the wire alone."""

    def __init__(self, wire):
        self.wire = wire
        self.sent = {}
        self.subscriptions = []
        self.wills = {(one.connect.packet.will[0], one.connect.packet.will[1])
                      for one in wire.connections if one.is_up and one.connect.packet.will}
        self.read_publications()
        self.read_subscriptions()
        self.read_deliveries()

    def read_publications(self):
        for connection in self.wire.connections:
            group = self.wire.scenario.group_of(connection.client_id)
            open_ids = self.exchanges_of(connection)
            for row in connection.rows:
                if row.packet is None:
                    continue
                if row.is_to("to_broker", mqtt.PUBLISH):
                    stamp = stamp_of(row.packet.payload)
                    if stamp is None:
                        continue
                    key = (stamp[0], row.packet.topic, stamp[1])
                    message = self.sent.get(key)
                    if message is None:
                        message = self.sent[key] = Message(row, connection, stamp, group)
                    message.copies_sent += 1
                    message.last_copy = row
                    if row.packet.qos:
                        open_ids[row.packet.id] = message
                elif row.out is None or row.direction != "to_client":
                    continue
                elif row.packet.type in (mqtt.PUBACK, mqtt.PUBCOMP, mqtt.PUBREC):
                    message = open_ids.get(row.packet.id)
                    # PUBCOMP ends what PUBREC has accepted, also if it says that the broker had
                    # finished before (0x92).
                    is_error = row.packet.reason >= 0x80 and row.packet.type != mqtt.PUBCOMP
                    if message is None or (row.packet.type == mqtt.PUBREC and not is_error):
                        continue
                    message.acknowledged, message.is_refused = row, is_error
                    del open_ids[row.packet.id]

    def exchanges_of(self, connection):
        """Exchanges of a Session outlive its connections, under the same Packet Identifiers."""
        self.exchanges = getattr(self, "exchanges", {})
        if connection.connect.packet.clean_start:
            self.exchanges[connection.client_id] = {}
        return self.exchanges.setdefault(connection.client_id, {})

    def read_subscriptions(self):
        alive = {}
        rows = [(row, one) for one in self.wire.connections for row in one.rows]
        for row, one in sorted(rows, key=lambda pair: pair[0].place):
            held = alive.setdefault(one.client_id, {})
            if row is one.connack and one.is_up and not row.packet.session_present:
                self.end_session(held, row.at)
            elif row.is_to("to_client", mqtt.SUBACK):
                asked = next(each for each in one.packets("to_broker", mqtt.SUBSCRIBE)
                             if each.packet.id == row.packet.id)
                for (topic_filter, _), reason in zip(asked.packet.filters, row.packet.reasons):
                    if reason > 2:
                        continue
                    if topic_filter in held:
                        held[topic_filter].qos = reason
                        continue
                    group = self.wire.scenario.group_of(one.client_id)
                    made = Subscription(one.client_id, group, topic_filter, reason, row)
                    held[topic_filter] = made
                    self.subscriptions.append(made)
            elif one.is_up and row in (one.end, one.broker_end):
                if one.connect.packet.session_expiry == 0 and one.connack.packet.reason == 0:
                    if not any(other is not one and other.client_id == one.client_id
                               and one.connack.place < other.connack.place < row.place
                               for other in self.wire.connections if other.is_up):
                        self.end_session(held, row.at)

    @staticmethod
    def end_session(held, at):
        for subscription in held.values():
            subscription.until = at
        held.clear()

    def recipients(self, message):
        """Who was owed it, with the QoS: a Session once, and each shared subscription once."""
        owed = {}
        for one in self.subscriptions:
            alive = one.since.at <= message.first.at < one.until
            if alive and mqtt.matches(one.filter, message.topic):
                qos = max(one.qos, owed.get(one.recipient, (None, 0))[1])
                owed[one.recipient] = (one, qos)
        return {who: (one.group, min(qos, message.qos)) for who, (one, qos) in owed.items()}

    def read_deliveries(self):
        """Everything that an application saw, in the order in which it was handed to it."""
        self.first = {}         # (recipient, message key) -> (row, client)
        self.received = []      # (row, client id, message or None, kind)
        self.wrong_labels = set()   # rows with another QoS or flag than they must have
        unreleased = set()
        rows = [(row, one) for one in self.wire.connections for row in one.rows
                if row.direction == "to_client" and row.packet is not None and row.out is not None]
        for row, one in sorted(rows, key=lambda pair: (pair[0].out, pair[0].place)):
            exchange = (one.client_id, row.packet.id)
            if row.packet.type == mqtt.PUBREL:
                unreleased.discard(exchange)
            elif row is one.connack and one.is_up and not row.packet.session_present:
                unreleased = {each for each in unreleased if each[0] != one.client_id}
            elif row.packet.type == mqtt.PUBLISH:
                if row.packet.qos == 2:
                    if exchange in unreleased:
                        continue
                    unreleased.add(exchange)
                # A client answers what it has seen at QoS 1 and 2. What it did not answer, it left
                # unread when the connection ended, and it is owed it again.
                if row.packet.qos == 0 or row.is_answered:
                    self.deliver(row, one)

    def deliver(self, row, one):
        if (row.packet.topic, row.packet.payload) in self.wills:
            return
        stamp = stamp_of(row.packet.payload)
        message = stamp and self.sent.get((stamp[0], row.packet.topic, stamp[1]))
        if not message or message.due != stamp[2]:
            self.received.append((row, one.client_id, None, "foreign"))
            return
        own, shares = [], []
        for each in self.subscriptions:
            if each.client_id == one.client_id and mqtt.matches(each.filter, message.topic):
                (shares if each.share else own).append(each)
        if not own and not shares:
            kind, recipient = "misrouted", None
        elif row.packet.payload != message.first.packet.payload:
            kind = "corrupted"
        elif row.packet.retain and message.retain:
            kind, recipient = "stored", None
        else:
            candidates = [each.recipient for each in own[:1] + shares]
            free = [who for who in candidates if (who, message.key) not in self.first]
            recipient = free[0] if free else candidates[0]
            if free:
                kind = "first"
                self.first[recipient, message.key] = (row, one.client_id)
            else:
                first = self.first[recipient, message.key][0]
                kind = "allowed" if self.may_repeat(first, row, message) else "again"
            if self.has_wrong_label(row, one, message, (own, shares, kind)):
                self.wrong_labels.add(row.place)
        self.received.append((row, one.client_id, message, kind))

    def has_wrong_label(self, row, one, message, found):
        """Of a live message: its QoS is the lower of the two where one subscription asks for it, RETAIN is
        not set, and DUP only on what may have been sent on an earlier connection, never at QoS 0."""
        own, shares, kind = found
        if len(own) == 1 and not shares and row.packet.qos != min(own[0].qos, message.qos):
            return True
        is_new = kind == "first" and message.first.at > one.connack.out
        return row.packet.retain or (row.packet.dup and (row.packet.qos == 0 or is_new))

    def may_repeat(self, first, row, message):
        """At QoS 1 a publisher may send again, and so may the broker on another connection of the
        Session; MQTT 3.1.1 allows it on the same one too."""
        is_same_connection = first.connection == row.connection
        is_v5 = self.wire.numbered[row.connection].version == 5
        return message.qos == 1 and not (is_same_connection and is_v5 and message.copies_sent == 1)

    def is_steady(self):
        """Whether every subscription was there from the first message to the last: otherwise the wire does not
        show what a device knew of it when it sent a message."""
        times = [message.first.at for message in self.sent.values()]
        return all(one.since.at <= min(times) and max(times) < one.until for one in self.subscriptions)

    def is_forgotten(self, message):
        """Whether its connection ended before the run did, and no later one resumes the Session."""
        group = self.wire.scenario.groups[message.group]
        is_kept = not group.get("clean_start", True) and "session_expiry" in group
        connection = self.wire.numbered[message.first.connection]
        return not is_kept and connection.disconnect("to_broker") is None

    def publications(self):
        """By (group, QoS): what the wire can say of each publishing group."""
        books, came = {}, {key for _, key in self.first}
        for message in self.sent.values():
            book = books.setdefault((message.group, message.qos),
                                    dict(sent=0, ok=0, refused=0, in_doubt=0, in_doubt_came=0, forgotten=0))
            book["sent"] += 1
            if self.is_steady():
                book["to_no_subscriber"] = book.get("to_no_subscriber", 0) + (not self.recipients(message))
            if message.is_ok:
                book["ok"] += 1
            elif message.is_refused:
                book["refused"] += 1
            else:
                book["in_doubt"] += 1
                book["in_doubt_came"] += message.key in came
                book["forgotten"] += self.is_forgotten(message)
        return books

    def deliveries(self):
        """By (group, QoS): what each subscribing group was owed and had."""
        books, pledged = {}, {}
        entry = lambda key: books.setdefault(key, dict(
            expected=0, delivered=0, lost=0, duplicated=0, forbidden=0, reordered=0, corrupted=0, mislabelled=0,
            misrouted=0, foreign=0,
            optional=0, received=0))
        self.lost = []
        for message in self.sent.values():
            for who, (group, qos) in self.recipients(message).items():
                if not message.is_ok:
                    continue
                pledged[who, message.key] = qos
                book = entry((group, qos))
                book["expected"] += 1
                if (who, message.key) in self.first:
                    book["delivered"] += 1
                else:
                    book["lost"] += 1
                    self.lost.append((message.topic, message.sequence, message.qos))
        firsts = {id(row): who for (who, _), (row, _) in self.first.items()}
        self.duplicated, self.reordered, highest = [], [], {}
        self.corrupted, self.mislabelled = [], []
        for row, client_id, message, kind in self.received:
            group = self.wire.scenario.group_of(client_id)
            qos = min(row.packet.qos, message.qos if message else 2)
            if kind == "first":
                # What was owed is in the book of the QoS it was owed at, whatever it came at.
                qos = pledged.get((firsts[id(row)], message.key), qos)
            book = entry((group, qos))
            book["received"] += 1
            if row.place in self.wrong_labels:
                book["mislabelled"] += 1
                self.mislabelled.append((message.topic, message.sequence))
            if kind == "corrupted":
                self.corrupted.append((message.topic, message.sequence))
            if kind in ("misrouted", "foreign", "corrupted"):
                book[kind] += 1
            elif kind == "stored":
                book["optional"] += 1
            elif kind in ("again", "allowed"):
                book["duplicated"] += 1
                if kind == "again":
                    book["forbidden"] += 1
                    self.duplicated.append((message.topic, message.sequence))
            else:
                if (firsts[id(row)], message.key) not in pledged:
                    book["optional"] += 1
                stream = (client_id, message.device, message.topic, message.qos)
                # The broker may have had no copy before the last one, and passes on in the order of what it has (§4.6).
                was_sent_again = message.copies_sent > 1 and message.last_copy.place < row.place
                if message.sequence < highest.get(stream, -1) and not was_sent_again:
                    book["reordered"] += 1
                    self.reordered.append((message.topic, message.sequence, message.qos))
                highest[stream] = max(highest.get(stream, -1), message.sequence)
        return books
