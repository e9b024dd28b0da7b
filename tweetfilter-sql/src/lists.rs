//! How MariaDB reads a list that is bound as one JSON text.

/// Numbers, as `j.n`.
macro_rules! numbers {
    () => {
        "JSON_TABLE(?, '$[*]' COLUMNS (n BIGINT PATH '$')) j"
    };
}
/// Ids, as `k`.
macro_rules! ids {
    () => {
        "JSON_TABLE(?, '$[*]' COLUMNS (
             id VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$')) k"
    };
}
/// Network and id, as `k`.
macro_rules! keys {
    () => {
        concat!(
            "JSON_TABLE(?, '$[*]' COLUMNS (",
            "network VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[0]', ",
            "native_id VARCHAR(500) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[1]')) k"
        )
    };
}
/// Handles, as `j.handle`.
macro_rules! handles {
    () => {
        "JSON_TABLE(?, '$[*]' COLUMNS (
             handle VARCHAR(253) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$')) j"
    };
}
/// A column of text.
macro_rules! text {
    ($name:literal, $type:literal, $path:literal) => {
        concat!($name, " ", $type, " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '", $path, "'")
    };
}
pub(crate) use {handles, ids, keys, numbers, text};
