//! Symbols: where the modules of a code lie in a picture, told from its corner patterns, and what they say.

use rqrr::{Grid, MetaData, SimpleGrid};

use super::group::Group;
use super::plane::{Plane, Point};
use super::runs::Bitmap;

/// Modules around the place where the last alignment pattern should be in which it is looked for.
const REACH: i32 = 4;
/// Times that a plane's corners are moved by ever less.
const ROUNDS: usize = 5;

/// How many more pixels may be looked at in a call: what bounds the work on pictures that are made to cost.
#[derive(Debug)]
pub struct Looks(pub u64);

impl Default for Looks {
    /// Twice what 64 codes of a sheet take, and a quarter of the instructions that a call has by default.
    fn default() -> Self {
        Self(2_500_000)
    }
}

impl Looks {
    /// Take `pixels` of them; false where they do not suffice.
    #[must_use]
    pub fn take(&mut self, pixels: usize) -> bool {
        let left = self.0.checked_sub(pixels as u64);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// A code's place in a picture.
#[derive(Debug, Clone)]
pub struct Symbol {
    /// Where its modules are.
    pub plane: Plane,
    /// Modules a side.
    pub size: usize,
}

/// The place of a group of corner patterns if the code has `size` modules a side.
#[must_use]
pub fn place(bitmap: &Bitmap, group: &Group, size: usize, looks: &mut Looks) -> Option<Symbol> {
    let [first, right, down] = &group.corners;
    let side = size as f64;
    let known = [Point::new(3.5, 3.5), Point::new(side - 3.5, 3.5), Point::new(3.5, side - 3.5)];
    let seen = [first.center, right.center, down.center];
    let through = |inside: f64, outside: Point| {
        Plane::through([known[0], known[1], known[2], Point::new(inside, inside)], [seen[0], seen[1], seen[2], outside])
    };
    let [right_top, _, _, right_bottom] = right.outline;
    let [down_left, down_right, ..] = down.outline;
    // Lines along the patterns' sides know of perspective, and are a pixel or two off; a flat code is a parallelogram.
    let by_sides = crossing(right_top, right_bottom, down_left, down_right).and_then(|fourth| through(side - 7.0, fourth));
    let flat = through(side - 3.5, first.center.towards(right.center.towards(down.center, 0.5), 2.0));
    let cells = fixed_cells(size);
    if !looks.take(2 * SAMPLES.len() * cells.len()) {
        return None;
    }
    let guessed = flat.into_iter().chain(by_sides).max_by_key(|plane| fit(bitmap, plane, &cells))?;
    if size == 21 {
        return Some(Symbol { plane: guessed, size });
    }
    let middle = side - 6.5;
    let plane = alignment(bitmap, &guessed, middle, looks).and_then(|fourth| through(middle, fourth)).unwrap_or(guessed);
    Some(Symbol { plane, size })
}

/// Where two lines cross, each through two points.
fn crossing(one: Point, two: Point, three: Point, four: Point) -> Option<Point> {
    let (along, other) = (two.minus(one), four.minus(three));
    let turn = along.cross(other);
    let share = three.minus(one).cross(other) / turn;
    (turn.abs() > 1e-9 && share.is_finite()).then(|| one.towards(two, share))
}

/// Where the alignment pattern is that belongs to x = y = `middle`: the nearest of the places that look most like one.
fn alignment(bitmap: &Bitmap, plane: &Plane, middle: f64, looks: &mut Looks) -> Option<Point> {
    let likeness = |x: f64, y: f64| ring_pattern(2, |dx, dy| is_dark(bitmap, plane, x + f64::from(dx), y + f64::from(dy)));
    let mut best = (likeness(middle, middle), 0.0, middle, middle);
    if best.0 == 25 {
        return Some(plane.at(middle, middle));
    }
    let steps = -2 * REACH..=2 * REACH;
    if !looks.take(25 * steps.clone().count().pow(2)) {
        return None;
    }
    for (dx, dy) in steps.clone().flat_map(|dx| steps.clone().map(move |dy| (f64::from(dx) / 2.0, f64::from(dy) / 2.0))) {
        let (found, off) = (likeness(middle + dx, middle + dy), dx * dx + dy * dy);
        if found > best.0 || (found == best.0 && off < best.1) {
            best = (found, off, middle + dx, middle + dy);
        }
    }
    let (found, _, x, y) = best;
    (found >= 21).then(|| plane.at(x, y))
}

/// How many modules of a pattern of rings are as they should be: the core dark, then light, then dark…
fn ring_pattern(reach: i32, dark: impl Fn(i32, i32) -> bool) -> i32 {
    let modules = (-reach..=reach).flat_map(|dx| (-reach..=reach).map(move |dy| (dx, dy)));
    modules.filter(|(dx, dy)| dark(*dx, *dy) == (dx.abs().max(dy.abs()) % 2 == 0)).count() as i32
}

fn is_dark(bitmap: &Bitmap, plane: &Plane, x: f64, y: f64) -> bool {
    let Point { x, y } = plane.at(x, y);
    bitmap.is_dark(x, y)
}

impl Symbol {
    /// What the code says, where it can be read.
    #[must_use]
    pub fn read(&self, bitmap: &Bitmap, looks: &mut Looks) -> Option<(MetaData, Vec<u8>)> {
        if !looks.take(self.size * self.size) {
            return None;
        }
        let grid = SimpleGrid::from_func(self.size, |x, y| is_dark(bitmap, &self.plane, x as f64 + 0.5, y as f64 + 0.5));
        let mut bytes = Vec::new();
        let read = Grid::new(grid).decode_to(&mut bytes);
        // Checking takes as long as so many looks: of all code words where they are right, and else of the first block
        // alone, but before and after correcting, and mirrored.
        let words = self.size * self.size / 8;
        let paid = looks.take(if read.is_ok() { words * 200 } else { words.min(150) * 800 });
        read.ok().filter(|_| paid).map(|about| (about, bytes))
    }

    /// Its corners, clockwise from the first.
    #[must_use]
    pub fn outline(&self) -> [Point; 4] {
        let side = self.size as f64;
        [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)].map(|(x, y)| self.plane.at(x, y))
    }

    /// The same code with its corners moved to where the patterns that every code has fit best, and how well, up to 1.
    #[must_use]
    pub fn refined(&self, bitmap: &Bitmap, looks: &mut Looks) -> Option<(Self, f64)> {
        let cells = fixed_cells(self.size);
        let side = self.size as f64;
        let inside = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)].map(|(x, y)| Point::new(x, y));
        let (mut outline, mut plane) = (self.outline(), self.plane.clone());
        let mut best = fit(bitmap, &plane, &cells);
        let mut step = (outline[1].minus(outline[0]).squared().sqrt() + outline[3].minus(outline[0]).squared().sqrt()) / side / 2.0;
        for _ in 0..ROUNDS {
            if !looks.take(16 * SAMPLES.len() * cells.len()) {
                return None;
            }
            for (at, dx, dy) in (0..4).flat_map(|at| [(at, step, 0.0), (at, -step, 0.0), (at, 0.0, step), (at, 0.0, -step)]) {
                let mut moved = outline;
                moved[at] = Point::new(moved[at].x + dx, moved[at].y + dy);
                let Some(other) = Plane::through(inside, moved) else { continue };
                let found = fit(bitmap, &other, &cells);
                if found > best {
                    (best, outline, plane) = (found, moved, other);
                }
            }
            step /= 2.0;
        }
        let share = f64::from(best) / (cells.len() * SAMPLES.len()) as f64;
        Some((Self { plane, size: self.size }, share))
    }
}

