//! An example of each key, to paste: what an error shows where a key is missing or malformed.

use squall_toml::at::KeyPath;
use squall_toml::quote::quote_key;

use super::variant_examples;
use crate::model::threshold;

/// A subscription, with all its keys.
const SUBSCRIBE: &str = "[[group.subscribe]]\nfilter = \"fleet/+/telemetry\"\nqos = 1";

/// A stream of messages.
const PUBLISH: &str =
    "[[group.publish]]\ntopic = \"fleet/{client_id}/telemetry\"\nqos = 1\nevery = \"1s\"";

/// Limits of two metrics.
const THRESHOLDS: &str =
    "[thresholds]\n\"e2e_latency\" = [\"p99 < 250ms\"]\n\"publish_rate\" = [\"avg > 50\"]";

/// Examples by the keys of their place.
const EXAMPLES: &[(&str, &str)] = &[
    ("version", "version = 1"),
    ("extends", "extends = \"base.toml\""),
    ("name", "name = \"my-scenario\""),
    ("description", "description = \"what the run is about\""),
    ("seed", "seed = 7"),
    ("needs", "needs = [\"shared_subscriptions\"]"),
    (
        "matrix",
        "[matrix]\n\"group.sensors.count\" = [100, 1000]\n\"target.use\" = [\"squall\", \"mosquitto\"]",
    ),
    ("run.repeat", "repeat = 5"),
    ("vars", "[vars]\nsite = \"berlin\""),
    ("thresholds", THRESHOLDS),
    ("target", "[target]\nurl = \"mqtt://localhost:1883\""),
    ("target.use", "use = \"rabbitmq\""),
    ("target.protocol", "protocol = \"3.1.1\""),
    ("target.keeps", "keeps = \"disk\""),
    ("target.lacks", "lacks = [\"shared_subscriptions\"]"),
    (
        "target.config",
        "config = { \"broker.conf\" = \"listener {port} 127.0.0.1\" }",
    ),
    (
        "target.url",
        "url = [\"mqtt://node-1:1883\", \"mqtt://node-2:1883\"]",
    ),
    ("target.spawn", "spawn = \"mosquitto -p {port}\""),
    ("target.transport", "transport = \"tls\""),
    (
        "target.tls",
        "tls = { ca = \"ca.pem\", cert = \"client.pem\", key = \"client.key\" }",
    ),
    ("target.tls.ca", "ca = \"ca.pem\""),
    ("target.tls.cert", "cert = \"client.pem\""),
    ("target.tls.key", "key = \"client.key\""),
    ("target.tls.sni", "sni = \"broker.example\""),
    ("target.tls.insecure", "insecure = true"),
    (
        "target.source",
        "source = [\"127.0.0.1\", \"127.0.0.2-127.0.0.4\"]",
    ),
    ("target.ready", "ready = \"60s\""),
    ("target.kill", "kill = \"SIGINT\""),
    ("target.software", "software = \"nats-server --version\""),
    ("target.env", "env = { LOG_LEVEL = \"warn\" }"),
    ("run", "[run]\nwarmup = \"5s\"\nduration = \"30s\""),
    ("run.warmup", "warmup = \"5s\""),
    ("run.duration", "duration = \"30s\""),
    ("run.drain", "drain = \"5s\""),
    ("run.abort_on_fail", "abort_on_fail = true"),
    ("run.connect_timeout", "connect_timeout = \"10s\""),
    (
        "network",
        "[[network]]\nname = \"lte-poor\"\npreset = \"lte\"\nloss = 0.02",
    ),
    ("network.name", "name = \"lte-poor\""),
    ("network.preset", "preset = \"lte\""),
    ("network.latency", "latency = \"40ms\""),
    (
        "network.jitter",
        "jitter = { dist = \"uniform\", min = \"0ms\", max = \"20ms\" }",
    ),
    ("network.loss", "loss = 0.01"),
    ("network.loss.model", "model = \"gilbert_elliott\""),
    ("network.loss.good_to_bad", "good_to_bad = 0.01"),
    ("network.loss.bad_to_good", "bad_to_good = 0.3"),
    (
        "network.retransmission_timeout",
        "retransmission_timeout = \"300ms\"",
    ),
    (
        "network.bandwidth",
        "bandwidth = { up = \"256kbit/s\", down = \"1mbit/s\" }",
    ),
    ("network.bandwidth.up", "up = \"256kbit/s\""),
    ("network.bandwidth.down", "down = \"1mbit/s\""),
    (
        "network.outages",
        "outages = { every = \"45s\", lasts = \"3s\" }",
    ),
    ("network.outages.every", "every = \"45s\""),
    ("network.outages.lasts", "lasts = \"3s\""),
    (
        "network.partition",
        "partition = { at = \"20s\", lasts = \"5s\" }",
    ),
    ("network.partition.at", "at = \"20s\""),
    ("network.partition.every", "every = \"30s\""),
    ("network.partition.for", "for = \"1m\""),
    ("network.partition.lasts", "lasts = \"5s\""),
    (
        "group",
        "[[group]]\nname = \"sensors\"\ncount = 10\n[[group.publish]]\n\
         topic = \"fleet/{client_id}/telemetry\"\nevery = \"1s\"",
    ),
    ("group.name", "name = \"sensors\""),
    ("group.count", "count = 10"),
    ("group.feed", "feed = { csv = \"vans.csv\" }"),
    ("group.feed.csv", "csv = \"vans.csv\""),
    ("group.client_id", "client_id = \"sensor-{index}\""),
    ("expect.answered", "answered = true"),
    ("expect.closed_within", "closed_within = \"2s\""),
    ("expect.closed_early", "closed_early = 0"),
    ("expect.misdirected", "misdirected = 0"),
    (
        "group.respond",
        "[[group.respond]]\nfilter = \"cmd/{client_id}\"\nqos = 1",
    ),
    ("group.respond.filter", "filter = \"cmd/{client_id}\""),
    ("group.respond.topic", "topic = \"answer/{client_id}\""),
    ("group.respond.qos", "qos = 1"),
    ("group.respond.delay", "delay = \"20ms\""),
    ("group.respond.payload", "payload = { text = \"done\" }"),
    (
        "group.publish.response_topic",
        "response_topic = \"answers/{client_id}\"",
    ),
    (
        "group.publish.content_type",
        "content_type = \"application/json\"",
    ),
    (
        "group.publish.user_properties",
        "user_properties = { region = \"north-{index % 4}\", trace = \"{uuid}\" }",
    ),
    ("group.username", "username = \"dev-{index}\""),
    ("group.password", "password = { env = \"MQTT_PASSWORD\" }"),
    ("group.username.env", "env = \"MQTT_USER\""),
    ("group.password.env", "env = \"MQTT_PASSWORD\""),
    ("target.username.env", "env = \"MQTT_USER\""),
    ("target.password.env", "env = \"MQTT_PASSWORD\""),
    (
        "group.tls",
        "tls = { cert = \"devices.pem\", key = \"devices.key\" }",
    ),
    ("group.transport", "transport = \"wss\""),
    ("group.tls.cert", "cert = \"devices.pem\""),
    ("group.tls.key", "key = \"devices.key\""),
    ("group.credentials", "credentials = { csv = \"users.csv\" }"),
    ("group.credentials.csv", "csv = \"users.csv\""),
    ("target.username", "username = \"squall\""),
    ("target.password", "password = { env = \"MQTT_PASSWORD\" }"),
    ("group.protocol", "protocol = \"5.0\""),
    ("group.clean_start", "clean_start = false"),
    ("group.session_expiry", "session_expiry = \"5m\""),
    ("group.session", "session = \"fresh\""),
    ("group.keep_alive", "keep_alive = \"60s\""),
    ("group.receive_maximum", "receive_maximum = 20"),
    ("group.topic_alias", "topic_alias = 10"),
    ("group.connect_rate", "connect_rate = 1000"),
    ("group.start", "start = \"10s\""),
    ("group.leave", "leave = \"25s\""),
    (
        "group.availability",
        "availability = { up = \"5m\", down = \"1m\" }",
    ),
    ("group.availability.up", "up = \"5m\""),
    ("group.availability.down", "down = \"1m\""),
    (
        "group.online",
        "online = { day = { low = 0.2, high = 0.9, peak = \"14h\" } }",
    ),
    ("group.online.share", "share = 0.5"),
    (
        "group.online.points",
        "points = [{ at = \"0s\", share = 0.2 }, { at = \"30s\", share = 1 }]",
    ),
    ("group.online.points.share", "share = 0.5"),
    (
        "group.online.day",
        "day = { low = 0.2, high = 0.9, peak = \"14h\" }",
    ),
    ("group.online.day.low", "low = 0.2"),
    ("group.online.day.high", "high = 0.9"),
    ("group.availability.how", "how = \"rst\""),
    ("run.begin", "begin = \"at_once\""),
    ("group.network", "network = \"mobile\""),
    (
        "group.will",
        "[group.will]\ntopic = \"status/{client_id}\"\npayload = { text = \"offline\" }\nqos = 1",
    ),
    ("group.will.topic", "topic = \"status/{client_id}\""),
    ("group.will.payload", "payload = { text = \"offline\" }"),
    ("group.will.delay", "delay = \"5s\""),
    (
        "group.birth",
        "[group.birth]\ntopic = \"status/{client_id}\"\npayload = { text = \"online\" }\nqos = 1\nretain = true",
    ),
    ("group.birth.topic", "topic = \"status/{client_id}\""),
    ("group.birth.payload", "payload = { text = \"online\" }"),
    ("group.publish", PUBLISH),
    (
        "group.publish.topic",
        "topic = \"fleet/{client_id}/telemetry\"",
    ),
    ("group.publish.rate", "rate = 100"),
    ("group.publish.rate_per_device", "rate_per_device = 0.5"),
    ("group.publish.every", "every = \"1s\""),
    ("group.publish.arrival", "arrival = \"poisson\""),
    ("group.publish.arrival.window", "window = 100"),
    ("group.publish.burst", "burst = 20"),
    ("group.publish.count", "count = 10"),
    ("group.publish.start", "start = \"5s\""),
    ("group.publish.until", "until = \"25s\""),
    ("group.publish.stamp", "stamp = \"property\""),
    ("group.publish.payload", "payload = { size = \"64B\" }"),
    ("group.publish.message_expiry", "message_expiry = \"30s\""),
    ("group.subscribe", SUBSCRIBE),
    ("group.subscribe.filter", "filter = \"fleet/+/telemetry\""),
    ("group.subscribe.no_local", "no_local = true"),
    (
        "group.subscribe.retain_as_published",
        "retain_as_published = true",
    ),
    ("group.subscribe.retain_handling", "retain_handling = 2"),
    (
        "group.subscribe.subscription_identifier",
        "subscription_identifier = 7",
    ),
    ("group.subscribe.start", "start = \"5s\""),
    ("group.subscribe.until", "until = \"25s\""),
    (
        "group.subscribe.churn",
        "churn = { on = \"5s\", off = \"5s\" }",
    ),
    ("group.subscribe.churn.on", "on = \"5s\""),
    ("group.subscribe.churn.off", "off = \"5s\""),
    (
        "group.reconnect",
        "[group.reconnect]\nwhen = \"always\"\nbackoff = \"1s\"",
    ),
    ("group.reconnect.when", "when = \"always\""),
    (
        "group.reconnect.backoff",
        "backoff = { dist = \"uniform\", min = \"100ms\", max = \"1s\" }",
    ),
    ("group.reconnect.backoff.initial", "initial = \"1s\""),
    ("group.reconnect.backoff.factor", "factor = 2"),
    ("group.reconnect.backoff.cap", "cap = \"2m\""),
    ("group.reconnect.backoff.jitter", "jitter = \"full\""),
    (
        "group.qos2",
        "[group.qos2]\ncut_after = { publish = 0.01, pubrec = 0.01 }",
    ),
    ("group.qos2.retransmit", "retransmit = \"on_reconnect\""),
    ("group.qos2.retransmit_after", "retransmit_after = \"5s\""),
    (
        "group.qos2.cut_after",
        "cut_after = { publish = 0.01, pubrec = 0.01 }",
    ),
    ("group.qos2.delay_pubrel", "delay_pubrel = \"200ms\""),
    ("group.qos2.withhold", "withhold = { pubrec = 0.05 }"),
    (
        "group.qos2.withhold.reconnect_after",
        "reconnect_after = \"1s\"",
    ),
    (
        "fault",
        "[[fault]]\nat = \"10s\"\ngroup = \"sensors\"\naction = \"drop\"\nhow = \"rst\"",
    ),
    ("fault.name", "name = \"power-cut\""),
    ("fault.at", "at = \"10s\""),
    ("fault.every", "every = \"10s\""),
    ("fault.for", "for = \"60s\""),
    ("fault.group", "group = \"sensors\""),
    ("fault.select", "select = { fraction = 0.2 }"),
    ("fault.select.fraction", "fraction = 0.2"),
    ("fault.select.count", "count = 3"),
    ("fault.select.match", "match = \"sensor-1*\""),
    ("fault.action", "action = \"drop\""),
    ("fault.how", "how = \"rst\""),
    ("fault.profile", "profile = \"gprs\""),
    ("fault.reason", "reason = \"normal\""),
    ("fault.lasts", "lasts = \"20s\""),
    ("fault.contenders", "contenders = 3"),
    ("fault.period", "period = \"400ms\""),
    ("fault.kind", "kind = [\"qos_3\", \"invalid_utf8\"]"),
    (
        "expect",
        "[[expect]]\ncheck = \"delivery\"\nlost = 0\nmisrouted = 0",
    ),
    ("expect.check", "check = \"delivery\""),
    ("expect.group", "group = \"sensors\""),
    ("expect.after", "after = [\"power-cut\"]"),
    ("expect.within", "within = \"1s\""),
    ("expect.filter", "filter = \"status/#\""),
    ("expect.equals", "equals = \"last_will\""),
    (
        "expect.displaced_closed_within",
        "displaced_closed_within = \"1s\"",
    ),
    ("expect.reason", "reason = \"session_taken_over\""),
    ("expect.session_present", "session_present = \"correct\""),
    (
        "expect.dup_answered_with_pubrec",
        "dup_answered_with_pubrec = true",
    ),
    (
        "expect.no_publish_after_pubrel",
        "no_publish_after_pubrel = true",
    ),
    ("expect.profile", "profile = \"mobile\""),
    ("expect.tolerance", "tolerance = 0.1"),
    ("expect.malformed.reason", "reason = \"correct\""),
    ("expect.expiry.tolerance", "tolerance = \"500ms\""),
    ("expect.alive_per_client_id", "alive_per_client_id = 1"),
    ("expect.present", "present = \"correct\""),
    ("expect.backlog", "backlog = \"complete\""),
    ("expect.never_after", "never_after = true"),
    ("expect.remaining", "remaining = \"correct\""),
    ("expect.exactly_one", "exactly_one = true"),
    ("expect.redistributed", "redistributed = true"),
    ("expect.receive_maximum", "receive_maximum = \"kept\""),
    ("expect.exactly", "exactly = 1"),
    (
        "expect.unexpected_disconnects",
        "unexpected_disconnects = 0",
    ),
    ("expect.refused", "refused = 0"),
    ("expect.incomplete", "incomplete = 0"),
];

