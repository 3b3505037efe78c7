//! Values as bars in a line of text.

/// From low to high.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Bars from the lowest value to the highest; a gap where there is none.
pub fn sparkline(values: &[Option<f64>]) -> String {
    let known = || values.iter().flatten().copied();
    bars(values, known().fold(f64::INFINITY, f64::min))
}

/// Bars from zero to the highest value, so that a steady value looks steady.
pub fn sparkline_from_zero(values: &[Option<f64>]) -> String {
    bars(values, 0.0)
}

fn bars(values: &[Option<f64>], low: f64) -> String {
    let highest = values.iter().flatten().copied();
    let high = highest.fold(f64::NEG_INFINITY, f64::max);
    let bar = |value: &Option<f64>| match value {
        None => ' ',
        Some(_) if high <= low => BARS[0],
        Some(value) => {
            let part = (value - low) / (high - low) * (BARS.len() - 1) as f64;
            BARS[(part.round() as usize).min(BARS.len() - 1)]
        }
    };
    values.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_value_is_the_lowest_bar_and_nothing_is_a_gap() {
        let values = [Some(10.0), None, Some(11.0), Some(12.0)];
        assert_eq!(sparkline(&values), "▁ ▅█");
        assert_eq!(sparkline_from_zero(&values), "▇ ▇█");
        assert_eq!(sparkline(&[Some(3.0), Some(3.0)]), "▁▁");
        assert_eq!(sparkline_from_zero(&[Some(0.0)]), "▁");
        assert_eq!(sparkline(&[]), "");
    }
}
