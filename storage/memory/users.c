/* SPDX-License-Identifier: Apache-2.0
 *
 * users.c - see users.h.
 */
#include "users.h"
#include "process.h"

#include <apr_general.h>
#include <apr_time.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The byte that is locked while the file is opened; behind it that of generation 0, and so on. */
#define LOCK_FIRST   ((off_t)1 << 40)

#define PAUSE        (APR_TIME_C(10) * 1000)
#define PAUSES_MAX   500

_Static_assert(LOCK_FIRST > MEMORY_SIZE_MAX, "no byte of a store is ever locked");

void users_alone(users_t *users)
{
    users->file = -1;
    users->generation = 0;
    users->life = 0;
    users->space = process_space();
}

#ifdef F_OFD_SETLK

static struct flock lock_of(short type, off_t first, off_t count)
{
    struct flock lock;

    memset(&lock, 0, sizeof(lock));
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = first;
    lock.l_len = count;
    return lock;
}

static off_t byte_of(uint32_t generation)
{
    return LOCK_FIRST + 1 + (off_t)generation;
}

/* By another open file description than this one. What cannot be told counts as held. */
static int is_held(int file, off_t first, off_t count)
{
    struct flock lock = lock_of(F_WRLCK, first, count);

    return fcntl(file, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

static int take(int file, short type, off_t byte)
{
    struct flock lock = lock_of(type, byte, 1);

    return fcntl(file, F_OFD_SETLK, &lock) == 0 ? 0 : errno;
}

apr_status_t users_exclude(int file)
{
    int error = take(file, F_WRLCK, LOCK_FIRST), i;

    for (i = 0; (error == EAGAIN || error == EACCES) && i < PAUSES_MAX; i++) {
        apr_sleep(PAUSE);
        error = take(file, F_WRLCK, LOCK_FIRST);
    }
    return error == EAGAIN || error == EACCES ? APR_TIMEUP : error == EINVAL ? APR_ENOTIMPL : error;
}

void users_admit(int file)
{
    (void)take(file, F_UNLCK, LOCK_FIRST);
}

int users_any(int file)
{
    return is_held(file, byte_of(0), USERS_GENERATIONS);
}

apr_status_t users_join(users_t *users, int file)
{
    uint32_t generation = 0;
    apr_status_t rv;

    while (generation < USERS_GENERATIONS && is_held(file, byte_of(generation), 1)) {
        generation++;
    }
    if (generation == USERS_GENERATIONS) {
        return APR_EGENERAL;
    }
    rv = apr_generate_random_bytes((unsigned char *)&users->life, sizeof(users->life));
    if (rv == APR_SUCCESS) {
        rv = take(file, F_RDLCK, byte_of(generation));
    }
    users->file = file;
    users->generation = generation;
    users->space = process_space();
    return rv;
}

/* Does this generation, or a later one that has its number, live? */
static int lives(const users_t *users, const memory_owner_t *owner)
{
    if (owner->generation >= USERS_GENERATIONS) {
        return 1; /* damage */
    }
    return owner->generation != users->generation
           && is_held(users->file, byte_of(owner->generation), 1);
}

#else

apr_status_t users_exclude(int file)
{
    (void)file;
    return APR_ENOTIMPL;
}

void users_admit(int file)
{
    (void)file;
}

int users_any(int file)
{
    (void)file;
    return 1;
}

apr_status_t users_join(users_t *users, int file)
{
    (void)users;
    (void)file;
    return APR_ENOTIMPL;
}

static int lives(const users_t *users, const memory_owner_t *owner)
{
    (void)users;
    (void)owner;
    return 1;
}

#endif

void users_note(users_t *users, memory_owner_t *owner)
{
    users->space = process_space();
    owner->pid = (uint32_t)getpid();
    owner->start = process_start(owner->pid);
    owner->generation = users->generation;
    owner->life = users->life;
    owner->space = users->space;
}

int users_live(const users_t *users, const memory_owner_t *owner)
{
    if (users->file >= 0 && owner->life != users->life && !lives(users, owner)) {
        return 0;
    }
    if (owner->space != users->space || (owner->space == 0 && owner->life != users->life)) {
        return 1; /* as far as can be seen from here */
    }
    return process_alive(owner->pid, owner->start);
}
