# SPDX-License-Identifier: Apache-2.0
#
# A background request is a request like any other, and nobody waits for it: not the client, not a
# restart. (190_stale.t has what it is for.)
use strict;
use warnings;

use Storer::Test;
use Test::More;

my @stale = (h => 'Age: 100', cc => 'max-age=60, stale-while-revalidate=600', etag => 'auto');

# ---- what the origin sees ------------------------------------------------------------------------

{
    my $path = '/170/headers';
    my $target = target($path, @stale);
    fetch($target);
    fetch($target, headers => [ 'User-Agent' => 'reader/1', 'X-Mine' => 'yes',
        'If-Modified-Since' => 'Sat, 01 Jan 2000 00:00:00 GMT', Range => 'bytes=0-9', TE => 'trailers' ]);
    wait_for('the background request', sub { requests($path) == 2 });
    my $request = last_request($path);
    like($request, qr/^User-Agent: reader\/1\r?$/m, 'it has the headers of the client');
    like($request, qr/^X-Mine: yes\r?$/m, 'all of them');
    unlike($request, qr/^(?:Range|If-Modified-Since|TE):/mi, 'but for those of the moment');
    like($request, qr/^If-None-Match: /m, 'and the condition of the cache');
}
{
    # what it refreshes is for everyone, but the origin may give it to a few only
    my $path = '/170/credentials';
    my @credentials = (headers => [ Authorization => 'Basic YWxpY2U6YQ==' ]);
    my $target = target($path, h => 'Age: 100', etag => 'auto',
        cc => 'public, max-age=60, stale-while-revalidate=600');
    fetch($target, @credentials);
    fetch($target, @credentials);
    wait_for('the background request', sub { requests($path) == 2 });
    like(last_request($path), qr/^Authorization: Basic YWxpY2U6YQ==\r?$/m, 'and its credentials');
}

# ---- many of them --------------------------------------------------------------------------------

{
    # more than threads and queue can hold: what is refused is done later, nothing is lost
    my @paths = map { "/170/many/$_" } 1 .. 120;
    fetch(target($_, @stale)) for @paths;
    control($_, cc => 'max-age=600', etag => 'auto', h => 'X-New: 1') for @paths;
    fetch(target($_, @stale)) for @paths;
    my $new = 0;
    wait_for('all of them', sub {
        $new = grep { (fetch(target($_, @stale))->header('X-New') || '') eq '1' } @paths;
        return $new == @paths;
    });
    is($new, scalar @paths, 'all are refreshed in the end');
    is(scalar(grep { requests($_) > 2 } @paths), 0, 'each of them once');
}

# ---- failures ------------------------------------------------------------------------------------

{
    expect_log(qr/proxy_http:error|proxy:error/);
    my $path = '/170/failing';
    my $target = target($path, @stale);
    fetch($target);
    control($path, drop => 1);
    is_body(fetch($target), $path, name => "served stale, time $_") for 1 .. 3;
    wait_for('the background request', sub { requests($path) >= 2 });
    control($path, seed => 2, cc => 'max-age=600');
    wait_for('the new one', sub { fetch($target)->header('X-Seed') eq '2' });
    pass('after an origin that failed it is tried again');
}

# ---- a restart meanwhile -------------------------------------------------------------------------

SKIP: {
    skip 'this process serves by itself', 1 unless children() > 1;
    my $path = '/170/restart';
    my $target = target($path, @stale);
    fetch($target);
    control($path, seed => 2, cc => 'max-age=600', gate => 'restart');
    fetch($target);
    wait_for('the background request', sub { arrived('restart') == 1 });
    if ($ENV{STORER_MPM} eq 'prefork') {
        # the child that has no other thread ends when the origin has answered
        ok(signal_graceful(), 'a graceful restart while it hangs');
    }
    else {
        ok(graceful(), 'a graceful restart while it hangs: all children end');
    }
    is_body(fetch($target), $path, name => 'served on');
    open_gate('restart');
    wait_for('the new one', sub { fetch($target)->header('X-Seed') eq '2' });
    pass('and refreshed after it');
}

finish();
