"""Eclipse Paho against the broker: one case a run, chosen by name.

usage: paho_client.py PORT {3.1.1|5.0} CASE

Exits 0 if the case held; else says what was expected and what came. Every wait ends with the event
it waits for, or fails after TIMEOUT. That something does *not* come is seen by a fence: a message
published after it, which MQTT delivers in order.
"""

import queue
import socket
import struct
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

HOST = "127.0.0.1"
TIMEOUT = 20.0
PORT = int(sys.argv[1])
IS_V5 = sys.argv[2] == "5.0"


class Client:
    """One paho client; what happens to it is put into queues."""

    def __init__(self, client_id, will=None):
        protocol = mqtt.MQTTv5 if IS_V5 else mqtt.MQTTv311
        kind = {} if IS_V5 else {"clean_session": True}
        self.paho = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=client_id, protocol=protocol, **kind
        )
        self.connected = queue.Queue()
        self.disconnected = queue.Queue()
        self.subscribed = queue.Queue()
        self.unsubscribed = queue.Queue()
        self.published = queue.Queue()
        self.messages = queue.Queue()
        paho = self.paho
        paho.on_connect = lambda c, u, flags, reason, props: self.connected.put(
            (flags.session_present, reason, props)
        )
        paho.on_disconnect = lambda c, u, flags, reason, props: self.disconnected.put(reason)
        paho.on_subscribe = lambda c, u, mid, reasons, props: self.subscribed.put(reasons)
        paho.on_unsubscribe = lambda c, u, mid, reasons, props: self.unsubscribed.put(reasons)
        paho.on_publish = lambda c, u, mid, reason, props: self.published.put(mid)
        paho.on_message = lambda c, u, message: self.messages.put(message)
        if will:
            paho.will_set(*will)

    def connect(self, clean=True):
        """Connects and returns Session Present."""
        if IS_V5:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 0 if clean else 300
            self.paho.connect(HOST, PORT, clean_start=clean, properties=properties)
        else:
            self.paho._clean_session = clean
            self.paho.connect(HOST, PORT)
        self.paho.loop_start()
        session_present, reason, self.connack = self.connected.get(timeout=TIMEOUT)
        expect("CONNACK", reason.is_failure, False)
        return session_present

    def subscribe(self, topic, qos, **options):
        if IS_V5:
            self.paho.subscribe(topic, options=SubscribeOptions(qos=qos, **options))
        else:
            self.paho.subscribe(topic, qos)
        (reason,) = self.subscribed.get(timeout=TIMEOUT)
        expect(f"SUBACK of {topic}", reason.value, qos)

    def publish(self, topic, payload, qos=0, retain=False, properties=None):
        """Publishes and waits until the exchange is over."""
        info = self.paho.publish(topic, payload, qos, retain, properties)
        info.wait_for_publish(TIMEOUT)
        expect(f"{topic} published", info.is_published(), True)

    def take(self, count):
        return [self.messages.get(timeout=TIMEOUT) for _ in range(count)]

    def drop(self):
        """Closes the socket with RST and without DISCONNECT, and stays away."""
        self.paho.loop_stop()
        sock = self.paho.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def close(self):
        self.paho.disconnect()
        self.disconnected.get(timeout=TIMEOUT)
        self.paho.loop_stop()


def expect(what, got, wanted):
    if got != wanted:
        raise AssertionError(f"{what}: expected {wanted!r}, got {got!r}")


def text(message):
    return message.topic, message.payload.decode(), message.qos, bool(message.retain)


def connected(client_id, clean=True, will=None):
    client = Client(client_id, will)
    client.connect(clean)
    return client


def every_qos():
    """A message arrives once, at the lower of the two QoS."""
    subscriber, publisher = connected("sub"), connected("pub")
    for granted in (0, 1, 2):
        topic = f"qos/{granted}"
        subscriber.subscribe(topic, granted)
        for qos in (0, 1, 2):
            publisher.publish(topic, f"{qos}", qos)
        publisher.publish(topic, "fence", 2)
        got = [text(m) for m in subscriber.take(4)]
        wanted = [(topic, f"{qos}", min(qos, granted), False) for qos in (0, 1, 2)]
        expect(topic, got, wanted + [(topic, "fence", granted, False)])
    subscriber.close()
    publisher.close()


