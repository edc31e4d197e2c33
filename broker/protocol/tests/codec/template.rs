//! `PublishTemplate` appends what `encode` would, and with extras what they ask for.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use squall_protocol::codec::{PublishExtras, PublishFlags, PublishTemplate};
use squall_protocol::packet::{Packet, Publish, PublishProperties, SubscriptionIdentifier};
use squall_protocol::{PacketId, QoS, Version};

use crate::packets::{message, version};
use crate::wire::{decode, encoded, id, name};

/// Flags and identifier of one copy.
fn copy() -> impl Strategy<Value = (PublishFlags, Option<PacketId>)> {
    let qos = prop_oneof![
        Just(QoS::AtMostOnce),
        Just(QoS::AtLeastOnce),
        Just(QoS::ExactlyOnce)
    ];
    (any::<bool>(), qos, any::<bool>(), 1..=u16::MAX).prop_map(|(dup, qos, retain, id)| {
        let has_id = qos != QoS::AtMostOnce;
        let flags = PublishFlags {
            dup: dup && has_id,
            qos,
            retain,
        };
        (flags, PacketId::new(id).filter(|_| has_id))
    })
}

/// Enough of them to make the Property Length longer.
fn identifiers() -> impl Strategy<Value = Vec<SubscriptionIdentifier>> {
    let identifier = (1..=268_435_455_u32)
        .prop_map(|value| SubscriptionIdentifier::new(value).expect("in range"));
    vec(identifier, 0..60)
}

fn with_flags<'a>(
    message: &Publish<'a>,
    flags: PublishFlags,
    packet_id: Option<PacketId>,
) -> Publish<'a> {
    Publish {
        dup: flags.dup,
        qos: flags.qos,
        retain: flags.retain,
        packet_id,
        ..message.clone()
    }
}

proptest! {
    #[test]
    fn a_template_appends_what_encode_does(
        (version, message) in version().prop_flat_map(|version| (Just(version), message(version))),
        (flags, packet_id) in copy(),
    ) {
        let template = PublishTemplate::new(&message, version);
        let mut out = b"before".to_vec();

        template.append(&mut out, flags, packet_id);

        let expected = with_flags(&message, flags, packet_id);
        prop_assert_eq!(&out[..6], b"before");
        prop_assert_eq!(&out[6..], encoded(&Packet::Publish(expected), version));
        prop_assert_eq!(template.encoded_len(flags.qos), out.len() - 6);
    }

    #[test]
    fn a_template_appends_with_extras_what_they_ask_for(
        message in message(Version::V5),
        (flags, packet_id) in copy(),
        seconds_left in option::of(any::<u32>()),
        identifiers in identifiers(),
    ) {
        let template = PublishTemplate::new(&message, Version::V5);
        let extras = PublishExtras {
            message_expiry_interval: seconds_left,
            subscription_identifiers: &identifiers,
        };
        let mut out = Vec::new();

        template.append_with(&mut out, flags, packet_id, &extras);

        let mut expected = with_flags(&message, flags, packet_id);
        let properties = &mut expected.properties;
        properties.subscription_identifiers.extend(&identifiers);
        // A message without an expiry gets none.
        if let (Some(interval), Some(left)) =
            (&mut properties.message_expiry_interval, seconds_left)
        {
            *interval = left;
        }
        prop_assert_eq!(decode(Version::V5, &out), Ok(Packet::Publish(expected)));
        prop_assert_eq!(template.encoded_len_with(flags.qos, &extras), out.len());
    }
}

/// 3.1.1 has no properties: extras change nothing.
#[test]
fn extras_are_left_out_in_3_1_1() {
    let message = Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: name("t"),
        packet_id: None,
        properties: PublishProperties::default(),
        payload: b"x",
    };
    let template = PublishTemplate::new(&message, Version::V3_1_1);
    let extras = PublishExtras {
        message_expiry_interval: Some(1),
        subscription_identifiers: &[SubscriptionIdentifier::new(1).expect("in range")],
    };
    let flags = PublishFlags {
        qos: QoS::AtLeastOnce,
        ..PublishFlags::default()
    };

    let mut out = Vec::new();
    template.append_with(&mut out, flags, Some(id(7)), &extras);

    assert_eq!(out, b"\x32\x06\x00\x01t\x00\x07x");
    assert_eq!(template.encoded_len_with(QoS::AtLeastOnce, &extras), 8);
}

/// A copy at QoS 1 without an identifier would be read as another packet (§2.2.1).
#[test]
#[should_panic(expected = "a packet identifier belongs to QoS 1 and 2")]
fn a_copy_at_qos_1_needs_an_identifier() {
    let message = Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: name("t"),
        packet_id: None,
        properties: PublishProperties::default(),
        payload: b"",
    };
    let template = PublishTemplate::new(&message, Version::V5);
    let flags = PublishFlags {
        qos: QoS::AtLeastOnce,
        ..PublishFlags::default()
    };

    template.append(&mut Vec::new(), flags, None);
}
