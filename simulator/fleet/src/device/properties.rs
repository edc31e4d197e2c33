//! What the messages of a device say of themselves beside topic and payload (MQTT 5.0, §3.3.2.3).

use std::rc::Rc;

use squall_protocol::Instant;
use squall_protocol::packet::PublishProperties;
use squall_protocol::topic::TopicName;
use squall_scenario::{DeviceId, MessageProperties, MessageTemplate, TemplateValues};

use crate::payload::STAMP_PROPERTY;
use crate::random::{Draws, Generator, Purpose};
use crate::stamp::{RunTag, Stamp};

/// What the messages of one `[[group.publish]]` of one device have for properties.
#[derive(Debug)]
pub(super) enum StreamProperties {
    /// None.
    None,
    /// Each the same; `None` until the first message is due.
    Fixed(Option<Rc<Properties>>),
    /// Each its own. The draws are apart from those of topics and payloads.
    PerMessage(Generator),
}

impl StreamProperties {
    /// Those of the publish block of this `number`.
    pub(super) fn new(properties: &MessageProperties, draws: Draws, number: u64) -> Self {
        if *properties == MessageProperties::default() {
            Self::None
        } else if properties.are_fixed_per_device() {
            Self::Fixed(None)
        } else {
            Self::PerMessage(draws.generator(Purpose::Properties, number))
        }
    }

    /// Those of one message.
    pub(super) fn of_message(
        &mut self,
        properties: &MessageProperties,
        values: &TemplateValues<'_>,
    ) -> Option<Rc<Properties>> {
        match self {
            Self::None => None,
            Self::Fixed(rendered) => {
                let rendered = rendered.get_or_insert_with(|| {
                    // Nothing is drawn of what is always the same.
                    let mut unused = Generator::new(0);
                    Rc::new(Properties::render(properties, values, &mut unused))
                });
                Some(Rc::clone(rendered))
            }
            Self::PerMessage(rng) => Some(Rc::new(Properties::render(properties, values, rng))),
        }
    }
}

/// The properties of a message, those that tie it to another one apart.
#[derive(Debug)]
pub(crate) struct Properties {
    response_topic: Option<Box<str>>,
    content_type: Option<Box<str>>,
    message_expiry: Option<u32>,
    user: Vec<(Box<str>, Box<str>)>,
}

impl Properties {
    fn render(
        properties: &MessageProperties,
        values: &TemplateValues<'_>,
        rng: &mut Generator,
    ) -> Self {
        let MessageProperties {
            response_topic,
            content_type,
            message_expiry,
            user_properties,
        } = properties;
        let mut render = |template: &MessageTemplate| {
            let mut text = String::new();
            template.render(values, rng, &mut text);
            text.into_boxed_str()
        };
        let user = user_properties.iter();
        Self {
            response_topic: response_topic.as_ref().map(&mut render),
            content_type: content_type.as_ref().map(&mut render),
            message_expiry: *message_expiry,
            user: user
                .map(|(name, value)| (render(name), render(value)))
                .collect(),
        }
    }

    /// Seconds that a message lives, if that is limited.
    pub(super) fn message_expiry(&self) -> Option<u32> {
        self.message_expiry
    }

    /// Where the response to a message is wanted.
    pub(super) fn response_topic(&self) -> Option<&str> {
        self.response_topic.as_deref()
    }
}

/// What ties a message to another one.
#[derive(Debug)]
pub(crate) enum Tie {
    /// It belongs to none.
    None,
    /// It asks for a response, with this Correlation Data.
    Request(Box<[u8]>),
    /// It is the response to a message that came.
    Response(Box<Answered>),
}

/// The request that a response answers.
#[derive(Debug)]
pub(crate) struct Answered {
    /// Identity of the request, as its payload says.
    pub(crate) stamp: Stamp,
    /// Topic Name that it came on.
    pub(crate) topic: TopicName<Rc<str>>,
    /// When it had reached the device's machine, link or no link.
    pub(crate) arrived: Instant,
    /// Its Correlation Data, as it came.
    pub(crate) correlation: Option<Box<[u8]>>,
}

impl Tie {
    /// A request: `number` counts those of `device`.
    pub(super) fn request(run: RunTag, device: DeviceId, number: u32) -> Self {
        let words = [run.bits(), device.0, number];
        Self::Request(words.iter().flat_map(|word| word.to_be_bytes()).collect())
    }

    fn correlation(&self) -> Option<&[u8]> {
        match self {
            Self::None => None,
            Self::Request(data) => Some(data),
            Self::Response(answered) => answered.correlation.as_deref(),
        }
    }
}

/// The properties of a PUBLISH, with its stamp if that is one of them.
pub(super) fn of_publish<'a>(
    properties: Option<&'a Properties>,
    stamp: Option<&'a str>,
    tie: &'a Tie,
) -> PublishProperties<'a> {
    let user = properties.map_or(&[][..], |properties| &properties.user);
    PublishProperties {
        response_topic: properties.and_then(Properties::response_topic),
        content_type: properties.and_then(|properties| properties.content_type.as_deref()),
        user_properties: user
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .chain(stamp.map(|stamp| (STAMP_PROPERTY, stamp)))
            .collect(),
        correlation_data: tie.correlation(),
        message_expiry_interval: properties.and_then(Properties::message_expiry),
        ..PublishProperties::default()
    }
}