/// Examples of keys that mean the same in several blocks, or in several that have the same key.
const ANYWHERE: &[(&str, &str)] = &[
    ("at", "at = \"10s\""),
    ("rate", "rate = 500"),
    ("repeat", "repeat = \"60s\""),
    (
        "points",
        "points = [{ at = \"0s\", rate = 5 }, { at = \"30s\", rate = 50 }]",
    ),
    ("day", "day = { low = 10, high = 500, peak = \"14h\" }"),
    ("low", "low = 10"),
    ("high", "high = 500"),
    ("peak", "peak = \"14h\""),
    ("qos", "qos = 1"),
    ("retain", "retain = true"),
    ("size", "size = \"64B\""),
    ("text", "text = \"on\""),
    ("hex", "hex = \"01 ff 00\""),
    ("file", "file = \"reading.bin\""),
    ("command", "command = \"./generator.py\""),
    ("json", "json = { id = \"{client_id}\", n = \"{seq}\" }"),
    ("size.value", "value = \"64B\""),
    ("size.min", "min = \"20B\""),
    ("size.max", "max = \"64KiB\""),
    ("size.mean", "mean = \"200B\""),
    ("size.std_dev", "std_dev = \"50B\""),
    ("size.median", "median = \"200B\""),
    ("size.p99", "p99 = \"4KiB\""),
    ("size.values", "values = [\"40B\", \"2KiB\"]"),
    ("dist", "dist = \"lognormal\""),
    ("value", "value = \"20ms\""),
    ("min", "min = \"10ms\""),
    ("max", "max = \"50ms\""),
    ("mean", "mean = \"20ms\""),
    ("std_dev", "std_dev = \"5ms\""),
    ("median", "median = \"60ms\""),
    ("p99", "p99 = \"450ms\""),
    ("alpha", "alpha = 3.0"),
    ("values", "values = [\"10ms\", \"20ms\"]"),
    ("weights", "weights = [0.9, 0.1]"),
    ("publish", "publish = 0.01"),
    ("pubrec", "pubrec = 0.01"),
    ("pubrel", "pubrel = 0.01"),
    ("pubcomp", "pubcomp = 0.05"),
    ("silent", "silent = \"16s\""),
    ("fin", "fin = \"1s\""),
    ("rst", "rst = \"1s\""),
    ("half_close", "half_close = \"1s\""),
    ("mid_packet", "mid_packet = \"1s\""),
    ("malformed", "malformed = \"1s\""),
    ("tls_abort", "tls_abort = \"1s\""),
    ("lost", "lost = 0"),
    ("duplicated", "duplicated = 0"),
    ("reordered", "reordered = 0"),
    ("misrouted", "misrouted = 0"),
    ("corrupted", "corrupted = 0"),
    ("mislabelled", "mislabelled = 0"),
    ("late", "late = 0"),
];

