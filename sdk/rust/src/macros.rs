//! The macro that makes a module.

/// Makes a module of policies: its name, its version, and at least one policy by its
/// kind, of `constraint`, `fetch`, `upgrade`, `health` and `admission`. `configure` is
/// a function that gets the operator's settings.
///
/// It exports the functions of these kinds and no others, and defines a function
/// `pacer_module`.
#[macro_export]
macro_rules! policy {
    (name: $name:expr, version: $version:expr, $($kind:ident: $policy:expr),+ $(,)?) => {
        /// The module that this crate is.
        pub fn pacer_module() -> $crate::Module {
            $crate::Module {
                name: $name,
                version: $version,
                $($kind: $crate::__offer!($kind $policy),)+
                ..$crate::Module::default()
            }
        }

        #[cfg(target_arch = "wasm32")]
        mod pacer_exports {
            use super::pacer_module;
            use $crate::guest::{answer, with};

            #[no_mangle]
            extern "C" fn policy_abi_v1() {}

            #[no_mangle]
            extern "C" fn policy_buffer(size: u32) -> *mut u8 {
                with(pacer_module, |g| g.buffer(size as usize))
            }

            #[no_mangle]
            extern "C" fn policy_describe() -> u64 {
                answer(pacer_module, |g| g.describe())
            }

            #[no_mangle]
            extern "C" fn policy_configure(size: u32) -> u64 {
                answer(pacer_module, |g| g.configure(size))
            }

            $($crate::__export!($kind);)+
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __offer {
    (configure $function:expr) => {
        Some($function)
    };
    ($kind:ident $policy:expr) => {
        Some(Box::new($policy))
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __export {
    (configure) => {};
    (admission) => {
        #[no_mangle]
        extern "C" fn admission_review(size: u32) -> u64 {
            answer(pacer_module, |g| g.admission_review(size))
        }
    };
    (constraint) => {
        $crate::__export!(constraint_prepare constraint_evaluate constraint_release);
    };
    (fetch) => {
        $crate::__export!(fetch_prepare fetch_decide fetch_release);
    };
    (upgrade) => {
        $crate::__export!(upgrade_prepare upgrade_next upgrade_release);
    };
    (health) => {
        $crate::__export!(health_prepare health_judge health_release);
    };
    ($prepare:ident $ask:ident $release:ident) => {
        #[no_mangle]
        extern "C" fn $prepare(size: u32) -> u64 {
            answer(pacer_module, |g| g.$prepare(size))
        }

        #[no_mangle]
        extern "C" fn $ask(handle: u32, size: u32) -> u64 {
            answer(pacer_module, |g| g.$ask(handle, size))
        }

        #[no_mangle]
        extern "C" fn $release(handle: u32) {
            with(pacer_module, |g| g.$release(handle))
        }
    };
}
