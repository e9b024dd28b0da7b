//! A clock that a server of a test goes by, and that can be set.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Shifts the time of day by the seconds that a file says.
const SHIFTED: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long shift(void) {
    char text[32] = {0};
    const char *name = getenv("CLOCK_SHIFT");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    long got = read(file, text, sizeof text - 1);
    close(file);
    return got > 0 ? atol(text) : 0;
}
int clock_gettime(clockid_t id, struct timespec *at) {
    int done = syscall(SYS_clock_gettime, id, at);
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE) at->tv_sec += shift();
    return done;
}
int gettimeofday(struct timeval *at, void *zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}
time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}
"#;

/// A time of day so many seconds from the true one, for whoever is started with [its variables](Self::variables).
pub struct ShiftedClock {
    shifter: PathBuf,
    file: PathBuf,
}

impl ShiftedClock {
    /// Makes one in a folder; `None`, with a note, if there is no compiler that can.
    pub fn new(folder: &Path) -> Option<Self> {
        let (source, shifter) = (folder.join("shifted.c"), folder.join("shifted.so"));
        std::fs::write(&source, SHIFTED).expect("written");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&shifter).arg(&source);
        if !compiler.status().is_ok_and(|done| done.success()) {
            println!("skipped: no C compiler");
            return None;
        }
        let clock = Self { shifter, file: folder.join("shift") };
        clock.set(0);
        Some(clock)
    }

    pub fn set(&self, seconds: i64) {
        std::fs::write(&self.file, seconds.to_string()).expect("written");
    }

    pub fn variables(&self) -> [(&'static str, String); 2] {
        let text = |path: &Path| path.display().to_string();
        [("LD_PRELOAD", text(&self.shifter)), ("CLOCK_SHIFT", text(&self.file))]
    }
}
