/* SPDX-License-Identifier: Apache-2.0
 *
 * refresh_request.c - see refresh_request.h.
 *
 * The connection is made as mod_http2 makes its secondary ones: while the client's still exists, the
 * pre_connection hooks give it what modules and the MPM keep for each connection. From then on it is
 * on its own: what is sent is discarded, and there is nothing to be read.
 */
#include "refresh_request.h"

#include "../state.h"

#include "../../storage/storer_host.h"

#include "http_connection.h"
#include "http_core.h"
#include "http_protocol.h"
#include "http_request.h"
#include "http_ssl.h"
#include "mod_proxy.h"
#include "util_filter.h"
#include "apr_optional_hooks.h"
#include "apr_portable.h"
#include "apr_strings.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One per process, set before its threads start. Nothing is ever sent or read by it. */
static apr_socket_t *refresh_socket;

static ap_filter_rec_t *discard_handle, *nothing_handle;

static refresh_job_t *job_of(const conn_rec *c)
{
    return ap_get_module_config(c->conn_config, &cache_storer_module);
}

void *refresh_of(const request_rec *r)
{
    const refresh_job_t *job = job_of(r->connection);

    return job ? job->baton : NULL;
}

apr_status_t refresh_request_child_init(apr_pool_t *pchild)
{
    return apr_socket_create(&refresh_socket, APR_INET, SOCK_STREAM, APR_PROTO_TCP, pchild);
}

/* ------------------------------------------------------------------------------------------------
 * Making one
 * --------------------------------------------------------------------------------------------- */

/* For this client and this moment only, or of no use without a client. Cookies stay: what depends on
 * them has no business in a shared cache, or says so in Vary. Credentials stay as well: without them
 * the origin would refuse what it lets everyone have a copy of (RFC 9111 section 3.5). */
