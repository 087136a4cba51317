//! Tags: title, artist and the like, under the same names whatever the container calls them.

use serde::Serialize;
use symphonia::core::formats::FormatReader;
use symphonia::core::meta::{MetadataRevision, RawValue, StandardTag, Tag as Found};

use crate::kind::clipped;

/// Tags that are told of one file, and characters of each.
const MOST: usize = 64;
const MAX_TEXT: usize = 500;

/// A name and what stands under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// Such as `title` or `artist`; the container's own name in lower case where it has no common one.
    pub name: String,
    /// As it stands in the file.
    pub value: String,
}

/// The tags of an open container, each once, and how many pictures it carries.
#[must_use]
pub fn read(reader: &mut dyn FormatReader) -> (Vec<Tag>, usize) {
    let mut told: Vec<Tag> = Vec::new();
    let mut pictures = 0;
    let mut metadata = reader.metadata();
    loop {
        if let Some(revision) = metadata.current() {
            pictures += revision.media.visuals.len();
            for tag in of(revision) {
                if told.len() < MOST && !told.contains(&tag) {
                    told.push(tag);
                }
            }
        }
        if metadata.pop().is_none() {
            return (told, pictures);
        }
    }
}

fn of(revision: &MetadataRevision) -> impl Iterator<Item = Tag> + '_ {
    let tracks = revision.per_track.iter().flat_map(|track| &track.metadata.tags);
    revision.media.tags.iter().chain(tracks).filter_map(tag)
}

fn tag(found: &Found) -> Option<Tag> {
    let (name, number) = found.std.as_ref().map_or((None, None), common);
    let name = name.map_or_else(|| clipped(&found.raw.key, 64).to_lowercase(), str::to_owned);
    let value = match (&found.raw.value, number) {
        (_, Some(number)) => number.to_string(),
        (RawValue::Binary(_), None) => return None,
        (value, None) => clipped(&value.to_string(), MAX_TEXT),
    };
    (!name.is_empty() && !value.is_empty()).then_some(Tag { name, value })
}

/// The common name of a tag, and its number where it is one of a pair that the file writes as `3/12`.
fn common(tag: &StandardTag) -> (Option<&'static str>, Option<u64>) {
    let name = match tag {
        StandardTag::TrackNumber(number) => return (Some("track"), Some(*number)),
        StandardTag::TrackTotal(number) => return (Some("tracks"), Some(*number)),
        StandardTag::DiscNumber(number) => return (Some("disc"), Some(*number)),
        StandardTag::DiscTotal(number) => return (Some("discs"), Some(*number)),
        StandardTag::TrackTitle(_) | StandardTag::MovieTitle(_) => "title",
        StandardTag::Artist(_) => "artist",
        StandardTag::Album(_) => "album",
        StandardTag::AlbumArtist(_) => "album_artist",
        StandardTag::Composer(_) => "composer",
        StandardTag::Genre(_) => "genre",
        StandardTag::Comment(_) => "comment",
        StandardTag::Copyright(_) => "copyright",
        StandardTag::Lyrics(_) => "lyrics",
        StandardTag::Encoder(_) | StandardTag::EncoderSettings(_) => "encoder",
        StandardTag::RecordingDate(_)
        | StandardTag::RecordingYear(_)
        | StandardTag::ReleaseDate(_)
        | StandardTag::ReleaseYear(_) => "date",
        _ => return (None, None),
    };
    (Some(name), None)
}