/// What may stand at `at`, as one line `key = value` or as a block with its header; `None` if the
/// format has no such key.
pub(crate) fn of(at: &KeyPath) -> Option<String> {
    if let Some(selector) = at.keys().strip_prefix("thresholds.") {
        let condition = threshold::example_condition(selector);
        return Some(format!("{} = [\"{condition}\"]", quote_key(selector)));
    }
    let find = |examples: &[(&str, &'static str)], key: &str| {
        let found = examples.iter().find(|(keys, _)| *keys == key);
        found.map(|&(_, example)| example.to_owned())
    };
    let in_block = || {
        let block = at.keys().rsplit('.').nth(1)?;
        find(ANYWHERE, &format!("{block}.{}", at.last_key()))
    };
    find(EXAMPLES, at.keys())
        .or_else(in_block)
        .or_else(|| find(ANYWHERE, at.last_key()))
}

/// What may stand at `at` in the variant `word` of its block, where that is not the same in all of them: it is
/// listed with the word before the key, as `expect.expiry.tolerance`.
pub(crate) fn of_key_in(word: &str, at: &KeyPath) -> Option<String> {
    let own = at.beside(word).key(at.last_key());
    let own = EXAMPLES.iter().find(|(keys, _)| *keys == own.keys());
    own.map(|&(_, example)| example.to_owned())
        .or_else(|| of(at))
}

/// What may be written for the variant of the block at `at` that `word` of the key `tag` tells from the others, such as
/// `will` of `check`.
pub(crate) fn of_variant(at: &KeyPath, tag: &str, word: &str) -> Option<String> {
    variant_examples::of(at.last_key(), tag, word)
}
