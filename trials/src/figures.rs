//! What is made of measurements: a line through them, how far they are from it, and percentiles.

/// How much the second value of each pair grows for one of the first, by least squares.
///
/// ```
/// use hybi_trials::figures::slope;
///
/// assert_eq!(slope(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]), 2.0);
/// assert_eq!(slope(&[(0.0, 7.0), (1.0, 8.0), (2.0, 7.0)]), 0.0);
/// ```
#[must_use]
pub fn slope(points: &[(f64, f64)]) -> f64 {
    let count = points.len() as f64;
    let mean_x = points.iter().map(|point| point.0).sum::<f64>() / count;
    let mean_y = points.iter().map(|point| point.1).sum::<f64>() / count;
    let (mut above, mut below) = (0.0, 0.0);
    for (x, y) in points {
        above += (x - mean_x) * (y - mean_y);
        below += (x - mean_x) * (x - mean_x);
    }
    above / below
}

/// How far the second values are from that line: their standard deviation about it.
///
/// ```
/// use hybi_trials::figures::scatter;
///
/// assert_eq!(scatter(&[(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)]), 0.0);
/// assert_eq!(scatter(&[(0.0, 1.0), (0.0, 3.0), (1.0, 1.0), (1.0, 3.0)]), 1.0);
/// ```
#[must_use]
pub fn scatter(points: &[(f64, f64)]) -> f64 {
    let (slope, count) = (slope(points), points.len() as f64);
    let rests: Vec<_> = points.iter().map(|(x, y)| y - slope * x).collect();
    let mean = rests.iter().sum::<f64>() / count;
    (rests.iter().map(|rest| (rest - mean) * (rest - mean)).sum::<f64>() / count).sqrt()
}

/// The value that so many of a hundred do not exceed; 0 of none.
///
/// ```
/// use hybi_trials::figures::percentile;
///
/// let mut values = [4, 1, 3, 2];
/// assert_eq!([0, 50, 99, 100].map(|percent| percentile(&mut values, percent)), [1, 3, 4, 4]);
/// ```
#[must_use]
pub fn percentile(values: &mut [u32], percent: usize) -> u32 {
    values.sort_unstable();
    let at = (values.len() * percent / 100).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or_default()
}
