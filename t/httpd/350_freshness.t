# SPDX-License-Identifier: Apache-2.0
#
# For how long a response is good, by fields that mod_cache reads in another way or that mod_proxy_http
# rewrites: Age, Cache-Control, Expires, Pragma (RFC 9111 sections 1.2.2, 4.2, 5.3, 5.4).
use strict;
use warnings;

use Storer::Test;
use Test::More;

# is_stored($name, $host, $want, @parameters): 'HIT', 'REVALIDATE' or 'MISS' the second time
sub second {
    my ($name, $host, $want, @parameters) = @_;
    my @host = $host ? (host => $host) : ();
    my $path = "/350/$name";
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    control($path, @parameters);
    fetch($path, @host);
    my $response = fetch($path, @host);
    is_cache($response, $want, $name);
    return $response;
}

# ---- numbers that are too large ------------------------------------------------------------------

second('age-20-digits', undef, 'MISS', cc => 'max-age=600', h => 'Age: 10000000000000000000');
second('age-30-digits', undef, 'MISS', cc => 'max-age=600',
    h => 'Age: 999999999999999999999999999999');
second('age-list', undef, 'MISS', cc => 'max-age=600', h => 'Age: 99999999999999999999, 0');
second('age-none', undef, 'HIT', cc => 'max-age=600', h => 'Age: nonsense');
second('max-age-1e20', undef, 'HIT', cc => 'max-age=100000000000000000000');
second('max-age-30-digits', undef, 'HIT', cc => 'max-age=999999999999999999999999999999');
second('s-maxage-1e20', undef, 'HIT', cc => 's-maxage=100000000000000000000, max-age=0');
like(second('max-age-large-ttl', undef, 'HIT', cc => 'max-age=100000000000000000000')
        ->header('Cache-Status'), qr/; ttl=21474836\d\d\z/, 'and it is as long as can be');
second('max-age-no-number', undef, 'REVALIDATE', cc => 'max-age=1e20', etag => 'auto', lm => 864_000);
second('max-age-and-expires', undef, 'REVALIDATE', cc => 'max-age=x', etag => 'auto',
    expires => 600);

# ---- private and no-cache with no names ----------------------------------------------------------

second('private-empty', undef, 'MISS', cc => 'private="", max-age=600');
second('private-blank', undef, 'MISS', cc => 'private=" ", max-age=600');
second('no-cache-empty', undef, 'REVALIDATE', cc => 'no-cache="", max-age=600', etag => 'auto');
{
    my $hit = second('private-names', undef, 'HIT', cc => 'max-age=600, private="X-One, X-Two"',
        h => [ 'X-One: 1', 'X-Two: 2', 'X-Three: 3' ]);
    is($hit->header('X-One'), undef, 'a field that is private is not stored');
    is($hit->header('X-Two'), undef, 'nor the other one');
    is($hit->header('X-Three'), 3, 'the others are');
    is($hit->header('Cache-Control'), 'max-age=600, private="X-One, X-Two"', 'as it was sent');
}
{
    my $hit = second('targeted-names', undef, 'HIT', cc => 'no-store',
        h => [ 'CDN-Cache-Control: max-age=600, private="X-One"', 'X-One: 1' ]);
    is($hit->header('X-One'), undef, 'nor one that a targeted field names');
}

# ---- Pragma --------------------------------------------------------------------------------------

{
    my $hit = second('pragma', undef, 'HIT', cc => 'max-age=600', h => 'Pragma: no-cache');
    is($hit->header('Pragma'), 'no-cache', 'Pragma is ignored beside Cache-Control, and sent');
}
second('pragma-alone', undef, 'REVALIDATE', h => 'Pragma: no-cache', etag => 'auto', lm => 864_000);
second('pragma-304', undef, 'HIT', cc => 'max-age=600', h => 'Pragma: no-cache', etag => 'auto');
{
    my $response = fetch('/350/pragma-304', headers => [ 'Cache-Control' => 'max-age=0' ]);
    is_cache($response, 'REVALIDATE', 'asked for');
    is_cache(fetch('/350/pragma-304'), 'HIT', 'and fresh again');
}

# ---- ttl -----------------------------------------------------------------------------------------