static int is_dropped(const char *name)
{
    static const char *const names[] = {
        "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range",
        "Range", "Cache-Control", "Pragma", "Proxy-Authorization", "Connection", "Keep-Alive", "TE",
        "Upgrade", "HTTP2-Settings", "Expect", "Content-Length", "Transfer-Encoding"
    };
    apr_size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (ap_cstr_casecmp(name, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static apr_table_t *copy_headers(const request_rec *r, apr_pool_t *pool)
{
    const apr_array_header_t *array = apr_table_elts(r->headers_in);
    const state_t *state = state_find(r);
    const apr_table_entry_t *entries = (const apr_table_entry_t *)array->elts;
    apr_table_t *copy = apr_table_make(pool, array->nelts);
    int i;

    for (i = 0; i < array->nelts; i++) {
        if (!is_dropped(entries[i].key)) {
            apr_table_addn(copy, apr_pstrdup(pool, entries[i].key),
                           apr_pstrdup(pool, entries[i].val));
        }
    }
    if (state && state->mask.hidden) {
        apr_table_addn(copy, "Authorization", apr_pstrdup(pool, state->mask.authorization));
    }
    return copy;
}

static apr_pool_t *create_pool(void)
{
    apr_allocator_t *allocator = NULL;
    apr_pool_t *pool = NULL;

    if (apr_allocator_create(&allocator) != APR_SUCCESS) {
        return NULL;
    }
    /* unmanaged: at its exit the process must not take it from a thread that still runs */
    if (apr_pool_create_unmanaged_ex(&pool, NULL, allocator) != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return NULL;
    }
    apr_allocator_owner_set(allocator, pool);
    apr_pool_tag(pool, "cache_storer_refresh");
    return pool;
}

/* The client's connection without the client. */
static conn_rec *create_connection(conn_rec *client, apr_pool_t *pool)
{
    conn_rec *c = apr_pmemdup(pool, client, sizeof(*c));

    c->pool = pool;
    c->conn_config = ap_create_conn_config(pool);
    c->notes = apr_table_make(pool, 5);
    c->bucket_alloc = apr_bucket_alloc_create(pool);
    c->input_filters = NULL;
    c->output_filters = NULL;
    c->sbh = NULL;
    c->cs = NULL;
    c->log = NULL;
    c->log_id = NULL;
    c->remote_host = NULL;
    c->remote_logname = NULL;
    c->keepalive = AP_CONN_CLOSE;
    c->keepalives = 0;
    c->aborted = 0;
    c->clogging_input_filters = 1;
    c->data_in_input_filters = 0;
    c->data_in_output_filters = 0;
    c->client_ip = apr_pstrdup(pool, client->client_ip);
    c->local_ip = apr_pstrdup(pool, client->local_ip);
    c->local_host = NULL;
    if (apr_sockaddr_info_copy(&c->client_addr, client->client_addr, pool) != APR_SUCCESS
        || apr_sockaddr_info_copy(&c->local_addr, client->local_addr, pool) != APR_SUCCESS) {
        return NULL;
    }
    /* the hooks take from the master what they need, the MPM its own state above all */
    c->master = client->master ? client->master : client;
    ap_set_core_module_config(c->conn_config, refresh_socket);
    (void)ap_run_pre_connection(c, refresh_socket);
    c->master = NULL;
    c->input_filters = NULL;
    c->output_filters = NULL;
    return c;
}

/* For jobs that are likely to go to the same backend: the virtual host and the first segment. */
static apr_uint64_t guess_backend(const request_rec *r)
{
    const char *path = r->uri ? r->uri : "";
    apr_size_t length = *path == '/' ? 1 + strcspn(path + 1, "/") : 0;
    const char *text = apr_psprintf(r->pool, "%pp %.*s", (void *)r->server, (int)length, path);

    return storer_label("guess", storer_bytes(text));
}

refresh_job_t *refresh_job_create(request_rec *r, const refresh_order_t *order)
{
    const request_rec *first = url_first(r); /* r may be an internal redirect's */
    apr_pool_t *pool = create_pool();
    refresh_job_t *job;

    if (!pool) {
        return NULL;
    }
    job = apr_pcalloc(pool, sizeof(*job));
    job->pool = pool;
    job->server = r->server;
    job->target = apr_pstrdup(pool, first->unparsed_uri);
    job->hostname = apr_pstrdup(pool, first->hostname);
    job->port = first->parsed_uri.port;
    job->port_str = apr_pstrdup(pool, first->parsed_uri.port_str);
    job->headers = copy_headers(r, pool);
    job->is_tls = ap_ssl_conn_is_ssl(r->connection);
    job->order = *order;
    job->order.key.data = apr_pmemdup(pool, order->key.data, order->key.len);
    job->baton = apr_pmemdup(pool, order->baton, order->size);
    job->order.baton = job->baton;
    job->entry.key = storer_label("refresh", order->key);
    job->entry.guess = guess_backend(r);
    job->backend = -1;
    (void)pthread_mutex_init(&job->mutex, NULL);
    job->connection = create_connection(r->connection, pool);
    if (!job->connection) {
        apr_pool_destroy(pool);
        return NULL;
    }
    ap_set_module_config(job->connection->conn_config, &cache_storer_module, job);
    return job;
}

/* ------------------------------------------------------------------------------------------------
 * Running it
 * --------------------------------------------------------------------------------------------- */

static apr_status_t discard_output(ap_filter_t *filter, apr_bucket_brigade *brigade)
{
    apr_bucket *bucket, *next;
    const char *data;
    apr_size_t length;

    /* what is read of a pipe or a socket must be read, or CACHE_SAVE's source runs dry no more */
    for (bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
         bucket = next) {
        if (!APR_BUCKET_IS_METADATA(bucket) && bucket->length == (apr_size_t)-1
            && apr_bucket_read(bucket, &data, &length, APR_BLOCK_READ) != APR_SUCCESS) {
            break;
        }
        next = APR_BUCKET_NEXT(bucket);
        apr_bucket_delete(bucket);
    }
    (void)apr_brigade_cleanup(brigade);
    return filter->c->aborted ? APR_ECONNABORTED : APR_SUCCESS;
}

static apr_status_t read_nothing(ap_filter_t *filter, apr_bucket_brigade *brigade,
                                 ap_input_mode_t mode, apr_read_type_e block, apr_off_t bytes)
{
    (void)filter;
    (void)block;
    (void)bytes;
    if (mode != AP_MODE_READBYTES && mode != AP_MODE_EXHAUSTIVE) {
        return APR_EOF;
    }
    APR_BRIGADE_INSERT_TAIL(brigade, apr_bucket_eos_create(brigade->bucket_alloc));
    return APR_SUCCESS; /* a body, of no length */
}

/* "RewriteCond %{HTTPS} off" would else store a redirect in place of the page. */
static int conn_is_ssl(conn_rec *c)
{
    const refresh_job_t *job = job_of(c);

    return job && job->is_tls ? OK : DECLINED;
}

/* ------------------------------------------------------------------------------------------------
 * Ending one
 *
 * mod_proxy's connections belong to pools of the child, and are still in use while a job waits for
 * the origin: it has to come back before the child's pools go.
 * --------------------------------------------------------------------------------------------- */

/* mod_proxy_http has sent a request, and is about to wait for its response. Our own descriptor of the
 * connection, for mod_proxy closes its one when it likes. */
static int note_backend(request_rec *r, request_rec *response)
{
    refresh_job_t *job = job_of(r->connection);
    apr_socket_t *socket = ap_get_core_module_config(response->connection->conn_config);
    apr_os_sock_t descriptor;

    if (!job || !socket || apr_os_sock_get(&descriptor, socket) != APR_SUCCESS) {
        return DECLINED;
    }
    pthread_mutex_lock(&job->mutex);
    if (job->backend >= 0) {
        (void)close(job->backend);
    }
    job->backend = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    pthread_mutex_unlock(&job->mutex);
    return OK;
}

/* What a request is sent to, without what of it is asked for: "proxy:http://host:port",
 * "proxy:unix:/socket", or the name of the handler. */
static storer_bytes_t backend_of(const request_rec *r)
{
    const char *text = r->filename && strncmp(r->filename, "proxy:", 6) == 0 ? r->filename : r->handler;
    storer_bytes_t backend = storer_bytes(text ? text : "");
    const char *authority = strstr(backend.data, "://");

    if (strncmp(backend.data, "proxy:unix:", 11) == 0) {
        backend.len = strcspn(backend.data, "|");
    }
    else if (authority) {
        backend.len = (apr_size_t)(authority - backend.data) + 3 + strcspn(authority + 3, "/");
    }
    return backend;
}

/* The last thing before the handler: the URL has been mapped. */
static int note_route(request_rec *r)
{
    refresh_job_t *job = job_of(r->connection);

    if (job && !r->main && job->routed) {
        storer_bytes_t backend = backend_of(r);
        const char *route = apr_psprintf(r->pool, "%pp %.*s", (void *)r->server, (int)backend.len,
                                         backend.data);

        job->routed(job, storer_label("route", storer_bytes(route)),
                    storer_label("backend", backend) | 1);
    }
    return DECLINED;
}

void refresh_job_cancel(refresh_job_t *job)
{
    job->connection->aborted = 1;
    pthread_mutex_lock(&job->mutex);
    if (job->backend >= 0) {
        (void)shutdown(job->backend, SHUT_RDWR);
    }
    pthread_mutex_unlock(&job->mutex);
}

void refresh_request_register(void)
{
    ap_hook_fixups(note_route, NULL, NULL, APR_HOOK_REALLY_LAST);
    APR_OPTIONAL_HOOK(proxy, create_req, note_backend, NULL, NULL, APR_HOOK_MIDDLE);
    discard_handle = ap_register_output_filter("CACHE_STORER_DISCARD", discard_output, NULL,
                                               AP_FTYPE_NETWORK);
    nothing_handle = ap_register_input_filter("CACHE_STORER_NOTHING", read_nothing, NULL,
                                              AP_FTYPE_NETWORK);
    ap_hook_ssl_conn_is_ssl(conn_is_ssl, NULL, NULL, APR_HOOK_FIRST);
}

static request_rec *create_request(refresh_job_t *job)
{
    request_rec *r = ap_create_request(job->connection);

    r->server = job->server;
    r->per_dir_config = r->server->lookup_defaults;
    r->request_time = apr_time_now();
    r->method = "GET";
    r->method_number = M_GET;
    r->protocol = apr_pstrdup(r->pool, "HTTP/1.1");
    r->proto_num = HTTP_VERSION(1, 1);
    r->the_request = apr_pstrcat(r->pool, "GET ", job->target, " HTTP/1.1", NULL);
    r->headers_in = job->headers;
    r->hostname = job->hostname;
    ap_parse_uri(r, job->target);
    /* as the client's Host had it: part of mod_cache's key */
    r->parsed_uri.port = job->port;
    r->parsed_uri.port_str = job->port_str;
    return r;
}

void refresh_job_run(refresh_job_t *job, apr_thread_t *thread)
{
    conn_rec *c = job->connection;
    request_rec *r;
    int status;

    if (!job->order.begin(job->baton, job->order.key)) {
        return;
    }
    c->current_thread = thread;
    (void)ap_add_output_filter_handle(discard_handle, NULL, NULL, c);
    (void)ap_add_input_filter_handle(nothing_handle, NULL, NULL, c);
    r = create_request(job);
    status = r->status != HTTP_OK ? r->status : ap_run_post_read_request(r);
    if (status == OK || status == DECLINED) {
        /* from here on as any other request, but for the log and the scoreboard, which count clients */
        status = ap_run_quick_handler(r, 0);
        if (status == DECLINED) {
            status = ap_process_request_internal(r);
        }
        if (status == OK && !r->eos_sent) {
            status = ap_invoke_handler(r);
        }
    }
    ap_die(status, r);
    apr_pool_destroy(r->pool);
}

void refresh_job_end(refresh_job_t *job)
{
    job->order.done(job->baton);
    refresh_job_drop(job);
}

void refresh_job_drop(refresh_job_t *job)
{
    if (job->backend >= 0) {
        (void)close(job->backend);
    }
    (void)pthread_mutex_destroy(&job->mutex);
    apr_pool_destroy(job->pool);
}
