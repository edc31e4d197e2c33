"""What a lying network does to PUBLISH packets: a known list of them is dropped, doubled, swapped, changed.

A rule says what is done to which packets: of those that go in `direction` under `topic` (the
beginning of the Topic Name), the ones whose number is in `numbers`, counted from 1.

- `drop`: the packet is not handed on. The proxy answers in the receiver's place, so that its
  sender believes that it arrived: nothing but the message is missing.
- `duplicate`: the receiver has the message twice. At QoS 2 the copy is an exchange of its own
  under another Packet Identifier: under the same one a receiver would rightly ignore it (4.3.3).
- `swap`: the packet waits for the next under the same Topic Name on its connection, and follows it.
- `corrupt`: the first byte of the payload is another.
- `downgrade`: a message of QoS 1 is handed on at QoS 0; the proxy answers in the receiver's place.
- `mute`: a message of QoS 1 is handed on, and its PUBACK is not.
- `vanish`: it is not even handed on, and nothing answers it.
- `retain`, `dup`: the packet is handed on with that flag.
- `misroute`: beside going its way, it is given to the client `to` as well, at QoS 0.
- `forge`: beside it, the client `to` is given a message under the same Topic Name that no client of
  the run has published.

The proxy carries on the exchanges that this begins or cuts short; the other side never hears of it.
"""

import mqtt

# Packet Identifiers of copies: far from those that a broker gives, from 1 on.
FIRST_COPY_ID = 60_000

# What makes another packet of one.
CHANGES = {
    "corrupt": mqtt.with_other_payload,
    "retain": lambda raw, packet: bytes([raw[0] | 0x01]) + raw[1:],
    "dup": lambda raw, packet: bytes([raw[0] | 0x08]) + raw[1:],
}


class Tamper:
    """Rules, and the exchanges that they began."""

    def __init__(self, rules, inject, clients):
        self.rules = [dict(rule, seen=0) for rule in rules]
        self.inject, self.clients = inject, clients
        self.held = {}          # (connection, direction, topic) -> the packet that waits
        self.swallowed = {}     # (connection, direction, type, id) -> answers not to hand on
        self.answered = {}      # (connection, direction of the PUBLISH, id) -> exchanges to end
        self.copies = {}        # as `answered`, of copies at QoS 2
        self.next_copy_id = FIRST_COPY_ID

    def handle(self, side, raw):
        """What becomes of a packet: pairs of bytes to hand on and why; None for bytes: it stops."""
        if not self.rules:
            return [(raw, None)]
        kind = raw[0] >> 4
        if kind == mqtt.PUBLISH:
            return self.publish(side, raw, mqtt.Packet(raw, side.connection.version))
        if kind in (mqtt.PUBACK, mqtt.PUBREC, mqtt.PUBREL, mqtt.PUBCOMP):
            return self.answer(side, raw, mqtt.Packet(raw, side.connection.version))
        return [(raw, None)]

    def publish(self, side, raw, packet):
        stream = (side.connection.number, side.direction, packet.topic)
        rule = self.rule(side, packet)
        action = rule and rule["action"]
        waiting = self.held.pop(stream, None)
        if action == "drop":
            self.answer_in_its_place(side, packet)
            return [(None, "drop")]
        if action == "swap":
            self.held[stream] = raw
            return [(None, "swap")]
        if action == "vanish":
            return [(None, "vanish")]
        if action == "mute":
            self.swallow_answer(side, packet)
            return [(raw, None)]
        if action == "downgrade":
            self.answer_in_its_place(side, packet)
            lower = mqtt.publish(packet.topic, packet.payload, side.connection.version)
            return [(lower, action)]
        if action in CHANGES:
            return [(CHANGES[action](raw, packet), action)]
        steps = [(raw, None)]
        if waiting is not None:
            steps.append((waiting, "swap"))
        if action == "duplicate":
            steps.append((self.copy(side, raw, packet), "duplicate"))
        if action in ("misroute", "forge"):
            target = self.clients[rule["to"]]
            payload = packet.payload if action == "misroute" else b"from another"
            made = mqtt.publish(packet.topic, payload, target.connection.version)
            self.inject(target, made, action)
        return steps

    def rule(self, side, packet):
        if packet.dup:
            return None
        for rule in self.rules:
            if rule["direction"] == side.direction and packet.topic.startswith(rule["topic"]):
                rule["seen"] += 1
                if rule["seen"] in rule["numbers"]:
                    return rule
        return None

    def answer_in_its_place(self, side, packet):
        key = (side.connection.number, side.direction, packet.id)
        if packet.qos == 1:
            self.inject(side, mqtt.acknowledgement(mqtt.PUBACK, packet.id), "answer")
        elif packet.qos == 2:
            self.answered[key] = True
            self.inject(side, mqtt.acknowledgement(mqtt.PUBREC, packet.id), "answer")

    def copy(self, side, raw, packet):
        if packet.qos == 0:
            return bytearray(raw)
        if packet.qos == 1:
            self.swallow_answer(side, packet)
            return bytes([raw[0] | 0x08]) + raw[1:]
        copy_id = self.next_copy_id
        self.next_copy_id += 1
        self.copies[side.connection.number, side.direction, copy_id] = True
        return mqtt.with_packet_id(raw, copy_id)

    def swallow_answer(self, side, packet):
        key = (side.connection.number, side.peer.direction, mqtt.PUBACK, packet.id)
        self.swallowed[key] = self.swallowed.get(key, 0) + 1

    def answer(self, side, raw, packet):
        number = side.connection.number
        if packet.type == mqtt.PUBREL and (number, side.direction, packet.id) in self.answered:
            del self.answered[number, side.direction, packet.id]
            self.inject(side, mqtt.acknowledgement(mqtt.PUBCOMP, packet.id), "answer")
            return [(None, "answer")]
        began = (number, side.peer.direction, packet.id)
        if began in self.copies:
            if packet.type == mqtt.PUBREC:
                self.inject(side, mqtt.acknowledgement(mqtt.PUBREL, packet.id), "answer")
            elif packet.type == mqtt.PUBCOMP:
                del self.copies[began]
            return [(None, "answer")]
        key = (number, side.direction, packet.type, packet.id)
        if self.swallowed.get(key):
            # The first answer ends the exchange; which of the two it answers is the same.
            self.swallowed[key] -= 1
            return [(None, "answer")]
        return [(raw, None)]
