//! What lies in the answers of QoS 2 exchanges are tried on, beside the scenarios of all lies.

use crate::scenarios::{EXCHANGES, RUN};

/// What is sent again in exchanges is answered.
const REPEATS: &str = "[[expect]]\ncheck = \"qos2_handshake\"\ndup_answered_with_pubrec = true\n";

/// Publishers whose connections are cut in the middle of exchanges, and a reader that keeps answers back.
pub(crate) fn cuts() -> String {
    let groups = r#"
[[group]]
name = "shop"
count = 6
clean_start = false
session_expiry = "5m"
[group.qos2]
cut_after = { publish = 0.05, pubrec = 0.05, pubrel = 0.05 }
[[group.publish]]
topic = "orders/{client_id}"
qos = 2
rate = 20
payload = { size = "64B" }
[[group]]
name = "reader"
count = 1
clean_start = false
session_expiry = "5m"
[group.qos2]
withhold = { pubrec = 0.02, pubcomp = 0.02 }
[[group.subscribe]]
filter = "orders/#"
qos = 2
[[expect]]
check = "qos2_handshake"
no_publish_after_pubrel = true
"#;
    [RUN, groups, EXCHANGES, REPEATS].concat()
}

/// Publishers and a reader at QoS 2 that leave while others go on, with Sessions that end with their connections.
pub(crate) fn leaving() -> String {
    let groups = r#"
[[group]]
name = "shop"
count = 4
leave = "13s"
[[group.publish]]
topic = "orders/{client_id}"
qos = 2
rate = 10
payload = { size = "64B" }
[[group]]
name = "visitor"
count = 2
leave = "12s"
[[group.subscribe]]
filter = "orders/#"
qos = 2
"#;
    [
        "seed = 5\n[run]\nduration = \"14s\"\ndrain = \"1s\"\n",
        groups,
        EXCHANGES,
    ]
    .concat()
}
