//! Planes: points of a picture, and how a flat code lies in it, seen from any side.

/// A point of a picture, or the way from one to another, in pixels.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

impl Point {
    /// The point at x and y.
    #[must_use]
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// The way here from `other`.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self::new(self.x - other.x, self.y - other.y)
    }

    /// The point that lies `share` of the way to `other`.
    #[must_use]
    pub fn towards(self, other: Self, share: f64) -> Self {
        Self::new(self.x + (other.x - self.x) * share, self.y + (other.y - self.y) * share)
    }

    /// The product that is greatest where two ways are one.
    #[must_use]
    pub fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y
    }

    /// The product that is positive where `other` turns to the right, as one sees it.
    #[must_use]
    pub fn cross(self, other: Self) -> f64 {
        self.x * other.y - self.y * other.x
    }

    /// The square of its length.
    #[must_use]
    pub fn squared(self) -> f64 {
        self.dot(self)
    }
}

/// The way from the modules of a code to the pixels of a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane(pub [f64; 8]);

impl Plane {
    /// The plane that has the points `inside` of a code at `outside` of a picture; none where three are on a line.
    #[must_use]
    pub fn through(inside: [Point; 4], outside: [Point; 4]) -> Option<Self> {
        let mut rows = [[0.0; 9]; 8];
        for (at, (from, to)) in inside.into_iter().zip(outside).enumerate() {
            rows[2 * at] = [from.x, from.y, 1.0, 0.0, 0.0, 0.0, -from.x * to.x, -from.y * to.x, to.x];
            rows[2 * at + 1] = [0.0, 0.0, 0.0, from.x, from.y, 1.0, -from.x * to.y, -from.y * to.y, to.y];
        }
        for column in 0..8 {
            let pivot = (column..8).max_by(|one, other| rows[*one][column].abs().total_cmp(&rows[*other][column].abs()))?;
            rows.swap(column, pivot);
            let leading = rows[column];
            if !leading[column].is_finite() || leading[column].abs() < 1e-9 {
                return None;
            }
            for row in rows.iter_mut().enumerate().filter(|(index, _)| *index != column).map(|(_, row)| row) {
                let factor = row[column] / leading[column];
                row.iter_mut().zip(leading).skip(column).for_each(|(value, lead)| *value -= factor * lead);
            }
        }
        let mut solved = [0.0; 8];
        for (at, value) in solved.iter_mut().enumerate() {
            *value = rows[at][8] / rows[at][at];
        }
        Some(Self(solved))
    }

    /// Where in the picture a point of the code is. What lies behind the eye has coordinates that are no numbers.
    #[must_use]
    pub fn at(&self, x: f64, y: f64) -> Point {
        let [a, b, c, d, e, f, g, h] = self.0;
        let depth = g * x + h * y + 1.0;
        if depth <= 1e-9 {
            return Point::new(f64::NAN, f64::NAN);
        }
        Point::new((a * x + b * y + c) / depth, (d * x + e * y + f) / depth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQUARE: [Point; 4] = [Point::new(0.0, 0.0), Point::new(7.0, 0.0), Point::new(7.0, 7.0), Point::new(0.0, 7.0)];

    #[test]
    fn a_plane_goes_through_its_points() {
        let outside = [Point::new(10.0, 11.0), Point::new(90.0, 20.0), Point::new(80.0, 99.0), Point::new(5.0, 70.0)];
        let plane = Plane::through(SQUARE, outside).unwrap();
        for (from, to) in SQUARE.into_iter().zip(outside) {
            let off = plane.at(from.x, from.y).minus(to);
            assert!(off.squared() < 1e-12, "{off:?}");
        }
    }

    #[test]
    fn there_is_none_through_a_line_or_no_numbers() {
        let line = [0.0, 1.0, 2.0, 3.0].map(|at| Point::new(at, at));
        assert_eq!(Plane::through(line, SQUARE), None);
        assert_eq!(Plane::through([Point::new(f64::NAN, 0.0); 4], SQUARE), None);
        assert!(Plane([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0]).at(1.0, 0.0).x.is_nan());
    }
}