/// A module that is dark, or light, in every code of a size.
type Cell = (f64, f64, bool);

/// Where in a module its colour is looked at.
const SAMPLES: [(f64, f64); 5] = [(0.5, 0.5), (0.3, 0.3), (0.7, 0.3), (0.3, 0.7), (0.7, 0.7)];

/// How well the modules that every code has fit: as many as the samples where all do.
fn fit(bitmap: &Bitmap, plane: &Plane, cells: &[Cell]) -> i32 {
    let fits = |(x, y, dark): Cell, dx: f64, dy: f64| if is_dark(bitmap, plane, x + dx, y + dy) == dark { 1 } else { -1 };
    cells.iter().map(|cell| SAMPLES.iter().map(|(dx, dy)| fits(*cell, *dx, *dy)).sum::<i32>()).sum()
}

/// The corner, timing and alignment patterns of a code of `size`.
fn fixed_cells(size: usize) -> Vec<Cell> {
    let side = size as i32;
    let mut cells = Vec::new();
    let mut rings = |x: i32, y: i32, reach: i32| {
        for (dx, dy) in (-reach..=reach).flat_map(|dx| (-reach..=reach).map(move |dy| (dx, dy))) {
            let ring = dx.abs().max(dy.abs());
            let dark = if reach == 3 { ring != 2 } else { ring % 2 == 0 };
            cells.push((f64::from(x + dx), f64::from(y + dy), dark));
        }
    };
    for (x, y) in [(3, 3), (side - 4, 3), (3, side - 4)] {
        rings(x, y, 3);
    }
    let middles = alignment_middles(size);
    let last = middles.len().saturating_sub(1);
    for (row, y) in middles.iter().enumerate() {
        for (column, x) in middles.iter().enumerate() {
            if ![(0, 0), (0, last), (last, 0)].contains(&(row, column)) {
                rings(*x, *y, 2);
            }
        }
    }
    for at in 8..side - 8 {
        cells.push((f64::from(at), 6.0, at % 2 == 0));
        cells.push((6.0, f64::from(at), at % 2 == 0));
    }
    cells
}

