//! Codecs: their names, as ffmpeg writes them where it has one.

use symphonia::core::codecs::audio::well_known as sound;
use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::codecs::video::well_known as film;
use symphonia::core::codecs::video::VideoCodecId;

const SOUND: [(AudioCodecId, &str); 36] = [
    (sound::CODEC_ID_PCM_S32LE, "pcm_s32le"),
    (sound::CODEC_ID_PCM_S32BE, "pcm_s32be"),
    (sound::CODEC_ID_PCM_S24LE, "pcm_s24le"),
    (sound::CODEC_ID_PCM_S24BE, "pcm_s24be"),
    (sound::CODEC_ID_PCM_S16LE, "pcm_s16le"),
    (sound::CODEC_ID_PCM_S16BE, "pcm_s16be"),
    (sound::CODEC_ID_PCM_S8, "pcm_s8"),
    (sound::CODEC_ID_PCM_U8, "pcm_u8"),
    (sound::CODEC_ID_PCM_F32LE, "pcm_f32le"),
    (sound::CODEC_ID_PCM_F32BE, "pcm_f32be"),
    (sound::CODEC_ID_PCM_F64LE, "pcm_f64le"),
    (sound::CODEC_ID_PCM_F64BE, "pcm_f64be"),
    (sound::CODEC_ID_PCM_ALAW, "pcm_alaw"),
    (sound::CODEC_ID_PCM_MULAW, "pcm_mulaw"),
    (sound::CODEC_ID_ADPCM_MS, "adpcm_ms"),
    (sound::CODEC_ID_ADPCM_IMA_WAV, "adpcm_ima_wav"),
    (sound::CODEC_ID_ADPCM_IMA_QT, "adpcm_ima_qt"),
    (sound::CODEC_ID_ADPCM_G722, "adpcm_g722"),
    (sound::CODEC_ID_ADPCM_G726, "adpcm_g726"),
    (sound::CODEC_ID_VORBIS, "vorbis"),
    (sound::CODEC_ID_OPUS, "opus"),
    (sound::CODEC_ID_SPEEX, "speex"),
    (sound::CODEC_ID_MP1, "mp1"),
    (sound::CODEC_ID_MP2, "mp2"),
    (sound::CODEC_ID_MP3, "mp3"),
    (sound::CODEC_ID_AAC, "aac"),
    (sound::CODEC_ID_AC3, "ac3"),
    (sound::CODEC_ID_EAC3, "eac3"),
    (sound::CODEC_ID_AC4, "ac4"),
    (sound::CODEC_ID_DCA, "dts"),
    (sound::CODEC_ID_WMA, "wma"),
    (sound::CODEC_ID_FLAC, "flac"),
    (sound::CODEC_ID_ALAC, "alac"),
    (sound::CODEC_ID_TRUEHD, "truehd"),
    (sound::CODEC_ID_WAVPACK, "wavpack"),
    (sound::CODEC_ID_TTA, "tta"),
];

const FILM: [(VideoCodecId, &str); 13] = [
    (film::CODEC_ID_MJPEG, "mjpeg"),
    (film::CODEC_ID_VP8, "vp8"),
    (film::CODEC_ID_VP9, "vp9"),
    (film::CODEC_ID_THEORA, "theora"),
    (film::CODEC_ID_AV1, "av1"),
    (film::CODEC_ID_MPEG1, "mpeg1video"),
    (film::CODEC_ID_MPEG2, "mpeg2video"),
    (film::CODEC_ID_MPEG4, "mpeg4"),
    (film::CODEC_ID_H263, "h263"),
    (film::CODEC_ID_H264, "h264"),
    (film::CODEC_ID_HEVC, "hevc"),
    (film::CODEC_ID_VVC, "vvc"),
    (film::CODEC_ID_VC1, "vc1"),
];

/// The name of a codec of sound.
pub fn audio(codec: AudioCodecId) -> &'static str {
    SOUND.iter().find(|(id, _)| *id == codec).map_or("unknown", |(_, name)| name)
}

/// The name of a codec of film.
pub fn video(codec: VideoCodecId) -> &'static str {
    FILM.iter().find(|(id, _)| *id == codec).map_or("unknown", |(_, name)| name)
}
