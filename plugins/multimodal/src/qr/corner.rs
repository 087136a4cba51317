//! Corner patterns: the squares in three corners of a code, a dark ring around a dark core, wherever they are in a picture.

use std::collections::HashSet;

use super::plane::Point;
use super::runs::{Run, Runs};

/// A corner pattern.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corner {
    /// Its outer corners, clockwise as one sees them.
    pub outline: [Point; 4],
    /// Its middle.
    pub center: Point,
    /// Pixels along a side of a module.
    pub module: f64,
}

/// The corner patterns of a picture from top to bottom, `most` of them at most, and whether there are more.
#[must_use]
pub fn find(runs: &Runs, most: usize) -> (Vec<Corner>, bool) {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for (index, three) in runs.all.windows(3).enumerate() {
        let [left, middle, right] = three else { continue };
        let areas = (runs.area.get(index), runs.area.get(index + 1), runs.area.get(index + 2));
        let (Some(ring), Some(core), Some(end)) = areas else { continue };
        if ring != end || ring == core || !in_proportion(left, middle, right) || !seen.insert((*ring, *core)) {
            continue;
        }
        if let Some(corner) = corner(runs, *ring, *core) {
            if found.len() == most {
                return (found, true);
            }
            found.push(corner);
        }
    }
    (found, false)
}

/// Whether dark, light, dark, light, dark are as 1 to 1 to 3 to 1 to 1, roughly.
fn in_proportion(left: &Run, middle: &Run, right: &Run) -> bool {
    if left.y != middle.y || middle.y != right.y {
        return false;
    }
    let thin = [left.right - left.left, middle.left - left.right, right.left - middle.right, right.right - right.left].map(f64::from);
    let module = thin.iter().sum::<f64>() / 4.0;
    let near = |length: f64, wanted: f64| (length - wanted * module).abs() <= (0.75 * module).max(1.0);
    thin.into_iter().all(|length| near(length, 1.0)) && near(f64::from(middle.right - middle.left), 3.0)
}

/// The corner pattern of a ring and a core, where their shapes are right.
fn corner(runs: &Runs, ring: usize, core: usize) -> Option<Corner> {
    let (outer, inner) = (*runs.pixels.get(ring)?, *runs.pixels.get(core)?);
    // 9 modules to 24; what prints and cameras make of it is between.
    if inner * 100 < outer * 10 || inner * 100 > outer * 70 {
        return None;
    }
    let center = middle(runs, core)?;
    let outline = outline(runs, ring, center)?;
    let side = area(&outline).sqrt();
    Some(Corner { outline, center, module: side / 7.0 })
}

fn middle(runs: &Runs, core: usize) -> Option<Point> {
    let (mut x, mut y, mut pixels) = (0.0, 0.0, 0.0);
    for run in runs.of(core) {
        let length = f64::from(run.right - run.left);
        x += length * f64::from(run.left + run.right) / 2.0;
        y += length * (f64::from(run.y) + 0.5);
        pixels += length;
    }
    (pixels > 0.0).then(|| Point::new(x / pixels, y / pixels))
}

/// The four corners of an area around `center`: the farthest point, the one across, and those farthest to both sides.
fn outline(runs: &Runs, ring: usize, center: Point) -> Option<[Point; 4]> {
    let first = farthest(runs, ring, |point| point.minus(center).squared())?;
    let along = first.minus(center);
    let across = Point::new(-along.y, along.x);
    let second = farthest(runs, ring, |point| point.minus(center).dot(across))?;
    let third = farthest(runs, ring, |point| -point.minus(center).dot(along))?;
    let fourth = farthest(runs, ring, |point| -point.minus(center).dot(across))?;
    let corners = [first, second, third, fourth];
    // Each turn to the same side, by no less than a sliver: anything else is no square that a camera saw.
    let sharp = (0..4).all(|at| {
        let [before, here, after] = [corners[(at + 3) % 4], corners[at], corners[(at + 1) % 4]];
        let (one, other) = (here.minus(before), after.minus(here));
        one.cross(other) > 0.2 * (one.squared() * other.squared()).sqrt() && one.squared() > 0.1 * other.squared()
    });
    sharp.then_some(corners)
}

fn farthest(runs: &Runs, ring: usize, score: impl Fn(Point) -> f64) -> Option<Point> {
    let mut best: Option<(f64, Point)> = None;
    for run in runs.of(ring) {
        for (x, y) in [(run.left, run.y), (run.right, run.y), (run.left, run.y + 1), (run.right, run.y + 1)] {
            let point = Point::new(f64::from(x), f64::from(y));
            let reached = score(point);
            if best.is_none_or(|(most, _)| reached > most) {
                best = Some((reached, point));
            }
        }
    }
    best.map(|(_, point)| point)
}

fn area(outline: &[Point; 4]) -> f64 {
    outline[2].minus(outline[0]).cross(outline[3].minus(outline[1])).abs() / 2.0
}

#[cfg(test)]
mod tests {
    use super::super::runs::Bitmap;
    use super::*;

    fn pattern(x: usize, y: usize) -> bool {
        let ring = x.abs_diff(3).max(y.abs_diff(3));
        ring == 3 || ring <= 1
    }

    #[test]
    fn a_square_in_a_ring_is_found_with_its_corners() {
        let (found, more) = find(&Bitmap::new(40, 30, |x, y| x >= 5 && y >= 2 && pattern((x - 5) / 3, (y - 2) / 3)).runs(), 9);
        let corners = [(26.0, 23.0), (5.0, 23.0), (5.0, 2.0), (26.0, 2.0)].map(|(x, y)| Point::new(x, y));
        assert_eq!((found.len(), more), (1, false));
        assert_eq!((found[0].center, found[0].module), (Point::new(15.5, 12.5), 3.0));
        assert!(found[0].outline.iter().all(|point| corners.contains(point)), "{found:?}");
    }

    #[test]
    fn no_more_than_asked_for_are_looked_at() {
        let runs = Bitmap::new(80, 80, |x, y| pattern(x % 8, y % 8)).runs();
        let (all, more) = find(&runs, 100);
        assert_eq!((all.len(), more), (100, false));
        let (some, more) = find(&runs, 99);
        assert_eq!((some.len(), more), (99, true));
    }

    #[test]
    fn broken_rings_and_other_shapes_are_none() {
        let broken = Bitmap::new(9, 9, |x, y| pattern(x, y) && (x, y) != (3, 0) && (x, y) != (3, 6)).runs();
        let triangle = Bitmap::new(70, 70, |x, y| {
            (x + y < 65 && !(x > 6 && y > 6 && x + y < 50)) || ((10..26).contains(&x) && (10..26).contains(&y))
        });
        assert_eq!(find(&broken, 9).0, []);
        assert_eq!(find(&triangle.runs(), 9).0, []);
    }
}
