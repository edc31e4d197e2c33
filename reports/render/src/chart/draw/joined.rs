//! Rectangles of one colour joined to one path: a picture of ten thousand cells is a tenth as long.

/// What plotters writes before and after the numbers of a rectangle.
const PARTS: [&str; 5] = [
    "<rect x=\"",
    "\" y=\"",
    "\" width=\"",
    "\" height=\"",
    "\" ",
];

/// A rectangle as it stands in a line: its numbers, and the attributes after them.
fn rectangle(line: &str) -> Option<([i32; 4], &str)> {
    let mut rest = line.strip_prefix(PARTS[0])?;
    let mut numbers = [0; 4];
    for (number, part) in numbers.iter_mut().zip(&PARTS[1..]) {
        let (digits, after) = rest.split_once(part)?;
        *number = digits.parse().ok()?;
        rest = after;
    }
    Some((numbers, rest.strip_suffix("/>")?))
}

/// `svg`, where rectangles that follow each other in one colour are one path.
pub(crate) fn joined(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len());
    let mut lines = svg.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let Some((first, look)) = rectangle(line.trim_end()) else {
            out.push_str(line);
            continue;
        };
        let mut path = step(first);
        let mut count = 1;
        while let Some((next, _)) = lines
            .peek()
            .and_then(|next| rectangle(next.trim_end()))
            .filter(|(_, other)| *other == look)
        {
            path.push_str(&step(next));
            count += 1;
            lines.next();
        }
        if count == 1 {
            out.push_str(line);
        } else {
            out.push_str(&format!("<path {look} d=\"{path}\"/>\n"));
        }
    }
    out
}

/// Around a rectangle, which the script of the page reads again.
fn step([x, y, width, height]: [i32; 4]) -> String {
    format!("M{x} {y}h{width}v{height}h-{width}z")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neighbours in one colour become one path; one alone, and what is between, stays.
    #[test]
    fn neighbours_of_one_colour_are_one_path() {
        let rect = |x: u32, fill: &str| {
            format!(
                "<rect x=\"{x}\" y=\"-2\" width=\"3\" height=\"4\" opacity=\"1\" fill=\"{fill}\" stroke=\"none\"/>\n"
            )
        };
        let svg = [
            rect(0, "#111111"),
            rect(3, "#111111"),
            rect(6, "#222222"),
            "<text>a</text>\n".to_owned(),
            rect(9, "#222222"),
        ];

        let joined = joined(&svg.concat());

        let path = "<path opacity=\"1\" fill=\"#111111\" stroke=\"none\" d=\"M0 -2h3v4h-3zM3 -2h3v4h-3z\"/>\n";
        assert_eq!(joined, [path, &svg[2], &svg[3], &svg[4]].concat());
    }
}
