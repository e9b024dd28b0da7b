//! What 50,000 posts cost in memory and on the disk.

use std::process::Command;

#[test]
fn fifty_thousand_posts_take_200_mb_of_memory_and_2_kb_of_file_each_at_most() {
    let ended = Command::new(env!("CARGO_BIN_EXE_chain"))
        .args(["--rounds", "1", "--strict", "embedded-size"])
        .output()
        .expect("it was built");
    let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    println!("{out}");
    assert!(ended.status.success(), "{out}{err}");
    assert!(out.starts_with("embedded-size: ") && out.contains("bytes of file a post"), "{out}");
}
