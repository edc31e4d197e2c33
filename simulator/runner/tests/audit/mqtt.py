"""MQTT 3.1.1 and 5.0 packets, as far as an auditor needs them, read from the specification.

It shares nothing with the programs under audit. Section numbers are those of MQTT 5.0.
"""

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11
PINGREQ, PINGRESP, DISCONNECT, AUTH = 12, 13, 14, 15

NAMES = [
    "RESERVED", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "SUBSCRIBE",
    "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
]

# Property identifiers by the encoding of their value (2.2.2.2).
ONE_BYTE = {0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A}
TWO_BYTES = {0x13, 0x21, 0x22, 0x23}
FOUR_BYTES = {0x02, 0x11, 0x18, 0x27}
VARIABLE = {0x0B}
LENGTH_AND_BYTES = {0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F}
USER_PROPERTY = 0x26
SESSION_EXPIRY_INTERVAL = 0x11
TOPIC_ALIAS = 0x23
RESPONSE_TOPIC = 0x08
CORRELATION_DATA = 0x09


class Malformed(Exception):
    """Bytes that are not MQTT."""


def variable_byte_integer(data, at):
    """The integer that begins at `at` and where it ends (1.5.5); None while bytes are missing."""
    value, shift = 0, 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 21:
            raise Malformed("a variable byte integer has at most four bytes")
    return None


def packet_length(data, at=0):
    """Length of the whole packet that begins at `at`; None while its header is not complete."""
    length = variable_byte_integer(data, at + 1)
    return None if length is None else length[1] - at + length[0]


class Reader:
    """Takes fields off the front of a packet's body."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, count):
        if self.left() < count:
            raise Malformed(f"{count} bytes wanted, {self.left()} left")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def bytes(self):
        return self.take(self.number(2))

    def text(self):
        return self.bytes().decode()

    def properties(self):
        """Identifier to value; of those that may repeat, the last."""
        found = variable_byte_integer(self.data, self.at)
        if found is None:
            raise Malformed("no property length")
        length, self.at = found
        inner = Reader(self.take(length))
        values = {}
        while inner.left():
            identifier = inner.number(1)
            if identifier in ONE_BYTE:
                values[identifier] = inner.number(1)
            elif identifier in TWO_BYTES:
                values[identifier] = inner.number(2)
            elif identifier in FOUR_BYTES:
                values[identifier] = inner.number(4)
            elif identifier in LENGTH_AND_BYTES:
                values[identifier] = inner.bytes()
            elif identifier in VARIABLE:
                values[identifier], inner.at = variable_byte_integer(inner.data, inner.at)
            elif identifier == USER_PROPERTY:
                values[identifier] = (inner.text(), inner.text())
            else:
                raise Malformed(f"unknown property 0x{identifier:02x}")
        return values


class Packet:
    """One packet. Fields that a type does not have are None."""

    def __init__(self, raw, version):
        self.raw = raw
        self.type, self.flags = raw[0] >> 4, raw[0] & 0x0F
        self.id = self.topic = self.payload = self.reason = None
        _, start = variable_byte_integer(raw, 1)
        reader = Reader(raw[start:])
        if self.type == CONNECT:
            self._connect(reader)
        elif self.type == CONNACK:
            self.session_present = bool(reader.number(1) & 1)
            self.reason = reader.number(1)
        elif self.type == PUBLISH:
            self._publish(reader, version)
        elif self.type in (PUBACK, PUBREC, PUBREL, PUBCOMP):
            self.id = reader.number(2)
            self.reason = reader.number(1) if reader.left() else 0
        elif self.type == SUBSCRIBE:
            self._subscribe(reader, version)
        elif self.type == SUBACK:
            self.id = reader.number(2)
            if version == 5:
                reader.properties()
            self.reasons = list(reader.take(reader.left()))
        elif self.type == DISCONNECT:
            self.reason = reader.number(1) if reader.left() else 0

    def _connect(self, reader):
        reader.text()
        self.version = reader.number(1)
        flags = reader.number(1)
        self.clean_start = bool(flags & 0x02)
        self.keep_alive = reader.number(2)
        properties = reader.properties() if self.version == 5 else {}
        # 3.1.1 knows no expiry: a Session that is not clean stays.
        never = 0 if self.clean_start or self.version == 5 else 0xFFFFFFFF
        self.session_expiry = properties.get(SESSION_EXPIRY_INTERVAL, never)
        self.client_id = reader.text()
        self.will = None
        if flags & 0x04:
            if self.version == 5:
                reader.properties()
            topic, payload = reader.text(), reader.bytes()
            self.will = (topic, payload, flags >> 3 & 3, bool(flags & 0x20))

    def _publish(self, reader, version):
        self.dup, self.qos, self.retain = bool(self.flags & 8), self.flags >> 1 & 3, bool(self.flags & 1)
        self.topic = reader.text()
        if self.qos:
            self.id = reader.number(2)
        properties = reader.properties() if version == 5 else {}
        self.alias = properties.get(TOPIC_ALIAS)
        self.response_topic = properties.get(RESPONSE_TOPIC)
        self.correlation = properties.get(CORRELATION_DATA)
        self.payload = reader.take(reader.left())

    def _subscribe(self, reader, version):
        self.id = reader.number(2)
        if version == 5:
            reader.properties()
        self.filters = []
        while reader.left():
            self.filters.append((reader.text(), reader.number(1)))


def matches(topic_filter, topic):
    """Whether a Topic Filter matches a Topic Name (4.7)."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in ("#", "+"):
        return False
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(levels) or level not in ("+", levels[place]):
            return False
    return len(wanted) == len(levels)


def acknowledgement(kind, packet_id):
    """PUBACK, PUBREC, PUBREL or PUBCOMP with success: the short form of both versions (3.4.2.1)."""
    flags = 0x02 if kind == PUBREL else 0
    return bytes([kind << 4 | flags, 2]) + packet_id.to_bytes(2, "big")


def publish(topic, payload, version):
    """A PUBLISH of QoS 0 without properties."""
    topic = topic.encode()
    body = len(topic).to_bytes(2, "big") + topic + (b"\0" if version == 5 else b"") + payload
    length, rest = b"", len(body)
    while rest > 0x7F:
        length, rest = length + bytes([rest & 0x7F | 0x80]), rest >> 7
    return bytes([PUBLISH << 4]) + length + bytes([rest]) + body


def with_packet_id(raw, packet_id):
    """A PUBLISH of QoS 1 or 2 under another Packet Identifier."""
    _, start = variable_byte_integer(raw, 1)
    at = start + 2 + int.from_bytes(raw[start:start + 2], "big")
    return raw[:at] + packet_id.to_bytes(2, "big") + raw[at + 2:]


def with_other_payload(raw, packet):
    """A PUBLISH whose payload begins with another byte."""
    at = len(raw) - len(packet.payload)
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:]
