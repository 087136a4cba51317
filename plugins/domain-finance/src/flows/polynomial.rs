//! Polynomials with few terms: the value of flows as a function of the discount factor of one step of time.
//!
//! Signs are told from floats where they are clear and from sixty decimal digits where they are not.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use dashu_float::round::mode::HalfEven;
use dashu_float::FBig;
use dashu_int::ops::{BitTest, UnsignedAbs};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

/// A decimal with sixty digits.
pub type Real = FBig<HalfEven, 10>;

const DIGITS: usize = 60;
/// A sum that is a smaller part of its terms' sizes than this may have its sign from rounding.
const CLEAR: f64 = 1e-9;
/// The same for decimals: what is smaller is zero, so that a rate is known to some twelve digits at least.
const ZERO_DIGITS: isize = 24;
/// How far from zero the exponent of a decimal may be that is made an exact ratio.
const MAX_EXPONENT: isize = 600;

/// A ratio as a decimal.
pub fn real(value: &RBig) -> Real {
    whole(value.numerator().clone()) / whole(value.denominator().clone().into())
}

fn whole(value: IBig) -> Real {
    Real::from(value).with_precision(DIGITS).value()
}

/// A decimal as a ratio: nothing for one too large to be written out, and zero for one too small to be seen.
pub fn exact(value: &Real) -> Option<RBig> {
    let repr = value.repr();
    let exponent = repr.exponent();
    if repr.significand().is_zero() || exponent < -MAX_EXPONENT {
        return Some(RBig::ZERO);
    }
    if repr.is_infinite() || exponent > MAX_EXPONENT {
        return None;
    }
    let power = RBig::from(UBig::from(10u8).pow(exponent.unsigned_abs()));
    let significand = RBig::from(repr.significand().clone());
    Some(if exponent < 0 { significand / power } else { significand * power })
}

/// One term: a factor and the power of the discount factor.
#[derive(Clone)]
struct Term {
    factor: IBig,
    power: u32,
    sign: f64,
    size: f64,
    real: Real,
}

/// Terms by rising power, none of them zero.
pub struct Polynomial {
    terms: Vec<Term>,
}

impl Polynomial {
    /// The sum of `factor × x^power`; equal powers are put together.
    pub fn new(factors: impl Iterator<Item = (IBig, u32)>) -> Self {
        let mut sums: Vec<(IBig, u32)> = Vec::new();
        for (factor, power) in factors {
            match sums.last_mut() {
                Some((sum, last)) if *last == power => *sum += factor,
                _ => sums.push((factor, power)),
            }
        }
        let nonzero = sums.into_iter().filter(|(factor, _)| *factor != IBig::ZERO);
        Polynomial { terms: nonzero.map(|(factor, power)| Term::new(factor, power)).collect() }
    }

    /// How often the sign changes from one term to the next: at most so many positive zeros there are (Descartes).
    pub fn sign_changes(&self) -> usize {
        self.terms.windows(2).filter(|pair| pair[0].sign != pair[1].sign).count()
    }

    /// A polynomial that is zero where this one, times a power of x that has no zero, turns; with one sign change less.
    pub fn turning(&self) -> Polynomial {
        let change = self.terms.windows(2).find(|pair| pair[0].sign != pair[1].sign);
        let between = change.map_or(0, |pair| i64::from(pair[0].power) + i64::from(pair[1].power));
        let weight = |term: &Term| IBig::from(2 * i64::from(term.power) - between) * &term.factor;
        Polynomial::new(self.terms.iter().map(|term| (weight(term), term.power)))
    }

    /// The sign for x near 0, and for large x.
    pub fn signs_at_ends(&self) -> (Ordering, Ordering) {
        let sign = |term: Option<&Term>| term.map_or(Ordering::Equal, |term| ordering(term.sign));
        (sign(self.terms.first()), sign(self.terms.last()))
    }

    /// The sign at x = e^`log`; equal where it is zero for all that sixty digits tell.
    pub fn sign(&self, log: f64) -> Ordering {
        self.clear_sign(log).unwrap_or_else(|| decimal(log.exp()).map_or(Ordering::Equal, |x| self.sign_at(&x)))
    }

    /// The sign at a zero of another polynomial, which is known to sixty digits.
    pub fn sign_near(&self, log: f64, x: &Real) -> Ordering {
        self.clear_sign(log).unwrap_or_else(|| self.sign_at(x))
    }

