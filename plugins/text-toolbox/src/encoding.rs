//! Encodings of texts and bytes, there and back.

use std::borrow::Cow;

use agentmem_plugin_sdk::prelude::*;
use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD, BASE64_NOPAD, HEXLOWER, HEXLOWER_PERMISSIVE};
use percent_encoding::{percent_decode_str, utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};

/// What RFC 3986 leaves as it is, apart from letters and digits.
const URL_COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// An encoding.
#[data]
#[derive(Copy, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Base64 with + and /, padded
    Base64,
    /// Base64 with - and _, not padded, as in JWTs and URLs
    Base64url,
    /// Base32 in capitals, not padded
    Base32,
    /// Two hexadecimal digits a byte
    Hex,
    /// A part of a URL: %20 for a blank
    Url,
    /// HTML: &lt; for <
    Html,
}

/// What `encode` is called with.
#[request]
pub struct EncodeRequest {
    /// The text to encode, in UTF-8
    pub text: String,
    /// The encoding
    pub encoding: Encoding,
}

/// What `encode` answers.
#[response]
pub struct Encoded {
    /// The text in its encoding
    pub encoded: String,
}

/// What `decode` is called with.
#[request]
pub struct DecodeRequest {
    /// What to decode. Blanks in base64, base32 and hex do not matter, nor does missing padding
    pub text: String,
    /// The encoding that it is in
    pub encoding: Encoding,
    /// Whether + is a blank, as in a form's data; for `url` alone
    #[serde(default)]
    pub plus_is_blank: bool,
}

/// What `decode` answers.
#[response]
pub struct Decoded {
    /// The text; null where the bytes are not UTF-8
    pub text: Option<String>,
    /// The bytes in hexadecimal, where they are not UTF-8
    pub hex: Option<String>,
    /// How many bytes there are
    pub bytes: usize,
}

/// Encode a text.
///
/// # Errors
/// None; a text can always be encoded.
pub fn encode(request: &EncodeRequest) -> Result<Encoded, Error> {
    let bytes = request.text.as_bytes();
    let encoded = match request.encoding {
        Encoding::Base64 => BASE64.encode(bytes),
        Encoding::Base64url => BASE64URL_NOPAD.encode(bytes),
        Encoding::Base32 => BASE32_NOPAD.encode(bytes),
        Encoding::Hex => HEXLOWER.encode(bytes),
        Encoding::Url => utf8_percent_encode(&request.text, URL_COMPONENT).to_string(),
        Encoding::Html => html_escape::encode_quoted_attribute(&request.text).into_owned(),
    };
    Ok(Encoded { encoded })
}

/// Decode a text.
///
/// # Errors
/// When the text is not in its encoding, with the place.
pub fn decode(request: &DecodeRequest) -> Result<Decoded, Error> {
    let text: Cow<str> = if request.plus_is_blank && request.encoding == Encoding::Url {
        request.text.replace('+', " ").into()
    } else {
        request.text.as_str().into()
    };
    let bytes = bytes_of(&text, request.encoding)?;
    let length = bytes.len();
    Ok(match String::from_utf8(bytes) {
        Ok(text) => Decoded { text: Some(text), hex: None, bytes: length },
        Err(other) => Decoded { text: None, hex: Some(HEXLOWER.encode(other.as_bytes())), bytes: length },
    })
}

