# SPDX-License-Identifier: Apache-2.0
#
# Purging: by the method PURGE where it is allowed, and by the fields of an application's responses.
# What was fetched before a purge is not served after it.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my @pass = (host => 'purge.test', headers => [ 'X-Pass' => 'open' ]);
my @host = (host => 'purge.test');

sub stored {
    my ($path, %option) = @_;
    my @at = (host => delete $option{host} || 'purge.test');
    my @headers = (headers => delete $option{headers} || []);
    my $target = target($path, cc => 'max-age=600', etag => 'auto', %option);
    fetch($target, @at, @headers);
    is_cache(fetch($target, @at, @headers), 'HIT', "$path is stored");
    return $target;
}

# ---- who may -------------------------------------------------------------------------------------

{
    my $target = stored('/260/allowed');
    my $response = fetch($target, method => 'PURGE', @pass);
    is($response->status, 200, 'PURGE by who may');
    is($response->content, "Purged: 1 response.\n", 'says so');
    is(requests('/260/allowed'), 1, 'and is none of the origin\'s business');
    is_cache(fetch($target, @host), 'MISS', 'and the URL is gone');
}
{
    expect_log(qr/authz_core:error.*AH01630/);
    my $target = stored('/260/denied');
    is(fetch($target, method => 'PURGE', @host)->status, 403, 'PURGE by who may not');
    is_cache(fetch($target, @host), 'HIT', 'purges nothing');
}
for my $path ('/260/open', '/260/granted') {
    expect_log(qr/CS0521.*PURGE is refused for \Q$path\E: everybody may do it.*Require local/);
    my $target = stored($path, host => 'purge-open.test');
    is(fetch($target, method => 'PURGE', host => 'purge-open.test')->status, 403,
        "$path: refused where everybody might");
    is_cache(fetch($target, host => 'purge-open.test'), 'HIT', "$path: and nothing is purged");
}
{
    my $target = stored('/260/off');
    is(fetch($target, method => 'PURGE', @pass)->status, 200, 'off: it goes to the origin');
    is(requests('/260/off'), 2, 'as any other method');
}
{
    my $target = stored('/260/elsewhere', host => 'limits.test', body => 200);
    fetch($target, method => 'PURGE', host => 'limits.test');
    is(requests('/260/elsewhere'), 2, 'not configured: it goes to the origin');
}

# with encoded characters in the path
for my $host ('purge.test', 'purge-slow.test') {
    my $path = "/260/caf%C3%A9%20$host";
    my $target = stored($path, host => $host);
    is(fetch($target, method => 'PURGE', @pass, host => $host)->status, 200, "PURGE $path");
    is_cache(fetch($target, host => $host), 'MISS', 'it is gone');
}

# ---- what is purged ------------------------------------------------------------------------------

{
    my $path = '/260/variants';
    my @as = map { [ 'X-Group' => $_ ] } qw(a b c);
    my $target = target($path, cc => 'max-age=600', vary => 'X-Group', echo => 'X-Group');
    fetch($target, @host, headers => $_) for @as;
    fetch($target, method => 'PURGE', @pass);
    is_cache(fetch($target, @host, headers => $_), 'MISS', "variant $$_[1] is gone") for @as;
}
{
    my $target = stored('/260/other-host');
    is(fetch($target, method => 'PURGE', host => 'purge-slow.test')->status, 404,
        'the same path of another site');
    is_cache(fetch($target, @host), 'HIT', 'is another URL');
}
{
    my $target = stored('/260/slow', host => 'purge-slow.test');
    is(fetch($target, method => 'PURGE', host => 'purge-slow.test')->status, 200,
        'with CacheQuickHandler off');
    is_cache(fetch($target, host => 'purge-slow.test'), 'MISS', 'as well');
}
{
    # a purge while the response is being fetched
    my $path = '/260/race';
    my $target = target($path, cc => 'max-age=600', gate => 'race', at => 10);
    my $client = connection()->send('GET', $target, host => 'purge.test');
    wait_for('the fetch', sub { arrived('race') == 1 });
    is(fetch($target, method => 'PURGE', @pass)->status, 404, 'purged while it is fetched');
    open_gate('race');
    is_body($client->answer, $path, name => 'its client gets it');
    $client->close;
    control($path, seed => 2, cc => 'max-age=600');
    is_body(fetch($target, @host), $path, seed => 2, name => 'nobody else does');
}

# ---- softly --------------------------------------------------------------------------------------

{
    my $path = '/260/soft';
    my $target = stored($path);
    control($path, cc => 'max-age=600', etag => 'auto', seed => 2, gate => 'soft');
    my $response = fetch($target, method => 'PURGE', host => 'purge.test',
        headers => [ 'X-Pass' => 'open', 'Soft-Purge' => '1' ]);
    is($response->content, "Stale now: 1 response.\n", 'a soft purge');
    is_body(fetch($target, @host), $path, name => 'what is stored is served');
    wait_for('the refresh', sub { arrived('soft') == 1 });
    is_body(fetch($target, @host), $path, name => 'while it is fetched again');
    open_gate('soft');
    wait_for('the new one', sub { fetch($target, @host)->header('X-Seed') eq '2' });
    is(requests($path), 2, 'once');
}
{
    # confirmed, it is as good as before
    my $path = '/260/soft-304';
    my $target = stored($path);
    fetch($target, method => 'PURGE', host => 'purge.test',
        headers => [ 'X-Pass' => 'open', 'Soft-Purge' => '1' ]);
    fetch($target, @host);
    wait_for('the refresh', sub { requests($path) == 2 });
    wait_for('a fresh hit', sub {
        fetch($target, @host)->header('Cache-Status') =~ /hit; ttl=\d/;
    });
    is(requests($path), 2, 'confirmed by a 304, and fresh');
}
{
    # what may not be served stale is not
    my $path = '/260/soft-must';
    my $target = target($path, cc => 'max-age=600, must-revalidate', etag => 'auto');
    fetch($target, @host);
    control($path, cc => 'max-age=600, must-revalidate', etag => 'auto', seed => 2);
    fetch($target, method => 'PURGE', host => 'purge.test',
        headers => [ 'X-Pass' => 'open', 'Soft-Purge' => '1' ]);
    is_body(fetch($target, @host), $path, seed => 2, name => 'must-revalidate: not while it is stale');
}

