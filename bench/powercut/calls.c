/* Preloaded into a process: every call that changes a file below CALLS_BELOW is written, with its data, to CALLS_LOG, in the order
 * in which it took effect. A record: what (one letter), where, length (two numbers of 8 bytes), two paths and the data, each with its
 * size (4 bytes) before it. What is written through a shared mapping is not seen. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static int below(const char *path)
{
    const char *folder = getenv("CALLS_BELOW");
    size_t size = folder ? strlen(folder) : 0;
    return size && !strncmp(path, folder, size) && (path[size] == '/' || !path[size]);
}

/* The full path of a name beneath an open folder, as the kernel would find it; the last part need not exist. */
static void full(int folder, const char *name, char *path)
{
    char base[PATH_MAX] = "", link[64];
    if (name[0] != '/') {
        snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
        ssize_t size = readlink(link, base, sizeof base - 2);
        base[size > 0 ? size : 0] = 0;
        strcat(base, "/");
    }
    if (snprintf(path, PATH_MAX, "%s%s", base, name) >= PATH_MAX)
        abort();
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/')
        path[--size] = 0;
}

static int opened_as(int file, char *path)
{
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    path[size > 0 ? size : 0] = 0;
    return size > 0 && below(path);
}

static void note(char what, int64_t where, int64_t length, const char *path, const char *other, const void *bytes, size_t size)
{
    static int log = -1;
    if (log < 0 && (log = REAL(open)(getenv("CALLS_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
        abort();
    uint32_t sizes[3] = {strlen(path), strlen(other), size};
    struct iovec parts[] = {{&what, 1}, {&where, 8}, {&length, 8}, {&sizes[0], 4}, {(void *)path, sizes[0]},
                            {&sizes[1], 4}, {(void *)other, sizes[1]}, {&sizes[2], 4}, {(void *)bytes, size}};
    ssize_t whole = 0;
    for (size_t part = 0; part < sizeof parts / sizeof *parts; part++)
        whole += parts[part].iov_len;
    if (writev(log, parts, sizeof parts / sizeof *parts) != whole)
        abort(); /* a log with a gap would prove nothing */
}

/* Run a call alone, and note it where it succeeded. */
#define ALONE(type, call, noting)                                                                                                          \
    pthread_mutex_lock(&one_at_a_time);                                                                                                    \
    type done = call;                                                                                                                      \
    if (done >= 0)                                                                                                                         \
        noting;                                                                                                                            \
    pthread_mutex_unlock(&one_at_a_time);                                                                                                  \
    return done

static int open_noted(int folder, const char *name, int flags, mode_t mode)
{
    char path[PATH_MAX];
    full(folder, name, path);
    int there = !access(path, F_OK);
    ALONE(int, REAL(openat)(folder, name, flags, mode), {
        if (below(path) && !there && flags & O_CREAT)
            note('C', 0, 0, path, "", "", 0);
        if (below(path) && there && flags & O_TRUNC)
            note('T', 0, 0, path, "", "", 0);
    });
}

#define OPENING(name, folder_of, ...)                                                                                                      \
    {                                                                                                                                      \
        mode_t mode = 0;                                                                                                                   \
        if (flags & (O_CREAT | O_TMPFILE)) {                                                                                               \
            va_list rest;                                                                                                                  \
            va_start(rest, flags);                                                                                                         \
            mode = va_arg(rest, mode_t);                                                                                                   \
            va_end(rest);                                                                                                                  \
        }                                                                                                                                  \
        return open_noted(folder_of, name, flags, mode);                                                                                   \
    }

int open(const char *name, int flags, ...) OPENING(name, AT_FDCWD)
int open64(const char *name, int flags, ...) OPENING(name, AT_FDCWD)
int openat(int folder, const char *name, int flags, ...) OPENING(name, folder)
int openat64(int folder, const char *name, int flags, ...) OPENING(name, folder)

ssize_t pwrite(int file, const void *bytes, size_t size, off_t where)
{
    char path[PATH_MAX];
    ALONE(ssize_t, REAL(pwrite)(file, bytes, size, where), if (opened_as(file, path)) note('W', where, done, path, "", bytes, done));
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t where)
{
    return pwrite(file, bytes, size, where);
}

ssize_t write(int file, const void *bytes, size_t size)
{
    char path[PATH_MAX];
    ALONE(ssize_t, REAL(write)(file, bytes, size),
          if (opened_as(file, path)) note('W', lseek(file, 0, SEEK_CUR) - done, done, path, "", bytes, done));
}

int ftruncate(int file, off_t length)
{
    char path[PATH_MAX];
    ALONE(int, REAL(ftruncate)(file, length), if (opened_as(file, path)) note('T', 0, length, path, "", "", 0));
}

int ftruncate64(int file, off64_t length)
{
    return ftruncate(file, length);
}

int fsync(int file)
{
    char path[PATH_MAX];
    ALONE(int, REAL(fsync)(file), if (opened_as(file, path)) note('S', 0, 0, path, "", "", 0));
}

int fdatasync(int file)
{
    char path[PATH_MAX];
    ALONE(int, REAL(fdatasync)(file), if (opened_as(file, path)) note('S', 0, 0, path, "", "", 0));
}

int unlink(const char *name)
{
    char path[PATH_MAX];
    full(AT_FDCWD, name, path);
    ALONE(int, REAL(unlink)(name), if (below(path)) note('U', 0, 0, path, "", "", 0));
}

int rmdir(const char *name)
{
    char path[PATH_MAX];
    full(AT_FDCWD, name, path);
    ALONE(int, REAL(rmdir)(name), if (below(path)) note('U', 0, 0, path, "", "", 0));
}

int unlinkat(int folder, const char *name, int flags)
{
    char path[PATH_MAX];
    full(folder, name, path);
    ALONE(int, REAL(unlinkat)(folder, name, flags), if (below(path)) note('U', 0, 0, path, "", "", 0));
}

int mkdir(const char *name, mode_t mode)
{
    char path[PATH_MAX];
    full(AT_FDCWD, name, path);
    ALONE(int, REAL(mkdir)(name, mode), if (below(path)) note('M', 0, 0, path, "", "", 0));
}

int rename(const char *from, const char *to)
{
    char path[PATH_MAX], other[PATH_MAX];
    full(AT_FDCWD, from, path);
    full(AT_FDCWD, to, other);
    ALONE(int, REAL(rename)(from, to), if (below(path)) note('R', 0, 0, path, other, "", 0));
}

int link(const char *from, const char *to)
{
    char path[PATH_MAX], other[PATH_MAX];
    full(AT_FDCWD, from, path);
    full(AT_FDCWD, to, other);
    ALONE(int, REAL(link)(from, to), if (below(other)) note('L', 0, 0, path, other, "", 0));
}
