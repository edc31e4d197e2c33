"""Requests and responses, recounted from the wire: of MQTT 5.0, whose Correlation Data ties them."""

from times import Samples


class Responses:
    """Each message that asks for a response, and the response that came to its sender."""

    def __init__(self, wire, messages, window):
        self.wire, self.window = wire, window
        self.requests = {}      # Correlation Data -> (message, client id)
        for message in messages.sent.values():
            packet = message.first.packet
            if packet.response_topic is not None:
                client_id = wire.numbered[message.first.connection].client_id
                self.requests[packet.correlation] = (message, client_id)
        self.answered, self.misdirected, self.times = set(), 0, {}
        for row, client_id, message, kind in messages.received:
            if message is not None:
                self.read(row, client_id, message, kind)

    def read(self, row, client_id, message, kind):
        """A message came to a client: perhaps a request, perhaps a response."""
        sent, came = message.first.packet, row.packet
        if sent.response_topic is not None:
            # Every recipient has it as it was sent [MQTT-3.3.2-15] [MQTT-3.3.2-16].
            self.misdirected += (came.response_topic, came.correlation) != (
                sent.response_topic, sent.correlation)
            return
        request, asker = self.requests.get(sent.correlation, (None, None))
        if request is None or asker != client_id or kind != "first":
            return
        self.misdirected += came.correlation != sent.correlation
        if sent.correlation not in self.answered:
            self.answered.add(sent.correlation)
            self.time(row, request)

    def time(self, row, request):
        """From the moment a request was due until its response was read."""
        begin, end = self.window
        if not begin <= request.due < end:
            return
        earliest, latest = self.wire.epoch
        low, high = row.read
        self.times.setdefault(request.group, Samples()).add(
            low - latest - request.due, high - earliest - request.due)
