//! Tars, packed here.

/// A tar with POSIX headers; names over 100 bytes come in GNU's way.
pub fn tar(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut add = |name: &str, kind: u8, content: &[u8]| {
        let mut header = [0; 512];
        let shown = &name.as_bytes()[..name.len().min(100)];
        header[..shown.len()].copy_from_slice(shown);
        header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        header[156] = kind;
        header[257..263].copy_from_slice(b"ustar\0");
        out.extend_from_slice(&header);
        out.extend_from_slice(content);
        out.resize(out.len().next_multiple_of(512), 0);
    };
    for (name, content) in files {
        if name.len() > 100 {
            add("././@LongLink", b'L', name.as_bytes());
        }
        add(name, if name.ends_with('/') { b'5' } else { b'0' }, content);
    }
    out.resize(out.len() + 1024, 0);
    out
}
