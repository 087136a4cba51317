//! Doc
#![allow(dead_code)]
use std::{fmt::{self, Display as D}, io::*};
use super::*;
use crate::thing::Other;
use serde_json as json;
extern crate libc;
mod inner;
/// A point. TODO: more
#[derive(Debug)]
pub struct Point<T> { x: T }
pub trait Shape: Display + Send { fn area(&self) -> f64; fn twice(&self) -> f64 { self.area() * 2.0 } }
impl<T: Copy> Point<T> {
    pub async fn new(x: T, (a, b): (u8, u8)) -> Option<Self> {
        let Some(y) = make(x)? else { return None };
        if a > 1 && b > 2 || a == 0 { panic!("no {}", y.unwrap()); }
        match a { 0 => {}, 1 if b > 1 => todo!(), _ => (0..3).for_each(|i| { if i > 1 { drop(i) } }) }
        for _ in 0..1 { while let Some(_) = it.next() { loop { break } } }
        let v = vec![a.unwrap(), Some(1).expect("x"), foo(1)];
        unsafe { std::mem::transmute::<u8, i8>(1) };
        anyhow::bail!("x"); u8::MAX; fmt::Result::Ok(());
        if let Some(x) = z && let Some(y) = w && q {}
        None
    }
}
static mut COUNT: u8 = 0;
macro_rules! m { ($x:expr) => { $x.unwrap() } }
unsafe fn danger(p: *const u8) {}
fn outer() { fn inner2() { if true {} } inner2::<u8>(); a.b().c(); self.q.r(); }
