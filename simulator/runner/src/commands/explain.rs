//! `squall explain`: what a key, a check, a metric or a placeholder of scenario files means.

use squall_scenario::Reference;

use crate::cli::ExplainArgs;
use crate::exit::Failure;
use crate::output::{fitted, print, print_line};

/// Where the text of a list begins, in columns.
const LIST_MARGIN: usize = 19;

/// Prints it, wrapped to the terminal; without a topic, what there is to ask for.
pub fn explain(args: &ExplainArgs) -> Result<u8, Failure> {
    let reference = Reference::of_format();
    if args.markdown {
        print(&reference.markdown())?;
        return Ok(0);
    }
    if args.topic.is_empty() {
        print_line(&laid_out(&reference.overview()))?;
        return Ok(0);
    }
    let text = reference.explain(&args.topic.join(" "));
    let text = text.map_err(|error| Failure::Usage(error.to_string()))?;
    print_line(laid_out(&text).trim_end())?;
    Ok(0)
}

/// Each line wrapped; lines to paste stay as they are.
fn laid_out(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix("    ") {
        Some(_) if !line.contains(", ") || line.contains(['[', '"']) => line.to_owned(),
        Some(_) => fitted(line, 28).trim_end().to_owned(),
        None if line.starts_with("  ") => fitted(line, LIST_MARGIN).trim_end().to_owned(),
        None => fitted(line, 0).trim_end().to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
