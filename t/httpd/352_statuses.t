# SPDX-License-Identifier: Apache-2.0
#
# Which responses are stored, by their status and by the form of the request: an error that one client's
# request provokes is not everybody's. The table is mod_cache_storer/http/storable.c.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my $number = 0;

# Whether a response is stored: asked for with some headers, and again without any.
sub stored {
    my ($want, $name, $option, @parameters) = @_;
    my $path = $option->{path} || '/352/' . ++$number;
    my @host = $option->{host} ? (host => $option->{host}) : ();
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    control($path, @parameters);
    fetch($path . ($option->{query} || ''), @host, headers => $option->{headers} || []);
    fetch($path, @host);
    is(requests($path), $want ? 1 : 2, $name . ($want ? ' is stored' : ' is not stored'));
    return;
}

my @modified = (lm => 864_000, etag => 'auto');
my @override = (headers => [ 'X-HTTP-Method-Override' => 'DELETE' ]);

# ---- by heuristic --------------------------------------------------------------------------------

stored(1, "$_, by heuristic", {}, status => $_, @modified) for 204, 301, 308, 404, 405, 410, 414, 501;
stored(0, "$_, by heuristic", {}, status => $_, @modified)
    for 302, 307, 400, 401, 403, 406, 412, 413, 416, 425, 429, 431, 500, 502, 503, 299, 499, 599;

# an error is not good for a day for being old
{
    my $response = fetch('/352/' . $number, headers => [ 'Cache-Control' => 'no-cache' ]);
    control('/352/long', status => 404, lm => 8_640_000);
    like(fetch('/352/long')->header('Cache-Status'), qr/; stored; ttl=(?:600|5\d\d)\z/,
        'a 404 that is old is guessed to be one for ten minutes');
}

# ---- the request asks for another method ---------------------------------------------------------

for my $field ('X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override') {
    my %option = (headers => [ $field => 'DELETE' ]);
    stored(0, "405 for $field, by heuristic", \%option, status => 405, @modified);
    stored(0, "501 for $field, by heuristic", \%option, status => 501, @modified);
    stored(0, "404 for $field, by heuristic", \%option, status => 404, @modified);
    stored(0, "405 for $field, with max-age", \%option, status => 405, cc => 'max-age=600');
    stored(0, "200 for $field, with max-age", \%option, cc => 'max-age=600');
    stored(0, "404 for $field, by CacheStorerTTL", { %option, host => 'ttl-classes.test' },
        status => 404);
}
stored(1, '200 for an override with GET', { headers => [ 'X-HTTP-Method-Override' => 'GET' ] },
    cc => 'max-age=600');

# ---- CacheStorerTTL with a class -----------------------------------------------------------------

my %classes = (host => 'ttl-classes.test');
stored(1, "$_, by a class", {%classes}, status => $_) for 404, 410, 500, 502, 503, 504, 599;
stored(0, "$_, by a class", {%classes}, status => $_)
    for 400, 401, 402, 406, 407, 408, 409, 411, 412, 413, 415, 416, 417, 421, 422, 425, 426, 428, 429,
    451, 499, 505, 511;
stored(1, '403, by its name', {%classes}, status => 403);
stored(0, '431, by its name', {%classes}, status => 431);
stored(1, '200, by its type', {%classes});
stored(0, "$_, by its type", {%classes}, status => $_) for 201, 202, 299;

# ---- by its own words ----------------------------------------------------------------------------

stored(1, "$_, with max-age", {}, status => $_, cc => 'max-age=600')
    for 200, 201, 204, 299, 301, 302, 303, 307, 308, 400, 401, 403, 404, 410, 412, 499, 500, 503, 599;
stored(0, "$_, with max-age", {}, status => $_, cc => 'max-age=600') for 226, 428, 429, 431, 511;
stored(1, '400, with Expires', {}, status => 400, expires => 600);
stored(1, '400, with CDN-Cache-Control', {}, status => 400, h => 'CDN-Cache-Control: max-age=600');

# what is no freshness is none because of CacheDefaultExpire
my %default = (host => 'default-expire.test');
stored(1, '200, by CacheDefaultExpire', {%default});
stored(0, "$_, must-revalidate", {%default}, status => $_, cc => 'must-revalidate')
    for 302, 400, 403, 431, 503;
stored(0, "$_, public", {%default}, status => $_, cc => 'public') for 400, 403, 412, 431;
stored(1, '302, public', {%default}, status => 302, cc => 'public');

# ---- for requests of the form that the status is about -------------------------------------------

my @fresh = (cc => 'max-age=600');
stored(0, '412 for If-Match', { headers => [ 'If-Match' => '"x"' ] }, status => 412, @fresh);
stored(0, '412 for If-Unmodified-Since',
    { headers => [ 'If-Unmodified-Since' => 'Sun, 06 Nov 1994 08:49:37 GMT' ] }, status => 412, @fresh);
stored(0, '416 for If-Match and Range', { headers => [ 'If-Match' => '"x"', Range => 'bytes=5-' ] },
    status => 416, @fresh);
stored(0, '425 for Early-Data', { headers => [ 'Early-Data' => 1 ] }, status => 425, @fresh);
stored(0, '412 for If-Match, by its name', { %classes, headers => [ 'If-Match' => '"x"' ] },
    status => 412);

# a URL of which a part does not count, and is too long
stored(0, '414 of a query that is dropped', { %classes, query => '?dropped=' . 'x' x 500 },
    status => 414, @modified);
stored(0, '414 of a query that is ignored', { %default, query => '?' . 'x' x 500 },
    status => 414, @fresh);
stored(1, '414 of the whole URL', {%classes}, status => 414, @fresh);

finish();
