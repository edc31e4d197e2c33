//! Properties of messages: what they take, and what is refused.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use squall_protocol::codec::encode_publish;
use squall_protocol::packet::{Publish, PublishProperties};
use squall_protocol::topic::TopicName;
use squall_protocol::{PacketId, QoS, Version};
use squall_scenario::{MessageTemplate, Plan, Scenario, ScenarioErrors, TemplateValues};

/// A device that publishes at QoS 1 once a second with `keys`.
fn parse(keys: &str) -> Result<Scenario, ScenarioErrors> {
    let text = format!(
        "version = 1\nname = \"test\"\n[vars]\nx = \"squall\"\n[[group]]\nname = \"g\"\ncount = 2\n\
         [[group.publish]]\ntopic = \"t/a\"\nqos = 1\nevery = \"1s\"\n{keys}\n"
    );
    Scenario::parse("test.toml", &text, &[])
}

const PROPERTIES: &str = "response_topic = \"answers/{seq % 2}\"\n\
     content_type = \"a/{rand.choice:b|c}\"\n\
     user_properties = { \"n-{rand.hex:2}\" = \"{now_iso}\", trace = \"{uuid}\", plain = \"x\" }\n\
     message_expiry = \"60s\"\n\
     payload = { size = \"16B\" }";

/// They take the placeholders of payloads, and what is printed with every default reads back as the same scenario.
#[test]
fn properties_are_written_out_and_read_back() {
    let scenario = parse(PROPERTIES).unwrap_or_else(|errors| panic!("{errors}"));

    let text = scenario.to_resolved_toml();

    assert_eq!(
        Scenario::parse("again.toml", &text, &[]),
        Ok(scenario),
        "{text}"
    );
}

/// The plan counts a message with all of its bytes, if each rendering has as many.
#[test]
fn the_plan_counts_the_bytes_of_properties() {
    let scenario = parse(PROPERTIES).unwrap();
    let properties = &scenario.groups[0].publishes[0].properties;
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    let mut render = |template: &MessageTemplate| {
        let values = TemplateValues {
            index: 0,
            client_id: "g-0",
            seq: 0,
            now_ms: 1_767_225_600_000,
        };
        let mut text = String::new();
        template.render(&values, &mut rng, &mut text);
        text
    };
    let user = properties.user_properties.iter();
    let user: Vec<(String, String)> = user
        .map(|(name, value)| (render(name), render(value)))
        .collect();
    let response_topic = render(properties.response_topic.as_ref().unwrap());
    let content_type = render(properties.content_type.as_ref().unwrap());
    let publish = Publish {
        dup: false,
        qos: QoS::AtLeastOnce,
        retain: false,
        topic: TopicName::new("t/a").unwrap(),
        packet_id: PacketId::new(1),
        properties: PublishProperties {
            response_topic: Some(&response_topic),
            content_type: Some(&content_type),
            correlation_data: Some(&[0; 12]),
            message_expiry_interval: properties.message_expiry,
            user_properties: user
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            ..PublishProperties::default()
        },
        payload: &[0; 16],
    };
    let mut bytes = Vec::new();
    encode_publish(&publish, Version::V5, &mut bytes);

    let plan = Plan::of(&scenario);

    let bits = plan.groups[0].streams[0].bits_per_second;
    // Of two lengths, which have a second byte each from 128 on, the plan knows one.
    assert_eq!(bits, 8.0 * (bytes.len() - 2) as f64);
}

/// Each is refused where it stands, with what would do.
#[test]
fn properties_that_cannot_be_are_refused() {
    for (keys, said) in [
        (
            "response_topic = \"answers/{seq}\"",
            "makes a new topic of every message: limit it",
        ),
        (
            "response_topic = \"answers/{uuid}\"",
            "`{uuid}` cannot stand in a topic",
        ),
        ("response_topic = \"answers/+\"", "answers/+"),
        ("content_type = \"{sequence}\"", "sequence"),
        ("content_type = \"a\\u0000\"", "without the null character"),
        ("user_properties = { a = \"{rand.int:9..1}\" }", "rand.int"),
        (
            "user_properties = { squall = \"x\" }",
            "would be taken for a stamp",
        ),
        (
            "user_properties = { \"{vars.x}\" = \"x\" }",
            "would be taken for a stamp",
        ),
        (
            "user_properties = { \"squ{rand.hex:1}{rand.choice:ll|x}\" = \"x\" }",
            "would be taken for a stamp",
        ),
    ] {
        let errors = parse(keys).unwrap_err().to_string();

        assert!(errors.contains(said), "{keys}: {errors}");
    }
}

/// A name that is wrong is shown where it is, not its value.
#[test]
fn the_caret_is_under_the_name() {
    let errors = parse("user_properties = { \"n-{sek}\" = \"x\" }").unwrap_err();

    let text = errors.to_string();
    let shown = text
        .lines()
        .find(|line| line.contains("user_properties = "))
        .unwrap();
    let caret = text.lines().find(|line| line.contains('^')).unwrap();
    assert_eq!(caret.find('^'), shown.find("{sek}"), "{text}");
    assert_eq!(caret.matches('^').count(), "{sek}".len(), "{text}");
}

/// Only what may be the name of a stamp is not a name.
#[test]
fn names_that_cannot_be_that_of_a_stamp_are_names() {
    for name in [
        "squall-{seq}",
        "{seq}",
        "{uuid}",
        "{rand.hex:6}",
        "{rand.bool}",
        "{client_id}",
    ] {
        let scenario = parse(&format!("user_properties = {{ \"{name}\" = \"x\" }}"));

        assert!(scenario.is_ok(), "{name}: {}", scenario.unwrap_err());
    }
}
