//! Groups: which three corner patterns may be those of one code, the likeliest first.
//!
//! Only near neighbours are put together, so that the work grows with the patterns squared and no faster.

use super::corner::Corner;
use super::plane::Point;
use super::runs::Bitmap;

/// Neighbours in each of four directions that are looked at: in a code nothing lies between.
const NEIGHBOURS: usize = 4;
/// Modules between the middles of two patterns of a code: 14 to 170, and what perspective makes of it.
const APART: std::ops::RangeInclusive<f64> = 10.0..=190.0;

/// Three patterns that may be those of a code.
#[derive(Debug, Clone)]
pub struct Group {
    /// Where in the list of patterns they are.
    pub members: [usize; 3],
    /// The pattern in the code's first corner, the one to the right and the one below, outlines from the first corner on.
    pub corners: [Corner; 3],
    /// How many modules a side has, the likeliest number first.
    pub sizes: Vec<usize>,
    /// How ill they fit.
    misfit: f64,
}

/// A pattern as another one sees it.
#[derive(Debug, Clone, Copy)]
struct Neighbour {
    index: usize,
    modules: f64,
}

/// The groups among `corners`, the likeliest first.
#[must_use]
pub fn find(bitmap: &Bitmap, corners: &[Corner]) -> Vec<Group> {
    let mut found = Vec::new();
    for first in 0..corners.len() {
        let around = neighbours(corners, first);
        for (right, down) in (0..4).map(|at| (&around[at], &around[(at + 1) % 4])) {
            let pairs = right.iter().flat_map(|one| down.iter().map(move |other| (one, other)));
            found.extend(pairs.filter_map(|(one, other)| group(bitmap, corners, first, *one, *other)));
        }
    }
    found.sort_by(|one, other| one.misfit.total_cmp(&other.misfit));
    found
}

/// The nearest patterns in line with the sides of `first`, by direction.
fn neighbours(corners: &[Corner], first: usize) -> [Vec<Neighbour>; 4] {
    let mut around: [Vec<Neighbour>; 4] = Default::default();
    let Some(corner) = corners.get(first) else { return around };
    let [one, two, three, four] = corner.outline;
    let right = two.minus(one).towards(three.minus(four), 0.5);
    let down = four.minus(one).towards(three.minus(two), 0.5);
    let scale = 7.0 / right.cross(down);
    for (index, other) in corners.iter().enumerate() {
        let way = other.center.minus(corner.center);
        let (across, along) = (way.cross(down) * scale, right.cross(way) * scale);
        let (modules, off) = if across.abs() > along.abs() { (across, along) } else { (along, across) };
        let alike = (0.5..=2.0).contains(&(other.module / corner.module));
        if !alike || off.abs() > 0.3 * modules.abs() || !APART.contains(&modules.abs()) {
            continue;
        }
        let direction = usize::from(across.abs() <= along.abs()) + if modules < 0.0 { 2 } else { 0 };
        around[direction].push(Neighbour { index, modules: modules.abs() });
    }
    for direction in &mut around {
        direction.sort_by(|one, other| one.modules.total_cmp(&other.modules));
        direction.truncate(NEIGHBOURS);
    }
    around
}

fn group(bitmap: &Bitmap, corners: &[Corner], first: usize, right: Neighbour, down: Neighbour) -> Option<Group> {
    let lopsided = 1.0 - right.modules.min(down.modules) / right.modules.max(down.modules);
    if lopsided > 0.3 {
        return None;
    }
    let members = [first, right.index, down.index];
    let three = upright([*corners.get(first)?, *corners.get(right.index)?, *corners.get(down.index)?]);
    let [corner, beside, below] = &three;
    let start = inside(corner, 6.5, 6.5);
    let apart = |other: &Corner| (other.center.minus(corner.center).squared().sqrt() * 2.0) / (other.module + corner.module) + 7.0;
    let measured = (apart(beside) + apart(below)) / 2.0;
    let (rows, columns) = (bitmap.changes(start, inside(beside, 0.5, 6.5)), bitmap.changes(start, inside(below, 6.5, 0.5)));
    let (most, least) = (rows.max(columns), rows.min(columns));
    let mut sizes: Vec<usize> = [most, least, (most + least) / 2].into_iter().filter_map(size).collect();
    sizes.dedup();
    sizes.retain(|size| (*size as f64 - measured).abs() <= 0.3 * measured + 2.0);
    let size = *sizes.first()? as f64;
    let misfit = lopsided + (most - least) as f64 / most.max(1) as f64 + (size - measured).abs() / size;
    Some(Group { members, corners: three, sizes, misfit })
}

/// Modules a side of a code whose timing pattern, dark and light in turn, has so many changes.
fn size(changes: usize) -> Option<usize> {
    let version = changes.checked_sub(2)? / 4;
    (1..=40).contains(&version).then_some(17 + 4 * version)
}

/// The same three with outlines that begin where the code does.
fn upright(mut three: [Corner; 3]) -> [Corner; 3] {
    let [corner, right, down] = three.map(|corner| corner.center);
    let unit = |way: Point| Point::default().towards(way, 1.0 / way.squared().sqrt().max(1e-9));
    let away = unit(right.minus(corner)).towards(unit(down.minus(corner)), 0.5);
    for corner in &mut three {
        let reach = |at: &usize| corner.outline[*at].minus(corner.center).dot(away);
        let nearest = (0..4).min_by(|one, other| reach(one).total_cmp(&reach(other))).unwrap_or(0);
        corner.outline.rotate_left(nearest);
    }
    three
}

/// A point of a pattern, in modules from its first corner.
fn inside(corner: &Corner, x: f64, y: f64) -> Point {
    let [one, two, three, four] = corner.outline;
    one.towards(two, x / 7.0).towards(four.towards(three, x / 7.0), y / 7.0)
}

#[cfg(test)]
mod tests {
    use super::super::corner;
    use super::*;

    fn pattern(x: usize, y: usize) -> bool {
        let ring = x.abs_diff(3).max(y.abs_diff(3));
        ring == 3 || ring <= 1
    }

    #[test]
    fn three_with_timing_between_them_are_a_group() {
        // A code of 21 modules without data.
        let code = |x: usize, y: usize| match (x, y) {
            (0..=6, 0..=6) => pattern(x, y),
            (14..=20, 0..=6) => pattern(x - 14, y),
            (0..=6, 14..=20) => pattern(x, y - 14),
            (6, _) => y.is_multiple_of(2),
            (_, 6) => x.is_multiple_of(2),
            _ => false,
        };
        let bitmap = Bitmap::new(100, 100, |x, y| x >= 8 && y >= 8 && x < 92 && y < 92 && code((x - 8) / 4, (y - 8) / 4));
        let (corners, _) = corner::find(&bitmap.runs(), 9);
        let groups = find(&bitmap, &corners);
        assert_eq!((corners.len(), groups.len()), (3, 1), "{groups:?}");
        assert_eq!((groups[0].members, groups[0].sizes.as_slice()), ([0, 1, 2], [21].as_slice()));
        assert_eq!(groups[0].corners.map(|corner| corner.outline[0]), [(8.0, 8.0), (64.0, 8.0), (8.0, 64.0)].map(|(x, y)| Point::new(x, y)));
    }

    #[test]
    fn patterns_without_timing_are_none() {
        let bitmap = Bitmap::new(100, 100, |x, y| pattern(x % 25, y % 25));
        let (corners, _) = corner::find(&bitmap.runs(), 20);
        assert_eq!((corners.len(), find(&bitmap, &corners).len()), (16, 0));
    }
}
