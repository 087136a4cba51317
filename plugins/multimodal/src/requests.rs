//! Requests: what each tool is called with.

use serde::Deserialize;

/// Where the bytes come from: `data` or `path`, and what the caller says they are.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Origin {
    /// What the caller says the data is.
    pub media_type: Option<String>,
    /// The bytes in base64.
    pub data: Option<String>,
    /// A file that the operator granted.
    pub path: Option<String>,
}

macro_rules! request {
    ($(#[$about:meta])* $name:ident { $($(#[$field_about:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// What the caller says the data is; a contradiction is refused.
            #[serde(default)]
            pub media_type: Option<String>,
            /// The bytes in base64, standard alphabet.
            #[serde(default)]
            pub data: Option<String>,
            /// A file that the operator granted, such as `photos/cat.jpg`; in place of `data`.
            #[serde(default)]
            pub path: Option<String>,
            $($(#[$field_about])* #[serde(default)] pub $field: $type,)*
        }

        impl $name {
            /// Take where the bytes come from out of the request.
            pub fn origin(&mut self) -> Origin {
                Origin { media_type: self.media_type.take(), data: self.data.take(), path: self.path.take() }
            }
        }
    };
}

request! {
    /// What `describe_image` is called with.
    DescribeRequest {
        /// Longest side of the thumbnail in pixels, 16 to 512; 0 for none.
        thumbnail: Option<u32>,
        /// How many dominant colours at most, 1 to 8.
        colors: Option<u32>,
    }
}

request! {
    /// What `resize_image` is called with.
    ResizeRequest {
        /// Width of the box in pixels.
        width: Option<u32>,
        /// Height of the box in pixels.
        height: Option<u32>,
        /// How the picture is put into the box.
        fit: Fit,
        /// What the result is encoded as.
        format: Format,
        /// Quality of a JPEG, 1 to 100.
        quality: Option<u32>,
    }
}

request! {
    /// What `read_qr` is called with.
    QrRequest {}
}

request! {
    /// What `audio_info` is called with.
    AudioRequest {
        /// Whether to draw the waveform.
        waveform: Option<bool>,
        /// Width of the waveform picture in pixels, 64 to 1024.
        width: Option<u32>,
    }
}

/// How a picture is put into a box.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// As large as fits inside, ratio kept, never enlarged.
    #[default]
    Inside,
    /// Fills the box, ratio kept; what does not fit is cut off evenly on both sides.
    Cover,
    /// Stretched to the box.
    Exact,
}

/// What a picture is encoded as.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// PNG for what was PNG or GIF or is transparent, else JPEG.
    #[default]
    Auto,
    /// PNG.
    Png,
    /// JPEG; what is transparent becomes white.
    Jpeg,
}
