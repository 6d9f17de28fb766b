//! What a module may ask of Pacer beyond the question that it is asked. All but the
//! log has to be listed in the module's manifest and granted by the operator; a module
//! imports what it calls, and nothing else.
//!
//! In native tests the functions answer from the test's own thread: the system's clock,
//! numbers that differ, metrics that go nowhere, and a store that begins empty.

/// How grave a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Debug = 0,
    Info = 1,
    Warning = 2,
    Error = 3,
}

#[cfg(target_arch = "wasm32")]
mod imports {
    #[link(wasm_import_module = "policy_v1")]
    extern "C" {
        pub fn log(level: u32, text: *const u8, size: usize);
        pub fn log_enabled(level: u32) -> u32;
        pub fn now_ms() -> u64;
        pub fn rand_u64() -> u64;
        pub fn metric_add(metric: u32, v: f64);
        pub fn metric_observe(metric: u32, v: f64);
        pub fn kv_get(key: *const u8, size: usize, into: *mut u8, room: usize) -> i32;
        pub fn kv_put(key: *const u8, size: usize, value: *const u8, length: usize) -> i32;
    }

    /// A piece of what is written.
    #[repr(C)]
    pub struct Piece {
        pub at: *const u8,
        pub size: usize,
    }

    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    extern "C" {
        pub fn fd_write(fd: u32, list: *const Piece, n: u32, written: *mut u32) -> u32;
    }
}

/// Writes a line to Pacer's log; in a native test, to the standard error. A module
/// may write some 20 in a second.
pub fn log(level: Level, text: &str) {
    #[cfg(target_arch = "wasm32")]
    // The host reads the text before it returns.
    unsafe {
        imports::log(level as u32, text.as_ptr(), text.len())
    }
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("{:?}: {}", level, text);
}

/// Tells whether lines of that level are written at all.
pub fn log_enabled(level: Level) -> bool {
    #[cfg(target_arch = "wasm32")]
    // It takes a number and answers one.
    return unsafe { imports::log_enabled(level as u32) != 0 };
    #[cfg(not(target_arch = "wasm32"))]
    return level != Level::Debug;
}

/// The time of the call, in milliseconds since 1970. It stands still while a call lasts.
/// It needs the grant "now".
pub fn now_millis() -> u64 {
    #[cfg(target_arch = "wasm32")]
    // It answers a number.
    return unsafe { imports::now_ms() };
    #[cfg(not(target_arch = "wasm32"))]
    return native::now_millis();
}

/// A random number. The same call, with the same bytes, gets the same ones. It needs
/// the grant "rand".
pub fn rand() -> u64 {
    #[cfg(target_arch = "wasm32")]
    // It answers a number.
    return unsafe { imports::rand_u64() };
    #[cfg(not(target_arch = "wasm32"))]
    return native::rand();
}

/// Adds to a metric of the manifest: a counter, by 0 or more, or a gauge. It needs the
/// grant "metric".
pub fn metric_add(metric: u32, v: f64) {
    #[cfg(target_arch = "wasm32")]
    // It takes numbers.
    unsafe {
        imports::metric_add(metric, v)
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (metric, v);
}

/// Sets a gauge of the manifest or adds a value to a histogram. It needs the grant
/// "metric".
pub fn metric_observe(metric: u32, v: f64) {
    #[cfg(target_arch = "wasm32")]
    // It takes numbers.
    unsafe {
        imports::metric_observe(metric, v)
    }
    #[cfg(not(target_arch = "wasm32"))]
    let _ = (metric, v);
}

/// What is kept under a key; empty when nothing is. It is common to all instances of
/// the module, and is lost when Pacer or the module is restarted. It needs the grant
/// "kv".
pub fn kv_get(key: &str) -> Vec<u8> {
    #[cfg(target_arch = "wasm32")]
    {
        let mut value = vec![0; 256];
        loop {
            // The host writes no more than there is room for, and returns what it needs.
            let size = unsafe { imports::kv_get(key.as_ptr(), key.len(), value.as_mut_ptr(), value.len()) };
            let fits = size <= value.len() as i32;
            value.resize(size.max(0) as usize, 0);
            if fits {
                return value;
            }
        }
    }
    #[cfg(not(target_arch = "wasm32"))]
    native::kv_get(key)
}

/// Keeps a value under a key if the call succeeds; an empty one removes the key. It
/// returns false when there is no room: a module may keep 64 KiB, with 32 bytes for
/// each entry. It needs the grant "kv".
pub fn kv_put(key: &str, value: &[u8]) -> bool {
    #[cfg(target_arch = "wasm32")]
    // The host reads key and value before it returns.
    return unsafe { imports::kv_put(key.as_ptr(), key.len(), value.as_ptr(), value.len()) == 0 };
    #[cfg(not(target_arch = "wasm32"))]
    native::kv_put(key, value)
}

/// The stand-ins for native tests.
#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::cell::{Cell, RefCell};
    use std::collections::HashMap;
    use std::time::{SystemTime, UNIX_EPOCH};

    thread_local! {
        static RANDOM: Cell<u64> = Cell::new(1);
        static KEPT: RefCell<HashMap<String, Vec<u8>>> = RefCell::new(HashMap::new());
    }

    pub fn now_millis() -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_millis() as u64)
    }

    pub fn rand() -> u64 {
        RANDOM.with(|state| {
            let mut n = state.get(); // xorshift
            n ^= n << 13;
            n ^= n >> 7;
            n ^= n << 17;
            state.set(n);
            n
        })
    }

    pub fn kv_get(key: &str) -> Vec<u8> {
        KEPT.with(|kept| kept.borrow().get(key).cloned().unwrap_or_default())
    }

    pub fn kv_put(key: &str, value: &[u8]) -> bool {
        KEPT.with(|kept| kept.borrow_mut().insert(key.to_owned(), value.to_owned()));
        true
    }
}

/// Makes the message of a panic the cause of the trap that follows it: the host takes
/// a printed line that starts so.
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub fn print_panics() {
    std::panic::set_hook(Box::new(|info| {
        let message = match (info.payload().downcast_ref::<&str>(), info.payload().downcast_ref::<String>()) {
            (Some(text), _) => text,
            (_, Some(text)) => text.as_str(),
            _ => "no message",
        };
        let (file, line) = info.location().map_or(("", 0), |l| (l.file(), l.line()));
        let text = format!("panic: {} ({}:{})\n", message, file, line);
        let piece = imports::Piece { at: text.as_ptr(), size: text.len() };
        let mut written = 0;
        // The host reads the text before it returns.
        unsafe { imports::fd_write(2, &piece, 1, &mut written) };
    }));
}
