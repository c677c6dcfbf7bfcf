/* SPDX-License-Identifier: Apache-2.0
 *
 * figures.c - numbers of the stores, and of what was done with them.
 */
#include "answer.h"

#include "../lifecycle.h"

#include "../stats/stats.h"
#include "../stats/stats_figures.h"

#include "http_protocol.h"
#include "apr_strings.h"

static void set_number(json_t *json, const char *name, apr_uint64_t number)
{
    json_object_set_new(json, name, json_integer((json_int_t)number));
}

static json_t *json_of_store(storer_t *store, apr_pool_t *pool)
{
    storer_stat_t stat;
    json_t *json = json_object();

    json_object_set_new(json, "store", json_string(storer_registry_key(store, pool)));
    json_object_set_new(json, "name", json_string(storer_registry_label(lifecycle_stores(), store)));
    if (storer_stat(store, &stat) != APR_SUCCESS) {
        json_object_set_new(json, "error", json_string("the store does not answer"));
        return json;
    }
    set_number(json, "size_bytes", stat.size);
    set_number(json, "used_bytes", stat.used);
    set_number(json, "keys", stat.entries);
    set_number(json, "evictions", stat.evictions);
    set_number(json, "expirations", stat.expirations);
    set_number(json, "recoveries", stat.recoveries);
    set_number(json, "damages", stat.damages);
    set_number(json, "largest_value_bytes", stat.largest);
    return json;
}

int figures_show(const admin_t *admin)
{
    json_t *stores = json_array(), *json = NULL;
    stats_map_t map;
    int i;

    for (i = 0; i < admin->stores->nelts; i++) {
        json_array_append_new(stores, json_of_store(APR_ARRAY_IDX(admin->stores, i, storer_t *),
                                                    admin->r->pool));
    }
    json = stats_here(&map) == APR_SUCCESS ? stats_json_of_map(&map, admin->site) : json_object();
    json_object_set_new(json, "time", answer_time(admin->r->request_time));
    json_object_set_new(json, "stores", stores);
    return answer_json(admin, HTTP_OK, json);
}
