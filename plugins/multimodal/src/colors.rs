//! Colours: the few that most of a picture is painted in, by k-means over a histogram.

use image::RgbaImage;
use serde::Serialize;

/// Clusters that are looked for, before those that are close together become one.
const CLUSTERS: usize = 12;
const ROUNDS: usize = 10;
/// Squared distance in RGB below which two colours are told as one.
const ALIKE: f64 = 28.0 * 28.0;
/// Share below which a colour is not told.
const LEAST_SHARE: f64 = 0.005;

/// A colour, and how much of the picture is closer to it than to the others.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Color {
    /// Such as `#1e90ff`.
    pub hex: String,
    /// From 0 to 1, of the pixels that can be seen.
    pub share: f64,
}

type Rgb = [f64; 3];

/// At most `most` colours of `picture`, the widest spread first. Transparent pixels do not count.
#[must_use]
pub fn dominant(picture: &RgbaImage, most: usize) -> Vec<Color> {
    let bins = histogram(picture);
    let total: f64 = bins.iter().map(|(_, count)| count).sum();
    let mut centers = seeds(&bins);
    for _ in 0..ROUNDS {
        centers = moved(&bins, &centers);
    }
    let mut found = merged(weighed(&bins, &centers));
    found.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.map(f64::to_bits).cmp(&other.0.map(f64::to_bits))));
    let told = found.into_iter().map(|(color, count)| Color { hex: hex(color), share: (count / total * 1e4).round() / 1e4 });
    told.filter(|color| color.share >= LEAST_SHARE).take(most).collect()
}

/// The mean colour and the number of pixels of each of 32 × 32 × 32 cubes that holds any.
fn histogram(picture: &RgbaImage) -> Vec<(Rgb, f64)> {
    let mut sums = vec![[0u32; 4]; 32 * 32 * 32];
    for pixel in picture.pixels().filter(|pixel| pixel.0[3] >= 128) {
        let [r, g, b, _] = pixel.0.map(usize::from);
        if let Some(sum) = sums.get_mut((r >> 3) << 10 | (g >> 3) << 5 | b >> 3) {
            *sum = [sum[0] + r as u32, sum[1] + g as u32, sum[2] + b as u32, sum[3] + 1];
        }
    }
    let filled = sums.into_iter().filter(|sum| sum[3] > 0);
    filled.map(|[r, g, b, count]| ([r, g, b].map(|sum| f64::from(sum) / f64::from(count)), f64::from(count))).collect()
}

/// The fullest cube, then again and again the one that is both full and far from those chosen.
fn seeds(bins: &[(Rgb, f64)]) -> Vec<Rgb> {
    let mut chosen: Vec<Rgb> = Vec::new();
    let mut far = vec![1.0; bins.len()];
    while chosen.len() < CLUSTERS.min(bins.len()) {
        let weights = bins.iter().zip(&far).map(|((_, count), far)| count * far);
        let best = weights.enumerate().max_by(|one, other| one.1.total_cmp(&other.1).then(other.0.cmp(&one.0)));
        let Some((color, _)) = best.and_then(|(index, _)| bins.get(index)) else { break };
        let first = chosen.is_empty();
        for ((other, _), far) in bins.iter().zip(&mut far) {
            let distance = distance(color, other);
            *far = if first { distance } else { far.min(distance) };
        }
        chosen.push(*color);
    }
    chosen
}

fn moved(bins: &[(Rgb, f64)], centers: &[Rgb]) -> Vec<Rgb> {
    weighed(bins, centers).into_iter().map(|(color, _)| color).collect()
}

/// The mean and the number of the pixels that are closest to each centre.
fn weighed(bins: &[(Rgb, f64)], centers: &[Rgb]) -> Vec<(Rgb, f64)> {
    let mut sums: Vec<(Rgb, f64)> = vec![([0.0; 3], 0.0); centers.len()];
    for (color, count) in bins {
        let nearest = centers.iter().map(|center| distance(center, color)).enumerate().min_by(|one, other| one.1.total_cmp(&other.1));
        if let Some(sum) = nearest.and_then(|(index, _)| sums.get_mut(index)) {
            sum.0 = [sum.0[0] + color[0] * count, sum.0[1] + color[1] * count, sum.0[2] + color[2] * count];
            sum.1 += count;
        }
    }
    sums.into_iter().filter(|sum| sum.1 > 0.0).map(|(sum, count)| (sum.map(|channel| channel / count), count)).collect()
}

fn merged(found: Vec<(Rgb, f64)>) -> Vec<(Rgb, f64)> {
    let mut kept: Vec<(Rgb, f64)> = Vec::new();
    for (color, count) in found {
        match kept.iter_mut().find(|(other, _)| distance(other, &color) < ALIKE) {
            Some((other, others)) => {
                let all = *others + count;
                *other = [0, 1, 2].map(|channel| (other[channel] * *others + color[channel] * count) / all);
                *others = all;
            }
            None => kept.push((color, count)),
        }
    }
    kept
}

fn distance(one: &Rgb, other: &Rgb) -> f64 {
    one.iter().zip(other).map(|(one, other)| (one - other) * (one - other)).sum()
}

fn hex(color: Rgb) -> String {
    let [r, g, b] = color.map(|channel| channel.round() as u8);
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_colours_are_found_with_their_shares() {
        let picture = RgbaImage::from_fn(100, 10, |x, _| match x {
            0..60 => image::Rgba([200, 30, 30, 255]),
            60..90 => image::Rgba([20, 20, 220, 255]),
            90..98 => image::Rgba([250, 250, 250, 255]),
            _ => image::Rgba([0, 255, 0, 0]),
        });
        let told: Vec<(String, f64)> = dominant(&picture, 5).into_iter().map(|color| (color.hex, color.share)).collect();
        assert_eq!(told, [("#c81e1e".into(), 0.6122), ("#1414dc".into(), 0.3061), ("#fafafa".into(), 0.0816)]);
        assert_eq!(dominant(&picture, 1).len(), 1);
    }

    #[test]
    fn a_picture_that_nobody_sees_has_no_colours() {
        assert_eq!(dominant(&RgbaImage::new(5, 5), 5), []);
    }
}