# ---- tags ----------------------------------------------------------------------------------------

sub tagged {
    my ($path, $tags, @options) = @_;
    return stored($path, h => $tags, @options);
}

{
    my $path = '/260/hidden';
    my $target = target($path, cc => 'max-age=600', h => [ 'Surrogate-Key: a b', 'Cache-Tag: c' ]);
    for my $name ('miss', 'hit') {
        my $response = fetch($target, @host);
        is($response->header('Surrogate-Key'), undef, "$name: the client sees no Surrogate-Key");
        is($response->header('Cache-Tag'), undef, "$name: and no Cache-Tag");
    }
    for my $case ([ 'uncacheable', cc => 'no-store' ], [ 'an error', status => 500 ]) {
        my ($name, @options) = @$case;
        my $response = fetch(target("/260/hidden/$name" =~ tr/ /-/r, @options,
            h => 'Surrogate-Key: a'), @host);
        is($response->header('Surrogate-Key'), undef, "$name: the client sees none either");
    }
    my $response = fetch(target('/260/hidden/post', h => 'Surrogate-Key: a'), @host,
        method => 'POST', body => 'x');
    is($response->header('Surrogate-Key'), undef, 'nor of a POST');
    is(fetch(target('/260/shown', cc => 'max-age=600', h => 'Surrogate-Key: a'),
        host => 'tags-none.test')->header('Surrogate-Key'), 'a', 'CacheStorerTagHeader none: it does');
}
{
    my $both = tagged('/260/tag/both', 'Surrogate-Key: red, green');
    my $red = tagged('/260/tag/red', 'Cache-Tag: red');
    my $reddish = tagged('/260/tag/reddish', 'Surrogate-Key: reddish Red');
    my $other = tagged('/260/tag/other', 'Surrogate-Key: red', host => 'purge-slow.test');
    my $response = fetch(target('/260/tag/change', h => 'X-Purge-Tags: red'), @host,
        method => 'POST', body => 'x');
    is($response->header('X-Purge-Tags'), undef, 'the client does not see what is purged');
    is_cache(fetch($both, @host), 'MISS', 'with the tag: gone');
    is_cache(fetch($red, @host), 'MISS', 'from the other field: gone');
    is_cache(fetch($reddish, @host), 'HIT', 'another tag: stays');
    is_cache(fetch($other, host => 'purge-slow.test'), 'HIT', "another site's: stays");
    is_cache(fetch($both, @host), 'HIT', 'what was fetched after the purge: stays');
}
{
    my $target = tagged('/260/tag/safe', 'Surrogate-Key: blue');
    fetch(target('/260/tag/get', cc => 'max-age=600', h => 'X-Purge-Tags: blue'), @host);
    is_cache(fetch($target, @host), 'HIT', 'the response to a GET purges nothing');
    fetch(target('/260/tag/failed', status => 500, h => 'X-Purge-Tags: blue'), @host,
        method => 'POST', body => 'x');
    is_cache(fetch($target, @host), 'HIT', 'nor does a failure');
    fetch(target('/260/tag/ok', h => 'X-Purge-Tags: blue'), host => 'purge-slow.test',
        method => 'POST', body => 'x');
    is_cache(fetch($target, @host), 'HIT', 'nor another site, nor a field that is not configured');
    fetch(target('/260/tag/ok', h => 'X-Purge-Tags: green blue'), @host, method => 'PATCH',
        body => 'x');
    is_cache(fetch($target, @host), 'MISS', 'a PATCH that succeeds does');
}
{
    # a 304 without tags leaves those there are
    my $path = '/260/tag/revalidated';
    my $target = target($path, cc => 'max-age=600', etag => 'auto', h => 'Surrogate-Key: kept');
    fetch($target, @host);
    control($path, cc => 'max-age=600', etag => 'auto');
    fetch($target, @host, headers => [ 'Cache-Control' => 'max-age=0' ]);
    is(requests($path), 2, 'revalidated');
    fetch(target('/260/tag/ok', h => 'X-Purge-Tags: kept'), @host, method => 'POST', body => 'x');
    is_cache(fetch($target, @host), 'MISS', 'purged by the tag of before');
}
{
    # labels last as long as what is stored
    my $target = tagged('/260/tag/restart', 'Surrogate-Key: lasting');
    my $purged = tagged('/260/tag/purged', 'Surrogate-Key: purged');
    fetch(target('/260/tag/ok', h => 'X-Purge-Tags: purged'), @host, method => 'POST', body => 'x');
    SKIP: {
        skip 'this process serves by itself', 1 unless children() > 1;
        ok(graceful(), 'a graceful restart');
    }
    is_cache(fetch($target, @host), 'HIT', 'what stood stands');
    is_cache(fetch($purged, @host), 'MISS', 'what was purged stays purged');
}

finish();
