//! Nothing is left out of the reference, and the page of it is up to date.

use std::path::Path;

use squall_scenario::{Default, Reference};

/// Everything that `find` says, one sentence each; the test fails if there is any.
fn none_of(missing: Vec<String>) {
    assert!(missing.is_empty(), "\n{}\n", missing.join("\n"));
}

/// A reader learns of each key what it means, what it takes, and what holds without it.
#[test]
fn every_key_is_described() {
    let mut missing = Vec::new();

    for section in &Reference::of_format().sections {
        if section.meaning.is_empty() {
            missing.push(format!(
                "`{}` has no doc comment in simulator/scenario/src/file",
                section.path
            ));
        }
        for key in &section.keys {
            let path = section.path_of(key);
            if key.meaning.is_empty() {
                missing.push(format!(
                    "`{path}` has no doc comment in simulator/scenario/src/file"
                ));
            }
            if key.default == Default::Unsaid {
                missing.push(format!(
                    "`{path}` is optional and its doc comment in simulator/scenario/src/file does not say what holds \
                     without it: end it with `Default VALUE.` or `By default …`"
                ));
            }
            let undescribed = key.words.iter().filter(|word| word.meaning.is_empty());
            missing.extend(undescribed.map(|word| {
                format!(
                    "`{path} = {:?}` has no doc comment in simulator/scenario/src/file",
                    word.word
                )
            }));
        }
    }

    none_of(missing);
}

/// A reader can paste an example of each key, each check, each action, each distribution.
#[test]
fn every_key_has_an_example() {
    let mut missing = Vec::new();

    for section in &Reference::of_format().sections {
        if let Some(variant) = &section.variant
            && section.example.is_empty()
        {
            missing.push(format!(
                "`{} = {:?}` has no example: add one to VARIANTS in simulator/scenario/src/file/variant_examples.rs",
                variant.tag, variant.word
            ));
        }
        for key in section.keys.iter().filter(|key| key.example.is_none()) {
            missing.push(format!(
                "`{}` has no example: add one for `{}` to EXAMPLES in simulator/scenario/src/file/examples.rs",
                section.path_of(key),
                crate::host::joined(&section.places[0], key)
            ));
        }
    }

    none_of(missing);
}

/// `scenarios/README.md` is what the types say.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the crate reads no file, this test reads the repository's"
)]
fn the_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/README.md");

    let page = std::fs::read_to_string(path).unwrap();

    assert!(
        page == Reference::of_format().markdown(),
        "run `squall explain --markdown > scenarios/README.md`"
    );
}
