"""QoS 2 exchanges, recounted from the wire packet by packet."""

import mqtt


class Exchanges:
    """Packets by the device's part and the leg, and what became of the exchanges."""

    def __init__(self, wire, messages):
        self.legs = {}
        self.first = {id(message.first) for message in messages.sent.values()}
        self.received = set()       # (client, id): handed to the client, no PUBREL yet
        self.sending = {}           # (client, id): as a sender, the last step
        self.asked_again = set()    # PUBLISH sent again, no PUBREC yet
        self.counts = dict(sender_started=0, sender_completed=0, receiver_started=0,
                           receiver_completed=0, dup_sent=0, dup_answered=0, publish_after_pubrel=0)
        rows = sorted((row.place, row, one) for one in wire.connections for row in one.rows
                      if row.packet is not None)
        for _, row, one in rows:
            # What was not handed to a device it did not have; what the proxy made up it did not send.
            if (row.out if row.direction == "to_client" else row.at) is not None:
                self.handle(row, (one.client_id, row.packet.id))

    def handle(self, row, exchange):
        packet, to_client = row.packet, row.direction == "to_client"
        if packet.type == mqtt.PUBLISH and packet.qos == 2:
            (self.receive if to_client else self.send)(row, exchange)
        elif packet.type == mqtt.PUBREC and to_client:
            self.leg("sender", "PUBREC received")
            self.count("dup_answered", exchange in self.asked_again)
            self.asked_again.discard(exchange)
            if packet.reason >= 0x80:
                self.count("sender_completed", self.sending.pop(exchange, None) is not None)
        elif packet.type == mqtt.PUBREL and not to_client:
            self.leg("sender", "PUBREL sent")
            self.sending[exchange] = "PUBREL"
        elif packet.type == mqtt.PUBCOMP and to_client:
            self.leg("sender", "PUBCOMP received")
            self.count("sender_completed", self.sending.pop(exchange, None) is not None)
        elif packet.type == mqtt.PUBREC:
            self.leg("receiver", "PUBREC sent")
        elif packet.type == mqtt.PUBREL:
            self.leg("receiver", "PUBREL received")
            self.received.discard(exchange)
        elif packet.type == mqtt.PUBCOMP:
            self.leg("receiver", "PUBCOMP sent")
            self.count("receiver_completed")

    def receive(self, row, exchange):
        if exchange in self.received:
            return self.leg("receiver", "PUBLISH received again")
        self.received.add(exchange)
        self.leg("receiver", "PUBLISH received")
        self.count("receiver_started")

    def send(self, row, exchange):
        if id(row) in self.first:
            self.leg("sender", "PUBLISH sent")
            self.count("sender_started")
        else:
            self.leg("sender", "PUBLISH sent again")
            self.count("dup_sent")
            self.count("publish_after_pubrel", self.sending.get(exchange) == "PUBREL")
            self.asked_again.add(exchange)
        self.sending[exchange] = "PUBLISH"

    def leg(self, side, leg):
        self.legs[side, leg] = self.legs.get((side, leg), 0) + 1

    def count(self, name, by=1):
        self.counts[name] += by
