# SPDX-License-Identifier: Apache-2.0
#
# Clients that go away, origins that do, and readers so slow that what they read is replaced or
# evicted.
use strict;
use warnings;

use Storer::Test;
use Test::More;
use Time::HiRes qw(time);

# mod_proxy's words when an origin ends in the middle
expect_log(qr/\[proxy(?:_http)?:error\]/);

# ---- the client goes away ------------------------------------------------------------------------

for my $case ([ length => [] ], [ chunked => [ chunked => 1 ] ]) {
    my ($framing, $parameters) = @$case;
    my $path = "/080/client/$framing";
    my $gate = "client-$framing";
    my $target = target($path, body => '2M', cc => 'max-age=600', @$parameters);

    # the origin holds the rest back until the client has gone
    control($path, gate => $gate, at => 200_000);
    my $connection = connection();
    my $start = time;
    $connection->send(GET => $target, headers => [ 'X-Request' => $gate ]);
    $connection->head;
    $connection->body(100_000);
    # the origin gives up after 30 s; until then this came through while the rest was not there yet
    cmp_ok(time - $start, '<', 25, "$framing: a miss is passed on while it comes in");
    wait_for('the origin', sub { arrived($gate) });
    ok(!$connection->{response}->complete, "$framing: a client leaves in the middle");
    $connection->abort;
    open_gate($gate);
    access_lines($gate, 1);
    control($path);

    for my $round (1 .. 3) {
        my $response = fetch($target);
        is_body($response, $path, size => '2M', name => "$framing: request $round after it");
        is_cache($response, 'HIT', "$framing: request $round") if $round > 1;
    }
}

# clients that leave in the middle of hits
my $path = '/080/hits';
my $target = target($path, body => '2M', cc => 'max-age=600');
fetch($target);
for my $length (1, 20_000, 300_000, 1_000_000) {
    my $connection = connection(receive_buffer => 8192);
    $connection->send(GET => $target);
    $connection->head;
    $connection->body($length);
    $connection->abort;
}
from_origin($path, 0, 'hits after clients that left', sub {
    is_body(fetch($target), $path, size => '2M');
});

# ---- the origin goes away ------------------------------------------------------------------------

for my $case ([ length => [] ], [ chunked => [ chunked => 1 ] ]) {
    my ($framing, $parameters) = @$case;
    my $cut = "/080/origin/$framing";
    my $cut_target = target($cut, body => '1M', cc => 'max-age=600', etag => 'auto', @$parameters);

    # it was whole once, and grows stale: the broken new version does not replace it
    fetch($cut_target);
    control($cut, seed => 2, cut => 300_000);
    my $broken = fetch($cut_target, headers => [ 'Cache-Control' => 'no-cache' ]);
    ok(!$broken->complete, "$framing: the origin breaks off, and the client can tell");
    control($cut);
    my $response = fetch($cut_target);
    is_body($response, $cut, size => '1M', name => "$framing: the next response is whole");
    is_body(fetch($cut_target), $cut, size => '1M', name => "$framing: and the one after it");
}

# ---- a reader so slow that what it reads goes away -----------------------------------------------

# A hit of which the client has read only the beginning.
sub slow_reader {
    my ($slow_target, %option) = @_;
    my $connection = connection(receive_buffer => 8192);
    $connection->send(GET => $slow_target, headers => [ Connection => 'close' ], %option);
    is_cache($connection->head, 'HIT', 'a slow reader');
    $connection->body(10_000);
    ok(!$connection->{response}->complete, 'has read a part');
    return $connection;
}

# replaced, again and again
my $slow = slow_reader($target);
for my $seed (2 .. 6) {
    control($path, seed => $seed);
    fetch($target, headers => [ 'Cache-Control' => 'no-cache' ]);
}
is_body(fetch($target), $path, size => '2M', seed => 6, name => 'replaced five times');
is_body($slow->body, $path, size => '2M', name => 'a slow reader gets the whole old body');

# invalidated
$slow = slow_reader($target);
fetch($target, method => 'POST', body => 'x=1');
fetch($target);
is_body($slow->body, $path, size => '2M', seed => 6, name => 'invalidated: the whole old body');

# evicted: the storage of small.test has 1M
my @small = (host => 'small.test');
my $evicted = target('/080/evicted', body => 200_000, cc => 'max-age=600');
fetch($evicted, @small);
$slow = slow_reader($evicted, @small);
my $bad = 0;
for my $n (1 .. 60) {
    my $response = fetch(target("/080/filler/$n", body => 100_000, cc => 'max-age=600'), @small);
    $bad++ if $response->content ne body_of("/080/filler/$n", size => 100_000);
}
is($bad, 0, '60 objects through a full storage while one of its objects is read');
is_body($slow->body, '/080/evicted', size => 200_000, name => 'evicted: the whole old body');
is_body(fetch($evicted, @small), '/080/evicted', size => 200_000,
    name => 'and it can be had again');

# many slow readers of one object, some of which leave
control($path);
fetch($target, headers => [ 'Cache-Control' => 'no-cache' ]);
my @readers = map { slow_reader($target) } 1 .. 6;
$_->abort for splice @readers, 0, 3;
is_body($_->body, $path, size => '2M', name => 'one of many slow readers') for @readers;
is_body(fetch($target), $path, size => '2M', name => 'after all of them');

finish();
