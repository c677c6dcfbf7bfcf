/* SPDX-License-Identifier: Apache-2.0
 *
 * address.c - see address.h. Called when a process starts and when a cluster names its nodes.
 */
#include "address.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static apr_status_t find_path(address_t *address, const char *path)
{
    struct sockaddr_un place;

    memset(&place, 0, sizeof(place));
    place.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof(place.sun_path)) {
        return APR_NOTFOUND;
    }
    memcpy(place.sun_path, path, strlen(path) + 1);
    memset(address, 0, sizeof(*address));
    memcpy(&address->socket[0], &place, sizeof(place));
    address->length[0] = sizeof(place);
    address->count = 1;
    return APR_SUCCESS;
}

apr_status_t address_find(address_t *address, const char *name, int port, int numeric)
{
    struct addrinfo hints, *list = NULL, *one;
    char service[8];

    if (port == 0) {
        return find_path(address, name);
    }
    memset(&hints, 0, sizeof(hints));
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV | (numeric ? AI_NUMERICHOST : 0);
    snprintf(service, sizeof(service), "%d", port & 0xffff);
    if (getaddrinfo(name, service, &hints, &list) != 0) {
        return APR_NOTFOUND;
    }
    memset(address, 0, sizeof(*address));
    for (one = list; one && address->count < ADDRESS_MAX; one = one->ai_next) {
        if (one->ai_addrlen <= sizeof(address->socket[0])) {
            memcpy(&address->socket[address->count], one->ai_addr, one->ai_addrlen);
            address->length[address->count++] = one->ai_addrlen;
        }
    }
    freeaddrinfo(list);
    return address->count > 0 ? APR_SUCCESS : APR_NOTFOUND;
}