/// Rows, and columns, in which the middles of alignment patterns are.
fn alignment_middles(size: usize) -> Vec<i32> {
    let version = size.saturating_sub(17) / 4;
    if version < 2 {
        return Vec::new();
    }
    let count = version / 7 + 2;
    // The standard's table; 32 is the one that the formula misses.
    let step = if version == 32 { 26 } else { (version * 4 + count * 2 + 1) / (count * 2 - 2) * 2 };
    let mut middles: Vec<i32> = (0..count - 1).map(|index| (size - 7).saturating_sub(index * step) as i32).collect();
    middles.push(6);
    middles.reverse();
    middles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alignment_patterns_are_where_the_standard_has_them() {
        for (version, middles) in [
            (1, vec![]),
            (2, vec![6, 18]),
            (7, vec![6, 22, 38]),
            (15, vec![6, 26, 48, 70]),
            (32, vec![6, 34, 60, 86, 112, 138]),
            (40, vec![6, 30, 58, 86, 114, 142, 170]),
        ] {
            assert_eq!(alignment_middles(17 + 4 * version), middles, "{version}");
        }
    }

    #[test]
    fn lines_cross_once_or_never() {
        let point = Point::new;
        assert_eq!(crossing(point(0.0, 0.0), point(1.0, 1.0), point(4.0, 0.0), point(4.0, 1.0)), Some(point(4.0, 4.0)));
        assert_eq!(crossing(point(0.0, 0.0), point(1.0, 0.0), point(0.0, 1.0), point(5.0, 1.0)), None);
    }

    #[test]
    fn looks_run_out() {
        let mut looks = Looks(10);
        assert!(looks.take(10));
        assert!(!looks.take(1));
        let symbol = Symbol { plane: Plane([0.0; 8]), size: 21 };
        assert!(symbol.read(&Bitmap::new(1, 1, |_, _| true), &mut looks).is_none());
    }
}
