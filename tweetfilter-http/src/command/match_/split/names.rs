//! What the files of `--split` are called.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

/// Bytes of the longest name that every file system takes.
const LONGEST: usize = 240;

/// Gives each filter a path that no other has, on file systems too that don't tell upper from lower case.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// All that was given, in lower case.
    taken: HashSet<String>,
    owners: HashMap<String, String>,
}

impl Names {
    /// The path of a filter's file in the directory, and whether it is that of the filter's id and owner alone.
    pub(super) fn give(&mut self, owner: Option<&str>, id: &str) -> (PathBuf, bool) {
        let Some(owner) = owner else {
            let (name, plain) = self.free("", id, ".ndjson");
            return (name.into(), plain);
        };
        let folder = match self.owners.get(owner) {
            Some(folder) => folder.clone(),
            None => {
                let (folder, _) = self.free("", owner, "");
                self.owners.insert(owner.to_owned(), folder.clone());
                folder
            }
        };
        let (name, plain) = self.free(&folder, id, ".ndjson");
        let plain = plain && folder == escaped(owner);
        (PathBuf::from(folder).join(name), plain)
    }

    /// A free name in a folder: of one that is too long or taken the beginning, and a number made of the whole.
    fn free(&mut self, folder: &str, id: &str, ending: &str) -> (String, bool) {
        let escaped = escaped(id);
        let name = format!("{escaped}{ending}");
        if name.len() <= LONGEST && self.take(folder, &name) {
            return (name, true);
        }
        let mut number = hash(id);
        loop {
            // No escaped id has a tilde, so that it can't be another's name.
            let tail = format!("~{number:016x}{ending}");
            let cut = escaped.floor_char_boundary(LONGEST - tail.len());
            let name = format!("{}{tail}", &escaped[..cut]);
            if self.take(folder, &name) {
                return (name, false);
            }
            number = number.wrapping_add(1);
        }
    }

    fn take(&mut self, folder: &str, name: &str) -> bool {
        self.taken.insert(format!("{folder}/{name}").to_lowercase())
    }
}

/// FNV-1a: the same today and tomorrow, on every machine.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// An id as a name: what names can't hold everywhere is written `%XX`, as is the first letter of a name that Windows does
/// not give to files.
fn escaped(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    let is_device = is_device(id);
    for (at, c) in id.char_indices() {
        let allowed = match c {
            '_' | '-' | '@' | '+' => true,
            // At the end, Windows leaves it out.
            '.' => at > 0 && at + 1 < id.len(),
            _ => c.is_alphanumeric() && !(is_device && at == 0),
        };
        if allowed {
            name.push(c);
        } else {
            let mut buffer = [0; 4];
            c.encode_utf8(&mut buffer).bytes().for_each(|byte| name.push_str(&format!("%{byte:02X}")));
        }
    }
    name
}

/// Whether a name is a device's on Windows, where whatever follows a dot is no part of that.
fn is_device(id: &str) -> bool {
    let name = id.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let is_port = |number: &str| {
        let mut digits = number.chars();
        matches!((digits.next(), digits.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    };
    matches!(name.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || ["COM", "LPT"].into_iter().any(|port| name.strip_prefix(port).is_some_and(is_port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_leaves_the_directory() {
        assert_eq!(escaped("../etc/passwd"), "%2E.%2Fetc%2Fpasswd");
        assert_eq!(escaped("a.b_c-1 é"), "a.b_c-1%20é");
    }

    #[test]
    fn no_id_is_a_name_that_windows_keeps_for_itself() {
        for (id, name) in [
            ("CON", "%43ON"),
            ("nul", "%6Eul"),
            ("aux.b.c", "%61ux.b.c"),
            ("Prn", "%50rn"),
            ("COM1", "%43OM1"),
            ("lpt9", "%6Cpt9"),
            ("COM³", "%43OM³"),
            ("a.", "a%2E"),
            ("a..", "a.%2E"),
            (".", "%2E"),
            ("CONE", "CONE"),
            ("COM", "COM"),
            ("COM10", "COM10"),
            ("a.CON", "a.CON"),
        ] {
            assert_eq!(escaped(id), name);
        }
        let mut names = Names::default();
        let given = ["CON", "con", "%43ON", "CON.a"].map(|id| names.give(Some("nul"), id).0);
        let given: HashSet<_> = given.iter().map(|path| path.to_string_lossy().to_lowercase()).collect();
        assert_eq!(given.len(), 4, "{given:?}");
        assert!(given.iter().all(|path| path.starts_with("%6eul/%")), "{given:?}");
    }

    #[test]
    fn names_differ_whatever_the_ids_are() {
        let mut names = Names::default();
        let mut give = |owner, id: &str| names.give(owner, id).0.to_string_lossy().into_owned();
        assert_eq!(give(None, "x"), "x.ndjson");
        assert!(give(None, "X").starts_with("X~"));
        assert!(give(Some("x.ndjson"), "a").starts_with("x.ndjson~"));
        assert_eq!(give(Some("7"), "a"), "7/a.ndjson");
        assert!(give(Some("7"), "A").starts_with("7/A~"));
        let long = "東".repeat(200);
        let (one, other) = (give(None, &long), give(None, &format!("{long}京")));
        assert!(one.len() <= LONGEST && other.len() <= LONGEST && one != other);
    }
}
