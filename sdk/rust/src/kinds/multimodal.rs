//! Plugins that work on pictures, sound and other media.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{made, Plugin};
use crate::{Error, Output};

/// A picture, a sound or another medium.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// Such as `image/png`.
    pub media_type: String,
    /// The bytes in base64.
    pub data: String,
}

/// Works on media; what it can do beside is named under `tools`.
pub trait Multimodal: Plugin {
    /// A text, an object, or content blocks.
    type Answer: Output;

    /// Say what is in a medium, or make another of it.
    ///
    /// # Errors
    /// The medium is of a kind that is not known, or damaged.
    fn process_media(&self, media: Media) -> Result<Self::Answer, Error>;
}

/// The export `process_media`.
///
/// # Errors
/// As the plugin's own.
pub fn process_media<P: Multimodal>(media: Media) -> Result<P::Answer, Error> {
    made::<P>()?.process_media(media)
}
