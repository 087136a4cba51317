//! The answer of `metadata`, put together while the plugin is compiled: nothing of it is computed in the module.

use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::json;

use crate::export::Plugin;

/// Where the schema of the configuration is kept, from the crate's folder; `cargo test` writes it.
pub const CONFIG_SCHEMA: &str = "src/config.schema.json";

fn cargo(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

impl Plugin {
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| cargo("CARGO_PKG_NAME"))
    }

    pub fn author(&self) -> String {
        self.author.clone().unwrap_or_else(|| cargo("CARGO_PKG_AUTHORS").replace(':', ", "))
    }

    pub fn kind(&self) -> String {
        self.implements.as_ref().map_or_else(|| "Custom".to_owned(), |(_, kind)| kind.to_string())
    }
}

/// An expression for the whole text; the configuration's schema comes from its file.
pub fn text(plugin: &Plugin) -> TokenStream {
    let required: Vec<String> = plugin.requires.iter().map(ToString::to_string).collect();
    let facts = json!({
        "name": plugin.name(),
        "version": cargo("CARGO_PKG_VERSION"),
        "description": cargo("CARGO_PKG_DESCRIPTION"),
        "author": plugin.author(),
        "plugin_type": plugin.kind(),
        "required_capabilities": required,
    });
    let facts = facts.to_string();
    let opened = format!("{},\"config_schema\":", facts.strip_suffix('}').unwrap_or(&facts));
    if plugin.config.is_none() {
        let whole = format!("{opened}{{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{{}}}}}}");
        return quote!(#whole);
    }
    if !Path::new(&cargo("CARGO_MANIFEST_DIR")).join(CONFIG_SCHEMA).is_file() {
        let missing = format!("{CONFIG_SCHEMA} is not there yet: run `AGENTMEM_WRITE=1 cargo test` first");
        return quote!(compile_error!(#missing));
    }
    let file = format!("/{CONFIG_SCHEMA}");
    quote!(concat!(#opened, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), #file)), "}"))
}
