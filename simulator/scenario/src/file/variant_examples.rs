//! An example of each variant of a block: of each check, each action, each distribution.

/// Examples by the key that tells the variants apart, with that of the block before it where it matters, and its word.
const VARIANTS: &[(&str, &str, &str)] = &[
    (
        "check",
        "delivery",
        "[[expect]]\ncheck = \"delivery\"\nqos = 1\nlost = 0\nreordered = 0",
    ),
    (
        "check",
        "will",
        "[[expect]]\ncheck = \"will\"\nafter = [\"power-cut\"]\nexactly = 1\nwithin = { rst = \"1s\" }",
    ),
    (
        "check",
        "retained",
        "[[expect]]\ncheck = \"retained\"\nfilter = \"status/#\"\nequals = \"last_will\"",
    ),
    (
        "check",
        "takeover",
        "[[expect]]\ncheck = \"takeover\"\nalive_per_client_id = 1\ndisplaced_closed_within = \"1s\"",
    ),
    (
        "check",
        "qos2_handshake",
        "[[expect]]\ncheck = \"qos2_handshake\"\nincomplete = 0",
    ),
    (
        "check",
        "network",
        "[[expect]]\ncheck = \"network\"\nprofile = \"mobile\"\ntolerance = 0.1",
    ),
    (
        "check",
        "connections",
        "[[expect]]\ncheck = \"connections\"\nrefused = 0\nunexpected_disconnects = 0",
    ),
    (
        "check",
        "malformed",
        "[[expect]]\ncheck = \"malformed\"\nclosed_within = \"2s\"\nreason = \"correct\"",
    ),
    (
        "check",
        "session",
        "[[expect]]\ncheck = \"session\"\npresent = \"correct\"\nbacklog = \"complete\"",
    ),
    (
        "check",
        "expiry",
        "[[expect]]\ncheck = \"expiry\"\nnever_after = true\ntolerance = \"500ms\"",
    ),
    (
        "check",
        "shared",
        "[[expect]]\ncheck = \"shared\"\nexactly_one = true",
    ),
    (
        "check",
        "quota",
        "[[expect]]\ncheck = \"quota\"\nreceive_maximum = \"kept\"",
    ),
    (
        "check",
        "keep_alive",
        "[[expect]]\ncheck = \"keep_alive\"\nclosed_within = \"1s\"",
    ),
    (
        "check",
        "response",
        "[[expect]]\ncheck = \"response\"\nanswered = true\nmisdirected = 0",
    ),
    (
        "action",
        "drop",
        "[[fault]]\nname = \"power-cut\"\nat = \"10s\"\ngroup = \"sensors\"\nselect = 3\naction = \"drop\"\nhow = \"rst\"",
    ),
    (
        "action",
        "disconnect",
        "[[fault]]\nname = \"goodbye\"\nat = \"10s\"\ngroup = \"sensors\"\nselect = { fraction = 0.5 }\naction = \"disconnect\"",
    ),
    (
        "action",
        "takeover",
        "[[fault]]\nname = \"storm\"\nevery = \"1s\"\ngroup = \"sensors\"\nselect = 1\naction = \"takeover\"",
    ),
    (
        "action",
        "stall",
        "[[fault]]\nname = \"slow\"\nat = \"10s\"\ngroup = \"sensors\"\nselect = 1\naction = \"stall\"\nlasts = \"5s\"",
    ),
    (
        "action",
        "mute",
        "[[fault]]\nname = \"hung\"\nat = \"10s\"\ngroup = \"sensors\"\nselect = 1\naction = \"mute\"\nlasts = \"120s\"",
    ),
    (
        "action",
        "flap",
        "[[fault]]\nname = \"edge-of-cell\"\nat = \"10s\"\ngroup = \"sensors\"\nselect = 1\naction = \"flap\"\nperiod = \"400ms\"\nlasts = \"5s\"",
    ),
    (
        "action",
        "network",
        "[[fault]]\nname = \"tunnel\"\nat = \"10s\"\ngroup = \"sensors\"\naction = \"network\"\nprofile = \"gprs\"\nlasts = \"5s\"",
    ),
    (
        "action",
        "partition",
        "[[fault]]\nname = \"cut\"\nat = \"10s\"\ngroup = \"sensors\"\naction = \"partition\"\nlasts = \"5s\"",
    ),
    (
        "dist",
        "constant",
        "{ dist = \"constant\", value = \"20ms\" }",
    ),
    (
        "action",
        "kill_broker",
        "[[fault]]\nname = \"crash\"\nat = \"10s\"\naction = \"kill_broker\"\nlasts = \"2s\"",
    ),
    (
        "action",
        "pause_broker",
        "[[fault]]\nname = \"freeze\"\nat = \"10s\"\naction = \"pause_broker\"\nlasts = \"2s\"",
    ),
    (
        "action",
        "restart_broker",
        "[[fault]]\nname = \"upgrade\"\nat = \"10s\"\naction = \"restart_broker\"\nlasts = \"2s\"",
    ),
    (
        "dist",
        "uniform",
        "{ dist = \"uniform\", min = \"10ms\", max = \"50ms\" }",
    ),
    (
        "dist",
        "normal",
        "{ dist = \"normal\", mean = \"20ms\", std_dev = \"5ms\" }",
    ),
    (
        "dist",
        "lognormal",
        "{ dist = \"lognormal\", median = \"60ms\", p99 = \"450ms\" }",
    ),
    (
        "dist",
        "exponential",
        "{ dist = \"exponential\", mean = \"20ms\" }",
    ),
    (
        "dist",
        "pareto",
        "{ dist = \"pareto\", min = \"10ms\", alpha = 3.0 }",
    ),
    (
        "dist",
        "empirical",
        "{ dist = \"empirical\", values = [\"10ms\", \"20ms\"], weights = [0.9, 0.1] }",
    ),
    (
        "size.dist",
        "constant",
        "{ dist = \"constant\", value = \"64B\" }",
    ),
    (
        "size.dist",
        "uniform",
        "{ dist = \"uniform\", min = \"20B\", max = \"2KiB\" }",
    ),
    (
        "size.dist",
        "normal",
        "{ dist = \"normal\", mean = \"200B\", std_dev = \"50B\" }",
    ),
    (
        "size.dist",
        "lognormal",
        "{ dist = \"lognormal\", median = \"200B\", p99 = \"4KiB\", max = \"64KiB\" }",
    ),
    (
        "size.dist",
        "exponential",
        "{ dist = \"exponential\", mean = \"200B\" }",
    ),
    (
        "size.dist",
        "pareto",
        "{ dist = \"pareto\", min = \"100B\", alpha = 1.5, max = \"64KiB\" }",
    ),
    (
        "size.dist",
        "empirical",
        "{ dist = \"empirical\", values = [\"40B\", \"2KiB\"], weights = [0.9, 0.1] }",
    ),
    (
        "model",
        "gilbert_elliott",
        "loss = { model = \"gilbert_elliott\", good_to_bad = 0.01, bad_to_good = 0.3 }",
    ),
];

/// What may be written for the variant that `word` of `tag` tells from the others, where the block has the key `block`: a
/// block, or a value.
pub(super) fn of(block: &str, tag: &str, word: &str) -> Option<String> {
    let find = |tag: &str| {
        let found = VARIANTS
            .iter()
            .find(|(key, listed, _)| *key == tag && *listed == word);
        found.map(|&(_, _, example)| example.to_owned())
    };
    find(&format!("{block}.{tag}")).or_else(|| find(tag))
}
