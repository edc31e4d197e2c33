//! Messages without a stamp over real sockets: counted by squall, and by `mosquitto_sub` where that is installed.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::Value;
use squall_protocol::packet::Packet;
use squall_world::{Direction, Passing, Tamper, Tampered};

use crate::peer::has_mosquitto;
use crate::tampered::{Honest, Ran, run_through};
use crate::targets::Wrapped;
use crate::{
    Broker, ON_MOSQUITTO, assert_held, code_and_errors, proxy, run, run_file, run_scenario, text,
};

/// Five devices publish 100 messages at QoS 1 in a second, each its number and nothing else, and `claims` are made.
fn scenario(claims: &str) -> String {
    format!(
        "version = 1\nname = \"unstamped\"\n[run]\nduration = \"1s\"\ndrain = \"6s\"\nconnect_timeout = \"5s\"\n\
         [[group]]\nname = \"devices\"\ncount = 5\n[[group.publish]]\ntopic = \"data/{{client_id}}\"\nqos = 1\nrate = 100\n\
         payload = \"{{seq}}\"\nstamp = \"none\"\n[[group]]\nname = \"backend\"\ncount = 1\n\
         subscribe = [{{ filter = \"data/+\", qos = 1 }}]\n[[expect]]\ncheck = \"delivery\"\n{claims}\n"
    )
}

/// What counts tell of the group that hears.
fn counted(run: &Value) -> [&Value; 6] {
    let deliveries = &run["measured"]["accounting"]["deliveries"][0];
    [
        "expected",
        "delivered",
        "lost",
        "duplicated",
        "unstamped",
        "received",
    ]
    .map(|key| &deliveries[key])
}

/// On a broker that squall starts, counts tell that all came, and each once.
#[test]
fn counts_tell_that_all_came_once() {
    let scenario = scenario("lost = 0\nduplicated = 0");
    let mut targets: Vec<&[&str]> = vec![&[]];
    targets.extend(has_mosquitto().then_some(ON_MOSQUITTO));
    for target in targets {
        let folder = tempfile::tempdir().expect("a folder can be made");

        let (code, run) = run_scenario(folder.path(), &scenario, target);

        assert_held(code, &run);
        assert_eq!(counted(&run), [100, 100, 0, 0, 100, 100], "{run}");
        let rates = run["measured"]["rates"]["entries"].as_array();
        let mut rates = rates.into_iter().flatten();
        let of_all =
            |rate: &&Value| rate["event"] == "delivered" && rate["tags"] == serde_json::json!({});
        let delivered = rates.find(of_all).expect("there is a rate");
        // One that was read just as the drain began is not of the measured part.
        let count = delivered["count"].as_u64().expect("it is a number");
        assert!((1..=100).contains(&count), "{delivered}");
        assert_eq!(delivered["count_without_warmup"], 100, "{delivered}");
    }
}

/// `mosquitto_sub` has as many lines as squall says that its own subscriber had, and each is what the scenario says: the Session of
/// the witness is there before the run, and the last line comes after it.
#[test]
fn a_witness_counts_the_same() {
    if !has_mosquitto() {
        return;
    }
    let broker = Broker::start();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let client = |program: &str, arguments: &str| {
        let port = broker.address.port().to_string();
        let mut command = Command::new(program);
        command.args(["-h", "127.0.0.1", "-V", "mqttv5", "-p", &port]);
        let output = command.args(arguments.split(' ')).output();
        let output = output.expect("it can be started");
        assert!(output.status.success(), "{program}: {output:?}");
        String::from_utf8(output.stdout).expect("it is text")
    };
    let session = "-c -i witness -x 300 -q 1 -t data/#";
    client("mosquitto_sub", &format!("{session} -E"));
    let url = format!("target.url=mqtt://{}", broker.address);

    let (code, run) = run_scenario(folder.path(), &scenario("lost = 0"), &["--set", &url]);
    client("mosquitto_pub", "-t data/end -q 1 -m end");
    let lines = client("mosquitto_sub", &format!("{session} -C 101 -W 20 -F %t:%p"));

    assert_held(code, &run);
    assert_eq!(counted(&run), [100, 100, 0, 0, 100, 100], "{run}");
    let mut lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.pop(), Some("data/end:end"));
    lines.sort_unstable();
    let sent =
        (0..5).flat_map(|device| (0..20).map(move |seq| format!("data/devices-{device}:{seq}")));
    let mut sent: Vec<String> = sent.collect();
    sent.sort_unstable();
    assert_eq!(lines, sent);
}

/// Does something else with the tenth message to a device.
#[derive(Default)]
struct Tenth {
    seen: u32,
    times: usize,
}

impl Tamper for Tenth {
    fn handle_packet(&mut self, passing: &Passing<'_>, tampered: &mut Tampered) {
        let is_message = passing.direction == Direction::ToDevice
            && matches!(passing.packet, Packet::Publish(_));
        self.seen += u32::from(is_message);
        let times = match is_message && self.seen == 10 {
            true => self.times,
            false => 1,
        };
        for _ in 0..times {
            tampered.forward(passing.direction, passing.bytes);
        }
    }
}

/// Hands the tenth message on so many times.
fn tenth(times: usize) -> Box<dyn Tamper> {
    Box::new(Tenth { seen: 0, times })
}

/// One message of a hundred that never comes is missing from the count, and the run fails with an invariant's code.
#[test]
fn a_lost_message_without_a_stamp_ends_with_98() {
    let honest = run_through(&scenario("lost = 0"), || Box::new(Honest));
    let Ran { code, run, .. } = run_through(&scenario("lost = 0"), || tenth(0));

    assert_held(honest.code, &honest.run);
    assert_eq!(code, 98, "{}", run["verdict"]);
    assert_eq!(counted(&run), [100, 99, 1, 0, 99, 99], "{run}");
}

/// One message of a hundred that comes twice is one too many on a broker that squall starts: others may not be why.
#[test]
fn a_doubled_message_without_a_stamp_ends_with_98() {
    let (code, run) = run_spawned(&scenario("lost = 0\nduplicated = 0"), || tenth(1));
    assert_held(code, &run);

    let (code, run) = run_spawned(&scenario("duplicated = 0"), || tenth(2));

    assert_eq!(code, 98, "{}", run["verdict"]);
    assert_eq!(counted(&run)[2..], [0, 1, 101, 101], "{run}");
}

/// Runs `scenario` against a command that squall starts as a broker: it tells its port, and a proxy before a broker listens
/// there that does what `tamper` says.
fn run_spawned(scenario: &str, tamper: fn() -> Box<dyn Tamper>) -> (i32, Value) {
    let broker = Broker::start();
    let target: SocketAddr = broker.address;
    let script = "echo $$ > \"$PID\"\necho \"$1\" > \"${PID%pid}port\"\nexec tail -f /dev/null\n";
    let wrapped = Wrapped::with_script("1s", script);
    fs::write(wrapped.path("wrapped.toml"), scenario).expect("it can be written");
    let pipe = wrapped.path("port");
    make_pipe(&pipe);
    let proxy = thread::spawn(move || {
        let port = fs::read_to_string(&pipe).expect("the command writes to it");
        let port = port.trim().parse().expect("it is a port");
        proxy::start_at(port, target, tamper)
    });
    let arguments = wrapped.arguments();

    let output = run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());

    let (code, errors) = code_and_errors(&output);
    proxy
        .join()
        .unwrap_or_else(|_| panic!("no proxy: {errors}"));
    (code, run_file(&wrapped.path("out")))
}

fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(text(path)).status();
    assert!(made.is_ok_and(|status| status.success()));
}
