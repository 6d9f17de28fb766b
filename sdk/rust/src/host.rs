//! What a module may call.

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

/// Makes the message of a panic the cause of the trap that follows it: the host takes
/// a printed line that starts so.
#[cfg(target_arch = "wasm32")]
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
