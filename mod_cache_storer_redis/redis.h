/* SPDX-License-Identifier: Apache-2.0
 *
 * redis.h - an instance, and what the files of the engine share. The layers, each of which knows only
 * those below it:
 *
 *   module.c                                   the record httpd loads
 *   redis.c                                    factory and table
 *   read.c write.c update.c walk.c             the operations
 *   purges.c restore.c claims.c                what all machines agree on
 *   mapping.c multilevel.c commit.c            mappings; the look-up and the store of a variant
 *   epoch.c                                    the present epoch of purges
 *   value.c keyindex.c                         formats: bytes, and nothing of sockets
 *   router.c                                   which node; redirections of a cluster
 *   exchange.c cluster.c                       a batch and its answers, judged; the map of slots
 *   node.c breaker.c                           pool and breakers of one server
 *   connection.c tls.c reply.c batch.c         bytes on a socket
 *   options.c url.c names.c address.c          what is configured, and what things are called
 *
 * Nothing here locks two locks at once, and none is held while a socket is waited for.
 */
#ifndef REDIS_H
#define REDIS_H

#include "cluster.h"
#include "host.h"
#include "names.h"
#include "node.h"

typedef struct redis_t {
    storer_t    base;         /* first: what the host knows */
    /* immutable after init */
    options_t   options;
    names_t     names;
    const char *uuid;
    tls_t      *tls;          /* NULL: not used */
    cluster_t  *cluster;      /* NULL: one server, with others to take its place */
    node_t     *nodes;        /* as configured: that server and the others, or seeds */
    int         node_count;
    /* atomic: epoch.c's */
    _Atomic apr_uint64_t epoch;      /* the highest heard of */
    _Atomic int epoch_is_known;      /* 0: none, or it was lost */
    _Atomic apr_int64_t list_looked; /* when it was looked last whether the list of purges is there */
    _Atomic int list_is_lost;        /* 1: it was not there */
    /* atomic: purges.c's */
    _Atomic int list_is_broken;      /* 1: it is to be begun anew */
    _Atomic apr_int64_t gap_since;   /* when it was too short for the first time; 0: it is not */
    /* atomic */
    _Atomic apr_int64_t complained;  /* when damage was logged last */
} redis_t;

/** The instance behind a store; asserts that it is one of ours. */
redis_t *redis_of(storer_t *self);

/** When an operation that begins now must be over. */
clock_point_t redis_deadline(const redis_t *redis);

/** Damage is worth a line, once a minute: a server that gives nothing else must not fill the log. */
int redis_may_complain(redis_t *redis);

/* read.c, write.c, update.c, walk.c, multilevel.c, purges.c, claims.c: the slots */
storer_get_fn             redis_get;
storer_set_fn             redis_set;
storer_delete_fn          redis_delete;
storer_update_fn          redis_update;
storer_map_keys_fn        redis_map_keys;
storer_reset_fn           redis_reset;
storer_open_writer_fn     redis_open_writer;
storer_get_multi_level_fn redis_get_multi_level;
storer_commit_variant_fn  redis_commit_variant;
storer_epoch_fn           redis_epoch;
storer_purge_fn           redis_purge;
storer_list_purges_fn     redis_list_purges;
storer_restore_purges_fn  redis_restore_purges;
storer_claim_fn           redis_claim;
storer_release_fn         redis_release;

#endif /* REDIS_H */
