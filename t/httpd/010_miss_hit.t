# SPDX-License-Identifier: Apache-2.0
#
# A miss, then hits: the origin's own counter tells who answered.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my $target = target('/010/a', body => '1K', cc => 'max-age=600', ct => 'text/x-storer',
    etag => '"v1"', lm => 3600, h => [ 'X-One: 1', 'X-Two: a, b' ]);

my $miss = from_origin('/010/a', 1, 'the first request', sub { fetch($target) });
is_cache($miss, 'MISS', 'the first request');
is_body($miss, '/010/a', size => '1K', name => 'the body of the miss');

from_origin('/010/a', 0, 'ten more requests', sub {
    for my $n (1 .. 10) {
        my $hit = fetch($target);
        is_cache($hit, 'HIT', "request $n");
        is_body($hit, '/010/a', size => '1K', name => "the body of hit $n");
    }
});

my $hit = fetch($target);
for my $name (qw(Content-Type ETag Last-Modified X-One X-Two X-Serial X-Identity Cache-Control
    Content-Length)) {
    is($hit->header($name), $miss->header($name), "$name is the origin's");
}
ok(defined $hit->header('Age'), 'a hit has an Age');
is($hit->status, 200, 'and the status');

# a connection of many requests, hits and misses mixed
my $connection = connection();
for my $path (map { "/010/many/$_" } 1 .. 5) {
    for my $want (qw(MISS HIT HIT)) {
        my $response = $connection->request(GET =>
            target($path, body => 3000, cc => 'max-age=600'));
        is_cache($response, $want, "$path on one connection");
        is_body($response, $path, size => 3000);
    }
}
$connection->close;

# what must not be kept
for my $case ([ 'no-store' => [ cc => 'no-store' ] ],
    [ private => [ cc => 'private, max-age=60' ] ], [ 'no freshness' => [] ]) {
    my ($name, $parameters) = @$case;
    (my $path = "/010/no/$name") =~ s/ /-/g;
    from_origin($path, 2, "two requests ($name)", sub {
        fetch(target($path, @$parameters)) for 1 .. 2;
    });
}

# what belongs to one user, unless the response says otherwise
my @user = (headers => [ Authorization => 'Basic dXNlcjpwYXNz' ]);
from_origin('/010/user', 2, 'a request with Authorization, twice', sub {
    fetch(target('/010/user', cc => 'max-age=600'), @user) for 1 .. 2;
});
is_cache(fetch(target('/010/user', cc => 'max-age=600')), 'MISS', 'then one without');

# other statuses that HTTP lets a cache keep
for my $status (203, 301, 404, 410) {
    my $path = "/010/status/$status";
    from_origin($path, 1, "status $status, twice", sub {
        for (1 .. 2) {
            my $response = fetch(target($path, status => $status, cc => 'max-age=600', body => 77,
                h => "Location: http://127.0.0.1/elsewhere"));
            is($response->status, $status, "status $status");
            is_body($response, $path, size => 77, name => "the body of a $status");
        }
    });
}

# a query is part of the key
my $one = fetch(target('/010/query', seed => 1, cc => 'max-age=600'));
my $two = fetch(target('/010/query', seed => 2, cc => 'max-age=600'));
is_cache($two, 'MISS', 'another query');
is_body($two, '/010/query', seed => 2);
is_body(fetch(target('/010/query', seed => 1, cc => 'max-age=600')), '/010/query', seed => 1,
    name => 'and the first is still there');

finish();
