//! Runs: a picture as the dark stretches of its rows, and which of them touch. Time and memory grow with the pixels.

use super::plane::Point;

/// A dark stretch of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Its row.
    pub y: u32,
    /// Its first pixel.
    pub left: u32,
    /// The pixel after its last.
    pub right: u32,
}

/// A picture in black and white.
#[derive(Debug)]
pub struct Bitmap {
    width: usize,
    height: usize,
    dark: Vec<bool>,
}

/// The dark stretches of a picture, row by row, and the areas that they form.
#[derive(Debug)]
pub struct Runs {
    /// All of them, from the left in each row.
    pub all: Vec<Run>,
    /// For each the area that it is a part of, by the index of one of its runs.
    pub area: Vec<usize>,
    /// Pixels of the area, at the index that names it.
    pub pixels: Vec<u64>,
    /// Indices of runs, those of an area in one stretch.
    by_area: Vec<usize>,
    /// Where in `by_area` an area begins, at the index that names it.
    starts: Vec<usize>,
}

impl Bitmap {
    /// A picture of `width` × `height`, dark where `dark` says so of x and y.
    #[must_use]
    pub fn new(width: usize, height: usize, dark: impl Fn(usize, usize) -> bool) -> Self {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Self { width, height, dark: pixels.map(|(x, y)| dark(x, y)).collect() }
    }

    /// Whether the pixel that holds a point is dark; what lies outside is light.
    #[must_use]
    pub fn is_dark(&self, x: f64, y: f64) -> bool {
        // Numbers that are none fail both comparisons.
        if !(x >= 0.0 && y >= 0.0 && x < self.width as f64 && y < self.height as f64) {
            return false;
        }
        self.dark.get(y as usize * self.width + x as usize).copied().unwrap_or(false)
    }

    /// How often dark and light change on the straight way between two points, each at most a picture away from it.
    #[must_use]
    pub fn changes(&self, from: Point, to: Point) -> usize {
        let way = to.minus(from);
        let steps = way.x.abs().max(way.y.abs()).ceil().clamp(1.0, 2.0 * (self.width + self.height) as f64);
        let colors = (0..=steps as usize).map(|step| {
            let Point { x, y } = from.towards(to, step as f64 / steps);
            self.is_dark(x, y)
        });
        colors.clone().zip(colors.skip(1)).filter(|(one, next)| one != next).count()
    }

    /// Its dark stretches.
    #[must_use]
    pub fn runs(&self) -> Runs {
        let mut all = Vec::new();
        for (y, row) in self.dark.chunks(self.width.max(1)).enumerate() {
            let mut left = 0;
            for stretch in row.chunk_by(|one, next| one == next) {
                let right = left + stretch.len();
                if stretch.first() == Some(&true) {
                    all.push(Run { y: y as u32, left: left as u32, right: right as u32 });
                }
                left = right;
            }
        }
        Runs::joined(all)
    }
}

impl Runs {
    fn joined(all: Vec<Run>) -> Self {
        let mut parents: Vec<usize> = (0..all.len()).collect();
        let mut above = 0;
        for (index, run) in all.iter().enumerate() {
            while all.get(above).is_some_and(|other| other.y + 1 < run.y || (other.y + 1 == run.y && other.right <= run.left)) {
                above += 1;
            }
            let touching = all.iter().enumerate().skip(above).take_while(|(_, other)| other.y < run.y && other.left < run.right);
            for (other, _) in touching {
                join(&mut parents, index, other);
            }
        }
        let area: Vec<usize> = (0..all.len()).map(|index| root(&mut parents, index)).collect();
        let mut pixels = vec![0; all.len()];
        for (run, name) in all.iter().zip(&area) {
            pixels[*name] += u64::from(run.right - run.left);
        }
        let (by_area, starts) = gathered(&area);
        Self { all, area, pixels, by_area, starts }
    }

    /// The runs of the area that `name` names.
    pub fn of(&self, name: usize) -> impl Iterator<Item = &Run> {
        let ends = self.starts.get(name).zip(self.starts.get(name + 1));
        let indices = ends.and_then(|(from, to)| self.by_area.get(*from..*to)).unwrap_or_default();
        indices.iter().filter_map(|index| self.all.get(*index))
    }
}

/// The indices of runs with those of an area together, and where each area begins.
fn gathered(area: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let mut starts = vec![0; area.len() + 1];
    for name in area {
        starts[*name + 1] += 1;
    }
    for index in 0..area.len() {
        starts[index + 1] += starts[index];
    }
    let mut next = starts.clone();
    let mut by_area = vec![0; area.len()];
    for (index, name) in area.iter().enumerate() {
        by_area[next[*name]] = index;
        next[*name] += 1;
    }
    (by_area, starts)
}

fn root(parents: &mut [usize], mut index: usize) -> usize {
    while parents[index] != index {
        parents[index] = parents[parents[index]];
        index = parents[index];
    }
    index
}

fn join(parents: &mut [usize], one: usize, other: usize) {
    let (one, other) = (root(parents, one), root(parents, other));
    parents[one.max(other)] = one.min(other);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(rows: &[&str]) -> Bitmap {
        Bitmap::new(rows[0].len(), rows.len(), |x, y| rows[y].as_bytes()[x] == b'#')
    }

    #[test]
    fn what_touches_above_or_below_is_one_area() {
        let runs = drawn(&["#.#.#", "#.#.#", "###..", "....#"]).runs();
        let names: Vec<usize> = (0..runs.all.len()).filter(|index| runs.area[*index] == *index).collect();
        let sizes: Vec<u64> = names.iter().map(|name| runs.pixels[*name]).collect();
        assert_eq!(sizes, [7, 2, 1]);
        assert_eq!(names.iter().map(|name| runs.of(*name).count()).collect::<Vec<_>>(), [5, 2, 1]);
    }

    #[test]
    fn points_outside_are_light() {
        let bitmap = drawn(&["##", "##"]);
        assert!(bitmap.is_dark(1.9, 0.0));
        assert!([(-0.1, 0.0), (2.0, 1.0), (0.0, f64::NAN), (f64::INFINITY, 0.0)].iter().all(|(x, y)| !bitmap.is_dark(*x, *y)));
        assert!(Bitmap::new(0, 0, |_, _| true).runs().all.is_empty());
    }
}
