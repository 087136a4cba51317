//! Budgets: how much one call decodes, so that it ends within the host's limits. The operator may raise both together.

use serde::Deserialize;
use serde_json::Value;

use crate::kind::Kind;
use crate::picture::Facts;
use crate::refusal::Refusal;

/// What `[config]` says. As delivered, it fits the host's default limits; the README has the measurements.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budget {
    /// Pixels of a picture that is decoded, by its kind.
    pub max_megapixels: Megapixels,
    /// Samples of all channels that are decoded for a waveform; of a longer sound only parts.
    pub max_waveform_samples: u64,
}

/// Millions of pixels, by kind.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs)] // the names say it
pub struct Megapixels {
    pub jpeg: f64,
    pub progressive_jpeg: f64,
    pub png: f64,
    pub interlaced_png: f64,
    pub gif: f64,
    pub webp: f64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { max_megapixels: Megapixels::default(), max_waveform_samples: 1_000_000 }
    }
}

impl Default for Megapixels {
    fn default() -> Self {
        Self { jpeg: 3.0, progressive_jpeg: 2.0, png: 1.2, interlaced_png: 0.8, gif: 1.2, webp: 1.0 }
    }
}

impl Budget {
    /// The budget that the configuration asks for.
    ///
    /// # Errors
    /// A key is unknown or a value is no number.
    pub fn from_config(config: Option<Value>) -> Result<Self, Refusal> {
        let Some(config) = config.filter(|config| !config.is_null()) else { return Ok(Self::default()) };
        serde_json::from_value(config)
            .map_err(|reason| Refusal(format!("The configuration of this plugin is not right: {reason}.")))
    }

    /// Pixels at most of a picture of `kind` with `facts`.
    #[must_use]
    pub fn pixels(&self, kind: Kind, facts: &Facts) -> u64 {
        let most = &self.max_megapixels;
        let millions = match (kind, facts.progressive) {
            (Kind::Jpeg, false) => most.jpeg,
            (Kind::Jpeg, true) => most.progressive_jpeg,
            (Kind::Png, false) => most.png,
            (Kind::Png, true) => most.interlaced_png,
            (Kind::Gif, _) => most.gif,
            _ => most.webp,
        };
        (millions * 1e6) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_nobody_says_is_as_the_manifest_delivers_it() {
        let manifest = include_str!("../../../manifests/multimodal/plugin.toml");
        let most = Megapixels::default();
        for (name, value) in [
            ("jpeg", most.jpeg),
            ("progressive_jpeg", most.progressive_jpeg),
            ("png", most.png),
            ("interlaced_png", most.interlaced_png),
            ("gif", most.gif),
            ("webp", most.webp),
            ("max_waveform_samples", Budget::default().max_waveform_samples as f64),
        ] {
            let line = manifest.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('='));
            let told = line.and_then(|line| line.split('#').next()?.trim().parse().ok());
            assert_eq!(told, Some(value), "{name}");
        }
    }

    #[test]
    fn the_configuration_is_laid_over_the_defaults() {
        assert_eq!(Budget::from_config(None), Ok(Budget::default()));
        let budget = Budget::from_config(Some(json!({"max_megapixels": {"png": 2}}))).unwrap();
        assert_eq!((budget.max_megapixels.png, budget.max_megapixels.gif), (2.0, Megapixels::default().gif));
        assert!(Budget::from_config(Some(json!({"max_megapixel": 1}))).unwrap_err().0.contains("max_megapixel"));
    }
}
