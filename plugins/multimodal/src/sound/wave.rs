//! Waves: the loudest and the quietest sample of each column of a picture, from the whole sound or from parts all over it.

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::formats::{FormatReader, TrackType};

use crate::refusal::Refusal;

/// Packets of a part. The first of them may lack what stood before it and only prepares the decoder.
const PART: u64 = 4;
/// Packets of a file that are looked at.
const MOST_PACKETS: u64 = 1_000_000;

/// What is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Wave {
    /// The lowest and the highest sample of each column, -1 to 1; none where nothing was decoded.
    pub columns: Vec<Option<(f32, f32)>>,
    /// The loudest sample of all, 0 to 1.
    pub peak: f32,
    /// Whether parts were left out.
    pub sampled: bool,
}

/// Decode the first track of sound, in `width` columns; of one with more than `most` samples only parts.
///
/// # Errors
/// There is none, its length is not known, or nothing of it can be decoded.
pub fn read(reader: &mut dyn FormatReader, width: usize, most: u64) -> Result<Wave, Refusal> {
    let track = reader.default_track(TrackType::Audio).ok_or_else(|| Refusal("There is no sound in it.".into()))?;
    let id = track.id;
    let Some(CodecParameters::Audio(params)) = &track.codec_params else {
        return Err(Refusal("Its sound is in a form that is not known here.".into()));
    };
    let base = track.time_base;
    let rate = params.sample_rate.unwrap_or(0);
    let seconds = track.duration.zip(base).and_then(|(duration, base)| base.calc_duration(duration));
    let frames = track.num_frames.or_else(|| seconds.map(|seconds| (seconds.as_secs_f64() * f64::from(rate)) as u64));
    let frames = frames.filter(|frames| *frames > 0).ok_or_else(|| Refusal("How long it plays is not known.".into()))?;
    let channels = params.channels.as_ref().map_or(2, |channels| channels.count()).max(1) as u64;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(params, &AudioDecoderOptions::default())
        .map_err(|_| Refusal("Its sound is in a form that is not decoded here.".into()))?;
    let skip = frames.saturating_mul(channels).div_ceil(most.max(1));
    let mut wave = Columns { frames, lows: vec![None; width], samples: Vec::new(), decoded: 0, most };
    let place = |pts: i64| match base {
        Some(base) => (base.calc_time_saturating(pts.into()).as_secs_f64() * f64::from(rate)).max(0.0) as u64,
        None => 0,
    };
    wave.decode(reader, decoder.as_mut(), id, skip, place);
    wave.finish(skip > 1)
}

struct Columns {
    frames: u64,
    lows: Vec<Option<(f32, f32)>>,
    samples: Vec<f32>,
    decoded: u64,
    most: u64,
}

impl Columns {
    /// Decode every `skip`-th part of the track. What cannot be read ends it, what cannot be decoded is left out.
    fn decode(&mut self, reader: &mut dyn FormatReader, decoder: &mut dyn AudioDecoder, id: u32, skip: u64, place: impl Fn(i64) -> u64) {
        let mut index = 0;
        for _ in 0..MOST_PACKETS {
            let Ok(Some(packet)) = reader.next_packet() else { return };
            if packet.track_id != id {
                continue;
            }
            let (part, step) = (index / PART, index % PART);
            index += 1;
            if part % skip != 0 {
                continue;
            }
            if skip > 1 && step == 0 {
                decoder.reset();
            }
            let Ok(buffer) = decoder.decode(&packet) else { continue };
            let channels = buffer.spec().channels().count().max(1);
            self.samples.clear();
            buffer.copy_to_vec_interleaved(&mut self.samples);
            self.decoded = self.decoded.saturating_add(self.samples.len() as u64);
            if skip == 1 || step > 0 {
                self.put(place(packet.pts.get()), channels);
            }
            if self.decoded > self.most.saturating_mul(2) {
                return; // more sound than the file's head promised
            }
        }
    }

    fn put(&mut self, start: u64, channels: usize) {
        let width = self.lows.len() as u64;
        for (index, frame) in self.samples.chunks_exact(channels).enumerate() {
            let column = start.saturating_add(index as u64).saturating_mul(width) / self.frames;
            let Some(spread) = usize::try_from(column).ok().and_then(|column| self.lows.get_mut(column)) else { return };
            for sample in frame.iter().filter(|sample| sample.is_finite()) {
                let sample = sample.clamp(-1.0, 1.0);
                let (low, high) = spread.unwrap_or((sample, sample));
                *spread = Some((low.min(sample), high.max(sample)));
            }
        }
    }

    fn finish(self, sampled: bool) -> Result<Wave, Refusal> {
        let peak = self.lows.iter().flatten().map(|(low, high)| high.max(-low)).max_by(f32::total_cmp);
        let peak = peak.ok_or_else(|| Refusal("Nothing of its sound can be decoded.".into()))?;
        Ok(Wave { columns: self.lows, peak: peak.max(0.0), sampled })
    }
}
