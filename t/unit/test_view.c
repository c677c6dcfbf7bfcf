/* SPDX-License-Identifier: Apache-2.0
 *
 * test_view.c - storage/view.c over views made by hand, among them such as no engine should make.
 */
#include "storer_host.h"
#include "tap.h"

#include <string.h>

/* A view of parts[0..count): its cursor is the part that comes next. */
typedef struct source_t {
    const char *parts[5];
    int in_place;
    apr_status_t damage;     /* returned by next instead of the last part */
    int released;
} source_t;

static apr_status_t source_next(storer_view_t *view)
{
    source_t *source = view->lease;
    const char *part = source->parts[view->cursor];

    if (!part) {
        return APR_EOF;
    }
    if (source->damage != APR_SUCCESS && !source->parts[view->cursor + 1]) {
        return source->damage;
    }
    view->part = storer_bytes(part);
    view->cursor++;
    return APR_SUCCESS;
}

static void source_release(storer_view_t *view)
{
    source_t *source = view->lease;

    source->released++;
}

static const storer_view_ops_t source_ops = { source_next, source_release, NULL };

static storer_view_t view_of(source_t *source)
{
    storer_view_t view = STORER_VIEW_EMPTY;

    view.ops = &source_ops;
    view.lease = source;
    view.in_place = source->in_place;
    for (int i = 0; source->parts[i]; i++) {
        view.length += (apr_off_t)strlen(source->parts[i]);
    }
    view.part = storer_bytes(source->parts[0]);
    view.cursor = 1;
    return view;
}

static void empty_views(void)
{
    storer_view_t view = STORER_VIEW_EMPTY;
    storer_bytes_t out = { "untouched", 9 };

    is_status(storer_view_next(&view), APR_EOF, "an empty view has no next part");
    storer_view_release(&view);
    ok(!view.ops, "releasing an empty view does nothing");
    is_status(storer_view_flatten(&view, 100, &out, NULL), APR_EINVAL, "nothing to flatten");
    is_bytes(out, storer_bytes("untouched"), "the output is untouched");
}

static void release_and_move(void)
{
    source_t source = { { "value" }, 1, APR_SUCCESS, 0 };
    storer_view_t view = view_of(&source), other = STORER_VIEW_EMPTY;

    storer_view_move(&other, &view);
    ok(!view.ops && !view.part.data && view.length == 0, "a view moved from is empty");
    is_bytes(other.part, storer_bytes("value"), "a view moved to has the part");
    storer_view_release(&view);
    is_int(source.released, 0, "the one moved from releases nothing");
    storer_view_release(&other);
    storer_view_release(&other);
    is_int(source.released, 1, "the value is released once");
    ok(!other.ops && !other.lease && !other.part.data, "and the view is empty");
}

static void parts(void)
{
    source_t source = { { "one", "two" }, 1, APR_SUCCESS, 0 };
    source_t damaged = { { "one", "two" }, 1, APR_EGENERAL, 0 };
    storer_view_t view = view_of(&source);

    is_bytes(view.part, storer_bytes("one"), "the first part");
    is_status(storer_view_next(&view), APR_SUCCESS, "next");
    is_bytes(view.part, storer_bytes("two"), "the second part");
    is_status(storer_view_next(&view), APR_EOF, "the end");
    ok(!view.part.data && view.part.len == 0, "where the part is empty");
    is_status(storer_view_next(&view), APR_EOF, "and again");
    view = view_of(&damaged);
    is_status(storer_view_next(&view), APR_EGENERAL, "damage");
    ok(!view.part.data, "leaves no part to use by mistake");
}

static void flatten(apr_pool_t *pool)
{
    source_t one = { { "in one piece" }, 1, APR_SUCCESS, 0 };
    source_t brief = { { "in one piece" }, 0, APR_SUCCESS, 0 };
    source_t many = { { "in ", "", "three", " pieces" }, 1, APR_SUCCESS, 0 };
    source_t none = { { "" }, 0, APR_SUCCESS, 0 };
    storer_bytes_t out = { NULL, 0 };
    storer_view_t view = view_of(&one);

    is_status(storer_view_flatten(&view, 12, &out, pool), APR_SUCCESS, "flatten one part in place");
    ok(out.data == one.parts[0], "the part itself");
    view = view_of(&brief);
    is_status(storer_view_flatten(&view, 12, &out, pool), APR_SUCCESS, "flatten one fleeting part");
    ok(out.data != brief.parts[0], "is a copy");
    is_bytes(out, storer_bytes("in one piece"), "of the bytes");
    view = view_of(&many);
    is_status(storer_view_flatten(&view, 100, &out, pool), APR_SUCCESS, "flatten several parts");
    is_bytes(out, storer_bytes("in three pieces"), "in their order");
    view = view_of(&none);
    is_status(storer_view_flatten(&view, 0, &out, pool), APR_SUCCESS, "flatten an empty value");
    ok(out.data && out.len == 0, "is empty, not absent");
}

static void flatten_fails(apr_pool_t *pool)
{
    source_t many = { { "one", "two" }, 1, APR_SUCCESS, 0 };
    source_t damaged = { { "one", "two" }, 1, APR_EGENERAL, 0 };
    storer_bytes_t out = { "untouched", 9 };
    storer_view_t view = view_of(&many);

    is_status(storer_view_flatten(&view, 5, &out, pool), APR_ENOSPC, "a value above the limit");
    is_bytes(view.part, storer_bytes("one"), "is left where it was");
    view = view_of(&damaged);
    is_status(storer_view_flatten(&view, 100, &out, pool), APR_EGENERAL, "damage in the middle");
    view = view_of(&many);
    view.length = 7;
    is_status(storer_view_flatten(&view, 100, &out, pool), APR_EINVAL, "parts short of the length");
    view = view_of(&many);
    view.length = 5;
    is_status(storer_view_flatten(&view, 100, &out, pool), APR_EINVAL, "parts beyond the length");
    view = view_of(&many);
    view.length = -1;
    is_status(storer_view_flatten(&view, 100, &out, pool), APR_EINVAL, "a length below 0");
    is_bytes(out, storer_bytes("untouched"), "the output is untouched in each case");
}

int main(void)
{
    apr_pool_t *pool;

    apr_initialize();
    apr_pool_create(&pool, NULL);
    empty_views();
    release_and_move();
    parts();
    flatten(pool);
    flatten_fails(pool);
    apr_pool_destroy(pool);
    apr_terminate();
    return done_testing();
}
