# SPDX-License-Identifier: Apache-2.0
#
# Where freshness comes from if not from Cache-Control and Expires: targeted fields (RFC 9213),
# CacheStorerTTL, and the heuristic for statuses that mod_cache does not know. What the client sees
# is what the origin sent.
use strict;
use warnings;

use Storer::Test;
use Test::More;

# stored($name, $host, $want, @parameters): is it a hit the second time?
sub stored {
    my ($name, $host, $want, @parameters) = @_;
    my @host = $host ? (host => $host) : ();
    my $path = "/240/$name";
    my $target = target($path, etag => 'auto', @parameters);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $first = fetch($target, @host);
    my $second = fetch($target, @host);
    is($second->cache eq 'HIT' ? 1 : 0, $want, "$name: " . ($want ? 'a hit' : 'not served from the cache'));
    is($_->header('Cache-Control') || '', { @parameters }->{cc} || '', "$name: Cache-Control as sent")
        for $first, $second;
    is($first->status, $second->status, "$name: the same status");
    return $second;
}

# ---- targeted fields -----------------------------------------------------------------------------

sub cdn { return (h => "CDN-Cache-Control: $_[0]") }

stored('cdn-fresh', undef, 1, cdn('max-age=600'), cc => 'no-store');
stored('cdn-wins', undef, 1, cdn('max-age=600'), cc => 'max-age=1', h => 'Age: 5', cdn('max-age=600'));
stored('cdn-no-store', undef, 0, cdn('no-store'), cc => 'max-age=600');
stored('cdn-private', undef, 0, cdn('private'), cc => 'max-age=600');
stored('cdn-invalid', undef, 1, cdn('max-age="600'), cc => 'max-age=600');
stored('cdn-none', 'targeted-off.test', 0, cdn('max-age=600'), cc => 'no-store');
stored('other-field', 'targeted-other.test', 1, h => 'Example-Cache-Control: max-age=600', cc => 'no-store');
{
    # a 304 that does not repeat it
    my $path = '/240/cdn-304';
    my $target = target($path, etag => 'auto', cdn('max-age=600'), cc => 'no-store');
    fetch($target);
    control($path, etag => 'auto', cdn('max-age=600'), cc => 'no-store');
    fetch($target, headers => [ 'Cache-Control' => 'max-age=0' ]);
    is(not_modified($path), 1, 'a 304');
    my $hit = fetch($target);
    is_cache($hit, 'HIT', 'fresh again');
    is($hit->header('Cache-Control'), 'no-store', 'for the client as before');
}

# ---- CacheStorerTTL ------------------------------------------------------------------------------

my @ttl = ('ttl.test');
stored('ttl-404', @ttl, 1, status => 404);
stored('ttl-503', @ttl, 1, status => 503);
stored('ttl-404-default', undef, 0, status => 404);
stored('ttl-image', @ttl, 1, ct => 'image/png', etag => undef // 'auto');
stored('ttl-said', @ttl, 0, ct => 'image/png', cc => 'no-store');
stored('ttl-private', @ttl, 0, status => 404, cc => 'private');
like(stored('ttl-own', @ttl, 1, ct => 'image/png', cc => 'max-age=9')->header('Cache-Status'),
    qr/ttl=[0-9]\z/, 'what the response says goes before');
like(stored('ttl-time', @ttl, 1, ct => 'image/gif')->header('Cache-Status'), qr/ttl=(3600|35\d\d)\z/,
    'for as long as configured');

# ---- the heuristic -------------------------------------------------------------------------------

for my $status (204, 404, 405, 410, 414, 501) {
    my $path = "/240/heuristic/$status";
    control($path, status => $status, lm => 864_000);
    fetch($path);
    is_cache(fetch($path), 'HIT', "$status with Last-Modified");
}
control('/240/heuristic/403', status => 403, lm => 864_000);
fetch('/240/heuristic/403') for 1 .. 2;
is(requests('/240/heuristic/403'), 2, '403: not by itself');

# a status nobody knows
for my $status (299, 499, 599) {
    my $path = "/240/unknown/$status";
    my $target = target($path, status => $status, cc => 'max-age=600');
    fetch($target);
    my $hit = fetch($target);
    is_cache($hit, 'HIT', $status);
    is($hit->status, $status, "$status: as it was");
}

# ---- where the filter CACHE says what is stored --------------------------------------------------

expect_log(qr/AH00776: .*CACHE filter was added in quick handler mode/);
for my $name ('deflate-last.test', 'substitute.test', 'marked-quick.test') {
    my @host = (host => $name);
    my $path = "/240/marked/$name";
    control($path, cc => 'max-age=600', h => 'CDN-Cache-Control: private');
    fetch($path, @host);
    fetch($path, @host);
    is(requests($path), 2, "$name: CDN-Cache-Control: private");
    control($path, cc => 'no-cache', h => 'CDN-Cache-Control: max-age=600');
    is(fetch($path, @host)->header('Cache-Control'), 'no-cache, marked', "$name: the client's own");
    my $hit = fetch($path, @host);
    is_cache($hit, 'HIT', "$name: CDN-Cache-Control: max-age=600");
    is($hit->header('Cache-Control'), 'no-cache, marked', "$name: the client's own from a hit");
}

# ---- where a section enables the cache -----------------------------------------------------------

for my $case ([ '/section/plain/a' ], [ '/section/short/b', '/section/plain/b' ],
    [ '/section/below/a' ], [ '/section/wild/x/card' ], [ '/section/tilde/a' ],
    [ '/section/match/a' ]) {
    my ($path, $at_origin) = @$case;
    my @host = (host => 'sections.test');
    $at_origin ||= $path;
    control($at_origin, cc => 'max-age=600', h => 'CDN-Cache-Control: private');
    fetch($path, @host);
    fetch($path, @host);
    is(requests($at_origin), 2, "$path: CDN-Cache-Control counts");
    control($at_origin, cc => 'max-age=600');
    fetch($path, @host);
    is_cache(fetch($path, @host), 'HIT', "$path is cached");
}
is(fetch('/section/none', host => 'sections.test')->header('X-Cache') || '', '', 'and another is not');

finish();
