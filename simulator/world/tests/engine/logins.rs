//! What CONNECTs carry: those of devices, and those of the clients that squall adds.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use squall_core::Config;
use squall_fleet::{Fleet, RunTag};
use squall_protocol::packet::Packet;
use squall_world::{Passing, Tamper, Tampered, World};

use crate::harness::{broker, scenario};
use crate::recording::Recording;

/// Client Identifiers with their User Names and Passwords, one line each.
#[derive(Clone, Debug, Default)]
struct Logins(Rc<RefCell<BTreeSet<String>>>);

impl Tamper for Logins {
    fn handle_packet(&mut self, passing: &Passing<'_>, out: &mut Tampered) {
        if let Packet::Connect(connect) = passing.packet {
            let password = connect.password.as_deref().map(String::from_utf8_lossy);
            self.0.borrow_mut().insert(format!(
                "{} {}:{}",
                connect.client_id,
                connect.user_name.as_deref().unwrap_or("-"),
                password.as_deref().unwrap_or("-"),
            ));
        }
        out.pass(passing);
    }
}

/// The lines of a run of `text`.
fn logins(text: &str) -> Vec<String> {
    let logins = Logins::default();
    let fleet = Fleet::new(scenario(text), RunTag::of_seed(1), Recording::default());

    World::new(fleet, broker(Config::default()))
        .with_tamper(Box::new(logins.clone()))
        .run();

    logins.0.take().into_iter().collect()
}

/// The target may know Sessions of earlier runs, and one group leaves its own behind: they are cleared before
/// and after the run, as the device that owns them logs in. A checker and a group without a login of their own
/// log in as `[target]` says.
#[test]
fn each_connect_carries_the_login_of_its_client() {
    let logins = logins(
        r#"
[target]
url = "mqtt://127.0.0.1"
username = "all"
password = "of-all"
[run]
duration = "2s"
drain = "1s"
[[group]]
name = "own"
count = 2
clean_start = false
protocol = "3.1.1"
username = "user-{index}"
password = "{client_id}!"
[[group]]
name = "other"
count = 1
[[group.publish]]
topic = "status"
retain = true
qos = 1
every = "1s"
[[expect]]
check = "retained"
filter = "status"
equals = "last_publish"
"#,
    );

    let (checker, devices): (Vec<String>, Vec<String>) = logins
        .into_iter()
        .partition(|login| !login.starts_with("own") && !login.starts_with("other"));
    assert_eq!(
        devices,
        [
            "other-0 all:of-all",
            "own-0 user-0:own-0!",
            "own-1 user-1:own-1!",
        ]
    );
    assert_eq!(checker.len(), 1, "{checker:?}");
    assert!(checker[0].ends_with(" all:of-all"), "{checker:?}");
}
