//! Changes of sign: every positive zero of a polynomial, and none that is not one.
//!
//! Where a function turns lie the zeros of one with a sign change less; between two turns it has at most one zero. So
//! each level is searched between the zeros of the next, down to one that has none.

use std::cmp::Ordering;

use dashu_int::IBig;

use super::polynomial::{decimal, logarithm, Polynomial, Real};

/// No zero is farther from 1 than e to this power: amounts have 30 digits and exponents to 20, levels add to them.
const FARTHEST: f64 = 700.0;
/// So often an interval is halved at most.
const HALVINGS: u32 = 120;
/// How narrow an interval is, over the size of its middle, when Newton's method takes over.
const NARROW: f64 = 1e-9;
/// A middle that is nearer to 0 counts as this far away.
const NEAR_ZERO: f64 = 1e-6;
/// Steps of Newton's method: each doubles nine right digits, so that three are enough and the others prove it.
const STEPS: usize = 6;
/// A step that is a smaller part of x than this power of ten is the last.
const LAST_STEP: isize = -40;

/// Where a polynomial is zero.
pub struct Zero {
    /// The place.
    pub x: Real,
    /// Its logarithm.
    pub log: f64,
    /// Whether it only touches zero there, as far as can be told.
    pub touches: bool,
}

/// The positive zeros, by rising x.
pub fn zeros_of(polynomial: &Polynomial) -> Vec<Zero> {
    if polynomial.sign_changes() == 0 {
        return Vec::new();
    }
    let (first, last) = polynomial.signs_at_ends();
    let mut zeros = Vec::new();
    let mut before = (-FARTHEST, first);
    for turn in zeros_of(&polynomial.turning()) {
        let here = (turn.log, polynomial.sign_near(turn.log, &turn.x));
        zeros.extend(zero_between(polynomial, before, here));
        if here.1 == Ordering::Equal {
            zeros.push(Zero { touches: true, ..turn });
        }
        before = here;
    }
    zeros.extend(zero_between(polynomial, before, (FARTHEST, last)));
    zeros
}

fn zero_between(polynomial: &Polynomial, from: (f64, Ordering), to: (f64, Ordering)) -> Option<Zero> {
    if from.1 == Ordering::Equal || from.1 != to.1.reverse() {
        return None;
    }
    let (mut low, mut high) = (from.0, to.0);
    let mut middle = low + (high - low) / 2.0;
    for _ in 0..HALVINGS {
        let sign = polynomial.sign(middle);
        if sign == Ordering::Equal || high - low <= NARROW * middle.abs().max(NEAR_ZERO) {
            break;
        }
        if sign == from.1 {
            low = middle;
        } else {
            high = middle;
        }
        middle = low + (high - low) / 2.0;
    }
    let x = refined(polynomial, decimal(middle.exp())?);
    Some(Zero { log: logarithm(&x), x, touches: false })
}

/// A zero to the digits of a decimal; as it was found where Newton's method leads away.
fn refined(polynomial: &Polynomial, start: Real) -> Real {
    let mut x = start.clone();
    for _ in 0..STEPS {
        let [value, slope] = polynomial.at(&x);
        if slope == Real::ZERO {
            return start;
        }
        let step = &x * value / slope;
        x -= &step;
        if is_within(&step, &x, LAST_STEP) {
            break;
        }
    }
    if is_within(&(&x - &start), &start, -6) {
        x
    } else {
        start
    }
}

/// Whether a difference is a smaller part of x than a power of ten.
fn is_within(difference: &Real, x: &Real, power: isize) -> bool {
    let part = difference / x;
    let bound = Real::from_parts(IBig::ONE, power);
    part < bound && -part < bound
}
