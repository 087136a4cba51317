//! Hostile bytes: files that were cut, changed and mixed give answers or refusals. Only a test.

use std::path::Path;

use base64::engine::general_purpose::STANDARD;
use base64::Engine as _;

use crate::budget::Budget;
use crate::requests::{AudioRequest, DescribeRequest, QrRequest, ResizeRequest};
use crate::source::tests::OneFile;
use crate::tools;

/// Changed copies of each sample. `HOSTILE_ROUNDS` makes it more.
const ROUNDS: u64 = 40;

/// Numbers that look random and are the same each time (splitmix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % sides.max(1)
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.roll(6) {
            // Most of what decides is at the beginning.
            let reach = if self.roll(2) == 0 { bytes.len().min(200) } else { bytes.len() };
            let at = self.roll(reach);
            match self.roll(5) {
                0 => bytes.truncate(at.max(12)),
                1 => bytes.iter_mut().skip(at).take(4).for_each(|byte| *byte = 0xff),
                2 => bytes.iter_mut().skip(at).take(4).for_each(|byte| *byte = 0),
                3 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (at % 8)),
                _ => {
                    let value = self.roll(256) as u8;
                    bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = value);
                }
            }
        }
    }
}

fn call_all(bytes: &[u8]) {
    let budget = Budget { max_waveform_samples: 200_000, ..Budget::default() };
    let files = OneFile { bytes: bytes.to_vec(), ..OneFile::default() };
    let data = || Some(STANDARD.encode(bytes));
    let path = || Some("a/file".to_owned());
    let _ = tools::describe_image(DescribeRequest { data: data(), ..Default::default() }, &files, &budget);
    let _ = tools::resize_image(ResizeRequest { path: path(), width: Some(20), ..Default::default() }, &files, &budget);
    let _ = tools::read_qr(QrRequest { data: data(), ..Default::default() }, &files, &budget);
    let _ = tools::audio_info(AudioRequest { data: data(), ..Default::default() }, &files, &budget);
    let _ = tools::audio_info(AudioRequest { path: path(), waveform: Some(false), ..Default::default() }, &files, &budget);
}

#[test]
fn changed_files_never_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/plugins/media");
    let rounds = option_env!("HOSTILE_ROUNDS").and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    let mut samples: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    samples.retain(|path| path.extension().is_some_and(|extension| extension != "md"));
    samples.sort();
    assert!(samples.len() > 10, "{samples:?}");
    for sample in samples {
        let original = std::fs::read(&sample).unwrap();
        call_all(&original);
        for round in 0..rounds {
            let mut bytes = original.clone();
            Dice(round).change(&mut bytes);
            let outcome = std::panic::catch_unwind(|| call_all(&bytes));
            assert!(outcome.is_ok(), "{} of round {round} panicked", sample.display());
        }
    }
}
