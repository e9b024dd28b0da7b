//! Clocks that jump, of the server as of the parts.

use std::path::Path;
use std::process::Command;

use crate::chain::{Chain, stream};
use crate::redis::{FIT, RedisServer};

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

/// Compiles it; `None` if there is no compiler that can.
fn shifting(folder: &Path) -> Option<String> {
    let (source, library) = (folder.join("shifted.c"), folder.join("shifted.so"));
    std::fs::write(&source, SHIFTED).expect("written");
    let done = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).status();
    done.is_ok_and(|done| done.success()).then(|| library.display().to_string())
}

#[test]
fn clocks_that_jump_lose_nothing() {
    let Some(mut chain) = Chain::start(&stream(5_000, 14)) else { return };
    let Some(library) = shifting(&chain.files.path("")) else {
        println!("skipped: no C compiler");
        return;
    };
    let file = chain.files.path("shift").display().to_string();
    let set = |seconds: i64| std::fs::write(&file, seconds.to_string()).expect("written");
    set(0);
    let variables = [("LD_PRELOAD", &*library), ("CLOCK_SHIFT", &*file)];
    let Some(redis) = RedisServer::start_with(&FIT, &variables) else { return };
    chain.buffer = redis.url();
    chain.redis = redis;
    chain.point_at_buffer();
    chain.set_rate(Some(60.0));
    let names = ["ingest", "worker-1", "worker-2"];
    let mut parts: Vec<_> = names.iter().map(|name| chain.part_with(name, &[], &variables)).collect();
    for shift in [3600, -3600, 86_400, 0] {
        let commit = chain.commit();
        chain.until("it works", || chain.commit() > commit + 2);
        set(shift);
        let told: i64 = chain.redis.say(&["TIME"]).lines().next().and_then(|s| s.parse().ok()).unwrap_or(0);
        let now = std::time::UNIX_EPOCH.elapsed().expect("after 1970").as_secs() as i64;
        assert!((told - now - shift).abs() < 60, "the clock did not jump");
        let commit = chain.commit();
        chain.until("it goes on", || chain.commit() > commit + 2);
        // Whoever starts now inherits leases of another time.
        for (part, name) in parts.iter_mut().zip(names) {
            assert!(part.kill(), "{name} had ended");
            *part = chain.part_with(name, &[], &variables);
        }
    }
    parts[0].kill();
    chain.set_rate(None);
    let mut ingest = chain.part_with("ingest", &[], &variables);
    chain.drain(&mut ingest);
    chain.assert_held();
    // The parts went by these clocks.
    let spread = chain.maria.ask("tf", "SELECT MAX(received_at) - MIN(received_at) FROM post");
    assert!(spread[0][0].parse::<i64>().is_ok_and(|spread| spread > 86_400_000), "{spread:?}");
}