for my $cc ('no-cache', 'no-cache, max-age=600') {
    my $path = '/350/ttl-' . length $cc;
    control($path, cc => $cc, etag => 'auto');
    my $response = fetch($path);
    like($response->header('Cache-Status'), qr/; stored; ttl=0\z/, "$cc: ttl=0");
    $response = fetch($path);
    like($response->header('Cache-Status'), qr/; fwd-status=304; stored; ttl=0\z/,
        "$cc: revalidated, ttl=0");
}
like(fetch(target('/350/ttl-age', cc => 'max-age=60', h => 'Age: 100'))->header('Cache-Status'),
    qr/; stored; ttl=-4\d\z/, 'stale on arrival: below 0 by what it is late');

# ---- Expires as the origin has sent it -----------------------------------------------------------

my @good = ('Thu, 18 Aug 2050 02:01:18 GMT', 'Thursday, 18-Aug-50 02:01:18 GMT',
    'Thu Aug 18 02:01:18 2050', 'thu, 18 aug 2050 02:01:18 gmt', 'Thu, 18 AUG 2050 02:01:18 GMT');
my @bad = ('Thu, 18 Aug 2050 02:01:18 UTC', 'Thu, 18 Aug 2050 02:01:18 AEST',
    'Thu 18 Aug 2050 02:01:18 GMT', 'Thu, 18 Aug 2050 02:01:18 +0000', 'Thu, 18 Aug 2050 02:01:18',
    'Thu, 18  Aug  2050 02:01:18 GMT', '0', '-1', 'nonsense');
my $number = 0;
for my $date (@good) {
    second('expires-' . ++$number, undef, 'HIT', h => "Expires: $date");
    second('expires-' . ++$number, 'site.test', 'HIT', h => "Expires: $date");
}
for my $date (@bad) {
    my $response = second('expires-' . ++$number, undef, 'MISS', h => "Expires: $date",
        lm => 864_000, etag => 'auto');
    is($response->header('Expires'), $date, "$date: as it was sent");
    $response = second('expires-' . ++$number, 'site.test', 'REVALIDATE', h => "Expires: $date",
        lm => 864_000, etag => 'auto');
    is($response->header('Expires'), $date, "$date: also where it is stored");
    # and the next one that is confirmed is no better
    is_cache(fetch("/350/expires-$number", host => 'site.test'), 'REVALIDATE', "$date: once more");
}
second('expires-twice', undef, 'MISS',
    h => [ 'Expires: Thu, 18 Aug 2050 02:01:18 GMT', 'Expires: Thu, 18 Aug 2050 02:01:18 GMT' ]);
second('expires-max-age', undef, 'HIT', cc => 'max-age=600', h => 'Expires: Thu, 18 Aug 2050 UTC');
{
    # of the head that counts, not of an interim one
    my $path = '/350/expires-interim';
    control($path, line => "HTTP/1.1 103 Early Hints\r\nExpires: Thu, 18 Aug 2050 02:01:18 UTC\r\n"
            . "\r\nHTTP/1.1 200 OK", h => 'Expires: Thu, 18 Aug 2050 02:01:18 GMT');
    fetch($path);
    is_cache(fetch($path), 'HIT', 'a field of a 103 is none of the 200');
}

# ---- one rule for what is served stale -----------------------------------------------------------

for my $case ([ 's-maxage-0', 's-maxage=0', 0 ], [ 's-maxage', 's-maxage=60', 100 ],
    [ 's-maxage-swr', 's-maxage=60, stale-while-revalidate=600', 100 ],
    [ 'must', 'max-age=60, must-revalidate', 100 ]) {
    my ($name, $cc, $age) = @$case;
    my $path = "/350/stale-$name";
    my @alice = (headers => [ Authorization => 'Basic YWxpY2U6eA==' ]);
    control($path, cc => $cc, etag => 'auto', h => "Age: $age", echo => 'Authorization');
    fetch($path, host => 'swr-default.test', @alice);
    my $response = fetch($path, host => 'swr-default.test');
    isnt($response->cache, 'HIT', "$cc: not served stale by CacheStorerStaleWhileRevalidate");
    is_body($response, $path, variant => '', name => "$cc: and nobody gets what is Alice's");
}
{
    my $path = '/350/stale-max-stale';
    expect_log(qr/AH01102: error reading status line/, qr/AH00898: Error reading from remote server/);
    control($path, cc => 's-maxage=60', etag => 'auto', h => 'Age: 100');
    fetch($path);
    control($path, drop => 1);
    is(fetch($path, headers => [ 'Cache-Control' => 'max-stale=600' ])->status, 502,
        's-maxage: not even for a client that takes it stale');
}

finish();
