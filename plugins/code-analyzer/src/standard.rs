//! Which modules come with each language.

use crate::languages::Language;

/// Python's `sys.stdlib_module_names`, private ones apart, with those that later versions added.
const PYTHON: &str = "\
    __future__ __main__ _collections_abc _thread abc aifc annotationlib antigravity argparse array ast asynchat \
    asyncio asyncore atexit audioop base64 bdb binascii bisect builtins bz2 cProfile calendar cgi cgitb chunk \
    cmath cmd code codecs codeop collections colorsys compileall compression concurrent configparser contextlib \
    contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils \
    doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch fractions ftplib \
    functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib \
    imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale logging lzma \
    mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt \
    ntpath nturl2path numbers opcode operator optparse os ossaudiodev pathlib pdb pickle pickletools pipes pkgutil \
    platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data \
    pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors \
    shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile \
    sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau symtable sys sysconfig \
    syslog tabnanny tarfile telnetlib tempfile termios textwrap this threading time timeit tkinter token tokenize \
    tomllib trace traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid \
    venv warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib \
    zoneinfo";

/// Rust's own crates.
const RUST: &str = "\
    alloc core proc_macro std test";

/// Rust's own types, which are the first part of paths such as `u8::MAX`, and tools that attributes name.
const RUST_TYPES: &str = "\
    bool char clippy diagnostic f32 f64 i128 i16 i32 i64 i8 isize miri rustfmt str u128 u16 u32 u64 u8 usize";

/// The modules of Node.js.
const NODE: &str = "\
    assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain \
    events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl \
    stream string_decoder sys timers tls trace_events tty url util v8 vm wasi worker_threads zlib";

fn is_in(names: &str, name: &str) -> bool {
    names.split_whitespace().any(|known| known == name)
}

/// Whether the module or crate comes with the language.
pub fn is_standard(language: Language, name: &str) -> bool {
    match language {
        Language::Python => is_in(PYTHON, name),
        Language::Rust => is_in(RUST, name),
        Language::JavaScript => name.starts_with("node:") || is_in(NODE, name),
        Language::Go => !name.split('/').next().unwrap_or(name).contains('.'),
    }
}

/// Whether the first part of a path in Rust is a type or tool of the language.
pub fn is_rust_type(name: &str) -> bool {
    is_in(RUST_TYPES, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_a_language_is_known() {
        for (language, standard, other) in [
            (Language::Python, "os", "numpy"),
            (Language::Rust, "std", "serde"),
            (Language::JavaScript, "node:test", "react"),
            (Language::Go, "net/http", "golang.org/x/net"),
        ] {
            assert!(is_standard(language, standard) && !is_standard(language, other));
        }
    }
}
