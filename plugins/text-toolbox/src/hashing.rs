//! Hashes of texts and bytes.

use agentmem_plugin_sdk::prelude::*;
use data_encoding::{BASE64, HEXLOWER};
use sha2::Digest;

use crate::encoding::{bytes_of, Encoding};

/// A hash function.
#[data]
#[derive(Copy, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// SHA-256
    #[default]
    Sha256,
    /// SHA-224
    Sha224,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
    /// SHA3-256
    Sha3_256,
    /// SHA3-512
    Sha3_512,
    /// BLAKE3 with 256 bits
    Blake3,
    /// SHA-1: to compare with what others give, not to trust
    Sha1,
    /// MD5: to compare with what others give, not to trust
    Md5,
    /// CRC-32 (ISO-HDLC), a checksum against accidents
    Crc32,
}

/// What the text stands for.
#[data]
#[derive(Copy, Eq, Default)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Itself, in UTF-8
    #[default]
    Text,
    /// Bytes in hexadecimal
    Hex,
    /// Bytes in base64
    Base64,
}

/// What `hash` is called with.
#[request]
pub struct Request {
    /// What to hash, taken as it is: a line end at its end counts
    pub text: String,
    /// The hash function
    #[serde(default)]
    pub algorithm: Algorithm,
    /// What the text stands for
    #[serde(default)]
    pub form: Form,
}

/// What `hash` answers.
#[response]
pub struct Response {
    /// The hash function
    pub algorithm: Algorithm,
    /// The hash in hexadecimal
    pub hex: String,
    /// The hash in base64
    pub base64: String,
    /// How many bytes were hashed
    pub bytes_hashed: usize,
}

/// Hash a text.
///
/// # Errors
/// When the text is not in the form it is said to be in.
pub fn hash(request: &Request) -> Result<Response, Error> {
    let bytes = match request.form {
        Form::Text => request.text.clone().into_bytes(),
        Form::Hex => bytes_of(&request.text, Encoding::Hex)?,
        Form::Base64 => bytes_of(&request.text, Encoding::Base64)?,
    };
    let digest = digest(request.algorithm, &bytes);
    Ok(Response {
        algorithm: request.algorithm,
        hex: HEXLOWER.encode(&digest),
        base64: BASE64.encode(&digest),
        bytes_hashed: bytes.len(),
    })
}

fn digest(algorithm: Algorithm, bytes: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
        Algorithm::Sha224 => sha2::Sha224::digest(bytes).to_vec(),
        Algorithm::Sha384 => sha2::Sha384::digest(bytes).to_vec(),
        Algorithm::Sha512 => sha2::Sha512::digest(bytes).to_vec(),
        Algorithm::Sha3_256 => sha3::Sha3_256::digest(bytes).to_vec(),
        Algorithm::Sha3_512 => sha3::Sha3_512::digest(bytes).to_vec(),
        Algorithm::Blake3 => blake3::hash(bytes).as_bytes().to_vec(),
        Algorithm::Sha1 => sha1::Sha1::digest(bytes).to_vec(),
        Algorithm::Md5 => md5::Md5::digest(bytes).to_vec(),
        Algorithm::Crc32 => crc32fast::hash(bytes).to_be_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str, algorithm: &str, form: &str) -> String {
        let request = json!({"text": text, "algorithm": algorithm, "form": form});
        hash(&serde_json::from_value(request).expect("a request")).expect("an answer").hex
    }

    #[test]
    fn published_values_come_out() {
        assert_eq!(hex("abc", "md5", "text"), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(hex("abc", "sha1", "text"), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hex("abc", "sha256", "text"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hex("abc", "sha3_256", "text"), "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
        assert_eq!(hex("", "blake3", "text"), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
        assert_eq!(hex("123456789", "crc32", "text"), "cbf43926");
        assert_eq!(hex("616263", "md5", "hex"), hex("YWJj", "md5", "base64"));
    }
}