    fn clear_sign(&self, log: f64) -> Option<Ordering> {
        let (sum, sizes) = self.scaled(log);
        (sum.abs() > CLEAR * sizes).then(|| ordering(sum))
    }

    fn sign_at(&self, x: &Real) -> Ordering {
        let [sum, sizes] = self.horner(x, |term| {
            let size = if term.sign < 0.0 { -term.real.clone() } else { term.real.clone() };
            [term.real.clone(), size]
        });
        let least = sizes * Real::from_parts(IBig::ONE, -ZERO_DIGITS);
        let size = if sum < Real::ZERO { -sum.clone() } else { sum.clone() };
        if size < least {
            Ordering::Equal
        } else {
            sum.cmp(&Real::ZERO)
        }
    }

    /// The value at a decimal, and x times the slope there.
    pub fn at(&self, x: &Real) -> [Real; 2] {
        self.horner(x, |term| [term.real.clone(), &term.real * Real::from(term.power)])
    }

    /// Two sums of factors times powers of x, which share the powers.
    fn horner(&self, x: &Real, factors: impl Fn(&Term) -> [Real; 2]) -> [Real; 2] {
        let mut powers: BTreeMap<u32, Real> = BTreeMap::new();
        let mut sums = [whole(IBig::ZERO), whole(IBig::ZERO)];
        let mut above = self.terms.last().map_or(0, |term| term.power);
        for term in self.terms.iter().rev() {
            let step = powers.entry(above - term.power).or_insert_with_key(|gap| power(x, *gap));
            let [first, second] = factors(term);
            let [one, other] = sums;
            sums = [one * &*step + first, other * &*step + second];
            above = term.power;
        }
        let last = power(x, above);
        sums.map(|sum| sum * &last)
    }

    /// The sum of the terms and of their sizes, both over the largest.
    fn scaled(&self, log: f64) -> (f64, f64) {
        let exponent = |term: &Term| term.size + f64::from(term.power) * log;
        let largest = self.terms.iter().map(exponent).fold(f64::NEG_INFINITY, f64::max);
        self.terms.iter().fold((0.0, 0.0), |(sum, sizes), term| {
            let size = (exponent(term) - largest).exp();
            (sum + term.sign * size, sizes + size)
        })
    }
}

impl Term {
    fn new(factor: IBig, power: u32) -> Self {
        let sign = if factor < IBig::ZERO { -1.0 } else { 1.0 };
        let size = IBig::from(factor.clone().unsigned_abs());
        // A float holds no number beyond 10^308: the logarithm is of what is left of the bits, and of their count.
        let surplus = size.bit_len().saturating_sub(900);
        let size = (size >> surplus).to_f64().value().ln() + surplus as f64 * std::f64::consts::LN_2;
        let real = whole(factor.clone());
        Term { factor, power, sign, size, real }
    }
}

fn power(x: &Real, exponent: u32) -> Real {
    match exponent {
        0 => whole(IBig::ONE),
        1 => x.clone(),
        _ => x.powi(exponent.into()),
    }
}

/// A float as a decimal; nothing for what is no number, or too small for a float.
pub fn decimal(x: f64) -> Option<Real> {
    // By parts: a general change of base is a hundred times the work.
    if !x.is_normal() {
        return None;
    }
    let bits = x.abs().to_bits();
    let significand = IBig::from((bits & ((1 << 52) - 1)) | (1 << 52));
    let exponent = (bits >> 52) as i32 - 1075;
    let power = IBig::from(2u8).pow(exponent.unsigned_abs() as usize);
    let size = if exponent < 0 { whole(significand) / whole(power) } else { whole(significand * power) };
    Some(if x < 0.0 { -size } else { size })
}

/// The logarithm of a positive decimal as a float.
pub fn logarithm(x: &Real) -> f64 {
    let (significand, exponent) = x.repr().clone().into_parts();
    // Through text, since the standard library rounds it rightly and has both ends of the range.
    let mantissa: f64 = significand.to_string().parse().unwrap_or(1.0);
    if (-250..250).contains(&exponent) {
        return (mantissa * 10f64.powi(exponent as i32)).ln();
    }
    mantissa.ln() + exponent as f64 * std::f64::consts::LN_10
}

fn ordering(value: f64) -> Ordering {
    value.partial_cmp(&0.0).unwrap_or(Ordering::Equal)
}
