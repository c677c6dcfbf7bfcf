# SPDX-License-Identifier: Apache-2.0
#
# Clients that do not read. A large body waits for them in the kernel and in the core's queue: it keeps
# no worker of the event MPM, and what takes its place in the store never reaches them. What they keep
# in memory is not at the price of what others ask for.
use strict;
use warnings;

use Storer::Test;
use Test::More;

sub slow_client {
    my ($target, %option) = @_;
    my $connection = connection(receive_buffer => 8192);
    $connection->send(GET => $target, headers => [ Connection => 'close' ], %option);
    return $connection;
}

# ---- every way a large body goes -----------------------------------------------------------------

for my $case ([ length => [] ], [ chunked => [ chunked => 1 ] ]) {
    my ($framing, $parameters) = @$case;
    my $path = "/400/large/$framing";
    my $target = target($path, body => '4M', cc => 'max-age=600', @$parameters);

    fetch($target);
    for my $host ('127.0.0.1', 'sendfile-off.test') {
        my @host = (host => $host);
        fetch($target, @host);
        my $response = fetch($target, @host);
        is_cache($response, 'HIT', "$framing, $host");
        is_body($response, $path, size => '4M', name => "$framing, $host: a hit");
        $response = fetch($target, @host, method => 'HEAD');
        is_cache($response, 'HIT', "$framing, $host, HEAD");
        is($response->header('Content-Length'), 4 << 20, 'its length');
        my $want = body_of($path, size => '4M');
        for my $range ([ 0, 99 ], [ 1_000_000, 2_999_999 ], [ 4_194_000, 4_194_303 ]) {
            my ($from, $to) = @$range;
            $response = fetch($target, @host, headers => [ Range => "bytes=$from-$to" ]);
            is($response->status, 206, "$framing, $host: bytes $from to $to");
            ok($response->content eq substr($want, $from, $to - $from + 1), 'the right ones');
        }
        $response = fetch($target, @host,
            headers => [ Range => 'bytes=10-500009,2000000-2100000' ]);
        ok(index($response->content, substr $want, 10, 500_000) > 0
            && index($response->content, substr $want, 2_000_000, 100_001) > 0, 'two ranges');
    }
}

# ---- what is replaced under a slow client --------------------------------------------------------

my $path = '/400/replaced';
my $target = target($path, body => '3M', cc => 'max-age=600');
fetch($target);
my @slow = map { slow_client($target) } 1 .. 3;
is_cache($_->head, 'HIT', 'a client that does not read on') for @slow;
for my $seed (2 .. 25) {
    control($path, seed => $seed);
    fetch($target, headers => [ 'Cache-Control' => 'no-cache' ]);
    push @slow, slow_client($target) if $seed == 12;
}
$slow[3]->head;
is_body(fetch($target), $path, size => '3M', seed => 25, name => 'replaced 24 times');
is_body($slow[$_]->body, $path, size => '3M', seed => $_ == 3 ? 12 : 1,
    name => 'a slow client gets its own body') for 0 .. 3;

# ---- more slow clients than threads --------------------------------------------------------------

SKIP: {
    skip 'only the event MPM needs no thread for a slow client', 9 if $ENV{STORER_MPM} ne 'event';

    # 96 threads
    $path = '/400/threads';
    $target = target($path, body => '8M', cc => 'max-age=600');
    fetch($target);
    @slow = map { slow_client($target) } 1 .. 110;
    is(scalar(grep { $_->head->cache ne 'HIT' } @slow), 0, '110 clients have the head of a hit');
    for (1 .. 3) {
        my $response = fetch($target, method => 'HEAD');
        is_cache($response, 'HIT', 'the next client is answered');
    }
    is_body(fetch($target), $path, size => '8M', name => 'and has its body');
    $_->abort for splice @slow, 0, 106;
    is_body($_->body, $path, size => '8M', name => 'a slow one, which reads at last') for @slow;
}

# ---- a set of small bodies beside them -----------------------------------------------------------

sub read_hot {
    my $hits = 0;
    my $connection = connection();
    for my $n (1 .. 200) {
        my $response = $connection->request(GET => target("/400/hot/$n", body => 3000,
            cc => 'max-age=600'));
        $hits++ if $response->cache eq 'HIT';
    }
    $connection->close;
    return $hits;
}

read_hot() for 1 .. 2;
my $hits = 0;
@slow = ();
for my $n (1 .. 6) {
    my $large = target("/400/slow/$n", body => '15M', cc => 'max-age=600');
    fetch($large);
    push @slow, slow_client($large);
    $slow[-1]->head;
    $hits += read_hot();
}
is($hits, 1200, '200 small bodies stay beside 6 slow clients of 15 MB each');
is_body($slow[0]->body, '/400/slow/1', size => '15M', name => 'one of which reads at last');
$_->abort for @slow[1 .. 5];

finish();
