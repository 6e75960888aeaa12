//! A wall clock that a test sets while programs run: a library before theirs adds what a file says, in them and in whatever
//! they start. The clock that never steps is left alone, and so are pauses.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::time::Duration;

use super::folder::Folder;

/// How far the programs' clock is ahead of this machine's.
pub struct WallClock {
    library: String,
    ahead: File,
}

impl WallClock {
    /// A clock that is right, its library and its file in `folder`.
    pub fn new(folder: &Folder) -> Self {
        let (source, library) = (folder.write("wall_clock.c", SOURCE), folder.path("wall_clock.so"));
        let file = folder.write("ahead_ms", [0; 8]);
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", &format!("-DAHEAD=\"{file}\""), "-o", &library, &source, "-ldl"]);
        assert!(compiler.status().expect("a C compiler is installed: Rust links with it").success());
        Self { library, ahead: File::options().read(true).write(true).open(file).expect("just written") }
    }

    /// The variable that makes a program go by it.
    pub fn variable(&self) -> (&str, &str) {
        ("LD_PRELOAD", &self.library)
    }

    /// What it says, ms since 1970.
    pub fn now_ms(&self) -> i64 {
        kehai::clock::utc_now().0 + self.ahead_ms()
    }

    /// Puts it on by so many seconds, or back.
    pub fn step(&self, seconds: i64) {
        let ahead_ms = self.ahead_ms() + seconds * 1000;
        self.ahead.write_all_at(&ahead_ms.to_ne_bytes(), 0).expect("eight bytes");
    }

    /// Sets it to a second since 1970; gives the step, s.
    pub fn set(&self, second: i64) -> i64 {
        let step = second - self.now_ms().div_euclid(1000);
        self.step(step);
        step
    }

    /// Waits until it shows this second since 1970.
    pub fn await_second(&self, second: i64) {
        while let Ok(left @ 1..) = u64::try_from(second * 1000 - self.now_ms()) {
            std::thread::sleep(Duration::from_millis(left.min(20)));
        }
    }

    fn ahead_ms(&self) -> i64 {
        let mut bytes = [0; 8];
        self.ahead.read_exact_at(&mut bytes, 0).expect("eight bytes");
        i64::from_ne_bytes(bytes)
    }
}

/// The eye is started with an empty environment: whoever starts a program hands the library on.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const volatile long long *ahead_ms;
static char preload[4096];
static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_execvp)(const char *, char *const *);
static int (*real_spawnp)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                          char *const *, char *const *);

__attribute__((constructor)) static void begin(void) {
    Dl_info own;
    real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    real_execvp = dlsym(RTLD_NEXT, "execvp");
    real_spawnp = dlsym(RTLD_NEXT, "posix_spawnp");
    if (dladdr(begin, &own)) {
        strcpy(preload, "LD_PRELOAD=");
        strncat(preload, own.dli_fname, sizeof preload - 16);
    }
    int file = open(AHEAD, O_RDONLY | O_CLOEXEC);
    void *page = file < 0 ? MAP_FAILED : mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
    if (page == MAP_FAILED) _exit(99);
    ahead_ms = page;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    if (!real_gettime) begin();
    int code = real_gettime(clock, at);
    if (code == 0 && clock == CLOCK_REALTIME) {
        long long ns = at->tv_nsec + *ahead_ms % 1000 * 1000000;
        long long carry = ns < 0 ? -1 : ns / 1000000000;
        at->tv_sec += *ahead_ms / 1000 + carry;
        at->tv_nsec = ns - carry * 1000000000;
    }
    return code;
}

int execvp(const char *program, char *const arguments[]) {
    putenv(preload);
    return real_execvp(program, arguments);
}

int posix_spawnp(pid_t *child, const char *program, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const arguments[], char *const variables[]) {
    size_t count = 0;
    while (variables[count]) count++;
    char **more = calloc(count + 2, sizeof *more);
    for (size_t index = 0; index < count; index++) more[index] = variables[index];
    more[count] = preload;
    int code = real_spawnp(child, program, actions, attributes, arguments, more);
    free(more);
    return code;
}
"#;