def wildcards():
    """`+` and `#` match, `$`-topics do not, and UNSUBSCRIBE ends it."""
    client = connected("wild")
    client.subscribe("home/+/temperature", 1)
    client.subscribe("yard/#", 1)
    for topic in ("home/kitchen/temperature", "home/kitchen/light", "yard", "yard/gate/state"):
        client.publish(topic, "x", 1)
    got = sorted(m.topic for m in client.take(3))
    expect("matches", got, ["home/kitchen/temperature", "yard", "yard/gate/state"])
    client.paho.unsubscribe("yard/#")
    client.unsubscribed.get(timeout=TIMEOUT)
    client.publish("yard/gate/state", "x", 1)
    client.publish("home/fence/temperature", "x", 1)
    expect("after UNSUBSCRIBE", client.take(1)[0].topic, "home/fence/temperature")
    client.close()


def big_message():
    """A payload of a megabyte comes through unchanged."""
    client = connected("big")
    client.subscribe("big", 2)
    payload = bytes(i * i % 251 for i in range(1_000_000))
    client.publish("big", payload, 2)
    expect("payload", client.take(1)[0].payload == payload, True)
    client.close()


def retained():
    """A retained message greets new subscriptions until an empty one clears it."""
    live, publisher = connected("live"), connected("pub")
    live.subscribe("status/#", 1)
    publisher.publish("status/a", "on", 1, retain=True)
    expect("live", text(live.take(1)[0]), ("status/a", "on", 1, False))
    late = connected("late")
    late.subscribe("status/#", 1)
    expect("late", text(late.take(1)[0]), ("status/a", "on", 1, True))
    publisher.publish("status/a", "", 1, retain=True)
    expect("cleared, live", text(live.take(1)[0]), ("status/a", "", 1, False))
    expect("cleared, late", text(late.take(1)[0]), ("status/a", "", 1, False))
    later = connected("later")
    later.subscribe("status/#", 1)
    publisher.publish("status/b", "fence", 1)
    expect("later", text(later.take(1)[0]), ("status/b", "fence", 1, False))
    for client in (live, late, later, publisher):
        client.close()


def will():
    """An abrupt end sends the will, a DISCONNECT does not."""
    watcher = connected("watcher")
    watcher.subscribe("will/#", 2)
    for qos in (0, 1, 2):
        device = connected("device", will=(f"will/{qos}", "gone", qos, qos == 2))
        device.drop()
        expect("will", text(watcher.take(1)[0]), (f"will/{qos}", "gone", qos, False))
    polite = connected("polite", will=("will/polite", "gone", 1, False))
    polite.close()
    watcher.publish("will/fence", "", 2)
    expect("after DISCONNECT", watcher.take(1)[0].topic, "will/fence")
    late = connected("late")
    late.subscribe("will/#", 2)
    expect("retained will", text(late.take(1)[0]), ("will/2", "gone", 2, True))
    watcher.publish("will/2", "", 1, retain=True)
    watcher.close()
    late.close()


def persistent_session():
    """What is published while a persistent Session is offline waits for it, in order.

    Paho hands a QoS 2 message on at PUBREL, so the order shows within one QoS.
    """
    away = Client("away")
    expect("first Session Present", away.connect(clean=False), False)
    away.subscribe("queue/#", 2)
    away.close()
    publisher = connected("pub")
    wanted = {1: [], 2: []}
    for n in range(100):
        qos = 1 + n % 2
        publisher.publish(f"queue/{n % 3}", f"{n}", qos)
        wanted[qos].append((f"queue/{n % 3}", f"{n}", qos, False))
    expect("Session Present", away.connect(clean=False), True)
    got = [text(m) for m in away.take(100)]
    for qos in (1, 2):
        expect(f"queue at QoS {qos}", [m for m in got if m[2] == qos], wanted[qos])
    publisher.publish("queue/0", "live", 1)
    expect("live", text(away.take(1)[0]), ("queue/0", "live", 1, False))
    away.close()
    expect("Session Present after a clean start", away.connect(clean=True), False)
    away.close()
    publisher.close()


