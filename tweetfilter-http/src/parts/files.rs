//! How many files and connections a process may have open.

/// Lets this process have so many open, as far as the system allows it, and says how many it may have: a shell's usual
/// bound is 1,024, and each connection takes one.
pub fn allow_files(wanted: u64) -> u64 {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let known = getrlimit(Resource::Nofile);
        // None: as many as there are.
        let (has, most) = (known.current.unwrap_or(u64::MAX), known.maximum.unwrap_or(u64::MAX));
        let wanted = wanted.min(most);
        if has >= wanted {
            return has;
        }
        let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: known.maximum });
        if raised.is_ok() { wanted } else { has }
    }
    #[cfg(not(unix))]
    wanted
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_allowed_is_said_and_never_less_than_before() {
        let has = allow_files(0);
        assert!(has > 0);
        assert!(allow_files(has) >= has && allow_files(u64::MAX) >= has);
    }
}
