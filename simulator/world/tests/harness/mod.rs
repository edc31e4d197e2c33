//! What every test in virtual time begins with: a scenario from its text, and the real broker core.

use std::rc::Rc;

use squall_core::{Broker, ClientIds, Config};
use squall_protocol::Instant;
use squall_scenario::Scenario;

/// The scenario in `text`, which leaves out `version` and `name`.
pub(crate) fn scenario(text: &str) -> Rc<Scenario> {
    let text = format!("version = 1\nname = \"test\"\n{text}");
    let scenario = Scenario::parse("test.toml", &text, &[]);
    Rc::new(scenario.unwrap_or_else(|errors| panic!("{errors}")))
}

/// A broker core at the beginning of a run.
pub(crate) fn broker(config: Config) -> Broker {
    Broker::new(config, ClientIds::counted(), Instant::ZERO)
}
