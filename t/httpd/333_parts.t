# SPDX-License-Identifier: Apache-2.0
#
# A request for a part of what is not cached, or with a condition: the client is free as soon as it has
# what it asked for, the rest is fetched by the background; and what is not stored costs the origin little
# more than the part.
use strict;
use warnings;

use Storer::Test;
use Test::More;

my $threads = $ENV{STORER_MPM} ne 'prefork';

# ---- the client is free --------------------------------------------------------------------------

for my $case ([ 'range', [ Range => 'bytes=10-19' ], 206, 10 ],
    [ 'last', [ Range => 'bytes=-10' ], 206, 10, 0 ],
    [ 'condition', [ 'If-None-Match' => '"x"' ], 304, 0 ],
    [ 'beyond', [ Range => 'bytes=800000-' ], 416, 0 ]) {
    my ($name, $headers, $status, $length, $at) = @$case;
    my $path = "/333/free/$name";
    $at = 300_000 unless defined $at;
    my $target = target($path, body => 600_000, cc => 'max-age=600', etag => '"x"',
        gate => "333-$name", at => $at);
    my $connection = connection();
    if (!$at) {
        $connection->send('GET', $target, headers => $headers);
        wait_for('the request at the origin', sub { arrived("333-$name") == 1 });
        open_gate("333-$name");
        my $response = $connection->head;
        $connection->body;
        is($response->status, $status, "$name: answered when all of it has come");
        is($response->content, substr(body_of($path, size => 600_000), -10), "$name: its bytes");
    }
    else {
        my $response = $connection->request('GET', $target, headers => $headers);
        is($response->status, $status, "$name: answered before the origin is through");
        is(length $response->content, $length, "$name: so many bytes");
        if ($threads) {
            my $next = $connection->request('GET', '/333/next?cc=max-age%3D60');
            is($next && $next->status, 200, "$name: and the next request of the connection as well");
        }
        else {
            is($response->header('Connection'), 'close', "$name: the next request takes another one");
        }
        open_gate("333-$name");
    }
    $connection->close;
    wait_for('the rest', sub { fetch($target)->cache eq 'HIT' });
    is_body(fetch($target), $path, size => 600_000, name => "$name: all of it is stored");
    is(requests($path), 1, "$name: by one fetch");
}

# those who wait for the whole are served by the same fetch
{
    my $path = '/333/both';
    my $target = target($path, body => 600_000, cc => 'max-age=600', gate => '333-both', at => 300_000);
    my $mark = log_mark();
    my $part = connection();
    is($part->request('GET', $target, headers => [ Range => 'bytes=0-9' ])->status, 206, 'a part');
    my $whole = connection();
    $whole->send('GET', $target, headers => [ Connection => 'close' ]);
    wait_for('it to wait', sub { log_since($mark) =~ /CS0731: / });
    open_gate('333-both');
    is_body($whole->answer, $path, size => 600_000, name => 'and the whole');
    is(requests($path), 1, 'by one fetch');
    $_->close for $part, $whole;
}

# a client that goes away while it gets its part
{
    my $path = '/333/gone';
    my $target = target($path, body => 600_000, cc => 'max-age=600', gate => '333-gone', at => 300_000);
    my $client = connection(receive_buffer => 8192);
    $client->send('GET', $target, headers => [ Range => 'bytes=0-599998' ]);
    $client->head;
    $client->abort;
    open_gate('333-gone');
    ok(wait_for('the rest', sub { fetch($target)->cache eq 'HIT' }), 'a client that goes away');
    is(requests($path), 1, 'one fetch');
}

# ---- what is not stored --------------------------------------------------------------------------

my $much = 200 * 1024 * 1024;
for my $case ([ 'no-store', cc => 'no-store' ], [ 'too-large', cc => 'max-age=600' ]) {
    my ($name, @parameters) = @$case;
    my $path = "/333/$name";
    my $target = target($path, body => '200M', ranges => 1, @parameters);
    for my $time (1 .. 3) {
        my $response = fetch($target, headers => [ Range => 'bytes=-1000' ]);
        is($response->status, 206, "$name, time $time");
        is($response->header('Content-Range'), sprintf('bytes %d-%d/%d', $much - 1000, $much - 1, $much),
            "$name, time $time: what it is");
        is(length $response->content, 1000, "$name, time $time: so many bytes");
    }
    cmp_ok(sent($path), '<', $much / 10, "$name: the origin sends little more: " . sent($path));
    is(requests($path), 4, "$name: one request to find out, and then one for each");
}
{
    # it could be stored, but most of it would be fetched for nobody
    my $path = '/333/far';
    my $size = 15 * 1024 * 1024;
    my $target = target($path, body => '15M', ranges => 1, cc => 'max-age=600', etag => '"x"');
    my $response = fetch($target, headers => [ Range => 'bytes=15000000-15000099' ]);
    is($response->header('Content-Range'), "bytes 15000000-15000099/$size", 'a range far into it');
    is(length $response->content, 100, 'its bytes');
    cmp_ok(sent($path), '<', $size * 0.8, 'costs little more than the range: ' . sent($path));
    is(fetch($target, headers => [ 'If-None-Match' => '"x"' ])->status, 304, 'a condition');
    is(not_modified($path), 1, 'is answered by the origin');
    is_body(fetch($target), $path, size => $size, name => 'asked for as a whole it is stored');
    is_cache(fetch($target, headers => [ Range => 'bytes=0-9' ]), 'HIT', 'and then its parts are there');
}
{
    # an origin that knows no ranges
    my $path = '/333/rangeless';
    my $target = target($path, body => '5M', cc => 'no-store');
    my $response = fetch($target, headers => [ Range => 'bytes=5000000-5000009' ]);
    is($response->status, 206, 'an origin without ranges');
    is($response->content, substr(body_of($path, size => 5_000_010), -10), 'the bytes');
}

finish();