/// The bytes that a text stands for.
///
/// # Errors
/// When the text is not in its encoding, with the place.
pub fn bytes_of(text: &str, encoding: Encoding) -> Result<Vec<u8>, Error> {
    let bare = || text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let unpadded = || bare().trim_end_matches('=').to_owned();
    let (bare, decoded) = match encoding {
        Encoding::Url => return from_url(text),
        Encoding::Html => return Ok(html_escape::decode_html_entities(text).into_owned().into_bytes()),
        Encoding::Hex => (bare(), HEXLOWER_PERMISSIVE.decode(bare().as_bytes())),
        Encoding::Base32 => (unpadded(), BASE32_NOPAD.decode(unpadded().to_ascii_uppercase().as_bytes())),
        Encoding::Base64 => (unpadded(), BASE64_NOPAD.decode(unpadded().as_bytes())),
        Encoding::Base64url => (unpadded(), BASE64URL_NOPAD.decode(unpadded().as_bytes())),
    };
    decoded.map_err(|reason| {
        let name = format!("{encoding:?}").to_lowercase();
        let place = bare.get(reason.position..).and_then(|rest| rest.chars().next());
        let found = place.map_or("the end".to_owned(), |c| format!("'{c}'"));
        let number = bare.get(..reason.position).map_or(reason.position, |before| before.chars().count()) + 1;
        format!("The text is not {name}: at character {number} (blanks not counted) is {found}, which cannot be there.")
            .into()
    })
}

/// A URL's text; a % without two hexadecimal digits is refused and not kept.
fn from_url(text: &str) -> Result<Vec<u8>, Error> {
    let broken = text.match_indices('%').find(|(at, _)| {
        let digits = text.as_bytes().get(at + 1..at + 3);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    match broken {
        Some((at, _)) => {
            let number = text.get(..at).map_or(at, |before| before.chars().count()) + 1;
            Err(format!("The text is not URL-encoded: the % at character {number} has no two hexadecimal digits.")
                .into())
        }
        None => Ok(percent_decode_str(text).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 6] = ["base64", "base64url", "base32", "hex", "url", "html"];

    fn encoded(text: &str, encoding: &str) -> String {
        encode(&serde_json::from_value(json!({"text": text, "encoding": encoding})).expect("a request"))
            .expect("text")
            .encoded
    }

    fn decoded(text: &str, encoding: &str) -> Result<Decoded, String> {
        let request = serde_json::from_value(json!({"text": text, "encoding": encoding})).expect("a request");
        decode(&request).map_err(|error| error.to_string())
    }

    #[test]
    fn each_encoding_is_the_usual_one() {
        let all = ALL.map(|encoding| encoded("ü<&>?~ \"", encoding));
        let expected =
            ["w7w8Jj4/fiAi", "w7w8Jj4_fiAi", "YO6DYJR6H57CAIQ", "c3bc3c263e3f7e2022", "%C3%BC%3C%26%3E%3F~%20%22"];
        assert_eq!(all[..5], expected);
        assert_eq!(all[5], "ü&lt;&amp;&gt;?~ &quot;");
    }

    #[test]
    fn what_was_encoded_comes_back() {
        for text in ["", "a", "ab", "abc", "世界 & <b>\"%+=", "\0\n"] {
            for encoding in ALL {
                assert_eq!(decoded(&encoded(text, encoding), encoding).expect(encoding).text.as_deref(), Some(text));
            }
        }
    }

    #[test]
    fn what_others_write_is_taken() {
        assert_eq!(decoded("aGk", "base64").expect("no padding").text.as_deref(), Some("hi"));
        assert_eq!(decoded("aG\nk=\n", "base64url").expect("padding").text.as_deref(), Some("hi"));
        assert_eq!(decoded("68 69", "hex").expect("blanks").text.as_deref(), Some("hi"));
        assert_eq!(decoded("&eacute;&#x41;&#66;", "html").expect("names").text.as_deref(), Some("éAB"));
        let bytes = decoded("ff00", "hex").expect("bytes");
        assert_eq!((bytes.text, bytes.hex.as_deref(), bytes.bytes), (None, Some("ff00"), 2));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert!(decoded("aG*k", "base64").unwrap_err().contains("at character 3 (blanks not counted) is '*'"));
        assert!(decoded("6", "hex").unwrap_err().contains("not hex"));
        assert!(decoded("ü%2", "url").unwrap_err().contains("the % at character 2"));
        assert!(decoded("世", "base32").is_err());
    }
}
