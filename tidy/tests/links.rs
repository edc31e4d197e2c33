//! Where the links of Markdown files lead.

use std::path::Path;

use squall_tidy::tree;

/// A reader who follows a link within the tree finds a file or a folder, and the heading that it names.
#[test]
fn links_within_the_tree_lead_somewhere() {
    let mut broken = Vec::new();
    for file in tree::markdown_files() {
        let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
        for target in targets(&file.text) {
            if target.contains("://") {
                continue;
            }
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let place = match path {
                "" => tree::root().join(&file.path),
                path => tree::root().join(folder).join(path),
            };
            let has_heading = || {
                let text = std::fs::read_to_string(&place).unwrap_or_default();
                headings(&text).any(|name| name == heading)
            };
            if !place.exists() || !(heading.is_empty() || has_heading()) {
                broken.push(format!("{}: {target}", file.path));
            }
        }
    }

    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// What stands in the round brackets of `[text](target)`, outside of code.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    let prose = prose.flat_map(|part| part.split('`').step_by(2));
    prose.flat_map(|part| {
        let after = part.split("](").skip(1);
        after.filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
    })
}

/// The names by which headings are linked to: lower case, words joined by `-`, without other signs.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().filter(|line| line.starts_with('#'));
    lines.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        title
            .chars()
            .filter(|sign| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_'))
            .map(|sign| if sign == ' ' { '-' } else { sign })
            .collect()
    })
}

#[test]
fn a_link_with_code_as_its_text_is_seen() {
    let found: Vec<&str> = targets("[`a`](b.md) and `[c](d.md)`").collect();

    assert_eq!(found, ["b.md"]);
}
