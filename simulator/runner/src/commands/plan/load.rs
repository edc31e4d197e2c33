//! The load over time, drawn: messages a second, and under them where faults strike.

use std::time::Duration;

use squall_run::{count_text, rate_text};
use squall_scenario::{Plan, PlannedFault};

use super::seconds;
use super::sheet::Sheet;

/// Heights of a column, lowest first.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Faults with a line of their own; those after them share one.
const FAULTS_NAMED: usize = 8;

/// Messages a second over the load, one column for each part of it.
pub(super) fn draw_load(sheet: &mut Sheet, plan: &Plan) {
    let load = plan.run.warmup + plan.run.duration;
    let width = sheet.width();
    let parts = u32::try_from(width).expect("a drawing has few columns");
    let step = load / parts;
    let rates: Vec<f64> = (0..parts)
        .map(|column| plan.publish_rate_at(step * column + step / 2))
        .collect();
    let peak = rates.iter().copied().fold(0.0, f64::max);
    if peak == 0.0 && plan.has_closed_loops() {
        sheet.line("publishes, as fast as the broker answers: a closed loop");
    } else if peak == 0.0 {
        sheet.line("no messages are published");
    } else {
        let bars: String = rates.iter().map(|rate| bar(rate / peak)).collect();
        sheet.line(&format!("publishes, {} at the peak", rate_text(peak)));
        sheet.drawn(&format!("    {bars}"));
    }
    draw_online(sheet, plan, step);
    let (named, others) = plan.faults.split_at(plan.faults.len().min(FAULTS_NAMED));
    for fault in named {
        draw_marks(sheet, plan, std::slice::from_ref(fault), &fault.name);
    }
    if !others.is_empty() {
        draw_marks(
            sheet,
            plan,
            others,
            &format!("{} other faults", others.len()),
        );
    }
    let lasts = seconds(load);
    sheet.drawn(&format!("    0{lasts:>width$}", width = width - 1));
    sheet.line("");
}

/// Devices that are connected, one column for each part of the load, unless all of them are all the time.
fn draw_online(sheet: &mut Sheet, plan: &Plan, step: Duration) {
    if plan.is_always_whole() {
        return;
    }
    let parts = u32::try_from(sheet.width()).expect("a drawing has few columns");
    let online = |column: u32| plan.devices_online_at(step * column + step / 2);
    let online: Vec<f64> = (0..parts).map(online).collect();
    let peak = online.iter().copied().fold(0.0, f64::max);
    let least = online.iter().copied().fold(f64::INFINITY, f64::min);
    sheet.line(&format!(
        "devices online, from {} to {} of {}",
        count_text(least.round() as u64),
        count_text(peak.round() as u64),
        count_text(plan.devices.into())
    ));
    let all = f64::from(plan.devices.max(1));
    let bars: String = online.iter().map(|online| bar(online / all)).collect();
    sheet.drawn(&format!("    {bars}"));
}

/// Marks where these faults strike, and says their name behind.
fn draw_marks(sheet: &mut Sheet, plan: &Plan, faults: &[PlannedFault], name: &str) {
    let width = sheet.width();
    let load = plan.run.warmup + plan.run.duration;
    let column_of = |time: Duration| {
        let share = (plan.run.warmup + time).as_secs_f64() / load.as_secs_f64();
        (share * width as f64) as usize
    };
    let mut marks = vec![' '; width];
    for time in faults.iter().flat_map(times) {
        if let Some(mark) = marks.get_mut(column_of(time)) {
            *mark = '^';
        }
    }
    let marks: String = marks.into_iter().collect();
    let marks = marks.trim_end();
    let length = marks.chars().count();
    let room = sheet.columns.unwrap_or(usize::MAX);
    match length + name.chars().count() + 6 <= room {
        true => sheet.drawn(&format!("    {marks}  {name}")),
        // Behind the marks is no room in a narrow terminal.
        false => {
            sheet.drawn(&format!("    {marks}"));
            sheet.line(&format!("    {name}"));
        }
    }
}

/// The share `part` of a full column; a little is never nothing.
fn bar(part: f64) -> char {
    let full = BARS.len() - 1;
    let height = (part * full as f64).round() as usize;
    BARS[if part > 0.0 { height.clamp(1, full) } else { 0 }]
}

/// When a fault strikes, counted from the beginning of the measured part.
fn times(fault: &PlannedFault) -> impl Iterator<Item = Duration> + use<> {
    let (first, last, times) = (fault.first, fault.last, fault.times.max(1));
    let gaps = u32::try_from(times - 1).unwrap_or(u32::MAX);
    let period = if gaps == 0 {
        Duration::ZERO
    } else {
        (last - first) / gaps
    };
    (0..=gaps).map(move |n| first + period * n)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rate that is small beside the peak is still seen.
    #[test]
    fn a_little_is_not_nothing() {
        assert_eq!(bar(0.0), ' ');
        assert_eq!(bar(0.001), '▁');
        assert_eq!(bar(1.0), '█');
    }
}
