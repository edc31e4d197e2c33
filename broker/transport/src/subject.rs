//! The name in a certificate (RFC 5280, section 4.1.2.6).

use rustls::pki_types::CertificateDer;
use webpki::EndEntityCert;

/// `id-at-commonName`, 2.5.4.3, in DER.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// Tags of DER (X.690, section 8).
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTF8_STRING: u8 = 0x0C;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;

/// The Common Name of the certificate's subject, the last one if there are several.
///
/// `None` if there is none, or if it holds a control character, which no name of a user may.
pub(crate) fn common_name(certificate: &CertificateDer<'_>) -> Option<String> {
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    common_name_in(certificate.subject())
}

/// The same, in the contents of a subject.
fn common_name_in(mut subject: &[u8]) -> Option<String> {
    let mut found = None;
    while !subject.is_empty() {
        let mut set = take(&mut subject, SET)?;
        while !set.is_empty() {
            let mut attribute = take(&mut set, SEQUENCE)?;
            if take(&mut attribute, OBJECT_IDENTIFIER)? == COMMON_NAME {
                found = Some(text(&mut attribute)?);
            }
        }
    }
    found
}

/// Takes the next value, which must have this tag; its contents.
fn take<'a>(bytes: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (&first, rest) = bytes.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7F => (usize::from(length), rest),
        0x81 => {
            let (&length, rest) = rest.split_first()?;
            (usize::from(length), rest)
        }
        0x82 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        // No name is that long.
        _ => return None,
    };
    let contents = rest.get(..length)?;
    *bytes = &rest[length..];
    (first == tag).then_some(contents)
}

/// A string that is one of UTF-8, as `PrintableString` and `IA5String` are.
fn text(bytes: &mut &[u8]) -> Option<String> {
    let tag = *bytes.first()?;
    if ![UTF8_STRING, PRINTABLE_STRING, IA5_STRING].contains(&tag) {
        return None;
    }
    let text = String::from_utf8(take(bytes, tag)?.to_vec()).ok()?;
    (!text.contains(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn certificate(names: &[(DnType, &str)]) -> CertificateDer<'static> {
        let key = KeyPair::generate().expect("it works");
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, name) in names {
            params.distinguished_name.push(kind.clone(), *name);
        }
        params.self_signed(&key).expect("it works").der().clone()
    }

    /// Other attributes of the subject, before and after, are not the name.
    #[test]
    fn the_common_name_is_found_among_other_attributes() {
        let certificate = certificate(&[
            (DnType::OrganizationName, "squall"),
            (DnType::CommonName, "Tür 17"),
            (DnType::CountryName, "CH"),
        ]);

        assert_eq!(common_name(&certificate).as_deref(), Some("Tür 17"));
    }

    /// A user name of MQTT has no control characters, and a subject need not have a name.
    #[test]
    fn a_name_with_a_control_character_is_none() {
        let with_nul = certificate(&[(DnType::CommonName, "root\0.example")]);
        let without = certificate(&[(DnType::OrganizationName, "squall")]);

        assert_eq!(common_name(&with_nul), None);
        assert_eq!(common_name(&without), None);
    }

    /// A long name has its length in two bytes and in three.
    #[test]
    fn long_names_are_read_whole() {
        for length in [127, 128, 255, 256, 1000] {
            let name = "n".repeat(length);
            let found = common_name(&certificate(&[(DnType::CommonName, &name)]));
            assert_eq!(found, Some(name));
        }
    }

    proptest! {
        /// Any bytes are a subject with or without a name.
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = common_name_in(&bytes);
            let _ = common_name(&CertificateDer::from(bytes));
        }
    }
}
