/* SPDX-License-Identifier: Apache-2.0
 *
 * labels.h - what a stored response can be purged by: the labels of storer_host.h that it has.
 *
 *   everything                            one for all
 *   a site: the virtual host, by its      its admin purges within it only; http and https of one
 *   ServerName                            name are one site
 *   a host, a URL, a tag                  each as such, and within the site
 *
 * None of them is stored: they follow from the key, the record and the tags in it.
 */
#ifndef LABELS_H
#define LABELS_H

#include "../http/record.h"

#include "../../storage/storer_host.h"

#include "httpd.h"

/** The site of a server. Never 0. */
apr_uint64_t labels_site(const server_rec *server);

apr_uint64_t labels_everything(void);

/** Of a host name, in any case. */
apr_uint64_t labels_host(storer_bytes_t host);

/** Of a URL, by its base key. */
apr_uint64_t labels_url(storer_bytes_t base_key);

apr_uint64_t labels_tag(storer_bytes_t tag);

/** A label as it is purged by who may purge in one site only; site 0: everywhere. */
apr_uint64_t labels_in_site(apr_uint64_t site, apr_uint64_t label);

#define LABELS_OF_URL 2

/** The labels by which the URL of a stored response is purged: the only ones that are in purges
 * which do not last (storer_lasting_epoch). */
void labels_of_url(const record_t *record, storer_bytes_t base_key,
                   apr_uint64_t labels[LABELS_OF_URL]);

/** All labels of a stored response, in pool. @return how many */
int labels_of(const record_t *record, storer_bytes_t base_key, apr_uint64_t **labels,
              apr_pool_t *pool);

#endif /* LABELS_H */
