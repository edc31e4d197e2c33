//! What the broker never answered: it is not owed, and so never lost, and a reader may miss it all the same.

use squall_run::{ClaimResult, Summary, count_text};

use super::Tile;

/// The messages in doubt; `None` if there are none. A tile that says that some reached no subscriber is not
/// green: whether the broker had them is not known.
pub(super) fn in_doubt(summary: &Summary) -> Option<Tile> {
    if summary.in_doubt == 0 {
        return None;
    }
    let missing = summary.in_doubt.saturating_sub(summary.in_doubt_came);
    let mut detail = format!(
        "never answered at QoS 1 or 2, so not owed; {} came to no subscriber",
        count_text(missing)
    );
    if summary.forgotten > 0 {
        let count = count_text(summary.forgotten);
        detail.push_str(&format!("; {count} forgotten with their Sessions"));
    }
    let tile = Tile::new("In doubt", count_text(summary.in_doubt), detail);
    let doubt = (missing > 0).then_some(ClaimResult::NotJudged);
    Some(tile.claimed(doubt))
}

#[cfg(test)]
mod tests {
    use squall_run::sample;

    use super::*;

    /// Beside "lost 0" stands what was sent, never answered, and came to no subscriber.
    #[test]
    fn what_was_never_answered_stands_beside_what_was_lost() {
        let mut run = sample::passing();
        let entry = &mut run.measured.accounting.publications[0];
        (entry.in_doubt, entry.in_doubt_came, entry.forgotten) = (259, 3, 250);
        run.measured.accounting.publications[1].in_doubt = 0;
        run.measured.accounting.publications[1].in_doubt_came = 0;

        let tiles = crate::tile::tiles(&run);

        let labels: Vec<&str> = tiles.iter().map(|tile| tile.label.as_str()).collect();
        let lost = labels
            .iter()
            .position(|label| *label == "Lost")
            .expect("it is there");
        assert_eq!(labels[lost + 1], "In doubt");
        let tile = &tiles[lost + 1];
        assert_eq!(tile.value, "259");
        assert_eq!(
            tile.detail,
            "never answered at QoS 1 or 2, so not owed; 256 came to no subscriber; 250 forgotten with their Sessions"
        );
        assert_eq!(tile.held, Some(ClaimResult::NotJudged));
    }
}
