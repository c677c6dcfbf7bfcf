# SPDX-License-Identifier: Apache-2.0
#
# Which stored response a request gets: a variant that fits before a response without Vary, by the fields
# that the client sent, in a coding that it reads; what becomes of ranges and of parts of parts of a page.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my @fresh = (cc => 'max-age=600');

# ---- a response without Vary beside variants (RFC 9111 section 4.1) -------------------------------

{
    my $path = '/370/cors';
    my $target = target($path, @fresh);
    my @cors = (headers => [ Origin => 'http://app.test' ]);
    control($path, vary => 'Origin', h => 'Access-Control-Allow-Origin: http://app.test');
    is_cache(fetch($target, @cors), 'MISS', 'a response for an Origin');
    control($path); # the same resource, asked without an Origin: this origin forgets Vary
    is_cache(fetch($target), 'MISS', 'a response without Vary');
    is_cache(fetch($target), 'HIT', 'is there for those without an Origin');
    my $response = fetch($target, @cors);
    is_cache($response, 'HIT', 'the variant, though the response without Vary is newer');
    is($response->header('Access-Control-Allow-Origin'), 'http://app.test', 'has its field');
    is_cache(fetch($target, headers => [ Origin => 'http://other.test' ]), 'HIT',
        'another Origin gets the response without Vary');
}

# ---- the fields that the client sent -------------------------------------------------------------

for my $host ('fields.test', 'fields-late.test') {
    my $target = target("/370/fields-$host", @fresh, vary => [ 'X-Group', 'Accept-Encoding' ]);
    my $first = fetch($target, host => $host, headers => [ 'X-Group' => 'a', 'Accept-Encoding' => 'gzip' ]);
    is_cache($first, 'MISS', "$host: the origin is told another X-Group");
    is_cache(fetch($target, host => $host, headers => [ 'X-Group' => 'a', 'Accept-Encoding' => 'gzip' ]),
        'HIT', "$host: the response is found by what the client sends");
}

# ---- lists and others ----------------------------------------------------------------------------

{
    my $target = target('/370/cookie', @fresh, vary => 'Cookie');
    is_cache(fetch($target, headers => [ Cookie => 's=a, b' ]), 'MISS', 'a cookie');
    is_cache(fetch($target, headers => [ Cookie => 's=a, b' ]), 'HIT', 'the same cookie');
    is_cache(fetch($target, headers => [ Cookie => 's=a,b' ]), 'MISS', 'another cookie');
    $target = target('/370/list', @fresh, vary => 'Accept');
    is_cache(fetch($target, headers => [ Accept => 'a/b, c/d' ]), 'MISS', 'a list');
    is_cache(fetch($target, headers => [ Accept => 'a/b,c/d' ]), 'HIT', 'the same list');
    is_cache(fetch($target, headers => [ Accept => 'a/b', Accept => 'c/d' ]), 'HIT', 'in two lines');
}

# ---- a coding without Vary -----------------------------------------------------------------------

{
    my $target = target('/370/coded', @fresh, h => 'Content-Encoding: gzip');
    my @gzip = (headers => [ 'Accept-Encoding' => 'gzip, br' ]);
    is_cache(fetch($target, @gzip), 'MISS', 'a response in gzip, without Vary');
    is_cache(fetch($target, @gzip), 'HIT', 'for one who reads gzip');
    is_cache(fetch($target), 'HIT', 'for one who takes anything');
    is_cache(fetch($target, headers => [ 'Accept-Encoding' => 'br' ]), 'MISS', 'for one who reads br alone');
    is_cache(fetch($target, headers => [ 'Accept-Encoding' => 'gzip;q=0' ]), 'MISS', 'for one who refuses gzip');
}

# ---- conditions and ranges -----------------------------------------------------------------------

{
    my $target = target('/370/dated', @fresh);
    my $response = fetch($target);
    my $date = $response->header('Date');
    is_cache(fetch($target), 'HIT', 'a response without Last-Modified');
    is(fetch($target, headers => [ 'If-Modified-Since' => $date ])->status, 304, 'is as old as its Date');
    is(fetch($target, headers => [ 'If-Modified-Since' => 'Sat, 01 Jan 2000 00:00:00 GMT' ])->status, 200,
        'and younger than that');
}
{
    my $target = target('/370/range', body => 1000, @fresh, etag => 'auto');
    fetch($target);
    is_cache(fetch($target), 'HIT', 'a body of 1,000 bytes');
    for my $range ('bytes=1000-', 'bytes=2000-3000', 'bytes=1000-,5000-') {
        my $response = fetch($target, headers => [ Range => $range ]);
        is($response->status, 416, "$range: is behind its end");
        is($response->header('Content-Range'), 'bytes */1000', 'and the length is told');
    }
    for my $range ('bytes=0-9', 'bytes=1000-,0-9', 'bytes=x', 'bytes=-0', 'bytes=1000-, 5000-') {
        my $response = fetch($target, headers => [ Range => $range ]);
        unlike($response->header('Content-Range') || '', qr/\*/, "$range: is not");
    }
}
{
    my $target = target('/370/items', @fresh);
    fetch($target, headers => [ Range => 'items=0-1' ]);
    like(last_request('/370/items'), qr/^Range: items=0-1\r?$/mi, 'a range of another unit is the origin\'s');
}
{
    my @host = (host => 'no-ranges.test', headers => [ Range => 'bytes=0-9' ]);
    my $target = target('/370/no-ranges', body => 1000, @fresh);
    is(fetch($target, @host)->status, 200, 'MaxRanges none: a miss is whole');
    is(fetch($target, host => 'no-ranges.test')->cache, 'HIT', 'and was stored');
    is(fetch($target, @host)->status, 200, 'as the hit is');
}

# ---- a part of a part of a page ------------------------------------------------------------------

sub includes { return qq(<!--#include virtual="/370/$_[0]" -->) }

{
    my @host = (host => 'parts.test');
    my @page = (@fresh, ct => 'text/html');
    control('/370/main', @page, text => 'main(' . includes('two') . ')main');
    control('/370/two', @page, text => 'two(' . includes('one') . ')two' . includes('one') . 'end');
    control('/370/one', @fresh, text => 'one');
    for my $round (1, 2) {
        is(fetch('/370/main', @host)->content, 'main(two(one)twooneend)main',
            "a page that includes a page, time $round");
        my $response = fetch('/370/two', @host);
        is_cache($response, 'HIT', 'the included page was stored');
        is($response->content, 'two(one)twooneend', 'as a whole');
        $response = fetch('/370/one', @host);
        is_cache($response, 'HIT', 'and so was its part');
        is($response->content, 'one', 'as a whole');
    }
}

finish();
