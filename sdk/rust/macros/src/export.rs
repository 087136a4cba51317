//! `export_plugin!`: from the names of functions to exports, and to a test that compares them with the manifest.

use proc_macro2::{Span, TokenStream};
use quote::{quote, ToTokens};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{bracketed, Error, Ident, LitStr, Path, Result, Token, Type};

use crate::metadata;

/// What the macro was told.
#[derive(Default)]
pub struct Plugin {
    pub implements: Option<(Type, Ident)>,
    pub name: Option<String>,
    pub author: Option<String>,
    pub config: Option<Type>,
    pub requires: Vec<Ident>,
    tools: Vec<Path>,
    hooks: Vec<Path>,
    lifecycle: Vec<Path>,
}

/// One function that the module exports.
struct Export {
    name: String,
    role: Ident,
    function: TokenStream,
    takes_input: bool,
}

const CAPABILITIES: [&str; 8] = [
    "MemoryAccess",
    "StorageAccess",
    "SearchAccess",
    "LLMAccess",
    "NetworkAccess",
    "FileSystemAccess",
    "LoggingAccess",
    "ConfigAccess",
];

/// The functions of a trait, and the module of the SDK that has each as a plain function.
fn functions_of(kind: &Ident) -> Result<(&'static str, &'static [&'static str])> {
    Ok(match kind.to_string().as_str() {
        "MemoryProcessor" => ("memory_processor", &["process_memory", "can_process"]),
        "CodeAnalyzer" => ("code_analyzer", &["analyze_code", "extract_patterns", "find_dependencies"]),
        "SearchAlgorithm" => ("search_algorithm", &["search", "compute_similarity", "rerank"]),
        "DataSource" => ("data_source", &["connect", "fetch_data", "transform_data"]),
        "Multimodal" => ("multimodal", &["process_media"]),
        other => {
            let known = "MemoryProcessor, CodeAnalyzer, SearchAlgorithm, DataSource or Multimodal";
            return Err(Error::new(kind.span(), format!("`{other}` is no trait of plugins; expected {known}")));
        }
    })
}

impl Parse for Plugin {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut plugin = Plugin::default();
        if !input.is_empty() && !input.peek2(Token![=]) {
            let implementation = input.parse()?;
            input.parse::<Token![:]>()?;
            plugin.implements = Some((implementation, input.parse()?));
            input.parse::<Option<Token![,]>>()?;
        }
        while !input.is_empty() {
            let key: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            plugin.read(&key, input)?;
            input.parse::<Option<Token![,]>>()?;
        }
        Ok(plugin)
    }
}

impl Plugin {
    fn read(&mut self, key: &Ident, input: ParseStream) -> Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = Some(input.parse::<LitStr>()?.value()),
            "author" => self.author = Some(input.parse::<LitStr>()?.value()),
            "config" => self.config = Some(input.parse()?),
            "requires" => self.requires = capabilities(input)?,
            "tools" => self.tools = list(input)?,
            "hooks" => self.hooks = list(input)?,
            "lifecycle" => self.lifecycle = list(input)?,
            other => {
                let known = "name, author, config, requires, tools, hooks or lifecycle";
                return Err(Error::new(key.span(), format!("`{other}` is not known here; expected {known}")));
            }
        }
        Ok(())
    }

    fn exports(&self) -> Result<Vec<Export>> {
        let mut exports = Vec::new();
        if let Some((implementation, kind)) = &self.implements {
            let (module, functions) = functions_of(kind)?;
            let module = Ident::new(module, kind.span());
            for name in functions {
                let ident = Ident::new(name, kind.span());
                let function = quote!(::agentmem_plugin_sdk::kinds::#module::#ident::<#implementation>);
                exports.push(Export { name: (*name).to_owned(), role: role("Kind"), function, takes_input: true });
            }
        }
        for (paths, name) in [(&self.tools, "Tool"), (&self.hooks, "Hook"), (&self.lifecycle, "Lifecycle")] {
            for path in paths {
                exports.push(Export::of(path, role(name))?);
            }
        }
        for (at, export) in exports.iter().enumerate() {
            if exports[..at].iter().any(|other| other.name == export.name) || export.name == "metadata" {
                return Err(Error::new(Span::call_site(), format!("`{}` is exported twice", export.name)));
            }
        }
        Ok(exports)
    }
}

