//! Types that go over the wire: which derives they get, with the crates that the SDK brings.

use proc_macro2::TokenStream;
use quote::quote;

pub fn request(item: TokenStream) -> TokenStream {
    let sdk = quote!(::agentmem_plugin_sdk);
    quote! {
        #[derive(Debug, Clone, #sdk::serde::Deserialize, #sdk::schemars::JsonSchema)]
        #[serde(crate = "::agentmem_plugin_sdk::serde", deny_unknown_fields)]
        #[schemars(crate = "::agentmem_plugin_sdk::schemars")]
        #item
    }
}

pub fn response(item: TokenStream) -> TokenStream {
    let sdk = quote!(::agentmem_plugin_sdk);
    quote! {
        #[derive(Debug, Clone, PartialEq, #sdk::serde::Serialize, #sdk::schemars::JsonSchema)]
        #[serde(crate = "::agentmem_plugin_sdk::serde")]
        #[schemars(crate = "::agentmem_plugin_sdk::schemars")]
        #item
    }
}

pub fn data(item: TokenStream) -> TokenStream {
    let sdk = quote!(::agentmem_plugin_sdk);
    quote! {
        #[derive(
            Debug, Clone, PartialEq, #sdk::serde::Serialize, #sdk::serde::Deserialize, #sdk::schemars::JsonSchema
        )]
        #[serde(crate = "::agentmem_plugin_sdk::serde")]
        #[schemars(crate = "::agentmem_plugin_sdk::schemars")]
        #item
    }
}

pub fn config(item: TokenStream) -> TokenStream {
    let sdk = quote!(::agentmem_plugin_sdk);
    quote! {
        #[derive(Debug, Clone, #sdk::serde::Serialize, #sdk::serde::Deserialize, #sdk::schemars::JsonSchema)]
        #[serde(crate = "::agentmem_plugin_sdk::serde", default)]
        #[schemars(crate = "::agentmem_plugin_sdk::schemars")]
        #item
    }
}
