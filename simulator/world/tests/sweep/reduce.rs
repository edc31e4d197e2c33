//! The smallest scenario that still shows what a random one has shown.

/// `text` without each block and each line, and with `count = 1`, where what is left still `shows` the same.
pub(crate) fn reduce(text: &str, shows: impl Fn(&str) -> bool) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    loop {
        let before = lines.clone();
        for is_end in [is_group_or_other as fn(&str) -> bool, is_block, |_| true] {
            drop_pieces(&mut lines, is_end, &shows);
        }
        make_single(&mut lines, &shows);
        if lines == before {
            return lines.join("\n");
        }
    }
}

/// Leaves out each piece, from the last: one line and those that follow, up to the next that `begins` one.
fn drop_pieces(lines: &mut Vec<String>, begins: fn(&str) -> bool, shows: &impl Fn(&str) -> bool) {
    let mut end = lines.len();
    for start in (0..lines.len()).rev() {
        if !begins(&lines[start]) || lines[start].starts_with("reason = ") {
            continue;
        }
        let mut fewer = lines.clone();
        fewer.drain(start..end);
        if shows(&fewer.join("\n")) {
            *lines = fewer;
        }
        end = start;
    }
}

/// Makes each count one.
fn make_single(lines: &mut [String], shows: &impl Fn(&str) -> bool) {
    for at in 0..lines.len() {
        if lines[at].starts_with("count = ") {
            let before = std::mem::replace(&mut lines[at], "count = 1".to_owned());
            if !shows(&lines.join("\n")) {
                lines[at] = before;
            }
        }
    }
}

fn is_block(line: &str) -> bool {
    line.starts_with('[') && !line.starts_with("[{")
}

/// A block with those that belong to it.
fn is_group_or_other(line: &str) -> bool {
    is_block(line) && !line.contains('.')
}
