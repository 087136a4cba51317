//! `multimodal`: says what is in pictures, sounds and films, and makes pictures smaller.
//!
//! | export | in | out |
//! |---|---|---|
//! | `describe_image` | a picture | size, EXIF, colours, hashes, and a thumbnail as image content |
//! | `resize_image` | a picture and a box | the picture, upright, in that box, as image content |
//! | `read_qr` | a picture | the QR codes in it |
//! | `audio_info` | a sound or a film | its tracks, tags and length, and its waveform as image content |
//! | `metadata` | nothing | who the plugin is and what it needs |
//!
//! Every one takes `data` in base64, or the `path` of a file that the operator granted (`FileSystemAccess`).
//!
//! The way of a call: [`requests`] → [`source`] (bytes) → [`kind`] (what they are) → [`tools`], which uses [`picture`],
//! [`exif`], [`scaling`], [`colors`], [`hashes`], [`qr`] and [`encoding`] for pictures and [`sound`] for the rest →
//! [`answers`]. All of that is plain Rust without a host, tested with `cargo test`; what touches the host is compiled
//! for wasm only, in `exports`.
//!
//! Before pixels are decoded, their number is compared with what one call can bear ([`budget`]).

pub mod answers;
pub mod budget;
pub mod colors;
pub mod encoding;
pub mod exif;
pub mod hashes;
pub mod kind;
pub mod picture;
pub mod qr;
pub mod refusal;
pub mod requests;
pub mod scaling;
pub mod sound;
pub mod source;
pub mod tools;

#[cfg(test)]
mod hostile;

#[cfg(target_arch = "wasm32")]
mod exports;