impl Export {
    fn of(path: &Path, role: Ident) -> Result<Self> {
        let last = path.segments.last().ok_or_else(|| Error::new(Span::call_site(), "a function is named here"))?;
        let name = last.ident.to_string();
        if role == "Lifecycle" && !["initialize", "start", "warmup", "stop"].contains(&name.as_str()) {
            return Err(Error::new(last.ident.span(), "expected initialize, start, warmup or stop"));
        }
        let takes_input = role != "Lifecycle" || name == "initialize";
        Ok(Export { name, role, function: path.to_token_stream(), takes_input })
    }

    /// The export itself. Its Rust name cannot meet one of the plugin's.
    fn entry(&self) -> TokenStream {
        let Export { name, function, .. } = self;
        let ident = Ident::new(&format!("__export_{name}"), Span::call_site());
        let run = if self.takes_input { quote!(run) } else { quote!(run_without_input) };
        quote! {
            #[export_name = #name]
            extern "C" fn #ident() -> i32 {
                ::agentmem_plugin_sdk::entry::#run(#name, #function)
            }
        }
    }

    /// What the manifest is compared with.
    fn described(&self) -> TokenStream {
        let Export { name, role, function, .. } = self;
        if self.takes_input {
            quote!(.function(#name, ::agentmem_plugin_sdk::manifest::Role::#role, #function))
        } else {
            quote!(.bare(#name))
        }
    }
}

fn role(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

fn list<T: Parse>(input: ParseStream) -> Result<Vec<T>> {
    let content;
    bracketed!(content in input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

fn capabilities(input: ParseStream) -> Result<Vec<Ident>> {
    let names: Vec<Ident> = list(input)?;
    for name in &names {
        if !CAPABILITIES.contains(&name.to_string().as_str()) {
            let known = CAPABILITIES.join(", ");
            return Err(Error::new(name.span(), format!("`{name}` is no capability; expected one of {known}")));
        }
    }
    Ok(names)
}

pub fn plugin(input: TokenStream) -> Result<TokenStream> {
    let plugin: Plugin = syn::parse2(input)?;
    let exports = plugin.exports()?;
    let entries = exports.iter().map(Export::entry);
    let described = exports.iter().map(Export::described);
    let metadata = metadata::text(&plugin);
    let config = plugin.config.as_ref().map(|config| quote!(.config::<#config>()));
    let (name, author, kind) = (plugin.name(), plugin.author(), plugin.kind());
    let required = plugin.requires.iter().map(ToString::to_string);
    Ok(quote! {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code)]
        const _: () = {
            #[export_name = "metadata"]
            extern "C" fn __export_metadata() -> i32 {
                ::agentmem_plugin_sdk::entry::tell(#metadata)
            }
            #(#entries)*
        };

        /// What this plugin says of itself, for the test that compares it with the manifest.
        #[cfg(not(target_arch = "wasm32"))]
        #[doc(hidden)]
        pub fn __describe_plugin() -> ::agentmem_plugin_sdk::manifest::Description {
            let facts = [#name, env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_DESCRIPTION"), #author, #kind];
            ::agentmem_plugin_sdk::manifest::Description::new(env!("CARGO_PKG_NAME"), facts, &[#(#required),*])
                #config
                #(#described)*
        }

        #[cfg(all(test, not(target_arch = "wasm32")))]
        #[test]
        fn the_manifest_says_what_the_code_says() {
            __describe_plugin().check(::std::path::Path::new(env!("CARGO_MANIFEST_DIR")));
        }
    })
}