def takeover():
    """The newer connection of a Client Identifier wins, and the older one is closed."""
    old = connected("twin", clean=False)
    old.subscribe("twin", 1)
    old.paho.reconnect_delay_set(min_delay=600, max_delay=600)
    new = Client("twin")
    expect("Session Present", new.connect(clean=False), True)
    reason = old.disconnected.get(timeout=TIMEOUT)
    if IS_V5:
        expect("reason", reason, ReasonCode(PacketTypes.DISCONNECT, "Session taken over"))
    new.publish("twin", "mine", 1)
    expect("subscription", text(new.take(1)[0]), ("twin", "mine", 1, False))
    new.close()


def properties():
    """5.0: properties of a PUBLISH reach the subscriber unchanged."""
    client = connected("")
    expect("assigned identifier", len(client.connack.AssignedClientIdentifier) > 0, True)
    client.subscribe("props", 1)
    sent = Properties(PacketTypes.PUBLISH)
    sent.PayloadFormatIndicator = 1
    sent.MessageExpiryInterval = 60
    sent.ContentType = "text/plain"
    sent.ResponseTopic = "answers"
    sent.CorrelationData = b"\x00\x01"
    sent.UserProperty = [("b", "2"), ("a", "1"), ("b", "2")]
    client.publish("props", "x", 1, properties=sent)
    got = client.take(1)[0].properties
    for name in ("PayloadFormatIndicator", "ContentType", "ResponseTopic", "CorrelationData"):
        expect(name, getattr(got, name), getattr(sent, name))
    expect("UserProperty", got.UserProperty, sent.UserProperty)
    expect("MessageExpiryInterval", 58 <= got.MessageExpiryInterval <= 60, True)
    client.close()


def topic_alias():
    """5.0: an alias stands for the topic it was sent with."""
    client = connected("alias")
    client.subscribe("alias/long/topic", 1)
    for topic in ("alias/long/topic", ""):
        alias = Properties(PacketTypes.PUBLISH)
        alias.TopicAlias = 1
        client.paho.publish(topic, "x", 1, False, alias)
        expect("topic", client.take(1)[0].topic, "alias/long/topic")
    client.close()


def shared_subscription():
    """5.0: a message of a shared subscription reaches one member of the group."""
    one, two, publisher = connected("one"), connected("two"), connected("pub")
    for member in (one, two):
        member.subscribe("$share/workers/jobs", 1)
        member.subscribe("fence", 1)
    for n in range(20):
        publisher.publish("jobs", f"{n}", 1)
    publisher.publish("fence", "", 1)
    seen = []
    for member in (one, two):
        for message in iter(lambda member=member: member.take(1)[0], None):
            if message.topic == "fence":
                break
            seen.append(int(message.payload))
    expect("jobs", sorted(seen), list(range(20)))
    for client in (one, two, publisher):
        client.close()


def subscription_options():
    """5.0: No Local and Retain Handling do what they say."""
    client = connected("options")
    client.publish("options", "kept", 1, retain=True)
    client.subscribe("options", 1, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
    client.subscribe("own", 1, noLocal=True)
    client.publish("own", "mine", 1)
    client.publish("options", "fence", 1)
    expect("message", text(client.take(1)[0]), ("options", "fence", 1, False))
    client.publish("options", "", 1, retain=True)
    client.close()


CASES = {
    case.__name__: case
    for case in (
        every_qos,
        wildcards,
        big_message,
        retained,
        will,
        persistent_session,
        takeover,
        properties,
        topic_alias,
        shared_subscription,
        subscription_options,
    )
}

if __name__ == "__main__":
    CASES[sys.argv[3]]()
