# SPDX-License-Identifier: Apache-2.0
#
# What is served past its freshness: at once while it is refreshed in the background
# (stale-while-revalidate), or when the origin fails (stale-if-error), as RFC 5861 has it. Responses
# that arrive with an Age are stale from the beginning, so that no test has to wait.
use strict;
use warnings;

use Storer::Test;
use Test::More;

expect_log(qr/proxy:error|proxy_http:error/);

sub status_of { return shift->header('Cache-Status') || '' }

# ---- stale-while-revalidate ----------------------------------------------------------------------

{
    my $path = '/190/swr';
    my @old = (body => 3_000, h => 'Age: 100', etag => 'auto');
    my $target = target($path, @old, cc => 'max-age=60, stale-while-revalidate=600');
    fetch($target);

    # the origin hangs, and nobody notices
    control($path, body => 3_000, seed => 2, cc => 'max-age=600', gate => 'swr');
    for my $time (1 .. 5) {
        my $response = fetch($target);
        is_body($response, $path, size => 3_000, name => "time $time: the stale body at once");
        like(status_of($response), qr/\Astorer; hit; ttl=-\d+\z/, 'which says so');
        cmp_ok($response->header('Age'), '>=', 100, 'its age is the true one');
        wait_for('the refresh', sub { arrived('swr') == 1 });
    }
    is(requests($path), 2, 'one request refreshes it');

    # the connection that started a refresh goes on
    my $connection = connection();
    is($connection->request('GET', $target)->status, 200, 'a first request');
    my $next = $connection->request('GET', '/190/other?cc=max-age%3D60', headers => [
        Connection => 'close' ]);
    is($next && $next->status, 200, 'and a second one on the same connection');
    $connection->close;

    open_gate('swr');
    wait_for('the new response', sub { fetch($target)->header('X-Seed') eq '2' });
    is_body(fetch($target), $path, size => 3_000, seed => 2, name => 'the new one');
    is(requests($path), 2, 'and no further request');
}
{
    # a 304 does as well
    my $path = '/190/swr304';
    my $target = target($path, body => 500, h => 'Age: 100', etag => 'auto',
        cc => 'max-age=60, stale-while-revalidate=600');
    fetch($target);
    control($path, body => 500, etag => 'auto', cc => 'max-age=900, stale-while-revalidate=600');
    is_body(fetch($target), $path, size => 500);
    wait_for('the refresh', sub { status_of(fetch($target)) =~ /ttl=[78]\d\d/ });
    is(not_modified($path), 1, 'refreshed by a 304');
    is(requests($path), 2, 'the only one');
}

# what forbids it, and what is over
for my $case (
    [ 'over',   'max-age=60, stale-while-revalidate=30' ],
    [ 'must',   'max-age=60, stale-while-revalidate=600, must-revalidate' ],
    [ 'proxy',  'max-age=60, stale-while-revalidate=600, proxy-revalidate' ],
    [ 'nobody', 'max-age=60' ],
) {
    my ($name, $control) = @$case;
    my $path = "/190/no-swr/$name";
    my $target = target($path, h => 'Age: 100', cc => $control, etag => 'auto');
    fetch($target);
    control($path, seed => 2, cc => 'max-age=60');
    is_body(fetch($target), $path, seed => 2, name => "$control: validated first");
    is(requests($path), 2, "$control: by this request");
}
{
    my $path = '/190/newer';
    my $target = target($path, h => 'Age: 100', cc => 'max-age=60, stale-while-revalidate=600',
        etag => 'auto');
    fetch($target);
    control($path, seed => 2, cc => 'max-age=60');
    is_body(fetch($target, headers => [ 'Cache-Control' => 'max-age=10' ]), $path, seed => 2,
        name => 'a request that wants something newer gets it');
}

# the directive
for my $case ([ 'swr-off.test', 'max-age=60, stale-while-revalidate=600', 2 ],
    [ 'swr-default.test', 'max-age=60', 1 ]) {
    my ($host, $control, $seed) = @$case;
    my $path = "/190/$host";
    my $target = target($path, h => 'Age: 100', cc => $control, etag => 'auto');
    fetch($target, host => $host);
    control($path, seed => 2, cc => 'max-age=60');
    is_body(fetch($target, host => $host), $path, seed => $seed, name => $host);
}

# ---- stale-if-error ------------------------------------------------------------------------------

# [name, Cache-Control, host, whether it is served when the origin fails]
my @cases = (
    [ 'said',    'max-age=60, stale-if-error=600',                    undef,              1 ],
    [ 'over',    'max-age=60, stale-if-error=30',                     undef,              0 ],
    [ 'unsaid',  'max-age=60',                                        undef,              1 ],
    [ 'must',    'max-age=60, stale-if-error=600, must-revalidate',   undef,              0 ],
    [ 'nocache', 'max-age=60, stale-if-error=600, no-cache',          undef,              0 ],
    [ 'smaxage', 's-maxage=60, stale-if-error=600',                   undef,              0 ],
    [ 'off',     'max-age=60, stale-if-error=600',                    'sie-off.test',     0 ],
    [ 'default', 'max-age=60',                                        'sie-default.test', 1 ],
    [ 'short',   'max-age=60',                                        'sie-short.test',   0 ],
);
for my $failure ([ '503', status => 503 ], [ 'closed', drop => 1 ]) {
    my ($kind, @parameters) = @$failure;
    for my $case (@cases) {
        my ($name, $control, $host, $served) = @$case;
        my @host = $host ? (host => $host) : ();
        my $path = "/190/$kind/$name";
        my $target = target($path, h => 'Age: 100', cc => $control, etag => 'auto');
        fetch($target, @host);
        control($path, @parameters);

        # on a connection that was used before, where mod_proxy would rather close it
        my $connection = connection();
        $connection->request('GET', '/190/first', @host);
        my $response = $connection->request('GET', $target, @host,
            headers => [ Connection => 'close' ]);
        $connection->close;
        if ($served) {
            is($response && $response->status, 200, "$kind, $control: served stale");
            is_body($response, $path) if $response;
            is($response && $response->header('Age') >= 100, 1, 'with its age') if $response;
        }
        else {
            isnt($response ? $response->status : 502, 200, "$kind, $control: not served");
        }
    }
}

# A page of parts is refreshed by a request of its own; what becomes of its parts is not its fate.
{
    my @host = (host => 'swr-parts.test');
    my $path = '/190/page';
    control('/190/part', cc => 'no-store');
    control($path, cc => 'max-age=60, stale-while-revalidate=600', h => 'Age: 100',
        text => '<!--#include virtual="/190/part" -->');
    my $page = fetch($path, @host);
    is($page->content, body_of('/190/part'), 'a page of a part that is not stored');
    for my $count (2 .. 4) {
        like(fetch($path, @host)->header('Cache-Status'), qr/hit; ttl=-/, 'served stale');
        ok(wait_for("refresh $count", sub { requests($path) == $count }), "and refreshed: $count");
        wait_for('its end', sub { log_since(0) =~ /(?:CS0412: (?:refreshed|stored) [^\n]*\Q$path\E\?.*){$count}/s });
    }
}

finish();
