/* SPDX-License-Identifier: Apache-2.0
 *
 * stats_figures.h - what the counters are called, and the forms in which they are told: as Prometheus
 * metrics and as JSON. Calls nothing of httpd: the command line tool has the same figures.
 */
#ifndef STATS_FIGURES_H
#define STATS_FIGURES_H

#include "stats_layout.h"

#include <jansson.h>

/** One counter: a metric without "cache_storer_" and "_total", with one label at most, and a name for
 * JSON. Those of one metric follow each other. */
typedef struct stats_figure_t {
    stats_counter_e counter;
    const char     *metric;
    const char     *label, *value;  /**< NULL: the metric has no label */
    const char     *json;
    double          unit;           /**< what one of the counter is in the metric's base unit */
    const char     *help;
} stats_figure_t;

/** All but the times of look-ups; ends with metric NULL. */
extern const stats_figure_t stats_figures[];

/** One object: each figure, "hits" and "misses" of every kind together, "hit_ratio", and "lookup" with
 * estimates of percentiles in seconds. @return a new reference; NULL: no memory */
json_t *stats_json(const stats_sums_t sums);

/** {"total": ..., "sites": [...], "since": ...}
 * @param only the label of the one site that is told; 0: all */
json_t *stats_json_of_map(const stats_map_t *map, uint64_t only);

/** The time in seconds below which this part (0 to 1) of all look-ups were, as far as the buckets
 * tell: the upper bound of one. 0: none was timed. */
double stats_lookup_percentile(const stats_sums_t sums, double part);

#endif /* STATS_FIGURES_H */
