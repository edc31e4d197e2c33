//! Link profiles that squall ships.

use std::time::Duration;

use squall_scenario::{Distribution, Network, NetworkId, Preset, Scenario, ScenarioErrors};

fn parse(network: &str, name: &str) -> Result<Scenario, ScenarioErrors> {
    let group = format!("[[group]]\nname = \"g\"\ncount = 1\nnetwork = \"{name}\"\n");
    let text = format!("version = 1\nname = \"test\"\n{network}\n{group}");
    Scenario::parse("test.toml", &text, &[])
}

fn network(block: &str, name: &str) -> Network {
    let scenario = parse(block, name).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(scenario.groups[0].network, Some(NetworkId(0)));
    scenario.networks[0].clone()
}

/// A group names a shipped profile without a block, and has its delay and its bit rates.
#[test]
fn every_preset_is_a_network_by_its_name() {
    for preset in Preset::ALL {
        let found = network("", preset.name());

        assert_eq!(found.preset, Some(preset));
        assert_eq!(found.name, preset.name());
        assert!(!found.latency.is_zero(), "{}", preset.name());
        assert!(found.bandwidth.up_bits_per_second.is_some());
    }
}

/// The bit rates of GPRS are those of its coding scheme: 13.4 kbit/s for each time slot (3GPP TS 43.064).
#[test]
fn gprs_has_one_slot_up_and_four_down() {
    let found = network("", "gprs");

    assert_eq!(found.bandwidth.up_bits_per_second, Some(13_400));
    assert_eq!(found.bandwidth.down_bits_per_second, Some(4 * 13_400));
}

/// What is written beside `preset` stands in place of the profile's own, and nothing else does.
#[test]
fn a_block_changes_what_it_writes_of_a_preset() {
    let block = "[[network]]\nname = \"poor\"\npreset = \"lte\"\nloss = 0.05\nbandwidth = { up = \"64kbit/s\" }";

    let (found, shipped) = (network(block, "poor"), network("", "lte"));

    assert_eq!(found.latency, shipped.latency);
    assert_eq!(found.bandwidth.up_bits_per_second, Some(64_000));
    assert_eq!(
        found.bandwidth.down_bits_per_second,
        shipped.bandwidth.down_bits_per_second
    );
    assert!((found.loss.expected() - 0.05).abs() < 1e-12);
}

/// The timeout of a loss follows the delay that the block has in the end.
#[test]
fn the_timeout_follows_the_delay_that_was_written() {
    let block = "[[network]]\nname = \"near\"\npreset = \"satellite\"\nlatency = \"10ms\"";

    let found = network(block, "near");

    assert_eq!(
        found.latency,
        Distribution::constant(Duration::from_millis(10))
    );
    assert_eq!(found.retransmission_timeout, Duration::from_millis(220));
}

/// What is printed names the profile and its source, and reads back as the same scenario.
#[test]
fn a_preset_is_written_out_and_reads_back() {
    for preset in Preset::ALL {
        let scenario = parse("", preset.name()).unwrap_or_else(|errors| panic!("{errors}"));

        let text = scenario.to_resolved_toml();

        assert!(text.contains(preset.source()), "{text}");
        assert_eq!(
            Scenario::parse("again.toml", &text, &[]),
            Ok(scenario),
            "{text}"
        );
    }
}

/// A block of the name of a shipped profile that does not begin with it would mislead.
#[test]
fn a_block_may_not_pass_for_a_preset() {
    for block in [
        "[[network]]\nname = \"lte\"\nloss = 0.05",
        "[[network]]\nname = \"lte\"\npreset = \"wifi\"",
    ] {
        let errors = parse(block, "lte").expect_err(block).to_string();

        assert!(
            errors.contains("`preset = \"lte\"` to begin with it"),
            "{errors}"
        );
    }
}

/// A name that is neither a block nor a profile is met with all that there are.
#[test]
fn an_unknown_network_is_met_with_the_presets() {
    let errors = parse("", "ltee").expect_err("there is none").to_string();

    assert!(errors.contains("lte"), "{errors}");
}
