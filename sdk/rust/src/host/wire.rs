//! The wire to the host: one JSON text in, one out. In a module the imports, elsewhere the host of a test.

use crate::HostError;

/// A function of the host: its name, and in a module its import.
///
/// Each is a constant that its one user names, so that a module imports what it calls and no more.
pub(crate) struct HostFunction {
    pub(crate) name: &'static str,
    #[cfg(target_arch = "wasm32")]
    pub(crate) import: unsafe extern "C" fn(u64) -> u64,
}

/// Declare a host function.
macro_rules! host_function {
    ($constant:ident = $name:ident) => {
        const $constant: crate::host::wire::HostFunction = {
            #[cfg(target_arch = "wasm32")]
            #[link(wasm_import_module = "agentmem")]
            extern "C" {
                fn $name(request: u64) -> u64;
            }
            crate::host::wire::HostFunction {
                name: stringify!($name),
                #[cfg(target_arch = "wasm32")]
                import: $name,
            }
        };
    };
}
pub(crate) use host_function;

#[cfg(target_arch = "wasm32")]
mod guest {
    use extism_pdk::extism;

    use super::{HostError, HostFunction};

    impl HostFunction {
        pub(crate) fn call(&self, request: &[u8]) -> Result<Vec<u8>, HostError> {
            let block = store(request);
            // SAFETY: the import is a host function of this type: a block's place in, a block's place out.
            let answer = unsafe { (self.import)(block) };
            // SAFETY: `block` was made above and is used no more.
            unsafe { extism::free(block) };
            Ok(take(answer))
        }
    }

    /// Copy bytes into a block of Extism's memory.
    fn store(bytes: &[u8]) -> u64 {
        // SAFETY: the block is as long as what is written; the engine checks each access.
        unsafe {
            let block = extism::alloc(bytes.len() as u64);
            extism::store(block, bytes);
            block
        }
    }

    /// Copy a block of Extism's memory and give it back.
    fn take(block: u64) -> Vec<u8> {
        // SAFETY: `length` is the block's own; the engine checks each access.
        unsafe {
            let mut bytes = vec![0; extism::length(block) as usize];
            extism::load(block, &mut bytes);
            extism::free(block);
            bytes
        }
    }

    pub(crate) fn set_output(bytes: &[u8]) {
        let block = store(bytes);
        // SAFETY: the block was just made with that length.
        unsafe { extism::output_set(block, bytes.len() as u64) };
    }

    pub(crate) fn set_error(message: &str) {
        let block = store(message.as_bytes());
        // SAFETY: the block was just made.
        unsafe { extism::error_set(block) };
    }
}

#[cfg(target_arch = "wasm32")]
pub(crate) use guest::{set_error, set_output};

#[cfg(not(target_arch = "wasm32"))]
impl HostFunction {
    pub(crate) fn call(&self, request: &[u8]) -> Result<Vec<u8>, HostError> {
        crate::testing::answer(self.name, request)
    }
}
